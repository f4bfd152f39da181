//! Marking a thread with tags.

use antiphon_store::{Changes, Moment, State, TagId, Target};
use antiphon_wire::id::{LenientId, MAX_INT32};
use antiphon_wire::work::TagEdit;

use super::lifecycle::Lifecycle;
use super::{found, path, thread_id, work};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::refusal::Refusal;

/// Most tags of a thread.
const MOST: usize = 20;

/// Most that are given, and most that are taken, at once.
const MOST_NAMED: usize = 100;

/// What is asked for. The target is the thread.
#[derive(Debug, Clone, Default)]
pub struct Mark {
    /// The thread as the client named it.
    pub sent: String,
    pub add: Vec<TagId>,
    pub remove: Vec<TagId>,
}

/// `PUT /threads/{threadId}/tags`
pub async fn tags(call: Call) -> Result<Answer, Refusal> {
    let id = thread_id(&call)?;
    let body: TagEdit = call.json()?;
    let mut checks = Checks::default();
    let mut ids = |field: &str, sent: Vec<LenientId>| -> Vec<TagId> {
        if sent.len() > MOST_NAMED {
            checks.wrong(field, format!("At most {MOST_NAMED} can be named at once"));
            return Vec::new();
        }
        sent.into_iter().filter_map(|one| checks.id(field, Some(one), MAX_INT32)).map(TagId).collect()
    };
    let (add, remove) = (ids("add", body.add), ids("remove", body.remove));
    checks.done()?;
    let asked = Mark { sent: path(&call, 0).to_owned(), add, remove };
    let rule = move |state: &State, moment: &mut Moment| mark(state, &asked, moment);
    let applied = call.app.store.change(call.caller.portal(), Target::Thread(id), rule).await??;
    work::answer(&call, &applied).await
}

/// The rule. What is taken away need not be there, nor does the tag have to be; what is added must be a living tag.
pub fn mark(state: &State, asked: &Mark, moment: &mut Moment) -> Result<Changes, Refusal> {
    let thread = found(state, false).ok_or_else(|| Refusal::not_found(&asked.sent))?;
    let mut checks = Checks::default();
    for id in asked.add.iter().filter(|id| !thread.tags.contains(id)) {
        match state.directory.tags().get(id) {
            None => checks.wrong("add", format!("Tag {id} does not exist in this account")),
            Some(tag) if tag.archived_at.is_some() => {
                checks.wrong("add", format!("Tag {id} is archived"));
            }
            Some(_) => {}
        }
    }
    let mut tags: Vec<TagId> = thread.tags.iter().chain(&asked.add).copied().collect();
    tags.retain(|id| !asked.remove.contains(id));
    tags.sort_unstable();
    tags.dedup();
    if tags.len() > MOST {
        checks.wrong("add", format!("A thread has at most {MOST} tags"));
    }
    checks.done()?;
    let mut life = Lifecycle::of(thread, moment);
    life.mark(tags);
    Ok(life.finish())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use antiphon_store::{Directory, DirectoryChange, Tag};

    use super::*;
    use crate::testing::{self, NOW, entries, events};

    fn state() -> State {
        let mut state = testing::state();
        let mut directory = Directory::clone(&state.directory);
        for id in 1..=30 {
            let archived_at = (id == 9).then_some(2);
            let tag = Tag { id: TagId(id), name: format!("Tag {id}"), color: 0, created_at: 1, archived_at };
            directory.put(DirectoryChange::Tag(tag));
        }
        state.directory = Arc::new(directory);
        state
    }

    fn ids(ids: &[i64]) -> Vec<TagId> {
        ids.iter().copied().map(TagId).collect()
    }

    #[test]
    fn every_row() {
        let many: Vec<i64> = (10..31).collect();
        type Row<'a> = (&'a [i64], &'a [i64], &'a [i64], Result<&'a [i64], u16>);
        let rows: &[Row] = &[
            (&[], &[2, 1, 2], &[], Ok(&[1, 2])),
            (&[1, 2], &[3], &[1], Ok(&[2, 3])),
            (&[1], &[1], &[], Ok(&[1])),
            (&[1], &[], &[77], Ok(&[1])),
            (&[1], &[2], &[2], Ok(&[1])),
            (&[], &[77], &[], Err(400)),
            (&[], &[9], &[], Err(400)),
            (&[9], &[9, 1], &[], Ok(&[1, 9])),
            (&[9], &[], &[9], Ok(&[])),
            (&[], &many, &[], Err(400)),
            (&[], &many[1..], &[], Ok(&many[1..])),
        ];
        for (index, (has, add, remove, expected)) in rows.iter().enumerate() {
            let mut state = state();
            state.thread.as_mut().unwrap().tags = ids(has);
            let asked = Mark { sent: "1".into(), add: ids(add), remove: ids(remove) };
            match (mark(&state, &asked, &mut Moment::still(NOW)), expected) {
                (Ok(changes), Ok(tags)) => {
                    assert!(entries(&changes).is_empty(), "row {index}");
                    let same = has == tags;
                    assert_eq!(
                        events(&changes),
                        if same { vec![] } else { vec!["(touched)"] },
                        "row {index}"
                    );
                    assert_eq!(changes.is_empty(), same, "row {index}");
                    assert!(changes.threads.iter().all(|thread| thread.tags == ids(tags)), "row {index}");
                }
                (Err(refusal), Err(status)) => {
                    assert_eq!(testing::status(&refusal), *status, "row {index}");
                    assert_eq!(testing::named(&refusal), ["add"], "row {index}");
                }
                (got, _) => panic!("row {index}: {got:?}"),
            }
        }
        let mut state = state();
        state.thread.as_mut().unwrap().archived_at = Some(5);
        let asked = Mark { sent: "1".into(), ..Mark::default() };
        assert_eq!(mark(&state, &asked, &mut Moment::still(NOW)), Err(Refusal::not_found("1")));
    }
}

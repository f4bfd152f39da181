//! How many threads every list of the caller's has. Nothing is counted: what is kept is added up.

use std::collections::HashMap;

use antiphon_store::{Directory, InboxId, Kind, View, WorkQuery, WorkState};
use antiphon_wire::id::Id;
use antiphon_wire::work::{InboxCounts, ViewCount, ViewCounts, WorkCounts};

use crate::actors::acting::actor;
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /views/counts`
pub async fn counts(call: Call) -> Result<Answer, Refusal> {
    let (me, directory) = (super::me(&call), &*call.caller.directory);
    let views = || directory.views().iter().map(AsRef::as_ref).filter(|view| super::is_for(view, me));
    let mut tags: Vec<_> = views().map(|view| view.tag).chain([None]).collect();
    tags.sort_unstable();
    tags.dedup();
    let kept = call.app.store.thread_counts(call.caller.portal(), &tags).await?;
    Answer::json(200, &added_up(directory, views(), me, &kept))
}

fn added_up<'v>(
    directory: &Directory,
    views: impl Iterator<Item = &'v View>,
    me: Option<i64>,
    kept: &[(Kind, i64)],
) -> ViewCounts {
    let sum = |query: &WorkQuery| -> i64 {
        kept.iter().filter(|(kind, _)| query.admits(kind)).map(|(_, n)| n).sum()
    };
    let mine = me.map(actor);
    let (mut all, mut of_inbox) = (WorkCounts::default(), HashMap::<InboxId, WorkCounts>::new());
    for (kind, n) in kept.iter().filter(|(kind, _)| kind.tag.is_none()) {
        for counts in [&mut all, of_inbox.entry(kind.inbox).or_default()] {
            add(counts, kind, *n, mine.as_deref());
        }
    }
    let count = |view| super::query(view, me).map_or(0, |query| sum(&query));
    let views = views.map(|view| ViewCount { id: Id(view.id.0), count: count(view) });
    let inboxes = directory.inboxes(false).iter().map(|inbox| InboxCounts {
        inbox_id: Id(inbox.id.0),
        counts: of_inbox.get(&inbox.id).copied().unwrap_or_default(),
    });
    ViewCounts { views: views.collect(), inboxes: inboxes.collect(), all }
}

/// Adds threads of a kind to the lists that every inbox has.
fn add(counts: &mut WorkCounts, kind: &Kind, n: i64, mine: Option<&str>) {
    match kind.state {
        WorkState::Open => {
            counts.open += n;
            match kind.assigned_to.as_deref() {
                None => counts.unassigned += n,
                whose if whose == mine => counts.mine += n,
                Some(_) => {}
            }
        }
        WorkState::Snoozed => counts.snoozed += n,
        WorkState::Closed => counts.closed += n,
        WorkState::Spam => counts.spam += n,
        WorkState::Archived => counts.archived += n,
    }
}

#[cfg(test)]
mod tests {
    use antiphon_store::{AccountId, TagId, ViewWhose};

    use super::super::create::tests::view;
    use super::*;
    use crate::testing;

    #[test]
    fn every_list_is_a_sum() {
        let kind = |tag: Option<i64>, state, inbox, whose: Option<&str>| Kind {
            tag: tag.map(TagId),
            state,
            inbox: InboxId(inbox),
            account: AccountId(1),
            assigned_to: whose.map(str::to_owned),
        };
        let kept = [
            (kind(None, WorkState::Open, 640, None), 5),
            (kind(None, WorkState::Open, 640, Some("A-71")), 7),
            (kind(None, WorkState::Open, 640, Some("A-72")), 11),
            (kind(None, WorkState::Open, 812, Some("A-71")), 13),
            (kind(None, WorkState::Closed, 640, Some("A-71")), 17),
            (kind(None, WorkState::Snoozed, 640, None), 19),
            (kind(None, WorkState::Spam, 812, None), 23),
            (kind(None, WorkState::Archived, 640, None), 29),
            (kind(Some(3), WorkState::Open, 640, Some("A-71")), 2),
        ];
        let directory = testing::state().directory;
        let tagged = View { tag: Some(TagId(3)), ..view(1, true, None) };
        let mine = View { whose: ViewWhose::Mine, ..view(2, true, None) };
        let open = View { states: vec![WorkState::Open], inboxes: vec![InboxId(640)], ..view(3, true, None) };
        let views = [tagged, mine, open];
        let told = added_up(&directory, views.iter(), Some(71), &kept);
        assert_eq!(told.views.iter().map(|one| one.count).collect::<Vec<_>>(), [2, 37, 23]);
        assert_eq!(told.inboxes.iter().map(|one| one.inbox_id.0).collect::<Vec<_>>(), [640, 812]);
        let first = told.inboxes[0].counts;
        assert_eq!((first.unassigned, first.mine, first.open), (5, 7, 23));
        assert_eq!((first.snoozed, first.closed, first.spam, first.archived), (19, 17, 0, 29));
        assert_eq!((told.all.mine, told.all.open, told.all.spam), (20, 36, 23));
        let nobody = added_up(&directory, views.iter(), None, &kept);
        assert_eq!((nobody.all.mine, nobody.all.unassigned, nobody.views[1].count), (0, 5, 0));
    }
}

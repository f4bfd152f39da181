//! Opening, closing, archiving and restoring by `PATCH`.

use antiphon_store::{Changes, Moment, State, Target, ThreadStatus};
use antiphon_wire::error::Problem;
use antiphon_wire::thread::ThreadPatch;

use super::history::Author;
use super::lifecycle::Lifecycle;
use super::{found, path, print, status_stored, thread_id};
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// What a `PATCH` asks for.
#[derive(Debug, Clone)]
pub struct Update {
    /// The thread as the client named it.
    pub sent: String,
    pub by: Author,
    /// Whether the thread is looked for in the trash.
    pub archived_now: bool,
    pub status: Option<ThreadStatus>,
    pub archived: Option<bool>,
    /// What was wrong with the body; told only to those who can see the thread.
    pub problems: Vec<Problem>,
}

/// `PATCH /threads/{threadId}`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let id = thread_id(&call)?;
    let mut query = super::list::Asked::new(&call.query);
    let archived_now = query.flag("archived").unwrap_or(false);
    query.done()?;
    let patch: ThreadPatch = call.json()?;
    let (status, problems) = match patch.status() {
        Ok(status) => (status.map(status_stored), Vec::new()),
        Err(problem) => (None, vec![problem]),
    };
    let update = Update {
        sent: path(&call, 0).to_owned(),
        by: Author::of(&call.caller),
        archived_now,
        status,
        archived: patch.archived,
        problems,
    };
    let rule = move |state: &State, moment: &mut Moment| update_thread(state, &update, moment);
    let applied = call.app.store.change(call.caller.portal(), Target::Thread(id), rule).await??;
    let thread = applied.changes.threads.first().or(applied.state.thread.as_ref());
    let mut out = Vec::with_capacity(512);
    print(thread.ok_or_else(|| Refusal::not_found(path(&call, 0)))?.view(), false, &mut out);
    Ok(Answer::ok(out))
}

pub(super) fn update_thread(state: &State, asked: &Update, moment: &mut Moment) -> Result<Changes, Refusal> {
    let thread = found(state, asked.archived_now).ok_or_else(|| Refusal::not_found(&asked.sent))?;
    if !asked.problems.is_empty() {
        return Err(Refusal::Invalid(asked.problems.clone()));
    }
    if asked.status.is_none() && asked.archived.is_none() {
        return Err(Refusal::invalid("status", "Nothing to update: set `status` or `archived`"));
    }
    if thread.is_archived() && asked.status.is_some() && asked.archived != Some(false) {
        return Err(Refusal::invalid("status", "The status of an archived thread cannot change"));
    }
    let by = &asked.by;
    let mut life = Lifecycle::of(thread, moment);
    if asked.archived == Some(false) {
        life.restore(by);
    }
    if let Some(status) = asked.status {
        life.set_status(status, by);
    }
    if asked.archived == Some(true) {
        life.archive(by);
    }
    Ok(life.finish())
}

#[cfg(test)]
mod tests {
    use antiphon_store::AppId;

    use super::*;
    use crate::testing::{self, entries, events};

    const OPEN: Option<ThreadStatus> = Some(ThreadStatus::Open);
    const CLOSED: Option<ThreadStatus> = Some(ThreadStatus::Closed);

    fn ask(archived_now: bool, status: Option<ThreadStatus>, archived: Option<bool>) -> Update {
        Update {
            sent: "1".into(),
            by: Author::App(AppId(4410)),
            archived_now,
            status,
            archived,
            problems: vec![],
        }
    }

    /// Every row of the table in the contract: the thread, the question, and what comes of it.
    #[test]
    fn every_row() {
        type Row<'a> = (&'a str, Update, Result<(&'a [&'a str], &'a [&'a str]), u16>);
        let rows: &[Row] = &[
            ("open", ask(false, CLOSED, None), Ok((&["STATUS CLOSED by I-4410"], &["status=CLOSED"]))),
            ("closed", ask(false, OPEN, None), Ok((&["STATUS OPEN by I-4410"], &["status=OPEN"]))),
            ("open", ask(false, OPEN, None), Ok((&[], &[]))),
            ("closed", ask(false, CLOSED, None), Ok((&[], &[]))),
            ("open", ask(false, None, Some(false)), Ok((&[], &[]))),
            ("open", ask(false, None, Some(true)), Ok((&[], &["deletion"]))),
            (
                "open",
                ask(false, CLOSED, Some(true)),
                Ok((&["STATUS CLOSED by I-4410"], &["status=CLOSED", "deletion"])),
            ),
            ("open", ask(true, CLOSED, None), Err(404)),
            ("open", ask(true, None, Some(false)), Err(404)),
            ("archived", ask(true, None, Some(false)), Ok((&[], &["isArchived=false"]))),
            (
                "archived",
                ask(true, CLOSED, Some(false)),
                Ok((&["STATUS CLOSED by I-4410"], &["isArchived=false", "status=CLOSED"])),
            ),
            ("archived", ask(true, CLOSED, None), Err(400)),
            ("archived", ask(true, OPEN, Some(true)), Err(400)),
            ("archived", ask(true, None, Some(true)), Ok((&[], &[]))),
            ("archived", ask(false, CLOSED, None), Err(404)),
            ("archived", ask(false, None, Some(false)), Err(404)),
            ("archived", ask(false, None, None), Err(404)),
            ("archived", ask(true, None, None), Err(400)),
            ("open", ask(false, None, None), Err(400)),
            ("none", ask(false, CLOSED, None), Err(404)),
        ];
        for (index, (is, asked, expected)) in rows.iter().enumerate() {
            let mut state = testing::state();
            match *is {
                "closed" => testing::close(&mut state),
                "archived" => state.thread.as_mut().unwrap().archived_at = Some(5),
                "none" => state.thread = None,
                _ => {}
            }
            match (update_thread(&state, asked, &mut Moment::still(testing::NOW)), expected) {
                (Ok(changes), Ok((history, spine))) => {
                    assert_eq!(entries(&changes), *history, "row {index}");
                    assert_eq!(events(&changes), *spine, "row {index}");
                    assert_eq!(changes.is_empty(), history.is_empty() && spine.is_empty(), "row {index}");
                    testing::apply(&mut state, &changes);
                    let again = update_thread(
                        &state,
                        &Update {
                            archived_now: state.thread.as_ref().unwrap().is_archived(),
                            ..asked.clone()
                        },
                        &mut Moment::still(testing::NOW),
                    );
                    if asked.archived != Some(true) {
                        assert!(again.unwrap().is_empty(), "row {index}: a repeat produces nothing");
                    }
                }
                (Err(refusal), Err(status)) => assert_eq!(testing::status(&refusal), *status, "row {index}"),
                (got, _) => panic!("row {index}: {got:?}"),
            }
        }
    }

    #[test]
    fn closing_sets_closed_at_and_reopening_removes_it() {
        let mut state = testing::state();
        state.thread.as_mut().unwrap().assigned_to = Some("A-71".into());
        let closed =
            update_thread(&state, &ask(false, CLOSED, None), &mut Moment::still(testing::NOW)).unwrap();
        assert_eq!(closed.threads[0].closed_at, Some(closed.messages[0].created_at));
        assert_eq!(closed.threads[0].assigned_to.as_deref(), Some("A-71"), "closing does not unassign");
        testing::apply(&mut state, &closed);
        let opened =
            update_thread(&state, &ask(false, OPEN, None), &mut Moment::still(testing::NOW)).unwrap();
        assert_eq!(opened.threads[0].closed_at, None);
        assert!(opened.messages[0].created_at > closed.messages[0].created_at);
    }

    #[test]
    fn nothing_recognised_names_both_fields() {
        let refused = update_thread(&testing::state(), &ask(false, None, None), &mut Moment::still(1));
        let Err(Refusal::Invalid(problems)) = refused else { panic!("{refused:?}") };
        let [problem] = &problems[..] else { panic!("one problem, so that its message is the answer's") };
        assert!(problem.message.contains("`status`") && problem.message.contains("`archived`"));
    }
}

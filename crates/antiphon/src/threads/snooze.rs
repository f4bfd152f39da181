//! Letting a thread wait for a moment. It is open again at that moment, or as soon as its visitor writes.

use std::convert::Infallible;

use antiphon_store::{Applied, Changes, Millis, Moment, PortalId, State, Target, ThreadStatus};
use antiphon_wire::timestamp;
use antiphon_wire::work::Snooze as Body;
use futures_util::TryStreamExt;

use super::lifecycle::Lifecycle;
use super::{found, path, thread_id, work};
use crate::app::App;
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::portals;
use crate::refusal::Refusal;

/// The longest that a thread waits.
const LONGEST: Millis = 366 * 24 * 60 * 60 * 1000;

/// How many threads of a portal are looked up at a time.
const CHUNK: usize = 100;

/// What is asked for. The target is the thread.
#[derive(Debug, Clone)]
pub struct Snooze {
    /// The thread as the client named it.
    pub sent: String,
    /// `None` to end it.
    pub until: Option<Millis>,
}

/// `PUT /threads/{threadId}/snooze`
pub async fn begin(call: Call) -> Result<Answer, Refusal> {
    let body: Body = call.json()?;
    let mut checks = Checks::default();
    let until = body.until.as_deref().and_then(timestamp::parse);
    match (&body.until, until) {
        (None, _) => checks.missing("until"),
        (Some(sent), None) => checks.wrong("until", format!("`{sent}` is not a date")),
        _ => {}
    }
    checks.done()?;
    let applied = change(&call, until).await?;
    work::answer(&call, &applied).await
}

/// `DELETE /threads/{threadId}/snooze`
pub async fn end(call: Call) -> Result<Answer, Refusal> {
    change(&call, None).await?;
    Ok(Answer::none())
}

async fn change(call: &Call, until: Option<Millis>) -> Result<Applied, Refusal> {
    let id = thread_id(call)?;
    let asked = Snooze { sent: path(call, 0).to_owned(), until };
    let rule = move |state: &State, moment: &mut Moment| snooze(state, &asked, moment);
    call.app.store.change(call.caller.portal(), Target::Thread(id), rule).await?
}

/// The rule.
pub fn snooze(state: &State, asked: &Snooze, moment: &mut Moment) -> Result<Changes, Refusal> {
    let thread = found(state, false).ok_or_else(|| Refusal::not_found(&asked.sent))?;
    let now = moment.now;
    let mut life = Lifecycle::of(thread, moment);
    match asked.until {
        None => life.wake(),
        Some(_) if thread.status == ThreadStatus::Closed => {
            return Err(Refusal::invalid("until", "A closed thread waits for nothing: open it first"));
        }
        Some(_) if thread.spam => {
            return Err(Refusal::invalid("until", "Spam waits for nothing: take the mark from it first"));
        }
        Some(until) if until <= now || until > now + LONGEST => {
            return Err(Refusal::invalid("until", "until must be later than now, and within a year"));
        }
        Some(until) => life.snooze(until),
    }
    Ok(life.finish())
}

/// Wakes every thread whose moment has come, over all portals; how many those were. Harmless to repeat and to interrupt: what
/// is left is found again.
pub async fn run(app: &App, now: Millis) -> anyhow::Result<u64> {
    let (mut woken, mut portals) = (0, portals::all(&app.store));
    while let Some(portal) = portals.try_next().await? {
        woken += run_portal(app, portal.id, now).await?;
    }
    Ok(woken)
}

async fn run_portal(app: &App, portal: PortalId, now: Millis) -> anyhow::Result<u64> {
    let mut woken = 0;
    loop {
        let due = app.store.snooze_due(portal, now, CHUNK).await?;
        let before = woken;
        for thread in due {
            let rule = move |state: &State, moment: &mut Moment| wake_due(state, now, moment);
            let Ok(applied) = app.store.change(portal, Target::Thread(thread), rule).await?;
            woken += applied.changes.threads.len() as u64;
        }
        if woken == before {
            return Ok(woken);
        }
    }
}

/// The thread may have been woken, or snoozed again, since it was looked up.
fn wake_due(state: &State, now: Millis, moment: &mut Moment) -> Result<Changes, Infallible> {
    let due = |thread: &&antiphon_store::Thread| thread.snoozed_until.is_some_and(|until| until <= now);
    let Some(thread) = state.thread.as_ref().filter(due) else { return Ok(Changes::default()) };
    let mut life = Lifecycle::of(thread, moment);
    life.wake();
    Ok(life.finish())
}

#[cfg(test)]
mod tests {
    use antiphon_store::WorkState;

    use super::*;
    use crate::testing::{self, NOW, entries, events};

    fn ask(until: Option<Millis>) -> Snooze {
        Snooze { sent: "1".into(), until }
    }

    /// The thread, the question, and what it waits for then; or the status of the refusal.
    #[test]
    fn every_row() {
        let rows = [
            ("open", Some(NOW + 1), Ok(WorkState::Snoozed)),
            ("open", Some(NOW + LONGEST), Ok(WorkState::Snoozed)),
            ("open", Some(NOW + LONGEST + 1), Err(400)),
            ("open", Some(NOW), Err(400)),
            ("open", None, Ok(WorkState::Open)),
            ("snoozed", Some(NOW + 5), Ok(WorkState::Snoozed)),
            ("snoozed", None, Ok(WorkState::Open)),
            ("closed", Some(NOW + 1), Err(400)),
            ("closed", None, Ok(WorkState::Closed)),
            ("spam", Some(NOW + 1), Err(400)),
            ("archived", Some(NOW + 1), Err(404)),
            ("archived", None, Err(404)),
            ("none", None, Err(404)),
        ];
        for (index, (is, until, expected)) in rows.into_iter().enumerate() {
            let mut state = testing::state();
            match is {
                "closed" => testing::close(&mut state),
                "snoozed" => state.thread.as_mut().unwrap().snoozed_until = Some(NOW + 9),
                "spam" => state.thread.as_mut().unwrap().spam = true,
                "archived" => state.thread.as_mut().unwrap().archived_at = Some(5),
                "none" => state.thread = None,
                _ => {}
            }
            match (snooze(&state, &ask(until), &mut Moment::still(NOW)), expected) {
                (Ok(changes), Ok(waits)) => {
                    assert!(entries(&changes).is_empty(), "row {index}");
                    assert!(changes.is_empty() || events(&changes) == ["(touched)"], "row {index}");
                    testing::apply(&mut state, &changes);
                    let thread = state.thread.as_ref().unwrap();
                    assert_eq!((thread.state(), thread.snoozed_until), (waits, until), "row {index}");
                    let again = snooze(&state, &ask(until), &mut Moment::still(NOW)).unwrap();
                    assert!(again.is_empty(), "row {index}: a repeat produces nothing");
                }
                (Err(refusal), Err(status)) => assert_eq!(testing::status(&refusal), status, "row {index}"),
                (got, _) => panic!("row {index}: {got:?}"),
            }
        }
    }

    #[test]
    fn a_moment_that_has_come_wakes_and_none_before() {
        let mut state = testing::state();
        for (until, woken) in [(None, false), (Some(NOW + 1), false), (Some(NOW), true)] {
            state.thread.as_mut().unwrap().snoozed_until = until;
            let changes = wake_due(&state, NOW, &mut Moment::still(NOW)).unwrap();
            assert_eq!(!changes.is_empty(), woken, "{until:?}");
            assert!(changes.threads.iter().all(|thread| thread.snoozed_until.is_none()));
        }
        state.thread = None;
        assert!(wake_due(&state, NOW, &mut Moment::still(NOW)).unwrap().is_empty());
    }

    #[test]
    fn closing_ends_it_and_archiving_does_not() {
        let mut state = testing::state();
        state.thread.as_mut().unwrap().snoozed_until = Some(NOW + 9);
        let mut moment = Moment::still(NOW);
        let mut life = Lifecycle::of(state.thread.as_ref().unwrap(), &mut moment);
        life.archive(&super::super::history::Author::System);
        assert_eq!(life.finish().threads[0].snoozed_until, Some(NOW + 9));
        let mut life = Lifecycle::of(state.thread.as_ref().unwrap(), &mut moment);
        life.set_status(ThreadStatus::Closed, &super::super::history::Author::System);
        let changes = life.finish();
        assert_eq!(changes.threads[0].snoozed_until, None);
        assert_eq!(events(&changes), ["status=CLOSED", "(touched)"]);
    }
}

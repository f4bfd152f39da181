//! Moving a thread to another inbox. No channel account moves with it: answering then takes an account of the new inbox.

use antiphon_store::{Changes, InboxId, Moment, State, Target};
use antiphon_wire::id::MAX_INT32;
use antiphon_wire::own::InboxMove;

use super::history::Author;
use super::lifecycle::Lifecycle;
use super::{answer, found, path, thread_id};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::refusal::Refusal;

/// What is asked for. The target is the thread.
#[derive(Debug, Clone)]
pub struct Relocate {
    /// The thread as the client named it.
    pub sent: String,
    pub to: InboxId,
    pub by: Author,
}

/// `PUT /threads/{threadId}/inbox`
pub async fn to_inbox(call: Call) -> Result<Answer, Refusal> {
    let id = thread_id(&call)?;
    let body: InboxMove = call.json()?;
    let mut checks = Checks::default();
    let to = InboxId(checks.required_id("inboxId", body.inbox_id, MAX_INT32));
    checks.done()?;
    let asked = Relocate { sent: path(&call, 0).to_owned(), to, by: Author::of(&call.caller) };
    let rule = move |state: &State, moment: &mut Moment| relocate(state, &asked, moment);
    let applied = call.app.store.change(call.caller.portal(), Target::Thread(id), rule).await??;
    answer(&applied, path(&call, 0), false)
}

/// The rule.
pub fn relocate(state: &State, asked: &Relocate, moment: &mut Moment) -> Result<Changes, Refusal> {
    let thread = found(state, false).ok_or_else(|| Refusal::not_found(&asked.sent))?;
    if state.directory.inbox(asked.to).is_none_or(|inbox| inbox.archived_at.is_some()) {
        return Err(Refusal::invalid(
            "inboxId",
            format!("Inbox {} does not exist in this account", asked.to),
        ));
    }
    let mut life = Lifecycle::of(thread, moment);
    life.relocate(asked.to, &asked.by);
    Ok(life.finish())
}

#[cfg(test)]
mod tests {
    use antiphon_store::AppId;

    use super::*;
    use crate::testing::{self, entries, events};

    #[test]
    fn a_move_is_in_the_history_and_in_no_public_event() {
        let mut state = testing::state();
        let asked = |to| Relocate { sent: "1".into(), to: InboxId(to), by: Author::App(AppId(4410)) };
        let changes = relocate(&state, &asked(812), &mut Moment::still(testing::NOW)).unwrap();
        assert_eq!(entries(&changes), ["INBOX 640 -> 812 by I-4410"]);
        assert_eq!(events(&changes), ["(touched)"]);
        testing::apply(&mut state, &changes);
        assert!(relocate(&state, &asked(812), &mut Moment::still(testing::NOW)).unwrap().is_empty());
        for unknown in [9999, 813] {
            let refused = relocate(&state, &asked(unknown), &mut Moment::still(testing::NOW)).unwrap_err();
            assert_eq!(testing::status(&refused), 400);
        }
    }
}

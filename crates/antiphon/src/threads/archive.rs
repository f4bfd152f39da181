//! Into the trash, where a thread waits for thirty days.

use antiphon_store::{Changes, Moment, State, Target};

use super::history::Author;
use super::lifecycle::Lifecycle;
use super::{path, thread_id};
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `DELETE /threads/{threadId}`
pub async fn archive(call: Call) -> Result<Answer, Refusal> {
    let id = thread_id(&call)?;
    let sent = path(&call, 0).to_owned();
    let by = Author::of(&call.caller);
    let rule = move |state: &State, moment: &mut Moment| archive_thread(state, &sent, &by, moment);
    call.app.store.change(call.caller.portal(), Target::Thread(id), rule).await??;
    Ok(Answer::none())
}

/// A thread that is there already stays, and its thirty days go on.
pub(super) fn archive_thread(
    state: &State,
    sent: &str,
    by: &Author,
    moment: &mut Moment,
) -> Result<Changes, Refusal> {
    let thread = state.thread.as_ref().ok_or_else(|| Refusal::not_found(sent))?;
    let mut life = Lifecycle::of(thread, moment);
    life.archive(by);
    Ok(life.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, events};

    #[test]
    fn a_thread_goes_to_the_trash_once() {
        let mut state = testing::state();
        let changes = archive_thread(&state, "1", &Author::System, &mut Moment::still(9_000_000)).unwrap();
        assert_eq!(changes.threads[0].archived_at, Some(9_000_000));
        assert_eq!(
            changes.threads[0].status,
            state.thread.as_ref().unwrap().status,
            "archiving does not close"
        );
        assert!(changes.messages.is_empty());
        assert_eq!(events(&changes), ["deletion"]);
        testing::apply(&mut state, &changes);
        let again = archive_thread(&state, "1", &Author::System, &mut Moment::still(9_999_999)).unwrap();
        assert!(again.is_empty(), "the clock of the trash goes on");
    }

    #[test]
    fn an_unknown_thread_is_not_found() {
        let state = State { thread: None, ..testing::state() };
        assert_eq!(
            archive_thread(&state, "77", &Author::System, &mut Moment::still(1)),
            Err(Refusal::not_found("77"))
        );
    }
}

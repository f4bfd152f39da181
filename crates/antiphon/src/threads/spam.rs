//! Marking a thread as spam, or not. The thread is listed as before; clients filter by the mark.

use antiphon_store::{Applied, Changes, Moment, State, Target};

use super::lifecycle::Lifecycle;
use super::{answer, found, path, thread_id};
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// What is asked for. The target is the thread.
#[derive(Debug, Clone)]
pub struct MarkSpam {
    /// The thread as the client named it.
    pub sent: String,
    pub spam: bool,
}

/// `PUT /threads/{threadId}/spam`
pub async fn mark(call: Call) -> Result<Answer, Refusal> {
    let applied = change(&call, true).await?;
    answer(&applied, path(&call, 0), false)
}

/// `DELETE /threads/{threadId}/spam`
pub async fn unmark(call: Call) -> Result<Answer, Refusal> {
    change(&call, false).await?;
    Ok(Answer::none())
}

async fn change(call: &Call, spam: bool) -> Result<Applied, Refusal> {
    let id = thread_id(call)?;
    let asked = MarkSpam { sent: path(call, 0).to_owned(), spam };
    let rule = move |state: &State, moment: &mut Moment| mark_spam(state, &asked, moment);
    call.app.store.change(call.caller.portal(), Target::Thread(id), rule).await?
}

/// The rule.
pub fn mark_spam(state: &State, asked: &MarkSpam, moment: &mut Moment) -> Result<Changes, Refusal> {
    let thread = found(state, false).ok_or_else(|| Refusal::not_found(&asked.sent))?;
    let mut life = Lifecycle::of(thread, moment);
    life.mark_spam(asked.spam);
    Ok(life.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, entries, events};

    #[test]
    fn the_mark_is_silent_in_public_and_a_repeat_is_nothing() {
        let mut state = testing::state();
        for spam in [true, false] {
            let asked = MarkSpam { sent: "1".into(), spam };
            let changes = mark_spam(&state, &asked, &mut Moment::still(testing::NOW)).unwrap();
            assert_eq!(changes.threads[0].spam, spam);
            assert!(entries(&changes).is_empty());
            assert_eq!(events(&changes), ["(touched)"]);
            testing::apply(&mut state, &changes);
            assert!(mark_spam(&state, &asked, &mut Moment::still(testing::NOW)).unwrap().is_empty());
        }
    }
}

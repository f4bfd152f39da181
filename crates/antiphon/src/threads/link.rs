//! Linking a thread to a ticket. A thread has at most one; a ticket may have several threads.

use antiphon_store::{Applied, Changes, Moment, State, Target, TicketId};
use antiphon_wire::id::MAX_SAFE;
use antiphon_wire::own::TicketLink;

use super::lifecycle::Lifecycle;
use super::{answer, found, path, thread_id};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::refusal::Refusal;

/// What is asked for. The target is [`antiphon_store::Target::Ticket`] with the thread, and with the ticket unless it is to
/// be unlinked.
#[derive(Debug, Clone)]
pub struct Link {
    /// The thread as the client named it.
    pub sent: String,
    /// The ticket as the client named it; `None` unlinks.
    pub ticket: Option<String>,
}

/// `PUT /threads/{threadId}/ticket`
pub async fn to_ticket(call: Call) -> Result<Answer, Refusal> {
    let body: TicketLink = call.json()?;
    let mut checks = Checks::default();
    let ticket = TicketId(checks.required_id("ticketId", body.ticket_id, MAX_SAFE));
    checks.done()?;
    let applied = change(&call, Some(ticket)).await?;
    answer(&applied, path(&call, 0), true)
}

/// `DELETE /threads/{threadId}/ticket`
pub async fn unlink(call: Call) -> Result<Answer, Refusal> {
    change(&call, None).await?;
    Ok(Answer::none())
}

async fn change(call: &Call, ticket: Option<TicketId>) -> Result<Applied, Refusal> {
    let id = thread_id(call)?;
    let asked = Link { sent: path(call, 0).to_owned(), ticket: ticket.map(|id| id.to_string()) };
    let target = Target::Ticket { ticket, thread: Some(id) };
    let rule = move |state: &State, moment: &mut Moment| link(state, &asked, moment);
    call.app.store.change(call.caller.portal(), target, rule).await?
}

/// The rule.
pub fn link(state: &State, asked: &Link, moment: &mut Moment) -> Result<Changes, Refusal> {
    let thread = found(state, false).ok_or_else(|| Refusal::not_found(&asked.sent))?;
    let ticket = match &asked.ticket {
        None => None,
        Some(sent) => Some(state.ticket.as_ref().ok_or_else(|| Refusal::not_found(sent))?.id),
    };
    let mut life = Lifecycle::of(thread, moment);
    life.link(ticket);
    Ok(life.finish())
}

#[cfg(test)]
mod tests {
    use antiphon_store::Ticket;

    use super::*;
    use crate::testing::{self, events};

    #[test]
    fn linking_unlinking_and_repeating() {
        let mut state = testing::state();
        state.ticket = Some(Ticket { id: TicketId(88), subject: "Wrong VAT number".into(), created_at: 5 });
        let asked = |ticket: Option<&str>| Link { sent: "1".into(), ticket: ticket.map(str::to_owned) };
        for ticket in [Some("88"), None] {
            let changes = link(&state, &asked(ticket), &mut Moment::still(testing::NOW)).unwrap();
            assert_eq!(changes.threads[0].ticket_id, ticket.map(|_| TicketId(88)));
            assert_eq!(events(&changes), ["(touched)"]);
            testing::apply(&mut state, &changes);
            assert!(link(&state, &asked(ticket), &mut Moment::still(testing::NOW)).unwrap().is_empty());
        }
        state.ticket = None;
        let refused = link(&state, &asked(Some("99")), &mut Moment::still(1));
        assert_eq!(refused, Err(Refusal::not_found("99")));
    }
}

//! Making a ticket.

use antiphon_store::{Changes, Moment, State, Target, Ticket};
use antiphon_wire::own::TicketCreate;

use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::events::kinds;
use crate::refusal::Refusal;

/// `POST /tickets`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let body: TicketCreate = call.json()?;
    let mut checks = Checks::default();
    let subject = checks.required_name("subject", body.subject);
    checks.done()?;
    let rule = move |_: &State, moment: &mut Moment| Ok::<_, Refusal>(make(&subject, moment));
    let applied = call.app.store.change(call.caller.portal(), Target::Directory, rule).await??;
    let made = applied.changes.tickets.first();
    let made = made.ok_or_else(|| Refusal::Internal("no ticket came of it".into()))?;
    Answer::json(201, &super::shown(made)).map(|answer| answer.at(&call, made.id))
}

/// The rule.
pub fn make(subject: &str, moment: &mut Moment) -> Changes {
    let ticket = Ticket { id: moment.ticket_id(), subject: subject.to_owned(), created_at: moment.now };
    let events = vec![kinds::ticket_changed(ticket.id, moment.now)];
    Changes { tickets: vec![ticket], events, ..Changes::default() }
}

//! One ticket.

use antiphon_store::TicketId;
use antiphon_wire::id::{MAX_SAFE, parse_path_id};

use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /tickets/{ticketId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let sent = call.segment(0);
    let id = parse_path_id(sent, MAX_SAFE).map(TicketId).ok_or_else(|| Refusal::not_found(sent))?;
    let ticket = call.app.store.ticket_by_id(call.caller.portal(), id).await?;
    Answer::json(200, &super::shown(&ticket.ok_or_else(|| Refusal::not_found(sent))?))
}

//! The tickets of the portal, by id.

use antiphon_store::TicketId;
use antiphon_wire::cursor::List;

use crate::call::{Answer, Call};
use crate::listing;
use crate::refusal::Refusal;

/// `GET /tickets`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let asked = listing::asked(&call.query, List::Tickets)?;
    let after = asked.after.map(TicketId);
    let found = call.app.store.tickets(call.caller.portal(), after, asked.limit + 1).await?;
    listing::by_id(&call, List::Tickets, asked, found.iter().map(|one| (one.id.0, super::shown(one))))
}

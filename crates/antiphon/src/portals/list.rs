//! The portals of the server, by id.

use antiphon_store::PortalId;
use antiphon_wire::cursor::List;

use crate::call::{Answer, Call};
use crate::listing;
use crate::refusal::Refusal;

/// `GET /portals`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let asked = listing::asked(&call.query, List::Portals)?;
    let found = call.app.store.portals(asked.after.map(PortalId), asked.limit + 1).await?;
    let shown = found.iter().map(|portal| (portal.id.0, super::shown(portal, None)));
    listing::by_id(&call, List::Portals, asked, shown)
}

//! Every portal of the server. They are few, so the list has one page.

use crate::call::{Answer, Call};
use crate::directory;
use crate::refusal::Refusal;

/// `GET /portals`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let portals = call.app.store.portals().await?;
    directory::all(portals.iter().map(|portal| super::shown(portal, None)))
}

//! One portal, with how much it holds.

use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /portals/{portalId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let id = super::portal_id(&call)?;
    let directory = call.app.store.directory(id).await?.ok_or_else(|| Refusal::not_found(id))?;
    let usage = call.app.store.usage(id).await?;
    Answer::json(200, &super::shown(&directory.portal, Some(usage)))
}

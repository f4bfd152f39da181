//! One contact, or a visitor on the way to become one.

use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /contacts/{contactId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let id = super::contact_id(&call)?;
    let found = super::known(&call.app.store, call.caller.portal(), id).await?;
    Answer::json(200, &super::shown(&found.ok_or_else(|| Refusal::not_found(id))?))
}

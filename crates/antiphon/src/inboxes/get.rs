//! One inbox, and its settings.

use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /inboxes/{inboxId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let archived =
        call.query.flag("archived").map_err(|problem| Refusal::Invalid(vec![problem]))?.unwrap_or_default();
    let id = super::inbox_id(&call)?;
    match call.caller.directory.inbox(id) {
        Some(inbox) if inbox.archived_at.is_some() == archived => Answer::json(200, &super::shown(inbox)),
        _ => Err(Refusal::not_found(id)),
    }
}

/// `GET /antiphon/v1/inboxes/{inboxId}`: archived or not.
pub async fn settings(call: Call) -> Result<Answer, Refusal> {
    let id = super::inbox_id(&call)?;
    let inbox = call.caller.directory.inbox(id).ok_or_else(|| Refusal::not_found(id))?;
    Answer::json(200, &super::settings(inbox))
}

//! One channel account, and its settings.

use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /channel-accounts/{channelAccountId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let archived =
        call.query.flag("archived").map_err(|problem| Refusal::Invalid(vec![problem]))?.unwrap_or_default();
    let id = super::account_id(&call)?;
    match call.caller.directory.account(id) {
        Some(account) if account.archived_at.is_some() == archived => {
            Answer::json(200, &super::shown(&call.caller.directory, account))
        }
        _ => Err(Refusal::not_found(id)),
    }
}

/// `GET /antiphon/v1/channel-accounts/{channelAccountId}`: archived or not.
pub async fn settings(call: Call) -> Result<Answer, Refusal> {
    let id = super::account_id(&call)?;
    let directory = &call.caller.directory;
    let account = directory.account(id).ok_or_else(|| Refusal::not_found(id))?;
    Answer::json(200, &super::settings(directory, account))
}

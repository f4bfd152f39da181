//! One channel account.

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

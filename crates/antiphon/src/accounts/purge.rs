//! Removing an account of an app's channel for good.
//!
//! Nothing does that by itself: conversations live longer than any trash, and one whose account is in the archive can be answered
//! again once it is restored. Its conversations keep their history, with the account's number; they cannot be answered any more.

use antiphon_store::{AccountId, Directory, DirectoryChange, Millis};
use antiphon_wire::channel::FIRST_CUSTOM;
use antiphon_wire::error::Problem;

use crate::call::{Answer, Call};
use crate::directory;
use crate::refusal::Refusal;

/// `POST /channel-accounts/{channelAccountId}/purge`
pub async fn purge(call: Call) -> Result<Answer, Refusal> {
    let id = super::account_id(&call)?;
    let rule = move |state: &antiphon_store::State, moment: &mut antiphon_store::Moment| {
        Ok(vec![purged(&state.directory, id, moment.now)?])
    };
    directory::change(&call, rule).await?;
    Ok(Answer::none())
}

/// The rule.
fn purged(directory: &Directory, id: AccountId, now: Millis) -> Result<DirectoryChange, Refusal> {
    let account = directory.account(id).ok_or_else(|| Refusal::not_found(id))?;
    let why = if account.channel_id < FIRST_CUSTOM {
        "Only accounts of channels that apps brought can be removed for good"
    } else if account.archived_at.is_none() {
        "Only an account in the archive can be removed for good; archive it first"
    } else {
        return Ok(DirectoryChange::AccountPurged(id, now));
    };
    Err(Refusal::Invalid(vec![Problem::new("channelAccountId", why)]))
}

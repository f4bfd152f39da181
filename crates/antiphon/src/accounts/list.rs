//! The channel accounts of the portal.

use antiphon_store::Account;
use antiphon_wire::cursor::List;
use antiphon_wire::error::Problem;
use antiphon_wire::id::MAX_INT32;
use antiphon_wire::query::Query;

use crate::call::{Answer, Call};
use crate::listing;
use crate::refusal::Refusal;

/// `GET /channel-accounts`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let accounts = call.caller.directory.accounts.values();
    listing::page(&call, List::ChannelAccounts, accounts, filter(&call.query), super::shown)
}

/// One of the channels and one of the inboxes, where any are named.
fn filter(query: &Query) -> Result<impl Fn(&Account) -> bool + use<>, Vec<Problem>> {
    match (query.ids("channelId", MAX_INT32), query.ids("inboxId", MAX_INT32), query.flag("archived")) {
        (Ok(channels), Ok(inboxes), Ok(archived)) => {
            let archived = archived.unwrap_or_default();
            Ok(move |account: &Account| {
                account.archived_at.is_some() == archived
                    && (channels.is_empty() || channels.contains(&account.channel_id))
                    && (inboxes.is_empty() || inboxes.contains(&account.inbox_id.0))
            })
        }
        (channels, inboxes, archived) => {
            Err([channels.err(), inboxes.err(), archived.err()].into_iter().flatten().collect())
        }
    }
}

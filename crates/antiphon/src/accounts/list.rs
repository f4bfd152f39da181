//! The channel accounts of the portal.

use antiphon_store::{Account, AccountId};
use antiphon_wire::cursor::List;
use antiphon_wire::error::Problem;
use antiphon_wire::id::MAX_INT32;
use antiphon_wire::query::Query;

use crate::call::{Answer, Call};
use crate::listing::{self, Source};
use crate::refusal::Refusal;

/// `GET /channel-accounts`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let asked = Asked::read(&call.query);
    let directory = &call.caller.directory;
    let source = Source {
        list: List::ChannelAccounts,
        objects: directory.accounts(asked.as_ref().is_ok_and(|asked| asked.archived)),
        id: AccountId,
        matches: asked.map(|asked| asked.narrows().then_some(move |account: &Account| asked.admits(account))),
    };
    listing::page(&call, source, |id| directory.account(id), |account| super::shown(directory, account))
}

/// Living or archived ones, of one of the channels and in one of the inboxes, where any are named.
struct Asked {
    archived: bool,
    channels: Vec<i64>,
    inboxes: Vec<i64>,
}

impl Asked {
    fn read(query: &Query) -> Result<Self, Vec<Problem>> {
        match (query.ids("channelId", MAX_INT32), query.ids("inboxId", MAX_INT32), query.flag("archived")) {
            (Ok(channels), Ok(inboxes), Ok(archived)) => {
                Ok(Self { archived: archived.unwrap_or_default(), channels, inboxes })
            }
            (channels, inboxes, archived) => {
                Err([channels.err(), inboxes.err(), archived.err()].into_iter().flatten().collect())
            }
        }
    }

    fn narrows(&self) -> bool {
        !self.channels.is_empty() || !self.inboxes.is_empty()
    }

    fn admits(&self, account: &Account) -> bool {
        (self.channels.is_empty() || self.channels.contains(&account.channel_id))
            && (self.inboxes.is_empty() || self.inboxes.contains(&account.inbox_id.0))
    }
}

//! Channel accounts: connected mailboxes, chat flows and phone numbers. Read by every client, set up by administrators.

pub mod create;
pub mod get;
pub mod list;
pub mod purge;
pub mod update;

use antiphon_store::{Account, AccountId, Adapter, Directory, Identifier};
use antiphon_wire::account::ChannelAccount;
use antiphon_wire::channel::FIRST_CUSTOM;
use antiphon_wire::id::{Id, MAX_SAFE, parse_path_id};
use antiphon_wire::message::{DeliveryIdentifier, DeliveryIdentifierType};
use antiphon_wire::own;
use antiphon_wire::timestamp::Timestamp;

use crate::call::Call;
use crate::listing::{Key, Listed};
use crate::refusal::Refusal;

/// The id in the path; one that cannot be an account's is the same as an unknown one.
fn account_id(call: &Call) -> Result<AccountId, Refusal> {
    let sent = call.segment(0);
    parse_path_id(sent, MAX_SAFE).map(AccountId).ok_or_else(|| Refusal::not_found(sent))
}

/// Whether something can come and go on an account. Those of an app's channel are only as alive as the channel is.
pub(crate) fn is_active(directory: &Directory, account: &Account) -> bool {
    let brought = || directory.channel(account.channel_id).is_some_and(|one| one.archived_at.is_none());
    account.active
        && (account.channel_id < FIRST_CUSTOM
            || account.authorized && account.archived_at.is_none() && brought())
}

/// An account as every version shows it.
pub(crate) fn shown(directory: &Directory, account: &Account) -> ChannelAccount {
    ChannelAccount {
        id: Id(account.id.0),
        name: account.name.clone(),
        channel_id: Id(account.channel_id),
        inbox_id: Id(account.inbox_id.0),
        active: is_active(directory, account),
        authorized: account.authorized,
        created_at: Timestamp(account.created_at),
        archived: account.archived_at.is_some(),
        archived_at: account.archived_at.map(Timestamp),
        delivery_identifier: account.identifier.as_ref().and_then(identifier_shown),
    }
}

fn identifier_shown(identifier: &Identifier) -> Option<DeliveryIdentifier> {
    let kind = DeliveryIdentifierType::parse(&identifier.kind)?;
    Some(DeliveryIdentifier { kind, value: identifier.value.clone() })
}

/// An account as administrators see it.
fn settings(directory: &Directory, account: &Account) -> own::ChannelAccount {
    let shown = shown(directory, account);
    own::ChannelAccount {
        id: shown.id,
        name: shown.name,
        channel_id: shown.channel_id,
        inbox_id: shown.inbox_id,
        active: shown.active,
        authorized: shown.authorized,
        adapter: match account.adapter {
            Adapter::Stored => own::Adapter::Stored,
            Adapter::None => own::Adapter::None,
        },
        welcome_message: account.welcome.clone(),
        delivery_identifier: shown.delivery_identifier,
        created_at: shown.created_at,
        archived: shown.archived,
        archived_at: shown.archived_at,
    }
}

/// What carries outgoing messages.
fn adapter(named: own::Adapter) -> Adapter {
    match named {
        own::Adapter::Stored => Adapter::Stored,
        own::Adapter::None => Adapter::None,
    }
}

impl Listed for Account {
    fn id(&self) -> i64 {
        self.id.0
    }

    fn key(&self, field: &str) -> Option<Key> {
        Some(match field {
            "id" => Key::Number(self.id.0),
            "name" => Key::text(&self.name),
            "channelId" => Key::Number(self.channel_id),
            "inboxId" => Key::Number(self.inbox_id.0),
            "active" => Key::Flag(self.active),
            "authorized" => Key::Flag(self.authorized),
            "createdAt" => Key::Number(self.created_at),
            "archived" => Key::Flag(self.archived_at.is_some()),
            "archivedAt" => Key::Number(self.archived_at?),
            "deliveryIdentifier" => Key::text(&self.identifier.as_ref()?.value),
            _ => return None,
        })
    }
}

//! Channels that apps bring: the app makes a channel, portals connect accounts of it, and messages go both ways.
//!
//! What is said on them goes through the same two rules as everything else, [`receive`](crate::messages::receive) and
//! [`post`](crate::messages::post); what the app has said outside, through [`outgoing`]. Nothing is sent here: whoever tells
//! apps reads it from the spine.

pub mod accounts;
pub mod archive;
pub mod capabilities;
pub mod closing;
pub mod connect;
pub mod create;
pub mod get;
pub mod list;
pub mod messages;
pub mod outgoing;
pub mod overdue;
pub mod publish;
pub mod staging;
pub mod update;

use antiphon_store::{Account, Channel, ConversationKey, Directory, Identifier};
use antiphon_wire::custom_channels::{self as wire, CustomChannel, ThreadingModel};
use antiphon_wire::id::{Id, MAX_INT32, parse_path_id};
use antiphon_wire::timestamp::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use self::capabilities::Capabilities;
use crate::call::{Call, Caller};
use crate::listing::{Key, Listed};
use crate::messages::receive::Matching;
use crate::refusal::Refusal;

/// The living channel of the caller's app that the path names first. Others' channels are not there.
fn named(call: &Call) -> Result<&Channel, Refusal> {
    living(&call.caller.directory, &call.caller, call.segment(0))
}

/// The same in any directory.
fn living<'d>(directory: &'d Directory, caller: &Caller, sent: &str) -> Result<&'d Channel, Refusal> {
    known(directory, caller, sent)
        .filter(|one| one.archived_at.is_none())
        .ok_or_else(|| Refusal::not_found(sent))
}

/// A channel of the caller's app, living or archived. The operator has everybody's.
fn known<'d>(directory: &'d Directory, caller: &Caller, sent: &str) -> Option<&'d Channel> {
    let channel = directory.channel(parse_path_id(sent, MAX_INT32)?)?;
    (caller.operator || channel.app_id == caller.app()).then_some(channel)
}

fn shown(channel: &Channel) -> Result<CustomChannel, Refusal> {
    let capabilities = RawValue::from_string(channel.capabilities.clone());
    Ok(CustomChannel {
        id: Id(channel.id),
        name: channel.name.clone(),
        created_at: Timestamp(channel.created_at),
        capabilities: capabilities.map_err(|e| Refusal::Internal(e.to_string()))?,
        webhook_url: channel.webhook_url.clone(),
        channel_account_connection_redirect_url: channel.redirect_url.clone(),
        channel_description: channel.description.clone(),
        channel_logo_url: channel.logo_url.clone(),
    })
}

/// Capabilities as they are stored: as they were given, but for nulls, which are never sent.
fn stored(capabilities: &wire::Capabilities) -> Result<String, Refusal> {
    let said = capabilities.iter().filter(|(_, value)| !value.is_null());
    let said: wire::Capabilities = said.map(|(name, value)| (name.clone(), without_nulls(value))).collect();
    serde_json::to_string(&said).map_err(|e| Refusal::Internal(e.to_string()))
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        Value::Array(items) => {
            Value::Array(items.iter().filter(|item| !item.is_null()).map(without_nulls).collect())
        }
        other => other.clone(),
    }
}

/// How a conversation with these is found, if it is on a channel that an app brought.
pub(crate) fn matching(directory: &Directory, account: &Account, parties: &[Identifier]) -> Option<Matching> {
    let channel = directory.channel(account.channel_id)?;
    let model = Capabilities::of(&channel.capabilities).threading;
    Some(Matching {
        parties: ConversationKey::between(parties, |text| {
            Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
        }),
        parties_first: model == ThreadingModel::DeliveryIdentifier,
    })
}

impl Listed for Channel {
    fn id(&self) -> i64 {
        self.id
    }

    fn key(&self, field: &str) -> Option<Key> {
        match field {
            "id" => Some(Key::Number(self.id)),
            "name" => Some(Key::text(&self.name)),
            "createdAt" => Some(Key::Number(self.created_at)),
            _ => None,
        }
    }
}

//! Channels that apps bring: their own shapes. What is said on them is a [`Message`](crate::message::Message) like any other.

use std::collections::BTreeMap;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::attachment::AttachmentRequest;
use crate::error::Problem;
use crate::id::{Id, LenientId};
use crate::lenient::{Field, lenient, wire_enum};
use crate::message::{DeliveryIdentifier, DeliveryIdentifierType, IdentifierRequest};
use crate::timestamp::{self, Timestamp};

/// The finer category of a refusal that is about capabilities.
pub const INVALID_CAPABILITIES: &str = "CustomChannelsError.INVALID_CHANNEL_CAPABILITY_VALUES";

/// The finer category of a refusal since an account is switched off.
pub const ACCOUNT_INACTIVE: &str = "CustomChannelsError.CHANNEL_ACCOUNT_INACTIVE";

/// What can be said on a channel: names and values, those that are not known included.
pub type Capabilities = BTreeMap<String, serde_json::Value>;

wire_enum! {
    /// How messages find their conversation.
    pub enum ThreadingModel {
        /// By the name that the integration gives it.
        IntegrationThreadId = "INTEGRATION_THREAD_ID",
        /// By the address of whoever is spoken with.
        DeliveryIdentifier = "DELIVERY_IDENTIFIER",
    }
}

/// A channel.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomChannel {
    /// Its id.
    pub id: Id,
    /// What it is called.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// What can be said on it, as it was given.
    #[schema(value_type = Object)]
    pub capabilities: Box<RawValue>,
    /// Where its app is told of what happens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub webhook_url: Option<String>,
    /// Where connecting an account begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub channel_account_connection_redirect_url: Option<String>,
    /// One line about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub channel_description: Option<String>,
    /// A picture of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub channel_logo_url: Option<String>,
}

/// An account that somebody is about to connect. Its numbers are numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StagingToken {
    /// What it is named by.
    pub account_token: String,
    /// The channel.
    pub generic_channel_id: i64,
    /// The inbox that the account is to feed.
    pub inbox_id: i64,
    /// Who began.
    pub user_id: i64,
    /// When that was.
    pub created_at: Timestamp,
    /// What the account is to be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub account_name: Option<String>,
    /// The account's own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub delivery_identifier: Option<DeliveryIdentifier>,
}

/// A text in an update, where `null` and an empty object mean something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Text {
    /// It stays: nothing was sent, or `{}`, with which one client fills what it does not touch.
    #[default]
    Unchanged,
    /// It goes.
    Cleared,
    /// It becomes this.
    Set(String),
}

impl Field for Text {
    fn take<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        map.next_value()
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Text;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }

            fn visit_unit<E>(self) -> Result<Text, E> {
                Ok(Text::Cleared)
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text::Set(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
                match map.next_key::<String>()? {
                    None => Ok(Text::Unchanged),
                    Some(_) => Err(serde::de::Error::custom("expected a text")),
                }
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

lenient! {
    /// A channel to be made.
    pub struct CustomChannelCreate {
        /// What it is called.
        pub name: Option<String> = "name",
        /// What can be said on it.
        #[schema(value_type = Option<Object>)]
        pub capabilities: Option<Capabilities> = "capabilities",
        /// Where its app is told of what happens.
        pub webhook_url: Option<String> = "webhookUrl",
        /// Where connecting an account begins.
        pub redirect_url: Option<String> = "channelAccountConnectionRedirectUrl",
        /// One line about it.
        pub description: Option<String> = "channelDescription",
        /// A picture of it.
        pub logo_url: Option<String> = "channelLogoUrl",
    }

    /// What is to become of a channel. What is absent, or `{}`, stays; `null` takes a value away.
    pub struct CustomChannelPatch {
        /// What it is called.
        #[schema(value_type = Option<String>)]
        pub name: Text = "name",
        /// What can be said on it: all of it.
        #[schema(value_type = Option<Object>)]
        pub capabilities: Capable = "capabilities",
        /// Where its app is told of what happens.
        #[schema(value_type = Option<String>)]
        pub webhook_url: Text = "webhookUrl",
        /// Where connecting an account begins.
        #[schema(value_type = Option<String>)]
        pub redirect_url: Text = "channelAccountConnectionRedirectUrl",
        /// One line about it.
        #[schema(value_type = Option<String>)]
        pub description: Text = "channelDescription",
        /// A picture of it.
        #[schema(value_type = Option<String>)]
        pub logo_url: Text = "channelLogoUrl",
    }

    /// An account to be connected.
    pub struct CustomAccountCreate {
        /// What it is called.
        pub name: Option<String> = "name",
        /// The inbox it feeds.
        pub inbox_id: Option<LenientId> = "inboxId",
        /// Whether its credentials are valid; they are, unless it is said that they are not.
        pub authorized: Option<bool> = "authorized",
        /// Its own address.
        pub delivery_identifier: Option<IdentifierRequest> = "deliveryIdentifier",
    }

    /// What is to become of an account.
    pub struct CustomAccountPatch {
        /// What it is called.
        pub name: Option<String> = "name",
        /// Whether its credentials are valid.
        pub authorized: Option<bool> = "authorized",
    }

    /// What is known by now of an account that is about to be connected.
    pub struct StagingTokenUpdate {
        /// What it is to be called.
        pub account_name: Option<String> = "accountName",
        /// Its own address.
        pub delivery_identifier: Option<IdentifierRequest> = "deliveryIdentifier",
    }

    /// A message that was said outside, to be written into a conversation.
    pub struct MessagePublish {
        /// The account on which it was said.
        pub channel_account_id: Option<LenientId> = "channelAccountId",
        /// `INCOMING` or `OUTGOING`.
        pub direction: Option<String> = "messageDirection",
        /// Who said it; the first counts.
        #[schema(required = false)]
        pub senders: Vec<Participant> = "senders",
        /// To whom.
        #[schema(required = false)]
        pub recipients: Vec<Participant> = "recipients",
        /// Plain text.
        pub text: Option<String> = "text",
        /// HTML.
        pub rich_text: Option<String> = "richText",
        /// When it was said; now, unless it is said.
        pub timestamp: Option<LenientId> = "timestamp",
        /// What came with it.
        #[schema(required = false)]
        pub attachments: Vec<AttachmentRequest> = "attachments",
        /// The integration's own name for the conversation.
        pub integration_thread_id: Option<LenientId> = "integrationThreadId",
        /// Unique for the account: a repeat changes nothing.
        pub integration_idempotency_id: Option<LenientId> = "integrationIdempotencyId",
        /// An earlier message that it answers.
        pub in_reply_to_id: Option<LenientId> = "inReplyToId",
        /// The contact who said it.
        pub associate_with_contact_id: Option<LenientId> = "associateWithContactId",
        /// Contacts that the integration has found already; the first counts.
        pub pre_resolved_contacts: Option<PreResolvedContacts> = "preResolvedContacts",
    }

    /// Somebody with an address.
    pub struct Participant {
        /// The address.
        pub delivery_identifier: Option<IdentifierRequest> = "deliveryIdentifier",
        /// Display name.
        pub name: Option<String> = "name",
        /// The actor who is to be named as the sender of an outgoing message.
        pub sender_actor_id: Option<LenientId> = "senderActorId",
    }

    /// Contacts that were found elsewhere.
    pub struct PreResolvedContacts {
        /// The contacts.
        #[schema(required = false)]
        pub contacts: Vec<PreResolvedContact> = "contacts",
    }

    /// A contact that was found elsewhere.
    pub struct PreResolvedContact {
        /// Its id.
        pub contact_vid: Option<LenientId> = "contactVid",
        /// By which of its properties.
        #[schema(required = false)]
        pub properties: Vec<String> = "contactPropertiesLeadingToMatch",
    }

    /// How far a message got.
    pub struct MessageStatusUpdate {
        /// `SENT`, `FAILED` or `READ`.
        pub status_type: Option<String> = "statusType",
        /// Why it failed, for the agent.
        pub error_message: Option<String> = "errorMessage",
    }
}

/// Capabilities in an update.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Capable {
    /// They stay: nothing was sent, or `{}`.
    #[default]
    Unchanged,
    /// They cannot go.
    Cleared,
    /// They become these.
    Set(Capabilities),
}

impl Field for Capable {
    fn take<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        Ok(match map.next_value::<Option<Capabilities>>()? {
            None => Self::Cleared,
            Some(sent) if sent.is_empty() => Self::Unchanged,
            Some(sent) => Self::Set(sent),
        })
    }
}

/// Longest address, in bytes.
const LONGEST_ADDRESS: usize = 512;

impl IdentifierRequest {
    /// The address, as apps may have it on channels of their own: phone numbers in any form.
    ///
    /// # Errors
    /// Type or value are missing, the type is unknown, or the value cannot be one.
    pub fn loose(&self, name: &str) -> Result<DeliveryIdentifier, Problem> {
        let (Some(kind), Some(value)) = (&self.kind, &self.value) else {
            return Err(Problem::new(name, "A delivery identifier needs both `type` and `value`"));
        };
        let kind = DeliveryIdentifierType::read(name, kind)?;
        let value = value.as_str();
        let fits = match kind {
            DeliveryIdentifierType::Email => kind.accepts(value.trim()),
            DeliveryIdentifierType::Phone | DeliveryIdentifierType::ShortCode => {
                value.bytes().any(|byte| byte.is_ascii_digit())
            }
            DeliveryIdentifierType::Opaque => !value.trim().is_empty(),
        };
        if !fits || value.len() > LONGEST_ADDRESS || value.contains(char::is_control) {
            return Err(Problem::new(name, format!("`{value}` is not a valid {}", kind.as_str())));
        }
        Ok(DeliveryIdentifier { kind, value: value.to_owned() })
    }
}

impl MessagePublish {
    /// When it was said, in milliseconds.
    ///
    /// # Errors
    /// It is no date.
    pub fn at(&self) -> Result<Option<i64>, Problem> {
        const NAME: &str = "timestamp";
        let Some(sent) = self.timestamp.as_ref().map(LenientId::as_str) else { return Ok(None) };
        let problem = || {
            let why = format!("`{sent}` is not a date; use a form like 2026-10-06T08:14:02.118Z");
            Problem::new(NAME, why)
        };
        timestamp::parse(sent.trim()).map(Some).ok_or_else(problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lenient::parse_body;

    #[test]
    fn what_an_update_means() {
        let read = |body: &str| parse_body::<CustomChannelPatch>(body.as_bytes());
        let patch =
            read(r#"{ "name": {}, "webhookUrl": null, "channelDescription": "x", "capabilities": {} }"#);
        let patch = patch.unwrap();
        assert_eq!((patch.name, patch.webhook_url), (Text::Unchanged, Text::Cleared));
        assert_eq!((patch.description, patch.logo_url), (Text::Set("x".into()), Text::Unchanged));
        assert_eq!(patch.capabilities, Capable::Unchanged);
        assert_eq!(read(r#"{ "capabilities": null }"#).unwrap().capabilities, Capable::Cleared);
        let set = read(r#"{ "capabilities": { "richText": [] } }"#).unwrap().capabilities;
        assert!(matches!(set, Capable::Set(map) if map.len() == 1));
        for wrong in [
            r#"{ "name": 7 }"#,
            r#"{ "name": { "a": 1 } }"#,
            r#"{ "name": [] }"#,
            r#"{ "capabilities": [] }"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn phone_numbers_in_any_form() {
        for (kind, value, fine) in [
            ("HS_PHONE_NUMBER", "+49 40 555-012", true),
            ("HS_PHONE_NUMBER", "4940555012", true),
            ("HS_PHONE_NUMBER", "call me", false),
            ("HS_EMAIL_ADDRESS", "a@b.example", true),
            ("HS_EMAIL_ADDRESS", "nobody", false),
            ("HS_SHORT_CODE", "777", true),
            ("CHANNEL_SPECIFIC_OPAQUE_ID", "user 7", true),
            ("CHANNEL_SPECIFIC_OPAQUE_ID", " ", false),
            ("CARRIER_PIGEON", "7", false),
        ] {
            let request = IdentifierRequest { kind: Some(kind.into()), value: Some(LenientId(value.into())) };
            assert_eq!(request.loose("x").is_ok(), fine, "{kind} {value}");
        }
    }

    #[test]
    fn moments_in_every_form() {
        for (sent, at) in [
            (r#"{ "timestamp": "2026-04-02T17:40:11.250Z" }"#, Some(Some(1_775_151_611_250))),
            (r#"{ "timestamp": 1775151611250 }"#, Some(Some(1_775_151_611_250))),
            ("{}", Some(None)),
            (r#"{ "timestamp": "soon" }"#, None),
        ] {
            assert_eq!(parse_body::<MessagePublish>(sent.as_bytes()).unwrap().at().ok(), at, "{sent}");
        }
    }
}

//! Our own API, `/antiphon/v1`: everything that must exist before conversations can, and traffic that comes in by hand.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::attachment::AttachmentRequest;
use crate::id::{Id, LenientId};
use crate::inbox::InboxType;
use crate::lenient::{lenient, wire_enum};
use crate::message::{Create, DeliveryIdentifier, IdentifierRequest};
use crate::timestamp::Timestamp;

wire_enum! {
    /// What an outgoing message on an account becomes.
    pub enum Adapter {
        /// Kept, for whatever reads the history.
        Stored = "STORED",
        /// Kept as failed: nothing here can carry it.
        None = "NONE",
    }
}

/// How much a portal may hold; absent is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Quota {
    /// Messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub messages: Option<i64>,
    /// Bytes of messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub bytes: Option<i64>,
}

/// How much a portal holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Usage {
    /// Threads.
    pub threads: i64,
    /// Messages.
    pub messages: i64,
    /// Bytes of messages.
    pub bytes: i64,
}

/// A portal: one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Portal {
    /// Its id.
    pub id: Id,
    /// What it is called.
    pub name: String,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// What it reckons in, in three letters of ISO 4217.
    pub currency: String,
    /// `STANDARD`, `SANDBOX`, `DEVELOPER_TEST` or `APP_DEVELOPER`.
    pub account_type: String,
    /// How much it may hold.
    pub quota: Quota,
    /// How much it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub usage: Option<Usage>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An app: on whose behalf tokens act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct App {
    /// Its id.
    pub id: Id,
    /// What it is called.
    pub name: String,
    /// Absolute URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub avatar: Option<String>,
    /// Number of the agent who made it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub user_id: Option<Id>,
    /// Whether it may act.
    pub active: bool,
    /// Signs what is sent to the app. Shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub client_secret: Option<String>,
    /// Opens the app's own settings. Shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub developer_key: Option<String>,
    /// Until when the client secret before this one works. In the answer to a rotation that is the present if it ended at once;
    /// absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub old_client_secret_until: Option<Timestamp>,
    /// The same of the developer key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub old_developer_key_until: Option<Timestamp>,
    /// The other apps that have the same developer key. Not in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub shares_key_with: Vec<Id>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// The beginning of its hash: enough to name it, useless to use it.
    pub id: String,
    /// What a person recognises it by.
    pub label: String,
    /// The app it acts for.
    pub app_id: Id,
    /// What it opens.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub revoked_at: Option<Timestamp>,
    /// The minute in which it was used last, as far as it is known by now; only in the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_used_at: Option<Timestamp>,
    /// The token itself. Shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub token: Option<String>,
    /// The app, if it was made with the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub app: Option<App>,
}

/// An inbox with its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OwnInbox)]
pub struct Inbox {
    /// Its id.
    pub id: Id,
    /// What it is called.
    pub name: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: InboxType,
    /// Whether an answer on an unassigned thread assigns it to the sender.
    pub assign_on_reply: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Whether it is archived.
    pub archived: bool,
    /// When it was archived, as long as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub archived_at: Option<Timestamp>,
}

/// A channel account with its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OwnChannelAccount)]
pub struct ChannelAccount {
    /// Its id.
    pub id: Id,
    /// What it is called.
    pub name: String,
    /// The channel it belongs to.
    pub channel_id: Id,
    /// The inbox it feeds.
    pub inbox_id: Id,
    /// Whether it is switched on.
    pub active: bool,
    /// Whether its credentials are valid.
    pub authorized: bool,
    /// What becomes of outgoing messages.
    pub adapter: Adapter,
    /// Greeting that starts a chat.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub welcome_message: Option<String>,
    /// Its own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub delivery_identifier: Option<DeliveryIdentifier>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether it is archived.
    pub archived: bool,
    /// When it was archived, as long as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub archived_at: Option<Timestamp>,
}

/// An agent, a bot or an AI agent with its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OwnActor)]
pub struct Actor {
    /// The number behind the letter.
    pub id: Id,
    /// The actor id, such as `A-71`.
    pub actor_id: String,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// Email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub email: Option<String>,
    /// Absolute URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub avatar: Option<String>,
    /// Whether it can act.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// How an agent signs in, where one can or is invited to. Told to administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub login: Option<ActorLogin>,
}

/// How an agent signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActorLogin {
    /// `ADMIN`, `AGENT` or `READ_ONLY`.
    pub role: &'static str,
    /// Whether there is a password.
    pub password: bool,
    /// Whether a code of an authenticator has to come with it.
    pub totp: bool,
    /// Whether the agent has signed in by somebody else who vouches for them.
    pub elsewhere: bool,
    /// Until when the link of an invitation is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub invited_until: Option<Timestamp>,
}

/// A contact, or a visitor that is none yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// Its id.
    pub id: Id,
    /// The actor id, `V-` and the id.
    pub actor_id: String,
    /// Whether it is a contact already.
    pub contact: bool,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// Email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub email: Option<String>,
    /// Phone number, E.164.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub phone: Option<String>,
    /// Absolute URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub avatar: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A ticket that threads can be linked to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    /// Its id.
    pub id: Id,
    /// What it is about.
    pub subject: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A file that messages can name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// Its id.
    pub id: Id,
    /// Name with extension.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Bytes, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub size: Option<i64>,
    /// Where its bytes are.
    pub url: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Something that happened, as the spine recorded it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its place: dense per portal, from 1.
    pub position: i64,
    /// What happened.
    pub kind: &'static str,
    /// What it happened to.
    pub object_type: &'static str,
    /// The object's number; 0 for the directory.
    pub object_id: i64,
    /// The object's revision after the change.
    pub revision: i64,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The event's own members.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Object>)]
    pub payload: Option<Box<serde_json::value::RawValue>>,
}

/// A piece of the spine.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EventPage {
    /// Oldest first.
    pub results: Vec<Event>,
    /// How far this reaches, with everything up to there looked at: the next piece begins behind it.
    pub position: i64,
    /// Present and true if events behind `after` are no longer kept: whoever keeps a copy reads it anew, and goes on behind
    /// `position`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub resync: Option<bool>,
    /// With `resync`: position of the oldest event that is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub oldest: Option<i64>,
    /// With `resync`: position of the newest event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub newest: Option<i64>,
}

/// An account that is about to be connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelConnection {
    /// What the integration names it by. It is shown this once.
    pub account_token: String,
    /// The integration's page, to which the browser is to be sent.
    pub location: String,
    /// How long there is time.
    pub expires_at: Timestamp,
}

/// Whether an account is connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelConnected {
    /// Whether it is. It is not as long as the integration has not said which account it is.
    pub connected: bool,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub channel_account_id: Option<Id>,
}

/// What became of an injected message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Injected {
    /// The thread it went to.
    pub thread_id: Id,
    /// The message.
    pub message_id: String,
    /// Whether the idempotency key had been used before, so that nothing new was written.
    pub repeated: bool,
}

lenient! {
    /// An account to be connected by its channel's integration.
    pub struct ChannelConnect {
        /// The inbox it is to feed.
        pub inbox_id: Option<LenientId> = "inboxId",
        /// Number of the agent who begins.
        pub user_id: Option<LenientId> = "userId",
    }

    /// A portal to be made.
    pub struct PortalCreate {
        /// The id it shall have; otherwise the next free one.
        pub id: Option<LenientId> = "id",
        /// What it is called.
        pub name: Option<String> = "name",
        /// IANA name of its time zone; UTC if absent.
        pub time_zone: Option<String> = "timeZone",
        /// What it reckons in, in three letters of ISO 4217; USD if absent.
        pub currency: Option<String> = "currency",
        /// `STANDARD`, which it is if absent, `SANDBOX`, `DEVELOPER_TEST` or `APP_DEVELOPER`.
        pub account_type: Option<String> = "accountType",
        /// How much it may hold.
        pub quota: Option<QuotaRequest> = "quota",
    }

    /// What changes about a portal.
    pub struct PortalPatch {
        /// What it is called.
        pub name: Option<String> = "name",
        /// IANA name of its time zone.
        pub time_zone: Option<String> = "timeZone",
        /// What it reckons in, in three letters of ISO 4217.
        pub currency: Option<String> = "currency",
        /// `STANDARD`, `SANDBOX`, `DEVELOPER_TEST` or `APP_DEVELOPER`.
        pub account_type: Option<String> = "accountType",
        /// How much it may hold. Replaces the quota whole.
        pub quota: Option<QuotaRequest> = "quota",
    }

    /// What administrators change about their portal.
    pub struct OwnPortalPatch {
        /// What it is called.
        pub name: Option<String> = "name",
        /// IANA name of its time zone.
        pub time_zone: Option<String> = "timeZone",
    }

    /// How much a portal may hold; absent is no limit.
    pub struct QuotaRequest {
        /// Messages.
        pub messages: Option<i64> = "messages",
        /// Bytes of messages.
        pub bytes: Option<i64> = "bytes",
    }

    /// An app to be made.
    pub struct AppCreate {
        /// The id it shall have; otherwise the next free one.
        pub id: Option<LenientId> = "id",
        /// What it is called.
        pub name: Option<String> = "name",
        /// Absolute URL of a picture.
        pub avatar: Option<String> = "avatar",
        /// The developer key of another app, to share it; a fresh one if absent.
        pub developer_key: Option<String> = "developerKey",
        /// Number of the agent who makes it; the user of the token if absent, where it has one.
        pub user_id: Option<LenientId> = "userId",
    }

    /// A secret of an app, to be replaced by a fresh one.
    pub struct AppRotate {
        /// How long the old one goes on working, in seconds: a day if absent, 30 days at most.
        pub overlap_seconds: Option<i64> = "overlapSeconds",
        /// Whether the old one ends at once instead.
        pub at_once: Option<bool> = "atOnce",
    }

    /// What changes about an app.
    pub struct AppPatch {
        /// What it is called.
        pub name: Option<String> = "name",
        /// Absolute URL of a picture.
        pub avatar: Option<String> = "avatar",
        /// Whether it may act.
        pub active: Option<bool> = "active",
    }

    /// A token to be made.
    pub struct TokenCreate {
        /// What a person recognises it by.
        pub label: Option<String> = "label",
        /// The app it acts for. If absent, an app of the token's label is made with it.
        pub app_id: Option<LenientId> = "appId",
        /// What it opens.
        #[schema(required = false)]
        pub scopes: Vec<String> = "scopes",
        /// When it ends; never if absent.
        pub expires_at: Option<Timestamp> = "expiresAt",
    }

    /// A token to be replaced by a fresh one with the same label, app and scopes.
    pub struct TokenRotate {
        /// Whether the old one ends at once instead of living on for seven days.
        pub at_once: Option<bool> = "atOnce",
    }

    /// An inbox to be made.
    pub struct InboxCreate {
        /// What it is called.
        pub name: Option<String> = "name",
        /// `INBOX` (the default) or `HELP_DESK`.
        pub kind: Option<String> = "type",
        /// Whether an answer on an unassigned thread assigns it to the sender; it does unless switched off.
        pub assign_on_reply: Option<bool> = "assignOnReply",
    }

    /// What changes about an inbox.
    pub struct InboxPatch {
        /// What it is called.
        pub name: Option<String> = "name",
        /// `INBOX` or `HELP_DESK`.
        pub kind: Option<String> = "type",
        /// Whether an answer on an unassigned thread assigns it to the sender.
        pub assign_on_reply: Option<bool> = "assignOnReply",
        /// Into the archive, or out of it.
        pub archived: Option<bool> = "archived",
    }

    /// A channel account to be made.
    pub struct ChannelAccountCreate {
        /// What it is called.
        pub name: Option<String> = "name",
        /// The channel it belongs to.
        pub channel_id: Option<LenientId> = "channelId",
        /// The inbox it feeds.
        pub inbox_id: Option<LenientId> = "inboxId",
        /// Its own address.
        pub delivery_identifier: Option<IdentifierRequest> = "deliveryIdentifier",
        /// Whether it is switched on; it is unless switched off.
        pub active: Option<bool> = "active",
        /// Whether its credentials are valid; they are unless said otherwise.
        pub authorized: Option<bool> = "authorized",
        /// `STORED` (the default) or `NONE`.
        pub adapter: Option<String> = "adapter",
        /// Greeting that starts a chat.
        pub welcome_message: Option<String> = "welcomeMessage",
    }

    /// What changes about a channel account.
    pub struct ChannelAccountPatch {
        /// What it is called.
        pub name: Option<String> = "name",
        /// The inbox it feeds.
        pub inbox_id: Option<LenientId> = "inboxId",
        /// Its own address.
        pub delivery_identifier: Option<IdentifierRequest> = "deliveryIdentifier",
        /// Whether it is switched on.
        pub active: Option<bool> = "active",
        /// Whether its credentials are valid.
        pub authorized: Option<bool> = "authorized",
        /// `STORED` or `NONE`.
        pub adapter: Option<String> = "adapter",
        /// Greeting that starts a chat; empty for none.
        pub welcome_message: Option<String> = "welcomeMessage",
        /// Into the archive, or out of it.
        pub archived: Option<bool> = "archived",
    }

    /// An agent, a bot or an AI agent to be made.
    pub struct ActorCreate {
        /// The number it shall have; otherwise the next free one.
        pub id: Option<LenientId> = "id",
        /// What it is called.
        pub name: Option<String> = "name",
        /// Email address. Agents only.
        pub email: Option<String> = "email",
        /// Absolute URL of a picture.
        pub avatar: Option<String> = "avatar",
    }

    /// What changes about an agent, a bot or an AI agent.
    pub struct ActorPatch {
        /// What it is called.
        pub name: Option<String> = "name",
        /// Email address. Agents only.
        pub email: Option<String> = "email",
        /// Absolute URL of a picture.
        pub avatar: Option<String> = "avatar",
        /// Whether it can act.
        pub active: Option<bool> = "active",
    }

    /// A contact to be made, or what changes about one.
    pub struct ContactRequest {
        /// What it is called.
        pub name: Option<String> = "name",
        /// Email address.
        pub email: Option<String> = "email",
        /// Phone number, E.164.
        pub phone: Option<String> = "phone",
        /// Absolute URL of a picture.
        pub avatar: Option<String> = "avatar",
    }

    /// A ticket to be made.
    pub struct TicketCreate {
        /// What it is about.
        pub subject: Option<String> = "subject",
    }

    /// The ticket a thread is linked to.
    pub struct TicketLink {
        /// The ticket.
        pub ticket_id: Option<LenientId> = "ticketId",
    }

    /// A file hosted elsewhere, to be made known here.
    pub struct FileCreate {
        /// Name with extension.
        pub name: Option<String> = "name",
        /// Media type.
        pub media_type: Option<String> = "mediaType",
        /// Bytes, if known.
        pub size: Option<i64> = "size",
        /// Absolute URL of its bytes.
        pub url: Option<String> = "url",
    }

    /// A thread to be started from inside, before anybody wrote.
    pub struct ThreadStart {
        /// The channel account it happens on.
        pub channel_account_id: Option<LenientId> = "channelAccountId",
        /// With whom.
        pub recipient: Option<Person> = "recipient",
        /// Subject of an email thread.
        pub subject: Option<String> = "subject",
        /// The integration's own name for the conversation; later messages with it come here.
        pub integration_thread_id: Option<String> = "integrationThreadId",
        /// What is said first, as in a send. Its channel account and recipients are the thread's unless it names others.
        pub message: Option<Create> = "message",
    }

    /// A message from outside.
    pub struct Inbound {
        /// The channel account it comes in on.
        pub channel_account_id: Option<LenientId> = "channelAccountId",
        /// Who wrote it.
        pub sender: Option<Person> = "sender",
        /// Who else it went to. Email only.
        #[schema(required = false)]
        pub to: Vec<Person> = "to",
        /// Who got a copy. Email only.
        #[schema(required = false)]
        pub cc: Vec<Person> = "cc",
        /// Whether it opens a new thread even where the sender has one.
        pub new_thread: Option<bool> = "newThread",
        /// Who forwarded it here; the sender is then who wrote it first. Email only.
        pub forwarded_by: Option<Person> = "forwardedBy",
        /// Plain text.
        pub text: Option<String> = "text",
        /// HTML.
        pub rich_text: Option<String> = "richText",
        /// A submitted form, field by field, instead of a text.
        #[schema(required = false)]
        pub fields: Vec<FormField> = "fields",
        /// Subject. Email only.
        pub subject: Option<String> = "subject",
        /// What came with it, of any kind.
        #[schema(required = false)]
        pub attachments: Vec<AttachmentRequest> = "attachments",
        /// The integration's own name for the conversation.
        pub integration_thread_id: Option<String> = "integrationThreadId",
        /// The message it answers.
        pub in_reply_to_id: Option<String> = "inReplyToId",
        /// The same key twice writes one message.
        pub idempotency_key: Option<String> = "idempotencyKey",
    }

    /// A field of a submitted form.
    pub struct FormField {
        /// What the form asked.
        pub label: Option<String> = "label",
        /// What was answered.
        pub value: Option<LenientId> = "value",
    }

    /// Somebody outside.
    pub struct Person {
        /// What they are called.
        pub name: Option<String> = "name",
        /// The address they use here.
        pub identifier: Option<IdentifierRequest> = "identifier" | "deliveryIdentifier",
        /// Their email address, which is their identifier on email.
        pub email: Option<String> = "email",
        /// A contact or visitor that exists.
        pub contact_id: Option<LenientId> = "contactId",
    }

    /// The inbox a thread moves to.
    pub struct InboxMove {
        /// The inbox.
        pub inbox_id: Option<LenientId> = "inboxId",
    }

    /// How far an outgoing message got.
    pub struct DeliveryUpdate {
        /// `SENT`, `READ` or `FAILED`.
        pub status_type: Option<String> = "statusType",
        /// Why it failed.
        pub failure_details: Option<FailureRequest> = "failureDetails",
    }

    /// Why a message did not arrive.
    pub struct FailureRequest {
        /// The reason, for people.
        pub error_message: Option<String> = "errorMessage",
        /// Values for placeholders of the reason.
        #[schema(required = false)]
        pub error_message_tokens: BTreeMap<String, String> = "errorMessageTokens",
    }
}

//! The directory: everything about a portal that is small, rarely changed and needed on every request.

mod channels;
mod installs;
mod oauth;
mod objects;
mod revision;
mod webhooks;
pub(crate) mod work;

pub use channels::{Channel, StagingToken};
pub use oauth::{Client, Code, Grant, Install, Login, Role, Totp};
pub use objects::Objects;
pub use revision::{Directory, DirectoryChange};
pub use webhooks::{Expand, JournalSubscription, Paused, Replaced, Subscription, Webhook};
pub use work::{Tag, View, ViewWhose};

use crate::{AccountId, AppId, InboxId, Millis, PortalId};

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portal {
    pub id: PortalId,
    pub name: String,
    pub profile: Profile,
    pub quota: Quota,
    pub created_at: Millis,
}

/// What clients are told of a portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// IANA name; the daily request allowance is renewed at its midnight.
    pub time_zone: String,
    /// Three letters of ISO 4217.
    pub currency: String,
    pub account_type: String,
}

impl From<&str> for Profile {
    /// That of a portal of which nothing but its time zone is said.
    fn from(time_zone: &str) -> Self {
        Self { time_zone: time_zone.into(), currency: "USD".into(), account_type: "STANDARD".into() }
    }
}

/// How much a portal may hold; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quota {
    pub messages: Option<i64>,
    /// Bytes of message documents.
    pub bytes: Option<i64>,
}

/// How much a portal holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    pub threads: i64,
    pub messages: i64,
    /// Bytes of message documents.
    pub bytes: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboxKind {
    Inbox,
    HelpDesk,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbox {
    pub id: InboxId,
    pub name: String,
    pub kind: InboxKind,
    /// Whether an answer on an unassigned thread assigns it to the sender.
    pub assign_on_reply: bool,
    pub created_at: Millis,
    pub updated_at: Millis,
    pub archived_at: Option<Millis>,
}

/// What an outgoing message on an account becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapter {
    /// Stored, and taken over by whatever reads the history (a chat widget, an app, a test).
    Stored,
    /// Nothing here can carry it: the message is kept as failed.
    None,
}

/// An address on a channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier {
    /// `HS_EMAIL_ADDRESS`, `HS_PHONE_NUMBER`, `HS_SHORT_CODE` or `CHANNEL_SPECIFIC_OPAQUE_ID`.
    pub kind: String,
    pub value: String,
}

/// A channel account: one connected mailbox, chat flow or phone number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub channel_id: i64,
    pub inbox_id: InboxId,
    pub name: String,
    pub active: bool,
    pub authorized: bool,
    pub identifier: Option<Identifier>,
    pub adapter: Adapter,
    /// Greeting that starts a chat.
    pub welcome: Option<String>,
    /// How live chat on it appears on web pages, as a JSON object; none until somebody has set it up.
    pub chat: Option<String>,
    pub created_at: Millis,
    pub archived_at: Option<Millis>,
}

/// Who acts inside a portal and is no visitor and no app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ActorKind {
    Agent,
    Bot,
    Llm,
}

/// An agent, a bot or an AI agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub kind: ActorKind,
    /// The number behind the letter of the actor id.
    pub id: i64,
    pub name: Option<String>,
    pub email: Option<String>,
    /// Absolute URL.
    pub avatar: Option<String>,
    /// A deactivated actor stays resolvable but can do nothing.
    pub active: bool,
    pub created_at: Millis,
}

/// An integration, installed in a portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    pub id: AppId,
    pub name: String,
    pub avatar: Option<String>,
    /// Signs what the server sends to the app.
    pub client_secret: String,
    /// SHA-256 of what opens the calls about its webhooks and channels, in hexadecimal. Several apps may have the same.
    pub developer_key: String,
    /// The secret and the key before those, while they still work.
    pub old_secret: Option<Replaced>,
    pub old_key: Option<Replaced>,
    /// The agent who made it, where that is known.
    pub user_id: Option<i64>,
    /// Suspended or uninstalled: its tokens answer `BANNED`, its name stays resolvable.
    pub active: bool,
    pub created_at: Millis,
}

/// SHA-256 of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenHash(pub [u8; 32]);

/// What a token opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub hash: TokenHash,
    pub portal_id: PortalId,
    pub app_id: AppId,
    /// What a person recognises it by; never the token.
    pub label: String,
    pub scopes: Vec<String>,
    pub created_at: Millis,
    pub expires_at: Option<Millis>,
    pub revoked_at: Option<Millis>,
    /// Whose access token it is, where it is one.
    pub grant_id: Option<i64>,
    /// One that is gone: the directory forgets it.
    pub deleted_at: Option<Millis>,
}

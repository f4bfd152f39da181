//! Channels that apps bring, and how accounts of them come about.

use super::{Identifier, TokenHash};
use crate::{AccountId, AppId, InboxId, Millis};

/// A channel that an app brought. It belongs to the app's portal; its number is unique on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    pub id: i64,
    pub app_id: AppId,
    pub name: String,
    /// Where the app is told of what happens on the channel.
    pub webhook_url: Option<String>,
    /// The app's page on which connecting an account begins.
    pub redirect_url: Option<String>,
    pub description: Option<String>,
    pub logo_url: Option<String>,
    /// A JSON object: what can be said on the channel, and how.
    pub capabilities: String,
    pub created_at: Millis,
    pub archived_at: Option<Millis>,
}

/// An account of a channel that somebody is about to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagingToken {
    pub hash: TokenHash,
    pub channel_id: i64,
    pub inbox_id: InboxId,
    /// Who began.
    pub user_id: i64,
    pub account_name: Option<String>,
    pub identifier: Option<Identifier>,
    /// What came of it.
    pub account_id: Option<AccountId>,
    pub created_at: Millis,
    pub expires_at: Millis,
    /// One that is gone: the directory forgets it.
    pub deleted_at: Option<Millis>,
}

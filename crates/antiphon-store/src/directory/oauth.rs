//! Who may sign in, which apps may be installed by whom, and what was granted to them.

use super::TokenHash;
use crate::{AppId, Millis, PortalId};

/// What an agent who signs in may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything in the portal: its settings, too.
    Admin = 1,
    /// Work in the inbox.
    Agent = 2,
    /// Look at it.
    ReadOnly = 3,
}

impl Role {
    /// From what is stored. Programs that know no roles write only whether somebody is an administrator.
    pub(crate) fn stored(administrator: bool, role: Option<i64>) -> Self {
        match role {
            _ if administrator => Self::Admin,
            Some(3) => Self::ReadOnly,
            _ => Self::Agent,
        }
    }
}

/// An agent who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    pub agent_id: i64,
    /// What is kept of the password: enough to know it again.
    pub password: String,
    pub role: Role,
    /// What was begun with an earlier password has ended.
    pub changed_at: Millis,
}

/// How an app may be installed, beyond what every app has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub app_id: AppId,
    /// Where users may be sent back to.
    pub redirect_uris: Vec<String>,
    /// What it may ask for; nothing is no restriction.
    pub scopes: Vec<String>,
}

/// An app that was let into a portal. The row outlives the app's stay, so that what it did there keeps its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Install {
    pub app_id: AppId,
    /// The portal that the app belongs to.
    pub home: PortalId,
    /// What was granted last.
    pub scopes: Vec<String>,
    pub installed_at: Millis,
    pub uninstalled_at: Option<Millis>,
}

/// What a user granted an app, or what an app was given for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub id: i64,
    pub app_id: AppId,
    /// The agent; `None` where the app acts for itself.
    pub user_id: Option<i64>,
    pub scopes: Vec<String>,
    pub created_at: Millis,
    pub code: Option<Code>,
    /// Of the refresh token, once there is one.
    pub refresh: Option<TokenHash>,
    /// From when on nothing is refreshed.
    pub refresh_ended_at: Option<Millis>,
    /// From when on its access tokens open nothing.
    pub ended_at: Option<Millis>,
    /// Since when the app is not installed any more.
    pub uninstalled_at: Option<Millis>,
    /// One that is gone: the directory forgets it.
    pub deleted_at: Option<Millis>,
}

/// With which a grant is taken up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    pub hash: TokenHash,
    pub redirect_uri: String,
    /// What whoever takes it up must know, as `method:challenge`.
    pub challenge: Option<String>,
    pub expires_at: Millis,
    pub used_at: Option<Millis>,
}

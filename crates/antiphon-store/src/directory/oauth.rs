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
    /// What is kept of the password: enough to know it again. Empty where there is none.
    pub password: String,
    pub role: Role,
    /// What was begun with an earlier password has ended.
    pub changed_at: Millis,
    /// With which link the agent may choose a password, and until when.
    pub invite: Option<(TokenHash, Millis)>,
    /// What makes the codes that the password needs beside it,
    pub totp: Option<Totp>,
    /// and what will, once a code of it has come.
    pub totp_asked: Option<Totp>,
    /// Codes that do instead, once each.
    pub recovery: Vec<TokenHash>,
    /// Who the agent is where somebody else vouches for them.
    pub subject: Option<String>,
}

impl Login {
    /// One with a password and nothing else.
    pub fn new(agent_id: i64, password: String, role: Role, changed_at: Millis) -> Self {
        Self {
            agent_id,
            password,
            role,
            changed_at,
            invite: None,
            totp: None,
            totp_asked: None,
            recovery: Vec::new(),
            subject: None,
        }
    }

    /// Whether somebody can sign in with it.
    pub fn opens(&self) -> bool {
        !self.password.is_empty() || self.subject.is_some()
    }

    /// Hashes as a row keeps them.
    pub(crate) fn recovery_stored(&self) -> Option<String> {
        let hex = |hash: &TokenHash| hash.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let all: Vec<String> = self.recovery.iter().map(hex).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }

    /// Hashes that a row keeps.
    pub(crate) fn recovery_read(stored: Option<&str>) -> Vec<TokenHash> {
        let byte = |text: &str, at: usize| u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok();
        let hash = |text: &str| {
            let bytes: Option<Vec<u8>> = (0..32).map(|at| byte(text, at)).collect();
            bytes?.try_into().ok().map(TokenHash)
        };
        stored.unwrap_or_default().split(' ').filter_map(hash).collect()
    }
}

/// The secret that an authenticator shares with the server.
#[derive(Clone, PartialEq, Eq)]
pub struct Totp(pub Vec<u8>);

impl std::fmt::Debug for Totp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Totp")
    }
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

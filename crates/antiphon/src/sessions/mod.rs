//! Agents who are signed in. The browser holds a cookie, the server a row with its hash. Whoever calls with it is the agent:
//! what they may do is their role's, what they do is said to be theirs.
//!
//! Nothing here knows apps or tokens, and no door sees the cookie: `middleware` turns it into a caller.

pub mod begin;
pub mod cookie;
pub mod csrf;
pub mod end;
pub mod invite;
pub mod last;
pub mod list;
pub mod oidc;
pub mod options;
pub mod profile;
pub mod role;
pub mod setup;
pub mod show;
pub mod standing;
pub mod sweep;
pub mod totp;

use antiphon_store::{Actor, ActorKind, Directory, Login, Millis, PortalId, Role, Session, SessionId};
use antiphon_store::{Store, StoreError};

use standing::{LIFE, Standing};

/// An agent who calls by a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedIn {
    pub session: SessionId,
    /// The number behind the `A-` of the actor id.
    pub agent: i64,
    pub role: Role,
}

impl SignedIn {
    /// As `createdBy` and the like name them.
    pub fn actor_id(&self) -> String {
        format!("A-{}", self.agent)
    }
}

/// Who is behind a session, as long as nothing has ended it: neither time nor a new password nor a deactivated agent.
pub fn who<'d>(session: &Session, directory: &'d Directory, now: Millis) -> Option<(&'d Actor, &'d Login)> {
    let alive = now < session.ends_at && now < session.created_at + LIFE;
    let agent = directory.actor(ActorKind::Agent, session.agent_id).filter(|agent| alive && agent.active)?;
    let login = directory.login(session.agent_id).filter(|login| login.changed_at == session.login_at)?;
    Some((agent, login))
}

/// The session of a cookie, if the secret in it is good now, and how it stands.
///
/// # Errors
/// When the store does not answer.
pub async fn found(store: &Store, sent: &cookie::Sent) -> Result<Option<(Session, Standing)>, StoreError> {
    let Some(session) = store.session_by_id(sent.portal, sent.id).await? else { return Ok(None) };
    match standing::of(&session, &sent.secret, store.now()) {
        // Somebody has kept what the browser itself no longer sends.
        Standing::Stale => {
            store.session_end(sent.portal, session.agent_id, session.id).await?;
            Ok(None)
        }
        Standing::Unknown => Ok(None),
        standing => Ok(Some((session, standing))),
    }
}

/// What an agent who listens by a session may still do; `None` once it has ended.
///
/// # Errors
/// When the store does not answer.
pub async fn still(store: &Store, portal: PortalId, signed_in: SignedIn) -> Result<Option<Role>, StoreError> {
    let Some(session) = store.session_by_id(portal, signed_in.session).await? else { return Ok(None) };
    let Some(directory) = store.directory(portal).await? else { return Ok(None) };
    Ok(who(&session, &directory, store.now()).map(|(_, login)| login.role))
}

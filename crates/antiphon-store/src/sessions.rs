//! Agents who are signed in, each in a browser of theirs. A session is a row of its own and not of the directory: it is made,
//! turned and ended without anybody's directory changing.

use crate::{Millis, TokenHash};

/// Most sessions of an agent: the oldest go.
pub(crate) const MOST: i64 = 50;

/// What names a session. It opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub [u8; 16]);

/// An agent who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub agent_id: i64,
    /// When the login was changed with which it was begun. Once that is changed again, the session is no more.
    pub login_at: Millis,
    pub created_at: Millis,
    /// When the secret was taken up that is good now.
    pub turned_at: Millis,
    /// When it ends unless it is used before.
    pub ends_at: Millis,
    /// What the browser sends, as a hash.
    pub secret: TokenHash,
    /// What it was given to send from now on, and when.
    pub next: Option<(TokenHash, Millis)>,
    /// What it sent before, and until when that is good.
    pub old: Option<(TokenHash, Millis)>,
    /// What the browser calls itself, shortened.
    pub browser: String,
    /// From where it was begun.
    pub address: String,
}

/// How a session goes on that has taken up a new secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTurn {
    pub at: Millis,
    /// Until when the secret before it is good.
    pub old_until: Millis,
    /// When the session ends unless it is used before.
    pub ends_at: Millis,
}

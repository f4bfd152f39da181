//! People who are being erased: that it was asked for, and what was known of them until it is done.

use crate::{AccountId, Identifier, MessageId, Millis, ThreadId, VisitorId};

/// Most addresses that one change takes from somebody.
pub(crate) const UNBOUND: i64 = 400;

/// That somebody is to be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    pub contact: VisitorId,
    pub requested_at: Millis,
    /// When nothing was left.
    pub completed_at: Option<Millis>,
    /// What has to be looked for, in words of whoever wrote it; gone once it is done.
    pub known: Option<String>,
}

/// An address that somebody is known by on an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub account: AccountId,
    pub identifier: Identifier,
}

/// A message that names somebody besides its thread's visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonMention {
    /// Its place among them.
    pub place: i64,
    pub thread: ThreadId,
    pub message: MessageId,
}

/// What a token says of a visitor: when it ends, its number, and the words.
pub type Said = (Millis, i64, String);

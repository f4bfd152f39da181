//! Threads on live chat, and whose they are.

use crate::{AccountId, ThreadId};

/// Whose a thread on live chat is. What a visitor may see goes by this key, not by who is behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    pub thread_id: ThreadId,
    pub account_id: AccountId,
    /// The address on the account by which the visitor was known when the thread began.
    pub visitor_key: String,
    /// A JSON object with what is kept of the beginning.
    pub said: Option<String>,
    /// The address among it, as addresses are compared.
    pub said_of: Option<String>,
}

/// An address as it is compared.
pub fn said_of(address: &str) -> String {
    address.trim().to_lowercase()
}

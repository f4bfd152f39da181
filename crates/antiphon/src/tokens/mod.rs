//! Tokens: what opens the API. Each is shown once, when it is made, and kept as its SHA-256.

pub mod create;
pub mod list;
pub mod revoke;
pub mod rotate;
pub mod uses;

use std::sync::Arc;

use antiphon_store::{Directory, Token, TokenHash};
use antiphon_wire::id::Id;
use antiphon_wire::own;
use antiphon_wire::timestamp::Timestamp;
use uuid::Uuid;

use crate::refusal::Refusal;

/// A fresh token.
fn secret(region: &str) -> String {
    format!("pat-{region}-{}", Uuid::new_v4())
}

/// Names a token without opening anything: the beginning of its hash.
pub(crate) fn id(token: &Token) -> String {
    format!("{:016x}", number(token))
}

/// The same as a number.
fn number(token: &Token) -> u64 {
    token.hash.0.first_chunk().copied().map_or(0, u64::from_be_bytes)
}

/// The last hash that a number may be the beginning of.
fn last(number: u64) -> TokenHash {
    let mut hash = [u8::MAX; 32];
    hash[..8].copy_from_slice(&number.to_be_bytes());
    TokenHash(hash)
}

/// The token that a path names.
fn named(directory: &Directory, sent: &str) -> Result<Arc<Token>, Refusal> {
    let before = u64::from_str_radix(sent, 16).ok().map(|number| number.checked_sub(1).map(last));
    let found = before.and_then(|before| directory.tokens().after(before).next());
    found.filter(|token| id(token) == sent).cloned().ok_or_else(|| Refusal::not_found(sent))
}

fn shown(token: &Token) -> own::Token {
    own::Token {
        id: id(token),
        label: token.label.clone(),
        app_id: Id(token.app_id.0),
        scopes: token.scopes.clone(),
        created_at: Timestamp(token.created_at),
        expires_at: token.expires_at.map(Timestamp),
        revoked_at: token.revoked_at.map(Timestamp),
        last_used_at: None,
        token: None,
        app: None,
    }
}

//! Tokens: what opens the API. Each is shown once, when it is made, and kept as its SHA-256.

pub mod create;
pub mod list;
pub mod revoke;
pub mod rotate;

use std::sync::Arc;

use antiphon_store::{Directory, Token};
use antiphon_wire::id::Id;
use antiphon_wire::own;
use antiphon_wire::timestamp::Timestamp;
use uuid::Uuid;

use crate::refusal::Refusal;

/// A fresh token.
fn secret() -> String {
    format!("pat-na1-{}", Uuid::new_v4())
}

/// Names a token without opening anything: the beginning of its hash.
pub(crate) fn id(token: &Token) -> String {
    token.hash.0[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The token that a path names.
fn named(directory: &Directory, sent: &str) -> Result<Arc<Token>, Refusal> {
    let found = directory.tokens.iter().find(|token| id(token) == sent);
    found.cloned().ok_or_else(|| Refusal::not_found(sent))
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
        token: None,
        app: None,
    }
}

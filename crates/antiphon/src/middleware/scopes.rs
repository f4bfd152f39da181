//! What a token may do.

use antiphon_store::Token;

use crate::operation::Scope;

/// Whether the token carries the scope, however it is written. No scope implies another.
pub fn allows(token: &Token, scope: Scope) -> bool {
    token.scopes.iter().any(|held| scope.names().contains(&held.as_str()))
}

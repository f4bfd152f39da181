//! The tokens of the portal, expired and revoked ones included, without what is secret about them.

use crate::call::{Answer, Call};
use crate::directory;
use crate::refusal::Refusal;

/// `GET /tokens`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    directory::all(call.caller.directory.tokens.iter().map(|token| super::shown(token)))
}

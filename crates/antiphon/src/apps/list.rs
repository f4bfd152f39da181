//! The apps of the portal, suspended ones included, without their secrets.

use crate::call::{Answer, Call};
use crate::directory;
use crate::refusal::Refusal;

/// `GET /apps`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    directory::all(call.caller.directory.apps.values().map(super::shown))
}

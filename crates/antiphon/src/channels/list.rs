//! The channels of the portal.

use antiphon_wire::channel::Channel;
use antiphon_wire::cursor::List;

use crate::call::{Answer, Call};
use crate::listing;
use crate::refusal::Refusal;

/// `GET /channels`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    listing::page(&call, List::Channels, super::all().iter(), Ok(|_: &Channel| true), Channel::clone)
}

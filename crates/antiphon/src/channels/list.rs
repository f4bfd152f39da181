//! The channels of the portal.

use std::sync::Arc;

use antiphon_store::Objects;
use antiphon_wire::channel::Channel;
use antiphon_wire::cursor::List;

use crate::call::{Answer, Call};
use crate::listing::{self, Source};
use crate::refusal::Refusal;

/// `GET /channels`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let all: Objects<i64, Channel> =
        super::all(&call.caller.directory).into_iter().map(|channel| (channel.id.0, channel)).collect();
    let matches = Ok(None::<fn(&Channel) -> bool>);
    let source = Source { list: List::Channels, objects: &all, id: |id| id, matches };
    listing::page(&call, source, |id| all.get(&id).map(Arc::as_ref), Channel::clone)
}

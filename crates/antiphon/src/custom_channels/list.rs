//! The channels of an app.

use antiphon_store::{Channel, Objects};
use antiphon_wire::cursor::List;

use crate::call::{Answer, Call};
use crate::listing::{self, Source};
use crate::refusal::Refusal;

/// `GET /`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let directory = &call.caller.directory;
    let of_app = directory.channels_of(call.caller.app()).map(|channel| (channel.id, channel.clone()));
    let all: Objects<i64, Channel> = of_app.collect();
    let matches = Ok(None::<fn(&Channel) -> bool>);
    let source = Source { list: List::CustomChannels, objects: &all, id: |id| id, matches };
    // Whoever is shown was checked when it was made.
    listing::page(&call, source, |id| directory.channel(id), |channel| super::shown(channel).ok())
}

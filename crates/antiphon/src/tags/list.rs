//! The tags of the portal.

use antiphon_store::{Tag, TagId};
use antiphon_wire::cursor::List;

use crate::call::{Answer, Call};
use crate::listing::{self, Source};
use crate::refusal::Refusal;

/// `GET /tags`. Threads keep archived tags, so those are here too, unless one or the other is asked for.
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let archived = call.query.flag("archived").map_err(|problem| vec![problem]);
    let tags = call.caller.directory.tags();
    let is = |archived: bool| move |tag: &Tag| tag.archived_at.is_some() == archived;
    let source = Source {
        list: List::Tags,
        objects: tags,
        id: TagId,
        matches: archived.map(|archived| archived.map(is)),
    };
    listing::page(&call, source, |id| tags.get(&id).map(AsRef::as_ref), super::shown)
}

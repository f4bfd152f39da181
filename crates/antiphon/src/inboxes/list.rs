//! The inboxes of the portal.

use antiphon_store::{Inbox, InboxId};
use antiphon_wire::cursor::List;

use crate::call::{Answer, Call};
use crate::listing::{self, Source};
use crate::refusal::Refusal;

/// `GET /inboxes`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let archived = call.query.flag("archived").map_err(|problem| vec![problem]);
    let directory = &call.caller.directory;
    let source = Source {
        list: List::Inboxes,
        objects: directory.inboxes(archived.as_ref().is_ok_and(|archived| *archived == Some(true))),
        id: InboxId,
        matches: archived.map(|_| None::<fn(&Inbox) -> bool>),
    };
    listing::page(&call, source, |id| directory.inbox(id), super::shown)
}

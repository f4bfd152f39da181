//! The inboxes of the portal.

use antiphon_store::Inbox;
use antiphon_wire::cursor::List;

use crate::call::{Answer, Call};
use crate::listing;
use crate::refusal::Refusal;

/// `GET /inboxes`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let archived = call.query.flag("archived").map_err(|problem| vec![problem]);
    let filter = archived.map(|archived| {
        let archived = archived.unwrap_or_default();
        move |inbox: &Inbox| inbox.archived_at.is_some() == archived
    });
    listing::page(&call, List::Inboxes, call.caller.directory.inboxes.values(), filter, super::shown)
}

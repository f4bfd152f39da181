//! The apps of the portal by id, suspended ones included, without their secrets.

use antiphon_store::AppId;
use antiphon_wire::cursor::List;

use crate::call::{Answer, Call};
use crate::listing;
use crate::refusal::Refusal;

/// `GET /apps`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let asked = listing::asked(&call.query, List::Apps)?;
    let found = call.caller.directory.apps().after(asked.after.map(AppId));
    let now = call.app.store.now();
    listing::by_id(&call, List::Apps, asked, found.map(|app| (app.id.0, super::shown(app, now))))
}

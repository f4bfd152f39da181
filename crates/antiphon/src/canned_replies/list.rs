//! Ready-made words that somebody has: everybody's, and their own.

use antiphon_wire::cursor::List;

use crate::actors::acting::asking_or_nobody;
use crate::call::{Answer, Call};
use crate::listing;
use crate::refusal::Refusal;

/// `GET /canned-replies`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let agent = asking_or_nobody(&call).map_err(|problem| Refusal::Invalid(vec![problem]))?;
    let asked = listing::asked(&call.query, List::CannedReplies)?;
    let (store, after) = (&call.app.store, asked.after.unwrap_or_default());
    let found = store.canned_replies(call.caller.portal(), agent, after, asked.limit + 1).await?;
    listing::by_id(&call, List::CannedReplies, asked, found.iter().map(|one| (one.id, super::shown(one))))
}

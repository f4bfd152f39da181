//! Where an agent has begun to write, those threads first where they wrote last.

use antiphon_wire::answering::DraftNote;
use antiphon_wire::id::Id;
use antiphon_wire::timestamp::Timestamp;

use super::put::MOST;
use crate::actors::acting::asking;
use crate::call::{Answer, Call};
use crate::listing;
use crate::refusal::Refusal;

/// `GET /drafts`
pub async fn mine(call: Call) -> Result<Answer, Refusal> {
    let agent = asking(&call).map_err(|problem| Refusal::Invalid(vec![problem]))?;
    let found = call.app.store.drafts(call.caller.portal(), agent, MOST).await?;
    let shown = found.into_iter().map(|draft| DraftNote {
        thread_id: Id(draft.thread_id.0),
        kind: super::kind_shown(draft.kind),
        preview: draft.preview,
        updated_at: Timestamp(draft.touched_at),
    });
    // An agent has no more than stand on one page.
    listing::whole(&call, shown)
}

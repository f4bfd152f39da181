//! What an agent has begun to write in a thread.

use antiphon_wire::answering::{Draft, DraftBody};
use antiphon_wire::id::Id;
use antiphon_wire::timestamp::Timestamp;

use crate::actors::acting::asking;
use crate::call::{Answer, Call};
use crate::refusal::Refusal;
use crate::threads::{path, thread_id};

/// `GET /threads/{threadId}/draft`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let thread = thread_id(&call)?;
    let agent = asking(&call).map_err(|problem| Refusal::Invalid(vec![problem]))?;
    let found = call.app.store.draft(call.caller.portal(), thread, agent).await?;
    let found = found.ok_or_else(|| Refusal::not_found(path(&call, 0)))?;
    let body: DraftBody = serde_json::from_str(&found.body)
        .map_err(|e| Refusal::Internal(format!("a draft in thread {thread} cannot be read: {e}")))?;
    let (kind, updated_at) = (super::kind_shown(found.kind), Timestamp(found.touched_at));
    Answer::json(200, &Draft { thread_id: Id(thread.0), kind, body, updated_at })
}

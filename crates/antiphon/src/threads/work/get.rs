//! One thread as agents see it.

use antiphon_store::Thread;
use antiphon_wire::timestamp::Timestamp;
use antiphon_wire::work::{ReadBy, WorkThreadDetail};

use super::super::{path, thread_id};
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// Most readers that are told.
const MOST_READERS: usize = 200;

/// `GET /threads/{threadId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let (id, portal) = (thread_id(&call)?, call.caller.portal());
    let unknown = || Refusal::not_found(path(&call, 0));
    let known = call.app.store.thread_by_id(portal, id).await?.ok_or_else(unknown)?;
    let shown = super::print(&call, &[Thread::clone(&known)]).await?;
    let thread = shown.into_iter().next().ok_or_else(unknown)?;
    let read = call.app.store.reads_on(portal, id, MOST_READERS).await?;
    let read_by = read.into_iter().map(|mark| ReadBy {
        actor_id: mark.reader,
        message_id: mark.message_id.to_string(),
        at: Timestamp(mark.at),
    });
    Answer::json(200, &WorkThreadDetail { thread, read_by: read_by.collect() })
}

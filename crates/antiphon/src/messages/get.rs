//! One entry of a thread's history.

use super::{message_id, print};
use crate::call::{Answer, Call};
use crate::files::links::Links;
use crate::refusal::Refusal;
use crate::threads::{path, thread_id};

/// `GET /threads/{threadId}/messages/{messageId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let (thread, id) = (thread_id(&call)?, message_id(&call)?);
    let found = call.app.store.message_by_id(call.caller.portal(), thread, id).await?;
    let message = found.ok_or_else(|| Refusal::not_found(path(&call, 1)))?;
    Ok(Answer::ok(print(&message, &Links::of(&call))))
}

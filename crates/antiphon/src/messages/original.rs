//! What a message said before anything was cut off.

use antiphon_store::{MessageKind, Original};
use antiphon_wire::message as wire;

use super::bodies::Bodies;
use super::message_id;
use crate::call::{Answer, Call};
use crate::refusal::Refusal;
use crate::threads::{path, thread_id};

/// `GET /threads/{threadId}/messages/{messageId}/original-content`
pub async fn original(call: Call) -> Result<Answer, Refusal> {
    let (thread, id) = (thread_id(&call)?, message_id(&call)?);
    let found = call.app.store.original_by_id(call.caller.portal(), thread, id).await?;
    let body = found.map(content).transpose()?.flatten();
    Ok(Answer::ok(body.ok_or_else(|| Refusal::not_found(path(&call, 1)))?))
}

/// Both bodies; `None` for entries that have none.
fn content(found: Original) -> Result<Option<Vec<u8>>, Refusal> {
    let message = found.message;
    if !matches!(message.kind, MessageKind::Message | MessageKind::Comment | MessageKind::WelcomeMessage) {
        return Ok(None);
    }
    if found.original.is_some() {
        return Ok(found.original);
    }
    let read = wire::read(&message.document.bytes);
    let read = read.ok_or_else(|| Refusal::Internal(format!("message {} cannot be read", message.id)))?;
    Ok(Some(Bodies::complete(read.text, read.rich_text).to_json()))
}

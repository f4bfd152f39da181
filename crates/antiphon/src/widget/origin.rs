//! Where a chat came from, for those who answer.

use antiphon_wire::widget::ChatOrigin;

use super::say::Beginning;
use crate::call::{Answer, Call};
use crate::refusal::Refusal;
use crate::threads::{path, thread_id};

/// `GET /antiphon/v1/threads/{threadId}/chat`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let id = thread_id(&call)?;
    let chat = call.app.store.chats_by_threads(call.caller.portal(), &[id]).await?.pop();
    let chat = chat.ok_or_else(|| Refusal::not_found(path(&call, 0)))?;
    // What an app said for an AI agent is for that alone.
    let Beginning { url, email, identified, .. } = Beginning::parse(chat.said.as_deref());
    Answer::json(200, &ChatOrigin { url, said_email: email, identified })
}

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

#[cfg(test)]
mod tests {
    use antiphon_store::{MessageId, StoredMessage};
    use antiphon_wire::message::{Client, ClientType, Message, MessageType};

    use super::*;

    fn found(kind: MessageKind, text: Option<&str>, original: Option<&str>) -> Original {
        let client = Client::of(ClientType::Hubspot);
        let mut message = Message::new(MessageType::Comment, "m".into(), 1, 1, "S-hubspot".into(), client);
        message.text = text.map(str::to_owned);
        let document = crate::messages::document(&message);
        let message =
            StoredMessage { id: MessageId([1; 16]), kind, direction: None, document, archived: false };
        Original { message, original: original.map(|text| text.as_bytes().to_vec()) }
    }

    #[test]
    fn both_bodies_or_nothing() {
        let whole = content(found(MessageKind::Comment, Some("hi"), None)).unwrap().unwrap();
        let whole: serde_json::Value = serde_json::from_slice(&whole).unwrap();
        assert_eq!(whole, serde_json::json!({ "text": "hi", "richText": "<div>hi</div>" }));
        let cut = content(found(MessageKind::Message, Some("hi"), Some("{}"))).unwrap();
        assert_eq!(cut.as_deref(), Some(&b"{}"[..]));
        for kind in [MessageKind::Assignment, MessageKind::ThreadStatusChange, MessageKind::ThreadInboxChange]
        {
            assert_eq!(content(found(kind, None, None)), Ok(None));
        }
    }
}

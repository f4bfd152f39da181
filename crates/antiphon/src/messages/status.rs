//! What became of an outgoing message: delivered, read, failed.

use antiphon_store::{Changes, Direction, Document, Moment, Replacement, State};
use antiphon_wire::message::{self as wire, Status, StatusType};
use antiphon_wire::timestamp::Timestamp;

use crate::events::kinds;
use crate::refusal::Refusal;

/// What is reported. The target is [`antiphon_store::Target::Message`].
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The message as the client named it.
    pub sent: String,
    pub status: StatusType,
    /// Why it failed, for the agent.
    pub error: Option<String>,
}

/// The rule. Any order of states is accepted, except that what was read stays read when it is reported as sent.
pub fn set_status(state: &State, delivery: &Delivery, moment: &mut Moment) -> Result<Changes, Refusal> {
    let (Some(thread), Some(stored)) = (&state.thread, &state.message) else {
        return Err(Refusal::not_found(&delivery.sent));
    };
    if stored.direction != Some(Direction::Outgoing) {
        return Err(Refusal::invalid(
            "messageId",
            "Only outgoing messages have a delivery status that can be set",
        ));
    }
    if delivery.status == StatusType::Received {
        return Err(Refusal::invalid("statusType", "RECEIVED cannot be set; use SENT, READ or FAILED"));
    }
    let mut message = wire::read(&stored.document.bytes)
        .ok_or_else(|| Refusal::Internal(format!("message {} cannot be read", stored.id)))?;
    let status = match (delivery.status, &delivery.error) {
        (StatusType::Failed, error) => {
            Status::failed(error.as_deref().unwrap_or("The message was not delivered"))
        }
        (status, _) => Status::of(status),
    };
    let before = message.status.as_ref();
    let read = before.is_some_and(|before| before.status_type == StatusType::Read);
    let mut changes = Changes::default();
    if before == Some(&status) || (read && delivery.status == StatusType::Sent) {
        return Ok(changes);
    }
    message.status = Some(status);
    message.updated_at = Some(Timestamp(moment.now.max(message.created_at.0)));
    let document = Document { format: wire::FORMAT, bytes: message.document() };
    changes.replaced.push(Replacement { thread_id: thread.id, message_id: stored.id, document });
    changes.events.push(kinds::entry_touched(thread.id, moment.now, stored.id, stored.kind));
    Ok(changes)
}

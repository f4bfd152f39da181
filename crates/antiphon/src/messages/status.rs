//! What became of an outgoing message: delivered, read, failed.

use antiphon_store::{Changes, Direction, Moment, Replacement, State, Target};
use antiphon_wire::error::Problem;
use antiphon_wire::message::{self as wire, Status, StatusType};
use antiphon_wire::own::DeliveryUpdate;
use antiphon_wire::timestamp::Timestamp;

use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::events::kinds;
use crate::files::links::Links;
use crate::refusal::Refusal;
use crate::threads::{path, thread_id};

/// What is reported. The target is [`antiphon_store::Target::Message`].
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The message as the client named it.
    pub sent: String,
    pub status: StatusType,
    /// Why it failed, for the agent.
    pub error: Option<String>,
}

/// `PUT /threads/{threadId}/messages/{messageId}/status`
pub async fn report(call: Call) -> Result<Answer, Refusal> {
    let (thread, id) = (thread_id(&call)?, super::message_id(&call)?);
    let body: DeliveryUpdate = call.json()?;
    let mut checks = Checks::default();
    let sent = body.status_type.ok_or_else(|| Problem::required("statusType"));
    let status = checks.take(sent.and_then(|sent| StatusType::read("statusType", &sent)));
    checks.done()?;
    let delivery = Delivery {
        sent: path(&call, 1).to_owned(),
        status: status.unwrap_or(StatusType::Sent),
        error: body.failure_details.and_then(|details| details.error_message),
    };
    let (store, portal) = (&call.app.store, call.caller.portal());
    let rule = move |state: &State, moment: &mut Moment| set_status(state, &delivery, moment);
    store.change(portal, Target::Message(thread, id), rule).await??;
    let stored = store.message_by_id(portal, thread, id).await?;
    let stored = stored.ok_or_else(|| Refusal::not_found(id))?;
    Ok(Answer::ok(super::print(&stored, &Links::of(&call))))
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
    let document = super::document(&message);
    changes.replaced.push(Replacement { thread_id: thread.id, message_id: stored.id, document });
    changes.events.push(kinds::entry_touched(thread.id, moment.now, stored.id, stored.kind));
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use antiphon_store::{MessageId, MessageKind, StoredMessage};

    use super::*;
    use crate::messages::post::tests::letter;
    use crate::testing::{self, NOW};

    fn sent() -> State {
        let mut state = testing::state();
        let changes = crate::messages::post::post_message(
            &state,
            &letter(serde_json::json!({})),
            &mut Moment::still(NOW),
        );
        let message = changes.unwrap().messages.remove(0);
        state.message = Some(StoredMessage {
            id: message.id,
            kind: message.kind,
            direction: message.direction,
            document: message.document,
            archived: false,
        });
        state
    }

    fn report(status: StatusType, error: Option<&str>) -> Delivery {
        Delivery { sent: "m".into(), status, error: error.map(str::to_owned) }
    }

    #[test]
    fn sent_read_failed() {
        use StatusType::{Failed, Read, Sent};
        let mut state = sent();
        for (reported, changed) in
            [(Sent, false), (Read, true), (Read, false), (Sent, false), (Failed, true), (Sent, true)]
        {
            let changes = set_status(&state, &report(reported, None), &mut Moment::still(NOW + 10)).unwrap();
            assert_eq!(!changes.is_empty(), changed, "{reported:?}");
            if let Some(replaced) = changes.replaced.first() {
                let message = wire::read(&replaced.document.bytes).unwrap();
                assert_eq!(message.status.unwrap().status_type, reported);
                assert_eq!((message.created_at.0, message.updated_at.unwrap().0), (NOW, NOW + 10));
                assert_eq!(testing::events(&changes), ["(touched)"]);
                state.message.as_mut().unwrap().document = replaced.document.clone();
            }
        }
    }

    #[test]
    fn the_reason_of_a_failure_is_kept() {
        let failed = report(StatusType::Failed, Some("The mailbox is full"));
        let changes = set_status(&sent(), &failed, &mut Moment::still(NOW + 1)).unwrap();
        let message = wire::read(&changes.replaced[0].document.bytes).unwrap();
        let details = message.status.unwrap().failure_details.unwrap();
        assert_eq!(details.error_message.as_deref(), Some("The mailbox is full"));
    }

    #[test]
    fn what_cannot_be_set() {
        let mut state = sent();
        let refused = set_status(&state, &report(StatusType::Received, None), &mut Moment::still(NOW));
        assert_eq!(testing::status(&refused.unwrap_err()), 400);
        let message = state.message.as_mut().unwrap();
        (message.direction, message.kind, message.id) = (None, MessageKind::Comment, MessageId([1; 16]));
        let refused = set_status(&state, &report(StatusType::Read, None), &mut Moment::still(NOW));
        assert_eq!(testing::status(&refused.unwrap_err()), 400);
        state.message = None;
        let refused = set_status(&state, &report(StatusType::Read, None), &mut Moment::still(NOW));
        assert_eq!(refused, Err(Refusal::not_found("m")));
    }
}

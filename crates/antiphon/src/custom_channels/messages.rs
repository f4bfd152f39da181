//! One message of a channel: read, and told how far it got.

use antiphon_store::{MessageId, MessageKind, Moment, State, StoredMessage, Target, ThreadId};
use antiphon_wire::custom_channels::MessageStatusUpdate;
use antiphon_wire::error::Problem;
use antiphon_wire::message::{self as wire, StatusType};

use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::files::links::Links;
use crate::messages::print;
use crate::messages::status::{Delivery, set_status};
use crate::refusal::Refusal;

/// `GET /{channelId}/messages/{messageId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let (_, message) = named(&call).await?;
    Ok(Answer::ok(print(&message, &Links::of(&call))))
}

/// `PATCH /{channelId}/messages/{messageId}`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let body: MessageStatusUpdate = call.json()?;
    let mut checks = Checks::default();
    let sent = body.status_type.ok_or_else(|| Problem::required("statusType"));
    let status = checks.take(sent.and_then(|sent| StatusType::read("statusType", &sent)));
    checks.done()?;
    let (thread, message) = named(&call).await?;
    let delivery = Delivery {
        sent: call.segment(1).to_owned(),
        status: status.unwrap_or(StatusType::Sent),
        error: body.error_message.filter(|text| !text.trim().is_empty()),
    };
    let (store, portal) = (&call.app.store, call.caller.portal());
    let rule = move |state: &State, moment: &mut Moment| set_status(state, &delivery, moment);
    store.change(portal, Target::Message(thread, message.id), rule).await??;
    let stored = store.message_by_id(portal, thread, message.id).await?;
    let stored = stored.ok_or_else(|| Refusal::not_found(message.id))?;
    Ok(Answer::ok(print(&stored, &Links::of(&call))))
}

/// The message that the path names, if it was said on the channel that the path names.
async fn named(call: &Call) -> Result<(ThreadId, StoredMessage), Refusal> {
    let channel = super::named(call)?.id;
    let sent = call.segment(1);
    let missing = || Refusal::not_found(sent);
    let id = MessageId::parse(sent).ok_or_else(missing)?;
    let (store, portal) = (&call.app.store, call.caller.portal());
    let thread = store.thread_of_message(portal, id).await?.ok_or_else(missing)?;
    let message = store.message_by_id(portal, thread, id).await?.ok_or_else(missing)?;
    let read = wire::read(&message.document.bytes).and_then(|message| message.channel_id);
    let on_channel = message.kind == MessageKind::Message && read.is_some_and(|id| id.0 == channel);
    if on_channel { Ok((thread, message)) } else { Err(missing()) }
}

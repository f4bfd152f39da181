//! The spine itself, for integrators: in pages, as a stream, or on a WebSocket.

use antiphon_store::{Event, EventKind, ObjectKind};
use antiphon_wire::own;
use antiphon_wire::timestamp::Timestamp;
use serde_json::value::RawValue;

use crate::call::{Answer, Call};
use crate::middleware::form::Form;
use crate::realtime::filter::Filter;
use crate::realtime::{poll, socket, sse};
use crate::refusal::Refusal;

/// `GET /events`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let filter = Filter::of(&call).map_err(Refusal::Invalid)?;
    match &call.form {
        Form::Whole => poll::page(&call, filter).await,
        Form::Stream { resume } => sse::open(&call, filter, resume.as_deref()).await,
        Form::Socket(opening) => socket::open(&call, filter, opening.clone()).await,
    }
}

/// An event as the API prints it.
pub fn shown(event: Event) -> own::Event {
    own::Event {
        position: event.position,
        kind: kind_name(event.kind),
        object_type: object_name(event.object),
        object_id: event.object_id,
        revision: event.revision,
        occurred_at: Timestamp(event.occurred_at),
        payload: RawValue::from_string(event.payload).ok(),
    }
}

/// Public events under their public names, the others under ours.
pub const fn kind_name(kind: EventKind) -> &'static str {
    match kind {
        EventKind::ThreadCreated => "conversation.creation",
        EventKind::MessageAdded => "conversation.newMessage",
        EventKind::ThreadChanged => "conversation.propertyChange",
        EventKind::ThreadArchived => "conversation.deletion",
        EventKind::ThreadPurged => "conversation.privacyDeletion",
        EventKind::ThreadTouched => "antiphon.threadTouched",
        EventKind::VisitorChanged => "antiphon.visitorChanged",
        EventKind::TicketChanged => "antiphon.ticketChanged",
        EventKind::FileChanged => "antiphon.fileChanged",
        EventKind::DirectoryChanged => "antiphon.directoryChanged",
        EventKind::WebhookPaused => "antiphon.webhookPaused",
        EventKind::AccountCreated => "antiphon.channelAccountCreated",
        EventKind::AccountUpdated => "antiphon.channelAccountUpdated",
        EventKind::AccountPurged => "antiphon.channelAccountPurged",
        EventKind::ThreadRead => "antiphon.threadRead",
        EventKind::Mentioned => "antiphon.mentioned",
        EventKind::CannedReplyChanged => "antiphon.cannedReplyChanged",
        EventKind::MessageRetried => "antiphon.messageRetried",
    }
}

fn object_name(object: ObjectKind) -> &'static str {
    match object {
        ObjectKind::Thread => "THREAD",
        ObjectKind::Visitor => "VISITOR",
        ObjectKind::Ticket => "TICKET",
        ObjectKind::File => "FILE",
        ObjectKind::Directory => "DIRECTORY",
        ObjectKind::App => "APP",
        ObjectKind::Account => "CHANNEL_ACCOUNT",
    }
}

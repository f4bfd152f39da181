//! The spine itself, for integrators who want to check what was recorded.

use antiphon_store::{Event, EventKind, ObjectKind};
use antiphon_wire::own;
use antiphon_wire::timestamp::Timestamp;
use serde_json::value::RawValue;

use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /events`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let (after, limit) = match (call.query.int("after"), call.query.limit("limit", 100, 500)) {
        (Ok(after), Ok(limit)) => (after.unwrap_or_default(), limit),
        (after, limit) => {
            return Err(Refusal::Invalid([after.err(), limit.err()].into_iter().flatten().collect()));
        }
    };
    let (store, portal) = (&call.app.store, call.caller.portal());
    // Asked first, so that a page never reaches beyond the position it reports.
    let position = store.event_position(portal).await?;
    let events = store.events_after(portal, after.max(0), limit).await?;
    let results: Vec<_> = events.into_iter().filter(|event| event.position <= position).map(shown).collect();
    Answer::json(200, &own::EventPage { results, position })
}

fn shown(event: Event) -> own::Event {
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
fn kind_name(kind: EventKind) -> &'static str {
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
    }
}

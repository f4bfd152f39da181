//! The body of a request: the events of a batch as a JSON array.

use antiphon_store::{AppId, EventKind, MessageId, PortalId, Store, ThreadId};
use antiphon_wire::events as wire;
use serde_json::value::RawValue;

use super::matching::{Payload, public_name};
use super::queue::Item;
use crate::webhooks::event_id::event_id;
use crate::{contacts, messages, threads};

/// Prints a batch. Whatever a subscription wants besides ids is looked up now; what is gone by now is left out.
pub async fn print(store: &Store, portal: PortalId, app: AppId, batch: &[Item]) -> Vec<u8> {
    let mut body = Vec::with_capacity(320 * batch.len() + 2);
    body.push(b'[');
    for (index, item) in batch.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        let payload = Payload::of(&item.event);
        let [message, thread, contact] = expanded(store, portal, item, &payload).await;
        let event = wire::Event {
            event_id: event_id(item.key()),
            subscription_id: item.subscription.id.0,
            portal_id: portal.0,
            app_id: app.0,
            occurred_at: item.event.occurred_at,
            subscription_type: public_name(item.event.kind).unwrap_or_default(),
            attempt_number: item.attempts,
            object_id: item.event.object_id,
            change_flag: match item.event.kind {
                EventKind::ThreadCreated => Some("CREATED"),
                EventKind::MessageAdded => Some("NEW_MESSAGE"),
                EventKind::ThreadArchived => Some("DELETED"),
                _ => None,
            },
            change_source: payload.change_source.as_deref(),
            source_id: payload.source_id.as_deref(),
            property_name: payload.property_name.as_deref(),
            property_value: payload.property_value.as_deref(),
            message_id: payload.message_id.as_deref(),
            message_type: payload.message_type.as_deref(),
            message,
            thread,
            contact,
        };
        // Nothing in it can fail to print.
        serde_json::to_writer(&mut body, &event).ok();
    }
    body.push(b']');
    body
}

/// Message, thread and contact, as far as they are wanted and there.
async fn expanded(
    store: &Store,
    portal: PortalId,
    item: &Item,
    payload: &Payload,
) -> [Option<Box<RawValue>>; 3] {
    let expand = item.subscription.expand;
    let id = ThreadId(item.event.object_id);
    let mut found = [None, None, None];
    if expand.message
        && let Some(message) = payload.message_id.as_deref().and_then(MessageId::parse)
        && let Ok(Some(message)) = store.message_by_id(portal, id, message).await
    {
        found[0] = raw(messages::print(&message));
    }
    if (expand.thread || expand.contact)
        && let Ok(Some(thread)) = store.thread_by_id(portal, id).await
    {
        if expand.thread {
            let mut out = Vec::with_capacity(512);
            threads::print_known(&thread, true, &mut out);
            found[1] = raw(out);
        }
        if expand.contact
            && let Ok(visitors) = store.visitors_by_ids(portal, &[thread.visitor_id]).await
        {
            let shown =
                visitors.first().and_then(|visitor| serde_json::to_vec(&contacts::shown(visitor)).ok());
            found[2] = shown.and_then(raw);
        }
    }
    found
}

fn raw(json: Vec<u8>) -> Option<Box<RawValue>> {
    String::from_utf8(json).ok().and_then(|json| RawValue::from_string(json).ok())
}

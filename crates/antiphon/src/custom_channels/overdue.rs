//! Messages that nobody will hand over any more, since what would have told of them is about to be forgotten: they have failed, and
//! somebody has to say so before it is.
//!
//! Whoever tells apps gives up what waits, see [`super::closing`]. But a channel that is paused may be so for longer than events are
//! kept, and whoever tells an app may be away for longer than it is known to have been removed.

use antiphon_store::{
    Delivery, DeliveryState, Event, EventKind, MessageId, Millis, StoreError, ThreadId, Told,
};
use serde::Deserialize;

use crate::app::App;
use crate::webhooks::deliver::channel;

/// How many rows or events are looked at together.
const PAGE: usize = 500;

/// What is forgotten.
#[derive(Debug, Clone, Copy)]
pub struct Forgotten {
    /// Events from before this moment that have been read.
    pub read: Millis,
    /// Events from before this moment, read or not.
    pub all: Millis,
    /// Why nobody is told of them any more.
    pub why: &'static str,
}

/// The members of payloads that matter here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Payload {
    message_id: Option<String>,
    channel_id: Option<String>,
}

/// The message that an event tells of, if it is to be carried on this channel.
fn message(event: &Event, channel: i64) -> Option<(ThreadId, MessageId)> {
    if event.kind != EventKind::MessageAdded {
        return None;
    }
    let payload: Payload = serde_json::from_str(&event.payload).unwrap_or_default();
    payload.channel_id.filter(|id| *id == channel.to_string())?;
    Some((ThreadId(event.object_id), MessageId::parse(&payload.message_id?)?))
}

/// Gives up what waits on a channel and is about to be forgotten; how many messages that were. Harmless to repeat and to
/// interrupt.
///
/// # Errors
/// When the store cannot be asked or written.
pub async fn give_up(app: &App, told: Told, forgotten: Forgotten) -> Result<u64, StoreError> {
    let Some(channel) = told.app.channel() else { return Ok(0) };
    Ok(tried(app, told, channel, forgotten).await? + unread(app, told, channel, forgotten).await?)
}

/// What was tried and waits for its next time, or behind what does.
async fn tried(app: &App, told: Told, channel: i64, forgotten: Forgotten) -> Result<u64, StoreError> {
    let (store, mut after, mut failed) = (&app.store, None, 0);
    loop {
        let page = store.deliveries(told.portal, told.app, DeliveryState::Waiting, after, PAGE).await?;
        let full = page.len() == PAGE;
        after = page.last().map(Delivery::key);
        for one in page {
            let event = store.events_after(told.portal, one.position - 1, 1).await?.pop();
            let event = event.filter(|event| event.position == one.position);
            // They are in the order of their events.
            if event.as_ref().is_some_and(|event| event.occurred_at >= forgotten.read) {
                return Ok(failed);
            }
            if let Some((thread, id)) = event.and_then(|event| message(&event, channel)) {
                channel::fail_message(app, told.portal, thread, id, forgotten.why).await?;
                failed += 1;
            }
            let given_up = Delivery { due_at: None, error: forgotten.why.into(), ..one };
            store.deliveries_put(told.portal, told.app, vec![given_up]).await?;
        }
        if !full {
            return Ok(failed);
        }
    }
}

/// What nobody has read.
async fn unread(app: &App, told: Told, channel: i64, forgotten: Forgotten) -> Result<u64, StoreError> {
    let store = &app.store;
    let Some(cursor) = store.cursor(told.portal, antiphon_store::Reader::Webhooks, told.app).await? else {
        return Ok(0);
    };
    let (mut position, mut failed) = (cursor.position, 0);
    loop {
        let page = store.events_after(told.portal, position, PAGE).await?;
        let Some(last) = page.last().map(|event| event.position) else { return Ok(failed) };
        for event in &page {
            if event.occurred_at >= forgotten.all {
                return Ok(failed);
            }
            if let Some((thread, id)) = message(event, channel) {
                channel::fail_message(app, told.portal, thread, id, forgotten.why).await?;
                failed += 1;
            }
        }
        position = last;
    }
}

#[cfg(test)]
mod tests {
    use antiphon_store::ObjectKind;

    use super::*;

    #[test]
    fn only_messages_for_the_channel_wait_on_it() {
        let id = "6c1ad0e2f43b4f0c9d1f7ab2c6e05d31";
        for (kind, payload, waits) in [
            (EventKind::MessageAdded, format!(r#"{{"messageId":"{id}","channelId":"5"}}"#), true),
            (EventKind::MessageAdded, format!(r#"{{"messageId":"{id}","channelId":"6"}}"#), false),
            (EventKind::MessageAdded, format!(r#"{{"messageId":"{id}"}}"#), false),
            (EventKind::MessageAdded, r#"{"messageId":"x","channelId":"5"}"#.into(), false),
            (EventKind::MessageAdded, "[".into(), false),
            (EventKind::AccountCreated, r#"{"channelId":"5"}"#.into(), false),
        ] {
            let event = Event {
                position: 1,
                kind,
                object: ObjectKind::Thread,
                object_id: 7,
                revision: 1,
                occurred_at: 1,
                payload: payload.clone(),
            };
            let expected = waits.then(|| (ThreadId(7), MessageId::parse(id).unwrap()));
            assert_eq!(message(&event, 5), expected, "{payload}");
        }
    }
}

//! What an app is told of a channel that it brought: accounts that come, change and go, and messages that it has to carry.

use std::sync::Arc;

use antiphon_store::{
    AppId, Changes, EventKind, Expand, MessageId, Moment, PortalId, State, StoreError, Subscription,
    SubscriptionId, Target, ThreadId, Told,
};
use antiphon_wire::channel_events::ChannelEvent;
use antiphon_wire::id::Id;
use antiphon_wire::message::{self as wire, StatusType};
use antiphon_wire::timestamp::Timestamp;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::queue::Item;
use crate::app::App;
use crate::files::links::Links;
use crate::messages;
use crate::messages::status::{Delivery, set_status};

/// How often a message is tried before later ones of its thread no longer wait for it.
pub const HOLDS: i64 = 3;

/// What everybody is subscribed to who brought a channel.
const MESSAGES: SubscriptionId = SubscriptionId(1);
const ACCOUNTS: SubscriptionId = SubscriptionId(2);

/// What the app is told of a channel, and as what.
pub fn subscriptions(key: AppId) -> Vec<(EventKind, Arc<Subscription>)> {
    let all = [
        (EventKind::MessageAdded, MESSAGES),
        (EventKind::MessageRetried, MESSAGES),
        (EventKind::AccountCreated, ACCOUNTS),
        (EventKind::AccountUpdated, ACCOUNTS),
        (EventKind::AccountPurged, ACCOUNTS),
    ];
    let subscription = |id| Subscription {
        id,
        app_id: key,
        event_type: String::new(),
        property_name: None,
        object_type_id: None,
        event_type_name: None,
        active: true,
        since: 0,
        since_at: 0,
        expand: Expand::default(),
        ordered: true,
        created_at: 0,
        updated_at: None,
        deleted_at: None,
    };
    all.into_iter().map(|(kind, id)| (kind, Arc::new(subscription(id)))).collect()
}

/// The body of a request: one event. `None` when there is nothing to tell any more, since the message is gone.
pub async fn print(app: &App, told: Told, item: &Item) -> Result<Option<Vec<u8>>, StoreError> {
    let (event, payload) = (&item.event, item.event.payload());
    let number = |text: &Option<String>| Id(text.as_ref().and_then(|id| id.parse().ok()).unwrap_or_default());
    let mut said = ChannelEvent {
        kind: match event.kind {
            EventKind::MessageAdded | EventKind::MessageRetried => "OUTGOING_CHANNEL_MESSAGE_CREATED",
            EventKind::AccountCreated => "CHANNEL_ACCOUNT_CREATED",
            EventKind::AccountPurged => "CHANNEL_ACCOUNT_PURGED",
            _ => "CHANNEL_ACCOUNT_UPDATED",
        },
        portal_id: Id(told.portal.0),
        channel_id: number(&payload.channel_id),
        channel_account_id: number(&payload.channel_account_id),
        channel_account_delivery_identifier: payload.delivery_identifier.as_deref(),
        authorized: payload.authorized,
        active: payload.active,
        event_id: event_id(told, item),
        event_timestamp: Timestamp(event.occurred_at),
        channel_integration_thread_ids: None,
        message: None,
    };
    if let Some((thread, id)) = message_of(item) {
        let Some(message) = app.store.message_by_id(told.portal, thread, id).await? else { return Ok(None) };
        let printed = messages::print(&message, &Links::new(app, &app.public_url));
        // What is stored is JSON.
        said.message = String::from_utf8(printed).ok().and_then(|json| RawValue::from_string(json).ok());
        said.channel_integration_thread_ids = Some(app.store.thread_keys(told.portal, thread).await?);
    }
    Ok(serde_json::to_vec(&said).ok())
}

/// The message that an event is about.
fn message_of(item: &Item) -> Option<(ThreadId, MessageId)> {
    let id = item.event.payload().message_id.as_deref().and_then(MessageId::parse)?;
    (item.subscription.id == MESSAGES).then_some((ThreadId(item.event.object_id), id))
}

/// Receivers tell by it what they have seen already: no two events have the same one, wherever they happened, and an event has
/// it whenever it is sent.
fn event_id(told: Told, item: &Item) -> String {
    let event = &item.event;
    let text = format!("{} {} {} {}", told.portal, event.position, event.occurred_at, event.payload);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Sha256::digest(text)[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// Does what is to be done about an event whose time is over: a message that could not be handed over has failed, and whoever
/// wrote it sees that. `false` when it has to be tried again.
pub async fn given_up(app: &App, told: Told, item: &Item, why: &str) -> bool {
    if told.app.channel().is_none() {
        return true;
    }
    let done = fail(app, told, item, why).await;
    if let Err(error) = &done {
        tracing::warn!(%error, "a message is not marked as failed yet");
    }
    done.is_ok()
}

async fn fail(app: &App, told: Told, item: &Item, why: &str) -> Result<(), StoreError> {
    match message_of(item) {
        Some((thread, message)) => fail_message(app, told.portal, thread, message, why).await,
        None => Ok(()),
    }
}

/// Notes that a message could not be handed over. Harmless to repeat.
pub async fn fail_message(
    app: &App,
    portal: PortalId,
    thread: ThreadId,
    message: MessageId,
    why: &str,
) -> Result<(), StoreError> {
    let error = format!("The channel could not be reached. {why}");
    let delivery = Delivery { sent: message.to_string(), status: StatusType::Failed, error: Some(error) };
    let rule = move |state: &State, moment: &mut Moment| {
        let stored = state.message.as_ref().and_then(|stored| wire::read(&stored.document.bytes));
        let status = stored.and_then(|message| message.status);
        // The visitor has read it, so it came by another way.
        if status.is_some_and(|status| status.status_type == StatusType::Read) {
            return Ok(Changes::default());
        }
        set_status(state, &delivery, moment)
    };
    if let Err(refusal) = app.store.change(portal, Target::Message(thread, message), rule).await? {
        tracing::info!(?refusal, "a message that could not be handed over is gone");
    }
    Ok(())
}

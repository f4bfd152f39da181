//! A test event: sent at once, signed as all others are, and answered with what the receiver said. It is in no log, and is not
//! tried again.

use antiphon_store::{AppId, Millis, PortalId};
use antiphon_wire::channel_events::ChannelEvent;
use antiphon_wire::events::{Along, Happened, Printed, Telling};
use antiphon_wire::id::Id;
use antiphon_wire::timestamp::Timestamp;
use bytes::Bytes;
use uuid::Uuid;

use super::attempts::came_of;
use super::{named, settings};
use crate::audit::{self, On};
use crate::call::{Answer, Call};
use crate::refusal::Refusal;
use crate::webhooks::deliver::request::{self, Secrets};
use crate::webhooks::sign::Older;

/// `POST /apps/{appId}/webhook/test`
pub async fn send(call: Call) -> Result<Answer, Refusal> {
    let (id, directory) = named(&call).await?;
    let (app, webhook) = settings(&directory, id)?;
    let (now, portal) = (call.app.store.now(), call.caller.portal());
    let (older, body) = match id.channel() {
        Some(channel) => (Older::V2, of_channel(portal, channel, now)?),
        None => (Older::V1, of_app(portal, id, now)),
    };
    audit::note(&call, portal, On::one("WEBHOOK", id)).await?;
    let secrets = Secrets::default().of(app, now);
    let landed = request::post(&call.app, &webhook.target_url, older, secrets, Bytes::from(body)).await;
    let made = landed.attempts.into_iter().next_back();
    let attempt = made.ok_or_else(|| Refusal::Internal("no request was made".into()))?;
    Answer::json(200, &came_of(&attempt))
}

/// No subscription and no thread has the number 0, by which receivers can tell it.
fn of_app(portal: PortalId, app: AppId, now: Millis) -> Vec<u8> {
    let happened = Happened {
        occurred_at: now,
        subscription_type: "conversation.creation",
        change_flag: Some("CREATED"),
        change_source: Some("AUTOMATION_PLATFORM"),
        ..Happened::default()
    };
    let telling =
        Telling { event_id: 0, subscription_id: 0, portal_id: portal.0, app_id: app.0, attempt_number: 0 };
    let mut body = vec![b'['];
    Printed::new(&happened).print(&telling, &Along::default(), &mut body);
    body.push(b']');
    body
}

/// Of an account, since a message would be one to carry. None has the number 0, and this one is switched off. Its event is
/// another each time: receivers pass over what they have seen.
fn of_channel(portal: PortalId, channel: i64, now: Millis) -> Result<Vec<u8>, Refusal> {
    let said = ChannelEvent {
        kind: "CHANNEL_ACCOUNT_UPDATED",
        portal_id: Id(portal.0),
        channel_id: Id(channel),
        channel_account_id: Id(0),
        channel_account_delivery_identifier: None,
        authorized: Some(false),
        active: Some(false),
        event_id: Uuid::new_v4().to_string(),
        event_timestamp: Timestamp(now),
        channel_integration_thread_ids: None,
        message: None,
    };
    serde_json::to_vec(&said).map_err(|e| Refusal::Internal(e.to_string()))
}

//! A test event: sent at once, signed as all others are, and answered with what the receiver said. It is in no log, and is not
//! tried again.

use antiphon_wire::events::{Along, Happened, Printed, Telling};
use bytes::Bytes;

use super::attempts::came_of;
use super::{named, settings};
use crate::call::{Answer, Call};
use crate::refusal::Refusal;
use crate::webhooks::deliver::request::{self, Secrets};
use crate::webhooks::sign::Older;

/// `POST /apps/{appId}/webhook/test`
pub async fn send(call: Call) -> Result<Answer, Refusal> {
    let (id, directory) = named(&call).await?;
    if id.channel().is_some() {
        return Err(Refusal::invalid(
            "channelId",
            "There is no test event of a channel; answer a message on it",
        ));
    }
    let (app, webhook) = settings(&directory, id)?;
    let now = call.app.store.now();
    // No subscription and no thread has the number 0, by which receivers can tell it.
    let happened = Happened {
        occurred_at: now,
        subscription_type: "conversation.creation",
        change_flag: Some("CREATED"),
        change_source: Some("AUTOMATION_PLATFORM"),
        ..Happened::default()
    };
    let telling = Telling {
        event_id: 0,
        subscription_id: 0,
        portal_id: call.caller.portal().0,
        app_id: id.0,
        attempt_number: 0,
    };
    let mut body = vec![b'['];
    Printed::new(&happened).print(&telling, &Along::default(), &mut body);
    body.push(b']');
    let secrets = Secrets::default().of(app, now);
    let landed = request::post(&call.app, &webhook.target_url, Older::V1, secrets, Bytes::from(body)).await;
    let made = landed.attempts.into_iter().next_back();
    let attempt = made.ok_or_else(|| Refusal::Internal("no request was made".into()))?;
    Answer::json(200, &came_of(&attempt))
}

//! The requests that were sent to an app, the newest first.

use antiphon_store::{AppId, Attempt, AttemptQuery, PortalId, Store, SubscriptionId};
use antiphon_wire::cursor::List;
use antiphon_wire::id::{Id, MAX_SAFE, parse_path_id};
use antiphon_wire::timestamp::Timestamp;
use antiphon_wire::webhook_log::{SentEvent, WebhookAttempt, WebhookTrial};

use super::{is_own, seen, shown_url};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::events;
use crate::listing;
use crate::refusal::Refusal;
use crate::webhooks::event_id::event_id;
use crate::webhooks::sent;

/// `GET /apps/{appId}/webhook/attempts`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let (app, directory) = seen(&call).await?;
    let own = is_own(&directory, app) || call.caller.operator;
    let asked = listing::asked(&call.query, List::Attempts)?;
    let mut checks = Checks::default();
    let succeeded = checks.take(call.query.flag("succeeded")).flatten();
    let status = checks.take(call.query.int("status")).flatten();
    let since = checks.take(call.query.timestamp("since")).flatten();
    checks.done()?;
    let query = AttemptQuery { before: asked.after, succeeded, status, since, limit: asked.limit };
    let found = call.app.store.attempts(call.caller.portal(), app, &query).await?;
    listing::until(&call, List::Attempts, found.attempts.iter().map(|one| shown(one, own)), found.next)
}

/// `GET /apps/{appId}/webhook/attempts/{attemptId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let (store, portal) = (&call.app.store, call.caller.portal());
    let (app, directory) = seen(&call).await?;
    let attempt = sought(&call, app).await?;
    let mut shown = shown(&attempt, is_own(&directory, app) || call.caller.operator);
    for (sent, (position, ..)) in shown.events.iter_mut().zip(parts(&attempt)) {
        sent.event = event_at(store, portal, position).await?.map(events::list::shown);
    }
    Answer::json(200, &shown)
}

/// The attempt to tell an app that a call names.
pub(super) async fn sought(call: &Call, app: AppId) -> Result<Attempt, Refusal> {
    let sent = call.segment(1);
    let id = parse_path_id(sent, MAX_SAFE).ok_or_else(|| Refusal::not_found(sent))?;
    let found = call.app.store.attempt_by_id(call.caller.portal(), app, id).await?;
    found.ok_or_else(|| Refusal::not_found(sent))
}

/// What an attempt was made of: position, subscription, and how often it had been sent before.
pub(super) fn parts(attempt: &Attempt) -> Vec<(i64, SubscriptionId, i64)> {
    sent::read(&attempt.events)
}

/// The event at a position, unless it is past its retention.
pub(super) async fn event_at(
    store: &Store,
    portal: PortalId,
    position: i64,
) -> Result<Option<antiphon_store::Event>, Refusal> {
    let found = store.events_after(portal, position - 1, 1).await?.pop();
    Ok(found.filter(|event| event.position == position))
}

/// What came of a request.
pub(super) fn came_of(attempt: &Attempt) -> WebhookTrial {
    WebhookTrial {
        url: attempt.url.clone(),
        succeeded: attempt.succeeded,
        status: attempt.status,
        error: attempt.error.clone(),
        millis: attempt.millis,
        excerpt: attempt.excerpt.clone(),
    }
}

/// What was answered is the app's own business.
fn shown(attempt: &Attempt, own: bool) -> WebhookAttempt {
    let came = came_of(attempt);
    let came = WebhookTrial {
        url: shown_url(&came.url, own),
        excerpt: if own { came.excerpt } else { String::new() },
        ..came
    };
    let sent = |(position, subscription, made): (i64, SubscriptionId, i64)| SentEvent {
        event_id: Id(event_id((position, subscription))),
        subscription_id: Id(subscription.0),
        attempt_number: made,
        event: None,
    };
    WebhookAttempt {
        id: Id(attempt.id),
        at: Timestamp(attempt.at),
        sent: came,
        events: parts(attempt).into_iter().map(sent).collect(),
    }
}

//! Having events sent again, taken or not. They go with the same `eventId` as before, and a higher `attemptNumber`.

use antiphon_store::{AppId, Delivery, DeliveryState, Reader, SubscriptionId};
use antiphon_wire::error::Problem;
use antiphon_wire::id::{MAX_SAFE, parse_path_id};
use antiphon_wire::timestamp;
use antiphon_wire::webhook_log::{Resent, WebhookResend};

use super::attempts::{event_at, parts, sought};
use super::{named, settings};
use crate::audit::{self, On};
use crate::call::{Answer, Call};
use crate::refusal::Refusal;
use crate::webhooks::deliver::matching::Matching;
use crate::webhooks::deliver::spine::Occurrence;
use crate::webhooks::event_id;

/// `POST /apps/{appId}/webhook/attempts/{attemptId}/resend`
pub async fn attempt(call: Call) -> Result<Answer, Refusal> {
    let (app, _) = named(&call).await?;
    let attempt = sought(&call, app).await?;
    let (app, matching) = told(&call).await?;
    let all = parts(&attempt);
    let mut wanted = Vec::with_capacity(all.len());
    for &(position, subscription, made) in &all {
        wanted.extend(delivery(&call, app, &matching, (position, subscription), made + 1).await?);
    }
    if wanted.is_empty() {
        let why = "None of its events can be sent again: they are past their retention, or nobody is subscribed to them \
                   any more";
        return Err(Refusal::invalid("attemptId", why));
    }
    let (resent, all) = (wanted.len() as u64, all.len() as u64);
    again(&call, app, wanted).await?;
    Answer::json(200, &Resent { resent, skipped: all - resent })
}

/// `POST /apps/{appId}/webhook/events/{eventId}/resend`
pub async fn event(call: Call) -> Result<Answer, Refusal> {
    let (app, matching) = told(&call).await?;
    let sent = call.segment(1);
    let id = parse_path_id(sent, MAX_SAFE).ok_or_else(|| Refusal::not_found(sent))?;
    let subscription = matching.ids().find(|one| event_id::is_for(id, *one));
    let subscription = subscription.ok_or_else(|| Refusal::not_found(sent))?;
    let key = (event_id::position(id), subscription);
    let wanted = delivery(&call, app, &matching, key, 1).await?.ok_or_else(|| Refusal::not_found(sent))?;
    again(&call, app, vec![wanted]).await?;
    Answer::json(200, &Resent { resent: 1, skipped: 0 })
}

/// `POST /apps/{appId}/webhook/resend`
pub async fn failed(call: Call) -> Result<Answer, Refusal> {
    let (app, _) = told(&call).await?;
    let body: WebhookResend = call.json()?;
    let since = body.since.ok_or_else(|| Refusal::Invalid(vec![Problem::required("since")]))?;
    let since = timestamp::parse(&since).ok_or_else(|| {
        let why = format!("`{since}` is not a date; use a form like 2026-10-06T08:14:02.118Z");
        Refusal::invalid("since", why)
    })?;
    audit::note(&call, call.caller.portal(), On::one("WEBHOOK", app)).await?;
    let store = &call.app.store;
    let resent = store.deliveries_again(call.caller.portal(), app, since, store.now()).await?;
    call.app.webhooks.wake();
    Answer::json(200, &Resent { resent, skipped: 0 })
}

/// The app and what it is told of, if that is anything: whatever is noted for another one would wait for ever.
async fn told(call: &Call) -> Result<(AppId, Matching), Refusal> {
    let (app, directory) = named(call).await?;
    settings(&directory, app)?;
    if !directory.reads(Reader::Webhooks, app) {
        let why = "The app is told of nothing: it is suspended, or has no subscription that is active";
        return Err(Refusal::invalid("appId", why));
    }
    Ok((app, Matching::new(&directory, app)))
}

/// An event as one that is due now; `None` if it cannot be sent any more. One that waits already, or was given up, keeps its
/// count; another one has been sent `made` times.
async fn delivery(
    call: &Call,
    app: AppId,
    matching: &Matching,
    key: (i64, SubscriptionId),
    made: i64,
) -> Result<Option<Delivery>, Refusal> {
    let (store, portal) = (&call.app.store, call.caller.portal());
    let event = event_at(store, portal, key.0).await?.map(Occurrence::from);
    let told = |event: &Occurrence| matching.find(event).is_some_and(|one| one.id == key.1);
    let Some(event) = event.filter(told) else { return Ok(None) };
    let now = store.now();
    for state in [DeliveryState::Waiting, DeliveryState::GivenUp] {
        let before = Some((key.0, SubscriptionId(key.1.0 - 1)));
        let found = store.deliveries(portal, app, state, before, 1).await?;
        if let Some(known) = found.into_iter().find(|one| one.key() == key) {
            // What waits keeps its place in the order of its object; what was given up has none any more.
            let loose = known.loose || known.due_at.is_none();
            return Ok(Some(Delivery { due_at: Some(now), loose, ..known }));
        }
    }
    Ok(Some(Delivery {
        position: key.0,
        subscription_id: key.1,
        object_id: event.object_id,
        attempts: made,
        first_at: now,
        last_at: now,
        due_at: Some(now),
        loose: true,
        error: "Somebody wants it sent again".into(),
    }))
}

async fn again(call: &Call, app: AppId, wanted: Vec<Delivery>) -> Result<(), Refusal> {
    audit::note(call, call.caller.portal(), On::one("WEBHOOK", app)).await?;
    call.app.store.deliveries_put(call.caller.portal(), app, wanted).await?;
    call.app.webhooks.wake();
    Ok(())
}

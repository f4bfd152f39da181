//! How an app's webhook stands, and leaving it alone for a while.

use antiphon_store::{AppId, AttemptQuery, Directory, DirectoryChange, Reader};
use antiphon_wire::id::Id;
use antiphon_wire::timestamp::Timestamp;
use antiphon_wire::webhook_log::{WebhookPause, WebhookStatus};

use super::{is_own, own, seen, settings, shown_url};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::directory;
use crate::refusal::Refusal;
use crate::webhooks::pause;

/// Most deliveries that are counted.
const COUNTED: usize = 10_000;

/// `GET /apps/{appId}/webhook`
pub async fn show(call: Call) -> Result<Answer, Refusal> {
    let (app, directory) = seen(&call).await?;
    status(&call, app, &directory).await
}

/// `POST /apps/{appId}/webhook/pause`
pub async fn pause(call: Call) -> Result<Answer, Refusal> {
    let body = if call.body.is_empty() { WebhookPause::default() } else { call.json()? };
    let mut checks = Checks::default();
    let why = checks.name("why", body.why);
    checks.done()?;
    set(call, Some(why.unwrap_or_else(|| "Somebody has paused it".into()))).await
}

/// `POST /apps/{appId}/webhook/resume`
pub async fn resume(call: Call) -> Result<Answer, Refusal> {
    set(call, None).await
}

async fn set(call: Call, why: Option<String>) -> Result<Answer, Refusal> {
    let (app, _) = own(&call).await?;
    directory::change(&call, move |state, moment| {
        let wanted = pause::paused(&state.directory, app, why.as_deref(), moment.now)?;
        Ok(wanted.map(DirectoryChange::Webhook).into_iter().collect())
    })
    .await?;
    call.app.webhooks.wake();
    status(&call, app, &*directory::now(&call).await?).await
}

async fn status(call: &Call, app: AppId, directory: &Directory) -> Result<Answer, Refusal> {
    let (store, portal) = (&call.app.store, call.caller.portal());
    let (owner, webhook) = settings(directory, app)?;
    let own = is_own(directory, app) || call.caller.operator;
    let last = async |succeeded| {
        let query = AttemptQuery { succeeded, limit: 1, ..AttemptQuery::default() };
        let found = store.attempts(portal, app, &query).await?;
        Ok::<_, Refusal>(found.attempts.first().map(|attempt| Timestamp(attempt.at)))
    };
    let (mut lag_events, mut lag) = (0, 0);
    if let Some(cursor) = store.cursor(portal, Reader::Webhooks, app).await?
        && let Some(first) = store.events_after(portal, cursor.position, 1).await?.first()
    {
        lag_events = (store.event_position(portal).await? - first.position + 1).max(0);
        lag = (store.now() - first.occurred_at).max(0);
    }
    let undelivered = store.deliveries_count(portal, app, COUNTED).await?;
    let active = directory.subscriptions(app).filter(|one| one.active).count();
    Answer::json(
        200,
        &WebhookStatus {
            app_id: Id(owner.id.0),
            channel_id: app.channel().map(Id),
            target_url: shown_url(&webhook.target_url, own),
            max_concurrent_requests: webhook.max_concurrent,
            active_subscriptions: active as i64,
            paused_at: webhook.paused.as_ref().map(|paused| Timestamp(paused.at)),
            paused_why: webhook.paused.as_ref().map(|paused| paused.why.clone()),
            lag_events,
            lag_seconds: lag / 1000,
            waiting: undelivered.waiting,
            given_up: undelivered.given_up,
            last_attempt_at: last(None).await?,
            last_success_at: last(Some(true)).await?,
        },
    )
}

//! Leaving a receiver alone, and telling its owner.

use antiphon_store::{
    AppId, Directory, DirectoryChange, EventKind, Millis, Moment, NewEvent, ObjectKind, Paused, State,
    Target, Told, Webhook,
};
use serde_json::json;

use crate::app::App;
use crate::directory;
use crate::refusal::Refusal;
use crate::webhooks::target;

/// The rule: settings that are paused for a reason, or not any more. `None` when that is so already.
///
/// # Errors
/// When the app is told nowhere.
pub fn paused(
    directory: &Directory,
    app: AppId,
    why: Option<&str>,
    now: Millis,
) -> Result<Option<Webhook>, Refusal> {
    let (_, webhook) = target::of(directory, app).ok_or_else(|| Refusal::not_found(app))?;
    if webhook.paused.is_some() == why.is_some() {
        return Ok(None);
    }
    let paused = why.map(|why| Paused { at: now, why: why.to_owned() });
    Ok(Some(Webhook { paused, ..webhook }))
}

/// Pauses an app whose receiver takes nothing any more. It stays so until somebody who has mended it resumes it.
pub async fn by_itself(app: &App, told: Told, why: String) {
    tracing::warn!(
        app.id = told.app.0,
        why,
        "its webhook is paused; resume it with `antiphon webhook resume`"
    );
    let rule = move |state: &State, moment: &mut Moment| {
        let wanted = paused(&state.directory, told.app, Some(&why), moment.now)?;
        let wanted = wanted.map(DirectoryChange::Webhook);
        let mut changes = directory::recorded(&state.directory, wanted.into_iter().collect(), moment);
        if !changes.directory.is_empty() {
            changes.events.push(webhook_paused(told.app, moment.now, &why));
        }
        Ok::<_, Refusal>(changes)
    };
    // Its settings are where the app is at home.
    let home = match app.store.directory(told.portal).await {
        Ok(Some(directory)) => directory.home(told.app).portal.id,
        _ => told.portal,
    };
    // It fails with the next event once more, if it is not paused now.
    match app.store.change(home, Target::Directory, rule).await {
        Ok(Ok(_)) => {}
        Ok(Err(refusal)) => tracing::warn!(app.id = told.app.0, ?refusal, "its webhook was not paused"),
        Err(error) => tracing::warn!(app.id = told.app.0, %error, "its webhook was not paused"),
    }
}

/// An app's webhook was paused, since its receiver takes nothing.
pub fn webhook_paused(app: AppId, at: Millis, why: &str) -> NewEvent {
    NewEvent {
        kind: EventKind::WebhookPaused,
        object: ObjectKind::App,
        object_id: app.0,
        occurred_at: at,
        payload: json!({ "why": why }).to_string(),
    }
}

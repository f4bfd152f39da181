//! Where an app is told of events.

use antiphon_store::{AppId, Directory, DirectoryChange, Millis, Webhook};
use antiphon_wire::timestamp::Timestamp;
use antiphon_wire::webhooks::{Settings, SettingsChange, Throttling, USUAL_CONCURRENCY};

use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::directory;
use crate::outbound::TargetUrl;
use crate::refusal::Refusal;

/// `GET /{appId}/settings`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let app = call.caller.app();
    get_of(&call, app)
}

/// The same of an app that is known to be the caller's.
pub(super) fn get_of(call: &Call, app: AppId) -> Result<Answer, Refusal> {
    let webhook = call.caller.directory.webhook(app).ok_or_else(|| Refusal::not_found(app))?;
    Answer::json(200, &shown(webhook))
}

/// `PUT /{appId}/settings`
pub async fn put(call: Call) -> Result<Answer, Refusal> {
    let app = call.caller.app();
    put_of(&call, app).await
}

/// The same of an app that is known to be the caller's.
pub(super) async fn put_of(call: &Call, app: AppId) -> Result<Answer, Refusal> {
    let draft = read(call.json()?, call.app.config.outbound.http)?;
    directory::change(call, move |state, moment| {
        Ok(vec![DirectoryChange::Webhook(set(&state.directory, app, &draft, moment.now))])
    })
    .await?;
    let directory = directory::now(call).await?;
    let webhook = directory.webhook(app).ok_or_else(|| Refusal::not_found(app))?;
    Answer::json(200, &shown(webhook))
}

/// `DELETE /{appId}/settings`
pub async fn delete(call: Call) -> Result<Answer, Refusal> {
    let app = call.caller.app();
    delete_of(&call, app).await
}

/// The same of an app that is known to be the caller's.
pub(super) async fn delete_of(call: &Call, app: AppId) -> Result<Answer, Refusal> {
    directory::change(call, move |state, moment| {
        let gone = state
            .directory
            .webhook(app)
            .map(|webhook| Webhook { deleted_at: Some(moment.now), ..webhook.clone() });
        Ok(gone.map(DirectoryChange::Webhook).into_iter().collect())
    })
    .await?;
    Ok(Answer::none())
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Draft {
    target_url: String,
    max_concurrent: i64,
}

fn read(body: SettingsChange, http: bool) -> Result<Draft, Refusal> {
    let mut checks = Checks::default();
    let target_url = body.target_url.unwrap_or_default().trim().to_owned();
    if target_url.is_empty() {
        checks.missing("targetUrl");
    } else {
        match TargetUrl::parse(&target_url) {
            Err(why) => checks.wrong("targetUrl", why),
            Ok(target) if !target.is_https() && !http => {
                checks.wrong(
                    "targetUrl",
                    "Write a URL that begins with https://; this server sends nothing in the clear",
                );
            }
            Ok(_) => {}
        }
    }
    let max_concurrent =
        body.throttling.unwrap_or_default().max_concurrent_requests.unwrap_or(USUAL_CONCURRENCY);
    if !(1..=100).contains(&max_concurrent) {
        checks.wrong("throttling.maxConcurrentRequests", "maxConcurrentRequests must be between 1 and 100");
    }
    checks.done()?;
    Ok(Draft { target_url, max_concurrent })
}

/// The rule. A new target is a new beginning: it lifts a pause.
fn set(directory: &Directory, app: AppId, draft: &Draft, now: Millis) -> Webhook {
    let Draft { target_url, max_concurrent } = draft.clone();
    match directory.webhook(app) {
        None => Webhook {
            app_id: app,
            target_url,
            max_concurrent,
            created_at: now,
            updated_at: None,
            paused: None,
            closing_at: None,
            deleted_at: None,
        },
        Some(known) if known.target_url == target_url && known.max_concurrent == max_concurrent => {
            known.clone()
        }
        Some(known) => Webhook {
            paused: known.paused.clone().filter(|_| known.target_url == target_url),
            target_url,
            max_concurrent,
            updated_at: Some(now),
            ..known.clone()
        },
    }
}

fn shown(webhook: &Webhook) -> Settings {
    Settings {
        target_url: webhook.target_url.clone(),
        throttling: Throttling { max_concurrent_requests: webhook.max_concurrent },
        created_at: Timestamp(webhook.created_at),
        updated_at: webhook.updated_at.map(Timestamp),
    }
}

#[cfg(test)]
mod tests {
    use antiphon_store::Paused;

    use super::*;
    use crate::testing::{self, NOW};

    const APP: AppId = AppId(4410);

    #[test]
    fn targets_are_checked() {
        for (body, http, fields) in [
            (r#"{ "targetUrl": "https://bot.example.org/hooks" }"#, false, &[][..]),
            (r#"{ "targetUrl": "http://bot.example.org/hooks" }"#, true, &[]),
            (r#"{ "targetUrl": "http://bot.example.org/hooks" }"#, false, &["targetUrl"]),
            (r#"{ "targetUrl": "ftp://bot.example.org" }"#, true, &["targetUrl"]),
            (r#"{ "targetUrl": " " }"#, true, &["targetUrl"]),
            (
                r#"{ "throttling": { "maxConcurrentRequests": 101 } }"#,
                true,
                &["targetUrl", "throttling.maxConcurrentRequests"],
            ),
            (
                r#"{ "targetUrl": "https://a.b", "throttling": { "maxConcurrentRequests": 0 } }"#,
                true,
                &["throttling.maxConcurrentRequests"],
            ),
            (
                r#"{ "targetUrl": "https://a.b", "throttling": { "maxConcurrentRequests": 1, "period": "SECONDLY" } }"#,
                true,
                &[],
            ),
            (r#"{ "targetUrl": "https://a.b", "throttling": {} }"#, true, &[]),
        ] {
            let refused = read(serde_json::from_str(body).unwrap(), http);
            let found = refused.as_ref().err().map(testing::named).unwrap_or_default();
            assert_eq!(found, fields, "{body}");
        }
    }

    #[test]
    fn only_a_new_target_lifts_a_pause() {
        let mut directory = Directory::clone(&testing::state().directory);
        let draft = |url: &str, max_concurrent| Draft { target_url: url.into(), max_concurrent };
        let first = set(&directory, APP, &draft("https://a.b", 10), NOW);
        assert_eq!((first.created_at, first.updated_at), (NOW, None));
        let paused = Some(Paused { at: NOW, why: "It fails".into() });
        directory.put(DirectoryChange::Webhook(Webhook { paused: paused.clone(), ..first.clone() }));
        let same = set(&directory, APP, &draft("https://a.b", 10), NOW + 1);
        assert_eq!((same.updated_at, &same.paused), (None, &paused));
        let wider = set(&directory, APP, &draft("https://a.b", 20), NOW + 1);
        assert_eq!((wider.created_at, wider.updated_at, &wider.paused), (NOW, Some(NOW + 1), &paused));
        let moved = set(&directory, APP, &draft("https://a.b/c", 10), NOW + 1);
        assert_eq!((moved.created_at, moved.updated_at, &moved.paused), (NOW, Some(NOW + 1), &None));
    }
}

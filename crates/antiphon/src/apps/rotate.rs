//! Replacing an app's client secret or developer key by a fresh one. The old one goes on working for a day unless something
//! else is asked for; the one before that ends at once.

use antiphon_store::{App, AppId, Directory, DirectoryChange, Millis, Replaced};
use antiphon_wire::own::AppRotate;
use antiphon_wire::timestamp::Timestamp;

use super::secrets;
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::directory;
use crate::refusal::Refusal;

/// How long the old one works, and the longest that it may, in seconds.
const OVERLAP: i64 = 24 * 60 * 60;
const LONGEST: i64 = 30 * OVERLAP;

/// `POST /apps/{appId}/client-secret/rotate`
pub async fn secret(call: Call) -> Result<Answer, Refusal> {
    rotate(call, secret_rotated).await
}

/// `POST /apps/{appId}/developer-key/rotate`
pub async fn key(call: Call) -> Result<Answer, Refusal> {
    rotate(call, key_rotated).await
}

/// A rule: which apps change, if an app's secret becomes this one and works beside the old one for so many milliseconds.
type Rule = fn(&Directory, AppId, &str, i64, Millis) -> Result<Vec<App>, Refusal>;

async fn rotate(call: Call, rule: Rule) -> Result<Answer, Refusal> {
    let id = super::named(call.segment(0))?;
    let overlap = overlap(if call.body.is_empty() { AppRotate::default() } else { call.json()? })?;
    let fresh = secrets::fresh();
    let value = fresh.clone();
    let changes = directory::change(&call, move |state, moment| {
        let apps = rule(&state.directory, id, &value, overlap, moment.now)?;
        Ok(apps.into_iter().map(DirectoryChange::App).collect())
    })
    .await?;
    let made = changes.into_iter().find_map(|change| match change {
        DirectoryChange::App(app) if app.id == id => Some(app),
        _ => None,
    });
    let app = made.ok_or_else(|| Refusal::Internal("no app came of it".into()))?;
    let directory = directory::now(&call).await?;
    let mut shown = super::shown_whole(&app, &directory, call.app.store.now());
    let until = |old: &Option<Replaced>| old.as_ref().map(|old| Timestamp(old.until));
    if app.client_secret == fresh {
        shown.old_client_secret_until = until(&app.old_secret);
        shown.client_secret = Some(fresh);
    } else {
        shown.old_developer_key_until = until(&app.old_key);
        shown.developer_key = Some(fresh);
    }
    Answer::json(200, &shown)
}

/// In milliseconds.
fn overlap(body: AppRotate) -> Result<i64, Refusal> {
    let mut checks = Checks::default();
    let at_once = body.at_once == Some(true);
    match body.overlap_seconds {
        Some(_) if at_once => checks.wrong("atOnce", "Send either atOnce or overlapSeconds"),
        Some(seconds) if !(0..=LONGEST).contains(&seconds) => {
            checks.wrong("overlapSeconds", format!("overlapSeconds must be between 0 and {LONGEST}"));
        }
        _ => {}
    }
    checks.done()?;
    Ok(if at_once { 0 } else { 1000 * body.overlap_seconds.unwrap_or(OVERLAP) })
}

/// The rule for client secrets.
fn secret_rotated(
    directory: &Directory,
    id: AppId,
    fresh: &str,
    overlap: i64,
    now: Millis,
) -> Result<Vec<App>, Refusal> {
    let app = directory.own_app(id).ok_or_else(|| Refusal::not_found(id))?;
    let old = Replaced { value: app.client_secret.clone(), until: now + overlap };
    Ok(vec![App { client_secret: fresh.into(), old_secret: Some(old), ..app.clone() }])
}

/// The rule for developer keys. All apps that share the key go on sharing it.
fn key_rotated(
    directory: &Directory,
    id: AppId,
    fresh: &str,
    overlap: i64,
    now: Millis,
) -> Result<Vec<App>, Refusal> {
    let key = &directory.own_app(id).ok_or_else(|| Refusal::not_found(id))?.developer_key;
    let old = Replaced { value: key.clone(), until: now + overlap };
    let sharing = directory.apps().iter().filter(|app| app.developer_key == *key);
    let rotated = sharing.map(|app| App {
        developer_key: secrets::hashed(fresh),
        old_key: Some(old.clone()),
        ..App::clone(app)
    });
    Ok(rotated.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, NOW};

    const APP: AppId = AppId(4410);

    #[test]
    fn a_day_unless_asked_otherwise() {
        for (body, expected) in [
            ("{}", Some(86_400_000)),
            (r#"{ "atOnce": false }"#, Some(86_400_000)),
            (r#"{ "atOnce": true }"#, Some(0)),
            (r#"{ "overlapSeconds": 0 }"#, Some(0)),
            (r#"{ "overlapSeconds": 90 }"#, Some(90_000)),
            (r#"{ "overlapSeconds": 2592000 }"#, Some(2_592_000_000)),
            (r#"{ "overlapSeconds": 2592001 }"#, None),
            (r#"{ "overlapSeconds": -1 }"#, None),
            (r#"{ "overlapSeconds": 90, "atOnce": true }"#, None),
        ] {
            assert_eq!(overlap(serde_json::from_str(body).unwrap()).ok(), expected, "{body}");
        }
    }

    #[test]
    fn the_one_before_the_last_ends_at_once() {
        let mut directory = Directory::clone(&testing::state().directory);
        let first = directory.app(APP).unwrap().client_secret.clone();
        let rotated = secret_rotated(&directory, APP, "second", 5000, NOW).unwrap();
        let [app] = rotated.as_slice() else { panic!() };
        assert!([&first, "second"].iter().all(|sent| secrets::is_secret(app, sent, NOW + 4999)));
        assert!(!secrets::is_secret(app, &first, NOW + 5000));
        directory.put(DirectoryChange::App(app.clone()));
        let app = &secret_rotated(&directory, APP, "third", 0, NOW).unwrap()[0];
        let opening: Vec<_> =
            [&*first, "second", "third"].map(|sent| secrets::is_secret(app, sent, NOW)).into();
        assert_eq!(opening, [false, false, true]);
        assert!(secret_rotated(&directory, AppId(99), "x", 0, NOW).is_err());
    }

    #[test]
    fn a_shared_key_stays_shared() {
        let mut directory = Directory::clone(&testing::state().directory);
        let app = App { developer_key: secrets::hashed("first"), ..directory.app(APP).unwrap().clone() };
        directory.put(DirectoryChange::App(app.clone()));
        let twin = App { id: AppId(7), ..app.clone() };
        let other = App { id: AppId(8), developer_key: "another".into(), ..app.clone() };
        directory.put(DirectoryChange::App(twin));
        directory.put(DirectoryChange::App(other));
        let rotated = key_rotated(&directory, APP, "fresh", 5000, NOW).unwrap();
        assert_eq!(rotated.iter().map(|app| app.id.0).collect::<Vec<_>>(), [7, 4410]);
        for one in rotated {
            assert!(secrets::is_key(&one, "fresh", NOW) && secrets::is_key(&one, "first", NOW));
            assert_eq!(one.client_secret, app.client_secret);
        }
        assert!(key_rotated(&directory, AppId(99), "x", 0, NOW).is_err());
    }
}

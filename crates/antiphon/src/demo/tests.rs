//! The demo is what it promises to be, and it is the same each time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use antiphon_testkit::Home;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::Value;

use super::*;
use crate::app::App;
use crate::middleware::{Peer, handle};
use crate::serve::settings;
use crate::testing;

const PINNED: Millis = 1_791_273_600_000;
const BASE: &str = "/conversations/v3/conversations";

fn config(home: &Home) -> Config {
    Config { demo: true, ..testing::config(home) }
}

async fn filled(home: &Home) -> Arc<App> {
    let config = config(home);
    fill::fill(&config, settings(&config), PINNED).await.unwrap();
    let store = Store::open(settings(&config)).unwrap();
    Arc::new(App::new(store, config, "http://demo.example".into()).unwrap())
}

async fn get(app: &Arc<App>, token: &str, path: &str) -> (u16, Bytes) {
    let request =
        Request::get(path).header("host", "demo.example").header("authorization", format!("Bearer {token}"));
    let response = handle(app, &Peer::default(), request.body(Full::new(Bytes::new())).unwrap()).await;
    (response.status().as_u16(), response.into_body().collect().await.unwrap().to_bytes())
}

async fn json(app: &Arc<App>, path: &str) -> Value {
    let (status, bytes) = get(app, key::ALL, path).await;
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&bytes));
    serde_json::from_slice(&bytes).unwrap()
}

fn results(page: &Value) -> &[Value] {
    page["results"].as_array().unwrap()
}

/// Everything that can be read, as it is read.
async fn all_answers(app: &Arc<App>) -> Vec<(String, Bytes)> {
    let mut paths: Vec<String> = [
        "/conversations/v3/conversations/inboxes",
        "/conversations/v3/conversations/channels",
        "/conversations/v3/conversations/channel-accounts",
        "/conversations/v3/conversations/channel-accounts?archived=true",
        "/conversations/v3/conversations/threads?limit=500&association=TICKET",
        "/conversations/v3/conversations/threads?limit=500&archived=true",
        "/antiphon/v1/agents",
        "/antiphon/v1/apps",
        "/antiphon/v1/tokens",
        "/antiphon/v1/contacts?limit=500",
        "/antiphon/v1/tickets?limit=500",
        "/antiphon/v1/portals/1",
    ]
    .map(str::to_owned)
    .into();
    paths.extend((1..=plan::THREADS).flat_map(|id| {
        [false, true].map(|archived| format!("{BASE}/threads/{id}/messages?limit=500&archived={archived}"))
    }));
    let events = app.store.event_position(antiphon_store::PortalId(1)).await.unwrap();
    paths
        .extend((0..=events / 500).map(|page| format!("/antiphon/v1/events?limit=500&after={}", page * 500)));
    let mut answers = Vec::new();
    for path in paths {
        let (status, body) = get(app, key::ALL, &path).await;
        // Errors name the request, and requests are never the same.
        answers.push((path, if status == 200 { body } else { Bytes::from(status.to_string()) }));
    }
    answers
}

#[tokio::test]
async fn twice_the_same() {
    let homes = (Home::new(), Home::new());
    let (one, two) = (filled(&homes.0).await, filled(&homes.1).await);
    for ((path, a), (_, b)) in all_answers(&one).await.into_iter().zip(all_answers(&two).await) {
        assert!(a == b, "{path}\n{}\n{}", String::from_utf8_lossy(&a), String::from_utf8_lossy(&b));
    }
}

#[tokio::test]
async fn all_that_was_promised_is_there() {
    let home = Home::new();
    let app = filled(&home).await;
    let live = json(&app, &format!("{BASE}/threads?limit=500&association=TICKET")).await;
    let trash = json(&app, &format!("{BASE}/threads?limit=500&archived=true&association=TICKET")).await;
    let threads: Vec<&Value> = results(&live).iter().chain(results(&trash)).collect();
    assert_eq!(threads.len(), 200);
    assert!(results(&trash).len() >= 10);
    for (what, count) in [
        ("open", threads.iter().filter(|thread| thread["status"] == "OPEN").count()),
        ("closed", threads.iter().filter(|thread| thread["status"] == "CLOSED").count()),
        ("spam", threads.iter().filter(|thread| thread["spam"] == true).count()),
        ("assigned", threads.iter().filter(|thread| thread["assignedTo"].is_string()).count()),
        ("unassigned", threads.iter().filter(|thread| thread["assignedTo"].is_null()).count()),
        ("with a ticket", threads.iter().filter(|thread| thread["threadAssociations"].is_object()).count()),
    ] {
        assert!((10..=190).contains(&count), "{what}: {count}");
    }

    let (mut kinds, mut attachments) = (BTreeMap::<String, usize>::new(), BTreeSet::new());
    let (mut states, mut cuts) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
    let mut people = BTreeSet::new();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for thread in &threads {
        let (id, archived) = (word(&thread["id"]), thread["archived"] == true);
        let mut next = Some(format!("{BASE}/threads/{id}/messages?limit=500&archived={archived}"));
        while let Some(path) = next.take() {
            let page = json(&app, &path).await;
            for message in results(&page) {
                *kinds.entry(word(&message["type"])).or_default() += 1;
                *states.entry(word(&message["status"]["statusType"])).or_default() += 1;
                *cuts.entry(word(&message["truncationStatus"])).or_default() += 1;
                attachments.extend(
                    message["attachments"].as_array().into_iter().flatten().map(|a| word(&a["type"])),
                );
                people.insert(word(&message["createdBy"]).chars().next());
                if message["truncationStatus"] == "TRUNCATED" {
                    let path =
                        format!("{BASE}/threads/{id}/messages/{}/original-content", word(&message["id"]));
                    let whole = json(&app, &path).await;
                    assert!(word(&whole["text"]).len() > word(&message["text"]).len());
                }
            }
            let link = page["paging"]["next"]["link"].as_str();
            next = link.map(|link| link.trim_start_matches("http://demo.example").to_owned());
        }
    }
    assert_eq!(kinds.len(), 6, "{kinds:?}");
    let all: usize = kinds.values().sum();
    assert!((3000..10_000).contains(&all), "{kinds:?}");
    assert_eq!(attachments.len(), 8, "{attachments:?}");
    for state in ["SENT", "RECEIVED", "READ", "FAILED"] {
        assert!(states.get(state).is_some_and(|count| *count >= 10), "{states:?}");
    }
    for cut in ["NOT_TRUNCATED", "TRUNCATED_TO_MOST_RECENT_REPLY", "TRUNCATED"] {
        assert!(cuts.contains_key(cut), "{cuts:?}");
    }
    assert!(
        people.contains(&Some('V')) && people.contains(&Some('I')) && people.contains(&Some('S')),
        "{people:?}"
    );

    assert_eq!(json(&app, &format!("{BASE}/inboxes")).await["total"], 3);
    assert_eq!(results(&json(&app, "/antiphon/v1/agents").await).len(), 3);
    let accounts = json(&app, &format!("{BASE}/channel-accounts")).await;
    let channels: BTreeSet<_> =
        results(&accounts).iter().map(|account| word(&account["channelId"])).collect();
    assert_eq!(channels.into_iter().collect::<Vec<_>>(), ["1000", "1001", "1002", "1007"]);
    assert_eq!(json(&app, &format!("{BASE}/actors/I-4410")).await["type"], "INTEGRATOR");
}

#[tokio::test]
async fn what_the_keys_open() {
    let home = Home::new();
    let app = filled(&home).await;
    for (token, path, status) in [
        (key::ALL, "/antiphon/v1/portals", 200),
        (key::READ, "/conversations/v3/conversations/threads", 200),
        (key::READ, "/antiphon/v1/tokens", 403),
        (key::OTHER, "/conversations/v3/conversations/threads/3", 200),
        (key::OTHER, "/conversations/v3/conversations/threads/4", 404),
        ("pat-demo-nobody", "/conversations/v3/conversations/threads", 401),
    ] {
        assert_eq!(get(&app, token, path).await.0, status, "{token} {path}");
    }
}

#[tokio::test]
async fn the_shop_has_a_website_with_the_chat_on_it() {
    let home = Home::embedded();
    let config = config(&home);
    let store = Store::open(settings(&config)).unwrap();
    let app = Arc::new(App::new(store, config, "http://demo.example".into()).unwrap());
    for path in ["/demo/", "/demo/account"] {
        let (status, page) = get(&app, "", path).await;
        let page = String::from_utf8(page.to_vec()).unwrap();
        assert_eq!(status, 200, "{page}");
        assert!(page.contains(r#"id="hs-script-loader" async defer src="//demo.example/1.js""#), "{page}");
        assert!(!page.contains("{{"), "{page}");
    }
    for (path, status) in [("/demo/site.css", 200), ("/demo/account.js", 200), ("/demo/index.html", 404)] {
        assert_eq!(get(&app, "", path).await.0, status, "{path}");
    }
}

#[tokio::test]
async fn only_an_empty_directory_is_filled() {
    let home = Home::embedded();
    std::fs::create_dir(home.data()).unwrap();
    std::fs::write(home.data().join("letter.txt"), "Dear all").unwrap();
    let config = config(&home);
    let refused = prepare(&config, &settings(&config)).await.unwrap_err().to_string();
    assert!(refused.contains("something other than the demo"), "{refused}");
}

#[tokio::test]
async fn only_an_empty_store_is_filled() {
    let home = Home::new();
    let mine = config(&home);
    let store = Store::open(settings(&mine)).unwrap();
    store.portal_create(None, "Mine".into(), "UTC".into(), Default::default()).await.unwrap();
    store.close().await;
    assert!(prepare(&mine, &settings(&mine)).await.is_err());

    let home = Home::new();
    let fresh = config(&home);
    prepare(&fresh, &settings(&fresh)).await.unwrap();
    prepare(&fresh, &settings(&fresh)).await.unwrap();
}

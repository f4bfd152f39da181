//! Webhooks seen and mended: what was sent, what was not taken, sending it again, pausing, and trying a receiver.

use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use antiphon_testkit::{Home, Reaction, Received, Reply, Teller, TestReceiver};
use serde_json::{Value, json};

use crate::kit::{Desk, text};

const BINARY: &str = env!("CARGO_BIN_EXE_antiphon");

const DAY: Duration = Duration::from_secs(86_400);

/// An app that is told of new threads, at a receiver that answers as the test likes.
struct Watched {
    desk: Desk,
    receiver: TestReceiver,
    answer: Arc<AtomicU16>,
}

impl Watched {
    async fn new() -> Self {
        let (desk, receiver) = (Desk::open().await, TestReceiver::start().await);
        let answer = Arc::new(AtomicU16::new(200));
        let status = answer.clone();
        receiver.react(move |_| Reaction::answer(status.load(Ordering::Relaxed), &[], "so\tbe it"));
        let watched = Self { desk, receiver, answer };
        watched.settings(&watched.receiver.url("/hook")).await;
        let created = json!({ "eventType": "conversation.creation", "active": true });
        let path = format!("/webhooks/v3/{}/subscriptions", watched.desk.portal.app);
        watched.desk.user.post(&path, created).await.expect(201);
        watched
    }

    async fn settings(&self, url: &str) {
        let path = format!("/webhooks/v3/{}/settings", self.desk.portal.app);
        self.desk.user.put(&path, json!({ "targetUrl": url })).await.expect(200);
    }

    fn answer(&self, status: u16) {
        self.answer.store(status, Ordering::Relaxed);
    }

    fn path(&self, rest: &str) -> String {
        format!("/antiphon/v1/apps/{}/webhook{rest}", self.desk.portal.app)
    }

    async fn get(&self, rest: &str) -> Reply {
        self.desk.user.get(&self.path(rest)).await
    }

    async fn list(&self, rest: &str) -> Vec<Value> {
        self.get(rest).await.expect(200).json()["results"].as_array().unwrap().clone()
    }

    async fn post(&self, rest: &str, body: Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.desk.user.send("POST", &self.path(rest), body).await
    }

    async fn status(&self) -> Value {
        self.get("").await.expect(200).json()
    }

    /// Waits until something is so.
    async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        for _ in 0..1_000 {
            if is_so().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not {what}: {}", self.status().await);
    }

    async fn until_attempts(&self, count: usize) {
        self.until("attempted", async || self.list("/attempts?limit=500").await.len() == count).await;
    }
}

fn ids(received: &[Received]) -> Vec<String> {
    let all = received.iter().flat_map(|request| request.json().as_array().unwrap().clone());
    all.map(|event| event["eventId"].to_string()).collect()
}

#[tokio::test]
async fn every_request_is_in_the_log() {
    let watched = Watched::new().await;
    let teller = Teller::start(&watched.desk.server);
    let mut threads = Vec::new();
    for (number, answer) in [200, 500, 404, 204].into_iter().enumerate() {
        watched.answer(answer);
        threads.push(watched.desk.chat(&format!("v{number}")).await);
        watched.until_attempts(number + 1).await;
        watched.desk.server.advance(Duration::from_secs(5));
    }
    let all = watched.list("/attempts").await;
    let statuses: Vec<_> = all.iter().map(|one| one["status"].clone()).collect();
    assert_eq!(statuses, [204, 404, 500, 200], "the newest first");
    assert_eq!(all[0]["url"], watched.receiver.url("/hook"));
    assert_eq!((&all[0]["succeeded"], all[0].get("error")), (&json!(true), None));
    assert_eq!(
        (&all[1]["succeeded"], &all[1]["error"]),
        (&json!(false), &json!("The receiver answered 404"))
    );
    assert_eq!(all[1]["excerpt"], "so be it");

    let found = async |query: &str| -> Vec<String> {
        watched.list(&format!("/attempts?{query}")).await.iter().map(|one| text(one, "id")).collect()
    };
    assert_eq!(found("succeeded=false").await, ["3", "2"]);
    assert_eq!(found("succeeded=true").await, ["4", "1"]);
    assert_eq!(found("status=404").await, ["3"]);
    assert_eq!(found(&format!("since={}", text(&all[1], "at"))).await, ["4", "3"]);
    assert_eq!(found("limit=3").await, ["4", "3", "2"]);
    let pages = watched.desk.user.all(&watched.path("/attempts?limit=3")).await;
    assert_eq!(pages, all);
    let wrong = watched.get("/attempts?succeeded=perhaps&status=x&since=soon").await.expect(400);
    assert_eq!(wrong.problems(), ["succeeded", "status", "since"]);

    // One of them, with what was in it.
    let one = watched.get("/attempts/3").await.expect(200).json();
    let sent = &one["events"][0];
    assert_eq!(text(sent, "eventId"), ids(&watched.receiver.received())[2]);
    assert_eq!(
        (&sent["attemptNumber"], &sent["event"]["kind"]),
        (&json!(0), &json!("conversation.creation"))
    );
    assert_eq!(sent["event"]["objectId"].to_string(), threads[2]);
    assert_eq!(all[1]["events"][0].get("event"), None, "a list is short");
    watched.get("/attempts/5").await.expect(404);
    watched.get("/attempts/x").await.expect(404);

    // What failed waits.
    let waiting = watched.list("/deliveries").await;
    assert_eq!(waiting.len(), 2);
    assert_eq!(waiting[0]["objectId"], threads[1]);
    assert_eq!((&waiting[1]["objectId"], &waiting[1]["attempts"]), (&json!(threads[2]), &json!(1)));
    assert!(text(&waiting[1], "dueAt") > text(&waiting[1], "lastAt"), "{}", waiting[1]);
    assert_eq!(watched.desk.user.all(&watched.path("/deliveries?limit=1")).await, waiting);
    assert_eq!(watched.list("/deliveries?state=givenUp").await, [] as [Value; 0]);
    assert_eq!(watched.get("/deliveries?state=lost").await.expect(400).problems(), ["state"]);
    teller.stop().await;

    // After a week the log is forgotten.
    watched.desk.server.advance(8 * DAY);
    let app = watched.desk.server.app();
    antiphon::events::retention::run(app, app.store.now()).await.unwrap();
    assert_eq!(watched.list("/attempts").await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_webhook_shows_how_it_stands() {
    let watched = Watched::new().await;
    let before = watched.status().await;
    assert_eq!((&before["lagSeconds"], &before["activeSubscriptions"]), (&json!(0), &json!(1)));
    assert_eq!(before.get("lastAttemptAt"), None);
    watched.desk.chat("v1").await;
    watched.desk.server.advance(Duration::from_secs(90));
    let behind = watched.status().await;
    assert!(behind["lagEvents"].as_i64().unwrap() >= 2, "{behind}");
    assert_eq!(behind["lagSeconds"], 90);
    watched.answer(500);
    let teller = Teller::start(&watched.desk.server);
    watched.until_attempts(1).await;
    watched.until("read", async || watched.status().await["lagEvents"] == 0).await;
    let failed = watched.status().await;
    assert_eq!(
        (&failed["waiting"], &failed["givenUp"], &failed["lagSeconds"]),
        (&json!(1), &json!(0), &json!(0))
    );
    assert!(failed["lastAttemptAt"].is_string() && failed.get("lastSuccessAt").is_none(), "{failed}");
    watched.answer(200);
    watched.desk.chat("v2").await;
    watched.until_attempts(2).await;
    assert!(watched.status().await["lastSuccessAt"].is_string());

    // Metrics tell the same.
    let metrics = async || watched.desk.portal.operator().get("/metrics").await.expect(200).text();
    let line = |name: &str, value: &str| {
        format!("\nantiphon_webhook_{name}{{app=\"{}\"}} {value}\n", watched.desk.portal.app)
    };
    let calm = [
        ("attempts_total", "2"),
        ("failures_total", "1"),
        ("waiting", "1"),
        ("lag_events", "0"),
        ("lag_seconds", "0"),
        ("paused", "0"),
    ];
    let tells = async |lines: &[(&str, &str)]| {
        let page = metrics().await;
        lines.iter().all(|(name, value)| page.contains(&line(name, value)))
    };
    watched.until("told", async || tells(&calm).await).await;
    watched.post("/pause", Value::Null).await.expect(200);
    watched.desk.chat("v3").await;
    watched.desk.server.advance(Duration::from_secs(30));
    watched.until("behind", async || tells(&[("paused", "1"), ("lag_seconds", "30")]).await).await;
    assert!(!metrics().await.contains(&line("lag_events", "0")));
    teller.stop().await;

    // An app without a webhook, one that is not there, and one that is not allowed to ask.
    let bare = text(&watched.desk.make("apps", json!({ "name": "Bare" })).await, "id");
    for app in [bare.as_str(), "4711", "x"] {
        watched.desk.user.get(&format!("/antiphon/v1/apps/{app}/webhook")).await.expect(404);
    }
    watched.desk.portal.read_only().await.get(&watched.path("")).await.expect(403);
}

#[tokio::test]
async fn what_was_sent_can_be_sent_again() {
    let watched = Watched::new().await;
    let teller = Teller::start(&watched.desk.server);
    watched.desk.chat("v1").await;
    watched.until_attempts(1).await;
    watched.answer(503);
    watched.desk.chat("v2").await;
    watched.until_attempts(2).await;
    watched.answer(200);
    let [taken, failed] = ids(&watched.receiver.received()).try_into().unwrap();

    // A request that was taken goes again, as the same event.
    let resent = watched.post("/attempts/1/resend", Value::Null).await.expect(200).json();
    assert_eq!(resent, json!({ "resent": 1, "skipped": 0 }));
    watched.until_attempts(3).await;
    let again = watched.receiver.received().pop().unwrap().json();
    assert_eq!((again[0]["eventId"].to_string(), &again[0]["attemptNumber"]), (taken.clone(), &json!(1)));

    // One event that waits goes at once, and is done with.
    assert_eq!(watched.list("/deliveries").await.len(), 1);
    watched.post(&format!("/events/{failed}/resend"), Value::Null).await.expect(200);
    watched.until_attempts(4).await;
    let again = watched.receiver.received().pop().unwrap().json();
    assert_eq!((again[0]["eventId"].to_string(), &again[0]["attemptNumber"]), (failed, &json!(1)));
    watched.until("taken", async || watched.list("/deliveries").await.is_empty()).await;

    // What cannot be sent is refused.
    let subscription = taken.parse::<i64>().unwrap() & 0xfffff;
    for unknown in
        [format!("{}", 999 << 20 | subscription), format!("{}", 1 << 20 | subscription), "7".into()]
    {
        watched.post(&format!("/events/{unknown}/resend"), Value::Null).await.expect(404);
    }
    watched.post("/attempts/99/resend", Value::Null).await.expect(404);
    teller.stop().await;
    watched.desk.server.advance(4 * DAY);
    watched.desk.chat("v3").await;
    let app = watched.desk.server.app();
    antiphon::events::retention::run(app, app.store.now()).await.unwrap();
    let refused = watched.post("/attempts/1/resend", Value::Null).await.expect(400);
    assert!(refused.text().contains("past their retention"), "{}", refused.text());
    watched.post(&format!("/events/{taken}/resend"), Value::Null).await.expect(404);
    assert_eq!(watched.get("/attempts/1").await.expect(200).json()["events"][0].get("event"), None);
    // Nothing would send it to an app that is told of nothing.
    let path = format!("/webhooks/v3/{}/subscriptions/{subscription}", watched.desk.portal.app);
    watched.desk.user.patch(&path, json!({ "active": false })).await.expect(200);
    assert_eq!(watched.post("/attempts/1/resend", Value::Null).await.expect(400).problems(), ["appId"]);
}

#[tokio::test]
async fn everything_that_failed_is_sent_again_at_once() {
    let watched = Watched::new().await;
    let teller = Teller::start(&watched.desk.server);
    watched.answer(500);
    let mut since = String::new();
    for number in 0..3 {
        watched.desk.server.advance(Duration::from_secs(10));
        watched.desk.chat(&format!("v{number}")).await;
        watched.until("failed", async || watched.list("/deliveries").await.len() == number + 1).await;
        if number == 1 {
            since = text(&watched.list("/deliveries").await[1], "lastAt");
        }
    }
    watched.answer(200);
    assert_eq!(watched.post("/resend", json!({})).await.expect(400).problems(), ["since"]);
    assert_eq!(watched.post("/resend", json!({ "since": "soon" })).await.expect(400).problems(), ["since"]);
    let resent = watched.post("/resend", json!({ "since": since })).await.expect(200).json();
    assert_eq!(resent["resent"], 2);
    watched.until("sent", async || watched.list("/deliveries").await.len() == 1).await;
    let all = ids(&watched.receiver.received());
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 3);
    assert_eq!(all.iter().filter(|id| **id == all[0]).count(), 1, "the first failed earlier");
    teller.stop().await;
}

#[tokio::test]
async fn a_paused_app_is_sent_nothing_and_loses_nothing() {
    let watched = Watched::new().await;
    let teller = Teller::start(&watched.desk.server);
    let paused = watched.post("/pause", json!({ "why": "It moves" })).await.expect(200).json();
    assert_eq!((&paused["pausedWhy"], paused["pausedAt"].is_string()), (&json!("It moves"), true));
    let again = watched.post("/pause", Value::Null).await.expect(200).json();
    assert_eq!(again["pausedWhy"], "It moves", "it is paused already");
    tokio::time::sleep(Duration::from_millis(300)).await;
    watched.desk.chat("v1").await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(watched.receiver.received().is_empty());
    assert!(watched.status().await["lagEvents"].as_i64().unwrap() > 0);
    let resumed = watched.post("/resume", Value::Null).await.expect(200).json();
    assert_eq!((resumed.get("pausedAt"), resumed.get("pausedWhy")), (None, None));
    watched.receiver.wait_for(1).await;
    teller.stop().await;
    let silent = watched.post("/pause", Value::Null).await.expect(200).json();
    assert!(!text(&silent, "pausedWhy").is_empty());
    let long = json!({ "why": "x".repeat(300) });
    assert_eq!(watched.post("/pause", long).await.expect(400).problems(), ["why"]);
}

#[tokio::test]
async fn a_receiver_is_tried_without_waiting_for_anything_to_happen() {
    let watched = Watched::new().await;
    watched.answer(202);
    let tried = watched.post("/test", Value::Null).await.expect(200).json();
    assert_eq!(
        (&tried["succeeded"], &tried["status"], &tried["excerpt"], tried.get("error")),
        (&json!(true), &json!(202), &json!("so be it"), None)
    );
    let received = watched.receiver.wait_for(1).await;
    let event = &received[0].json()[0];
    assert_eq!((&event["subscriptionId"], &event["objectId"]), (&json!(0), &json!(0)));
    assert_eq!(event["subscriptionType"], "conversation.creation");
    assert!(!received[0].header("x-hubspot-signature-v3").is_empty());
    watched.answer(500);
    let tried = watched.post("/test", Value::Null).await.expect(200).json();
    assert_eq!((&tried["succeeded"], &tried["error"]), (&json!(false), &json!("The receiver answered 500")));
    watched.settings("http://127.0.0.1:1/hook").await;
    let tried = watched.post("/test", Value::Null).await.expect(200).json();
    assert_eq!((&tried["succeeded"], tried.get("status")), (&json!(false), None));
    assert!(text(&tried, "error").contains("No connection"), "{tried}");
    assert_eq!(watched.list("/attempts").await, [] as [Value; 0]);
}

async fn run(home: &Home, more: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.args(["webhook", "--data-dir"]).arg(home.data()).args(["--store", &home.store()]).args(more);
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_and_mends_webhooks() {
    let watched = Watched::new().await;
    let app = watched.desk.portal.app.clone();
    let teller = Teller::start(&watched.desk.server);
    watched.answer(500);
    watched.desk.chat("v1").await;
    watched.until("failed", async || watched.list("/deliveries").await.len() == 1).await;
    let event = ids(&watched.receiver.received()).remove(0);
    teller.stop().await;
    // Now the command line has the store to itself.
    watched.desk.server.app().store.close().await;
    let home = watched.desk.server.home();
    let ask = async |more: &[&str]| -> Value {
        let output = run(home, &[more, &["--portal", &watched.desk.portal.id, "--json"]].concat()).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    assert_eq!(ask(&["show", &app]).await["waiting"], 1);
    for (more, found) in [
        (&[][..], 1),
        (&["--failed"], 1),
        (&["--succeeded"], 0),
        (&["--status", "500"], 1),
        (&["--status", "404"], 0),
        (&["--since", "2126-01-01T00:00:00+01:00"], 0),
    ] {
        let listed = ask(&[&["attempts", &app], more].concat()).await;
        assert_eq!(listed["results"].as_array().unwrap().len(), found, "{more:?}");
    }
    assert_eq!(ask(&["attempt", &app, "1"]).await["events"][0]["eventId"], event);
    assert_eq!(ask(&["deliveries", &app]).await["results"][0]["eventId"], event);
    assert_eq!(ask(&["deliveries", &app, "--given-up"]).await["results"], json!([]));
    for what in [&["--attempt", "1"][..], &["--event", &event]] {
        assert_eq!(ask(&[&["resend", &app], what].concat()).await["resent"], 1);
    }
    assert_eq!(ask(&["resend-failed", &app, "--since", "2020-01-01T00:00:00Z"]).await["resent"], 1);
    assert_eq!(ask(&["pause", &app, "--why", "It moves"]).await["pausedWhy"], "It moves");
    assert_eq!(ask(&["resume", &app]).await.get("pausedAt"), None);
    let shown = run(home, &["attempt", &app, "1", "--portal", &watched.desk.portal.id]).await;
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("so be it") && shown.contains(&event), "{shown}");
    for wrong in [
        &["resend", app.as_str()][..],
        &["resend", &app, "--attempt", "1", "--event", "2"],
        &["attempt", &app, "9"],
    ] {
        assert!(!run(home, wrong).await.status.success(), "{wrong:?}");
    }
}

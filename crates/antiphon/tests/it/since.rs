//! From when on a subscription is told: of what happens once it is switched on, however far behind its app is.

use std::collections::BTreeSet;
use std::time::Duration;

use antiphon_testkit::{Reply, Teller, TestReceiver, TestServer};
use serde_json::{Value, json};

use crate::kit::{Desk, text};

const CREATION: &str = "conversation.creation";
const MESSAGE: &str = "conversation.newMessage";

/// An app that can be left alone.
struct Listening {
    desk: Desk,
    receiver: TestReceiver,
}

impl Listening {
    async fn on(server: &TestServer) -> Self {
        let (desk, receiver) = (Desk::on(server).await, TestReceiver::start().await);
        let listening = Self { desk, receiver };
        let settings = json!({ "targetUrl": listening.receiver.url("/hook") });
        listening.send("PUT", "/settings", settings).await.expect(200);
        listening
    }

    async fn send(&self, method: &str, rest: &str, body: Value) -> Reply {
        let path = format!("/webhooks/v3/{}{rest}", self.desk.portal.app);
        self.desk.user.send(method, &path, body.to_string()).await
    }

    async fn subscribe(&self, event_type: &str, active: bool) -> String {
        let body = json!({ "eventType": event_type, "active": active });
        text(&self.send("POST", "/subscriptions", body).await.expect(201).json(), "id")
    }

    async fn switch(&self, id: &str, active: bool) {
        let body = json!({ "active": active });
        self.send("PATCH", &format!("/subscriptions/{id}"), body).await.expect(200);
    }

    async fn delete(&self, id: &str) {
        self.send("DELETE", &format!("/subscriptions/{id}"), Value::Null).await.expect(204);
    }

    async fn left_alone(&self, alone: bool) {
        let verb = if alone { "pause" } else { "resume" };
        let path = format!("/antiphon/v1/apps/{}/webhook/{verb}", self.desk.portal.app);
        self.desk.user.send("POST", &path, String::new()).await.expect(200);
    }

    /// A thread, which is one event of each type.
    async fn chat(&self, visitor: &str) -> i64 {
        self.desk.chat(visitor).await.parse().unwrap()
    }

    /// What it was told: subscription, and thread.
    fn told(&self) -> Vec<(String, i64)> {
        let all = self.receiver.received();
        let events = all.iter().flat_map(|request| request.json().as_array().unwrap().clone());
        events
            .map(|event| (event["subscriptionId"].to_string(), event["objectId"].as_i64().unwrap()))
            .collect()
    }

    /// Waits until it was told of a thread for a subscription.
    async fn until(&self, id: &str, thread: i64) {
        let wanted = (id.to_owned(), thread);
        for _ in 0..1_000 {
            if self.told().contains(&wanted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not told of {wanted:?}: {:?}", self.told());
    }
}

#[tokio::test]
async fn what_happened_while_nobody_wanted_it_is_told_to_nobody() {
    let app = Listening::on(&TestServer::start().await).await;
    let teller = Teller::start(&app.desk.server);
    let (always, often) = (app.subscribe(CREATION, true).await, app.subscribe(MESSAGE, true).await);
    let mut wanted = BTreeSet::new();
    let before = app.chat("before").await;
    for id in [&always, &often] {
        app.until(id, before).await;
        wanted.insert((id.clone(), before));
    }
    app.left_alone(true).await;
    // One that is switched off, one by one or with others, and on again; one that is deleted and made again; one that is new.
    let mut waiting = vec![app.chat("wanted by all").await];
    app.switch(&often, false).await;
    waiting.push(app.chat("wanted by one").await);
    app.switch(&often, true).await;
    waiting.push(app.chat("wanted by all again").await);
    wanted.extend([(often.clone(), waiting[2])]);
    let many =
        |active: bool| json!({ "inputs": [{ "id": often.parse::<i64>().unwrap(), "active": active }] });
    app.send("POST", "/subscriptions/batch/update", many(false)).await.expect(200);
    waiting.push(app.chat("wanted by one once more").await);
    app.send("POST", "/subscriptions/batch/update", many(true)).await.expect(200);
    wanted.retain(|(id, thread)| *id != often || *thread == before);
    // To be switched on while it is on changes nothing.
    waiting.push(app.chat("wanted by all once more").await);
    app.switch(&often, true).await;
    app.send("POST", "/subscriptions/batch/update", many(true)).await.expect(200);
    wanted.insert((often.clone(), waiting[4]));
    app.delete(&always).await;
    let again = app.subscribe(CREATION, true).await;
    waiting.push(app.chat("wanted by both that are there").await);
    wanted.extend([(again.clone(), waiting[5]), (often.clone(), waiting[5])]);
    app.left_alone(false).await;
    let last = app.chat("after").await;
    wanted.extend([(again.clone(), last), (often.clone(), last)]);
    for (id, thread) in &wanted {
        app.until(id, *thread).await;
    }
    let told = app.told();
    assert_eq!(told.len(), wanted.len(), "{told:?}");
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), wanted);
    teller.stop().await;
}

#[tokio::test]
async fn an_app_that_is_behind_is_like_one_that_is_left_alone() {
    let app = Listening::on(&TestServer::start().await).await;
    let old = app.subscribe(CREATION, true).await;
    let off = app.subscribe("conversation.deletion", false).await;
    // Nobody reads yet.
    let first = app.chat("first").await;
    app.desk.delete(&format!("/threads/{first}")).await.expect(204);
    let new = app.subscribe(MESSAGE, true).await;
    app.switch(&off, true).await;
    let second = app.chat("second").await;
    let teller = Teller::start(&app.desk.server);
    app.desk.delete(&format!("/threads/{second}")).await.expect(204);
    app.until(&off, second).await;
    let told: BTreeSet<_> = app.told().into_iter().collect();
    assert_eq!(told, BTreeSet::from([(old.clone(), first), (old, second), (new, second), (off, second)]));
    teller.stop().await;
}

#[tokio::test]
async fn whoever_is_told_that_it_subscribed_misses_nothing() {
    let app = Listening::on(&TestServer::start().await).await;
    let teller = Teller::start(&app.desk.server);
    app.subscribe(CREATION, true).await;
    let mut id = app.subscribe(MESSAGE, true).await;
    let rounds = async {
        for round in 0..20 {
            if round % 2 == 0 {
                app.delete(&id).await;
                id = app.subscribe(MESSAGE, true).await;
            } else {
                app.switch(&id, false).await;
                app.switch(&id, true).await;
            }
            let thread = app.chat(&format!("v{round}")).await;
            app.until(&id, thread).await;
        }
    };
    // The reader is busy all the while.
    let others = async {
        for round in 0.. {
            app.desk.chat(&format!("other{}", round % 50)).await;
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    };
    tokio::select! {
        () = rounds => {}
        () = others => {}
    }
    teller.stop().await;
}

#[tokio::test]
async fn nothing_of_before_is_sent_again() {
    let app = Listening::on(&TestServer::start().await).await;
    let id = app.subscribe(CREATION, true).await;
    let teller = Teller::start(&app.desk.server);
    let thread = app.chat("first").await;
    app.until(&id, thread).await;
    let resend = format!("/antiphon/v1/apps/{}/webhook/attempts/1/resend", app.desk.portal.app);
    let attempts = format!("/antiphon/v1/apps/{}/webhook/attempts", app.desk.portal.app);
    while app.desk.user.get(&attempts).await.expect(200).json()["results"] == json!([]) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    app.switch(&id, false).await;
    app.switch(&id, true).await;
    let refused = app.desk.user.send("POST", &resend, String::new()).await.expect(400);
    assert_eq!(refused.problems(), ["attemptId"]);
    teller.stop().await;
}

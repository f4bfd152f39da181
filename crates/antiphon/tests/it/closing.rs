//! Channels of which their app is told no more while messages wait for it: each of those has failed, whatever happens to whoever
//! was to hand it over.

use std::time::Duration;

use antiphon_store::{DeliveryState, Reader};
use antiphon_testkit::{Reaction, Teller};
use serde_json::{Value, json};

use crate::carried::Carried;
use crate::deliveries::{MINUTE, Steps};
use crate::kit::text;

/// By what a channel comes to be told no more, and why its messages failed.
const WAYS: [(&str, &str); 3] =
    [("webhookUrl", "has no webhookUrl"), ("archive", "was archived"), ("suspend", "is suspended")];

impl Carried {
    async fn close(&self, way: &str) {
        match way {
            "webhookUrl" => self.point_to(Value::Null).await,
            "archive" => {
                self.brought.send("DELETE", &format!("/{}", self.channel), Value::Null).await.expect(204);
            }
            _ => self.suspend(true).await,
        }
    }

    async fn point_to(&self, url: Value) {
        let body = json!({ "webhookUrl": url });
        self.brought.send("PATCH", &format!("/{}", self.channel), body).await.expect(200);
    }

    async fn suspend(&self, suspended: bool) {
        let path = format!("/antiphon/v1/apps/{}", self.brought.app);
        let operator = self.brought.desk.portal.operator();
        operator.patch(&path, json!({ "active": !suspended })).await.expect(200);
    }

    /// What became of messages: their status, and why.
    async fn outcomes(&self, thread: &str, ids: &[String]) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for id in ids {
            let status = self.message(thread, id).await["status"].clone();
            let why = status["failureDetails"]["errorMessage"].as_str().unwrap_or_default().to_owned();
            all.push((text(&status, "statusType"), why));
        }
        all
    }

    async fn all_failed(&self, thread: &str, ids: &[String]) -> bool {
        self.outcomes(thread, ids).await.iter().all(|(status, _)| status == "FAILED")
    }

    async fn is_read(&self) -> bool {
        let store = &self.brought.desk.server.app().store;
        let told = async || store.told_channels().await.unwrap().iter().any(|one| one.app == self.key());
        let before = told().await;
        let cursor = store.cursor(self.portal(), Reader::Webhooks, self.key()).await.unwrap();
        let after = told().await;
        // It may end in between.
        assert!(before != after || cursor.is_some() == after);
        after
    }
}

#[tokio::test]
async fn what_waits_on_a_channel_that_is_told_no_more_has_failed() {
    for (way, why) in WAYS {
        let carried = Carried::new().await;
        let server = &carried.brought.desk.server;
        carried.receiver.react(|_| Reaction::status(500));
        let thread = carried.incoming("one").await;
        let teller = Teller::start(server);
        // One that was tried, one that waits behind it, and one that nobody has read yet.
        let mut ids = vec![text(&carried.answer(&thread, "first").await, "id")];
        carried.until("tried", async || !carried.told().is_empty()).await;
        ids.push(text(&carried.answer(&thread, "second").await, "id"));
        carried.until("held", async || carried.rows(DeliveryState::Waiting).await.len() >= 2).await;
        teller.stop().await;
        ids.push(text(&carried.answer(&thread, "third").await, "id"));
        let sent = carried.told().len();
        carried.close(way).await;
        // Whoever was to hand them over is gone, and another one comes.
        assert!(carried.outcomes(&thread, &ids).await.iter().all(|(status, _)| status == "SENT"), "{way}");
        let teller = Teller::start(server);
        carried.until(way, async || carried.all_failed(&thread, &ids).await).await;
        for (_, said) in carried.outcomes(&thread, &ids).await {
            assert!(said.contains(why) && said.starts_with("The channel could not be reached. "), "{said}");
        }
        // Nothing is sent any more, and in the end nothing of it is remembered.
        carried
            .until("forgotten", async || {
                server.advance(MINUTE);
                teller.wake();
                !carried.is_read().await
            })
            .await;
        assert_eq!(carried.told().len(), sent, "{way}");
        assert_eq!(carried.rows(DeliveryState::Waiting).await, []);
        teller.stop().await;
    }
}

#[tokio::test]
async fn what_is_said_on_a_channel_whose_app_is_suspended_has_failed_at_once() {
    let carried = Carried::new().await;
    let teller = Teller::start(&carried.brought.desk.server);
    let thread = carried.incoming("one").await;
    carried.suspend(true).await;
    let said = carried.answer(&thread, "Hello").await;
    assert_eq!(said["status"]["statusType"], "FAILED");
    let why = said["status"]["failureDetails"]["errorMessage"].as_str().unwrap();
    assert_eq!(
        why,
        "The app that brought the channel is suspended, so nobody was told to deliver the message"
    );
    carried.suspend(false).await;
    let next = carried.answer(&thread, "Hello again").await;
    assert_eq!(next["status"]["statusType"], "SENT");
    carried.until("told", async || !carried.told().is_empty()).await;
    assert_eq!(carried.told(), [text(&next, "id")]);
    teller.stop().await;
}

#[tokio::test]
async fn a_channel_that_is_told_again_in_time_hands_over_what_waits() {
    let carried = Carried::new().await;
    let thread = carried.incoming("one").await;
    let url = carried.receiver.url("/events");
    let ids = [text(&carried.answer(&thread, "waits").await, "id")];
    carried.point_to(Value::Null).await;
    carried.point_to(json!(url)).await;
    carried.suspend(true).await;
    carried.suspend(false).await;
    let teller = Teller::start(&carried.brought.desk.server);
    carried.until("told", async || !carried.told().is_empty()).await;
    assert_eq!(carried.told(), ids);
    carried.brought.desk.server.advance(MINUTE * 5);
    teller.wake();
    let next = text(&carried.answer(&thread, "and on it goes").await, "id");
    carried.until("told", async || carried.told().contains(&next)).await;
    assert!(carried.outcomes(&thread, &ids).await.iter().all(|(status, _)| status == "SENT"));
    teller.stop().await;
}

#[tokio::test]
async fn a_channel_that_is_paused_and_closes_keeps_nobody_waiting() {
    let carried = Carried::new().await;
    let path = format!("/antiphon/v1/apps/{}/webhook", carried.brought.app);
    let operator = carried.brought.desk.portal.operator();
    let pause = format!("{path}/pause?channelId={}", carried.channel);
    operator.post(&pause, json!({ "why": "moves" })).await.expect(200);
    let teller = Teller::start(&carried.brought.desk.server);
    let thread = carried.incoming("one").await;
    let ids = [text(&carried.answer(&thread, "waits").await, "id")];
    carried.close("webhookUrl").await;
    carried.until("failed", async || carried.all_failed(&thread, &ids).await).await;
    assert_eq!(carried.told(), [""; 0]);
    teller.stop().await;
}

#[tokio::test]
async fn a_crash_between_any_two_steps_of_closing_leaves_no_message_undecided() {
    let carried = Carried::new().await;
    let server = &carried.brought.desk.server;
    let whom = antiphon_store::Told { portal: carried.portal(), app: carried.key() };
    let stop = tokio::sync::watch::channel(false);
    let tell = || antiphon::webhooks::deliver::tell(server.app().clone(), whom, stop.1.clone());
    carried.receiver.react(|_| Reaction::status(500));
    let url = carried.receiver.url("/events");
    let thread = carried.incoming("one").await;
    let mut ids = Vec::new();
    for steps in 1..=30 {
        if steps % 10 == 1 {
            // Closed in the end, with something that waits and something that failed.
            carried.point_to(json!(url)).await;
            ids.push(text(&carried.answer(&thread, &format!("message {steps}")).await, "id"));
            tokio::time::timeout(Duration::from_millis(200), tell()).await.ok();
            ids.push(text(&carried.answer(&thread, &format!("another {steps}")).await, "id"));
            carried.close("webhookUrl").await;
        }
        let crash = Steps { task: Box::pin(tell()), left: steps };
        tokio::time::timeout(Duration::from_millis(300), crash).await.ok();
    }
    let tell = tell();
    let settled = carried.until("settled", async || {
        server.app().webhooks.wake();
        carried.all_failed(&thread, &ids).await
    });
    tokio::select! {
        () = tell => panic!("it ended before it was time"),
        () = settled => {}
    }
    server.advance(MINUTE * 2);
    let whole = antiphon::webhooks::deliver::tell(server.app().clone(), whom, stop.1.clone());
    tokio::time::timeout(Duration::from_secs(10), whole).await.unwrap();
    assert!(!carried.is_read().await);
}

#[tokio::test]
async fn what_waits_on_a_paused_channel_for_longer_than_events_are_kept_has_failed() {
    let carried = Carried::new().await;
    let server = &carried.brought.desk.server;
    carried.receiver.react(|_| Reaction::status(500));
    let thread = carried.incoming("one").await;
    let teller = Teller::start(server);
    // One that was tried, one that waits behind it, and one that nobody has read yet.
    let mut ids = vec![text(&carried.answer(&thread, "first").await, "id")];
    carried.until("tried", async || !carried.told().is_empty()).await;
    ids.push(text(&carried.answer(&thread, "second").await, "id"));
    carried.until("held", async || carried.rows(DeliveryState::Waiting).await.len() >= 2).await;
    let path = format!("/antiphon/v1/apps/{}/webhook", carried.brought.app);
    let operator = carried.brought.desk.portal.operator();
    let pause = format!("{path}/pause?channelId={}", carried.channel);
    operator.post(&pause, json!({ "why": "moves" })).await.expect(200);
    teller.stop().await;
    ids.push(text(&carried.answer(&thread, "third").await, "id"));
    let config = &server.app().config.events;
    server.advance(Duration::from_millis((config.most() - 60_000) as u64));
    let late = text(&carried.answer(&thread, "late").await, "id");
    server.advance(Duration::from_secs(120));

    // Whatever it is interrupted in, nothing is forgotten of which nobody has said what became of it.
    let store = &server.app().store;
    for steps in 1..400 {
        let run = antiphon::events::retention::run(server.app(), server.now());
        let whole = Steps { task: Box::pin(run), left: steps }.await;
        let known = store.events_after(carried.portal(), 0, 10_000).await.unwrap();
        let outcomes = carried.outcomes(&thread, &ids).await;
        for (id, (status, _)) in ids.iter().zip(&outcomes) {
            let is_known = known.iter().any(|event| event.payload.contains(id.as_str()));
            assert!(is_known || status == "FAILED", "{id} {status} after {steps} steps");
        }
        if whole {
            break;
        }
    }
    for (status, why) in carried.outcomes(&thread, &ids).await {
        assert_eq!(status, "FAILED");
        assert!(why.contains("longer than events are kept"), "{why}");
    }
    assert_eq!(carried.rows(DeliveryState::Waiting).await, []);
    assert_eq!(
        carried.outcomes(&thread, std::slice::from_ref(&late)).await[0].0,
        "SENT",
        "its time is not over"
    );
    let oldest = store.events_after(carried.portal(), 0, 1).await.unwrap().remove(0);
    assert!(oldest.occurred_at >= server.now() - config.most());
    // It is handed over when the pause ends.
    let teller = Teller::start(server);
    carried.receiver.react(|_| Reaction::status(200));
    operator.post(&format!("{path}/resume?channelId={}", carried.channel), json!({})).await.expect(200);
    carried.until("told", async || carried.told().contains(&late)).await;
    teller.stop().await;
}

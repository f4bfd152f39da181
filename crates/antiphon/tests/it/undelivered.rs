//! Webhooks that were not taken: what waits for what, and what becomes of it when subscriptions change or somebody sends it again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use antiphon_store::{Delivery, DeliveryState, EventKind, SubscriptionId};
use antiphon_testkit::{Reaction, Teller};
use serde_json::json;

use crate::deliveries::{MINUTE, Told, events};

impl Told {
    /// Has every delivery fail until so many wait: `count` messages of each of some visitors.
    async fn failing(&self, teller: &Teller, visitors: &[&str], count: usize) {
        self.receiver.react(|_| Reaction::status(500));
        for visitor in visitors {
            self.portal.chat_from(visitor, "Hello").await;
        }
        self.until_failed(visitors.len()).await;
        for number in 1..count {
            for visitor in visitors {
                self.portal.chat_from(visitor, &format!("{number}")).await;
            }
        }
        teller.wake();
        self.until_failed(visitors.len() * count).await;
    }

    /// Lets time pass until nothing waits to be tried again.
    async fn until_taken(&self, teller: &Teller) {
        self.until("taken", async || {
            self.server.advance(MINUTE * 10);
            teller.wake();
            self.deliveries(DeliveryState::Waiting).await.is_empty()
        })
        .await;
    }
}

#[tokio::test]
async fn where_order_is_strict_a_thread_begins_with_its_first_event_every_time() {
    let told = Told::of(&[("conversation.newMessage", None, true)]).await;
    let teller = Teller::start(&told.server);
    // More than one request can carry, so that one of the threads is torn apart.
    told.failing(&teller, &["v1", "v2"], 70).await;
    for _ in 0..3 {
        let before = told.receiver.received().len();
        told.server.advance(MINUTE * 20);
        teller.wake();
        told.until("tried", async || told.receiver.received().len() > before).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut firsts: BTreeMap<String, i64> = BTreeMap::new();
    for request in told.receiver.received() {
        let mut seen = BTreeSet::new();
        for event in events(std::slice::from_ref(&request)) {
            let object = event["objectId"].to_string();
            let at = event["occurredAt"].as_i64().unwrap();
            if seen.insert(object.clone()) {
                assert_eq!(*firsts.entry(object).or_insert(at), at, "its first was not taken: {event}");
            }
        }
    }
    told.receiver.react(|_| Reaction::status(200));
    told.until_taken(&teller).await;
    teller.stop().await;
}

#[tokio::test]
async fn what_waited_behind_another_event_goes_when_order_matters_no_more() {
    let told = Told::of(&[("conversation.newMessage", None, true)]).await;
    let teller = Teller::start(&told.server);
    told.failing(&teller, &["v1"], 5).await;
    told.subscribe(1, "conversation.newMessage", None, false, true).await;
    told.receiver.react(|_| Reaction::status(200));
    told.until_taken(&teller).await;
    let taken: BTreeSet<_> =
        events(&told.receiver.received()).iter().map(|event| event["eventId"].to_string()).collect();
    assert_eq!(taken.len(), 5);
    teller.stop().await;
}

#[tokio::test]
async fn a_subscription_that_is_switched_on_again_waits_for_nothing_of_before() {
    let told =
        Told::of(&[("conversation.newMessage", None, true), ("conversation.deletion", None, false)]).await;
    let teller = Teller::start(&told.server);
    told.failing(&teller, &["v1"], 4).await;
    told.subscribe(1, "conversation.newMessage", None, true, false).await;
    told.receiver.react(|_| Reaction::status(200));
    told.until_taken(&teller).await;
    let before = told.receiver.received().len();
    told.subscribe(1, "conversation.newMessage", None, true, true).await;
    told.portal.chat_from("v1", "But this").await;
    told.until("told", async || events(&told.receiver.received()[before..]).len() == 1).await;
    teller.stop().await;
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_keeps_nothing_from_being_read() {
    let told =
        Told::of(&[("conversation.newMessage", None, false), ("conversation.creation", None, false)]).await;
    let row = |position: i64| Delivery {
        position: -position,
        subscription_id: SubscriptionId(1),
        object_id: position,
        attempts: 1,
        first_at: told.server.now(),
        last_at: told.server.now(),
        due_at: Some(told.server.now() + 3_600_000),
        loose: false,
        error: "The receiver answered 500".into(),
    };
    let rows = (1..=10_000).map(row).collect();
    told.server.app().store.deliveries_put(told.id(), told.app(), rows).await.unwrap();
    let teller = Teller::start(&told.server);
    told.portal.chat_from("v1", "Hello").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(told.receiver.received().len(), 0, "too much waits to be tried again");
    told.subscribe(1, "conversation.newMessage", None, false, false).await;
    told.until("told", async || events(&told.receiver.received()).len() == 1).await;
    teller.stop().await;
}

#[tokio::test]
async fn what_has_failed_is_not_sent_anew_by_whoever_comes_next() {
    let told = Told::of_messages().await;
    told.portal.chat_from("v1", "Hello").await;
    let store = &told.server.app().store;
    let all = store.events_after(told.id(), 0, 1_000).await.unwrap();
    let event = all.iter().find(|event| event.kind == EventKind::MessageAdded).unwrap();
    // Who sent it could not note how far it was, since an earlier event was under way.
    let row = Delivery {
        position: event.position,
        subscription_id: SubscriptionId(1),
        object_id: event.object_id,
        attempts: 3,
        first_at: told.server.now(),
        last_at: told.server.now(),
        due_at: Some(told.server.now() + 600_000),
        loose: false,
        error: "The receiver answered 500".into(),
    };
    store.deliveries_put(told.id(), told.app(), vec![row]).await.unwrap();
    let teller = Teller::start(&told.server);
    told.portal.chat_from("v2", "Hello").await;
    told.until("told", async || !told.receiver.received().is_empty()).await;
    assert_eq!(events(&told.receiver.received()).len(), 1);
    told.until_taken(&teller).await;
    let all = events(&told.receiver.received());
    assert_eq!((all.len(), &all[1]["attemptNumber"]), (2, &json!(3)));
    teller.stop().await;
}

#[tokio::test]
async fn what_somebody_has_sent_again_is_counted_like_all_that_waits() {
    let told = Told::of_messages().await;
    let teller = Teller::start(&told.server);
    told.portal.chat_from("v0", "Hello").await;
    told.until("told", async || told.attempts().await.len() == 1).await;
    told.receiver.react(|_| Reaction::status(500));
    told.portal.chat_from("v1", "Hello").await;
    told.until_failed(1).await;
    let known = told.deliveries(DeliveryState::Waiting).await.remove(0);
    let store = &told.server.app().store;
    let all = store.events_after(told.id(), 0, 1_000).await.unwrap();
    let taken = all.iter().find(|event| event.kind == EventKind::MessageAdded).unwrap();
    let again = Delivery {
        position: taken.position,
        object_id: taken.object_id,
        due_at: Some(told.server.now()),
        ..known
    };
    store.deliveries_put(told.id(), told.app(), vec![again]).await.unwrap();
    teller.wake();
    told.until("tried", async || told.attempts().await.len() == 3).await;
    let shown = |count| {
        let figures = told.server.app().webhooks.apps();
        figures.get(&told.app()).is_some_and(|figures| figures.waiting == count)
    };
    told.until("counted", async || shown(2)).await;
    told.receiver.react(|_| Reaction::status(200));
    told.until_taken(&teller).await;
    told.until("counted", async || shown(0)).await;
    teller.stop().await;
}

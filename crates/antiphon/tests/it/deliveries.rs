//! Webhooks on their way: what is sent, in which order, how often, and that nothing is lost on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use antiphon_store::*;
use antiphon_testkit::{Portal, Reaction, Received, Teller, TestReceiver, TestServer};
use serde_json::{Value, json};

pub const MINUTE: Duration = Duration::from_secs(60);

/// A portal whose app is told of events at a receiver.
pub struct Told {
    pub server: TestServer,
    pub portal: Portal,
    pub receiver: TestReceiver,
}

impl Told {
    /// An app with these subscriptions: type, property and whether order is strict.
    pub async fn of(subscriptions: &[(&str, Option<&str>, bool)]) -> Self {
        let server = TestServer::start().await;
        let portal = server.portal("Acme").await;
        let receiver = TestReceiver::start().await;
        let told = Self { server, portal, receiver };
        told.tell(&told.receiver.url("/hook")).await;
        for (index, (event_type, property, ordered)) in subscriptions.iter().enumerate() {
            told.subscribe(index as i64 + 1, event_type, *property, *ordered, true).await;
        }
        told
    }

    pub async fn of_messages() -> Self {
        Self::of(&[("conversation.newMessage", None, false)]).await
    }

    pub fn app(&self) -> AppId {
        AppId(self.portal.app.parse().unwrap())
    }

    pub fn id(&self) -> PortalId {
        PortalId(self.portal.id.parse().unwrap())
    }

    pub async fn direct(&self, change: DirectoryChange) {
        let rule = move |_: &State, _: &mut Moment| {
            let directory = vec![change.clone()];
            Ok::<_, std::convert::Infallible>(Changes { directory, ..Changes::default() })
        };
        let Ok(_) = self.server.app().store.change(self.id(), Target::Directory, rule).await.unwrap();
    }

    pub async fn tell(&self, url: &str) {
        let webhook = Webhook {
            app_id: self.app(),
            target_url: url.into(),
            max_concurrent: 10,
            created_at: self.server.now(),
            updated_at: None,
            paused: None,
            closing_at: None,
            deleted_at: None,
        };
        self.direct(DirectoryChange::Webhook(webhook)).await;
    }

    pub async fn subscribe(
        &self,
        id: i64,
        event_type: &str,
        property: Option<&str>,
        ordered: bool,
        active: bool,
    ) {
        let one = self.subscription(id, event_type, property, ordered, active);
        self.direct(DirectoryChange::Subscription(one)).await;
    }

    pub fn subscription(
        &self,
        id: i64,
        event_type: &str,
        property: Option<&str>,
        ordered: bool,
        active: bool,
    ) -> Subscription {
        Subscription {
            id: SubscriptionId(id),
            app_id: self.app(),
            event_type: event_type.into(),
            property_name: property.map(str::to_owned),
            object_type_id: None,
            event_type_name: None,
            active,
            expand: Expand::default(),
            ordered,
            created_at: self.server.now(),
            updated_at: None,
            deleted_at: None,
            since: 0,
            since_at: 0,
        }
    }

    pub async fn deliveries(&self, state: DeliveryState) -> Vec<Delivery> {
        self.server.app().store.deliveries(self.id(), self.app(), state, None, 1_000).await.unwrap()
    }

    pub async fn attempts(&self) -> Vec<Attempt> {
        let query = AttemptQuery { limit: 1_000, ..AttemptQuery::default() };
        let found = self.server.app().store.attempts(self.id(), self.app(), &query).await.unwrap();
        let mut all = found.attempts;
        all.reverse();
        all
    }

    /// Waits until something is so.
    pub async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        for _ in 0..1_000 {
            if is_so().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not {what}: {:#?}", self.attempts().await);
    }

    /// Waits until so many deliveries wait for their retry.
    pub async fn until_failed(&self, count: usize) {
        let is_so = async || self.deliveries(DeliveryState::Waiting).await.len() == count;
        self.until("failed", is_so).await;
    }
}

/// Every event of some requests, in the order in which they came.
pub fn events(received: &[Received]) -> Vec<Value> {
    received.iter().flat_map(|request| request.json().as_array().unwrap().clone()).collect()
}

#[tokio::test]
async fn what_happens_to_a_thread_is_told_in_the_contract_s_words() {
    let told = Told::of(&[
        ("conversation.creation", None, false),
        ("conversation.newMessage", None, false),
        ("conversation.propertyChange", Some("status"), false),
        ("conversation.deletion", None, false),
        ("contact.creation", None, false),
    ])
    .await;
    let teller = Teller::start(&told.server);
    let thread = told.portal.chat_from("v1", "Hello").await;
    let user = told.portal.full().await;
    let path = format!("/conversations/v3/conversations/threads/{thread}");
    user.patch(&path, json!({ "status": "CLOSED" })).await.expect(200);
    user.delete(&path).await.expect(204);
    let received = told.receiver.wait_for(1).await;
    told.until("told", async || events(&told.receiver.received()).len() == 4).await;
    let request = &received[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/hook"));
    assert_eq!(request.header("content-type"), "application/json");
    assert!(request.header("user-agent").starts_with("Antiphon-Webhooks/"));
    assert_eq!(request.header("x-hubspot-signature-version"), "v1");
    let all = events(&told.receiver.received());
    let types: Vec<_> = all.iter().map(|event| event["subscriptionType"].as_str().unwrap()).collect();
    assert_eq!(
        types,
        [
            "conversation.creation",
            "conversation.newMessage",
            "conversation.propertyChange",
            "conversation.deletion"
        ]
    );
    let object: i64 = thread.parse().unwrap();
    for (index, event) in all.iter().enumerate() {
        assert_eq!(event["objectId"], object);
        assert_eq!(event["portalId"], told.id().0);
        assert_eq!(event["appId"], told.app().0);
        assert_eq!(event["subscriptionId"], index as i64 + 1);
        assert_eq!(event["attemptNumber"], 0);
        assert!(event["occurredAt"].as_i64().unwrap() >= antiphon_testkit::EPOCH);
        assert!(event["eventId"].as_i64().unwrap() < 1 << 53);
    }
    assert_eq!((&all[0]["changeFlag"], &all[1]["changeFlag"]), (&json!("CREATED"), &json!("NEW_MESSAGE")));
    assert_eq!((&all[2]["propertyName"], &all[2]["propertyValue"]), (&json!("status"), &json!("CLOSED")));
    assert_eq!((&all[1]["messageType"], &all[3]["changeFlag"]), (&json!("MESSAGE"), &json!("DELETED")));
    let message = all[1]["messageId"].as_str().unwrap();
    let shown = user.get(&format!("{path}/messages/{message}?archived=true")).await;
    assert_eq!(shown.expect(200).json()["text"], "Hello");
    // Members stand in the order of HubSpot's own bodies, without blanks.
    let text = String::from_utf8(received[0].body.to_vec()).unwrap();
    assert!(text.starts_with(r#"[{"eventId":"#) && !text.contains(": ") && !text.contains('\n'), "{text}");
    teller.stop().await;
    assert_eq!(told.deliveries(DeliveryState::Waiting).await, []);
    assert!(told.attempts().await.iter().all(|attempt| attempt.succeeded && attempt.status == Some(200)));
}

#[tokio::test]
async fn events_that_come_together_are_told_together() {
    let told = Told::of_messages().await;
    let teller = Teller::start(&told.server);
    for visitor in 0..130 {
        told.portal.chat_from(&format!("v{visitor}"), "Hello").await;
    }
    told.until("told", async || events(&told.receiver.received()).len() == 130).await;
    let received = told.receiver.received();
    assert!(received.len() < 20, "{} requests", received.len());
    assert!(received.iter().all(|request| request.json().as_array().unwrap().len() <= 100));
    let ids: BTreeSet<i64> =
        events(&received).iter().map(|event| event["eventId"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), 130);
    teller.stop().await;
}

#[tokio::test]
async fn an_event_is_retried_through_a_whole_day_and_given_up_then() {
    let told = Told::of_messages().await;
    told.receiver.react(|_| Reaction::answer(500, &[], "out of order"));
    let teller = Teller::start(&told.server);
    told.portal.chat_from("v1", "Hello").await;
    told.until_failed(1).await;
    let minutes = [1, 5, 15, 30, 60, 120, 180, 240, 300, 360];
    for (made, minutes) in minutes.into_iter().enumerate() {
        let row = told.deliveries(DeliveryState::Waiting).await.remove(0);
        assert_eq!(row.attempts, made as i64 + 1);
        let wait = row.due_at.unwrap() - told.server.now();
        let usual = minutes * 60_000;
        assert!((usual * 8 / 10..=usual * 12 / 10).contains(&wait), "{wait} after {made}");
        // A moment too early nothing comes.
        told.server.advance(Duration::from_millis(wait as u64 - 1));
        teller.wake();
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(told.receiver.received().len(), made + 1);
        told.server.advance(Duration::from_millis(1));
        teller.wake();
        told.until("retried", async || told.attempts().await.len() == made + 2).await;
    }
    told.until("given up", async || told.deliveries(DeliveryState::GivenUp).await.len() == 1).await;
    let received = told.receiver.received();
    assert_eq!(received.len(), 11);
    let ids: BTreeSet<_> = events(&received).iter().map(|event| event["eventId"].to_string()).collect();
    assert_eq!(ids.len(), 1, "it is the same event");
    for (made, event) in events(&received).iter().enumerate() {
        assert_eq!(event["attemptNumber"], made);
    }
    let stamps: BTreeSet<_> =
        received.iter().map(|request| request.header("x-hubspot-request-timestamp").to_owned()).collect();
    assert!(stamps.len() > 5, "each attempt is signed anew");
    let row = told.deliveries(DeliveryState::GivenUp).await.remove(0);
    assert_eq!((row.attempts, row.error.as_str()), (11, "The receiver answered 500"));
    assert_eq!(told.attempts().await[3].excerpt, "out of order");
    // Nothing was taken in all that time: the receiver is left alone, and its owner told.
    let directory = async || told.server.app().store.directory(told.id()).await.unwrap().unwrap();
    told.until("paused", async || directory().await.webhook(told.app()).unwrap().paused.is_some()).await;
    let store = &told.server.app().store;
    let spine = store.events_after(told.id(), 0, 1_000).await.unwrap();
    assert!(
        spine.iter().any(|event| event.kind == EventKind::WebhookPaused && event.object_id == told.app().0)
    );
    teller.stop().await;
}

#[tokio::test]
async fn whoever_asks_to_be_left_alone_is() {
    let told = Told::of_messages().await;
    told.receiver.react(|_| Reaction::answer(429, &[("retry-after", "600")], ""));
    let teller = Teller::start(&told.server);
    told.portal.chat_from("v1", "Hello").await;
    told.until_failed(1).await;
    let row = told.deliveries(DeliveryState::Waiting).await.remove(0);
    assert_eq!(row.due_at.unwrap() - told.server.now(), 600_000);
    teller.stop().await;
}

#[tokio::test]
async fn whatever_a_hostile_receiver_answers_is_tried_again_and_taken_in_the_end() {
    let answers: Vec<fn() -> Reaction> = vec![
        || Reaction::status(404),
        || Reaction::status(301),
        || Reaction::close(),
        || Reaction::raw("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc").then_close(),
        || Reaction::raw("hello\r\n\r\n").then_close(),
        || Reaction::status(503),
    ];
    let told = Told::of_messages().await;
    let turn = Arc::new(AtomicUsize::new(0));
    let (all, now) = (answers.len(), turn.clone());
    told.receiver.react(move |_| match answers.get(now.load(Ordering::SeqCst)) {
        Some(answer) => answer(),
        None => Reaction::status(204),
    });
    let teller = Teller::start(&told.server);
    told.portal.chat_from("v1", "Hello").await;
    for made in 0..all {
        told.until("tried", async || told.attempts().await.len() == made + 1).await;
        turn.fetch_add(1, Ordering::SeqCst);
        told.server.advance(MINUTE * 24 * 60);
        teller.wake();
    }
    told.until("taken", async || told.deliveries(DeliveryState::Waiting).await.is_empty()).await;
    let attempts = told.attempts().await;
    assert_eq!(attempts.len(), all + 1);
    assert!(attempts[..all].iter().all(|attempt| !attempt.succeeded && attempt.error.is_some()));
    assert!(attempts[all].succeeded);
    teller.stop().await;
}

#[tokio::test]
async fn one_app_s_trouble_is_not_another_s() {
    let told = Told::of_messages().await;
    told.receiver.react(|_| Reaction::hang());
    let other = Told {
        receiver: TestReceiver::start().await,
        server: told.server.clone(),
        portal: told.portal.clone(),
    };
    let made =
        told.portal.operator().post("/antiphon/v1/apps", json!({ "name": "Other" })).await.expect(201).json();
    let mut portal = told.portal.clone();
    portal.app = made["id"].as_str().unwrap().to_owned();
    let other = Told { portal, ..other };
    other.tell(&other.receiver.url("/")).await;
    other.subscribe(77, "conversation.newMessage", None, false, true).await;
    let teller = Teller::start(&told.server);
    for number in 0..20 {
        told.portal.chat_from(&format!("v{number}"), "Hello").await;
    }
    other.until("told", async || events(&other.receiver.received()).len() == 20).await;
    assert!(events(&other.receiver.received()).iter().all(|event| event["appId"] == other.app().0));
    drop(teller);
}

#[tokio::test]
async fn a_thread_s_events_are_first_sent_in_their_order() {
    let told = Told::of_messages().await;
    told.receiver.react(|_| Reaction::status(200).after(Duration::from_millis(15)));
    let teller = Teller::start(&told.server);
    for round in 0..25 {
        for visitor in 0..8 {
            told.portal.chat_from(&format!("v{visitor}"), &format!("message {round}")).await;
        }
    }
    told.until("told", async || events(&told.receiver.received()).len() == 200).await;
    let mut last: BTreeMap<String, i64> = BTreeMap::new();
    for event in events(&told.receiver.received()) {
        let at = event["occurredAt"].as_i64().unwrap();
        let before = last.insert(event["objectId"].to_string(), at);
        assert!(before < Some(at), "{event}");
    }
    teller.stop().await;
}

#[tokio::test]
async fn where_order_is_strict_an_event_waits_for_the_earlier_ones_of_its_thread() {
    let told = Told::of(&[("conversation.newMessage", None, true)]).await;
    let thread = told.portal.chat_from("sick", "Hello").await;
    let well = told.portal.chat_from("well", "Hello").await;
    let sick: i64 = thread.parse().unwrap();
    let refuse = Arc::new(AtomicUsize::new(1));
    let refusing = refuse.clone();
    told.receiver.react(move |request| {
        let about_it = request.json().as_array().unwrap().iter().any(|event| event["objectId"] == sick);
        Reaction::status(if about_it && refusing.load(Ordering::SeqCst) == 1 { 500 } else { 200 })
    });
    let mut teller = Teller::start(&told.server);
    // Both may go together the first time; what comes later of the sick one has to wait.
    told.until("tried", async || !told.attempts().await.is_empty()).await;
    for number in 0..5 {
        told.portal.chat_from("sick", &format!("{number}")).await;
        told.portal.chat_from("well", &format!("{number}")).await;
    }
    let of = |object: &str, events: &[Value]| {
        let object: i64 = object.parse().unwrap();
        events.iter().filter(|event| event["objectId"] == object).cloned().collect::<Vec<_>>()
    };
    told.until("told", async || {
        told.server.advance(MINUTE);
        teller.wake();
        let taken = told.receiver.received();
        let taken: Vec<_> = taken
            .into_iter()
            .filter(|one| !one.json().as_array().unwrap().iter().any(|event| event["objectId"] == sick))
            .collect();
        of(&well, &events(&taken)).len() == 6
    })
    .await;
    told.until("held", async || {
        told.deliveries(DeliveryState::Waiting).await.iter().filter(|one| one.object_id == sick).count() == 6
    })
    .await;
    // Whoever comes next knows what waits for what.
    teller.stop().await;
    teller = Teller::start(&told.server);
    refuse.store(0, Ordering::SeqCst);
    told.server.advance(MINUTE * 60);
    teller.wake();
    told.until("taken", async || told.deliveries(DeliveryState::Waiting).await.is_empty()).await;
    let mut seen = BTreeSet::new();
    let taken: Vec<i64> = of(&thread, &events(&told.receiver.received()))
        .iter()
        .rev()
        .map(|event| event["occurredAt"].as_i64().unwrap())
        .filter(|at| seen.insert(*at))
        .collect();
    assert_eq!(taken.len(), 6);
    assert!(taken.is_sorted_by(|a, b| a > b), "{taken:?}");
    teller.stop().await;
}

#[tokio::test]
async fn nothing_is_lost_however_often_it_crashes() {
    let told = Told::of_messages().await;
    let turn = Arc::new(AtomicUsize::new(0));
    let taken = turn.clone();
    told.receiver.react(move |_| match taken.fetch_add(1, Ordering::SeqCst) % 4 {
        3 => Reaction::status(500),
        _ => Reaction::status(200).after(Duration::from_millis(5)),
    });
    let mut expected = BTreeSet::new();
    let user = told.portal.full().await;
    for round in 0..60_u64 {
        let teller = Teller::start(&told.server);
        let thread = told.portal.chat_from(&format!("v{}", round % 7), &format!("message {round}")).await;
        expected.insert(thread);
        // Somewhere between reading, gathering, sending, answering and writing.
        tokio::time::sleep(Duration::from_millis((round * 37) % 290)).await;
        drop(teller);
        told.server.advance(MINUTE);
    }
    let mut messages = BTreeSet::new();
    for thread in &expected {
        let path = format!("/conversations/v3/conversations/threads/{thread}/messages?limit=100");
        let page = user.get(&path).await.expect(200).json();
        let all = page["results"].as_array().unwrap().iter().filter(|one| one["type"] == "MESSAGE");
        messages.extend(all.map(|one| one["id"].as_str().unwrap().to_owned()));
    }
    assert_eq!(messages.len(), 60);
    told.receiver.react(|_| Reaction::status(200));
    let teller = Teller::start(&told.server);
    let position = told.server.app().store.event_position(told.id()).await.unwrap();
    let cursor = async || {
        told.server.advance(MINUTE * 60);
        teller.wake();
        told.deliveries(DeliveryState::Waiting).await.is_empty()
            && told.server.app().webhooks.apps().get(&told.app()).is_some_and(|figures| figures.lag == 0)
    };
    told.until("settled", cursor).await;
    assert!(position >= 60);
    let came: BTreeSet<String> = events(&told.receiver.received())
        .iter()
        .map(|event| event["messageId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(came, messages, "each came at least once");
    teller.stop().await;
}

#[tokio::test]
async fn a_secret_that_is_replaced_works_on_both_sides_while_it_overlaps() {
    let told = Told::of_messages().await;
    let directory = told.server.app().store.directory(told.id()).await.unwrap().unwrap();
    let app = directory.app(told.app()).unwrap().clone();
    let old = app.client_secret.clone();
    let until = told.server.now() + 3_600_000;
    let replaced = App {
        client_secret: "new-secret".into(),
        old_secret: Some(Replaced { value: old.clone(), until }),
        ..app
    };
    told.direct(DirectoryChange::App(replaced)).await;
    for knows in [old.as_str(), "new-secret"] {
        let secret = knows.to_owned();
        told.receiver.react(move |request| {
            let expected = antiphon::webhooks::sign::v1(&secret, &request.body);
            let ok = request.header("x-hubspot-signature") == expected;
            Reaction::status(if ok { 200 } else { 401 })
        });
        let teller = Teller::start(&told.server);
        let before = told.attempts().await.len();
        told.portal.chat_from("v1", "Hello").await;
        told.until("told", async || told.attempts().await.iter().skip(before).any(|one| one.succeeded)).await;
        assert_eq!(told.deliveries(DeliveryState::Waiting).await, []);
        teller.stop().await;
    }
    // Afterwards the old one is worth nothing.
    told.server.advance(MINUTE * 61);
    told.receiver.react(move |request| {
        let expected = antiphon::webhooks::sign::v1(&old, &request.body);
        Reaction::status(if request.header("x-hubspot-signature") == expected { 200 } else { 401 })
    });
    let teller = Teller::start(&told.server);
    told.portal.chat_from("v1", "Hello").await;
    told.until_failed(1).await;
    teller.stop().await;
}

#[tokio::test]
async fn who_is_not_told_any_more_gets_nothing_and_nobody_is_told_of_what_was_before() {
    let told = Told::of_messages().await;
    told.receiver.react(|_| Reaction::status(500));
    let teller = Teller::start(&told.server);
    told.portal.chat_from("v1", "Hello").await;
    told.until_failed(1).await;
    told.subscribe(1, "conversation.newMessage", None, false, false).await;
    assert_eq!(told.deliveries(DeliveryState::Waiting).await, []);
    told.portal.chat_from("v1", "Nobody hears this").await;
    told.receiver.react(|_| Reaction::status(200));
    let before = told.receiver.received().len();
    told.subscribe(1, "conversation.newMessage", None, false, true).await;
    told.portal.chat_from("v1", "But this").await;
    told.until("told", async || told.receiver.received().len() > before).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let came = told.receiver.received();
    assert_eq!(
        events(&came[before..]).len(),
        1,
        "{:#?} before {:?}",
        events(&came[before..]),
        events(&came[..before])
    );
    teller.stop().await;
}

#[tokio::test]
async fn an_app_whose_scopes_leave_conversations_out_is_told_nothing_of_them() {
    let told = Told::of_messages().await;
    let scopes = |scopes: &[&str]| {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        DirectoryChange::Client(Client { app_id: told.app(), redirect_uris: Vec::new(), scopes })
    };
    told.direct(scopes(&["oauth", "conversations.write"])).await;
    let teller = Teller::start(&told.server);
    told.portal.chat_from("v1", "Not for the app").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(told.receiver.received().is_empty());
    told.direct(scopes(&["oauth", "conversations.read"])).await;
    told.portal.chat_from("v1", "For the app").await;
    told.until("told", async || !told.receiver.received().is_empty()).await;
    told.direct(scopes(&[])).await;
    told.portal.chat_from("v1", "For it as well").await;
    told.until("told", async || events(&told.receiver.received()).len() == 2).await;
    teller.stop().await;
}

#[tokio::test]
async fn whoever_asks_for_more_than_ids_gets_it() {
    let told = Told::of(&[]).await;
    let expand = Expand { message: true, thread: true, contact: true };
    let plain = told.subscription(1, "conversation.newMessage", None, false, true);
    told.direct(DirectoryChange::Subscription(Subscription { expand, ..plain })).await;
    let plain = told.subscription(2, "conversation.creation", None, false, true);
    let expand = Expand { message: true, contact: true, ..Expand::default() };
    told.direct(DirectoryChange::Subscription(Subscription { expand, ..plain })).await;
    let teller = Teller::start(&told.server);
    let thread = told.portal.email_from("ana@example.org", "Zażółć", "Grüße ☕").await;
    told.until("told", async || events(&told.receiver.received()).len() == 2).await;
    let all = events(&told.receiver.received());
    let (created, added) = (&all[0], &all[1]);
    assert_eq!((&created["message"], &created["thread"]), (&Value::Null, &Value::Null));
    assert_eq!(created["contact"]["email"], "ana@example.org");
    let user = told.portal.full().await;
    let path = format!("/conversations/v3/conversations/threads/{thread}");
    let message = format!("{path}/messages/{}", added["messageId"].as_str().unwrap());
    assert_eq!(added["message"], user.get(&message).await.expect(200).json());
    assert_eq!(added["thread"], user.get(&path).await.expect(200).json());
    assert_eq!(added["contact"]["email"], "ana@example.org");
    teller.stop().await;
}

#[tokio::test]
async fn a_paused_receiver_gets_nothing_and_what_it_missed_when_it_is_resumed() {
    let told = Told::of_messages().await;
    let teller = Teller::start(&told.server);
    let webhook = told.server.app().store.directory(told.id()).await.unwrap().unwrap();
    let webhook = webhook.webhook(told.app()).unwrap().clone();
    let paused = Paused { at: told.server.now(), why: "Maintenance".into() };
    told.direct(DirectoryChange::Webhook(Webhook { paused: Some(paused), ..webhook.clone() })).await;
    for number in 0..5 {
        told.portal.chat_from("v1", &format!("{number}")).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(told.receiver.received().len(), 0);
    told.direct(DirectoryChange::Webhook(webhook)).await;
    teller.wake();
    told.until("told", async || events(&told.receiver.received()).len() == 5).await;
    teller.stop().await;
}

#[tokio::test]
async fn what_happens_in_another_portal_is_nobody_s_business_here() {
    let told = Told::of(&[
        ("conversation.creation", None, false),
        ("conversation.newMessage", None, false),
        ("conversation.propertyChange", Some("status"), false),
    ])
    .await;
    let other = told.server.portal("Other").await;
    let teller = Teller::start(&told.server);
    for number in 0..10 {
        other.chat_from(&format!("v{number}"), "Not for you").await;
    }
    told.portal.chat_from("v1", "For you").await;
    told.until("told", async || events(&told.receiver.received()).len() == 2).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let all = events(&told.receiver.received());
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|event| event["portalId"] == told.id().0));
    teller.stop().await;
}

/// Ends a task after so many steps, wherever that is.
pub struct Steps<F> {
    pub task: std::pin::Pin<Box<F>>,
    pub left: usize,
}

impl<F: Future> Future for Steps<F> {
    type Output = bool;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<bool> {
        if self.left == 0 {
            return std::task::Poll::Ready(false);
        }
        self.left -= 1;
        self.task.as_mut().poll(context).map(|_| true)
    }
}

#[tokio::test]
async fn a_crash_between_any_two_steps_delays_and_loses_nothing() {
    let told = Told::of(&[("conversation.newMessage", None, true)]).await;
    let whom = antiphon_store::Told { portal: told.id(), app: told.app() };
    let stop = tokio::sync::watch::channel(false);
    let tell = || antiphon::webhooks::deliver::tell(told.server.app().clone(), whom, stop.1.clone());
    // A failure on the way, so that there are rows to write, to read and to delete.
    let turn = AtomicUsize::new(0);
    told.receiver.react(move |_| {
        Reaction::status(if turn.fetch_add(1, Ordering::SeqCst) % 3 == 1 { 500 } else { 200 })
    });
    let (mut steps, mut sent) = (0, 0);
    // As many steps as it takes until an event is told and noted, and some more.
    while steps < 60 {
        steps += 1;
        told.portal.chat_from(&format!("v{}", steps % 4), &format!("message {steps}")).await;
        sent += 1;
        let crash = Steps { task: Box::pin(tell()), left: steps };
        tokio::time::timeout(Duration::from_millis(350), crash).await.ok();
        told.server.advance(MINUTE * 2);
    }
    let tell = tell();
    let settled = told.until("settled", async || {
        told.server.advance(MINUTE * 60);
        told.server.app().webhooks.wake();
        let ids = events(&told.receiver.received())
            .iter()
            .map(|event| event["eventId"].to_string())
            .collect::<BTreeSet<_>>();
        ids.len() == sent && told.deliveries(DeliveryState::Waiting).await.is_empty()
    });
    tokio::select! {
        () = tell => panic!("it ended by itself"),
        () = settled => {}
    }
    // Strict order holds in what was taken.
    let attempts = told.attempts().await;
    assert!(attempts.iter().any(|attempt| !attempt.succeeded));
    let again = events(&told.receiver.received()).len();
    assert!(again > sent && again < 4 * sent, "{again} events for {sent}");
}

//! What an app is told of a channel that it brought: messages that it has to carry, and accounts that come and change.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use antiphon::outbound::TargetUrl;
use antiphon::webhooks::sign;
use antiphon_store::{AppId, AttemptQuery, Delivery, DeliveryState, PortalId};
use antiphon_testkit::{Reaction, Received, Reply, Teller, TestReceiver};
use http::Method;
use serde_json::{Value, json};

use crate::custom_channels::{Brought, phone};
use crate::deliveries::{MINUTE, Steps};
use crate::kit::{V3, text};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A channel with an account, whose app listens.
pub struct Carried {
    pub brought: Brought,
    pub receiver: TestReceiver,
    pub channel: String,
    pub account: String,
}

impl Carried {
    pub async fn new() -> Self {
        let (brought, receiver) = (Brought::new().await, TestReceiver::start().await);
        let body = json!({ "name": "Harbour SMS", "capabilities": {}, "webhookUrl": receiver.url("/events?to=%2Fhome") });
        let channel = text(&brought.send("POST", "/", body).await.expect(201).json(), "id");
        let account = brought.account(&channel).await;
        Self { brought, receiver, channel, account }
    }

    pub fn portal(&self) -> PortalId {
        PortalId(self.brought.desk.portal.id.parse().unwrap())
    }

    pub fn key(&self) -> AppId {
        AppId::of_channel(self.channel.parse().unwrap())
    }

    /// Somebody writes on the channel; the thread.
    pub async fn incoming(&self, name: &str) -> String {
        let body = json!({ "channelAccountId": self.account, "messageDirection": "INCOMING", "text": "Is berth 4 free?",
                           "integrationThreadId": name, "senders": [{ "deliveryIdentifier": phone("+31205550178") }] });
        let made = self.brought.post(&format!("/{}/messages", self.channel), body).await.expect(201).json();
        text(&made, "conversationsThreadId")
    }

    /// An agent answers; the message.
    pub async fn answer(&self, thread: &str, words: &str) -> Value {
        self.say(thread, json!({ "type": "MESSAGE", "text": words })).await.expect(201).json()
    }

    pub async fn say(&self, thread: &str, more: Value) -> Reply {
        let desk = &self.brought.desk;
        let mut body = json!({ "senderActorId": desk.portal.agent, "channelId": self.channel, "channelAccountId": self.account });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.user.post(&format!("{V3}/threads/{thread}/messages"), body).await
    }

    pub async fn message(&self, thread: &str, id: &str) -> Value {
        self.brought.desk.user.get(&format!("{V3}/threads/{thread}/messages/{id}")).await.expect(200).json()
    }

    pub async fn rows(&self, state: DeliveryState) -> Vec<Delivery> {
        let store = &self.brought.desk.server.app().store;
        store.deliveries(self.portal(), self.key(), state, None, 1_000).await.unwrap()
    }

    pub async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        for _ in 0..1_000 {
            if is_so().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not {what}: {:#?}", self.receiver.received());
    }

    /// The ids of the messages that were told, in the order in which they came.
    pub fn told(&self) -> Vec<String> {
        let messages = self.receiver.received().into_iter().filter(is_message);
        messages.map(|request| text(&request.json()["message"], "id")).collect()
    }

    pub async fn secret(&self) -> String {
        let directory = self.brought.desk.server.app().store.directory(self.portal()).await.unwrap().unwrap();
        directory.app(AppId(self.brought.app.parse().unwrap())).unwrap().client_secret.clone()
    }
}

fn is_message(request: &Received) -> bool {
    request.json()["type"] == "OUTGOING_CHANNEL_MESSAGE_CREATED"
}

#[tokio::test]
async fn a_message_is_handed_over_whole_and_signed_twice() {
    let carried = Carried::new().await;
    let teller = Teller::start(&carried.brought.desk.server);
    let thread = carried.incoming("relay-7781").await;
    let sent = carried.answer(&thread, "Yes, until nine.").await;
    carried.until("told", async || carried.told().len() == 1).await;
    let received = carried.receiver.received();
    let request = received.iter().find(|request| is_message(request)).unwrap();
    let body = request.json();
    let members: BTreeSet<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    let wanted = [
        "channelAccountId",
        "channelId",
        "channelIntegrationThreadIds",
        "eventId",
        "eventTimestamp",
        "message",
        "portalId",
        "type",
    ];
    assert_eq!(members, BTreeSet::from(wanted));
    assert_eq!(body["portalId"], carried.brought.desk.portal.id.as_str());
    assert_eq!(
        (&body["channelId"], &body["channelAccountId"]),
        (&json!(carried.channel), &json!(carried.account))
    );
    assert_eq!(body["channelIntegrationThreadIds"], json!(["relay-7781"]));
    assert!(uuid::Uuid::parse_str(body["eventId"].as_str().unwrap()).is_ok());
    assert_eq!(body["eventTimestamp"], sent["createdAt"]);
    // The message is the one that both APIs show.
    let id = text(&sent, "id");
    assert_eq!(body["message"], carried.message(&thread, &id).await);
    let shown = carried.brought.get(&format!("/{}/messages/{id}", carried.channel)).await.expect(200).json();
    assert_eq!(body["message"], shown);
    let message = &body["message"];
    assert_eq!(message["recipients"][0]["deliveryIdentifier"]["value"], "+31205550178");
    assert!(message["recipients"][0]["actorId"].as_str().is_some_and(|id| id.starts_with("V-")), "{message}");
    assert_eq!(message["senders"][0]["deliveryIdentifier"], phone("+4940555012"));
    // Both signatures, made with the secret of the app that brought the channel.
    let target = TargetUrl::parse(&carried.receiver.url("/events?to=%2Fhome")).unwrap();
    let (secret, at) = (carried.secret().await, request.header("x-hubspot-request-timestamp").to_owned());
    assert_eq!(request.header("x-hubspot-signature-version"), "v2");
    let v2 = sign::v2(&secret, &Method::POST, &target, &request.body);
    assert_eq!(request.header("x-hubspot-signature"), v2);
    let v3 = sign::v3(&secret, &Method::POST, &target, &request.body, at.parse().unwrap());
    assert_eq!(request.header("x-hubspot-signature-v3"), v3);
    assert_eq!((request.method.as_str(), request.header("content-type")), ("POST", "application/json"));
    teller.stop().await;
    assert_eq!(carried.rows(DeliveryState::Waiting).await, []);
}

#[tokio::test]
async fn what_need_not_be_carried_is_not_told() {
    let carried = Carried::new().await;
    let desk = &carried.brought.desk;
    let teller = Teller::start(&desk.server);
    let thread = carried.incoming("one").await;
    // A note, what the app has said outside, what is closed, and what is said on other channels.
    carried.say(&thread, json!({ "type": "COMMENT", "text": "Note" })).await.expect(201);
    let outside = json!({ "channelAccountId": carried.account, "messageDirection": "OUTGOING", "text": "Said outside",
                          "integrationThreadId": "one", "senders": [], "recipients": [{ "deliveryIdentifier": phone("+31205550178") }] });
    carried.brought.post(&format!("/{}/messages", carried.channel), outside).await.expect(201);
    desk.user.patch(&format!("{V3}/threads/{thread}"), json!({ "status": "CLOSED" })).await.expect(200);
    desk.portal.chat_from("v1", "Hello").await;
    let last = carried.answer(&thread, "This one").await;
    carried.until("told", async || !carried.told().is_empty()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(carried.told(), [text(&last, "id")]);
    teller.stop().await;
}

#[tokio::test]
async fn accounts_are_told_of_as_they_come_and_change() {
    let carried = Carried::new().await;
    let teller = Teller::start(&carried.brought.desk.server);
    let path = format!("/{}/channel-accounts/{}", carried.channel, carried.account);
    carried.brought.patch(&path, json!({ "name": "Quay", "authorized": false })).await.expect(200);
    // One that changes nothing tells nothing.
    carried.brought.patch(&path, json!({ "name": "Quay" })).await.expect(200);
    carried.brought.patch(&path, json!({ "authorized": true })).await.expect(200);
    let all: Vec<Value> = carried.receiver.wait_for(3).await.iter().map(Received::json).collect();
    let seen: Vec<_> =
        all.iter().map(|one| (one["type"].as_str().unwrap(), &one["authorized"], &one["active"])).collect();
    let (yes, no) = (json!(true), json!(false));
    assert_eq!(
        seen,
        [
            ("CHANNEL_ACCOUNT_CREATED", &yes, &yes),
            ("CHANNEL_ACCOUNT_UPDATED", &no, &no),
            ("CHANNEL_ACCOUNT_UPDATED", &yes, &yes)
        ]
    );
    let wanted = [
        "active",
        "authorized",
        "channelAccountDeliveryIdentifier",
        "channelAccountId",
        "channelId",
        "eventId",
        "eventTimestamp",
        "portalId",
        "type",
    ];
    let ids: BTreeSet<_> = all.iter().map(|one| text(one, "eventId")).collect();
    assert_eq!(ids.len(), 3);
    for one in &all {
        assert_eq!(
            one.as_object().unwrap().keys().map(String::as_str).collect::<BTreeSet<_>>(),
            BTreeSet::from(wanted)
        );
        assert_eq!(one["channelAccountDeliveryIdentifier"], phone("+4940555012"));
        assert_eq!(one["channelAccountId"], carried.account.as_str());
    }
    teller.stop().await;
}

#[tokio::test]
async fn an_account_that_is_removed_for_good_is_told_of_once_and_its_conversations_stay() {
    let carried = Carried::new().await;
    let teller = Teller::start(&carried.brought.desk.server);
    let thread = carried.incoming("one").await;
    let desk = &carried.brought.desk;
    let operator = desk.portal.operator();
    let own = format!("/antiphon/v1/channel-accounts/{}", carried.account);
    let purge = format!("{own}/purge");
    // Only what is in the archive, and only of channels that apps brought.
    assert_eq!(operator.post(&purge, json!({})).await.expect(400).problems(), ["channelAccountId"]);
    let chat = format!("/antiphon/v1/channel-accounts/{}", desk.portal.chat);
    operator.post(&format!("{chat}/purge"), json!({})).await.expect(400);
    operator.delete(&own).await.expect(204);
    operator.post(&purge, json!({})).await.expect(204);
    operator.post(&purge, json!({})).await.expect(404);
    operator.patch(&own, json!({ "archived": false })).await.expect(404);
    let all: Vec<Value> = carried.receiver.wait_for(3).await.iter().map(Received::json).collect();
    let kinds: Vec<_> = all.iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["CHANNEL_ACCOUNT_CREATED", "CHANNEL_ACCOUNT_UPDATED", "CHANNEL_ACCOUNT_PURGED"]);
    assert_eq!(all[2]["channelAccountDeliveryIdentifier"], phone("+4940555012"));
    assert_eq!((&all[2]["active"], &all[2]["channelAccountId"]), (&json!(false), &json!(carried.account)));
    // It is in no list, and its number is free; the conversation is as it was, and cannot be answered.
    for archived in ["", "?archived=true"] {
        let listed = format!("/{}/channel-accounts{archived}", carried.channel);
        assert_eq!(carried.brought.get(&listed).await.expect(200).json()["total"], 0);
        let one = format!("/{}/channel-accounts/{}{archived}", carried.channel, carried.account);
        carried.brought.get(&one).await.expect(404);
        desk.user.get(&format!("{V3}/channel-accounts/{}{archived}", carried.account)).await.expect(404);
    }
    let shown = desk.user.get(&format!("{V3}/threads/{thread}")).await.expect(200).json();
    assert_eq!(shown["originalChannelAccountId"], carried.account.as_str());
    assert!(desk.history(&thread).await.iter().any(|entry| entry["text"] == "Is berth 4 free?"));
    let refused = carried.say(&thread, json!({ "type": "MESSAGE", "text": "Yes" })).await.expect(400);
    assert_eq!(refused.problems(), ["channelAccountId"]);
    carried.brought.account(&carried.channel).await;
    teller.stop().await;
}

#[tokio::test]
async fn a_thread_is_told_one_message_after_the_other() {
    let carried = Carried::new().await;
    let patience = Duration::from_millis(60);
    carried.receiver.react(move |_| Reaction::status(202).after(patience));
    let teller = Teller::start(&carried.brought.desk.server);
    let thread = carried.incoming("one").await;
    let mut sent = Vec::new();
    for number in 0..8 {
        sent.push(text(&carried.answer(&thread, &format!("{number}")).await, "id"));
    }
    carried.until("told", async || carried.told().len() == 8).await;
    assert_eq!(carried.told(), sent);
    let received: Vec<_> = carried.receiver.received().into_iter().filter(is_message).collect();
    assert!(received.windows(2).all(|pair| pair[1].at - pair[0].at >= patience), "two at once");
    teller.stop().await;
}

#[tokio::test]
async fn a_message_that_fails_keeps_later_ones_waiting_for_three_attempts_and_ends_as_failed() {
    let carried = Carried::new().await;
    let server = &carried.brought.desk.server;
    let thread = carried.incoming("one").await;
    let teller = Teller::start(server);
    let sick = Arc::new(std::sync::Mutex::new(String::new()));
    let refused = sick.clone();
    carried.receiver.react(move |request| {
        let it = request.json()["message"]["id"] == refused.lock().unwrap().as_str();
        Reaction::answer(if it { 503 } else { 204 }, &[], "")
    });
    // It is known as the sick one before it can be sent.
    teller.stop().await;
    let first = carried.answer(&thread, "first").await;
    let id = text(&first, "id");
    *sick.lock().unwrap() = id.clone();
    let teller = Teller::start(server);
    carried.until("tried", async || carried.told().len() == 1).await;
    let second = text(&carried.answer(&thread, "second").await, "id");
    let third = text(&carried.answer(&thread, "third").await, "id");
    for made in 2..=3 {
        carried.until("held", async || carried.rows(DeliveryState::Waiting).await.len() == 3).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert_eq!(carried.told(), vec![id.clone(); made - 1], "later ones wait");
        server.advance(MINUTE * 7);
        teller.wake();
        carried.until("tried", async || carried.told().len() >= made).await;
    }
    carried.until("told", async || carried.told().len() == 5).await;
    assert_eq!(carried.told()[3..], [second, third]);
    assert_eq!(carried.message(&thread, &id).await["status"]["statusType"], "SENT");
    // What comes after that waits for it no more, and it goes on being tried.
    let fourth = text(&carried.answer(&thread, "fourth").await, "id");
    carried.until("told", async || carried.told().contains(&fourth)).await;
    let mut last = server.now();
    carried
        .until("given up", async || {
            server.advance(MINUTE * 60);
            teller.wake();
            carried.rows(DeliveryState::GivenUp).await.len() == 1
        })
        .await;
    let tried = carried.told().iter().filter(|told| **told == id).count();
    assert_eq!(tried, 11);
    let ids: BTreeSet<_> = carried
        .receiver
        .received()
        .iter()
        .filter(|one| one.json()["message"]["id"] == id.as_str())
        .map(|one| text(&one.json(), "eventId"))
        .collect();
    assert_eq!(ids.len(), 1, "the same event each time");
    let failed = carried.message(&thread, &id).await;
    assert_eq!(failed["status"]["statusType"], "FAILED");
    let why = failed["status"]["failureDetails"]["errorMessage"].as_str().unwrap();
    assert!(why.contains("could not be reached"), "{why}");
    assert!(text(&failed, "updatedAt") > text(&failed, "createdAt"));
    // The channel is told on: what is said on it has an end of its own.
    last = server.now().max(last);
    let fifth = text(&carried.answer(&thread, "fifth").await, "id");
    carried.until("told", async || carried.told().contains(&fifth)).await;
    assert!(server.now() >= last);
    teller.stop().await;
}

#[tokio::test]
async fn whatever_is_answered_counts_as_it_does_for_webhooks() {
    let carried = Carried::new().await;
    let server = &carried.brought.desk.server;
    let answers: Vec<fn() -> Reaction> = vec![
        || Reaction::status(301),
        || Reaction::status(404),
        || Reaction::status(500),
        || Reaction::close(),
        || Reaction::raw("nonsense\r\n\r\n").then_close(),
    ];
    let all = answers.len();
    let turn = Arc::new(AtomicUsize::new(0));
    let now = turn.clone();
    carried.receiver.react(move |request| match answers.get(now.load(Ordering::SeqCst)) {
        Some(answer) if is_message(request) => answer(),
        _ => Reaction::answer(201, &[("content-type", "text/html")], "<p>thanks</p>"),
    });
    let teller = Teller::start(server);
    let thread = carried.incoming("one").await;
    let id = text(&carried.answer(&thread, "Hello").await, "id");
    for made in 0..all {
        carried
            .until("noted", async || {
                carried
                    .rows(DeliveryState::Waiting)
                    .await
                    .first()
                    .is_some_and(|row| row.attempts == made as i64 + 1)
            })
            .await;
        turn.fetch_add(1, Ordering::SeqCst);
        server.advance(DAY);
        teller.wake();
    }
    carried.until("taken", async || carried.rows(DeliveryState::Waiting).await.is_empty()).await;
    // One of the account, and these.
    let (store, query) = (&server.app().store, AttemptQuery { limit: 100, ..AttemptQuery::default() });
    let made = store.attempts(carried.portal(), carried.key(), &query).await.unwrap().attempts;
    assert_eq!(made.iter().filter(|one| !one.succeeded).count(), all);
    assert_eq!(made.len(), 1 + all + 1);
    assert_eq!(carried.message(&thread, &id).await["status"]["statusType"], "SENT");
    teller.stop().await;
}

#[tokio::test]
async fn a_channel_s_log_is_read_and_what_it_was_told_is_sent_again() {
    let carried = Carried::new().await;
    let desk = &carried.brought.desk;
    let path = |tail: &str| {
        format!("/antiphon/v1/apps/{}/webhook{tail}?channelId={}", carried.brought.app, carried.channel)
    };
    let teller = Teller::start(&desk.server);
    let thread = carried.incoming("one").await;
    carried.answer(&thread, "Hello").await;
    carried.until("told", async || carried.told().len() == 1).await;
    let attempts = async || {
        let page = desk.portal.operator().get(&path("/attempts")).await.expect(200).json();
        page["results"].as_array().unwrap().clone()
    };
    carried.until("logged", async || attempts().await.len() == 2).await;
    let newest = attempts().await.remove(0);
    let status = desk.portal.operator().get(&path("")).await.expect(200).json();
    assert_eq!(
        (&status["channelId"], &status["appId"]),
        (&json!(carried.channel), &json!(carried.brought.app))
    );
    let operator = desk.portal.operator();
    operator.post(&path(&format!("/attempts/{}/resend", text(&newest, "id"))), json!({})).await.expect(200);
    carried.until("told again", async || carried.told().len() == 2).await;
    let ids: BTreeSet<_> = carried
        .receiver
        .received()
        .iter()
        .filter(|one| is_message(one))
        .map(|one| text(&one.json(), "eventId"))
        .collect();
    assert_eq!(ids.len(), 1);
    // While it is paused nothing is told, and then all of it.
    operator.post(&path("/pause"), json!({ "why": "moves" })).await.expect(200);
    carried.answer(&thread, "paused").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(carried.told().len(), 2);
    assert_eq!(operator.get(&path("")).await.expect(200).json()["pausedWhy"], "moves");
    operator.post(&path("/resume"), json!({})).await.expect(200);
    carried.until("told", async || carried.told().len() == 3).await;
    // The app's own webhook is another matter, and there is no other app's channel.
    operator.get(&format!("/antiphon/v1/apps/{}/webhook", carried.brought.app)).await.expect(404);
    operator
        .get(&format!("/antiphon/v1/apps/{}/webhook?channelId=1999999", carried.brought.app))
        .await
        .expect(404);
    let other = format!("/antiphon/v1/apps/{}/webhook?channelId={}", desk.portal.app, carried.channel);
    operator.get(&other).await.expect(404);
    // A test event is one of an account that nobody has, signed like the others, and another each time.
    let before = carried.receiver.received().len();
    for _ in 0..2 {
        let came = operator.post(&path("/test"), json!({})).await.expect(200).json();
        assert_eq!((&came["succeeded"], &came["status"]), (&json!(true), &json!(200)));
    }
    let tests = carried.receiver.received().split_off(before);
    let said: Vec<Value> = tests.iter().map(Received::json).collect();
    for (request, body) in tests.iter().zip(&said) {
        assert_eq!(body["type"], "CHANNEL_ACCOUNT_UPDATED");
        assert_eq!((&body["channelAccountId"], &body["channelId"]), (&json!("0"), &json!(carried.channel)));
        assert_eq!((&body["active"], request.header("x-hubspot-signature-version")), (&json!(false), "v2"));
    }
    assert_ne!(said[0]["eventId"], said[1]["eventId"]);
    let line = format!("antiphon_webhook_attempts_total{{channel=\"{}\"}} 4\n", carried.channel);
    let counted = async || operator.get("/metrics").await.expect(200).text().contains(&line);
    carried.until("counted", counted).await;
    teller.stop().await;
}

#[tokio::test]
async fn a_crash_between_any_two_steps_neither_loses_a_message_nor_leaves_it_undecided() {
    let carried = Carried::new().await;
    let server = &carried.brought.desk.server;
    let whom = antiphon_store::Told { portal: carried.portal(), app: carried.key() };
    let stop = tokio::sync::watch::channel(false);
    let tell = || antiphon::webhooks::deliver::tell(server.app().clone(), whom, stop.1.clone());
    let threads = [carried.incoming("one").await, carried.incoming("two").await];
    let lost = carried.answer(&threads[0], "nobody takes this").await;
    let unwanted = text(&lost, "id");
    carried.receiver.react(move |request| {
        Reaction::status(if request.json()["message"]["id"] == unwanted.as_str() { 500 } else { 200 })
    });
    let mut sent = Vec::new();
    for steps in 1..=45 {
        if steps % 5 == 0 {
            let thread = &threads[steps % 2];
            sent.push(text(&carried.answer(thread, &format!("message {steps}")).await, "id"));
        }
        let crash = Steps { task: Box::pin(tell()), left: steps };
        tokio::time::timeout(Duration::from_millis(300), crash).await.ok();
        server.advance(MINUTE * 45);
    }
    let tell = tell();
    let id = text(&lost, "id");
    let settled = carried.until("settled", async || {
        server.advance(MINUTE * 60);
        server.app().webhooks.wake();
        let told: BTreeSet<_> = carried.told().into_iter().collect();
        sent.iter().all(|id| told.contains(id))
            && carried.rows(DeliveryState::Waiting).await.is_empty()
            && carried.message(&threads[0], &id).await["status"]["statusType"] == "FAILED"
    });
    tokio::select! {
        () = tell => panic!("it ended by itself"),
        () = settled => {}
    }
    for id in &sent {
        let thread = &threads[usize::from(sent.iter().position(|one| one == id).unwrap() % 2 == 0)];
        assert_eq!(carried.message(thread, id).await["status"]["statusType"], "SENT");
    }
}

//! Whoever has subscribed hears of every acknowledged message, however often the program is killed on the way.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_testkit::{Connection, Home, Reaction, SEED_TOKEN, TestReceiver};
use serde_json::{Value, json};

use crate::oracle::Oracle;
use crate::stream::flood;
use crate::{BINARY, GROUPS, PLACES, SENDERS, seeded, unlimited};

const ROUNDS: usize = 40;

/// Has the app of the seed told of messages.
async fn subscribe(server: &mut Connection, receiver: &TestReceiver) {
    let settings = json!({ "targetUrl": receiver.url("/"), "throttling": { "maxConcurrentRequests": 10 } });
    let reply = server.send("PUT", "/webhooks/v3/1/settings", settings.to_string()).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    let subscription = json!({ "eventType": "conversation.newMessage", "active": true });
    let reply = server.send("POST", "/webhooks/v3/1/subscriptions", subscription.to_string()).await.unwrap();
    assert_eq!(reply.status, 201, "{}", reply.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_message_is_told_however_often_it_is_killed() {
    let home = Home::durable();
    let places = seeded(&home).await;
    let receiver = TestReceiver::start().await;
    let program = unlimited(home.program(BINARY))
        .env("ANTIPHON_OUTBOUND__HTTP", "true")
        .env("ANTIPHON_OUTBOUND__ALLOW", r#"["127.0.0.1/32"]"#);
    let oracle = Arc::new(Oracle::default());
    let mut server = program.start().await.unwrap();
    subscribe(&mut Connection::open(program.address, SEED_TOKEN).await.unwrap(), &receiver).await;
    // Slow enough that there is always something under way.
    receiver.react(|_| Reaction::status(200).after(Duration::from_millis(20)));
    for round in 0..ROUNDS {
        let here = &places[round % GROUPS * PLACES..][..PLACES];
        let mut senders = flood(program.address, &oracle, here, SENDERS);
        tokio::time::sleep(Duration::from_millis(fastrand::u64(5..600))).await;
        server.kill().unwrap();
        while senders.join_next().await.is_some() {}
        server = program.start().await.unwrap();
    }
    receiver.react(|_| Reaction::status(200));
    let acknowledged = oracle.acknowledged_ids();
    let begun = Instant::now();
    let told = loop {
        let told = told(&receiver);
        if acknowledged.iter().all(|id| told.contains_key(id)) {
            break told;
        }
        let missing = acknowledged.iter().filter(|id| !told.contains_key(*id)).count();
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{missing} of {} are not told",
            acknowledged.len()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let heard: usize = told.values().map(|heard| heard.times).sum();
    println!("{} acknowledged messages were told in {heard} events over {ROUNDS} kills", acknowledged.len());
    assert!(acknowledged.len() > 1_000, "only {} messages were acknowledged", acknowledged.len());
    assert!(heard > acknowledged.len(), "no kill fell between an answer and its being noted");
    assert!(told.values().all(|heard| heard.ids == 1), "an event has one id, however often it is told");
    in_order(&receiver);
    server.stop().await.unwrap();
}

struct Heard {
    times: usize,
    /// How many different ids it had.
    ids: usize,
}

/// How often each message was told of.
fn told(receiver: &TestReceiver) -> HashMap<String, Heard> {
    let mut ids: HashMap<String, Vec<i64>> = HashMap::new();
    each(receiver, |event| {
        let message = event["messageId"].as_str().unwrap().to_owned();
        ids.entry(message).or_default().push(event["eventId"].as_i64().unwrap());
    });
    let heard = |mut all: Vec<i64>| {
        let times = all.len();
        all.sort_unstable();
        all.dedup();
        Heard { times, ids: all.len() }
    };
    ids.into_iter().map(|(message, all)| (message, heard(all))).collect()
}

/// Of a thread nothing is told for the first time before what came earlier.
fn in_order(receiver: &TestReceiver) {
    let mut latest: BTreeMap<i64, i64> = BTreeMap::new();
    let mut seen = std::collections::HashSet::new();
    each(receiver, |event| {
        if seen.insert(event["eventId"].as_i64().unwrap()) {
            let thread = event["objectId"].as_i64().unwrap();
            let at = event["occurredAt"].as_i64().unwrap();
            let before = latest.insert(thread, at);
            assert!(before < Some(at), "{event} is told after {before:?}");
        }
    });
}

fn each(receiver: &TestReceiver, mut hear: impl FnMut(&Value)) {
    for request in receiver.received() {
        request.json().as_array().unwrap().iter().for_each(&mut hear);
    }
}

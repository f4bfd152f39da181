//! The journal is written by one node at a time: nothing is left out and nothing is there twice, whatever becomes of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon::app::App;
use antiphon::journal::write;
use antiphon_store::{Postgres, Settings, Store};
use antiphon_testkit::{PUBLIC_URL, SEED_TOKEN};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::kit::*;

const JOURNAL: &str = "/webhooks-journal/journal/2026-03";

/// A node that writes the journal when it is its turn.
struct Writing {
    node: Node,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

impl Writing {
    fn start(node: Node) -> Self {
        let (stop, told) = watch::channel(false);
        let app = node.0.clone();
        let running = tokio::spawn(async move { write::drive(&app, told).await });
        Self { node, stop, running }
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        self.running.await.unwrap();
        self.node.store().close().await;
    }
}

/// A node where time goes by twenty times as fast, so that entries are half a second apart.
fn node(bed: &Bed, begun: Instant, url: Option<String>) -> Node {
    let clock = move || 1_900_000_000_000 + 20 * begun.elapsed().as_millis() as i64;
    let mut settings = Settings { clock: Some(Arc::new(clock)), ..bed.home.settings() };
    if let Some(url) = url {
        settings.postgres = Some(Postgres::new(url));
    }
    let store = Store::open(settings).unwrap();
    Node(Arc::new(App::new(store, bed.home.config(), PUBLIC_URL.into()).unwrap()))
}

async fn subscribe(bed: &Bed, node: &Node) {
    let wanted = json!({ "subscriptionType": "OBJECT", "portalId": bed.portal.0, "objectTypeId": "0-11" });
    node.ask(SEED_TOKEN, "POST", "/webhooks-journal/subscriptions/2026-03", &wanted).await.expect(200);
}

async fn note(bed: &Bed, node: &Node, number: usize) -> String {
    let thread = &bed.seed.threads[number % bed.seed.threads.len()];
    let path = format!("{V3}/threads/{thread}/messages");
    let body = json!({ "type": "COMMENT", "text": format!("note {number}") });
    text(&node.ask(SEED_TOKEN, "POST", &path, &body).await.expect(201).json(), "id")
}

/// The messages that the journal tells of, in its order, and how many entries there are.
async fn told(node: &Node) -> (Vec<String>, usize) {
    let (mut told, mut entries) = (Vec::new(), 0);
    let ask = async |path: &str| node.ask(SEED_TOKEN, "GET", path, &Value::Null).await;
    let mut next = ask(&format!("{JOURNAL}/earliest")).await;
    while next.status == 200 {
        let found = next.json();
        let url = text(&found, "url");
        let file = ask(url.strip_prefix(PUBLIC_URL).unwrap()).await.expect(200).json();
        for event in file["journalEvents"].as_array().unwrap() {
            told.push(text(&event["propertyChanges"], "latestMessageId"));
        }
        entries += 1;
        next = ask(&format!("{JOURNAL}/offset/{}/next", text(&found, "currentOffset"))).await;
    }
    next.expect(204);
    (told, entries)
}

async fn until(node: &Node, what: &str, is_so: impl Fn(&(Vec<String>, usize)) -> bool) -> Duration {
    let begun = Instant::now();
    while !is_so(&told(node).await) {
        assert!(begun.elapsed() < Duration::from_secs(15), "not {what}");
        sleep(Duration::from_millis(20)).await;
    }
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_cut_off_is_replaced_and_what_it_writes_later_counts_for_nothing() {
    let (bed, begun) = (Bed::new(3).await, Instant::now());
    let proxy = antiphon_cluster::shared().unwrap().proxy().unwrap();
    let url = proxy.url(bed.home.database().unwrap());
    let near = node(&bed, begun, None);
    subscribe(&bed, &near).await;
    let far = Writing::start(node(&bed, begun, Some(url)));
    let mut sent = Vec::new();
    for number in 0..5 {
        sent.push(note(&bed, &near, number).await);
    }
    until(&near, "written by the first node", |(told, _)| told.len() == 5).await;
    let near = Writing::start(near);
    sleep(Duration::from_millis(700)).await;
    // What the first node has read by then and not written is written by the other.
    sent.push(note(&bed, &near.node, 5).await);
    sleep(Duration::from_millis(100)).await;
    proxy.hold();
    let held = Instant::now();
    for number in 6..30 {
        sent.push(note(&bed, &near.node, number).await);
        sleep(Duration::from_millis(50)).await;
    }
    until(&near.node, "written by the other node", |(told, _)| told.len() > 5).await;
    let took = held.elapsed();
    println!("taken over after {took:?}");
    // The lease runs out after 1.5 s, and an entry may be half a second old when it is written, by a look a second.
    assert!(took < Duration::from_millis(1_500 + 2_000), "{took:?}");
    proxy.pass();
    sleep(Duration::from_millis(2_500)).await;
    sent.push(note(&bed, &near.node, 30).await);
    until(&near.node, "all written", |(told, _)| told.len() >= sent.len()).await;
    assert_eq!(told(&near.node).await.0, sent, "none is left out, none is there twice");
    near.stop().await;
    // And back: whoever goes gives it over.
    sent.push(note(&bed, &far.node, 31).await);
    let took = until(&far.node, "written again", |(told, _)| told.len() == sent.len()).await;
    println!("given over after {took:?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(told(&far.node).await.0, sent);
    far.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_commit_and_one_writes() {
    let (bed, begun) = (Bed::new(7).await, Instant::now());
    let start = || Writing::start(node(&bed, begun, None));
    let nodes = [start(), start(), start()];
    subscribe(&bed, &nodes[0].node).await;
    let mut sent = Vec::new();
    for number in 0..120 {
        sent.push(note(&bed, &nodes[number % 3].node, number).await);
    }
    until(&nodes[2].node, "written", |(told, _)| told.len() >= sent.len()).await;
    let (mut told, entries) = told(&nodes[1].node).await;
    let spine = nodes[0].node.store().events_after(bed.portal, 0, 10_000).await.unwrap();
    let spine = spine.iter().filter(|event| event.kind == antiphon_store::EventKind::MessageAdded);
    let order: Vec<String> = spine
        .map(|event| text(&serde_json::from_str(&event.payload).unwrap(), "messageId"))
        .filter(|id| sent.contains(id))
        .collect();
    assert_eq!(told, order, "in the order of the spine");
    told.sort_unstable();
    sent.sort_unstable();
    assert_eq!(told, sent);
    assert!(entries as u128 <= 1 + begun.elapsed().as_millis() / 500, "{entries} entries");
    for node in nodes {
        node.stop().await;
    }
}

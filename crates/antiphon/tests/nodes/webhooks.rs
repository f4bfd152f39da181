//! An app is told by one node at a time, of what all of them commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon::webhooks::deliver;
use antiphon_store::*;
use antiphon_testkit::{Reaction, SEED_TOKEN, TestReceiver};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::kit::*;

const APP: AppId = AppId(1);

/// A node that delivers.
struct Telling {
    node: Node,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

impl Telling {
    fn start(node: Node) -> Self {
        let (stop, told) = watch::channel(false);
        let running = tokio::spawn(deliver::run(node.0.clone(), told));
        Self { node, stop, running }
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        self.running.await.unwrap();
        self.node.store().close().await;
    }
}

async fn subscribe(node: &Node, portal: PortalId, url: String) {
    let rule = move |_: &State, moment: &mut Moment| {
        let webhook = Webhook {
            app_id: APP,
            target_url: url.clone(),
            max_concurrent: 10,
            created_at: moment.now,
            updated_at: None,
            paused: None,
            closing_at: None,
            deleted_at: None,
        };
        let subscription = Subscription {
            id: moment.subscription_id(),
            app_id: APP,
            event_type: "conversation.newMessage".into(),
            property_name: None,
            object_type_id: None,
            event_type_name: None,
            active: true,
            expand: Expand::default(),
            ordered: false,
            created_at: moment.now,
            updated_at: None,
            deleted_at: None,
            since: 0,
            since_at: 0,
        };
        let directory = vec![DirectoryChange::Webhook(webhook), DirectoryChange::Subscription(subscription)];
        Ok::<_, std::convert::Infallible>(Changes { directory, ..Changes::default() })
    };
    let Ok(_) = node.store().change(portal, Target::Directory, rule).await.unwrap();
}

/// A note in a thread of the bed; the message's id.
async fn note(bed: &Bed, node: &Node, number: usize) -> String {
    let thread = &bed.seed.threads[number % bed.seed.threads.len()];
    let path = format!("{V3}/threads/{thread}/messages");
    let body = json!({ "type": "COMMENT", "text": format!("note {number}") });
    text(&node.ask(SEED_TOKEN, "POST", &path, &body).await.expect(201).json(), "id")
}

/// How often each message was told of.
fn told(receiver: &TestReceiver) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for request in receiver.received() {
        for event in request.json().as_array().unwrap() {
            *told.entry(text(event, "messageId")).or_default() += 1;
        }
    }
    told
}

async fn until(what: &str, most: Duration, is_so: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < most, "not {what}");
        sleep(Duration::from_millis(5)).await;
    }
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_any_node_commits_is_told_once() {
    let bed = Bed::new(7).await;
    let receiver = TestReceiver::start().await;
    let nodes = [Telling::start(bed.node()), Telling::start(bed.node()), Telling::start(bed.node())];
    subscribe(&nodes[0].node, bed.portal, receiver.url("/")).await;
    let mut sent = Vec::new();
    for number in 0..150 {
        sent.push(note(&bed, &nodes[number % 3].node, number).await);
    }
    until("told", Duration::from_secs(20), || told(&receiver).len() == sent.len()).await;
    // A node that goes gives everything over, and nothing is told again.
    let [first, second, third] = nodes;
    first.stop().await;
    sent.push(note(&bed, &second.node, 150).await);
    until("told", Duration::from_secs(20), || told(&receiver).len() == sent.len()).await;
    second.stop().await;
    sent.push(note(&bed, &third.node, 151).await);
    until("told", Duration::from_secs(20), || told(&receiver).len() == sent.len()).await;
    third.stop().await;
    let told = told(&receiver);
    assert!(sent.iter().all(|id| told.get(id) == Some(&1)), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_cut_off_is_replaced_within_two_seconds_and_its_word_counts_no_more() {
    let bed = Bed::new(3).await;
    let receiver = TestReceiver::start().await;
    let proxy = antiphon_cluster::shared().unwrap().proxy().unwrap();
    let url = proxy.url(bed.home.database().unwrap());
    let settings = Settings { postgres: Some(Postgres::new(url)), ..bed.home.settings() };
    let far = Store::open(settings).unwrap();
    let far = antiphon::app::App::new(far, bed.home.config(), String::new()).unwrap();
    let far = Telling::start(Node(Arc::new(far)));
    subscribe(&far.node, bed.portal, receiver.url("/")).await;
    let near = bed.node();
    let mut sent = vec![note(&bed, &near, 0).await];
    until("told", Duration::from_secs(20), || told(&receiver).len() == 1).await;
    let near = Telling::start(near);
    sleep(Duration::from_millis(500)).await;
    // What is being sent when the cable is pulled is sent once more by the other node, and the first one's progress is void.
    receiver.react(|_| Reaction::status(200).after(Duration::from_millis(700)));
    sent.push(note(&bed, &near.node, 1).await);
    receiver.wait_for(2).await;
    receiver.react(|_| Reaction::status(200));
    proxy.hold();
    let begun = Instant::now();
    sent.push(note(&bed, &near.node, 2).await);
    until("told", Duration::from_secs(10), || told(&receiver).len() == sent.len()).await;
    let took = begun.elapsed();
    println!("taken over after {took:?}");
    assert!(took < Duration::from_millis(2_300), "{took:?}, of which 200 ms are for gathering");
    proxy.cut();
    proxy.pass();
    sleep(Duration::from_secs(3)).await;
    for number in 3..40 {
        sent.push(note(&bed, &near.node, number).await);
    }
    until("told", Duration::from_secs(20), || told(&receiver).len() == sent.len()).await;
    let told = told(&receiver);
    assert!(sent.iter().all(|id| told.contains_key(id)));
    let twice: Vec<_> = sent.iter().filter(|id| told[*id] > 1).collect();
    assert!(twice.len() <= 1, "only what was under way is told twice: {twice:?}");
    let epochs = bed.column("SELECT epoch FROM cursors");
    assert_eq!(epochs.len(), 1);
    near.stop().await;
    far.stop().await;
}

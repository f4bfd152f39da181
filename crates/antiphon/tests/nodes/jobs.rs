//! A job is done by one node at a time, and what two do at once happens once.

use std::time::{Duration, Instant};

use antiphon::jobs;
use antiphon::threads::purge;
use antiphon_store::{Postgres, Settings, Store};
use antiphon_testkit::SEED_TOKEN;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::kit::*;

/// All chats go to the trash, long ago.
async fn trash(bed: &Bed, node: &Node) {
    for thread in &bed.seed.threads {
        let path = format!("{V3}/threads/{thread}");
        node.ask(SEED_TOKEN, "DELETE", &path, &Value::Null).await.expect(204);
    }
    bed.column("UPDATE threads SET archived_at = 1 WHERE archived_at IS NOT NULL RETURNING id");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_purge_the_same_trash_tell_of_each_thread_once() {
    let bed = Bed::new(60).await;
    let nodes = [bed.node(), bed.node(), bed.node()];
    trash(&bed, &nodes[0]).await;
    let now = nodes[0].store().now();
    let (one, other, third) = tokio::join!(
        purge::run(&nodes[0].0, now),
        purge::run(&nodes[1].0, now),
        purge::run(&nodes[2].0, now)
    );
    assert_eq!(one.unwrap() + other.unwrap() + third.unwrap(), 60);
    let events = nodes[1].store().events_after(bed.portal, 0, 10_000).await.unwrap();
    let mut purged: Vec<i64> = events
        .iter()
        .filter(|event| event.kind == antiphon_store::EventKind::ThreadPurged)
        .map(|event| event.object_id)
        .collect();
    purged.sort_unstable();
    assert_eq!(purged, (1..=60).collect::<Vec<_>>());
    for table in ["threads", "messages", "purges"] {
        assert_eq!(bed.column(&format!("SELECT count(*) FROM {table}")), ["0"]);
    }
    let usage = nodes[2].store().usage(bed.portal).await.unwrap();
    assert_eq!((usage.threads, usage.messages, usage.bytes), (0, 0, 0));
    for node in nodes {
        node.store().close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_waits_for_the_node_that_has_it_and_takes_over_when_that_is_cut_off() {
    let bed = Bed::new(2).await;
    let node = bed.node();
    trash(&bed, &node).await;
    let proxy = antiphon_cluster::shared().unwrap().proxy().unwrap();
    let url = proxy.url(bed.home.database().unwrap());
    let settings = Settings { postgres: Some(Postgres::new(url)), ..bed.home.settings() };
    let other = Store::open(settings).unwrap();
    let lease = other.lease("purge").await.unwrap().unwrap();
    let (stop, stopped) = watch::channel(false);
    let app = node.0.clone();
    let driver = tokio::spawn(async move { jobs::drive(&app, stopped).await });
    let left = || bed.column("SELECT count(*) FROM threads");
    sleep(Duration::from_secs(3)).await;
    assert!(lease.held());
    assert_eq!(left(), ["2"], "another node has the job");
    proxy.hold();
    let begun = Instant::now();
    while left() != ["0"] {
        assert!(begun.elapsed() < Duration::from_secs(8), "nobody took the job over");
        sleep(Duration::from_millis(20)).await;
    }
    println!("taken over after {:?}", begun.elapsed());
    assert!(!lease.held(), "it knows that it has lost it");
    stop.send_replace(true);
    driver.await.unwrap();
    proxy.cut();
    proxy.pass();
    drop(lease);
    other.close().await;
    node.store().close().await;
}

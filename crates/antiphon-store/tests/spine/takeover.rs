//! A node that numbers is killed, stopped, cut off or told to go: the others number in its place within two seconds.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::time::sleep;

use crate::kit::*;

/// Two nodes share the buckets; then something happens to one. How long until everything is numbered that is recorded at
/// that moment.
async fn after(bed: &Bed, happens: impl FnOnce()) -> Duration {
    bed.shared(&[8, 8]).await;
    assert!(bed.all_numbered().await < Duration::from_secs(6));
    happens();
    let took = bed.all_numbered().await;
    println!("taken over after {took:?}");
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_nodes_portals_are_taken_over() {
    if node().await {
        return;
    }
    let bed = Bed::new().await;
    let survivor = bed.node();
    for _ in 0..3 {
        let victim = Process::start("takeover::a_killed_nodes_portals_are_taken_over", bed.database.url());
        let took = after(&bed, || victim.signal(Signal::KILL)).await;
        assert!(took < TAKEN_OVER, "{took:?}");
        bed.shared(&[16]).await;
    }
    survivor.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_nodes_portals_are_taken_over_and_it_may_come_back() {
    if node().await {
        return;
    }
    let bed = Bed::new().await;
    let survivor = bed.node();
    let test = "takeover::a_stopped_nodes_portals_are_taken_over_and_it_may_come_back";
    let victim = Process::start(test, bed.database.url());
    for _ in 0..3 {
        let took = after(&bed, || victim.signal(Signal::STOP)).await;
        assert!(took < TAKEN_OVER, "{took:?}");
        bed.shared(&[16]).await;
        victim.signal(Signal::CONT);
    }
    bed.shared(&[8, 8]).await;
    victim.end();
    survivor.close().await;
    for portal in 1..=16 {
        bed.sound(portal).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_stopped_while_it_numbers_holds_nobody_up_and_doubles_nothing() {
    if node().await {
        return;
    }
    let bed = Bed::new().await;
    let test = "takeover::a_node_that_is_stopped_while_it_numbers_holds_nobody_up_and_doubles_nothing";
    let victim = Process::start(test, bed.database.url());
    bed.shared(&[16]).await;
    let (holder, writer) = (bed.connect().await, bed.connect().await);
    let mut recorded = Vec::new();
    let mut stopped_inside = 0;
    for _ in 0..4 {
        // It waits for the counters; it is stopped; it gets them.
        holder.batch_execute("BEGIN; SELECT FROM counters WHERE portal_id = 3 FOR UPDATE").await.unwrap();
        recorded.extend(write(&writer, 3, &[1, 2]).await);
        writer.batch_execute("NOTIFY antiphon_recorded, '3'").await.unwrap();
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                     AND wait_event_type = 'Lock' AND query LIKE '%event_position%FOR UPDATE'";
        let begun = Instant::now();
        while bed.sql.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            assert!(begun.elapsed() < Duration::from_secs(8), "it never came to number");
        }
        victim.signal(Signal::STOP);
        holder.batch_execute("COMMIT").await.unwrap();
        let inside = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                      AND state = 'idle in transaction' AND query LIKE '%unnumbered_events%'";
        sleep(Duration::from_millis(20)).await;
        stopped_inside += bed.sql.query_one(inside, &[]).await.unwrap().get::<_, i64>(0);
        // Another node takes over, and is not kept waiting by the transaction of the stopped one.
        let survivor = bed.node();
        let begun = Instant::now();
        while bed.published(3).await < recorded.len() as i64 + 1 {
            assert!(
                begun.elapsed() < TAKEN_OVER + Duration::from_millis(500),
                "the stopped node keeps the counters"
            );
            sleep(Duration::from_millis(5)).await;
        }
        recorded.extend(write(&writer, 3, &[2, 1]).await);
        victim.signal(Signal::CONT);
        bed.shared(&[8, 8]).await;
        survivor.close().await;
        bed.shared(&[16]).await;
    }
    assert!(stopped_inside > 0, "it was never stopped inside of its transaction");
    bed.all_numbered().await;
    victim.end();
    let mut numbered = bed.sound(3).await;
    numbered.pop();
    numbered.sort_unstable();
    recorded.sort_unstable();
    assert_eq!(numbered, recorded);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portals_of_a_node_that_is_cut_off_are_taken_over() {
    let bed = Bed::new().await;
    let survivor = bed.node();
    let proxy = antiphon_cluster::shared().unwrap().proxy().unwrap();
    let victim = antiphon_store::Store::open(settings(proxy.url(&bed.database))).unwrap();
    for _ in 0..2 {
        let took = after(&bed, || proxy.hold()).await;
        assert!(took < TAKEN_OVER, "{took:?}");
        proxy.cut();
        proxy.pass();
    }
    bed.shared(&[8, 8]).await;
    victim.close().await;
    survivor.close().await;
    for portal in 1..=16 {
        bed.sound(portal).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_connections_are_ended_goes_on() {
    let bed = Bed::new().await;
    let node = bed.node();
    bed.shared(&[16]).await;
    for _ in 0..5 {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND application_name = 'antiphon'";
        assert!(!bed.sql.query(end, &[]).await.unwrap().is_empty());
        let took = bed.all_numbered().await;
        assert!(took < TAKEN_OVER, "{took:?}");
    }
    node.close().await;
    for portal in 1..=16 {
        bed.sound(portal).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_are_shared_fairly_and_given_back() {
    let bed = Bed::new().await;
    let first = bed.node();
    bed.shared(&[16]).await;
    // Who has too many gives them back, instead of letting them run out.
    let second = bed.node();
    let begun = Instant::now();
    bed.shared(&[8, 8]).await;
    assert!(begun.elapsed() < Duration::from_millis(1_200), "{:?}", begun.elapsed());
    let third = bed.node();
    let begun = Instant::now();
    while {
        let shares = bed.shares().await;
        shares.len() != 3 || shares.iter().sum::<i64>() != 16 || shares.iter().any(|share| *share > 6)
    } {
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", bed.shares().await);
        sleep(Duration::from_millis(20)).await;
    }
    // Who goes in order keeps nobody waiting until a lease runs out.
    let begun = Instant::now();
    third.close().await;
    bed.shared(&[8, 8]).await;
    assert!(begun.elapsed() < Duration::from_millis(1_000), "{:?}", begun.elapsed());
    drop(second);
    bed.shared(&[16]).await;
    first.close().await;
    let left = bed.sql.query_one("SELECT count(*) FROM leases", &[]).await.unwrap();
    assert_eq!(left.get::<_, i64>(0), 0);
}

//! Readers that wait are woken on every node, and a lost notice only costs them time.

use std::time::{Duration, Instant};

use antiphon_store::*;
use tokio::time::{sleep, timeout};

use crate::kit::*;

const LATE: Duration = Duration::from_secs(10);

/// A change that records one event.
async fn change(store: &Store, portal: i64) {
    let rule = |_: &State, moment: &mut Moment| {
        let event = NewEvent {
            kind: EventKind::ThreadTouched,
            object: ObjectKind::Thread,
            object_id: 1,
            occurred_at: moment.now,
            payload: String::new(),
        };
        Ok::<_, ()>(Changes { events: vec![event], ..Changes::default() })
    };
    store.change(PortalId(portal), Target::Directory, rule).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_on_one_node_wakes_readers_on_all() {
    let bed = Bed::new().await;
    let nodes = [bed.node(), bed.node(), bed.node()];
    sleep(Duration::from_secs(2)).await;
    let mut slowest: Vec<Duration> = Vec::new();
    for round in 0..24 {
        let portal = 1 + round % 12;
        let position = nodes[0].event_position(PortalId(portal)).await.unwrap();
        let waiting: Vec<_> = nodes
            .iter()
            .map(|node| {
                let node = node.clone();
                tokio::spawn(async move { timeout(LATE, node.events_wait(PortalId(portal), position)).await })
            })
            .collect();
        sleep(Duration::from_millis(30)).await;
        assert!(waiting.iter().all(|task| !task.is_finished()), "woken by nothing");
        let begun = Instant::now();
        change(&nodes[round as usize % 3], portal).await;
        for task in waiting {
            task.await.unwrap().unwrap().unwrap();
        }
        slowest.push(begun.elapsed());
    }
    slowest.sort();
    println!("woken on all nodes after {:?} (median), {:?} (slowest)", slowest[12], slowest[23]);
    // Looking once a second would be far slower.
    assert!(slowest[12] < Duration::from_millis(200), "{slowest:?}");
    for node in nodes {
        node.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_was_told_of_is_found() {
    let bed = Bed::new().await;
    let node = bed.node();
    bed.shared(&[16]).await;
    for portal in [1, 7, 16] {
        let position = bed.published(portal).await;
        let (waiter, id) = (node.clone(), PortalId(portal));
        let waiting = tokio::spawn(async move { timeout(LATE, waiter.events_wait(id, position)).await });
        sleep(Duration::from_millis(50)).await;
        let begun = Instant::now();
        write(&bed.sql, portal, &[1]).await;
        waiting.await.unwrap().unwrap().unwrap();
        assert!(begun.elapsed() < Duration::from_millis(1_500), "{:?}", begun.elapsed());
    }
    // Nobody waits for these; they are found on the walk.
    assert!(bed.all_numbered().await < Duration::from_secs(6));
    node.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_whose_line_is_cut_again_and_again_misses_nothing() {
    let bed = Bed::new().await;
    let (near, proxy) = (bed.node(), antiphon_cluster::shared().unwrap().proxy().unwrap());
    let far = Store::open(settings(proxy.url(&bed.database))).unwrap();
    let reader = tokio::spawn(async move {
        let (mut seen, mut longest) = (1, Duration::ZERO);
        while seen < 61 {
            let begun = Instant::now();
            // What is asked in the very moment of a cut fails, and is asked again.
            let woken = timeout(LATE, far.events_wait(PortalId(5), seen)).await.unwrap();
            longest = longest.max(begun.elapsed());
            if woken.is_err() {
                continue;
            }
            let Ok(page) = far.events_after(PortalId(5), seen, 100).await else { continue };
            for event in page {
                seen += 1;
                assert_eq!(event.position, seen);
            }
        }
        far.close().await;
        longest
    });
    for n in 0..60 {
        change(&near, 5).await;
        if n % 6 == 3 {
            proxy.cut();
        }
        sleep(Duration::from_millis(40)).await;
    }
    let longest = timeout(LATE, reader).await.unwrap().unwrap();
    assert!(longest < Duration::from_millis(2_500), "{longest:?}");
    near.close().await;
    bed.sound(5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_with_the_store() {
    let bed = Bed::new().await;
    let node = bed.node();
    let waiter = node.clone();
    let waiting = tokio::spawn(async move { waiter.events_wait(PortalId(1), 1).await });
    sleep(Duration::from_millis(50)).await;
    node.close().await;
    let ended = timeout(LATE, waiting).await.unwrap().unwrap();
    assert!(matches!(ended, Err(StoreError::Unavailable(_))), "{ended:?}");
}

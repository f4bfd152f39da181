//! Order, density, nothing lost and nothing doubled, whoever writes, stalls or gives up.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use antiphon_store::*;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio::time::sleep;

use crate::kit::*;

/// What a writer does in one transaction.
#[derive(Debug, Clone)]
struct Step {
    threads: Vec<i64>,
    /// Milliseconds between taking the locks and leaving the events, and from there to the end.
    stalls: (u64, u64),
    given_up: bool,
}

fn steps(count: usize) -> Vec<Step> {
    let stall = || prop_oneof![20 => Just(0), 6 => 1..20_u64, 1 => 200..600_u64];
    let threads = prop::collection::btree_set(1..=6_i64, 1..4).prop_map(|set| set.into_iter().collect());
    let step = (threads, (stall(), stall()), prop::bool::weighted(0.1))
        .prop_map(|(threads, stalls, given_up)| Step { threads, stalls, given_up });
    let mut runner = TestRunner::default();
    prop::collection::vec(step, count).new_tree(&mut runner).unwrap().current()
}

/// Reads on and on, in pages of odd sizes, and must never see a gap, a change of what it saw, or a revision too early.
async fn follow(
    store: Store,
    portal: i64,
    until: tokio::sync::watch::Receiver<Option<i64>>,
) -> Vec<(i64, i64, i64)> {
    let mut seen: Vec<(i64, i64, i64)> = Vec::new();
    loop {
        let end = *until.borrow();
        let position = seen.len() as i64;
        let page = store.events_after(PortalId(portal), position, 7 + seen.len() % 50).await.unwrap();
        seen.extend(page.iter().map(|event| (event.position, event.object_id, event.revision)));
        in_order(&seen);
        if end.is_some_and(|end| end <= seen.len() as i64) {
            return seen;
        }
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_that_stall_and_give_up_leave_no_gap_and_no_disorder() {
    let bed = Bed::new().await;
    let nodes = [bed.node(), bed.node()];
    let (told, until) = tokio::sync::watch::channel(None);
    let readers: Vec<_> =
        nodes.iter().map(|node| tokio::spawn(follow(node.clone(), 1, until.clone()))).collect();
    let mut writers = Vec::new();
    for node in nodes.iter().cycle().take(8) {
        let (sql, node) = (bed.connect().await, node.clone());
        writers.push(tokio::spawn(async move {
            let mut all = Vec::new();
            for step in steps(60) {
                sql.batch_execute("BEGIN").await.unwrap();
                let written = lock(&sql, 1, &step.threads).await;
                sleep(Duration::from_millis(step.stalls.0)).await;
                leave(&sql, 1, &written).await;
                sleep(Duration::from_millis(step.stalls.1)).await;
                sql.batch_execute(if step.given_up { "ROLLBACK" } else { "COMMIT" }).await.unwrap();
                if step.given_up {
                    continue;
                }
                // Whoever begins to read now sees what was acknowledged, on every node.
                let events = node.events_after(PortalId(1), 0, 10_000).await.unwrap();
                let found: HashSet<_> =
                    events.iter().map(|event| (event.object_id, event.revision)).collect();
                assert!(written.iter().all(|event| found.contains(event)), "{written:?} is not to be seen");
                all.extend(written);
            }
            all
        }));
    }
    let mut recorded = Vec::new();
    for writer in writers {
        recorded.extend(writer.await.unwrap());
    }
    told.send(Some(recorded.len() as i64 + 1)).unwrap();
    let mut seen = Vec::new();
    for reader in readers {
        seen.push(reader.await.unwrap());
    }
    assert_eq!(seen[0], seen[1]);
    let mut numbered = bed.sound(1).await;
    let read: Vec<_> = seen[0].iter().skip(1).map(|(_, thread, revision)| (*thread, *revision)).collect();
    assert_eq!(read, numbered);
    numbered.sort_unstable();
    recorded.sort_unstable();
    assert_eq!(numbered, recorded);
    for node in nodes {
        node.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_went_back_does_not_turn_a_thread_round() {
    let bed = Bed::new().await;
    // More than are numbered at once: of 40 threads, the later the revision, the earlier the stamp.
    let insert = "INSERT INTO unnumbered_events \
                  SELECT 1, 5000 - r * 10 + t % 7, r, t, 2, 1, t, r, 0, 'of ' || t || ' the ' || r \
                  FROM generate_series(1, 90) r, generate_series(1, 40) t";
    let recorded = bed.sql.execute(insert, &[]).await.unwrap();
    assert_eq!(recorded, 3_600);
    let node = bed.node();
    let mut position = 1;
    while position < 3_601 {
        let page = node.events_after(PortalId(1), position, 500).await.unwrap();
        assert!(!page.is_empty());
        for event in page {
            position += 1;
            assert_eq!(event.position, position);
            assert_eq!(event.payload, format!("of {} the {}", event.object_id, event.revision));
        }
    }
    let events = bed.sound(1).await;
    assert_eq!(events.iter().collect::<HashSet<_>>().len(), 3_600);
    node.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_numbered_is_vacuumed_away() {
    let bed = Bed::new().await;
    let insert =
        "INSERT INTO unnumbered_events SELECT 1, r, r, 0, 2, 1, 1, r, 0, '' FROM generate_series(1, 25000) r";
    bed.sql.execute(insert, &[]).await.unwrap();
    let node = bed.node();
    let (begun, vacuumed) =
        (Instant::now(), "SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'unnumbered_events'");
    while bed.sql.query_one(vacuumed, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "nobody vacuums");
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(node.event_position(PortalId(1)).await.unwrap(), 25_001);
    bed.sound(1).await;
    node.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_while_it_numbers_leaves_nothing_behind() {
    let bed = Bed::new().await;
    let node = bed.node();
    let (holder, writer) = (bed.connect().await, bed.connect().await);
    for round in 0..8 {
        // It has to wait for the counters, and is given up while it does.
        holder.batch_execute("BEGIN; SELECT FROM counters WHERE portal_id = 2 FOR UPDATE").await.unwrap();
        write(&writer, 2, &[1, 2, 3]).await;
        for _ in 0..4 {
            let read = node.events_after(PortalId(2), 1 + round * 3, 10);
            tokio::time::timeout(Duration::from_millis(60), read).await.unwrap_err();
        }
        holder.batch_execute("COMMIT").await.unwrap();
        // Nobody keeps the counters, not even until it is thrown out.
        let free =
            "SET lock_timeout = 500; BEGIN; SELECT FROM counters WHERE portal_id = 2 FOR UPDATE; COMMIT";
        writer.batch_execute(free).await.unwrap();
        let page = node.events_after(PortalId(2), 1 + round * 3, 10).await.unwrap();
        assert_eq!(page.len(), 3);
    }
    bed.sound(2).await;
    node.close().await;
}

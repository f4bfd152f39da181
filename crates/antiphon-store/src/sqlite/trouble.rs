//! What happens when the disk does not do as it should, and when everything comes at once.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::*;

async fn engine(change: impl FnOnce(&mut Settings)) -> (tempfile::TempDir, Arc<Engine>, PortalId) {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(dir.path());
    change(&mut settings);
    let engine = Arc::new(Engine::open(settings).unwrap());
    let portal = engine.portal_create(None, "Trouble".into(), "UTC".into(), Quota::default()).await;
    (dir, engine, portal.unwrap().unwrap().id)
}

/// Writes a ticket with a subject as long as asked for.
async fn write(engine: &Engine, portal: PortalId, length: usize) -> Answer<TicketId> {
    let rule = move |_: &State, moment: &mut Moment| {
        let ticket = Ticket { id: moment.ticket_id(), subject: "x".repeat(length), created_at: moment.now };
        Ok::<_, ()>(Changes { tickets: vec![ticket], ..Changes::default() })
    };
    Ok(engine.change(portal, Target::Directory, rule).await?.unwrap().changes.tickets[0].id)
}

#[tokio::test]
async fn a_disk_that_is_full_loses_nothing_and_recovers() {
    let (_dir, engine, portal) = engine(|_| {}).await;
    let limit = async |pages: i64| {
        let set = engine.submit(move |batch| {
            batch.conn.query_row("SELECT 1", [], |_| Ok(()))?;
            Ok(batch.conn.pragma_update(None, "max_page_count", pages)?)
        });
        set.await.unwrap();
    };
    let first = write(&engine, portal, 10).await.unwrap();
    limit(1).await;
    let mut kept = vec![first];
    let refused = loop {
        match write(&engine, portal, 3000).await {
            Ok(id) => kept.push(id),
            Err(e) => break e,
        }
    };
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    assert!(write(&engine, portal, 100_000).await.is_err());
    let stored =
        async || engine.tickets(portal, None, 1000).unwrap().iter().map(|t| t.id).collect::<Vec<_>>();
    assert_eq!(stored().await, kept);
    limit(1 << 30).await;
    kept.push(write(&engine, portal, 100_000).await.unwrap());
    assert_eq!(stored().await, kept);
    assert!(
        kept.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1),
        "ids of lost changes are given out again"
    );
}

const LIMIT: u64 = 4 << 20;

/// The longest that the log becomes under a writer that never pauses.
async fn longest_log() -> u64 {
    let (dir, engine, portal) = engine(|settings| {
        settings.wal_bytes = LIMIT;
        settings.batch = 8;
        settings.durable = false;
    })
    .await;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = |stop: &Arc<AtomicBool>| stop.load(Ordering::Relaxed);
    let mut tasks = Vec::new();
    for _ in 0..16 {
        let (engine, stop) = (engine.clone(), stop.clone());
        tasks.push(tokio::spawn(async move {
            while !stopped(&stop) {
                write(&engine, portal, 7000).await.unwrap();
            }
        }));
    }
    for _ in 0..2 {
        let (engine, stop) = (engine.clone(), stop.clone());
        tasks.push(tokio::spawn(async move {
            let mut after = None;
            while !stopped(&stop) {
                let page = engine.tickets(portal, after, 50).unwrap();
                after = page.last().map(|ticket| ticket.id);
                tokio::task::yield_now().await;
            }
        }));
    }
    let log = dir.path().join("antiphon.db-wal");
    let (mut longest, mut written) = (0, 0);
    while written < 12 * LIMIT {
        tokio::time::sleep(Duration::from_millis(5)).await;
        longest = longest.max(std::fs::metadata(&log).unwrap().len());
        written = std::fs::metadata(dir.path().join(DATABASE)).unwrap().len();
    }
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    engine.close().await;
    assert_eq!(std::fs::metadata(&log).map_or(0, |file| file.len()), 0, "a closed store has no log");
    longest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_log_stays_short_under_a_writer_that_never_pauses() {
    // One moment in which the machine does something else is enough to spoil a figure: it is taken again before it counts.
    let mut longest = u64::MAX;
    for _ in 0..3 {
        longest = longest.min(longest_log().await);
        if longest <= 3 * LIMIT {
            return;
        }
    }
    panic!("the log grew to {:.1} times its limit", longest as f64 / LIMIT as f64);
}

#[tokio::test]
async fn a_quiet_log_is_written_back() {
    let (_dir, engine, portal) = engine(|_| {}).await;
    write(&engine, portal, 100_000).await.unwrap();
    let before = engine.status().database_bytes;
    let begun = Instant::now();
    while engine.status().database_bytes <= before && begun.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(engine.status().database_bytes >= Some(100_000));
}

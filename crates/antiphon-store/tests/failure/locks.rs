//! Somebody else keeps a lock: another node that hangs in a transaction, or a person at a console.

use std::time::{Duration, Instant};

use antiphon_store::*;
use tokio::time::sleep;

use crate::kit::*;
use crate::limits::connect;

/// Threads that one committer serves beside the one that is held, and threads of the others.
const FREE: i64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_that_is_held_holds_up_no_other() {
    let scene = Scene::new().await;
    let other = connect(&scene.database.url()).await.unwrap();
    other.batch_execute("BEGIN; SELECT FROM threads WHERE id IN (5, 7) FOR UPDATE").await.unwrap();
    let begun = Instant::now();
    // 5 and 7 wait in the same lane as 1 and 3.
    let held: Vec<_> = [5, 5, 5, 7, 7]
        .map(|thread| {
            let sender = scene.sender();
            tokio::spawn(async move { sender.send(thread).await })
        })
        .into();
    sleep(Duration::from_millis(50)).await;
    let flood = scene.flood(FREE);
    for one in held {
        let told = one.await.unwrap();
        assert!(matches!(told, Err(StoreError::Busy)), "{told:?}");
    }
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(7) && took < Duration::from_secs(12), "{took:?}");
    let tally = flood.end().await;
    assert!(tally.refused == 0 && tally.acknowledged > 100, "{tally:?}");
    assert!(tally.slowest < Duration::from_secs(3), "{tally:?}");
    other.batch_execute("ROLLBACK").await.unwrap();
    scene.recovers(5, RECOVERED).await;
    scene.sound().await;
}

/// It is not given up when the lock is: it was waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_that_is_free_again_is_written() {
    let scene = Scene::new().await;
    let other = connect(&scene.database.url()).await.unwrap();
    other.batch_execute("BEGIN; SELECT FROM threads WHERE id IN (5, 7) FOR UPDATE").await.unwrap();
    let flood = scene.flood(8);
    sleep(Duration::from_secs(3)).await;
    other.batch_execute("COMMIT").await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let tally = flood.end().await;
    assert_eq!((tally.refused, tally.unknown), (0, 0));
    scene.sound().await;
}

/// Whoever wants an id has to wait for the counters; whoever writes to a thread has not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_that_are_held_hold_up_no_thread() {
    let scene = Scene::new().await;
    let other = connect(&scene.database.url()).await.unwrap();
    other.batch_execute("BEGIN; SELECT FROM counters FOR UPDATE").await.unwrap();
    let changes = Changes { directory: Vec::new(), ..Changes::default() };
    let wanting: Vec<_> = (0..5)
        .map(|_| {
            let (store, changes) = (scene.store.clone(), changes.clone());
            tokio::spawn(async move {
                store.change(PORTAL, Target::Directory, move |_, _| Ok::<_, No>(changes.clone())).await
            })
        })
        .collect();
    let flood = scene.flood(FREE);
    for one in wanting {
        let told = one.await.unwrap();
        assert!(matches!(told, Err(StoreError::Busy)), "{told:?}");
    }
    let tally = flood.end().await;
    assert!(tally.refused == 0 && tally.acknowledged > 100, "{tally:?}");
    assert!(tally.slowest < Duration::from_secs(3), "{tally:?}");
    other.batch_execute("ROLLBACK").await.unwrap();
    scene.sound().await;
}

//! The directory a store lives in: one process, known files, a sentence for everything that is wrong with it.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use antiphon_store::*;

use crate::kit::*;

#[tokio::test]
async fn a_directory_in_use_is_refused() {
    let kit = Kit::embedded().await;
    let second = Store::open(settings(&kit.dir, &kit.clock, None));
    assert!(matches!(second, Err(OpenError::InUse(_))));
    let kit = kit.reopen().await;
    kit.thread(1).await;
}

#[tokio::test]
async fn a_store_that_is_dropped_lets_go() {
    let kit = Kit::embedded().await;
    let thread = kit.thread(1).await;
    let Kit { store, portal, clock, dir, .. } = kit;
    drop(store);
    let store = open(settings(&dir, &clock, None));
    assert_eq!(**store.thread_by_id(portal, thread.id).await.unwrap().unwrap(), thread);
}

fn empty() -> (tempfile::TempDir, Arc<AtomicI64>) {
    (tempfile::tempdir().unwrap(), Arc::new(AtomicI64::new(NOON)))
}

#[test]
fn a_file_that_is_no_database_is_damaged() {
    let (dir, clock) = empty();
    fs::write(
        dir.path().join("antiphon.db"),
        "this is not a database, but long enough to have a header ".repeat(90),
    )
    .unwrap();
    assert!(matches!(Store::open(settings(&dir, &clock, None)), Err(OpenError::Damaged(..))));
}

#[test]
fn a_directory_that_cannot_be_made_is_not_writable() {
    let (dir, _) = empty();
    fs::write(dir.path().join("file"), "").unwrap();
    let opened = Store::open(Settings::new(dir.path().join("file/data")));
    assert!(matches!(opened, Err(OpenError::NotWritable(..))));
}

#[tokio::test]
async fn a_damaged_page_is_told_and_not_believed() {
    let kit = Kit::embedded().await;
    let thread = kit.thread(1).await;
    for n in 0..200 {
        kit.say(thread.id, &format!("{n} {}", "x".repeat(2000))).await;
    }
    kit.store.close().await;
    let Kit { store, portal, clock, dir, .. } = kit;
    drop(store);
    let path = dir.path().join("antiphon.db");
    let mut bytes = fs::read(&path).unwrap();
    let length = bytes.len();
    bytes[length / 3..].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let read = match Store::open(settings(&dir, &clock, None)) {
        Err(OpenError::Damaged(..)) => return,
        Err(other) => panic!("{other}"),
        Ok(store) => {
            let query = HistoryQuery { archived: false, ascending: true, after: None, limit: 500 };
            store.history(portal, thread.id, &query, &mut |_| {}).await
        }
    };
    assert!(matches!(read, Err(StoreError::Damaged(_))), "{read:?}");
}

#[tokio::test]
async fn a_full_disk_stops_changes_and_not_reads() {
    let kit = Kit::embedded().await;
    let thread = kit.thread(1).await;
    kit.say(thread.id, "before").await;
    kit.store.close().await;
    let Kit { store, portal, clock, dir, .. } = kit;
    drop(store);
    let store = open(Settings { least_free_disk: 1.1, ..settings(&dir, &clock, None) });
    assert!(store.status().disk_low);
    assert!(matches!(say(&store, portal, thread.id, "after").await, Err(StoreError::DiskLow)));
    assert_eq!(store.thread_by_id(portal, thread.id).await.unwrap().unwrap().entries, 1);
}

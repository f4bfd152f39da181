use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use antiphon_store::*;

use crate::kit::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_is_one_moment() {
    let kit = Kit::embedded().await;
    let mut threads = Vec::new();
    for n in 0..8 {
        threads.push(kit.thread(n).await.id);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = threads
        .iter()
        .map(|id| {
            let (store, portal, stop, id) = (kit.store.clone(), kit.portal, stop.clone(), *id);
            tokio::spawn(async move {
                let mut sent = 0;
                while !stop.load(Ordering::Relaxed) {
                    say(&store, portal, id, &format!("{sent} {}", "x".repeat(3000))).await.unwrap();
                    sent += 1;
                }
                sent
            })
        })
        .collect();
    while kit.store.usage(kit.portal).await.unwrap().messages < 300 {
        tokio::task::yield_now().await;
    }
    let before = kit.store.usage(kit.portal).await.unwrap();
    let to = kit.dir.path().join("copy.db");
    let (last, told) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (last_told, all_told) = (last.clone(), told.clone());
    let progress = move |done, all| {
        last_told.store(done, Ordering::Relaxed);
        all_told.store(all, Ordering::Relaxed);
    };
    kit.store.backup(&to, progress).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        assert!(writer.await.unwrap() > 0);
    }
    let pages = told.load(Ordering::Relaxed);
    assert!(pages > 0 && last.load(Ordering::Relaxed) == pages);
    assert!(kit.store.backup(&to, |_, _| {}).await.is_err(), "a backup never overwrites");

    let fresh = tempfile::tempdir().unwrap();
    let data = fresh.path().join("data");
    Store::restore(&to, &Settings::new(&data)).unwrap();
    assert!(matches!(Store::open(Settings::new(&data)), Err(OpenError::NoKey(..))), "a backup is sealed");
    let key = settings(&kit.dir, &kit.clock, None).key;
    let copy = Store::open(Settings { key, ..Settings::new(&data) }).unwrap();
    let usage = copy.usage(kit.portal).await.unwrap();
    assert!(usage.messages >= before.messages);
    let mut messages = 0;
    for id in threads {
        let query = HistoryQuery { archived: false, ascending: true, after: None, limit: 100_000 };
        let mut texts = Vec::new();
        copy.history(kit.portal, id, &query, &mut |doc: &[u8]| texts.push(doc.to_vec()))
            .await
            .unwrap()
            .unwrap();
        assert!(texts.iter().enumerate().all(|(n, text)| text.starts_with(format!("{n} ").as_bytes())));
        messages += texts.len() as i64;
    }
    assert_eq!(messages, usage.messages);
    let events = copy.events_after(kit.portal, 0, 1_000_000).await.unwrap();
    let said = events.iter().filter(|event| event.kind == EventKind::MessageAdded).count();
    assert_eq!(said as i64, messages);
    say(&copy, kit.portal, ThreadId(1), "goes on").await.unwrap();

    assert!(matches!(
        Store::restore(&to, &Settings::new(kit.dir.path())),
        Err(OpenError::NotWritable(..) | OpenError::InUse(_))
    ));
    copy.close().await;
    assert!(
        matches!(Store::restore(&to, &Settings::new(&data)), Err(OpenError::NotWritable(..))),
        "a store is never replaced"
    );
}

#[tokio::test]
async fn a_damaged_backup_is_not_restored() {
    let kit = Kit::embedded().await;
    let thread = kit.thread(1).await;
    for n in 0..100 {
        kit.say(thread.id, &format!("{n} {}", "x".repeat(2000))).await;
    }
    let to = kit.dir.path().join("copy.db");
    kit.store.backup(&to, |_, _| {}).await.unwrap();
    let mut bytes = fs::read(&to).unwrap();
    let half = bytes.len() / 2;
    bytes[half..half + 20_000].fill(0x5a);
    let broken = kit.dir.path().join("broken.db");
    fs::write(&broken, bytes).unwrap();
    let fresh = tempfile::tempdir().unwrap();
    let restored = Store::restore(&broken, &Settings::new(fresh.path()));
    assert!(matches!(restored, Err(OpenError::Damaged(..))), "{restored:?}");
    assert!(!fresh.path().join("antiphon.db").exists());
    fs::write(&broken, "no database at all").unwrap();
    assert!(matches!(Store::restore(&broken, &Settings::new(fresh.path())), Err(OpenError::Damaged(..))));
    assert!(Store::restore(&kit.dir.path().join("absent.db"), &Settings::new(fresh.path())).is_err());
    Store::restore(&to, &Settings::new(fresh.path())).unwrap();
}

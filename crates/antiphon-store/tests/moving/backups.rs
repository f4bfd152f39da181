//! Copies of a database in one file, made while it serves; and what a check of a database finds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use antiphon_store::*;

use crate::fill::{Place, fill};
use crate::kit::*;
use crate::seen::{seen, sessions};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_backed_up_into_a_file_and_put_back() {
    let place = Place::database();
    let store = place.open();
    let portals = fill(&store).await;
    let to = place.dir.path().join("copy.db");
    let still = seen(&store).await;
    let (last, all) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (last_told, all_told) = (last.clone(), all.clone());
    let progress = move |done, all| {
        last_told.store(done, Ordering::Relaxed);
        all_told.store(all, Ordering::Relaxed);
    };
    store.backup(&to, progress).await.unwrap();
    assert!(all.load(Ordering::Relaxed) > 0);
    assert_eq!(last.load(Ordering::Relaxed), all.load(Ordering::Relaxed));
    assert!(store.backup(&to, |_, _| {}).await.is_err(), "a backup never overwrites");
    assert!(std::fs::read_dir(place.dir.path()).unwrap().count() <= 2, "nothing is left beside it");

    for other in [Place::database(), Place::directory()] {
        let (from, settings) = (to.clone(), other.settings());
        let restored = tokio::task::spawn_blocking(move || Store::restore(&from, &settings)).await.unwrap();
        restored.unwrap();
        let copy = other.open();
        assert_eq!(still, seen(&copy).await);
        // Who has signed out since the backup is not signed in by it.
        assert!(sessions(&store).await.iter().all(|of_portal| of_portal.len() == 2));
        assert!(sessions(&copy).await.iter().all(Vec::is_empty));
        say(&copy, portals[0], ThreadId(2), "{\"goes\":\"on\",\"archived\":").await.unwrap();
        copy.close().await;
        let (from, settings) = (to.clone(), other.settings());
        let again = tokio::task::spawn_blocking(move || Store::restore(&from, &settings)).await.unwrap();
        assert!(again.is_err(), "a store is never replaced");
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_database_under_load_is_one_moment() {
    let place = Place::database();
    let store = place.open();
    let portals = fill(&store).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = portals
        .iter()
        .flat_map(|portal| [1, 3].map(|id| (*portal, ThreadId(id))))
        .map(|(portal, id)| {
            let (store, stop) = (store.clone(), stop.clone());
            tokio::spawn(async move {
                let mut sent = 0;
                while !stop.load(Ordering::Relaxed) {
                    say(&store, portal, id, &format!("{{\"sent\":{sent},\"archived\":")).await.unwrap();
                    sent += 1;
                }
                sent
            })
        })
        .collect();
    let to = place.dir.path().join("copy.db");
    store.backup(&to, |_, _| {}).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        assert!(writer.await.unwrap() > 0);
    }
    let fresh = Place::directory();
    // It is checked whole before it is put into its place.
    Store::restore(&to, &fresh.settings()).unwrap();
    let copy = fresh.open();
    assert_eq!(copy.check(true, |_| true, |_, _| {}).await.unwrap(), []);
    assert!(copy.usage(portals[0]).await.unwrap().messages > 0);
    copy.close().await;
    assert_eq!(store.check(true, |_| true, |_, _| {}).await.unwrap(), []);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_a_database_finds_what_is_wrong() {
    let sound = |document: &[u8]| document.ends_with(b":");
    let place = Place::database();
    let store = place.open();
    fill(&store).await;
    // Every event gets its position before anything is damaged.
    seen(&store).await;
    assert_eq!(store.check(true, sound, |_, _| {}).await.unwrap(), []);
    for (sql, invariant, what) in [
        (
            "DELETE FROM messages WHERE portal_id = 2 AND key = 2 << 24 | 1",
            Invariant::Entries,
            "thread 2 of portal 2 counts 4",
        ),
        (
            "UPDATE messages SET key = key + 5 WHERE portal_id = 1 AND key = 2 << 24 | 3",
            Invariant::Entries,
            "1 entries of",
        ),
        (
            "UPDATE messages SET key = 1000 << 24 WHERE portal_id = 1 AND key = 4 << 24 | 3",
            Invariant::Entries,
            "1 entries belong to no",
        ),
        (
            "UPDATE messages SET doc = '\\x00' WHERE portal_id = 1 AND key = 3 << 24",
            Invariant::Documents,
            "thread 3",
        ),
        (
            "UPDATE messages SET format = 9 WHERE portal_id = 1 AND key = 3 << 24",
            Invariant::Formats,
            "thread 3",
        ),
        ("DELETE FROM events WHERE portal_id = 1 AND position = 5", Invariant::Events, "are not those from"),
        (
            "UPDATE counters SET event_position = 99999 WHERE portal_id = 2",
            Invariant::Events,
            "portal 2 counts 99999",
        ),
        ("DELETE FROM counters WHERE portal_id = 2", Invariant::Events, "portal 2 has no counters"),
        (
            "UPDATE tallies SET threads = threads + 1 WHERE portal_id = 2 AND slot = 0",
            Invariant::Usage,
            "portal 2 counts 7",
        ),
        ("UPDATE counters SET next_visitor = 2 WHERE portal_id = 1", Invariant::Ids, "its visitors again"),
        ("INSERT INTO purges VALUES (1, 3)", Invariant::Ids, "thread 3 of portal 1"),
        (
            "UPDATE thread_places SET latest_message_at = 7 WHERE portal_id = 2 AND id = 4",
            Invariant::Entries,
            "1 threads of portal 2",
        ),
        (
            "UPDATE apps SET client_secret = 'in clear' WHERE id = 1",
            Invariant::Sealed,
            "client secret of app 1 is stored in clear",
        ),
        (
            "UPDATE apps SET old_secret = 'sealed-1:AAAA' WHERE id = 2",
            Invariant::Sealed,
            "the former client secret of app 2 does not open",
        ),
        ("UPDATE signing_keys SET value = 'no key'", Invariant::Sealed, "signing key 1 does not open"),
        (
            "UPDATE server SET key_check = 'sealed-1:AAAA'",
            Invariant::Key,
            "the master key in the configured key is not the one",
        ),
    ] {
        let fits = |finding: &Finding| finding.invariant == invariant && finding.what.contains(what);
        let before = store.check(false, sound, |_, _| {}).await.unwrap();
        assert!(!before.iter().any(fits), "{sql}: {before:?}");
        place.database.as_ref().unwrap().rows(sql).unwrap();
        let after = store.check(false, sound, |_, _| {}).await.unwrap();
        assert!(after.iter().any(fits), "{sql}: {after:?}");
    }
    store.close().await;
}

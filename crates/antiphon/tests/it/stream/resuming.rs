//! Nothing missing and nothing twice, wherever one begins.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

#[tokio::test]
async fn a_stream_goes_on_behind_the_last_event() {
    let desk = Desk::open().await;
    desk.chat("ines").await;
    let newest = desk.position().await;
    for (query, last, from) in [
        ("?after=0", None, 1),
        ("?after=4", None, 5),
        ("", Some("4".to_owned()), 5),
        // What the client saw last counts more than where it once began.
        ("?after=0", Some("6".to_owned()), 7),
        ("", Some(newest.to_string()), newest + 1),
        // Beyond the newest event is now.
        ("", Some((newest + 50).to_string()), newest + 1),
    ] {
        let user =
            last.as_ref().map_or(desk.user.clone(), |last| desk.user.clone().with("last-event-id", last));
        let mut stream = user.listen(&format!("{EVENTS}{query}")).await;
        let told = positions(&stream.events((newest + 1 - from) as usize).await);
        assert_eq!(told, (from..=newest).collect::<Vec<_>>(), "{query} {last:?}");
        assert!(stream.is_quiet(QUIET).await);
    }
}

trait Now: Sized + Future {
    /// What is there already.
    async fn now(self) -> Option<<Self as Future>::Output> {
        tokio::time::timeout(QUIET, self).await.ok()
    }
}

impl<F: Future> Now for F {}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_missing_and_nothing_twice_while_others_write() {
    let desk = Desk::open().await;
    let threads = [desk.chat("ines").await, desk.chat("omar").await, desk.chat("olga").await];
    let from = desk.position().await;
    let done = Arc::new(AtomicBool::new(false));
    let mut readers = Vec::new();
    for reader in 0..12 {
        let (desk, done, threads) = (desk.clone(), done.clone(), threads.clone());
        readers.push(tokio::spawn(async move {
            let filter = if reader % 3 == 0 { format!("&threadId={}", threads[0]) } else { String::new() };
            let (mut at, mut heard) = (from, Vec::new());
            // Each goes away and comes back, at moments of its own.
            for leaves in 1.. {
                let mut stream = desk.user.listen(&format!("{EVENTS}?after={at}{filter}")).await;
                for _ in 0..=(reader + leaves) * 5 % 23 {
                    let Some(Some(frame)) = stream.block().now().await else { break };
                    assert!(!matches!(&*frame.event, "resync" | "cutOff"), "{frame:?}");
                    if !frame.event.is_empty() {
                        heard.push(frame.id.unwrap());
                    }
                }
                at = stream.last_id.unwrap_or(at);
                if done.load(Ordering::Relaxed) && at >= desk.position().await {
                    break;
                }
                if done.load(Ordering::Relaxed) && !filter.is_empty() {
                    // Whoever filters need not come to the end.
                    while let Some(Some(frame)) = stream.block().now().await {
                        heard.extend(frame.id.filter(|_| !frame.event.is_empty()));
                    }
                    break;
                }
            }
            (reader, heard)
        }));
    }
    let mut writers = Vec::new();
    for writer in 0..6 {
        let (desk, thread) = (desk.clone(), threads[writer % 3].clone());
        writers.push(tokio::spawn(async move {
            for n in 0..40 {
                desk.send(&thread, desk.on_chat(&format!("{writer}.{n}"))).await;
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    let newest = desk.position().await;
    let all = desk.server.app().store.events_after(
        desk.portal.id.parse().map(antiphon_store::PortalId).unwrap(),
        from,
        5000,
    );
    let all = all.await.unwrap();
    let of_first: BTreeSet<i64> = all
        .iter()
        .filter(|event| event.object_id.to_string() == threads[0])
        .map(|event| event.position)
        .collect();
    for reader in readers {
        let (reader, heard) = reader.await.unwrap();
        assert!(heard.windows(2).all(|pair| pair[0] < pair[1]), "reader {reader}: {heard:?}");
        let heard: BTreeSet<i64> = heard.into_iter().collect();
        let wanted = if reader % 3 == 0 { of_first.clone() } else { (from + 1..=newest).collect() };
        let missing: Vec<_> = wanted.difference(&heard).collect();
        assert_eq!(heard, wanted, "reader {reader} misses {missing:?}");
    }
}

/// Forgets the events below a position behind the store's back, as its retention does.
fn forget(desk: &Desk, below: i64) {
    let sql = format!("DELETE FROM events WHERE portal_id = {} AND position < {below}", desk.portal.id);
    let home = desk.server.home();
    match home.database() {
        Some(database) => drop(database.rows(&sql).unwrap()),
        None => {
            let file = rusqlite::Connection::open(home.data().join("antiphon.db")).unwrap();
            file.busy_timeout(Duration::from_secs(5)).unwrap();
            file.execute(&sql, []).unwrap();
        }
    }
}

#[tokio::test]
async fn whoever_was_away_too_long_is_told_to_begin_anew() {
    let desk = Desk::open().await;
    let thread = desk.chat("ines").await;
    let newest = desk.position().await;
    forget(&desk, newest - 1);
    for (after, lost) in [(1, true), (newest - 3, true), (newest - 2, false), (newest, false)] {
        let mut stream = desk.user.clone().with("last-event-id", &after.to_string()).listen(EVENTS).await;
        let page = page(&desk, &format!("after={after}")).await;
        if lost {
            let resync = stream.event().await.unwrap();
            let told = json!({ "kind": "resync", "resync": true, "position": newest, "oldest": newest - 1, "newest": newest });
            assert_eq!((&*resync.event, resync.id, &resync.data), ("resync", Some(newest), &told));
            let told = json!({ "results": [], "position": newest, "resync": true, "oldest": newest - 1, "newest": newest });
            assert_eq!(page, told);
        } else {
            assert_eq!(
                positions(&stream.events((newest - after) as usize).await).len() as i64,
                newest - after
            );
            assert!(page.get("resync").is_none());
        }
        assert!(stream.is_quiet(QUIET).await);
    }
    // Without a resume point one begins with what there is.
    assert_eq!(page(&desk, "limit=1").await["results"][0]["position"], newest - 1);
    // It is the same when nothing is kept at all.
    forget(&desk, newest + 1);
    let mut stream = desk.user.listen(&format!("{EVENTS}?after=1")).await;
    assert_eq!(stream.event().await.unwrap().data["oldest"], newest + 1);
    assert_eq!(page(&desk, "after=1").await["resync"], true);
    desk.send(&thread, desk.on_chat("Hi")).await;
    assert_eq!(stream.event().await.unwrap().id, Some(newest + 1), "and it goes on");
}

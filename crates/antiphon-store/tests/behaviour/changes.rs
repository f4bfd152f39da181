use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use antiphon_store::*;

use crate::kit::*;

#[tokio::test]
async fn what_a_rule_asks_for_is_done_and_told() {
    let kit = Kit::new().await;
    let thread = kit.thread(7).await;
    assert_eq!((thread.entries, thread.revision), (0, 1));
    let applied =
        kit.store.change(kit.portal, Target::Thread(thread.id), send("hello".into())).await.unwrap().unwrap();
    let told = &applied.changes.threads[0];
    assert_eq!((told.entries, told.revision, told.number), (1, 2, thread.number));
    assert_eq!(kit.read(thread.id).await, *told);
    assert_eq!(applied.state.thread, Some(thread));
}

#[tokio::test]
async fn a_refusal_changes_nothing() {
    let kit = Kit::new().await;
    let before = kit.store.status().changes;
    let refused = kit.store.change(kit.portal, Target::Directory, |_, moment| {
        moment.thread_id();
        Err::<Changes, _>(No)
    });
    assert_eq!(refused.await.unwrap().unwrap_err(), No);
    assert_eq!(kit.thread(1).await.id, ThreadId(1), "a refused rule's ids are given out again");
    assert!(kit.store.status().changes > before);
}

#[tokio::test]
async fn an_unknown_portal_is_told_apart() {
    let kit = Kit::new().await;
    let changed = apply(&kit.store, PortalId(77), Target::Directory, Changes::default()).await;
    assert!(matches!(changed, Err(StoreError::NoPortal)));
    assert!(matches!(kit.store.usage(PortalId(77)).await, Err(StoreError::NoPortal)));
    assert_eq!(kit.store.directory(PortalId(77)).await.unwrap(), None);
}

/// A change that writes something and then fails.
fn broken(state: &State, moment: &mut Moment) -> Result<Changes, No> {
    let thread = state.thread.as_ref().ok_or(No)?;
    let message = message(thread, moment, "never seen");
    Ok(Changes { messages: vec![message.clone(), message], ..Changes::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_change_stops_alone() {
    let kit = Kit::new().await;
    let thread = kit.thread(7).await;
    // All of them wait while the writer is busy, so that they share a batch.
    let busy = Busy::begin(&kit.store, kit.portal).await;
    let portal = kit.portal;
    let mut tasks = Vec::new();
    for n in 0..30 {
        let store = kit.store.clone();
        tasks.push(tokio::spawn(async move {
            let target = Target::Thread(thread.id);
            match n % 3 {
                0 => store.change(portal, target, send(n.to_string())).await.map(|done| done.is_ok()),
                1 => store.change(portal, target, broken).await.map(|done| done.is_ok()),
                _ => {
                    let panics =
                        |_: &State, _: &mut Moment| -> Result<Changes, No> { panic!("a bug in a rule") };
                    store.change(portal, target, panics).await.map(|done| done.is_ok())
                }
            }
        }));
    }
    queued(&kit.store, 30).await;
    busy.end().await;
    for (n, task) in tasks.into_iter().enumerate() {
        match (n % 3, task.await.unwrap()) {
            (0, Ok(true)) | (_, Err(StoreError::Conflict(_))) => {}
            (_, other) => panic!("change {n}: {other:?}"),
        }
    }
    let texts: BTreeSet<String> = kit.texts(thread.id, true, 100).await.into_iter().collect();
    assert_eq!(texts, (0..30).step_by(3).map(|n| n.to_string()).collect());
    assert_eq!(kit.read(thread.id).await.entries, 10);
    assert_eq!(kit.store.usage(kit.portal).await.unwrap().messages, 10);
}

#[tokio::test]
async fn a_change_writes_no_more_than_500_rows() {
    let kit = Kit::new().await;
    let add = |count: usize| {
        kit.store.change(kit.portal, Target::Directory, move |_, moment| {
            Ok::<_, No>(Changes {
                threads: (0..count).map(|_| blank(moment)).collect(),
                ..Changes::default()
            })
        })
    };
    assert!(matches!(add(501).await, Err(StoreError::Conflict(_))));
    add(500).await.unwrap().unwrap();
    assert_eq!(kit.store.usage(kit.portal).await.unwrap().threads, 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_and_a_late_change_are_busy() {
    let kit = Kit::with(|settings| {
        settings.queue = 3;
        settings.deadline = Duration::from_millis(50);
    })
    .await;
    let busy = Busy::begin(&kit.store, kit.portal).await;
    let portal = kit.portal;
    let late: Vec<_> = (0..2)
        .map(|_| {
            let store = kit.store.clone();
            tokio::spawn(async move { apply(&store, portal, Target::Directory, Changes::default()).await })
        })
        .collect();
    queued(&kit.store, 2).await;
    let refused = apply(&kit.store, kit.portal, Target::Directory, Changes::default()).await;
    assert!(matches!(refused, Err(StoreError::Busy)), "the queue is full");
    tokio::time::sleep(Duration::from_millis(80)).await;
    busy.end().await;
    for late in late {
        assert!(matches!(late.await.unwrap(), Err(StoreError::Busy)), "the deadline has passed");
    }
    apply(&kit.store, kit.portal, Target::Directory, Changes::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_on_one_thread_never_lose_each_other() {
    let kit = Kit::new().await;
    let thread = kit.thread(7).await;
    let tasks: Vec<_> = (0..20)
        .map(|writer| {
            let (store, portal) = (kit.store.clone(), kit.portal);
            tokio::spawn(async move {
                for n in 0..10 {
                    say(&store, portal, thread.id, &format!("{writer}/{n}")).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let texts = kit.texts(thread.id, true, 33).await;
    assert_eq!(texts.iter().collect::<BTreeSet<_>>().len(), 200);
    for writer in 0..20 {
        let own: Vec<&String> = texts.iter().filter(|text| text.starts_with(&format!("{writer}/"))).collect();
        assert!(own.iter().enumerate().all(|(n, text)| **text == format!("{writer}/{n}")), "{own:?}");
    }
    let read = kit.read(thread.id).await;
    assert_eq!((read.entries, read.revision), (200, 201));
    let usage = kit.store.usage(kit.portal).await.unwrap();
    let bytes: usize = texts.iter().map(String::len).sum();
    assert_eq!(usage, Usage { threads: 1, messages: 200, bytes: bytes as i64 });
    let kit = kit.reopen().await;
    assert_eq!(kit.store.usage(kit.portal).await.unwrap(), usage);
    assert_eq!(kit.read(thread.id).await, read);
}

/// Rewrites an entry by what it says already.
fn longer(word: &'static str) -> impl FnMut(&State, &mut Moment) -> Result<Changes, No> + Send + 'static {
    move |state, _| {
        let (thread, message) = (state.thread.as_ref().ok_or(No)?, state.message.as_ref().ok_or(No)?);
        let bytes = [message.document.bytes.as_slice(), word.as_bytes()].concat();
        let document = Document { bytes, ..message.document.clone() };
        let replaced = vec![Replacement { thread_id: thread.id, message_id: message.id, document }];
        Ok(Changes { replaced, ..Changes::default() })
    }
}

async fn text(store: &Store, portal: PortalId, thread: ThreadId, id: MessageId) -> String {
    let message = store.message_by_id(portal, thread, id).await.unwrap().unwrap();
    String::from_utf8(message.document.bytes).unwrap()
}

#[tokio::test]
async fn an_entry_is_shown_as_the_changes_before_it_in_its_batch_leave_it() {
    let kit = Kit::new().await;
    let thread = kit.thread(7).await.id;
    let id = kit.say(thread, "a").await;
    let busy = Busy::begin(&kit.store, kit.portal).await;
    let waiting = kit.store.status().queue_depth;
    let mut tasks = Vec::new();
    for (n, word) in ["b", "c", "d"].into_iter().enumerate() {
        let (store, portal) = (kit.store.clone(), kit.portal);
        tasks.push(tokio::spawn(async move {
            store.change(portal, Target::Message(thread, id), longer(word)).await.unwrap().unwrap();
        }));
        queued(&kit.store, waiting + 1 + n as u64).await;
    }
    busy.end().await;
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(text(&kit.store, kit.portal, thread, id).await, "abcd");
    // An entry is looked for in its own thread.
    let other = kit.thread(7).await.id;
    let refused = kit.store.change(kit.portal, Target::Message(other, id), longer("x")).await.unwrap();
    assert_eq!(refused.unwrap_err(), No);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_of_one_entry_never_lose_each_other() {
    const WORDS: [&str; 4] = ["a", "b", "c", "d"];
    let kit = Kit::new().await;
    let thread = kit.thread(7).await.id;
    let id = kit.say(thread, "-").await;
    // On PostgreSQL, half of them are on another node.
    let (elsewhere, dir) = (tempfile::tempdir().unwrap(), kit.database.as_ref());
    let other = dir.map(|database| open(settings(&elsewhere, &kit.clock, Some(database))));
    let tasks: Vec<_> = WORDS
        .into_iter()
        .enumerate()
        .map(|(n, word)| {
            let store = other.clone().filter(|_| n % 2 == 1).unwrap_or_else(|| kit.store.clone());
            let portal = kit.portal;
            tokio::spawn(async move {
                for _ in 0..25 {
                    store.change(portal, Target::Message(thread, id), longer(word)).await.unwrap().unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let text = text(&kit.store, kit.portal, thread, id).await;
    for word in WORDS {
        assert_eq!(text.matches(word).count(), 25, "{text}");
    }
    assert_eq!(kit.store.usage(kit.portal).await.unwrap().bytes, text.len() as i64);
    if let Some(other) = other {
        other.close().await;
    }
}

#[tokio::test]
async fn time_never_goes_back() {
    let kit = Kit::new().await;
    let now = async |kit: &Kit| {
        let seen = kit.store.change(kit.portal, Target::Directory, |_, moment| {
            Ok::<_, No>(Changes { threads: vec![blank(moment)], ..Changes::default() })
        });
        seen.await.unwrap().unwrap().changes.threads[0].created_at
    };
    assert_eq!(now(&kit).await, NOON);
    kit.clock.store(NOON + 500, Ordering::Relaxed);
    assert_eq!(now(&kit).await, NOON + 500);
    kit.clock.store(NOON - 500, Ordering::Relaxed);
    assert_eq!(now(&kit).await, NOON + 500);
    assert_eq!(kit.store.now(), NOON + 500);
    let kit = kit.reopen().await;
    assert_eq!(now(&kit).await, NOON + 500);
}

#[tokio::test]
async fn a_closed_store_refuses() {
    let kit = Kit::new().await;
    let thread = kit.thread(7).await;
    kit.store.close().await;
    kit.store.close().await;
    let changed = say(&kit.store, kit.portal, thread.id, "late").await;
    assert!(matches!(changed, Err(StoreError::Unavailable(_))));
    assert!(matches!(kit.store.thread_by_id(kit.portal, thread.id).await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn counted_ids_repeat_from_run_to_run() {
    let ids = async || {
        let kit = Kit::with(|settings| settings.counted_ids = true).await;
        let thread = kit.thread(7).await;
        [kit.say(thread.id, "one").await, kit.say(thread.id, "two").await]
    };
    let (one, two) = (ids().await, ids().await);
    assert_eq!(one, two);
    assert!(one[0] < one[1]);
}

#[tokio::test]
async fn several_threads_are_shown_in_order() {
    let kit = Kit::new().await;
    let ids = [kit.thread(1).await.id, kit.thread(2).await.id, kit.thread(3).await.id];
    let shown =
        kit.store.change(kit.portal, Target::Threads(vec![ids[2], ThreadId(404), ids[0], ids[2]]), |_, _| {
            Ok::<_, No>(Changes::default())
        });
    let shown: Vec<ThreadId> =
        shown.await.unwrap().unwrap().state.threads.iter().map(|thread| thread.id).collect();
    assert_eq!(shown, [ids[0], ids[2]]);
}

#[tokio::test]
async fn no_rule_is_judged_by_an_id_that_is_none() {
    let kit = Kit::new().await;
    let thread = kit.thread(1).await.id;
    let careful = |_: &State, moment: &mut Moment| {
        let ids = [moment.visitor_id().0, moment.ticket_id().0, moment.thread_id().0];
        if ids.contains(&0) { Err(No) } else { Ok(Changes::default()) }
    };
    for target in [Target::Thread(thread), Target::Directory] {
        let done = kit.store.change(kit.portal, target, careful).await.unwrap();
        assert!(done.is_ok(), "it was shown an id that nothing can have");
    }
}

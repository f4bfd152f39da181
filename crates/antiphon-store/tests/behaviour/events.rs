use std::collections::HashMap;
use std::time::Duration;

use antiphon_store::*;

use crate::kit::*;

#[tokio::test(flavor = "multi_thread")]
async fn positions_are_dense_and_keep_each_threads_order() {
    let kit = Kit::new().await;
    let other = portal(&kit.store, "Second").await;
    let mut tasks = Vec::new();
    for portal in [kit.portal, other] {
        for _ in 0..8 {
            let store = kit.store.clone();
            let one = thread(&store, portal, |_| {}).await;
            tasks.push(tokio::spawn(async move {
                for n in 0..25 {
                    say(&store, portal, one.id, &n.to_string()).await.unwrap();
                }
            }));
        }
    }
    // A reader on the way must never see a gap, not even for a moment.
    let (store, first) = (kit.store.clone(), kit.portal);
    let reader = tokio::spawn(async move {
        let mut position = 0;
        while position < 202 {
            for event in store.events_after(first, position, 7).await.unwrap() {
                assert_eq!(event.position, position + 1);
                position = event.position;
            }
            tokio::task::yield_now().await;
        }
    });
    for task in tasks {
        task.await.unwrap();
    }
    reader.await.unwrap();
    for portal in [kit.portal, other] {
        let events = kit.store.events_after(portal, 0, 10_000).await.unwrap();
        assert_eq!(kit.store.event_position(portal).await.unwrap(), events.len() as i64);
        let mut revisions: HashMap<i64, i64> = HashMap::new();
        for (event, position) in events.iter().zip(1..) {
            assert_eq!(event.position, position);
            if event.kind == EventKind::MessageAdded {
                let before = revisions.insert(event.object_id, event.revision).unwrap_or(1);
                assert_eq!(event.revision, before + 1);
            }
        }
        assert_eq!(revisions.len(), 8);
    }
    assert_eq!(kit.store.status().events, 404);
}

#[tokio::test]
async fn an_event_comes_back_as_it_was_told() {
    let kit = Kit::new().await;
    let position = kit.store.event_position(kit.portal).await.unwrap();
    let event = |kind, object, object_id| NewEvent {
        kind,
        object,
        object_id,
        occurred_at: NOON + 5,
        payload: "{\"property\":\"status\"}".into(),
    };
    let ticket = Ticket { id: TicketId(9), subject: "Broken".into(), created_at: NOON };
    let changes = Changes {
        tickets: vec![ticket.clone()],
        events: vec![
            event(EventKind::TicketChanged, ObjectKind::Ticket, 9),
            event(EventKind::VisitorChanged, ObjectKind::Visitor, 404),
        ],
        ..Changes::default()
    };
    kit.apply(Target::Directory, changes.clone()).await;
    kit.apply(Target::Directory, changes).await;
    assert_eq!(kit.store.event_position(kit.portal).await.unwrap(), position + 4);
    let events = kit.store.events_after(kit.portal, position, 10).await.unwrap();
    let revisions: Vec<i64> = events.iter().map(|event| event.revision).collect();
    assert_eq!(revisions, [1, 0, 2, 0]);
    assert_eq!(events[0].kind, EventKind::TicketChanged);
    assert_eq!((events[0].object, events[0].object_id), (ObjectKind::Ticket, 9));
    assert_eq!((events[0].occurred_at, events[0].payload.as_str()), (NOON + 5, "{\"property\":\"status\"}"));
    assert_eq!(kit.store.events_after(kit.portal, position + 4, 10).await.unwrap(), []);
    let kit = kit.reopen().await;
    assert_eq!(kit.store.events_after(kit.portal, position, 10).await.unwrap(), events);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_is_woken_by_the_next_event_of_its_portal() {
    let kit = Kit::new().await;
    let other = portal(&kit.store, "Second").await;
    let thread = kit.thread(1).await;
    // What is there already is not waited for.
    kit.store.events_wait(kit.portal, 0).await.unwrap();
    let position = kit.store.event_position(kit.portal).await.unwrap();
    let wait = |portal| {
        let store = kit.store.clone();
        tokio::spawn(async move { store.events_wait(portal, position).await })
    };
    let (waiting, elsewhere) = (wait(kit.portal), wait(other));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    kit.say(thread.id, "Hello").await;
    tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap().unwrap();
    assert!(!elsewhere.is_finished());
    assert_eq!(kit.store.events_after(kit.portal, position, 10).await.unwrap().len(), 1);
    kit.store.close().await;
    let sent_away = tokio::time::timeout(Duration::from_secs(5), elsewhere).await.unwrap().unwrap();
    assert!(matches!(sent_away, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn one_holds_a_lease_at_a_time() {
    let kit = Kit::new().await;
    let lease = kit.store.lease("purge").await.unwrap().unwrap();
    assert!(kit.store.lease("purge").await.unwrap().is_none());
    assert!(lease.held());
    lease.release().await;
    let lease = kit.store.lease("purge").await.unwrap().unwrap();
    kit.store.close().await;
    lease.lost().await;
    assert!(!lease.held());
}

/// Events that happened a millisecond after one another, the first at noon; the position before the first.
async fn happened(kit: &Kit, count: i64) -> i64 {
    let before = kit.store.event_position(kit.portal).await.unwrap();
    for from in (0..count).step_by(400) {
        let event = |n| NewEvent {
            kind: EventKind::VisitorChanged,
            object: ObjectKind::Visitor,
            object_id: 404,
            occurred_at: NOON + n,
            payload: String::new(),
        };
        let events = (from..count.min(from + 400)).map(event).collect();
        kit.apply(Target::Directory, Changes { events, ..Changes::default() }).await;
    }
    // Where they are numbered later, it is done by now.
    assert_eq!(kit.store.event_position(kit.portal).await.unwrap(), before + count);
    before
}

async fn oldest(kit: &Kit) -> i64 {
    kit.store.events_after(kit.portal, 0, 1).await.unwrap()[0].position
}

#[tokio::test]
async fn what_everybody_has_read_is_forgotten_a_little_at_a_time_and_never_the_newest() {
    let kit = Kit::new().await;
    let other = portal(&kit.store, "Second").await;
    let before = happened(&kit, 1_200).await;
    let purge = |at| kit.store.events_purge(kit.portal, at, i64::MIN);
    assert_eq!(purge(NOON - 1).await.unwrap(), 0);
    assert_eq!(purge(NOON + 700).await.unwrap(), 500);
    assert_eq!(purge(NOON + 700).await.unwrap(), 200 + before as u64);
    assert_eq!(purge(NOON + 700).await.unwrap(), 0);
    assert_eq!(oldest(&kit).await, before + 701);
    // Whoever stands before what is gone goes on with what is left.
    let events = kit.store.events_after(kit.portal, 3, 2).await.unwrap();
    assert_eq!(events.iter().map(|event| event.position).collect::<Vec<_>>(), [before + 701, before + 702]);
    assert_eq!(purge(i64::MAX).await.unwrap(), 499);
    assert_eq!(purge(i64::MAX).await.unwrap(), 0);
    assert_eq!(kit.store.check(true, |_| true, |_, _| {}).await.unwrap(), []);
    assert_eq!(kit.store.events_after(other, 0, 9).await.unwrap()[0].position, 1);
    let kit = kit.reopen().await;
    assert_eq!(oldest(&kit).await, before + 1_200);
    assert_eq!(happened(&kit, 1).await, before + 1_200);
    let next = kit.store.events_after(kit.portal, before + 1_200, 9).await.unwrap();
    assert_eq!(next[0].position, before + 1_201);
    assert_eq!(kit.store.check(true, |_| true, |_, _| {}).await.unwrap(), []);
}

#[tokio::test]
async fn what_somebody_has_not_read_is_kept_for_longer() {
    let kit = Kit::new().await;
    let app = AppId(7);
    let told = crate::cursors::told();
    kit.apply(Target::Directory, Changes { directory: told, ..Changes::default() }).await;
    let before = happened(&kit, 100).await;
    let purge = |at, most| kit.store.events_purge(kit.portal, at, most);
    let cursor = kit.store.cursor_take(kit.portal, Reader::Webhooks, app).await.unwrap().unwrap();
    assert_eq!(purge(i64::MAX, i64::MIN).await.unwrap(), cursor.position as u64);
    assert_eq!(purge(i64::MAX, i64::MIN).await.unwrap(), 0);
    let read = Progress {
        epoch: cursor.epoch,
        position: before + 40,
        next_entry: cursor.next_entry,
        ..Progress::default()
    };
    assert!(kit.store.progress(kit.portal, app, read).await.unwrap());
    assert_eq!(purge(NOON + 30, i64::MIN).await.unwrap(), (before - cursor.position) as u64 + 30);
    assert_eq!(purge(i64::MAX, i64::MIN).await.unwrap(), 10);
    assert_eq!(oldest(&kit).await, before + 41);
    assert_eq!(purge(i64::MAX, NOON + 60).await.unwrap(), 20);
    assert_eq!(purge(i64::MAX, NOON + 60).await.unwrap(), 0);
    assert_eq!(oldest(&kit).await, before + 61);
}

#[tokio::test]
async fn what_is_tried_again_is_kept_for_longer() {
    let kit = Kit::new().await;
    let app = AppId(7);
    kit.apply(Target::Directory, Changes { directory: crate::cursors::told(), ..Changes::default() }).await;
    let before = happened(&kit, 100).await;
    let cursor = kit.store.cursor_take(kit.portal, Reader::Webhooks, app).await.unwrap().unwrap();
    let failed = |position, due_at| Delivery {
        position,
        subscription_id: SubscriptionId(1),
        object_id: 404,
        attempts: 1,
        first_at: NOON,
        last_at: NOON,
        due_at,
        loose: false,
        error: String::new(),
    };
    let read = Progress {
        epoch: cursor.epoch,
        position: before + 90,
        next_entry: cursor.next_entry,
        failed: vec![
            failed(before + 20, None),
            failed(before + 50, Some(NOON)),
            failed(before + 70, Some(NOON)),
        ],
        ..Progress::default()
    };
    assert!(kit.store.progress(kit.portal, app, read).await.unwrap());
    let purge = |at, most| kit.store.events_purge(kit.portal, at, most);
    assert_eq!(purge(i64::MAX, i64::MIN).await.unwrap(), before as u64 + 49);
    assert_eq!(oldest(&kit).await, before + 50);
    assert_eq!(purge(i64::MAX, NOON + 60).await.unwrap(), 11);
}

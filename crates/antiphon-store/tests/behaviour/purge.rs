use antiphon_store::*;

use crate::kit::*;

async fn archive(kit: &Kit, id: ThreadId, at: Millis) {
    let thread = Thread { archived_at: Some(at), ..kit.read(id).await };
    kit.apply(Target::Thread(id), Changes { threads: vec![thread], ..Changes::default() }).await;
}

#[tokio::test]
async fn what_is_purged_is_gone_at_once_and_erased_in_steps() {
    let kit = Kit::new().await;
    let (gone, kept) = (kit.thread(7).await, kit.thread(7).await);
    let mut last = None;
    for n in 0..260 {
        last = Some(kit.say(gone.id, &format!("{n:03}")).await);
    }
    let message_id = last.unwrap();
    kit.say(kept.id, "kept").await;
    let earlier = Earlier { thread_id: gone.id, message_id };
    let keys = Changes {
        thread_keys: vec![(ACCOUNT, "key".into(), gone.id)],
        idempotency_keys: vec![(ACCOUNT, "once".into(), earlier)],
        ..Changes::default()
    };
    kit.apply(Target::Thread(gone.id), keys).await;
    archive(&kit, gone.id, NOON).await;
    assert_eq!(kit.store.usage(kit.portal).await.unwrap(), Usage { threads: 2, messages: 261, bytes: 784 });

    let event = NewEvent {
        kind: EventKind::ThreadPurged,
        object: ObjectKind::Thread,
        object_id: gone.id.0,
        occurred_at: NOON,
        payload: String::new(),
    };
    let revision = kit.read(gone.id).await.revision;
    let purge = Changes { purged: vec![gone.id], events: vec![event], ..Changes::default() };
    kit.apply(Target::Thread(gone.id), purge.clone()).await;
    let position = kit.store.event_position(kit.portal).await.unwrap();
    let events = kit.store.events_after(kit.portal, position - 1, 1).await.unwrap();
    assert_eq!(events[0].revision, revision + 1);

    assert!(kit.store.thread_by_id(kit.portal, gone.id).await.unwrap().is_none());
    for archived in [true, false] {
        let query = HistoryQuery { archived, ascending: true, after: None, limit: 10 };
        assert_eq!(kit.store.history(kit.portal, gone.id, &query, &mut |_| {}).await.unwrap(), None);
    }
    assert_eq!(kit.store.message_by_id(kit.portal, gone.id, message_id).await.unwrap(), None);
    assert_eq!(kit.store.original_by_id(kit.portal, gone.id, message_id).await.unwrap(), None);
    let key = ConversationKey {
        account_id: Some(ACCOUNT),
        in_reply_to: Some(message_id),
        thread_key: Some("key".into()),
        idempotency_key: Some("once".into()),
        ..ConversationKey::default()
    };
    let look = async |kit: &Kit| {
        let target = Target::Conversation(key.clone());
        let seen = kit.store.change(kit.portal, target, |_, _| Ok::<_, No>(Changes::default()));
        let state = seen.await.unwrap().unwrap().state;
        assert_eq!((state.thread, state.earlier, state.replied), (None, None, None));
    };
    look(&kit).await;

    // Erasing goes on after a restart where it stopped, in its own portal.
    let other = portal(&kit.store, "Other").await;
    assert!(!kit.store.purge_step(other).await.unwrap());
    assert!(kit.store.purge_step(kit.portal).await.unwrap());
    let kit = kit.reopen().await;
    let mut steps = 1;
    while kit.store.purge_step(kit.portal).await.unwrap() {
        steps += 1;
    }
    assert!(steps >= 3, "a step erases a few rows only");
    look(&kit).await;
    assert_eq!(kit.store.usage(kit.portal).await.unwrap(), Usage { threads: 1, messages: 1, bytes: 4 });
    assert_eq!(kit.texts(kept.id, true, 10).await, ["kept"]);
    assert_eq!(kit.thread(7).await.id, ThreadId(3), "an id is never used again");
    kit.apply(Target::Thread(gone.id), purge).await;
}

#[tokio::test]
async fn the_trash_is_due_by_age() {
    let kit = Kit::new().await;
    let ids = [kit.thread(1).await.id, kit.thread(2).await.id, kit.thread(3).await.id];
    archive(&kit, ids[1], NOON).await;
    archive(&kit, ids[0], NOON + 10).await;
    let due = async |before, limit| kit.store.purge_due(kit.portal, before, limit).await.unwrap();
    assert_eq!(due(NOON, 10).await, []);
    let other = portal(&kit.store, "Other").await;
    assert_eq!(kit.store.purge_due(other, NOON + 11, 10).await.unwrap(), []);
    assert_eq!(due(NOON + 1, 10).await, [ids[1]]);
    assert_eq!(due(NOON + 11, 10).await, [ids[1], ids[0]]);
    assert_eq!(due(NOON + 11, 1).await, [ids[1]]);
    let restored = Thread { archived_at: None, ..kit.read(ids[1]).await };
    kit.apply(Target::Thread(ids[1]), Changes { threads: vec![restored], ..Changes::default() }).await;
    assert_eq!(due(NOON + 11, 10).await, [ids[0]]);
}

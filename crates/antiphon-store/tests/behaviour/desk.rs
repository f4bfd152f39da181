//! What people lay beside threads.

use antiphon_store::*;

use crate::kit::*;

fn key(thread: ThreadId, who: &str, message: Option<MessageId>) -> Target {
    Target::Desk(Box::new(DeskKey { thread, who: who.into(), message }))
}

/// The rule of reading, as short as it can be.
async fn read(kit: &Kit, thread: ThreadId, reader: &'static str, message: MessageId) {
    let done = kit.store.change(kit.portal, key(thread, reader, Some(message)), move |state, moment| {
        let (position, found) = state.desk.as_ref().ok_or(No)?.message.clone().ok_or(No)?;
        let mark = ReadMark {
            thread_id: thread,
            reader: reader.into(),
            message_id: found.id,
            position,
            at: moment.now,
        };
        Ok::<_, No>(Changes { desk: vec![DeskChange::Read(mark)], ..Changes::default() })
    });
    done.await.unwrap().unwrap();
}

/// What a rule is shown.
async fn shown(kit: &Kit, target: Target) -> Option<Desk> {
    let seen = kit.store.change(kit.portal, target, |_, _| Ok::<_, No>(Changes::default()));
    seen.await.unwrap().unwrap().state.desk.map(|desk| *desk)
}

async fn marks(kit: &Kit, thread: ThreadId) -> Vec<(String, i64)> {
    let marks = kit.store.reads_on(kit.portal, thread, 100).await.unwrap();
    marks.into_iter().map(|mark| (mark.reader, mark.position.0)).collect()
}

#[tokio::test]
async fn how_far_somebody_has_read_only_grows() {
    let kit = Kit::new().await;
    let (one, two) = (kit.thread(1).await.id, kit.thread(1).await.id);
    let mut said = Vec::new();
    for n in 0..3 {
        said.push(kit.say(one, &format!("{n}")).await);
    }
    let other = kit.say(two, "other").await;
    read(&kit, one, "A-1", said[1]).await;
    read(&kit, one, "V-1", said[2]).await;
    read(&kit, one, "A-1", said[0]).await;
    read(&kit, two, "A-1", other).await;
    assert_eq!(marks(&kit, one).await, [("A-1".to_owned(), 1), ("V-1".to_owned(), 2)]);
    let mine = kit.store.reads_of(kit.portal, "A-1", &[one, two, ThreadId(99)]).await.unwrap();
    let mut mine: Vec<_> = mine.into_iter().map(|mark| (mark.thread_id, mark.message_id)).collect();
    mine.sort_unstable_by_key(|(thread, _)| thread.0);
    assert_eq!(mine, [(one, said[1]), (two, other)]);
    assert_eq!(kit.store.reads_on(kit.portal, one, 1).await.unwrap().len(), 1);
    // Another portal's thread of that number has been read by nobody.
    let second = portal(&kit.store, "Second").await;
    assert!(kit.store.reads_on(second, one, 100).await.unwrap().is_empty());
    assert!(kit.store.reads_of(second, "A-1", &[one]).await.unwrap().is_empty());
    let kit = kit.reopen().await;
    assert_eq!(marks(&kit, one).await.len(), 2);
}

#[tokio::test]
async fn a_rule_sees_the_entry_that_is_named_and_what_is_read() {
    let kit = Kit::new().await;
    let (one, two) = (kit.thread(1).await.id, kit.thread(1).await.id);
    let (first, second) = (kit.say(one, "first").await, kit.say(one, "second").await);
    let desk = shown(&kit, key(one, "A-1", Some(second))).await.unwrap();
    let (position, message) = desk.message.unwrap();
    assert_eq!((position, message.id, &*message.document.bytes), (Position(1), second, &b"second"[..]));
    assert_eq!(desk.read, None);
    read(&kit, one, "A-1", first).await;
    let desk = shown(&kit, key(one, "A-1", None)).await.unwrap();
    assert_eq!(desk.message, None);
    assert_eq!(desk.read.map(|mark| (mark.position, mark.at)), Some((Position(0), NOON)));
    // An entry of another thread is none of this one.
    let desk = shown(&kit, key(two, "A-1", Some(first))).await.unwrap();
    assert_eq!((desk.message, desk.read), (None, None));
    assert_eq!(shown(&kit, key(ThreadId(99), "A-1", Some(first))).await, None);
}

#[tokio::test]
async fn an_entry_of_the_same_batch_is_seen() {
    let kit = Kit::new().await;
    let thread = kit.thread(1).await.id;
    kit.say(thread, "before").await;
    let id = MessageId([5; 16]);
    let busy = Busy::begin(&kit.store, kit.portal).await;
    let waiting = kit.store.status().queue_depth;
    let (store, portal) = (kit.store.clone(), kit.portal);
    let said = tokio::spawn(async move {
        let rule = move |state: &State, moment: &mut Moment| {
            let mut changes = send("meanwhile".into())(state, moment)?;
            changes.messages[0].id = id;
            Ok::<_, No>(changes)
        };
        store.change(portal, Target::Thread(thread), rule).await.unwrap().unwrap();
    });
    queued(&kit.store, waiting + 1).await;
    let (store, target) = (kit.store.clone(), key(thread, "A-1", Some(id)));
    let seen = tokio::spawn(async move {
        let seen = store.change(portal, target, |_, _| Ok::<_, No>(Changes::default()));
        seen.await.unwrap().unwrap().state.desk.unwrap()
    });
    queued(&kit.store, waiting + 2).await;
    busy.end().await;
    said.await.unwrap();
    let (position, message) = seen.await.unwrap().message.unwrap();
    assert_eq!((position, message.id, &*message.document.bytes), (Position(1), id, &b"meanwhile"[..]));
}

#[tokio::test]
async fn what_lies_beside_a_thread_goes_with_it() {
    let kit = Kit::new().await;
    let (gone, kept) = (kit.thread(1).await.id, kit.thread(1).await.id);
    for thread in [gone, kept] {
        let said = kit.say(thread, "hello").await;
        read(&kit, thread, "A-1", said).await;
        read(&kit, thread, "V-1", said).await;
    }
    kit.apply(Target::Thread(gone), Changes { purged: vec![gone], ..Changes::default() }).await;
    while kit.store.purge_step(kit.portal).await.unwrap() {}
    assert!(marks(&kit, gone).await.is_empty());
    assert_eq!(marks(&kit, kept).await.len(), 2);
    // Nothing is laid beside a thread that is gone.
    let mark = ReadMark {
        thread_id: gone,
        reader: "A-1".into(),
        message_id: MessageId([1; 16]),
        position: Position(0),
        at: NOON,
    };
    let desk = vec![DeskChange::Read(mark)];
    let refused =
        apply(&kit.store, kit.portal, Target::Directory, Changes { desk, ..Changes::default() }).await;
    assert!(refused.is_err());
    assert!(marks(&kit, gone).await.is_empty());
}

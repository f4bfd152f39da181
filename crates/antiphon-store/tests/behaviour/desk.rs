//! What people lay beside threads.

use antiphon_store::*;

use crate::kit::*;

fn key(thread: ThreadId, who: &str, message: Option<MessageId>) -> Target {
    Target::Desk(Box::new(DeskKey { message, ..DeskKey::of(thread, who) }))
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

fn draft(thread: ThreadId, agent: i64, at: Millis) -> DeskChange {
    DeskChange::Draft(StoredDraft {
        thread_id: thread,
        agent_id: agent,
        kind: MessageKind::Message,
        preview: format!("{agent} at {at}"),
        body: format!("{{\"agent\":{agent}}}"),
        touched_at: at,
    })
}

async fn lay(kit: &Kit, thread: ThreadId, desk: Vec<DeskChange>) {
    kit.apply(Target::Thread(thread), Changes { desk, ..Changes::default() }).await;
}

#[tokio::test]
async fn an_agent_has_one_draft_in_a_thread() {
    let kit = Kit::new().await;
    let (one, two) = (kit.thread(1).await.id, kit.thread(1).await.id);
    lay(&kit, one, vec![draft(one, 1, 5), draft(one, 2, 6)]).await;
    lay(&kit, one, vec![draft(one, 1, 7)]).await;
    lay(&kit, two, vec![draft(two, 1, 9)]).await;
    let found = kit.store.draft(kit.portal, one, 1).await.unwrap().unwrap();
    assert_eq!((&*found.preview, &*found.body, found.touched_at), ("1 at 7", "{\"agent\":1}", 7));
    let mine = kit.store.drafts(kit.portal, 1, 10).await.unwrap();
    let mine: Vec<_> = mine.iter().map(|draft| (draft.thread_id, &*draft.body)).collect();
    assert_eq!(mine, [(two, ""), (one, "")]);
    assert_eq!(kit.store.drafts(kit.portal, 1, 1).await.unwrap().len(), 1);
    // A rule sees who is writing, and how much the writer has begun elsewhere.
    let asked = DeskKey { writer: Some(1), ..DeskKey::of(one, "A-1") };
    let desk = shown(&kit, Target::Desk(Box::new(asked))).await.unwrap();
    let writing: Vec<_> = desk.writing.iter().map(|one| (one.agent_id, one.touched_at)).collect();
    assert_eq!((writing, desk.drafts), (vec![(1, 7), (2, 6)], 1));
    lay(&kit, one, vec![DeskChange::DraftGone(one, 1), DeskChange::DraftGone(one, 3)]).await;
    assert_eq!(kit.store.draft(kit.portal, one, 1).await.unwrap(), None);
    assert!(kit.store.draft(kit.portal, one, 2).await.unwrap().is_some());
    let second = portal(&kit.store, "Second").await;
    assert_eq!(kit.store.draft(second, one, 2).await.unwrap(), None);
    assert!(kit.store.drafts(second, 1, 10).await.unwrap().is_empty());
    kit.apply(Target::Thread(one), Changes { purged: vec![one], ..Changes::default() }).await;
    while kit.store.purge_step(kit.portal).await.unwrap() {}
    assert_eq!(kit.store.draft(kit.portal, one, 2).await.unwrap(), None);
    assert!(kit.store.draft(kit.portal, two, 1).await.unwrap().is_some());
}

#[tokio::test]
async fn what_is_behind_an_entry_is_seen_newest_first() {
    let kit = Kit::new().await;
    let thread = kit.thread(1).await.id;
    let mut said = Vec::new();
    for n in 0..5 {
        said.push(kit.say(thread, &format!("{n}")).await);
    }
    let behind = async |message, newer| {
        let asked = DeskKey { message, newer, ..DeskKey::of(thread, "A-1") };
        let desk = shown(&kit, Target::Desk(Box::new(asked))).await.unwrap();
        (desk.newer.iter().map(|message| message.id).collect::<Vec<_>>(), desk.more)
    };
    assert_eq!(behind(Some(said[2]), true).await, (vec![said[4], said[3]], false));
    assert_eq!(behind(Some(said[4]), true).await, (Vec::new(), false));
    assert_eq!(behind(None, true).await.0.len(), 5);
    assert_eq!(behind(None, false).await, (Vec::new(), false));
    for n in 5..60 {
        said.push(kit.say(thread, &format!("{n}")).await);
    }
    let (newer, more) = behind(Some(said[0]), true).await;
    assert_eq!((newer.len(), newer[0], more), (50, said[59], true));
}

#[tokio::test]
async fn a_key_against_doubles_is_seen_at_a_desk() {
    let kit = Kit::new().await;
    let thread = kit.thread(1).await.id;
    let message_id = kit.say(thread, "once").await;
    let asked = || Target::Desk(Box::new(DeskKey { once: Some("o".into()), ..DeskKey::of(thread, "A-1") }));
    assert_eq!(shown(&kit, asked()).await.unwrap().earlier, None);
    let earlier = Earlier { thread_id: thread, message_id };
    let idempotency_keys = vec![(AccountId(0), "o".to_owned(), earlier.clone())];
    kit.apply(Target::Thread(thread), Changes { idempotency_keys, ..Changes::default() }).await;
    assert_eq!(shown(&kit, asked()).await.unwrap().earlier, Some(earlier.clone()));
    let kit = kit.reopen().await;
    assert_eq!(shown(&kit, asked()).await.unwrap().earlier, Some(earlier));
}

#[tokio::test]
async fn whoever_is_called_has_seen_it_once_they_read_as_far() {
    let kit = Kit::new().await;
    let (one, two) = (kit.thread(1).await.id, kit.thread(1).await.id);
    let mut notes = Vec::new();
    for thread in [one, one, two] {
        let position = Position(kit.read(thread).await.entries);
        let message_id = kit.say(thread, "note").await;
        let called = |agent| {
            let caller = "A-9".to_owned();
            let seen = false;
            Calling { agent_id: agent, thread_id: thread, message_id, position, caller, at: NOON, seen }
        };
        lay(&kit, thread, vec![DeskChange::Called(called(1)), DeskChange::Called(called(2))]).await;
        notes.push(message_id);
        kit.clock.fetch_add(5, std::sync::atomic::Ordering::Relaxed);
    }
    let unseen = async |agent| kit.store.callings_unseen(kit.portal, agent).await.unwrap();
    assert_eq!((unseen(1).await, unseen(2).await, unseen(3).await), (3, 3, 0));
    let page = async |after, limit| {
        let page = kit.store.callings(kit.portal, 1, after, limit).await.unwrap();
        page.iter().map(|one| (one.message_id, one.thread_id, one.seen)).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 2).await, [(notes[2], two, false), (notes[1], one, false)]);
    assert_eq!(page(Some(notes[1]), 2).await, [(notes[0], one, false)]);
    read(&kit, one, "A-1", notes[0]).await;
    read(&kit, one, "V-1", notes[1]).await;
    assert_eq!(page(None, 9).await.iter().map(|one| one.2).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!((unseen(1).await, unseen(2).await), (2, 3));
    read(&kit, one, "A-1", notes[1]).await;
    assert_eq!((unseen(1).await, unseen(2).await), (1, 3));
    kit.apply(Target::Thread(two), Changes { purged: vec![two], ..Changes::default() }).await;
    while kit.store.purge_step(kit.portal).await.unwrap() {}
    assert_eq!((unseen(1).await, unseen(2).await), (0, 2));
    let second = portal(&kit.store, "Second").await;
    assert_eq!(kit.store.callings_unseen(second, 2).await.unwrap(), 0);
    assert!(kit.store.callings(second, 2, None, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn ready_made_words_are_everybodys_or_somebodys() {
    let kit = Kit::new().await;
    let words = |id, owner_id, shared| CannedReply {
        id,
        owner_id,
        shared,
        name: format!("Words {id}"),
        shortcut: Some("hi".into()),
        text: "Hello".into(),
        rich_text: "<p>Hello</p>".into(),
        created_at: NOON,
        updated_at: NOON,
    };
    let put = async |portal, words: CannedReply| {
        let target = Target::Canned(Box::new(CannedKey { id: Some(words.id), shortcut: None }));
        let changes = Changes { canned: vec![CannedChange::Put(words)], ..Changes::default() };
        apply(&kit.store, portal, target, changes).await.unwrap();
    };
    for one in
        [words(1, Some(1), false), words(2, Some(2), false), words(3, Some(2), true), words(4, None, true)]
    {
        put(kit.portal, one).await;
    }
    let ids = async |agent, after, limit| {
        let page = kit.store.canned_replies(kit.portal, agent, after, limit).await.unwrap();
        page.iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(Some(1), 0, 9).await, [1, 3, 4]);
    assert_eq!(ids(Some(2), 0, 2).await, [2, 3]);
    assert_eq!(ids(Some(2), 3, 9).await, [4]);
    assert_eq!(ids(None, 0, 9).await, [3, 4]);
    let key = CannedKey { id: Some(2), shortcut: Some("hi".into()) };
    let seen =
        kit.store.change(kit.portal, Target::Canned(Box::new(key)), |_, _| Ok::<_, No>(Changes::default()));
    let state = seen.await.unwrap().unwrap().state.canned.unwrap();
    assert_eq!((state.reply, state.count), (Some(words(2, Some(2), false)), 4));
    let mut same: Vec<_> = state.same.iter().map(|one| (one.id, one.owner_id, one.shared)).collect();
    same.sort_unstable();
    assert_eq!(same, [(1, Some(1), false), (2, Some(2), false), (3, Some(2), true), (4, None, true)]);
    put(kit.portal, CannedReply { text: "Other".into(), shortcut: None, ..words(4, None, true) }).await;
    let other = kit.store.canned_reply(kit.portal, 4).await.unwrap().unwrap();
    assert_eq!((&*other.text, other.shortcut), ("Other", None));
    let gone = Changes { canned: vec![CannedChange::Gone(3)], ..Changes::default() };
    kit.apply(Target::Canned(Box::default()), gone).await;
    assert_eq!(ids(Some(1), 0, 9).await, [1, 4]);
    let second = portal(&kit.store, "Second").await;
    assert!(kit.store.canned_replies(second, Some(1), 0, 9).await.unwrap().is_empty());
    assert_eq!(kit.store.canned_reply(second, 1).await.unwrap(), None);
    put(second, words(1, None, true)).await;
    assert_eq!(kit.store.canned_replies(second, None, 0, 9).await.unwrap().len(), 1);
    assert_eq!(kit.store.canned_reply(kit.portal, 1).await.unwrap().unwrap().owner_id, Some(1));
}

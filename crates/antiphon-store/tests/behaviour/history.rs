use antiphon_store::*;

use crate::kit::*;

#[tokio::test]
async fn both_directions_read_everything_once() {
    let kit = Kit::new().await;
    let thread = kit.thread(7).await;
    let mut texts = Vec::new();
    for n in 0..23 {
        texts.push(format!("message {n}"));
        kit.say(thread.id, &texts[n]).await;
    }
    for limit in [1, 2, 5, 22, 23, 24, 500] {
        assert_eq!(kit.texts(thread.id, true, limit).await, texts);
        let mut newest_first = kit.texts(thread.id, false, limit).await;
        newest_first.reverse();
        assert_eq!(newest_first, texts);
    }
    let kit = kit.reopen().await;
    assert_eq!(kit.texts(thread.id, true, 5).await, texts);
}

#[tokio::test]
async fn a_walk_from_the_newest_ignores_what_arrives_later() {
    let kit = Kit::new().await;
    let thread = kit.thread(7).await;
    for n in 0..4 {
        kit.say(thread.id, &n.to_string()).await;
    }
    let mut query = HistoryQuery { archived: false, ascending: false, after: None, limit: 2 };
    let page = kit.store.history(kit.portal, thread.id, &query, &mut |_| {}).await.unwrap().unwrap();
    kit.say(thread.id, "late").await;
    query.after = page.next;
    let mut rest = Vec::new();
    let mut sink = |doc: &[u8]| rest.push(doc.to_vec());
    let page = kit.store.history(kit.portal, thread.id, &query, &mut sink).await.unwrap();
    assert_eq!(page, Some(Page { count: 2, next: None }));
    assert_eq!(rest, [b"1", b"0"]);
}

#[tokio::test]
async fn an_empty_thread_has_an_empty_page() {
    let kit = Kit::new().await;
    let thread = kit.thread(7).await;
    for ascending in [true, false] {
        let query = HistoryQuery { archived: false, ascending, after: None, limit: 10 };
        let page = kit.store.history(kit.portal, thread.id, &query, &mut |_| {}).await.unwrap();
        assert_eq!(page, Some(Page { count: 0, next: None }));
        // A place far behind the end is no trouble either.
        let query = HistoryQuery { after: Some(Position(i64::MAX)), ..query };
        let page = kit.store.history(kit.portal, thread.id, &query, &mut |_| {}).await.unwrap();
        assert_eq!(page, Some(Page { count: 0, next: None }));
    }
}

#[tokio::test]
async fn the_archived_state_has_to_match() {
    let kit = Kit::new().await;
    let mut thread = kit.thread(7).await;
    let id = kit.say(thread.id, "hello").await;
    thread = kit.read(thread.id).await;
    thread.archived_at = Some(NOON);
    kit.apply(Target::Thread(thread.id), Changes { threads: vec![thread.clone()], ..Changes::default() })
        .await;
    let query = |archived| HistoryQuery { archived, ascending: false, after: None, limit: 10 };
    assert_eq!(kit.store.history(kit.portal, thread.id, &query(false), &mut |_| {}).await.unwrap(), None);
    let page = kit.store.history(kit.portal, thread.id, &query(true), &mut |_| {}).await.unwrap();
    assert_eq!(page.map(|page| page.count), Some(1));
    let message = kit.store.message_by_id(kit.portal, thread.id, id).await.unwrap().unwrap();
    assert!(message.archived);
}

#[tokio::test]
async fn entries_are_found_in_their_own_thread_only() {
    let kit = Kit::new().await;
    let (one, two) = (kit.thread(7).await, kit.thread(8).await);
    let id = kit.say(one.id, "hello").await;
    let found = kit.store.message_by_id(kit.portal, one.id, id).await.unwrap().unwrap();
    assert_eq!(
        (found.id, found.kind, found.direction),
        (id, MessageKind::Message, Some(Direction::Outgoing))
    );
    assert_eq!(found.document.bytes, b"hello");
    assert_eq!(kit.store.message_by_id(kit.portal, two.id, id).await.unwrap(), None);
    assert_eq!(kit.store.original_by_id(kit.portal, two.id, id).await.unwrap(), None);
    assert_eq!(kit.store.message_by_id(kit.portal, ThreadId(999), id).await.unwrap(), None);
}

#[tokio::test]
async fn several_are_found_at_once() {
    let kit = Kit::new().await;
    let (one, two) = (kit.thread(7).await, kit.thread(8).await);
    let (first, second) = (kit.say(one.id, "hello").await, kit.say(two.id, "you").await);
    let archived = Thread { archived_at: Some(NOON), ..kit.read(two.id).await };
    kit.apply(Target::Thread(two.id), Changes { threads: vec![archived], ..Changes::default() }).await;
    let asked = [(one.id, first), (two.id, second), (two.id, first), (ThreadId(999), second)];
    let mut found = kit.store.messages_by_ids(kit.portal, &asked).await.unwrap();
    found.sort_by_key(|message| message.id != first);
    let each = async |(thread, id)| kit.store.message_by_id(kit.portal, thread, id).await.unwrap().unwrap();
    assert_eq!(found, [each(asked[0]).await, each(asked[1]).await]);
    assert_eq!((found[0].archived, found[1].archived), (false, true));
    let mut threads = kit.store.threads_by_ids(kit.portal, &[two.id, ThreadId(999), one.id]).await.unwrap();
    threads.sort_by_key(|thread| thread.id);
    let ids: Vec<_> = threads.iter().map(|thread| (thread.id, thread.is_archived())).collect();
    assert_eq!(ids, [(one.id, false), (two.id, true)]);
}

#[tokio::test]
async fn originals_are_kept_where_something_was_cut() {
    let kit = Kit::new().await;
    let thread = kit.thread(7).await;
    let whole = kit.say(thread.id, "whole").await;
    let sent = kit.store.change(kit.portal, Target::Thread(thread.id), |state, moment| {
        let mut cut = message(state.thread.as_ref().ok_or(No)?, moment, "cut");
        cut.original = Some(b"{\"text\":\"cut short\"}".to_vec());
        Ok::<_, No>(Changes { messages: vec![cut], ..Changes::default() })
    });
    let cut = sent.await.unwrap().unwrap().changes.messages[0].id;
    let original =
        async |id| kit.store.original_by_id(kit.portal, thread.id, id).await.unwrap().unwrap().original;
    assert_eq!(original(whole).await, None);
    assert_eq!(original(cut).await.as_deref(), Some(&b"{\"text\":\"cut short\"}"[..]));
}

#[tokio::test]
async fn the_latest_incoming_messages_come_newest_first() {
    let kit = Kit::new().await;
    let thread = kit.thread(7).await.id;
    let add = async |kind: MessageKind, direction: Option<Direction>, texts: Vec<String>| {
        let added = kit.store.change(kit.portal, Target::Thread(thread), move |state, moment| {
            let mut thread = state.thread.clone().ok_or(No)?;
            let mut messages = Vec::new();
            for text in &texts {
                let said = NewMessage { kind, direction, ..message(&thread, moment, text) };
                thread.latest_entry_at = said.created_at;
                if direction == Some(Direction::Incoming) {
                    thread.latest_received_at = Some(said.created_at);
                }
                messages.push(said);
            }
            Ok::<_, No>(Changes { threads: vec![thread], messages, ..Changes::default() })
        });
        added.await.unwrap().unwrap();
    };
    let latest = async |limit| -> Vec<String> {
        let found = kit.store.latest_incoming(kit.portal, thread, limit).await.unwrap();
        found.into_iter().map(|one| String::from_utf8(one.document.bytes).unwrap()).collect()
    };
    let (incoming, outgoing) = (Some(Direction::Incoming), Some(Direction::Outgoing));
    assert_eq!(latest(5).await, [""; 0], "nobody has written yet");
    for n in 0..6 {
        let (kind, direction) = match n {
            4 => (MessageKind::Comment, None),
            _ if n % 2 == 0 => (MessageKind::Message, incoming),
            _ => (MessageKind::Message, outgoing),
        };
        add(kind, direction, vec![n.to_string()]).await;
    }
    assert_eq!(latest(5).await, ["2", "0"]);
    assert_eq!(latest(1).await, ["2"]);
    for _ in 0..3 {
        add(MessageKind::Message, outgoing, vec!["answer".into(); 400]).await;
    }
    assert_eq!(latest(5).await, ["2", "0"], "however many answers there are");
    add(MessageKind::Message, incoming, vec!["again".into(), "and again".into()]).await;
    assert_eq!(latest(5).await, ["and again", "again"], "what is a thousand entries back is no more of them");
    assert_eq!(latest(1).await, ["and again"]);
}

#[tokio::test]
async fn a_document_is_replaced_in_place() {
    let kit = Kit::new().await;
    let thread = kit.thread(7).await;
    let (first, second) = (kit.say(thread.id, "first").await, kit.say(thread.id, "second").await);
    let replace = move |state: &State, _: &mut Moment| {
        let old = state.message.as_ref().ok_or(No)?;
        assert_eq!(old.document.bytes, b"first");
        let document = Document { format: 1, bytes: b"the first".to_vec() };
        let replaced = vec![Replacement { thread_id: thread.id, message_id: old.id, document }];
        Ok::<_, No>(Changes { replaced, ..Changes::default() })
    };
    kit.store.change(kit.portal, Target::Message(thread.id, first), replace).await.unwrap().unwrap();
    assert_eq!(kit.texts(thread.id, true, 10).await, ["the first", "second"]);
    assert_eq!(kit.store.usage(kit.portal).await.unwrap().bytes, 15);
    let foreign = kit.store.change(kit.portal, Target::Message(ThreadId(99), second), |state, _| {
        if state.message.is_some() { Ok(Changes::default()) } else { Err(No) }
    });
    assert_eq!(foreign.await.unwrap().unwrap_err(), No);
}

#[tokio::test]
async fn history_is_read_whole_while_others_write() {
    let kit = Kit::new().await;
    let thread = kit.thread(7).await;
    let (store, portal) = (kit.store.clone(), kit.portal);
    let writer = tokio::spawn(async move {
        for n in 0..300 {
            say(&store, portal, thread.id, &n.to_string()).await.unwrap();
        }
    });
    while !writer.is_finished() {
        let texts = kit.texts(thread.id, true, 7).await;
        assert!(
            texts.iter().enumerate().all(|(n, text)| *text == n.to_string()),
            "gap or repetition in {texts:?}"
        );
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
    assert_eq!(kit.texts(thread.id, true, 7).await.len(), 300);
}

#[tokio::test]
async fn a_document_of_a_newer_format_is_never_read() {
    let kit = Kit::new().await;
    let thread = kit.thread(1).await.id;
    kit.say(thread, "known").await;
    let id = kit.say(thread, "soon unknown").await;
    let document = Document { format: Document::FORMAT + 1, bytes: b"{}".to_vec() };
    let replaced = vec![Replacement { thread_id: thread, message_id: id, document }];
    kit.apply(Target::Thread(thread), Changes { replaced, ..Changes::default() }).await;
    let refused = |error: StoreError| {
        matches!(error, StoreError::Format(format) if format == Document::FORMAT + 1)
            && error.to_string().ends_with("upgrade this binary")
    };
    assert!(refused(kit.store.message_by_id(kit.portal, thread, id).await.unwrap_err()));
    assert!(refused(kit.store.original_by_id(kit.portal, thread, id).await.unwrap_err()));
}

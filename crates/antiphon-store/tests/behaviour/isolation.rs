use antiphon_store::*;

use crate::kit::*;

/// Both portals hold the same ids; whatever is asked for, each sees its own.
fn own_address(name: &str) -> Identifier {
    Identifier { kind: "CHANNEL_SPECIFIC_OPAQUE_ID".into(), value: name.into() }
}

#[tokio::test]
async fn portals_never_see_each_other() {
    let kit = Kit::new().await;
    let (one, two) = (kit.portal, portal(&kit.store, "Second").await);
    let empty = portal(&kit.store, "Third").await;
    let mut ids = Vec::new();
    for (portal, text) in [(one, "one"), (two, "two")] {
        let made = thread(&kit.store, portal, |thread| thread.ticket_id = Some(TicketId(1))).await;
        assert_eq!(made.id, ThreadId(1));
        ids.push(say(&kit.store, portal, made.id, text).await.unwrap());
        let visitor = Visitor {
            id: VisitorId(1),
            contact: true,
            name: Some(text.into()),
            email: Some("same@example.org".into()),
            phone: Some("+1".into()),
            avatar: None,
            created_at: NOON,
            updated_at: NOON,
        };
        let file = File {
            id: 1,
            name: text.into(),
            media_type: "text/plain".into(),
            size: None,
            url: "https://example.org/same".into(),
            created_at: NOON,
            ..File::default()
        };
        let changes = Changes {
            visitors: vec![visitor],
            files: vec![file],
            tickets: vec![Ticket { id: TicketId(1), subject: text.into(), created_at: NOON }],
            thread_keys: vec![(ACCOUNT, "key".into(), made.id)],
            identities: vec![(ACCOUNT, own_address(text), VisitorId(1))],
            ..Changes::default()
        };
        apply(&kit.store, portal, Target::Directory, changes).await.unwrap();
    }
    let store = &kit.store;
    let query = HistoryQuery { archived: false, ascending: true, after: None, limit: 10 };
    for (portal, own, foreign, text) in [(one, ids[0], ids[1], "one"), (two, ids[1], ids[0], "two")] {
        let mut docs = Vec::new();
        store.history(portal, ThreadId(1), &query, &mut |doc: &[u8]| docs.push(doc.to_vec())).await.unwrap();
        assert_eq!(docs, [text.as_bytes()]);
        assert!(store.message_by_id(portal, ThreadId(1), own).await.unwrap().is_some());
        assert!(store.message_by_id(portal, ThreadId(1), foreign).await.unwrap().is_none());
        let both = [(ThreadId(1), own), (ThreadId(1), foreign)];
        assert_eq!(store.messages_by_ids(portal, &both).await.unwrap().len(), 1);
        let visitors = store.visitors_by_ids(portal, &[VisitorId(1)]).await.unwrap();
        assert_eq!(visitors[0].name.as_deref(), Some(text));
        let addresses = [own_address("one"), own_address("two")];
        let bound = store.visitors_by_addresses(portal, ACCOUNT, &addresses).await.unwrap();
        assert_eq!(bound, [(own_address(text), VisitorId(1))]);
        let contacts = store.contacts_by_emails(portal, &["same@example.org".into()]).await.unwrap();
        assert_eq!(contacts.len(), 1);
        assert_eq!(store.ticket_by_id(portal, TicketId(1)).await.unwrap().unwrap().subject, text);
        assert_eq!(store.files_by_ids(portal, &[1]).await.unwrap()[0].name, text);
        assert_eq!(store.file_by_url(portal, "https://example.org/same").await.unwrap().unwrap().name, text);
        assert_eq!(store.usage(portal).await.unwrap(), Usage { threads: 1, messages: 1, bytes: 3 });
        // A foreign message cannot be replied to.
        let key =
            ConversationKey { account_id: Some(ACCOUNT), in_reply_to: Some(foreign), ..Default::default() };
        let seen = store.change(portal, Target::Conversation(key), |_, _| Ok::<_, No>(Changes::default()));
        assert_eq!(seen.await.unwrap().unwrap().state.replied, None);
    }
    assert!(store.thread_by_id(empty, ThreadId(1)).await.unwrap().is_none());
    assert!(store.threads_by_ids(empty, &[ThreadId(1)]).await.unwrap().is_empty());
    assert_eq!(
        store.history(empty, ThreadId(1), &query, &mut |_| panic!("a foreign entry")).await.unwrap(),
        None
    );
    assert_eq!(store.visitors_by_ids(empty, &[VisitorId(1)]).await.unwrap(), []);
    assert_eq!(store.tickets(empty, None, 10).await.unwrap(), []);
    assert_eq!(store.latest_incoming(empty, ThreadId(1), 10).await.unwrap(), []);
    assert!(store.events_after(empty, 2, 10).await.unwrap().is_empty());
    let list = ThreadQuery {
        archived: false,
        status: None,
        inboxes: Vec::new(),
        visitor: None,
        ticket: None,
        latest_message_from: None,
        sort: ThreadSort::Id,
        descending: false,
        after: None,
        limit: 10,
    };
    for list in [list.clone(), ThreadQuery { ticket: Some(TicketId(1)), ..list }] {
        let page = store.threads(empty, &list, &mut |_| panic!("a foreign thread")).await.unwrap();
        assert_eq!(page.count, 0);
        assert_eq!(store.threads(one, &list, &mut |_| {}).await.unwrap().count, 1);
    }
    for target in [Target::Thread(ThreadId(1)), Target::Message(ThreadId(1), ids[0])] {
        let seen = store.change(empty, target, |_, _| Ok::<_, No>(Changes::default()));
        let state = seen.await.unwrap().unwrap().state;
        assert_eq!((state.thread, state.message), (None, None));
    }
}

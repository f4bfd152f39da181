use antiphon_store::*;

use crate::kit::*;

fn opaque(value: &str) -> Identifier {
    Identifier { kind: "CHANNEL_SPECIFIC_OPAQUE_ID".into(), value: value.into() }
}

/// Makes a thread that a key began.
async fn begun(kit: &Kit, key: &str) -> ThreadId {
    let key = key.to_owned();
    let target = Target::Conversation(ConversationKey {
        account_id: Some(ACCOUNT),
        identifier: Some(opaque(&key)),
        new_thread: true,
        ..ConversationKey::default()
    });
    let made = kit.store.change(kit.portal, target, move |_, moment| {
        let thread = blank(moment);
        let entry = message(&thread, moment, "hello");
        let said = Some("{}".to_owned());
        let (thread_id, visitor_key) = (thread.id, key.clone());
        let chat = Chat { thread_id, account_id: ACCOUNT, visitor_key, said, said_of: None };
        Ok::<_, No>(Changes {
            threads: vec![thread],
            messages: vec![entry],
            chats: vec![chat],
            ..Changes::default()
        })
    });
    made.await.unwrap().unwrap().changes.threads[0].id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keys_chats_are_found_and_nobody_elses() {
    let kit = Kit::new().await;
    let mine = [begun(&kit, "a").await, begun(&kit, "a").await, begun(&kit, "a").await];
    let theirs = begun(&kit, "b").await;
    let of = async |account, key: &str, limit| {
        kit.store.chats_of_visitor(kit.portal, account, key, limit).await.unwrap()
    };
    assert_eq!(of(ACCOUNT, "a", 10).await, [mine[2], mine[1], mine[0]]);
    assert_eq!(of(ACCOUNT, "a", 2).await, [mine[2], mine[1]]);
    assert_eq!(of(ACCOUNT, "b", 10).await, [theirs]);
    assert_eq!(of(ACCOUNT, "A", 10).await, []);
    assert_eq!(of(AccountId(999_999), "a", 10).await, []);
    let chats = kit.store.chats_by_threads(kit.portal, &[mine[0], theirs, ThreadId(999_999)]).await.unwrap();
    let mut keys: Vec<_> = chats.iter().map(|chat| chat.visitor_key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["a", "b"]);
    assert!(kit.store.chats_by_threads(kit.portal, &[]).await.unwrap().is_empty());
    let nowhere = PortalId(999_999);
    assert!(kit.store.chats_by_threads(nowhere, &mine).await.unwrap().is_empty());
    assert!(kit.store.chats_of_visitor(nowhere, ACCOUNT, "a", 9).await.unwrap().is_empty());
    // What is written again is replaced.
    let chat = Chat {
        said: Some("{\"u\":1}".into()),
        ..chats.into_iter().find(|one| one.thread_id == theirs).unwrap()
    };
    let changes = Changes { chats: vec![chat.clone()], ..Changes::default() };
    kit.apply(Target::Thread(theirs), changes).await;
    assert_eq!(kit.store.chats_by_threads(kit.portal, &[theirs]).await.unwrap(), [chat]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_is_named_goes_before_names_and_before_whoever_wrote_last() {
    let kit = Kit::new().await;
    let (first, last) = (begun(&kit, "a").await, begun(&kit, "a").await);
    let look = async |key: ConversationKey| {
        let target = Target::Conversation(ConversationKey { account_id: Some(ACCOUNT), ..key });
        let seen = kit.store.change(kit.portal, target, |_, _| Ok::<_, No>(Changes::default()));
        seen.await.unwrap().unwrap().state.thread.map(|thread| thread.id)
    };
    let named = |thread| ConversationKey {
        thread: Some(thread),
        identifier: Some(opaque("a")),
        new_thread: true,
        ..ConversationKey::default()
    };
    assert_eq!(look(named(first)).await, Some(first));
    assert_eq!(look(named(last)).await, Some(last));
    assert_eq!(look(named(ThreadId(999_999))).await, None, "and then a new one begins");
    let thread = Thread { archived_at: Some(NOON), ..kit.read(first).await };
    kit.apply(Target::Thread(first), Changes { threads: vec![thread], ..Changes::default() }).await;
    assert_eq!(look(named(first)).await, None, "what is in the trash is not gone on with");
    let elsewhere =
        Target::Conversation(ConversationKey { account_id: Some(AccountId(999_999)), ..named(last) });
    let seen = kit.store.change(kit.portal, elsewhere, |_, _| Ok::<_, No>(Changes::default()));
    assert!(seen.await.unwrap().unwrap().state.thread.is_none(), "nor what is on another account");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_has_a_place_in_its_own_thread_alone() {
    let kit = Kit::new().await;
    let (one, other) = (begun(&kit, "a").await, begun(&kit, "b").await);
    let id = kit.say(one, "last").await;
    let place = kit.store.position_of(kit.portal, one, id).await.unwrap().unwrap();
    let query = HistoryQuery { archived: false, ascending: true, after: Some(place), limit: 9 };
    let mut later = 0;
    kit.store.history(kit.portal, one, &query, &mut |_| later += 1).await.unwrap().unwrap();
    assert_eq!(later, 0, "nothing stands behind it");
    assert_eq!(kit.store.position_of(kit.portal, other, id).await.unwrap(), None);
    assert_eq!(kit.store.position_of(kit.portal, one, MessageId([1; 16])).await.unwrap(), None);
}

#[tokio::test]
async fn an_address_that_was_said_is_found_and_forgotten_wherever_it_was() {
    let kit = Kit::new().await;
    let (first, second, other) = (begun(&kit, "a").await, begun(&kit, "b").await, begun(&kit, "c").await);
    for (thread, address) in
        [(first, "Ines@Example.net"), (second, "ines@example.net "), (other, "leo@example.net")]
    {
        let chat = kit.store.chats_by_threads(kit.portal, &[thread]).await.unwrap().pop().unwrap();
        let chats = vec![Chat { said: Some("{}".into()), said_of: Some(said_of(address)), ..chat }];
        kit.apply(Target::Thread(thread), Changes { chats, ..Changes::default() }).await;
    }
    let of = async |portal, after, limit| {
        let found = kit.store.chats_said(portal, "INES@example.net", after, limit).await.unwrap();
        found.into_iter().map(|chat| chat.thread_id).collect::<Vec<_>>()
    };
    assert_eq!(of(kit.portal, ThreadId(0), 9).await, [first, second]);
    assert_eq!(
        (of(kit.portal, ThreadId(0), 1).await, of(kit.portal, first, 9).await),
        (vec![first], vec![second])
    );
    assert_eq!(of(PortalId(999_999), ThreadId(0), 9).await, []);
    let unsay = async |thread, address: &str| {
        kit.store.chat_unsay(kit.portal, thread, address, "{\"u\":1}".into()).await.unwrap();
    };
    // Another address was said meanwhile: that stays.
    unsay(other, "ines@example.net").await;
    unsay(first, "ines@example.net").await;
    assert_eq!(of(kit.portal, ThreadId(0), 9).await, [second]);
    let left = kit.store.chats_by_threads(kit.portal, &[first]).await.unwrap().pop().unwrap();
    assert_eq!((left.said.as_deref(), left.said_of), (Some("{\"u\":1}"), None));
    let stays = kit.store.chats_by_threads(kit.portal, &[other]).await.unwrap().pop().unwrap();
    assert_eq!((stays.said.as_deref(), stays.said_of.as_deref()), (Some("{}"), Some("leo@example.net")));
}

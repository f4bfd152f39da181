use antiphon_store::*;

use crate::kit::*;

fn email(value: &str) -> Identifier {
    Identifier { kind: "HS_EMAIL_ADDRESS".into(), value: value.into() }
}

fn key() -> ConversationKey {
    ConversationKey { account_id: Some(ACCOUNT), ..ConversationKey::default() }
}

async fn look(kit: &Kit, key: ConversationKey) -> State {
    let seen =
        kit.store.change(kit.portal, Target::Conversation(key), |_, _| Ok::<_, No>(Changes::default()));
    seen.await.unwrap().unwrap().state
}

async fn archive(kit: &Kit, id: ThreadId) {
    let thread = Thread { archived_at: Some(NOON), ..kit.read(id).await };
    kit.apply(Target::Thread(id), Changes { threads: vec![thread], ..Changes::default() }).await;
}

/// A first message or a further one: whoever wins makes the thread.
fn inbound(key: ConversationKey) -> impl FnMut(&State, &mut Moment) -> Result<Changes, No> + Send + 'static {
    move |state, moment| {
        let mut changes = Changes::default();
        let thread = state.thread.clone().unwrap_or_else(|| blank(moment));
        let mut entry = message(&thread, moment, "hello");
        entry.direction = Some(Direction::Incoming);
        if state.thread.is_none() {
            let name = key.thread_key.clone().ok_or(No)?;
            changes.thread_keys.push((ACCOUNT, name, thread.id));
            changes.threads.push(thread);
        }
        changes.messages.push(entry);
        Ok(changes)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_first_messages_with_one_key_share_a_thread() {
    let kit = Kit::new().await;
    let key = ConversationKey { thread_key: Some("case 17".into()), ..key() };
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let (store, portal, key) = (kit.store.clone(), kit.portal, key.clone());
            tokio::spawn(async move {
                let done = store.change(portal, Target::Conversation(key.clone()), inbound(key)).await;
                done.unwrap().unwrap().changes.messages[0].thread_id
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), ThreadId(1));
    }
    assert_eq!(kit.store.usage(kit.portal).await.unwrap(), Usage { threads: 1, messages: 40, bytes: 200 });
    assert_eq!(look(&kit, ConversationKey { thread_key: Some("case 18".into()), ..key }).await.thread, None);
}

#[tokio::test]
async fn a_visitor_goes_on_in_its_newest_live_thread() {
    let kit = Kit::new().await;
    let (old, new) = (kit.thread(7).await, kit.thread(7).await);
    let elsewhere = thread(&kit.store, kit.portal, |thread| {
        (thread.visitor_id, thread.account_id) = (VisitorId(7), AccountId(2))
    });
    elsewhere.await;
    let visitor = Visitor {
        id: VisitorId(7),
        contact: false,
        name: None,
        email: None,
        phone: None,
        avatar: None,
        created_at: NOON,
        updated_at: NOON,
    };
    let address = Identifier { kind: "CHANNEL_SPECIFIC_OPAQUE_ID".into(), value: "Abc".into() };
    let changes = Changes {
        visitors: vec![visitor.clone()],
        identities: vec![(ACCOUNT, address.clone(), visitor.id)],
        ..Changes::default()
    };
    kit.apply(Target::Directory, changes).await;

    let by_address = ConversationKey { identifier: Some(address.clone()), ..key() };
    let state = look(&kit, by_address.clone()).await;
    assert_eq!(state.visitor, Some(visitor.clone()));
    assert_eq!(state.thread.map(|thread| thread.id), Some(new.id));
    let by_visitor = ConversationKey { visitor: Some(visitor.id), ..key() };
    assert_eq!(look(&kit, by_visitor.clone()).await.thread.map(|thread| thread.id), Some(new.id));
    assert_eq!(look(&kit, ConversationKey { new_thread: true, ..by_visitor.clone() }).await.thread, None);
    let named = ConversationKey { thread_key: Some("unknown".into()), ..by_visitor.clone() };
    assert_eq!(look(&kit, named).await.thread, None, "a key that leads nowhere starts a thread");
    let other = Identifier { value: "abc".into(), ..address };
    assert_eq!(look(&kit, ConversationKey { identifier: Some(other), ..key() }).await.visitor, None);

    archive(&kit, new.id).await;
    assert_eq!(look(&kit, by_visitor.clone()).await.thread.map(|thread| thread.id), Some(old.id));
    archive(&kit, old.id).await;
    assert_eq!(look(&kit, by_visitor).await.thread, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_sees_what_its_batch_did_before() {
    let kit = Kit::new().await;
    let thread = kit.thread(7).await;
    // Archived and looked for within one batch.
    let archived = Thread { archived_at: Some(NOON), ..thread.clone() };
    let changes = Changes { threads: vec![archived], ..Changes::default() };
    let archive = apply(&kit.store, kit.portal, Target::Thread(thread.id), changes);
    let key = ConversationKey { visitor: Some(VisitorId(7)), ..key() };
    let busy = Busy::begin(&kit.store, kit.portal).await;
    let release = async {
        queued(&kit.store, 2).await;
        busy.end().await;
    };
    let (_, state, ()) = tokio::join!(archive, look(&kit, key), release);
    assert_eq!(state.thread, None);
}

#[tokio::test]
async fn names_lead_where_they_were_last_made_to_lead() {
    let kit = Kit::new().await;
    let (one, two) = (kit.thread(1).await, kit.thread(2).await);
    let ada = Visitor {
        id: VisitorId(1),
        contact: false,
        name: Some("Ada".into()),
        email: None,
        phone: None,
        avatar: None,
        created_at: NOON,
        updated_at: NOON,
    };
    let (ben, eve) = (
        Visitor { id: VisitorId(2), name: Some("Ben".into()), ..ada.clone() },
        Visitor { name: Some("Eve".into()), ..ada.clone() },
    );
    let address = Identifier { kind: "CHANNEL_SPECIFIC_OPAQUE_ID".into(), value: "@ada".into() };
    let names = |visitor: &Visitor, thread: &Thread| Changes {
        visitors: vec![visitor.clone()],
        identities: vec![(ACCOUNT, address.clone(), visitor.id)],
        thread_keys: vec![(ACCOUNT, "case 17".into(), thread.id)],
        ..Changes::default()
    };
    let key =
        ConversationKey { identifier: Some(address.clone()), thread_key: Some("case 17".into()), ..key() };
    let leads = async |kit: &Kit, visitor: Option<&Visitor>, thread: Option<&Thread>| {
        // Asked twice: what the first question has found may be remembered for the second.
        for _ in 0..2 {
            let state = look(kit, key.clone()).await;
            assert_eq!((state.visitor.as_ref(), state.bound), (visitor, visitor.map(|visitor| visitor.id)));
            assert_eq!(
                (state.thread.map(|one| one.id), state.named),
                (thread.map(|one| one.id), thread.map(|one| one.id))
            );
        }
    };
    leads(&kit, None, None).await;
    kit.apply(Target::Directory, names(&ada, &one)).await;
    leads(&kit, Some(&ada), Some(&one)).await;
    let elsewhere = ConversationKey { account_id: Some(AccountId(2)), ..key.clone() };
    let state = look(&kit, elsewhere).await;
    assert_eq!((state.visitor, state.thread), (None, None), "a name belongs to its account");

    // What is written for another reason is seen here too; when somebody came first does not change.
    let later = Visitor { created_at: NOON + 5, ..eve.clone() };
    kit.apply(Target::Visitor(eve.id), Changes { visitors: vec![later], ..Changes::default() }).await;
    leads(&kit, Some(&eve), Some(&one)).await;
    kit.apply(Target::Directory, names(&ben, &two)).await;
    leads(&kit, Some(&ben), Some(&two)).await;

    // A change that fails half-way leaves all as it was, beside another that does not.
    let nowhere = NewMessage { thread_id: ThreadId(99), ..message(&one, &mut Moment::still(NOON), "lost") };
    let half = Changes { messages: vec![nowhere], ..names(&ada, &one) };
    let rule = move |_: &State, _: &mut Moment| Ok::<_, No>(half.clone());
    let failing = kit.store.change(kit.portal, Target::Directory, rule);
    let busy = Busy::begin(&kit.store, kit.portal).await;
    let release = async {
        queued(&kit.store, 2).await;
        busy.end().await;
    };
    let (failed, _, ()) = tokio::join!(failing, kit.say(two.id, "meanwhile"), release);
    assert!(failed.is_err(), "there is no such thread");
    leads(&kit, Some(&ben), Some(&two)).await;

    // Whoever is in the trash is not led to, and whoever was purged never again.
    archive(&kit, two.id).await;
    leads(&kit, Some(&ben), None).await;
    kit.apply(Target::Thread(two.id), Changes { purged: vec![two.id], ..Changes::default() }).await;
    while kit.store.purge_step(kit.portal).await.unwrap() {}
    leads(&kit, Some(&ben), None).await;
    let kit = kit.reopen().await;
    leads(&kit, Some(&ben), None).await;
    kit.apply(Target::Directory, names(&ben, &one)).await;
    leads(&kit, Some(&ben), Some(&one)).await;
}

#[tokio::test]
async fn replies_go_where_the_message_is() {
    let kit = Kit::new().await;
    let (one, two) = (kit.thread(7).await, kit.thread(7).await);
    let id = kit.say(one.id, "hello").await;
    let reply = ConversationKey { in_reply_to: Some(id), visitor: Some(VisitorId(7)), ..key() };
    let state = look(&kit, reply.clone()).await;
    assert_eq!((state.replied, state.thread.map(|thread| thread.id)), (Some(one.id), Some(one.id)));
    let elsewhere = ConversationKey { account_id: Some(AccountId(2)), ..reply.clone() };
    assert_eq!(look(&kit, elsewhere).await.replied, None);
    archive(&kit, one.id).await;
    let state = look(&kit, reply).await;
    assert_eq!(state.replied, Some(one.id));
    assert_eq!(state.thread, None, "{} is another conversation", two.id);
}

#[tokio::test]
async fn an_idempotency_key_leads_back() {
    let kit = Kit::new().await;
    let thread = kit.thread(7).await;
    let message_id = kit.say(thread.id, "once").await;
    let earlier = Earlier { thread_id: thread.id, message_id };
    let changes =
        Changes { idempotency_keys: vec![(ACCOUNT, "k1".into(), earlier.clone())], ..Changes::default() };
    kit.apply(Target::Thread(thread.id), changes).await;
    let again = ConversationKey { idempotency_key: Some("k1".into()), ..key() };
    let state = look(&kit, again.clone()).await;
    assert_eq!((state.earlier.as_ref(), state.thread.map(|t| t.id)), (Some(&earlier), Some(thread.id)));
    let elsewhere = ConversationKey { account_id: Some(AccountId(2)), ..again };
    assert_eq!(look(&kit, elsewhere).await.earlier, None);
    let other = ConversationKey { idempotency_key: Some("k2".into()), ..key() };
    assert_eq!(look(&kit, other).await.earlier, None);
}

#[tokio::test]
async fn contacts_are_found_by_address() {
    let kit = Kit::new().await;
    let contact = Visitor {
        id: VisitorId(5),
        contact: true,
        name: Some("Ada".into()),
        email: Some("Ada@Example.org".into()),
        phone: Some("+4930123".into()),
        avatar: None,
        created_at: NOON,
        updated_at: NOON,
    };
    kit.apply(Target::Directory, Changes { visitors: vec![contact.clone()], ..Changes::default() }).await;
    let thread = kit.thread(5).await;
    let state = look(&kit, ConversationKey { identifier: Some(email("ada@example.ORG")), ..key() }).await;
    assert_eq!((state.contact, state.visitor), (Some(contact.clone()), None));
    assert_eq!(state.thread.map(|thread| thread.id), Some(thread.id));
    let phone = Identifier { kind: "HS_PHONE_NUMBER".into(), value: "+4930123".into() };
    assert_eq!(
        look(&kit, ConversationKey { identifier: Some(phone), ..key() }).await.contact,
        Some(contact.clone())
    );

    let target = Target::Contact { email: Some("nobody@example.org".into()), phone: contact.phone.clone() };
    let seen = kit.store.change(kit.portal, target, |_, _| Ok::<_, No>(Changes::default()));
    assert_eq!(seen.await.unwrap().unwrap().state.visitor, Some(contact));
}

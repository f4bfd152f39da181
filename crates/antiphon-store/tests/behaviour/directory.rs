use std::sync::Arc;

use antiphon_store::*;

use crate::kit::*;

fn token(portal: PortalId, byte: u8) -> Token {
    Token {
        hash: TokenHash([byte; 32]),
        portal_id: portal,
        app_id: AppId(1),
        label: "ci".into(),
        scopes: vec!["conversations.read".into(), "conversations.write".into()],
        created_at: NOON,
        expires_at: None,
        revoked_at: None,
        grant_id: None,
        deleted_at: None,
    }
}

async fn write(kit: &Kit, directory: Vec<DirectoryChange>) -> Applied {
    kit.apply(Target::Directory, Changes { directory, ..Changes::default() }).await
}

#[tokio::test]
async fn every_kind_of_row_is_kept() {
    let kit = Kit::new().await;
    let actor = Actor {
        kind: ActorKind::Llm,
        id: 3,
        name: Some("Helper".into()),
        email: None,
        avatar: Some("https://example.org/a.png".into()),
        active: true,
        created_at: NOON,
    };
    let app = App {
        id: AppId(4410),
        name: "Demo".into(),
        avatar: None,
        client_secret: "secret".into(),
        developer_key: "key".into(),
        user_id: Some(3),
        old_secret: Some(Replaced { value: "older".into(), until: NOON + 5 }),
        old_key: Some(Replaced { value: "oldest".into(), until: NOON + 7 }),
        active: true,
        created_at: NOON,
    };
    let mut help_desk = inbox(InboxId(640));
    help_desk.kind = InboxKind::HelpDesk;
    write(
        &kit,
        vec![
            DirectoryChange::Inbox(help_desk.clone()),
            DirectoryChange::Actor(actor.clone()),
            DirectoryChange::App(app.clone()),
            DirectoryChange::Token(token(kit.portal, 1)),
        ],
    )
    .await;
    let before = kit.store.directory(kit.portal).await.unwrap().unwrap();
    let inboxes: Vec<_> = before.inboxes(false).iter().map(|inbox| Inbox::clone(inbox)).collect();
    assert_eq!(inboxes, [inbox(INBOX), help_desk]);
    assert_eq!(before.accounts(false).iter().map(|one| Account::clone(one)).collect::<Vec<_>>(), [account()]);
    assert_eq!(before.actor(ActorKind::Llm, 3), Some(&actor));
    assert_eq!(before.app(AppId(4410)), Some(&app));
    assert_eq!(**before.tokens().get(&TokenHash([1; 32])).unwrap(), token(kit.portal, 1));
    let kit = kit.reopen().await;
    assert_eq!(kit.store.directory(kit.portal).await.unwrap().unwrap(), before);
    // Ids that were chosen are not given out again.
    let next = kit.store.change(kit.portal, Target::Directory, |_, moment| {
        assert_eq!((moment.inbox_id(), moment.app_id(), moment.actor_id()), (InboxId(641), AppId(4411), 4));
        Err::<Changes, _>(No)
    });
    next.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn a_developer_key_leads_to_an_app_as_long_as_it_works() {
    let kit = Kit::new().await;
    let mut app = App {
        id: AppId(7),
        name: "Demo".into(),
        avatar: None,
        client_secret: "secret".into(),
        developer_key: "new".into(),
        user_id: None,
        old_secret: Some(Replaced { value: "older secret".into(), until: i64::MAX }),
        old_key: Some(Replaced { value: "old".into(), until: i64::MAX }),
        active: true,
        created_at: NOON,
    };
    write(&kit, vec![DirectoryChange::App(app.clone())]).await;
    let found = async |key| {
        kit.store.app_by_key(key).await.unwrap().map(|(app, directory)| (app, directory.portal.id))
    };
    let here = Some((AppId(7), kit.portal));
    assert_eq!((found("new").await, found("old").await), (here, here));
    for other in ["secret", "older secret", "", "NEW"] {
        assert_eq!(found(other).await, None, "{other}");
    }
    app.old_key = Some(Replaced { value: "old".into(), until: 1 });
    write(&kit, vec![DirectoryChange::App(app)]).await;
    assert_eq!((found("new").await, found("old").await), (here, None));
}

fn subscription(app: i64, id: i64) -> Subscription {
    Subscription {
        id: SubscriptionId(id),
        app_id: AppId(app),
        event_type: "conversation.propertyChange".into(),
        property_name: Some("status".into()),
        object_type_id: Some("0-11".into()),
        event_type_name: Some("pe1_opened".into()),
        active: true,
        expand: Expand { message: true, thread: false, contact: true },
        ordered: true,
        created_at: NOON,
        updated_at: Some(NOON + 1),
        deleted_at: None,
        since: 0,
        since_at: 0,
    }
}

#[tokio::test]
async fn what_an_app_is_told_is_kept_and_forgotten_when_it_is_deleted() {
    let kit = Kit::new().await;
    let app = |id| {
        DirectoryChange::App(App {
            id: AppId(id),
            name: "Demo".into(),
            avatar: None,
            client_secret: "secret".into(),
            developer_key: "key".into(),
            user_id: None,
            old_secret: None,
            old_key: None,
            active: true,
            created_at: NOON,
        })
    };
    let webhook = Webhook {
        app_id: AppId(7),
        target_url: "https://example.org/a?b=%2F".into(),
        max_concurrent: 3,
        created_at: NOON,
        updated_at: None,
        paused: Some(Paused { at: NOON, why: "It answers 500".into() }),
        closing_at: Some(NOON),
        deleted_at: None,
    };
    let journal = JournalSubscription {
        id: SubscriptionId(30),
        app_id: AppId(8),
        body: r#"{"actions":[]}"#.into(),
        filters: "[]".into(),
        created_at: NOON,
        updated_at: NOON + 2,
        deleted_at: None,
    };
    let made = vec![
        app(7),
        app(8),
        DirectoryChange::Webhook(webhook.clone()),
        DirectoryChange::Subscription(subscription(7, 21)),
        DirectoryChange::Subscription(subscription(7, 20)),
        DirectoryChange::Subscription(subscription(8, 22)),
        DirectoryChange::JournalSubscription(journal.clone()),
    ];
    write(&kit, made).await;
    let mut kit = kit;
    for _ in 0..2 {
        let directory = kit.store.directory(kit.portal).await.unwrap().unwrap();
        let of = |app| directory.subscriptions(AppId(app)).map(|one| one.id.0).collect::<Vec<_>>();
        assert_eq!((of(6), of(7), of(8)), (vec![], vec![20, 21], vec![22]));
        assert_eq!(directory.subscription(AppId(7), SubscriptionId(20)), Some(&subscription(7, 20)));
        assert_eq!(directory.subscription(AppId(8), SubscriptionId(20)), None);
        assert_eq!(directory.webhook(AppId(7)), Some(&webhook));
        assert_eq!(directory.journals().collect::<Vec<_>>(), [AppId(8)]);
        let kept: Vec<_> =
            directory.journal_subscriptions(AppId(8)).map(|one| one.as_ref().clone()).collect();
        assert_eq!(kept, std::slice::from_ref(&journal));
        assert_eq!(kit.store.directory_of_app(AppId(8)).await.unwrap().unwrap(), directory);
        kit = kit.reopen().await;
    }
    assert!(kit.store.directory_of_app(AppId(99)).await.unwrap().is_none());
    let next = kit.store.change(kit.portal, Target::Directory, |_, moment| {
        assert_eq!(moment.subscription_id(), SubscriptionId(31));
        Err::<Changes, _>(No)
    });
    next.await.unwrap().unwrap_err();

    let gone = Some(NOON + 3);
    let deleted = vec![
        DirectoryChange::Webhook(Webhook { deleted_at: gone, ..webhook }),
        DirectoryChange::Subscription(Subscription { deleted_at: gone, ..subscription(7, 20) }),
        DirectoryChange::JournalSubscription(JournalSubscription { deleted_at: gone, ..journal }),
    ];
    write(&kit, deleted).await;
    for _ in 0..2 {
        let directory = kit.store.directory(kit.portal).await.unwrap().unwrap();
        assert_eq!(directory.webhook(AppId(7)), None);
        assert_eq!(directory.subscriptions(AppId(7)).map(|one| one.id.0).collect::<Vec<_>>(), [21]);
        assert_eq!(directory.journals().count(), 0);
        kit = kit.reopen().await;
    }
}

#[tokio::test]
async fn channels_of_apps_are_kept_and_their_ids_are_unique_on_the_server() {
    let kit = Kit::new().await;
    let other = portal(&kit.store, "Second").await;
    let make = async |portal| {
        let made = kit.store.change(portal, Target::Directory, |_, moment| {
            let channel = DirectoryChange::Channel(channel(moment.channel_id(), 7));
            Ok::<_, No>(Changes { directory: vec![channel], ..Changes::default() })
        });
        match &made.await.unwrap().unwrap().changes.directory[0] {
            DirectoryChange::Channel(channel) => channel.id,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((make(kit.portal).await, make(other).await), (1_000_000, 1_000_001));
    write(&kit, vec![DirectoryChange::Channel(channel(1_000_009, 8))]).await;
    assert_eq!(make(kit.portal).await, 1_000_010, "an id that was chosen is never given out again");
    let gone = Channel { archived_at: Some(NOON), ..channel(1_000_000, 7) };
    let token = StagingToken {
        hash: TokenHash([9; 32]),
        channel_id: 1_000_010,
        inbox_id: InboxId(1),
        user_id: 71,
        account_name: Some("Harbour".into()),
        identifier: Some(Identifier { kind: "HS_SHORT_CODE".into(), value: "777".into() }),
        account_id: Some(AccountId(4)),
        created_at: NOON,
        expires_at: NOON + 1,
        deleted_at: None,
    };
    let written = vec![DirectoryChange::Channel(gone.clone()), DirectoryChange::StagingToken(token.clone())];
    write(&kit, written).await;
    let mut kit = kit;
    for _ in 0..2 {
        let directory = kit.store.directory(kit.portal).await.unwrap().unwrap();
        let of = |app| directory.channels_of(AppId(app)).map(|one| one.id).collect::<Vec<_>>();
        assert_eq!((of(6), of(7), of(8)), (vec![], vec![1_000_010], vec![1_000_009]));
        assert_eq!(directory.channel(1_000_000), Some(&gone));
        assert_eq!(directory.channel(1_000_001), None, "it is another portal's");
        assert_eq!((directory.channels(false).len(), directory.channels(true).len()), (2, 1));
        assert_eq!(
            directory.staging_tokens().get(&token.hash).map(|one| StagingToken::clone(one)),
            Some(token.clone())
        );
        kit = kit.reopen().await;
    }
    write(&kit, vec![DirectoryChange::StagingToken(StagingToken { deleted_at: Some(NOON), ..token })]).await;
    for _ in 0..2 {
        let directory = kit.store.directory(kit.portal).await.unwrap().unwrap();
        assert!(directory.staging_tokens().is_empty());
        kit = kit.reopen().await;
    }
}

fn channel(id: i64, app: i64) -> Channel {
    Channel {
        id,
        app_id: AppId(app),
        name: "Harbour SMS".into(),
        webhook_url: Some("https://example.org/events?a=%2F".into()),
        redirect_url: None,
        description: Some("Texts".into()),
        logo_url: None,
        capabilities: r#"{"richText":[]}"#.into(),
        created_at: NOON,
        archived_at: None,
    }
}

#[tokio::test]
async fn a_revoked_token_is_seen_at_once() {
    let kit = Kit::new().await;
    write(
        &kit,
        vec![DirectoryChange::Token(token(kit.portal, 1)), DirectoryChange::Token(token(kit.portal, 2))],
    )
    .await;
    let hash = TokenHash([1; 32]);
    assert_eq!(kit.store.token_by_hash(&hash).await.unwrap().unwrap().0.revoked_at, None);
    for revoked_at in [Some(NOON), None, Some(NOON + 1)] {
        write(&kit, vec![DirectoryChange::Token(Token { revoked_at, ..token(kit.portal, 1) })]).await;
        assert_eq!(kit.store.token_by_hash(&hash).await.unwrap().unwrap().0.revoked_at, revoked_at);
    }
    assert_eq!(kit.store.token_by_hash(&TokenHash([2; 32])).await.unwrap().unwrap().0.revoked_at, None);
    assert_eq!(kit.store.token_by_hash(&TokenHash([3; 32])).await.unwrap(), None);
    let kit = kit.reopen().await;
    assert_eq!(kit.store.token_by_hash(&hash).await.unwrap().unwrap().0.revoked_at, Some(NOON + 1));
}

#[tokio::test]
async fn every_change_raises_the_revision_and_is_an_event() {
    let kit = Kit::new().await;
    let before = kit.store.directory(kit.portal).await.unwrap().unwrap();
    write(&kit, vec![DirectoryChange::Inbox(inbox(InboxId(2)))]).await;
    let position = kit.store.event_position(kit.portal).await.unwrap();
    let after = kit.store.directory(kit.portal).await.unwrap().unwrap();
    assert_eq!(after.revision, before.revision + 1);
    let events = kit.store.events_after(kit.portal, position - 1, 10).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].kind, events[0].revision), (EventKind::DirectoryChanged, after.revision));
    // Others are served from memory.
    kit.thread(1).await;
    assert!(Arc::ptr_eq(&after, &kit.store.directory(kit.portal).await.unwrap().unwrap()));
}

#[tokio::test]
async fn rules_see_the_directory_of_their_own_batch() {
    let kit = Kit::new().await;
    let add = |id: i64| {
        kit.store.change(kit.portal, Target::Directory, move |state, _| {
            let seen = state.directory.inboxes(false).len() as i64;
            let directory = vec![DirectoryChange::Inbox(inbox(InboxId(id)))];
            if seen == id - 1 { Ok(Changes { directory, ..Changes::default() }) } else { Err(No) }
        })
    };
    let (two, three, four) = tokio::join!(add(2), add(3), add(4));
    assert!([two, three, four].into_iter().all(|done| done.unwrap().is_ok()));
    assert_eq!(kit.store.directory(kit.portal).await.unwrap().unwrap().inboxes(false).len(), 4);
}

#[tokio::test]
async fn a_token_of_another_portal_cannot_be_taken() {
    let kit = Kit::new().await;
    let other = portal(&kit.store, "Second").await;
    write(&kit, vec![DirectoryChange::Token(token(kit.portal, 1))]).await;
    let steal = Changes { directory: vec![DirectoryChange::Token(token(other, 1))], ..Changes::default() };
    assert!(matches!(apply(&kit.store, other, Target::Directory, steal).await, Err(StoreError::Conflict(_))));
    assert_eq!(kit.store.token_by_hash(&TokenHash([1; 32])).await.unwrap().unwrap().0.portal_id, kit.portal);
    assert!(kit.store.directory(other).await.unwrap().unwrap().tokens().is_empty());
}

#[tokio::test]
async fn an_app_is_known_by_its_id_all_over_the_server() {
    let kit = Kit::new().await;
    let other = portal(&kit.store, "Second").await;
    let app = |name: &str| {
        DirectoryChange::App(App {
            id: AppId(4410),
            name: name.into(),
            avatar: None,
            client_secret: "secret".into(),
            developer_key: "key".into(),
            user_id: None,
            old_secret: None,
            old_key: None,
            active: true,
            created_at: NOON,
        })
    };
    write(&kit, vec![app("Ours")]).await;
    let before = kit.store.directory(other).await.unwrap().unwrap();
    // What else the change wanted goes with it, and those beside it in the batch stay.
    let steal =
        |directory| apply(&kit.store, other, Target::Directory, Changes { directory, ..Changes::default() });
    let (refused, done) = tokio::join!(
        steal(vec![DirectoryChange::Token(token(other, 1)), app("Theirs")]),
        write(&kit, vec![app("Renamed"), DirectoryChange::Inbox(inbox(InboxId(2)))])
    );
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
    assert_eq!(done.changes.directory.len(), 2);
    assert_eq!(kit.store.token_by_hash(&TokenHash([1; 32])).await.unwrap(), None);
    assert_eq!(*kit.store.directory(other).await.unwrap().unwrap(), *before);
    let after = kit.store.directory(kit.portal).await.unwrap().unwrap();
    assert_eq!(after.app(AppId(4410)).unwrap().name, "Renamed");
    let kit = kit.reopen().await;
    assert_eq!(kit.store.directory(other).await.unwrap().unwrap(), before);
    assert_eq!(kit.store.directory(kit.portal).await.unwrap().unwrap(), after);
}

#[tokio::test]
async fn portals_are_made_once() {
    let kit = Kit::new().await;
    let quota = Quota { messages: Some(10), bytes: None };
    let profile =
        Profile { time_zone: "Europe/Berlin".into(), currency: "EUR".into(), account_type: "SANDBOX".into() };
    let make = |id| kit.store.portal_create(id, "Next".into(), profile.clone(), quota);
    assert_eq!(make(Some(kit.portal)).await.unwrap(), None);
    let chosen = make(Some(PortalId(50))).await.unwrap().unwrap();
    assert_eq!((chosen.id, chosen.quota, chosen.created_at), (PortalId(50), quota, NOON));
    assert_eq!(chosen.profile, profile);
    assert_eq!(make(None).await.unwrap().unwrap().id, PortalId(51));
    let ids = async |kit: &Kit| -> Vec<i64> {
        kit.store.portals(None, 10).await.unwrap().iter().map(|portal| portal.id.0).collect()
    };
    assert_eq!(ids(&kit).await, [1, 50, 51]);
    let kit = kit.reopen().await;
    assert_eq!(ids(&kit).await, [1, 50, 51]);
    assert_eq!(kit.store.directory(PortalId(50)).await.unwrap().unwrap().portal, chosen);

    let renamed =
        Portal { name: "Renamed".into(), quota: Quota::default(), profile: "Europe/Lisbon".into(), ..chosen };
    let changes = Changes { directory: vec![DirectoryChange::Portal(renamed.clone())], ..Changes::default() };
    apply(&kit.store, PortalId(50), Target::Directory, changes).await.unwrap();
    assert_eq!(kit.store.directory(PortalId(50)).await.unwrap().unwrap().portal, renamed);
}

#[tokio::test]
async fn grants_are_found_by_what_takes_them_up() {
    let kit = Kit::new().await;
    let login = Login {
        invite: Some((TokenHash([4; 32]), NOON)),
        totp: Some(Totp(vec![1, 2, 3])),
        totp_asked: Some(Totp(vec![4])),
        recovery: vec![TokenHash([0xab; 32]), TokenHash([1; 32])],
        subject: Some("issuer subject".into()),
        ..Login::new(7, "hash".into(), Role::Admin, NOON)
    };
    let uris = vec!["https://example.org/back".into(), "http://127.0.0.1/x?y=1".into()];
    let client =
        Client { app_id: AppId(4410), redirect_uris: uris, scopes: vec!["oauth".into(), "files".into()] };
    let code = Code {
        hash: TokenHash([1; 32]),
        redirect_uri: "https://example.org/back".into(),
        challenge: None,
        expires_at: NOON + 5,
        used_at: None,
    };
    let asked = Grant {
        id: 3,
        app_id: AppId(4410),
        user_id: Some(7),
        scopes: vec!["oauth".into()],
        created_at: NOON,
        code: Some(code.clone()),
        refresh: None,
        refresh_ended_at: None,
        ended_at: None,
        uninstalled_at: None,
        deleted_at: None,
    };
    let own = Grant { id: 4, user_id: None, code: None, scopes: Vec::new(), ..asked.clone() };
    let changes = vec![
        DirectoryChange::Login(login.clone()),
        DirectoryChange::Client(client.clone()),
        DirectoryChange::Grant(asked.clone()),
        DirectoryChange::Grant(own.clone()),
    ];
    write(&kit, changes).await;
    let taken = Grant {
        code: Some(Code { used_at: Some(NOON), ..code }),
        refresh: Some(TokenHash([2; 32])),
        refresh_ended_at: Some(NOON + 1),
        ended_at: Some(NOON + 2),
        uninstalled_at: Some(NOON + 3),
        ..asked
    };
    write(&kit, vec![DirectoryChange::Grant(taken.clone())]).await;
    let kit = kit.reopen().await;
    let directory = kit.store.directory(kit.portal).await.unwrap().unwrap();
    assert_eq!((directory.login(7), directory.client(AppId(4410))), (Some(&login), Some(&client)));
    for secret in [[1; 32], [2; 32]] {
        assert_eq!(directory.grant_of(&TokenHash(secret)), Some(&taken));
    }
    assert_eq!(directory.grant_of(&TokenHash([3; 32])), None);
    assert_eq!(directory.grants().get(&4).map(|grant| Grant::clone(grant)), Some(own));
    let next = kit.store.change(kit.portal, Target::Directory, |_, moment| {
        let login = Login::new(moment.subscription_id().0, String::new(), Role::ReadOnly, NOON);
        Ok::<_, No>(Changes { directory: vec![DirectoryChange::Login(login)], ..Changes::default() })
    });
    let DirectoryChange::Login(login) = &next.await.unwrap().unwrap().changes.directory[0] else { panic!() };
    assert_eq!(login.agent_id, 5, "no grant's id is given out again");
}

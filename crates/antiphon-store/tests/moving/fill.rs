//! Stores with something in every table.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use antiphon_cluster::Database;
use antiphon_store::*;

use crate::kit::*;

/// Somewhere a store can be.
pub struct Place {
    pub dir: tempfile::TempDir,
    pub database: Option<Database>,
}

impl Place {
    pub fn directory() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), database: None }
    }

    pub fn database() -> Self {
        let database = antiphon_cluster::shared().unwrap().database().unwrap();
        Self { database: Some(database), ..Self::directory() }
    }

    pub fn settings(&self) -> Settings {
        let layout = Some(Layout::Partitioned(3));
        let postgres =
            self.database.as_ref().map(|database| Postgres { layout, ..Postgres::new(database.url()) });
        let clock = Arc::new(AtomicI64::new(NOON + 1_000_000));
        let clock: Arc<dyn Fn() -> Millis + Send + Sync> =
            Arc::new(move || clock.load(std::sync::atomic::Ordering::Relaxed));
        let key = KeySource::Given(MasterKey::new([7; 32]));
        Settings { postgres, key, clock: Some(clock), ..Settings::new(self.dir.path()) }
    }

    pub fn open(&self) -> Store {
        Store::open(self.settings()).unwrap()
    }
}

/// Two portals that were filled in turns, so that nothing stands in one portal's order.
pub async fn fill(store: &Store) -> Vec<PortalId> {
    let portals = vec![portal(store, "First").await, portal(store, "Second").await];
    for id in &portals {
        people(store, *id).await;
    }
    for turn in 0..6 {
        for id in &portals {
            conversation(store, *id, turn).await;
        }
    }
    for owner in portals.iter().chain([&PortalId::SERVER]) {
        for n in 0..2 {
            let one = Audited {
                id: [0; 16],
                at: NOON + n,
                actor: format!("A-{n}"),
                action: "inboxes.create".into(),
                address: "192.0.2.7".into(),
                said: format!(r#"[{{"object":"INBOX","after":{{"name":"Zoë 🦊 of {owner}"}}}}]"#),
            };
            store.audit_put(*owner, one).await.unwrap();
        }
    }
    for id in &portals {
        purged(store, *id).await;
        // The spine need not begin at its first event.
        assert!(store.events_purge(*id, NOON + 1_000_001, i64::MIN).await.unwrap() > 0);
        beside(store, *id).await;
        for nonce in [i64::MIN, -1, 7] {
            store.visitor_token_put(*id, NOON, nonce, format!("said {nonce} of {id}")).await.unwrap();
        }
        for (n, pair) in [(1, None), (2, Some((TokenHash([3; 32]), NOON + 1)))] {
            let session = Session {
                id: SessionId([n; 16]),
                agent_id: 7,
                login_at: NOON,
                created_at: NOON,
                turned_at: NOON + 2,
                ends_at: NOON + 3,
                secret: TokenHash([n; 32]),
                next: pair,
                old: pair.map(|(_, at)| (TokenHash([4; 32]), at)),
                browser: format!("Browser of {id}"),
                address: "192.0.2.7".into(),
            };
            store.session_put(*id, session).await.unwrap();
        }
    }
    portals
}

/// What lies beside a thread, and ready-made words.
async fn beside(store: &Store, id: PortalId) {
    let thread_id = ThreadId(3);
    let thread = store.thread_by_id(id, thread_id).await.unwrap().unwrap();
    let (message_id, position) = (thread.latest_message_id.unwrap(), Position(0));
    let mark = |reader: &str| ReadMark { thread_id, reader: reader.into(), message_id, position, at: NOON };
    let draft = StoredDraft {
        thread_id,
        agent_id: 7,
        kind: MessageKind::Comment,
        preview: "Zoë 🦊".into(),
        body: "{\"text\":\"Zoë 🦊\"}".into(),
        touched_at: NOON,
    };
    let calling =
        Calling { agent_id: 7, thread_id, message_id, position, caller: "A-8".into(), at: NOON, seen: true };
    let desk = vec![
        DeskChange::Read(mark("A-7")),
        DeskChange::Read(mark("V-1")),
        DeskChange::Draft(draft),
        DeskChange::Called(calling),
    ];
    let words = CannedReply {
        id: 900,
        owner_id: None,
        shared: true,
        name: "Greeting".into(),
        shortcut: Some("hi".into()),
        text: "Hello".into(),
        rich_text: "<p>Hello</p>".into(),
        created_at: NOON,
        updated_at: NOON,
    };
    let canned = vec![CannedChange::Put(words)];
    let chats = vec![Chat {
        thread_id,
        account_id: ACCOUNT,
        visitor_key: "tab".into(),
        said: Some(r#"{"m":"Zoë@example.org"}"#.into()),
        said_of: Some(said_of("Zoë@example.org")),
    }];
    let changes = Changes { desk, canned, chats, ..Changes::default() };
    apply(store, id, Target::Thread(thread_id), changes).await.unwrap();
}

async fn people(store: &Store, id: PortalId) {
    let made = store.change(id, Target::Directory, move |_, moment| {
        let now = moment.now;
        let app = moment.app_id();
        let mut visitor = |contact: bool, email: Option<&str>, phone: Option<&str>| Visitor {
            id: moment.visitor_id(),
            contact,
            name: email.map(|_| "Zoë 🦊".into()),
            email: email.map(Into::into),
            phone: phone.map(Into::into),
            avatar: None,
            created_at: now,
            updated_at: now,
        };
        let visitors = vec![
            visitor(false, None, None),
            visitor(true, Some("Zoe@Example.org"), None),
            visitor(true, Some("max@example.org"), Some("+491234")),
        ];
        let identifier = Identifier { kind: "HS_EMAIL_ADDRESS".into(), value: "Zoe@Example.org".into() };
        Ok::<_, No>(Changes {
            identities: vec![(ACCOUNT, identifier, visitors[1].id)],
            visitors,
            tickets: vec![Ticket { id: moment.ticket_id(), subject: "It is broken".into(), created_at: now }],
            files: vec![File {
                id: moment.file_id(),
                name: "picture.png".into(),
                media_type: "image/png".into(),
                size: Some(7),
                url: "https://example.org/picture.png".into(),
                extension: "png".into(),
                folder: 2,
                access: Access::Private,
                md5: Some("00".into()),
                encoding: Some("png".into()),
                width: Some(3),
                height: Some(4),
                usable: true,
                conversational: true,
                created_at: now,
                updated_at: now,
                expires_at: Some(now + 1),
                ..File::default()
            }],
            folders: vec![Folder {
                id: moment.file_id(),
                name: "Bilder".into(),
                created_at: now,
                updated_at: now,
                ..Folder::default()
            }],
            blobs: vec![Blob { sha: [7; 32], object: "seven".into(), size: 7, tombstone_at: Some(now) }],
            file_tasks: vec![FileTask {
                id: "import".into(),
                kind: FileTaskKind::Import,
                status: FileTaskStatus::Processing,
                body: "{}".into(),
                requested_at: now,
                started_at: Some(now),
                completed_at: None,
                leased_until: 1,
                object: None,
                errors: "[]".into(),
            }],
            directory: vec![
                DirectoryChange::Actor(Actor {
                    kind: ActorKind::Agent,
                    id: moment.actor_id(),
                    name: Some("Mia".into()),
                    email: None,
                    avatar: None,
                    active: false,
                    created_at: now,
                }),
                DirectoryChange::App(App {
                    id: app,
                    name: "Shop".into(),
                    avatar: None,
                    client_secret: "secret".into(),
                    developer_key: "key".into(),
                    user_id: Some(7),
                    old_secret: None,
                    old_key: None,
                    active: true,
                    created_at: now,
                }),
                DirectoryChange::Webhook(Webhook {
                    app_id: app,
                    target_url: "https://example.org/hook".into(),
                    max_concurrent: 10,
                    created_at: now,
                    updated_at: Some(now),
                    paused: Some(Paused { at: now, why: "It is broken".into() }),
                    closing_at: Some(now),
                    deleted_at: None,
                }),
                DirectoryChange::Subscription(Subscription {
                    id: moment.subscription_id(),
                    app_id: app,
                    event_type: "conversation.propertyChange".into(),
                    property_name: Some("status".into()),
                    object_type_id: None,
                    event_type_name: None,
                    active: true,
                    expand: Expand { thread: true, ..Expand::default() },
                    ordered: true,
                    created_at: now,
                    updated_at: None,
                    deleted_at: None,
                    since: 0,
                    since_at: 0,
                }),
                DirectoryChange::JournalSubscription(JournalSubscription {
                    id: moment.subscription_id(),
                    app_id: app,
                    body: "{}".into(),
                    filters: "[]".into(),
                    created_at: now,
                    updated_at: now,
                    deleted_at: None,
                }),
                DirectoryChange::Channel(Channel {
                    id: moment.channel_id(),
                    app_id: app,
                    name: "Harbour SMS".into(),
                    webhook_url: Some("https://example.org/events".into()),
                    redirect_url: None,
                    description: None,
                    logo_url: None,
                    capabilities: "{}".into(),
                    created_at: now,
                    archived_at: None,
                }),
                DirectoryChange::Login(Login {
                    agent_id: 7,
                    password: "$argon2id$hash".into(),
                    role: Role::ReadOnly,
                    changed_at: now,
                    invite: Some((TokenHash([4; 32]), now)),
                    totp: Some(Totp(vec![1, 2, 3])),
                    totp_asked: Some(Totp(vec![4])),
                    recovery: vec![TokenHash([0xab; 32]), TokenHash([1; 32])],
                    subject: Some("issuer subject".into()),
                }),
                DirectoryChange::Client(Client {
                    app_id: app,
                    redirect_uris: vec!["https://example.org/back".into(), "http://127.0.0.1/".into()],
                    scopes: vec!["oauth".into()],
                }),
                DirectoryChange::Grant(Grant {
                    id: moment.subscription_id().0,
                    app_id: app,
                    user_id: Some(7),
                    scopes: vec!["oauth".into(), "conversations.read".into()],
                    created_at: now,
                    code: Some(Code {
                        hash: TokenHash([5; 32]),
                        redirect_uri: "https://example.org/back".into(),
                        challenge: Some("S256:abc".into()),
                        expires_at: now + 1,
                        used_at: Some(now),
                    }),
                    refresh: Some(TokenHash([6; 32])),
                    refresh_ended_at: None,
                    ended_at: Some(now),
                    uninstalled_at: None,
                    deleted_at: None,
                }),
                DirectoryChange::Install(Install {
                    app_id: app,
                    home: id,
                    scopes: vec!["oauth".into()],
                    installed_at: now,
                    uninstalled_at: None,
                }),
                DirectoryChange::Install(Install {
                    app_id: AppId(99),
                    home: id,
                    scopes: Vec::new(),
                    installed_at: now,
                    uninstalled_at: Some(now),
                }),
                DirectoryChange::Tag(Tag {
                    id: TagId(moment.subscription_id().0),
                    name: "VIP".into(),
                    color: 4,
                    created_at: now,
                    archived_at: Some(now),
                }),
                DirectoryChange::View(View {
                    id: ViewId(moment.subscription_id().0),
                    name: "Mine".into(),
                    shared: false,
                    owner: Some(7),
                    position: 3,
                    inboxes: vec![INBOX],
                    accounts: vec![ACCOUNT],
                    states: vec![WorkState::Open, WorkState::Closed],
                    whose: ViewWhose::Mine,
                    tag: Some(TagId(1)),
                    created_at: now,
                    deleted_at: None,
                }),
                DirectoryChange::StagingToken(StagingToken {
                    hash: TokenHash([7; 32]),
                    channel_id: 1_000_000,
                    inbox_id: InboxId(1),
                    user_id: 1,
                    account_name: Some("Harbour".into()),
                    identifier: Some(Identifier { kind: "HS_SHORT_CODE".into(), value: "777".into() }),
                    account_id: None,
                    created_at: now,
                    expires_at: now + 1,
                    deleted_at: None,
                }),
                DirectoryChange::Token(Token {
                    hash: TokenHash([id.0 as u8; 32]),
                    portal_id: id,
                    app_id: app,
                    label: "first".into(),
                    scopes: vec!["a".into(), "b".into()],
                    created_at: now,
                    expires_at: Some(now + 1),
                    revoked_at: None,
                    grant_id: None,
                    deleted_at: None,
                }),
            ],
            ..Changes::default()
        })
    });
    let made = made.await.unwrap().unwrap();
    let app = made.changes.directory.iter().find_map(|change| match change {
        DirectoryChange::App(app) => Some(app.id),
        _ => None,
    });
    told(store, id, app.unwrap()).await;
    store.uses_note(id, vec![(Used::Grant(3), NOON), (Used::Token(TokenHash([1; 32])), NOON)]).await.unwrap();
    store.try_begin(id, [1; 32], NOON).await.unwrap().unwrap();
}

/// An app was told of something, and did not take all of it.
async fn told(store: &Store, id: PortalId, app: AppId) {
    let epoch = store.cursor_take(id, Reader::Webhooks, app).await.unwrap().unwrap().epoch;
    let attempt = Attempt {
        id: 1,
        at: NOON,
        url: "https://example.org/hook".into(),
        succeeded: false,
        status: None,
        error: Some("It hung up".into()),
        millis: 5_000,
        excerpt: String::new(),
        events: "[[2,1,0]]".into(),
    };
    let failed = |position: i64, due_at| Delivery {
        position,
        subscription_id: SubscriptionId(1),
        object_id: 1,
        attempts: 1,
        first_at: NOON,
        last_at: NOON,
        due_at,
        loose: false,
        error: "It hung up".into(),
    };
    let failed = vec![failed(2, Some(NOON + 60_000)), failed(3, None)];
    let done = Progress { epoch, position: 3, next_entry: 2, attempts: vec![attempt], failed, done: vec![] };
    assert!(store.progress(id, app, done).await.unwrap());
}

/// A thread in the turn's own state, with entries of several kinds.
async fn conversation(store: &Store, id: PortalId, turn: i64) {
    let thread = thread(store, id, move |thread| {
        thread.visitor_id = VisitorId(1 + turn % 3);
        thread.spam = turn == 2;
        thread.tags = (1..=turn % 3).map(TagId).collect();
        thread.snoozed_until = (turn == 1).then_some(NOON + 9);
        thread.preview = (turn > 1).then(|| format!("Beginning {turn}"));
        thread.assigned_to = (turn > 3).then(|| "A-1".into());
        thread.ticket_id = (turn == 3).then_some(TicketId(1));
        thread.subject = (turn > 0).then(|| format!("Subject {turn}"));
        if turn == 4 {
            (thread.status, thread.closed_at) = (ThreadStatus::Closed, Some(NOON));
        }
    })
    .await;
    if turn == 0 {
        return;
    }
    for n in 0..turn * 3 {
        say(store, id, thread.id, &format!("{{\"turn\":{turn},\"n\":{n},\"archived\":")).await.unwrap();
    }
    let told = store.change(id, Target::Thread(thread.id), move |state, moment| {
        let mut thread = state.thread.clone().ok_or(No)?;
        let mut new = message(&thread, moment, &format!("{{\"long\":{turn},\"archived\":"));
        new.direction = Some(Direction::Incoming);
        new.original = Some(b"{\"text\":\"all of it\"}".to_vec());
        (new.people, new.files) = (vec![VisitorId(2), VisitorId(3)], vec![1]);
        (thread.latest_message_at, thread.latest_received_at) = (Some(new.created_at), Some(new.created_at));
        (thread.latest_message_id, thread.latest_entry_at) = (Some(new.id), new.created_at);
        thread.archived_at = (turn == 5).then_some(moment.now);
        let earlier = Earlier { thread_id: thread.id, message_id: new.id };
        Ok::<_, No>(Changes {
            thread_keys: vec![(ACCOUNT, format!("key {turn}"), thread.id)],
            chats: vec![Chat {
                thread_id: thread.id,
                account_id: ACCOUNT,
                visitor_key: format!("visitor {}", turn % 2),
                said: (turn > 2).then(|| format!("{{\"u\":\"{turn}\"}}")),
                said_of: None,
            }],
            idempotency_keys: vec![(ACCOUNT, format!("once {turn}"), earlier)],
            threads: vec![thread],
            messages: vec![new],
            ..Changes::default()
        })
    });
    told.await.unwrap().unwrap();
}

/// A thread that is gone and has entries still to be erased.
async fn purged(store: &Store, id: PortalId) {
    let gone = thread(store, id, |_| {}).await.id;
    for n in 0..200 {
        say(store, id, gone, &format!("{{\"gone\":{n},\"archived\":")).await.unwrap();
    }
    let archived = Thread {
        archived_at: Some(NOON),
        ..Thread::clone(&store.thread_by_id(id, gone).await.unwrap().unwrap())
    };
    for changes in [
        Changes { threads: vec![archived], ..Changes::default() },
        Changes { purged: vec![gone], ..Changes::default() },
    ] {
        apply(store, id, Target::Thread(gone), changes).await.unwrap();
    }
    assert!(store.purge_step(id).await.unwrap());
}

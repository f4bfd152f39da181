//! Programs of two versions on one database: the newer one has migrated it while the older one serves.

use std::convert::Infallible;
use std::time::Duration;

use antiphon_cluster::Database;

use super::super::Engine;
use super::*;
use crate::*;

/// How many steps this program knows.
const KNOWN: i64 = MIGRATIONS.len() as i64;

/// What a later program knows besides: one migration more.
fn later(sql: String, oldest: i64) -> &'static [Migration] {
    let mut known = MIGRATIONS.to_vec();
    known.push(Migration { sql: sql.leak(), oldest });
    known.leak()
}

/// A table, and a column at the end of every other.
fn wider() -> &'static [Migration] {
    let tables = EVERYWHERE.into_iter().chain(["leases", "migrations"]);
    let tables = tables.chain(MIGRATIONS.iter().flat_map(|migration| placed(migration.sql)));
    let mut sql =
        "CREATE TABLE notes (\n    portal_id BIGINT NOT NULL,\n    id BIGINT NOT NULL,\n    PRIMARY KEY (portal_id, id)\n) PLACED;\n"
            .to_owned();
    for table in tables {
        sql += &format!("ALTER TABLE {table} ADD COLUMN later TEXT;\n");
    }
    later(sql, 1)
}

fn node(database: &Database, known: &'static [Migration], layout: Layout) -> Engine {
    open(database, known, layout).unwrap_or_else(|e| panic!("{e}"))
}

fn open(database: &Database, known: &'static [Migration], layout: Layout) -> Result<Engine, OpenError> {
    let at = Postgres { connections: 2, writers: 1, layout: Some(layout), ..Postgres::new(database.url()) };
    let key = KeySource::Given(MasterKey::new([7; 32]));
    Engine::open_knowing(Settings { key, ..Settings::new(std::env::temp_dir()) }, &at, known)
}

/// One row at least in every table, and an update of every kind of row. `name` is in whatever has to be unique.
fn everything(state: &State, moment: &mut Moment, name: &str) -> Changes {
    let now = moment.now;
    let (inbox, account, app) = (moment.inbox_id(), moment.account_id(), moment.app_id());
    let identifier = Identifier { kind: "HS_EMAIL_ADDRESS".into(), value: format!("{name}@example.org") };
    let visitor = Visitor {
        id: moment.visitor_id(),
        contact: false,
        name: Some(name.into()),
        email: None,
        phone: None,
        avatar: None,
        created_at: now,
        updated_at: now,
    };
    let mut hash = [0; 32];
    hash[..name.len()].copy_from_slice(name.as_bytes());
    let portal_id = state.directory.portal.id;
    let thread = Thread {
        id: moment.thread_id(),
        number: 0,
        inbox_id: inbox,
        channel_id: 1000,
        account_id: account,
        visitor_id: visitor.id,
        status: ThreadStatus::Open,
        spam: false,
        assigned_to: None,
        ticket_id: None,
        subject: None,
        snoozed_until: Some(now),
        tags: vec![TagId(7)],
        preview: None,
        created_at: now,
        closed_at: None,
        archived_at: None,
        latest_message_at: Some(now),
        latest_sent_at: Some(now),
        latest_received_at: None,
        latest_message_id: None,
        latest_entry_at: now,
        entries: 0,
        revision: 0,
    };
    let file = File {
        id: moment.file_id(),
        name: name.into(),
        media_type: "text/plain".into(),
        size: Some(1),
        url: format!("https://files.example/{name}"),
        created_at: now,
        ..File::default()
    };
    let message = NewMessage {
        id: moment.message_id(now),
        thread_id: thread.id,
        kind: MessageKind::Message,
        direction: Some(Direction::Outgoing),
        created_at: now,
        document: Document { format: Document::FORMAT, bytes: name.as_bytes().to_vec() },
        original: Some(b"{}".to_vec()),
        people: vec![visitor.id],
        files: vec![file.id],
    };
    let earlier = Earlier { thread_id: thread.id, message_id: message.id };
    Changes {
        directory: vec![
            DirectoryChange::Portal(state.directory.portal.clone()),
            DirectoryChange::App(App {
                id: app,
                name: name.into(),
                avatar: None,
                client_secret: "secret".into(),
                developer_key: "key".into(),
                user_id: None,
                active: true,
                created_at: now,
                old_secret: None,
                old_key: None,
            }),
            DirectoryChange::Token(Token {
                hash: TokenHash(hash),
                portal_id,
                app_id: app,
                label: name.into(),
                scopes: ["conversations.read".into()].into(),
                created_at: now,
                expires_at: None,
                revoked_at: None,
                grant_id: None,
                deleted_at: None,
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
                role: crate::Role::ReadOnly,
                changed_at: now,
                invite: Some((TokenHash([4; 32]), now)),
                totp: Some(crate::Totp(vec![1, 2, 3])),
                totp_asked: None,
                recovery: vec![TokenHash([0xab; 32]), TokenHash([1; 32])],
                subject: Some("issuer subject".into()),
            }),
            DirectoryChange::Client(crate::Client {
                app_id: app,
                redirect_uris: vec!["https://example.org/back".into(), "http://127.0.0.1/".into()],
                scopes: vec!["oauth".into()],
            }),
            DirectoryChange::Install(Install {
                app_id: app,
                home: portal_id,
                scopes: vec!["oauth".into()],
                installed_at: now,
                uninstalled_at: None,
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
            DirectoryChange::Inbox(Inbox {
                id: inbox,
                name: name.into(),
                kind: InboxKind::Inbox,
                assign_on_reply: false,
                created_at: now,
                updated_at: now,
                archived_at: None,
            }),
            DirectoryChange::Account(Account {
                id: account,
                channel_id: 1000,
                inbox_id: inbox,
                name: name.into(),
                active: true,
                authorized: true,
                identifier: None,
                adapter: Adapter::Stored,
                welcome: None,
                chat: None,
                created_at: now,
                archived_at: None,
            }),
            DirectoryChange::Actor(Actor {
                kind: ActorKind::Agent,
                id: moment.actor_id(),
                name: Some(name.into()),
                email: None,
                avatar: None,
                active: true,
                created_at: now,
            }),
        ],
        events: vec![NewEvent {
            kind: EventKind::MessageAdded,
            object: ObjectKind::Thread,
            object_id: thread.id.0,
            occurred_at: now,
            payload: name.into(),
        }],
        tickets: vec![Ticket { id: moment.ticket_id(), subject: name.into(), created_at: now }],
        identities: vec![(account, identifier, visitor.id)],
        thread_keys: vec![(account, name.into(), thread.id)],
        idempotency_keys: vec![(account, name.into(), earlier)],
        visitors: vec![visitor],
        files: vec![file],
        messages: vec![message],
        threads: vec![thread],
        ..Changes::default()
    }
}

/// Has a node do everything once, with a portal of its own too; the thread that was begun.
async fn write(node: &Engine, portal: PortalId, name: &str) -> ThreadId {
    let begun = name.to_owned();
    let rule =
        move |state: &State, moment: &mut Moment| Ok::<_, Infallible>(everything(state, moment, &begun));
    let Ok(applied) = node.change(portal, Target::Directory, rule).await.unwrap();
    let thread = applied.changes.threads[0].clone();
    let again = move |state: &State, _: &mut Moment| {
        let mut thread = state.thread.clone().unwrap();
        thread.archived_at = Some(1);
        Ok::<_, Infallible>(Changes { threads: vec![thread], ..Changes::default() })
    };
    let Ok(_) = node.change(portal, Target::Thread(thread.id), again).await.unwrap();
    assert!(node.portal_create(None, name.into(), "UTC".into(), Quota::default()).await.unwrap().is_some());
    node.lease(name).await.unwrap().unwrap().release().await;
    node.visitor_token_put(portal, 1, thread.id.0, name.into()).await.unwrap();
    thread.id
}

/// Reads what a node wrote, and erases it.
async fn read(node: &Engine, portal: PortalId, thread: ThreadId, name: &str) {
    let mut hash = [0; 32];
    hash[..name.len()].copy_from_slice(name.as_bytes());
    assert!(node.token_by_hash(&TokenHash(hash)).await.unwrap().is_some());
    assert_eq!(node.thread_by_id(portal, thread).await.unwrap().unwrap().archived_at, Some(1));
    assert_eq!(node.visitor_token(portal, 1, thread.0).await.unwrap().as_deref(), Some(name));
    let events = node.events_after(portal, 0, 1_000).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.payload == name).count(), 1);
    assert!((1..).zip(&events).all(|(place, event)| event.position == place));
    let purge = move |_: &State, _: &mut Moment| {
        Ok::<_, Infallible>(Changes { purged: vec![thread], ..Changes::default() })
    };
    let Ok(_) = node.change(portal, Target::Thread(thread), purge).await.unwrap();
    while node.purge_step(portal).await.unwrap() {}
    assert!(node.thread_by_id(portal, thread).await.unwrap().is_none());
}

async fn two_versions(layout: Layout) {
    let database = antiphon_cluster::shared().unwrap().database().unwrap();
    let old = node(&database, MIGRATIONS, layout);
    let made = old.portal_create(None, "Acme".into(), "UTC".into(), Quota::default()).await;
    let portal = made.unwrap().unwrap().id;
    let before = write(&old, portal, "before").await;
    let new = node(&database, wider(), layout);
    // The older one has its statements prepared, and its connections open.
    for round in 0..5 {
        let (of_old, of_new) = (format!("old {round}"), format!("new {round}"));
        let (by_old, by_new) = tokio::join!(write(&old, portal, &of_old), write(&new, portal, &of_new));
        tokio::join!(read(&old, portal, by_new, &of_new), read(&new, portal, by_old, &of_old));
    }
    old.close().await;
    let old = node(&database, MIGRATIONS, layout);
    read(&old, portal, before, "before").await;
    let by_old = write(&old, portal, "again").await;
    read(&new, portal, by_old, "again").await;
    new.close().await;
    old.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_of_two_versions_serve_together() {
    two_versions(Layout::Plain).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_of_two_versions_serve_together_on_partitions() {
    two_versions(Layout::Partitioned(3)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_fails_while_another_node_migrates() {
    let database = antiphon_cluster::shared().unwrap().database().unwrap();
    let old = node(&database, MIGRATIONS, Layout::Plain);
    let made = old.portal_create(None, "Acme".into(), "UTC".into(), Quota::default()).await;
    let portal = made.unwrap().unwrap().id;
    write(&old, portal, "first").await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let load = async {
        let mut written = 0;
        while !*stopped.borrow() {
            write(&old, portal, &format!("under load {written}")).await;
            written += 1;
        }
        written
    };
    let migrated = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let new = tokio::task::block_in_place(|| node(&database, wider(), Layout::Plain));
        tokio::time::sleep(Duration::from_millis(100)).await;
        stop.send_replace(true);
        new
    };
    let (written, new) = tokio::join!(load, migrated);
    let events = new.events_after(portal, 0, 10_000).await.unwrap();
    assert_eq!(
        events.iter().filter(|event| event.payload.starts_with("under load")).count(),
        written,
        "each is told once"
    );
    assert!(written > 1);
    new.close().await;
    old.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_refused_whose_schema_was_taken_apart() {
    let database = antiphon_cluster::shared().unwrap().database().unwrap();
    let known = MIGRATIONS.len() as i64;
    let breaking = later("DROP TABLE mentions;\n".into(), known + 1);
    node(&database, breaking, Layout::Plain).close().await;
    match open(&database, MIGRATIONS, Layout::Plain) {
        Err(OpenError::Newer(_, found, known)) if (found, known) == (KNOWN + 1, KNOWN) => {}
        Err(e) => panic!("{e}"),
        Ok(_) => panic!("it opened"),
    }
    // Who knows that step only, and not the harmless one behind it, is not refused.
    let mut further = breaking.to_vec();
    further.push(Migration { sql: "ALTER TABLE messages ADD COLUMN later TEXT;\n", oldest: KNOWN + 1 });
    node(&database, further.leak(), Layout::Plain).close().await;
    node(&database, breaking, Layout::Plain).close().await;
    let refused = open(&database, MIGRATIONS, Layout::Plain);
    assert!(matches!(refused, Err(OpenError::Newer(_, found, KNOWN)) if found == KNOWN + 2));
}

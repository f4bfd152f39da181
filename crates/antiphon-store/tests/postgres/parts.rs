//! Where tables are in parts by portal, every statement stays in one of them. The behaviour suite is looked at as a whole;
//! here is shown that whoever strays is found out.

use antiphon_store::*;
use futures_util::future::poll_fn;
use tokio_postgres::{AsyncMessage, Client, NoTls};

use crate::kit;
use crate::plans::{self, Watch};

/// A database in four parts with two portals that are not in the same.
async fn parted() -> (antiphon_cluster::Database, tempfile::TempDir) {
    let database = antiphon_cluster::shared().unwrap().database().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let at = Postgres { layout: Some(Layout::Partitioned(4)), ..Postgres::new(database.url()) };
    let store = Store::open(Settings { postgres: Some(at), ..Settings::new(dir.path()) }).unwrap();
    for name in ["One", "Two"] {
        let portal = kit::portal(&store, name).await;
        kit::thread(&store, portal, |_| {}).await;
    }
    store.close().await;
    let apart = "SELECT count(DISTINCT tableoid) FROM counters WHERE portal_id IN (1, 2)";
    assert_eq!(database.rows(apart).unwrap()[0][0].as_deref(), Some("2"));
    (database, dir)
}

async fn connect(database: &antiphon_cluster::Database) -> Client {
    let url = plans::url(database, &["enable_seqscan=off"]);
    let (client, mut connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notice(notice) = message {
                plans::hear(notice.message());
            }
        }
    });
    client
}

#[tokio::test]
async fn a_statement_that_strays_is_found_out() {
    let (database, _dir) = parted().await;
    let (watch, client) = (Watch::over(&database), connect(&database).await);
    let strays = [
        ("SELECT count(*) FROM threads WHERE portal_id = $1 OR true", "reads the parts"),
        ("SELECT id FROM threads WHERE id = 1 AND $1::bigint > 0", "names no portal in threads_"),
        ("SELECT id FROM threads WHERE portal_id IN ($1::bigint, 2) AND id = 1", "reads the parts"),
        (
            "SELECT t.id FROM threads t JOIN visitors v ON v.id = t.visitor_id WHERE t.portal_id = $1 AND v.portal_id = 2",
            "reads the parts",
        ),
        ("SELECT id FROM threads WHERE portal_id % 4 = $1::bigint", "walks threads_"),
        ("UPDATE threads SET revision = revision WHERE id = $1", "names no portal in threads_"),
        ("DELETE FROM threads WHERE portal_id > $1", "reads the parts"),
        (
            "INSERT INTO tallies VALUES ($1, 0, 0, 0, 0, 0, 0, now()) ON CONFLICT (portal_id, slot) DO UPDATE SET written_at = now()",
            "has now() behind ON CONFLICT",
        ),
        (
            "INSERT INTO thread_keys VALUES ($1, 1, 'k', 1) ON CONFLICT (portal_id, account_id, key) DO UPDATE SET \
             thread_id = 1 WHERE NOT EXISTS (SELECT 1 FROM threads WHERE portal_id = $1)",
            "has SELECT behind ON CONFLICT",
        ),
    ];
    for (sql, wanted) in strays {
        plans::heard();
        client.query(sql, &[&1_i64]).await.unwrap();
        let faults = watch.faults();
        assert!(
            faults.iter().any(|fault| fault.contains(wanted)),
            "{sql}\nis told to have the faults {faults:?}"
        );
    }
    let across = "INSERT INTO thread_keys SELECT p, 1, 'two', 1 FROM unnest(ARRAY[1, $1]) AS p";
    let refused = client.execute(across, &[&2_i32]).await.unwrap_err();
    assert!(refused.as_db_error().unwrap().message().contains("several portals"), "{refused}");

    // And what stays where it belongs is not.
    client.query("SELECT subject FROM threads WHERE portal_id = $1 AND id = 1", &[&1_i64]).await.unwrap();
}

/// Settings of a store in four parts, or of one in a directory alone.
fn settings(dir: &tempfile::TempDir, database: Option<&antiphon_cluster::Database>) -> Settings {
    let url = |database| plans::url(database, &["enable_seqscan=off"]);
    let layout = Some(Layout::Partitioned(4));
    let postgres = database.map(|database| Postgres { layout, ..Postgres::new(url(database)) });
    let key = KeySource::Given(MasterKey::new([7; 32]));
    Settings { postgres, key, ..Settings::new(dir.path()) }
}

async fn mv(from: Settings, to: Settings) {
    let moved = tokio::task::spawn_blocking(move || Store::move_to(&from, &to, |_| {})).await.unwrap();
    assert!(moved.unwrap().rows() > 10);
}

/// The behaviour suite does not come to all of it.
#[tokio::test]
async fn what_is_seldom_asked_stays_in_its_part_too() {
    plans::listen();
    let [old, there, new] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let store = Store::open(settings(&old, None)).unwrap();
    for name in ["One", "Two"] {
        let portal = kit::portal(&store, name).await;
        let thread = kit::thread(&store, portal, |_| {}).await;
        kit::say(&store, portal, thread.id, "hello").await.unwrap();
    }
    store.close().await;
    drop(store);
    let database = antiphon_cluster::shared().unwrap().database().unwrap();
    mv(settings(&old, None), settings(&there, Some(&database))).await;
    let watch = Watch::over(&database);

    let (store, portal) = (Store::open(settings(&there, Some(&database))).unwrap(), PortalId(1));
    // More inboxes than ranges are merged.
    let directory = (10..50).map(|id| DirectoryChange::Inbox(kit::inbox(InboxId(id)))).collect();
    kit::apply(&store, portal, Target::Directory, Changes { directory, ..Changes::default() }).await.unwrap();
    let query = ThreadQuery {
        archived: false,
        status: None,
        inboxes: Vec::new(),
        visitor: None,
        ticket: None,
        latest_message_from: None,
        sort: ThreadSort::LatestMessage,
        descending: true,
        after: None,
        limit: 10,
    };
    assert_eq!(store.threads(portal, &query, &mut |_| {}).await.unwrap().count, 1);
    let mentioning = |state: &State, moment: &mut Moment| {
        let mut message = kit::message(state.thread.as_ref().unwrap(), moment, "hello");
        (message.people, message.files) = (vec![VisitorId(3)], vec![4]);
        Ok::<_, kit::No>(Changes { messages: vec![message], ..Changes::default() })
    };
    store.change(portal, Target::Thread(ThreadId(1)), mentioning).await.unwrap().unwrap();
    // More events than are numbered at once.
    let waiting = "INSERT INTO unnumbered_events (portal_id, stamp, batch, ordinal, kind, object, object_id, revision, \
                   occurred_at, payload) SELECT 1, n, 1, n, 1, 1, 1, n, 0, '' FROM generate_series(1, 1500) n";
    database.rows(waiting).unwrap();
    assert!(store.event_position(portal).await.unwrap() > 1500);
    store.check(true, |_| true, |_, _| {}).await.unwrap();
    store.close().await;
    drop(store);

    mv(settings(&there, Some(&database)), settings(&new, None)).await;
    for seldom in
        ["AS r (one, two)", "INTO mentions", "u.revision < o.revision", "WITH placed", "JOIN purges"]
    {
        assert!(plans::asked(seldom), "{seldom} was not asked");
    }
    drop(watch);
}

//! Where tables are in parts by portal, every statement stays in one of them. The behaviour suite is looked at as a whole;
//! here is shown that whoever strays is found out.

use antiphon_store::{Layout, Postgres, Settings, Store};
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

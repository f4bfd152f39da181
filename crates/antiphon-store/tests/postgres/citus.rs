//! What `--citus` asks of Citus. There is none here: functions with the names of Citus' own stand in its place, do nothing but
//! look at what they are given, and refuse what Citus' documentation says that it refuses.

use std::collections::BTreeMap;

use antiphon_cluster::Database;
use antiphon_store::{InboxId, Layout, OpenError, Postgres, Settings, Store};

use crate::kit;

const CITUS: &str = include_str!("citus.sql");

fn open(database: &Database, layout: Option<Layout>) -> Result<Store, OpenError> {
    let at = Postgres { layout, ..Postgres::new(database.url()) };
    Store::open(Settings { postgres: Some(at), ..Settings::new(std::env::temp_dir()) })
}

fn prepared() -> Database {
    let database = antiphon_cluster::shared().unwrap().database().unwrap();
    database.rows(CITUS).unwrap();
    database
}

/// How each table is placed, and in which order that was said.
fn placed(database: &Database) -> Vec<(String, String)> {
    let sql = "SELECT logicalrelid::text, place FROM pg_dist_partition ORDER BY ordinal";
    let rows = database.rows(sql).unwrap();
    rows.into_iter().map(|mut row| (row.remove(0).unwrap(), row.remove(0).unwrap())).collect()
}

#[tokio::test]
async fn every_table_with_a_portals_rows_is_placed_by_it_and_the_rest_is_everywhere_or_at_home() {
    let database = prepared();
    let store = open(&database, Some(Layout::Citus)).unwrap();
    let made = store.portal_create(None, "Any".into(), "UTC".into(), antiphon_store::Quota::default()).await;
    assert!(made.unwrap().is_some());
    store.close().await;
    let placed = placed(&database);
    let by_portal: Vec<&str> =
        placed.iter().filter(|(_, place)| place == "by portal_id").map(|(table, _)| table.as_str()).collect();
    let everywhere: Vec<&str> =
        placed.iter().filter(|(_, place)| place == "everywhere").map(|(table, _)| table.as_str()).collect();
    assert_eq!(placed.len(), by_portal.len() + everywhere.len());
    // Apps, tokens and installs belong to portals too, and are looked for before it is known to which.
    let owned = "SELECT relname::text FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attname = 'portal_id' \
                 WHERE relkind = 'r' AND relname NOT IN ('apps', 'tokens', 'installs') ORDER BY 1";
    let owned: Vec<String> =
        database.rows(owned).unwrap().into_iter().map(|mut row| row.remove(0).unwrap()).collect();
    let mut sorted = by_portal.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, owned);
    assert_eq!(everywhere, ["server", "portals", "apps", "tokens", "signing_keys", "installs"]);
    // Leases are the database's own clock's, and migrations are nobody else's business.
    let all =
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'pg_dist_partition'";
    let all: usize = database.rows(all).unwrap()[0][0].as_deref().unwrap().parse().unwrap();
    assert_eq!(all, placed.len() + 2);
}

#[tokio::test]
async fn a_database_on_citus_is_known_again() {
    let database = prepared();
    open(&database, Some(Layout::Citus)).unwrap().close().await;
    let before = placed(&database);
    for layout in [None, Some(Layout::Citus)] {
        open(&database, layout).unwrap().close().await;
    }
    assert_eq!(placed(&database), before);
    let error = open(&database, Some(Layout::Plain)).err().unwrap().to_string();
    assert!(error.contains("has distributed tables already"), "{error}");
}

#[tokio::test]
async fn without_citus_nothing_is_made_and_the_error_says_what_to_do() {
    let database = antiphon_cluster::shared().unwrap().database().unwrap();
    let error = open(&database, Some(Layout::Citus)).err().unwrap().to_string();
    assert!(error.contains("CREATE EXTENSION citus"), "{error}");
    let tables = database.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").unwrap();
    assert_eq!(tables[0][0].as_deref(), Some("0"));
}

/// There a change of the directory is committed on several servers, and seen on one a moment before the others.
#[tokio::test]
async fn a_directory_whose_change_is_half_seen_is_asked_for_again() {
    let database = prepared();
    let store = open(&database, Some(Layout::Citus)).unwrap();
    let portal = kit::portal(&store, "Any").await;
    let knows = async || store.directory(portal).await.unwrap().unwrap().inbox(InboxId(2)).is_some();
    assert!(!knows().await);
    database.rows("UPDATE portals SET revision = revision + 1").unwrap();
    assert!(!knows().await);
    let rest = "INSERT INTO inboxes SELECT portal_id, 2, name, kind, assign_on_reply, created_at, updated_at, NULL, revision + 1 \
                FROM inboxes; UPDATE counters SET directory = directory + 1";
    database.rows(rest).unwrap();
    assert!(knows().await);
    store.close().await;
}

/// The functions have to refuse something, or they would prove nothing.
#[test]
fn what_citus_refuses_is_refused_here() {
    let database = prepared();
    let first = "CREATE TABLE first (portal_id BIGINT PRIMARY KEY); SET LOCAL citus.multi_shard_modify_mode = 'sequential'; \
                 SELECT create_distributed_table('first', 'portal_id', colocate_with => 'none');";
    database.rows(first).unwrap();
    let wrong = BTreeMap::from([
        ("CREATE TABLE t (portal_id BIGINT, id BIGINT PRIMARY KEY)", "a unique index lacks"),
        (
            "CREATE TABLE t (portal_id BIGINT, id BIGINT); CREATE UNIQUE INDEX ON t (id)",
            "a unique index lacks",
        ),
        ("CREATE TABLE t (id BIGINT)", "has no column portal_id"),
        ("CREATE TABLE t (portal_id INT)", "is not of the type"),
        ("CREATE TABLE t (portal_id BIGINT REFERENCES first)", "has a foreign key"),
        ("CREATE TABLE t (portal_id BIGINT) PARTITION BY HASH (portal_id)", "is not an ordinary table"),
        (
            "CREATE TABLE t (portal_id BIGINT PRIMARY KEY); SELECT create_reference_table('t')",
            "is placed already",
        ),
        ("CREATE TABLE t (portal_id BIGINT DEFAULT 1 CHECK (random() > 0.5))", "has a default"),
    ]);
    for (table, why) in wrong {
        let sql = format!(
            "SET LOCAL citus.multi_shard_modify_mode = 'sequential'; {table}; \
             SELECT create_distributed_table('t', 'portal_id', colocate_with => 'first')"
        );
        let error = format!("{:#}", database.rows(&sql).unwrap_err().root_cause());
        assert!(error.contains(why), "{table}: {error}");
    }
    let missing = "SELECT create_distributed_table('first', 'portal_id', colocate_with => 'none')";
    let error = format!("{:#}", database.rows(missing).unwrap_err().root_cause());
    assert!(error.contains("sequential"), "{error}");
    let later = "ALTER TABLE first SET (fillfactor = 50)";
    let error = format!("{:#}", database.rows(later).unwrap_err().root_cause());
    assert!(error.contains("altered after it was placed"), "{error}");
}

//! Both engines keep the same things: their schemas are compared column by column, and every difference is named here.

use std::collections::BTreeSet;

use antiphon_store::{Postgres, Settings, Store};
use rusqlite::Connection;

/// Where the engines differ, and why. What stands behind `+` only PostgreSQL has, what stands behind `-` only SQLite; a bare
/// name is a whole table.
const DIFFERENCES: &[(&str, &[&str])] = &[
    (
        "A thread's entries lie together by its id; SQLite numbers threads over all portals, for its row ids.",
        &[
            "- purges.number INTEGER NOT NULL",
            "- purges KEY (number)",
            "+ purges KEY (portal_id, thread_id)",
            "- threads.number INTEGER NOT NULL",
            "- threads KEY (number)",
            "- threads UNIQUE (portal_id, id)",
            "+ threads KEY (portal_id, id)",
        ],
    ),
    (
        "Every key contains the portal, since that is what rows are placed by.",
        &[
            "- messages KEY (key)",
            "+ messages KEY (portal_id, key)",
            "- originals KEY (message)",
            "+ originals KEY (portal_id, message)",
            "+ originals.portal_id INTEGER NOT NULL",
        ],
    ),
    (
        "Many write at once, so what every message changes is kept in parts, and apart from what gives out ids.",
        &[
            "+ tallies",
            "+ thread_counts.slot INTEGER NOT NULL",
            "- thread_counts KEY (portal_id, tag_id, state, inbox_id, account_id, assigned_to)",
            "+ thread_counts KEY (portal_id, tag_id, state, inbox_id, account_id, assigned_to, slot)",
            "- counters.bytes INTEGER NOT NULL",
            "- counters.latest_now INTEGER NOT NULL",
            "- counters.messages INTEGER NOT NULL",
            "- counters.threads INTEGER NOT NULL",
        ],
    ),
    (
        "No index holds a column that moves with every message: those lists have a table of their own.",
        &["+ thread_places"],
    ),
    ("Events are numbered after their transaction, by whoever holds the portal.", &["+ unnumbered_events"]),
    ("Only one node may number a portal, or do a job.", &["+ leases"]),
    ("Nodes share what a rate limit allows.", &["+ allowances"]),
    (
        "Nodes read of a directory what changed since they did so last.",
        &[
            "+ counters.directory INTEGER NOT NULL",
            "+ accounts.revision INTEGER NOT NULL",
            "+ actors.revision INTEGER NOT NULL",
            "+ apps.revision INTEGER NOT NULL",
            "+ channels.revision INTEGER NOT NULL",
            "+ clients.revision INTEGER NOT NULL",
            "+ grants.revision INTEGER NOT NULL",
            "+ inboxes.revision INTEGER NOT NULL",
            "+ installs.revision INTEGER NOT NULL",
            "+ journal_subscriptions.revision INTEGER NOT NULL",
            "+ logins.revision INTEGER NOT NULL",
            "+ staging_tokens.revision INTEGER NOT NULL",
            "+ subscriptions.revision INTEGER NOT NULL",
            "+ tags.revision INTEGER NOT NULL",
            "+ views.revision INTEGER NOT NULL",
            "+ webhooks.revision INTEGER NOT NULL",
            "+ tokens.revision INTEGER NOT NULL",
        ],
    ),
    (
        "Rows of a directory that are gone for good are no longer told of.",
        &["+ counters.swept INTEGER NOT NULL"],
    ),
    ("Nodes of two versions run together.", &["+ migrations.oldest INTEGER NOT NULL"]),
];

#[tokio::test]
async fn both_engines_have_the_same_columns_but_for_those_named_here() {
    let dir = tempfile::tempdir().unwrap();
    Store::open(Settings::new(dir.path())).unwrap().close().await;
    let database = antiphon_cluster::shared().unwrap().database().unwrap();
    let at = Postgres::new(database.url());
    Store::open(Settings { postgres: Some(at), ..Settings::new(dir.path()) }).unwrap().close().await;
    let (sqlite, postgres) = (sqlite(dir.path()), postgres(&database));
    assert!(sqlite.len() > 150, "only {} lines", sqlite.len());
    let only = |sign: &str, these: &BTreeSet<String>, those: &BTreeSet<String>| {
        let tables: BTreeSet<&str> = those.iter().map(|line| table(line)).collect();
        let whole = |line: &'_ String| match tables.contains(table(line)) {
            true => line.clone(),
            false => table(line).to_owned(),
        };
        these.difference(those).map(|line| format!("{sign} {}", whole(line))).collect::<BTreeSet<String>>()
    };
    let found: BTreeSet<String> = &only("-", &sqlite, &postgres) | &only("+", &postgres, &sqlite);
    let named: BTreeSet<String> =
        DIFFERENCES.iter().flat_map(|(_, lines)| lines.iter().map(|line| (*line).to_owned())).collect();
    let show = |lines: Vec<&String>| lines.into_iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    let (new, gone) = (show(found.difference(&named).collect()), show(named.difference(&found).collect()));
    assert!(new.is_empty() && gone.is_empty(), "not named:\n{new}\nnamed, and not so:\n{gone}");
}

fn table(line: &str) -> &str {
    line.split(['.', ' ']).next().unwrap_or(line)
}

/// `table.column KIND`, with NOT NULL, and keys and what else is unique, in order of their columns.
fn sqlite(dir: &std::path::Path) -> BTreeSet<String> {
    let file = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.extension().is_some_and(|end| end == "db")).unwrap();
    let conn = Connection::open(file).unwrap();
    let mut lines = BTreeSet::new();
    let mut ask = |sql: &str| {
        let mut statement = conn.prepare(sql).unwrap();
        let all = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        lines.extend(all.map(Result::unwrap));
    };
    ask("SELECT t.name || '.' || c.name || ' ' || c.type || iif(c.\"notnull\" OR c.pk, ' NOT NULL', '') \
         FROM pragma_table_list t JOIN pragma_table_info(t.name) c WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite%'");
    ask(
        "SELECT name || ' KEY (' || group_concat(column, ', ') || ')' FROM (SELECT t.name AS name, c.name AS column \
         FROM pragma_table_list t JOIN pragma_table_info(t.name) c WHERE t.schema = 'main' AND c.pk > 0 \
         AND t.name NOT LIKE 'sqlite%' ORDER BY t.name, c.pk) GROUP BY name",
    );
    ask(
        "SELECT \"table\" || ' UNIQUE (' || group_concat(column, ', ') || ')' || iif(partial, ' PARTLY', '') \
         FROM (SELECT t.name AS \"table\", i.name AS name, i.partial AS partial, c.name AS column FROM pragma_table_list t \
         JOIN pragma_index_list(t.name) i JOIN pragma_index_info(i.name) c WHERE t.schema = 'main' AND i.\"unique\" \
         AND i.origin = 'c' ORDER BY i.name, c.seqno) GROUP BY name",
    );
    lines
}

fn postgres(database: &antiphon_cluster::Database) -> BTreeSet<String> {
    let columns = "SELECT c.relname || '.' || a.attname || ' ' || CASE format_type(a.atttypid, NULL) \
         WHEN 'bigint' THEN 'INTEGER' WHEN 'smallint' THEN 'INTEGER' WHEN 'boolean' THEN 'INTEGER' WHEN 'text' THEN 'TEXT' \
         WHEN 'bytea' THEN 'BLOB' ELSE format_type(a.atttypid, NULL) END || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END \
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace";
    let keys = "SELECT c.relname || CASE WHEN i.indisprimary THEN ' KEY (' ELSE ' UNIQUE (' END \
         || string_agg(a.attname, ', ' ORDER BY k.place) || ')' || CASE WHEN i.indpred IS NULL THEN '' ELSE ' PARTLY' END \
         FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (number, place) \
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number \
         WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace \
         GROUP BY i.indexrelid, c.relname, i.indisprimary, i.indpred IS NULL, i.indpred::text";
    let rows = [columns, keys].map(|sql| database.rows(sql).unwrap());
    rows.into_iter().flatten().map(|mut row| row.remove(0).unwrap()).collect()
}

//! The database's schema: brought up to date when a store is opened, by one node at a time.

#[cfg(test)]
mod tests;

use tokio_postgres::Client;

use super::connect::Session;
use super::failure::Failure;
use crate::{Document, OpenError};

/// A step of the schema's history.
#[derive(Debug, Clone, Copy)]
pub(super) struct Migration {
    sql: &'static str,
    /// The oldest schema whose programs can go on beside this one: that is how nodes of two versions run together. A step
    /// that only adds leaves it where it was; one that takes something away names the step after which nobody needs it.
    oldest: i64,
}

/// Migrations in order; the schema's version is how many of them were run. Never edit one that was released.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration { sql: include_str!("../../migrations/postgres/0001_initial.sql"), oldest: 1 },
    Migration { sql: include_str!("../../migrations/postgres/0002_events.sql"), oldest: 1 },
    Migration { sql: include_str!("../../migrations/postgres/0003_channels.sql"), oldest: 1 },
    Migration { sql: include_str!("../../migrations/postgres/0004_files.sql"), oldest: 1 },
    // Older programs would take a sealed secret for the secret, and write others in clear.
    Migration { sql: include_str!("../../migrations/postgres/0005_keys.sql"), oldest: 5 },
    Migration { sql: include_str!("../../migrations/postgres/0006_loose.sql"), oldest: 5 },
    Migration { sql: include_str!("../../migrations/postgres/0007_oauth.sql"), oldest: 5 },
    Migration { sql: include_str!("../../migrations/postgres/0008_since.sql"), oldest: 5 },
    Migration { sql: include_str!("../../migrations/postgres/0009_names.sql"), oldest: 5 },
    Migration { sql: include_str!("../../migrations/postgres/0010_uses.sql"), oldest: 5 },
    Migration { sql: include_str!("../../migrations/postgres/0011_closing.sql"), oldest: 5 },
    Migration { sql: include_str!("../../migrations/postgres/0012_visitor_tokens.sql"), oldest: 5 },
    Migration { sql: include_str!("../../migrations/postgres/0013_installs.sql"), oldest: 5 },
    Migration { sql: include_str!("../../migrations/postgres/0014_paths.sql"), oldest: 5 },
    Migration { sql: include_str!("../../migrations/postgres/0015_accounts.sql"), oldest: 5 },
    Migration { sql: include_str!("../../migrations/postgres/0016_once.sql"), oldest: 5 },
    Migration { sql: include_str!("../../migrations/postgres/0017_profiles.sql"), oldest: 5 },
    Migration { sql: include_str!("../../migrations/postgres/0018_incoming.sql"), oldest: 5 },
    Migration { sql: include_str!("../../migrations/postgres/0019_guests_journals.sql"), oldest: 5 },
    Migration { sql: include_str!("../../migrations/postgres/0020_reads.sql"), oldest: 5 },
    Migration { sql: include_str!("../../migrations/postgres/0021_work.sql"), oldest: 5 },
    // Older programs count no threads.
    Migration { sql: include_str!("../../migrations/postgres/0022_tags.sql"), oldest: 22 },
    Migration { sql: include_str!("../../migrations/postgres/0023_sessions.sql"), oldest: 22 },
    Migration { sql: include_str!("../../migrations/postgres/0024_chats.sql"), oldest: 22 },
    Migration { sql: include_str!("../../migrations/postgres/0025_answering.sql"), oldest: 22 },
    Migration { sql: include_str!("../../migrations/postgres/0026_sign_in.sql"), oldest: 22 },
    Migration { sql: include_str!("../../migrations/postgres/0027_erasures.sql"), oldest: 22 },
    Migration { sql: include_str!("../../migrations/postgres/0028_spoken.sql"), oldest: 22 },
    Migration { sql: include_str!("../../migrations/postgres/0029_said.sql"), oldest: 22 },
];

/// With which migration each format of documents came, as on the embedded engine.
const FORMATS: [usize; Document::FORMAT as usize] = [1, 4];
const _: () = assert!(FORMATS[FORMATS.len() - 1] <= MIGRATIONS.len());

/// How the rows of portals are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// In one table each.
    Plain,
    /// In so many partitions of each table, by the portal's id.
    Partitioned(u32),
    /// Over the nodes of a Citus cluster, by the portal's id.
    Citus,
}

impl std::fmt::Display for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plain => f.write_str("plain tables"),
            Self::Partitioned(parts) => write!(f, "{parts} partitions"),
            Self::Citus => f.write_str("distributed tables"),
        }
    }
}

/// What stands for the layout behind the columns of a table whose rows belong to portals.
const PLACED: &str = " PLACED;";

/// Tables whose rows are rewritten all the time keep room for that on their pages.
const ROOMY: [(&str, u32); 5] =
    [("threads", 80), ("counters", 50), ("tallies", 50), ("leases", 50), ("allowances", 50)];

/// The table that the others are placed beside.
const FIRST: &str = "counters";

/// Tables that are small and the same on every node of a cluster. Leases and migrations stay where the coordinator is.
const EVERYWHERE: [&str; 6] = ["server", "portals", "apps", "tokens", "signing_keys", "installs"];

/// Held while migrating, so that nodes that start together do it once: "Antp".
const LOCK: i64 = 0x416e_7470;

/// How often a migration begins again that stood in the way of other nodes' transactions, and they in its way.
const RACES: usize = 10;

/// Why a database was not brought up to date.
enum Stopped {
    Refused(OpenError),
    Failed(Failure),
}

impl From<OpenError> for Stopped {
    fn from(e: OpenError) -> Self {
        Self::Refused(e)
    }
}

impl From<tokio_postgres::Error> for Stopped {
    fn from(e: tokio_postgres::Error) -> Self {
        Self::Failed(e.into())
    }
}

/// Brings the schema up to what this program knows, while other nodes may be serving. A new database is laid out as asked, or
/// plainly; an old one stays as it is.
pub(super) async fn migrate(
    session: &Session,
    url: &str,
    layout: Option<Layout>,
    known: &[Migration],
) -> std::result::Result<(), OpenError> {
    let client: &Client = &session.client;
    let mut races = 0;
    loop {
        let done = run(client, url, layout, known).await;
        let ended = client.batch_execute(if done.is_ok() { "COMMIT" } else { "ROLLBACK" }).await;
        match done.and_then(|()| Ok(ended?)) {
            Ok(()) => return Ok(()),
            Err(Stopped::Refused(e)) => return Err(e),
            Err(Stopped::Failed(Failure::Raced(_))) if races < RACES => races += 1,
            Err(Stopped::Failed(e)) => return Err(e.opening(url)),
        }
    }
}

async fn run(
    client: &Client,
    url: &str,
    layout: Option<Layout>,
    migrations: &[Migration],
) -> std::result::Result<(), Stopped> {
    // The lock is the transaction's: it goes with the connection, whatever becomes of this program.
    client.batch_execute("BEGIN; SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0").await?;
    client.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    let (known, damaged) =
        (migrations.len() as i64, |why: &str| OpenError::Damaged(url.to_owned(), why.to_owned()));
    let exists = async |table: &str| -> std::result::Result<bool, tokio_postgres::Error> {
        client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&table]).await?.try_get(0)
    };
    if !exists("migrations").await? {
        if exists("threads").await? || exists("portals").await? {
            return Err(
                damaged("its tables are not those of antiphon; give antiphon a database of its own").into()
            );
        }
        let table =
            "CREATE TABLE migrations (version BIGINT PRIMARY KEY, sql TEXT NOT NULL, oldest BIGINT NOT NULL)";
        client.batch_execute(table).await?;
    }
    let run = client.query("SELECT sql, oldest FROM migrations ORDER BY version", &[]).await?;
    let found = run.len() as i64;
    for (row, migration) in run.iter().zip(migrations) {
        if row.try_get::<_, &str>(0)? != migration.sql {
            return Err(damaged("a migration is not the one it was made with").into());
        }
    }
    for later in run.iter().skip(migrations.len()) {
        if later.try_get::<_, i64>(1)? > known {
            return Err(OpenError::Newer(url.to_owned(), found, known).into());
        }
    }
    let spread = if found == 0 { layout.unwrap_or(Layout::Plain) } else { layout_of(client).await? };
    if found == 0 && spread == Layout::Citus && !exists("pg_dist_partition").await? {
        let why = "it has no Citus; install it on every node and run CREATE EXTENSION citus in the database";
        return Err(OpenError::Engine(url.to_owned(), why.to_owned()).into());
    }
    if spread == Layout::Citus {
        // Many tables in one transaction are placed one shard after the other.
        client.batch_execute("SET LOCAL citus.multi_shard_modify_mode = 'sequential'").await?;
    }
    for (version, migration) in (1_i64..).zip(migrations).filter(|(version, _)| *version > found) {
        apply(client, migration, spread).await?;
        let note = "INSERT INTO migrations (version, sql, oldest) VALUES ($1, $2, $3)";
        client.execute(note, &[&version, &migration.sql, &migration.oldest]).await?;
    }
    match layout {
        Some(asked) if asked != spread => Err(OpenError::LaidOut(url.to_owned(), spread, asked).into()),
        _ => Ok(()),
    }
}

async fn apply(
    client: &Client,
    migration: &Migration,
    layout: Layout,
) -> std::result::Result<(), tokio_postgres::Error> {
    let suffix =
        if matches!(layout, Layout::Partitioned(_)) { " PARTITION BY HASH (portal_id);" } else { ";" };
    client.batch_execute(&migration.sql.replace(PLACED, suffix)).await?;
    for table in placed(migration.sql) {
        if let Layout::Partitioned(parts) = layout {
            for part in 0..parts {
                client
                    .batch_execute(&format!(
                        "CREATE TABLE {table}_{part} PARTITION OF {table} FOR VALUES WITH (MODULUS {parts}, REMAINDER {part})"
                    ))
                    .await?;
            }
        }
        // Shards are made as their table is by then.
        make_room(client, table, layout).await?;
        if layout == Layout::Citus {
            let beside = if table == FIRST { "none" } else { FIRST };
            let sql = format!(
                "SELECT create_distributed_table('{table}', 'portal_id', colocate_with => '{beside}')"
            );
            client.batch_execute(&sql).await?;
        }
    }
    if layout == Layout::Citus {
        for table in
            EVERYWHERE.iter().filter(|table| migration.sql.contains(&format!("CREATE TABLE {table} (")))
        {
            client.batch_execute(&format!("SELECT create_reference_table('{table}')")).await?;
        }
    }
    Ok(())
}

async fn make_room(
    client: &Client,
    table: &str,
    layout: Layout,
) -> std::result::Result<(), tokio_postgres::Error> {
    let Some((_, fill)) = ROOMY.iter().find(|(name, _)| *name == table) else { return Ok(()) };
    let parts = if let Layout::Partitioned(parts) = layout { Some(parts) } else { None };
    let names = match parts {
        Some(parts) => (0..parts).map(|part| format!("{table}_{part}")).collect(),
        None => vec![table.to_owned()],
    };
    for name in names {
        client.batch_execute(&format!("ALTER TABLE {name} SET (fillfactor = {fill})")).await?;
    }
    Ok(())
}

/// How the tables that are there are laid out.
async fn layout_of(client: &Client) -> std::result::Result<Layout, tokio_postgres::Error> {
    let parts: i64 = client
        .query_one("SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass($1)", &[&FIRST])
        .await?
        .try_get(0)?;
    if parts > 0 {
        return Ok(Layout::Partitioned(u32::try_from(parts).unwrap_or(u32::MAX)));
    }
    let citus = "SELECT to_regclass('pg_dist_partition') IS NOT NULL";
    if !client.query_one(citus, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(Layout::Plain);
    }
    let distributed = "SELECT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = to_regclass($1))";
    let distributed: bool = client.query_one(distributed, &[&FIRST]).await?.try_get(0)?;
    Ok(if distributed { Layout::Citus } else { Layout::Plain })
}

/// Tables whose rows belong to portals, in the order in which a migration makes them.
fn placed(sql: &'static str) -> impl Iterator<Item = &'static str> {
    sql.split("CREATE TABLE ").skip(1).filter_map(|table| {
        let (name, rest) = table.split_once(" (")?;
        let (_, end) = rest.split_once("\n)")?;
        end.starts_with(PLACED).then_some(name)
    })
}

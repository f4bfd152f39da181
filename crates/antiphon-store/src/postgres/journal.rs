//! The journals of apps.

use deadpool_postgres::{ClientWrapper, Transaction};
use tokio_postgres::Row;

use super::connect::answered;
use super::failure::{Failure, Result};
use super::readers::{self, Values, row, rows};
use super::{ANSWER, Answer, Engine};
use crate::*;

const ENTRY: &str = "SELECT id, name, published_at, of_portal FROM journal_entries";

const SNAPSHOT: &str =
    "SELECT id, body, initiated_at, status, completed_at, error_code, message FROM snapshots";

/// Whose turn it is to say whether an app waits for snapshots.
const TURN: &str = "SELECT told FROM apps WHERE id = $2 AND portal_id = $1 FOR UPDATE";

fn name(row: &Row, column: usize) -> Result<[u8; 16]> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes
        .try_into()
        .map_err(|_| StoreError::damaged("a name of so many bytes in the journal", bytes.len() as i64).into())
}

fn entry(home: PortalId, row: &Row) -> Result<JournalEntry> {
    let of = JournalEntry::read(home, row.try_get(3)?);
    Ok(JournalEntry { id: row.try_get(0)?, name: name(row, 1)?, published_at: row.try_get(2)?, of })
}

fn snapshot(row: &Row) -> Result<Snapshot> {
    let state = SnapshotState::read(row.try_get(3)?, row.try_get(4)?, row.try_get(5)?, row.try_get(6)?);
    Ok(Snapshot { id: name(row, 0)?, body: row.try_get(1)?, initiated_at: row.try_get(2)?, state })
}

/// Runs a statement inside a transaction; how many rows it wrote.
async fn execute(transaction: &Transaction<'_>, sql: &str, values: Values<'_>) -> Result<u64> {
    let statement = transaction.prepare_cached(sql).await?;
    Ok(transaction.execute(&statement, values).await?)
}

/// A transaction that is rolled back when it is dropped halfway, and by the server when nobody goes on with it: the next who
/// writes the journal must not have to wait for whoever stopped.
async fn begin(client: &mut ClientWrapper) -> Result<Transaction<'_>> {
    let transaction = client.transaction().await?;
    transaction.batch_execute("SET LOCAL idle_in_transaction_session_timeout = 1000").await?;
    Ok(transaction)
}

/// Behind whatever the journal has.
async fn put(
    transaction: &Transaction<'_>,
    portal: PortalId,
    app: AppId,
    entry: Option<&NewEntry>,
) -> Result<()> {
    let Some(entry) = entry else { return Ok(()) };
    let sql = "INSERT INTO journal_entries (portal_id, app_id, id, name, published_at, doc, of_portal) \
               SELECT $1::bigint, $2::bigint, 1 + coalesce((SELECT max(id) FROM journal_entries \
               WHERE portal_id = $1 AND app_id = $2), 0), $3::bytea, $4::bigint, $5::bytea, $6::bigint";
    let (name, of) = (entry.name.as_slice(), JournalEntry::stored(portal, entry.of));
    let values: Values<'_> = &[&portal.0, &app.0, &name, &entry.published_at, &entry.doc, &of];
    execute(transaction, sql, values).await?;
    Ok(())
}

async fn append(
    client: &mut ClientWrapper,
    portal: PortalId,
    app: AppId,
    done: &JournalProgress,
) -> Result<bool> {
    let transaction = begin(client).await?;
    let sql = "UPDATE cursors SET position = $5 WHERE portal_id = $1 AND reader = $2 AND app_id = $3 AND epoch = $4";
    let reader = Reader::Journal as i64;
    let values: Values<'_> = &[&portal.0, &reader, &app.0, &done.epoch, &done.position];
    if execute(&transaction, sql, values).await? == 0 {
        return Ok(false);
    }
    put(&transaction, portal, app, done.entry.as_ref()).await?;
    transaction.commit().await?;
    Ok(true)
}

/// How far another portal was read, for whoever reads on with this epoch: others write nothing more.
async fn claim(
    client: &mut ClientWrapper,
    portal: PortalId,
    app: AppId,
    of: PortalId,
    cursor: Cursor,
) -> Result<i64> {
    let sql = "INSERT INTO journal_places AS known (portal_id, app_id, of_portal, position, epoch) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (portal_id, app_id, of_portal) DO UPDATE SET epoch = excluded.epoch, \
               position = greatest(known.position, excluded.position) RETURNING position";
    let found = row(client, sql, &[&portal.0, &app.0, &of.0, &cursor.position, &cursor.epoch]).await?;
    Ok(found.map(|row| row.try_get(0)).transpose()?.unwrap_or(cursor.position))
}

async fn append_away(
    client: &mut ClientWrapper,
    portal: PortalId,
    app: AppId,
    done: &AwayProgress,
) -> Result<bool> {
    let transaction = begin(client).await?;
    // Whoever writes to the same journal has its cursor: one after the other, so that entries count on.
    let sql = "SELECT 1 FROM cursors WHERE portal_id = $1 AND reader = $2 AND app_id = $3 FOR UPDATE";
    execute(&transaction, sql, &[&portal.0, &(Reader::Journal as i64), &app.0]).await?;
    let sql = "UPDATE journal_places SET position = $5 WHERE portal_id = $1 AND app_id = $2 AND of_portal = $3 \
               AND epoch = $4";
    let values: Values<'_> = &[&portal.0, &app.0, &done.entry.of.0, &done.epoch, &done.position];
    if execute(&transaction, sql, values).await? == 0 {
        return Ok(false);
    }
    put(&transaction, portal, app, Some(&done.entry)).await?;
    transaction.commit().await?;
    Ok(true)
}

async fn snapshots_put(
    client: &mut ClientWrapper,
    portal: PortalId,
    app: AppId,
    snapshots: &[Snapshot],
) -> Result<()> {
    let transaction = begin(client).await?;
    let sql = "UPDATE apps SET told = told | 4 WHERE id = $2 AND portal_id = $1";
    execute(&transaction, sql, &[&portal.0, &app.0]).await?;
    let sql = "INSERT INTO snapshots (portal_id, app_id, id, body, initiated_at, status, completed_at, error_code, message) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    for one in snapshots {
        let (status, at, code, message) = one.state.stored();
        let id = one.id.as_slice();
        let values: Values<'_> =
            &[&portal.0, &app.0, &id, &one.body, &one.initiated_at, &status, &at, &code, &message];
        execute(&transaction, sql, values).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn snapshots_done(
    client: &mut ClientWrapper,
    portal: PortalId,
    app: AppId,
    done: &[Snapshot],
    entries: &[NewEntry],
) -> Result<bool> {
    let transaction = begin(client).await?;
    execute(&transaction, TURN, &[&portal.0, &app.0]).await?;
    let sql = "UPDATE snapshots SET status = $4, completed_at = $5, error_code = $6, message = $7 \
               WHERE portal_id = $1 AND app_id = $2 AND id = $3 AND status = 1";
    for one in done {
        let (status, at, code, message) = one.state.stored();
        let id = one.id.as_slice();
        let values: Values<'_> = &[&portal.0, &app.0, &id, &status, &at, &code, &message];
        if execute(&transaction, sql, values).await? == 0 {
            return Ok(false);
        }
    }
    for entry in entries {
        put(&transaction, portal, app, Some(entry)).await?;
    }
    let sql = "SELECT 1 FROM snapshots WHERE portal_id = $1 AND app_id = $2 AND status = 1 LIMIT 1";
    if execute(&transaction, sql, &[&portal.0, &app.0]).await? == 0 {
        let sql = "UPDATE apps SET told = told & ~4 WHERE id = $2 AND portal_id = $1";
        execute(&transaction, sql, &[&portal.0, &app.0]).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

async fn purge(
    client: &ClientWrapper,
    portal: PortalId,
    app: AppId,
    (entries, snapshots): (Millis, Millis),
    limit: i64,
) -> Result<u64> {
    let of_entries = "DELETE FROM journal_entries WHERE portal_id = $1 AND app_id = $2 AND published_at < $3 \
        AND id IN (SELECT id FROM journal_entries WHERE portal_id = $1 AND app_id = $2 ORDER BY id LIMIT $4)";
    let of_snapshots = "DELETE FROM snapshots WHERE portal_id = $1 AND app_id = $2 AND initiated_at < $3 AND status <> 1 \
        AND id IN (SELECT id FROM snapshots WHERE portal_id = $1 AND app_id = $2 ORDER BY id LIMIT $4)";
    let mut gone = 0;
    for (sql, before) in [(of_entries, entries), (of_snapshots, snapshots)] {
        gone += readers::execute(client, sql, &[&portal.0, &app.0, &before, &limit]).await?;
    }
    Ok(gone)
}

/// Asks once on a borrowed connection: whoever writes a journal, or reads one, asks again by itself.
macro_rules! once {
    ($engine:expr, $client:ident => $question:expr) => {{
        let mut borrowed = $engine.shared.readers.get().await?;
        let $client = &mut borrowed;
        let answer = answered(ANSWER, $question).await;
        if matches!(answer, Err(Failure::Lost(_))) {
            readers::discard(borrowed);
        }
        answer
    }};
}

impl Engine {
    pub(crate) async fn journal_entries(
        &self,
        portal: PortalId,
        app: AppId,
        (since, of): (Millis, Option<PortalId>),
        place: JournalPlace,
        limit: usize,
    ) -> Answer<Vec<JournalEntry>> {
        let (behind, order) = match place {
            JournalPlace::Earliest => (0, "ASC"),
            JournalPlace::Latest => (0, "DESC"),
            JournalPlace::Behind(id) => (id, "ASC"),
        };
        let which = if of.is_some() { "AND of_portal = $6::bigint" } else { "AND $6::bigint IS NULL" };
        let sql = format!(
            "{ENTRY} WHERE portal_id = $1 AND app_id = $2 {which} AND id > $3 AND published_at >= $4 ORDER BY id {order} LIMIT $5"
        );
        let of = of.map(|of| JournalEntry::stored(portal, of));
        let values: Values<'_> = &[&portal.0, &app.0, &behind, &since, &(limit as i64), &of];
        let found = once!(self, client => rows(client, &sql, values))?;
        let mut found = found.iter().map(|row| entry(portal, row)).collect::<Result<Vec<_>>>()?;
        if place == JournalPlace::Latest {
            found.reverse();
        }
        Ok(found)
    }

    pub(crate) async fn journal_entry(
        &self,
        portal: PortalId,
        app: AppId,
        name: [u8; 16],
        since: Millis,
    ) -> Answer<Option<JournalEntry>> {
        let sql =
            format!("{ENTRY} WHERE portal_id = $1 AND app_id = $2 AND name = $3 AND published_at >= $4");
        let values: Values<'_> = &[&portal.0, &app.0, &name.as_slice(), &since];
        let found = once!(self, client => row(client, &sql, values))?;
        Ok(found.as_ref().map(|row| entry(portal, row)).transpose()?)
    }

    pub(crate) async fn journal_file(
        &self,
        portal: PortalId,
        app: AppId,
        name: [u8; 16],
        since: Millis,
    ) -> Answer<Option<Vec<u8>>> {
        let sql = "SELECT doc FROM journal_entries WHERE portal_id = $1 AND app_id = $2 AND name = $3 \
                   AND published_at >= $4";
        let values: Values<'_> = &[&portal.0, &app.0, &name.as_slice(), &since];
        let found = once!(self, client => row(client, sql, values))?;
        Ok(found.map(|row| row.try_get(0)).transpose().map_err(Failure::from)?)
    }

    pub(crate) async fn journal_append(
        &self,
        portal: PortalId,
        app: AppId,
        done: JournalProgress,
    ) -> Answer<bool> {
        Ok(once!(self, client => append(client, portal, app, &done))?)
    }

    pub(crate) async fn journal_claim(
        &self,
        portal: PortalId,
        app: AppId,
        of: PortalId,
        cursor: Cursor,
    ) -> Answer<i64> {
        Ok(once!(self, client => claim(client, portal, app, of, cursor))?)
    }

    pub(crate) async fn journal_append_away(
        &self,
        portal: PortalId,
        app: AppId,
        done: AwayProgress,
    ) -> Answer<bool> {
        Ok(once!(self, client => append_away(client, portal, app, &done))?)
    }

    pub(crate) async fn journal_purge(
        &self,
        portal: PortalId,
        app: AppId,
        before: Millis,
        limit: usize,
    ) -> Answer<u64> {
        let before = (before, 2 * before - self.now());
        Ok(once!(self, client => purge(client, portal, app, before, limit as i64))?)
    }

    pub(crate) async fn snapshots_put(
        &self,
        portal: PortalId,
        app: AppId,
        snapshots: Vec<Snapshot>,
    ) -> Answer<()> {
        Ok(once!(self, client => snapshots_put(client, portal, app, &snapshots))?)
    }

    pub(crate) async fn snapshots_waiting(&self) -> Answer<Vec<Told>> {
        let sql = "SELECT portal_id, id FROM apps WHERE told & 4 <> 0 AND told <> 0 ORDER BY id";
        let found = once!(self, client => rows(client, sql, &[]))?;
        let read = |row: &Row| Ok(Told { portal: PortalId(row.try_get(0)?), app: AppId(row.try_get(1)?) });
        Ok(found.iter().map(read).collect::<Result<_>>()?)
    }

    pub(crate) async fn snapshots_pending(
        &self,
        portal: PortalId,
        app: AppId,
        limit: usize,
    ) -> Answer<Vec<Snapshot>> {
        let sql = format!(
            "{SNAPSHOT} WHERE portal_id = $1 AND app_id = $2 AND status = 1 ORDER BY initiated_at, id LIMIT $3"
        );
        let found = once!(self, client => rows(client, &sql, &[&portal.0, &app.0, &(limit as i64)]))?;
        Ok(found.iter().map(snapshot).collect::<Result<_>>()?)
    }

    pub(crate) async fn snapshot_by_id(
        &self,
        portal: PortalId,
        app: AppId,
        id: [u8; 16],
    ) -> Answer<Option<Snapshot>> {
        let sql = format!("{SNAPSHOT} WHERE portal_id = $1 AND app_id = $2 AND id = $3");
        let values: Values<'_> = &[&portal.0, &app.0, &id.as_slice()];
        let found = once!(self, client => row(client, &sql, values))?;
        Ok(found.as_ref().map(snapshot).transpose()?)
    }

    pub(crate) async fn snapshots_done(
        &self,
        portal: PortalId,
        app: AppId,
        done: Vec<Snapshot>,
        entries: Vec<NewEntry>,
    ) -> Answer<bool> {
        Ok(once!(self, client => snapshots_done(client, portal, app, &done, &entries))?)
    }
}

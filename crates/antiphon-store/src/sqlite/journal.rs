//! The journals of apps.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::batch::Batch;
use super::failure::Result;
use super::{Answer, Engine};
use crate::*;

const ENTRY: &str = "SELECT id, name, published_at, of_portal FROM journal_entries";

const SNAPSHOT: &str =
    "SELECT id, body, initiated_at, status, completed_at, error_code, message FROM snapshots";

fn entry(home: PortalId, row: &Row<'_>) -> rusqlite::Result<JournalEntry> {
    let of = JournalEntry::read(home, row.get(3)?);
    Ok(JournalEntry { id: row.get(0)?, name: row.get(1)?, published_at: row.get(2)?, of })
}

fn snapshot(row: &Row<'_>) -> rusqlite::Result<Snapshot> {
    let state = SnapshotState::read(row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?);
    Ok(Snapshot { id: row.get(0)?, body: row.get(1)?, initiated_at: row.get(2)?, state })
}

/// Behind whatever the journal has.
fn put(conn: &Connection, portal: PortalId, app: AppId, entry: &NewEntry) -> Result<()> {
    let sql = "INSERT INTO journal_entries (portal_id, app_id, id, name, published_at, doc, of_portal) \
               SELECT ?1, ?2, 1 + coalesce(max(id), 0), ?3, ?4, ?5, ?6 FROM journal_entries \
               WHERE portal_id = ?1 AND app_id = ?2";
    let of = JournalEntry::stored(portal, entry.of);
    let values = params![portal.0, app.0, entry.name, entry.published_at, entry.doc, of];
    conn.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

fn append(batch: &mut Batch<'_>, portal: PortalId, app: AppId, done: &JournalProgress) -> Result<bool> {
    let sql = "UPDATE cursors SET position = ?5 WHERE portal_id = ?1 AND reader = ?2 AND app_id = ?3 AND epoch = ?4";
    let values = params![portal.0, Reader::Journal as u8, app.0, done.epoch, done.position];
    if batch.conn.prepare_cached(sql)?.execute(values)? == 0 {
        return Ok(false);
    }
    batch.written = true;
    if let Some(entry) = &done.entry {
        put(batch.conn, portal, app, entry)?;
    }
    Ok(true)
}

/// How far another portal was read, for whoever reads on with this epoch: others write nothing more.
fn claim(batch: &mut Batch<'_>, portal: PortalId, app: AppId, of: PortalId, cursor: Cursor) -> Result<i64> {
    batch.written = true;
    let sql = "INSERT INTO journal_places (portal_id, app_id, of_portal, position, epoch) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT DO UPDATE SET epoch = excluded.epoch, position = max(position, excluded.position) \
               RETURNING position";
    let values = params![portal.0, app.0, of.0, cursor.position, cursor.epoch];
    Ok(batch.conn.prepare_cached(sql)?.query_row(values, |row| row.get(0))?)
}

fn append_away(batch: &mut Batch<'_>, portal: PortalId, app: AppId, done: &AwayProgress) -> Result<bool> {
    let sql = "UPDATE journal_places SET position = ?5 WHERE portal_id = ?1 AND app_id = ?2 AND of_portal = ?3 \
               AND epoch = ?4";
    let values = params![portal.0, app.0, done.entry.of.0, done.epoch, done.position];
    if batch.conn.prepare_cached(sql)?.execute(values)? == 0 {
        return Ok(false);
    }
    batch.written = true;
    put(batch.conn, portal, app, &done.entry)?;
    Ok(true)
}

fn done(
    batch: &mut Batch<'_>,
    portal: PortalId,
    app: AppId,
    done: &[Snapshot],
    entries: &[NewEntry],
) -> Result<bool> {
    let conn = batch.conn;
    for one in done {
        let sql = "SELECT 1 FROM snapshots WHERE portal_id = ?1 AND app_id = ?2 AND id = ?3 AND status = 1";
        if !conn.prepare_cached(sql)?.exists(params![portal.0, app.0, one.id])? {
            return Ok(false);
        }
    }
    batch.written = true;
    for one in done {
        let (status, at, code, message) = one.state.stored();
        let sql = "UPDATE snapshots SET status = ?4, completed_at = ?5, error_code = ?6, message = ?7 \
                   WHERE portal_id = ?1 AND app_id = ?2 AND id = ?3";
        conn.prepare_cached(sql)?.execute(params![portal.0, app.0, one.id, status, at, code, message])?;
    }
    for entry in entries {
        put(conn, portal, app, entry)?;
    }
    let sql = "UPDATE apps SET told = told & ~4 WHERE id = ?2 AND portal_id = ?1 AND NOT EXISTS \
               (SELECT 1 FROM snapshots WHERE portal_id = ?1 AND app_id = ?2 AND status = 1)";
    conn.prepare_cached(sql)?.execute([portal.0, app.0])?;
    Ok(true)
}

impl Engine {
    pub(crate) fn journal_entries(
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
        let which = if of.is_some() { "AND of_portal = ?6" } else { "AND ?6 IS NULL" };
        let sql = format!(
            "{ENTRY} WHERE portal_id = ?1 AND app_id = ?2 {which} AND id > ?3 AND published_at >= ?4 ORDER BY id {order} LIMIT ?5"
        );
        let of = of.map(|of| JournalEntry::stored(portal, of));
        self.read(|conn| {
            let mut sql = conn.prepare_cached(&sql)?;
            let values = params![portal.0, app.0, behind, since, limit as i64, of];
            let found = sql.query_map(values, |row| entry(portal, row))?;
            let mut found = found.collect::<rusqlite::Result<Vec<_>>>()?;
            if place == JournalPlace::Latest {
                found.reverse();
            }
            Ok(found)
        })
    }

    pub(crate) fn journal_entry(
        &self,
        portal: PortalId,
        app: AppId,
        name: [u8; 16],
        since: Millis,
    ) -> Answer<Option<JournalEntry>> {
        let sql =
            format!("{ENTRY} WHERE portal_id = ?1 AND app_id = ?2 AND name = ?3 AND published_at >= ?4");
        self.read(|conn| {
            let values = params![portal.0, app.0, name, since];
            Ok(conn.prepare_cached(&sql)?.query_row(values, |row| entry(portal, row)).optional()?)
        })
    }

    pub(crate) fn journal_file(
        &self,
        portal: PortalId,
        app: AppId,
        name: [u8; 16],
        since: Millis,
    ) -> Answer<Option<Vec<u8>>> {
        let sql = "SELECT doc FROM journal_entries WHERE portal_id = ?1 AND app_id = ?2 AND name = ?3 \
                   AND published_at >= ?4";
        self.read(|conn| {
            let values = params![portal.0, app.0, name, since];
            Ok(conn.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?)
        })
    }

    pub(crate) async fn journal_append(
        &self,
        portal: PortalId,
        app: AppId,
        done: JournalProgress,
    ) -> Answer<bool> {
        self.submit(move |batch| append(batch, portal, app, &done)).await
    }

    pub(crate) async fn journal_claim(
        &self,
        portal: PortalId,
        app: AppId,
        of: PortalId,
        cursor: Cursor,
    ) -> Answer<i64> {
        self.submit(move |batch| claim(batch, portal, app, of, cursor)).await
    }

    pub(crate) async fn journal_append_away(
        &self,
        portal: PortalId,
        app: AppId,
        done: AwayProgress,
    ) -> Answer<bool> {
        self.submit(move |batch| append_away(batch, portal, app, &done)).await
    }

    pub(crate) async fn journal_purge(
        &self,
        portal: PortalId,
        app: AppId,
        before: Millis,
        limit: usize,
    ) -> Answer<u64> {
        let now = self.now();
        self.submit(move |batch| {
            batch.written = true;
            let entries = "DELETE FROM journal_entries WHERE portal_id = ?1 AND app_id = ?2 AND published_at < ?3 \
                AND id IN (SELECT id FROM journal_entries WHERE portal_id = ?1 AND app_id = ?2 ORDER BY id LIMIT ?4)";
            let snapshots = "DELETE FROM snapshots WHERE portal_id = ?1 AND app_id = ?2 AND initiated_at < ?3 \
                AND status <> 1 AND id IN (SELECT id FROM snapshots WHERE portal_id = ?1 AND app_id = ?2 ORDER BY id LIMIT ?4)";
            let mut gone = 0;
            for (sql, before) in [(entries, before), (snapshots, 2 * before - now)] {
                let values = [portal.0, app.0, before, limit as i64];
                gone += batch.conn.prepare_cached(sql)?.execute(values)? as u64;
            }
            Ok(gone)
        })
        .await
    }

    pub(crate) async fn snapshots_put(
        &self,
        portal: PortalId,
        app: AppId,
        snapshots: Vec<Snapshot>,
    ) -> Answer<()> {
        self.submit(move |batch| {
            batch.written = true;
            let mut sql = batch
                .conn
                .prepare_cached("INSERT INTO snapshots VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
            for one in &snapshots {
                let (status, at, code, message) = one.state.stored();
                sql.execute(params![
                    portal.0,
                    app.0,
                    one.id,
                    one.body,
                    one.initiated_at,
                    status,
                    at,
                    code,
                    message
                ])?;
            }
            let sql = "UPDATE apps SET told = told | 4 WHERE id = ?2 AND portal_id = ?1";
            batch.conn.prepare_cached(sql)?.execute([portal.0, app.0])?;
            Ok(())
        })
        .await
    }

    pub(crate) fn snapshots_waiting(&self) -> Answer<Vec<Told>> {
        let sql = "SELECT portal_id, id FROM apps WHERE told & 4 <> 0 AND told <> 0 ORDER BY id";
        self.read(|conn| {
            let mut sql = conn.prepare_cached(sql)?;
            let told = |row: &Row<'_>| Ok(Told { portal: PortalId(row.get(0)?), app: AppId(row.get(1)?) });
            let found = sql.query_map([], told)?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })
    }

    pub(crate) fn snapshots_pending(
        &self,
        portal: PortalId,
        app: AppId,
        limit: usize,
    ) -> Answer<Vec<Snapshot>> {
        let sql = format!(
            "{SNAPSHOT} WHERE portal_id = ?1 AND app_id = ?2 AND status = 1 ORDER BY initiated_at, id LIMIT ?3"
        );
        self.read(|conn| {
            let mut sql = conn.prepare_cached(&sql)?;
            let found = sql.query_map([portal.0, app.0, limit as i64], snapshot)?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })
    }

    pub(crate) fn snapshot_by_id(
        &self,
        portal: PortalId,
        app: AppId,
        id: [u8; 16],
    ) -> Answer<Option<Snapshot>> {
        let sql = format!("{SNAPSHOT} WHERE portal_id = ?1 AND app_id = ?2 AND id = ?3");
        self.read(|conn| {
            let values = params![portal.0, app.0, id];
            Ok(conn.prepare_cached(&sql)?.query_row(values, snapshot).optional()?)
        })
    }

    pub(crate) async fn snapshots_done(
        &self,
        portal: PortalId,
        app: AppId,
        snapshots: Vec<Snapshot>,
        entries: Vec<NewEntry>,
    ) -> Answer<bool> {
        self.submit(move |batch| done(batch, portal, app, &snapshots, &entries)).await
    }
}

//! The spine.

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::batch::Batch;
use super::failure::Result;
use crate::retention::{Retention, STEP};
use crate::{Event, EventKind, Millis, NewEvent, ObjectKind, PortalId};

pub(super) const INSERT: &str = "INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

pub(super) fn append(
    insert: &mut CachedStatement<'_>,
    portal: PortalId,
    position: i64,
    revision: i64,
    event: &NewEvent,
) -> Result<()> {
    insert.execute(params![
        portal.0,
        position,
        event.kind as u8,
        event.object as u8,
        event.object_id,
        revision,
        event.occurred_at,
        event.payload
    ])?;
    Ok(())
}

pub(super) fn after(conn: &Connection, portal: PortalId, position: i64, limit: usize) -> Result<Vec<Event>> {
    let mut sql = conn.prepare_cached(
        "SELECT position, kind, object, object_id, revision, occurred_at, payload FROM events \
         WHERE portal_id = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
    )?;
    let mut rows = sql.query([portal.0, position, limit as i64])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(Event {
            position: row.get(0)?,
            kind: EventKind::stored(row.get(1)?)?,
            object: ObjectKind::stored(row.get(2)?)?,
            object_id: row.get(3)?,
            revision: row.get(4)?,
            occurred_at: row.get(5)?,
            payload: row.get(6)?,
        });
    }
    Ok(events)
}

pub(super) fn oldest(conn: &Connection, portal: PortalId) -> Result<Option<i64>> {
    let mut sql =
        conn.prepare_cached("SELECT position FROM events WHERE portal_id = ?1 ORDER BY position LIMIT 1")?;
    Ok(sql.query_row([portal.0], |row| row.get(0)).optional()?)
}

pub(super) fn newest(conn: &Connection, portal: PortalId) -> Result<i64> {
    let mut sql = conn.prepare_cached("SELECT event_position FROM counters WHERE portal_id = ?1")?;
    Ok(sql.query_row([portal.0], |row| row.get(0)).optional()?.unwrap_or_default())
}

/// Forgets the oldest events, as far as retention has it.
pub(super) fn purge(
    batch: &mut Batch<'_>,
    portal: PortalId,
    before: Millis,
    most_before: Millis,
) -> Result<u64> {
    let newest = batch.portal(portal)?.counters.event_position;
    let conn = batch.conn;
    let passed: Option<i64> = conn
        .prepare_cached(
            "SELECT min(position) FROM (SELECT position FROM cursors WHERE portal_id = ?1 UNION ALL \
             SELECT position - 1 FROM deliveries WHERE portal_id = ?1 AND due_at IS NOT NULL)",
        )?
        .query_row([portal.0], |row| row.get(0))?;
    let retention = Retention { before, most_before, passed: passed.unwrap_or(newest), newest };
    let oldest: Vec<(i64, Millis)> = conn
        .prepare_cached(
            "SELECT position, occurred_at FROM events WHERE portal_id = ?1 ORDER BY position LIMIT ?2",
        )?
        .query_map([portal.0, STEP as i64], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let Some(last) = retention.gone(oldest) else { return Ok(0) };
    batch.written = true;
    let sql = "DELETE FROM events WHERE portal_id = ?1 AND position <= ?2";
    Ok(conn.prepare_cached(sql)?.execute([portal.0, last])? as u64)
}

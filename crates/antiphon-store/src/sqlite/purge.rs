//! Erasing, a few rows at a time.

use rusqlite::OptionalExtension;

use super::batch::Batch;
use super::desk;
use super::failure::Result;
use crate::PortalId;
use crate::messages::key;

/// Entries erased in one step; with what belongs to each it stays within a change's 500 rows.
const ENTRIES: i64 = 120;

/// Erases some rows of the first thread of a portal that waits for it; `false` when none does.
pub(super) fn step(batch: &mut Batch<'_>, portal: PortalId) -> Result<bool> {
    let conn = batch.conn;
    let waiting = conn
        .prepare_cached("SELECT number, thread_id FROM purges WHERE portal_id = ?1 ORDER BY number LIMIT 1")?
        .query_row([portal.0], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    let Some((number, thread)) = waiting else { return Ok(false) };
    batch.written = true;
    let (from, end) = (key(number, 0), key(number + 1, 0));
    // The first entries, up to the key of the last that goes in this step.
    let last: Option<i64> = conn
        .prepare_cached(
            "SELECT key FROM messages WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT 1 OFFSET ?3",
        )?
        .query_row([from, end, ENTRIES - 1], |row| row.get(0))
        .optional()?;
    let to = last.map_or(end, |last| last + 1);
    let (messages, bytes): (i64, i64) = conn
        .prepare_cached(
            "SELECT count(*), coalesce(sum(length(doc)), 0) FROM messages WHERE key >= ?1 AND key < ?2",
        )?
        .query_row([from, to], |row| Ok((row.get(0)?, row.get(1)?)))?;
    conn.prepare_cached(
        "DELETE FROM idempotency_keys WHERE portal_id = ?1 AND message_id IN \
         (SELECT id FROM messages WHERE key >= ?2 AND key < ?3)",
    )?
    .execute([portal.0, from, to])?;
    for sql in [
        "DELETE FROM mentions WHERE message >= ?1 AND message < ?2",
        "DELETE FROM originals WHERE message >= ?1 AND message < ?2",
        "DELETE FROM messages WHERE key >= ?1 AND key < ?2",
    ] {
        conn.prepare_cached(sql)?.execute([from, to])?;
    }
    let usage = &mut batch.portal(portal)?.counters.usage;
    usage.messages -= messages;
    usage.bytes -= bytes;
    if last.is_none() {
        conn.prepare_cached("DELETE FROM thread_keys WHERE portal_id = ?1 AND thread_id = ?2")?
            .execute([portal.0, thread])?;
        desk::purge(conn, portal, thread)?;
        conn.prepare_cached("DELETE FROM chats WHERE portal_id = ?1 AND thread_id = ?2")?
            .execute([portal.0, thread])?;
        conn.prepare_cached("DELETE FROM purges WHERE number = ?1")?.execute([number])?;
    }
    Ok(true)
}

//! History rows: read and written.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use super::failure::{Result, conflict, damaged};
use super::known::Reading;
use super::threads;
use crate::messages::{LOOKED_AT, MOST_ENTRIES, key, number, place};
use crate::{
    Direction, Document, HistoryQuery, MessageId, MessageKind, Millis, NewMessage, Original, Page, PortalId,
    Position, Replacement, StoredMessage, Thread, ThreadId,
};

pub(super) const COLUMNS: &str = "id, kind, direction, format, doc";

pub(super) fn message(row: &Row<'_>, archived: bool) -> Result<StoredMessage> {
    Ok(StoredMessage {
        id: MessageId(row.get(0)?),
        kind: MessageKind::stored(row.get(1)?)?,
        direction: row.get::<_, Option<i64>>(2)?.map(Direction::stored).transpose()?,
        document: Document::stored(row.get(3)?, row.get(4)?)?,
        archived,
    })
}

/// Reads a page. Formats are not looked at: a file that holds one that is not known is not opened, see
/// [`schema`](super::schema).
pub(super) fn history(
    conn: &Connection,
    known: &Reading<'_>,
    portal: PortalId,
    thread: ThreadId,
    query: &HistoryQuery,
    sink: &mut (dyn FnMut(&[u8]) + Send),
) -> Result<Option<Page<Position>>> {
    let Some(thread) = known.thread(conn, portal, thread)? else { return Ok(None) };
    let (number, entries) = (thread.number, thread.entries);
    if thread.is_archived() != query.archived {
        return Ok(None);
    }
    let (from, to) = query.range(entries);
    let sql = if query.ascending {
        "SELECT doc FROM messages WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3"
    } else {
        "SELECT doc FROM messages WHERE key >= ?1 AND key < ?2 ORDER BY key DESC LIMIT ?3"
    };
    let mut sql = conn.prepare_cached(sql)?;
    let mut docs = sql.query([key(number, from), key(number, to.max(from)), query.limit as i64])?;
    let mut count = 0;
    while let Some(row) = docs.next()? {
        sink(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?);
        count += 1;
    }
    // Where one is missing the file is damaged, unless the thread is being purged.
    let there = usize::try_from(to - from).unwrap_or_default();
    if count < there.min(query.limit) && threads::by_id(conn, portal, thread.id)?.is_some() {
        return Err(damaged("how many entries a thread has", count as i64));
    }
    Ok(Some(query.page((from, to), count)))
}

/// An entry of a thread, and its key.
pub(super) fn in_thread(
    conn: &Connection,
    portal: PortalId,
    thread: &Thread,
    id: MessageId,
) -> Result<Option<(i64, StoredMessage)>> {
    let sql = format!("SELECT {COLUMNS}, key FROM messages WHERE portal_id = ?1 AND id = ?2");
    let mut sql = conn.prepare_cached(&sql)?;
    let mut rows = sql.query(params![portal.0, id.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let key = row.get(5)?;
    if number(key) != thread.number {
        return Ok(None);
    }
    Ok(Some((key, message(row, thread.is_archived())?)))
}

/// Where an entry stands in its thread.
pub(super) fn position(
    conn: &Connection,
    portal: PortalId,
    thread: ThreadId,
    id: MessageId,
) -> Result<Option<Position>> {
    Ok(find(conn, portal, thread, id)?.map(|(key, _)| place(key)))
}

fn find(
    conn: &Connection,
    portal: PortalId,
    thread: ThreadId,
    id: MessageId,
) -> Result<Option<(i64, StoredMessage)>> {
    match threads::by_id(conn, portal, thread)? {
        Some(thread) => in_thread(conn, portal, &thread, id),
        None => Ok(None),
    }
}

/// Gives an entry another document; by how many bytes it grew.
pub(super) fn replace(
    conn: &Connection,
    portal: PortalId,
    thread: &Thread,
    new: &Replacement,
) -> Result<i64> {
    let Some((key, old)) = in_thread(conn, portal, thread, new.message_id)? else {
        return Err(conflict(format!("there is no entry {} in thread {}", new.message_id, thread.id)));
    };
    conn.prepare_cached("UPDATE messages SET format = ?2, doc = ?3, holes = NULL WHERE key = ?1")?
        .execute(params![key, new.document.format, new.document.bytes])?;
    Ok(new.document.bytes.len() as i64 - old.document.bytes.len() as i64)
}

pub(super) fn by_id(
    conn: &Connection,
    portal: PortalId,
    thread: ThreadId,
    id: MessageId,
) -> Result<Option<StoredMessage>> {
    Ok(find(conn, portal, thread, id)?.map(|(_, message)| message))
}

pub(super) fn original(
    conn: &Connection,
    portal: PortalId,
    thread: ThreadId,
    id: MessageId,
) -> Result<Option<Original>> {
    let Some((key, message)) = find(conn, portal, thread, id)? else { return Ok(None) };
    let mut sql = conn.prepare_cached("SELECT body FROM originals WHERE message = ?1")?;
    Ok(Some(Original { message, original: sql.query_row([key], |row| row.get(0)).optional()? }))
}

/// Goes back from the last of them. No index holds them, which every incoming message would have to enter: the thread knows when
/// that one came, and entries are in the order of their times.
pub(super) fn latest_incoming(
    conn: &Connection,
    portal: PortalId,
    thread: ThreadId,
    limit: usize,
) -> Result<Vec<StoredMessage>> {
    let Some(thread) = threads::by_id(conn, portal, thread)? else { return Ok(Vec::new()) };
    let Some(at) = thread.latest_received_at else { return Ok(Vec::new()) };
    let end = behind(conn, &thread, at)?;
    let sql = format!(
        "SELECT {COLUMNS} FROM messages WHERE key >= ?1 AND key < ?2 AND direction = 1 ORDER BY key DESC LIMIT ?3"
    );
    let mut sql = conn.prepare_cached(&sql)?;
    let from = key(thread.number, end.saturating_sub(LOOKED_AT).max(0));
    let mut rows = sql.query([from, key(thread.number, end), limit as i64])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(message(row, thread.is_archived())?);
    }
    Ok(found)
}

/// The place behind all entries of a thread up to a time.
fn behind(conn: &Connection, thread: &Thread, at: Millis) -> Result<i64> {
    let mut sql = conn.prepare_cached("SELECT created_at <= ?2 FROM messages WHERE key = ?1")?;
    let (mut from, mut to) = (0, thread.entries);
    while from < to {
        let middle = from + (to - from) / 2;
        let is_before = sql.query_row([key(thread.number, middle), at], |row| row.get(0)).optional()?;
        match is_before {
            Some(true) => from = middle + 1,
            _ => to = middle,
        }
    }
    Ok(from)
}

/// The number of the thread that an entry is in.
pub(super) fn thread_number(conn: &Connection, portal: PortalId, id: MessageId) -> Result<Option<i64>> {
    let mut sql = conn.prepare_cached("SELECT key FROM messages WHERE portal_id = ?1 AND id = ?2")?;
    Ok(sql.query_row(params![portal.0, id.0], |row| row.get(0).map(number)).optional()?)
}

/// Writes an entry behind its thread's last one and counts it there.
pub(super) fn append(
    insert: &mut CachedStatement<'_>,
    conn: &Connection,
    portal: PortalId,
    thread: &mut Thread,
    new: &NewMessage,
) -> Result<()> {
    if thread.entries >= MOST_ENTRIES {
        return Err(conflict("the thread is full"));
    }
    let key = key(thread.number, thread.entries);
    insert.execute(params![
        key,
        portal.0,
        new.id.0,
        new.kind as u8,
        new.direction.map(|direction| direction as u8),
        new.created_at,
        new.document.format,
        new.document.bytes
    ])?;
    thread.entries += 1;
    thread.latest_entry_at = thread.latest_entry_at.max(new.created_at);
    if let Some(original) = &new.original {
        conn.prepare_cached("INSERT INTO originals VALUES (?1, ?2)")?.execute(params![key, original])?;
    }
    let people = new.people.iter().map(|id| (2, id.0));
    for (kind, object) in people.chain(new.files.iter().map(|id| (4, *id))) {
        conn.prepare_cached("INSERT OR IGNORE INTO mentions VALUES (?1, ?2, ?3, ?4)")?
            .execute([portal.0, kind, object, key])?;
    }
    Ok(())
}

pub(super) const INSERT: &str = "INSERT INTO messages (key, portal_id, id, kind, direction, created_at, format, doc) \
                                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

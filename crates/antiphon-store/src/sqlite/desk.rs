//! What people lay beside threads: read and written.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::failure::Result;
use super::{Answer, Engine, messages};
use crate::messages::place;
use crate::{Desk, DeskChange, DeskKey, MessageId, PortalId, Position, ReadMark, Thread, ThreadId};

const MARK: &str = "thread_id, reader, sequence, message_id, at";

fn mark(row: &Row<'_>) -> rusqlite::Result<ReadMark> {
    Ok(ReadMark {
        thread_id: ThreadId(row.get(0)?),
        reader: row.get(1)?,
        position: Position(row.get(2)?),
        message_id: MessageId(row.get(3)?),
        at: row.get(4)?,
    })
}

/// What somebody has beside a thread.
pub(super) fn state(conn: &Connection, portal: PortalId, thread: &Thread, key: &DeskKey) -> Result<Desk> {
    let message = match key.message {
        Some(id) => messages::in_thread(conn, portal, thread, id)?,
        None => None,
    };
    Ok(Desk {
        message: message.map(|(key, message)| (place(key), message)),
        read: read(conn, portal, thread.id, &key.who)?,
    })
}

/// How far somebody has read a thread.
fn read(conn: &Connection, portal: PortalId, thread: ThreadId, reader: &str) -> Result<Option<ReadMark>> {
    let sql = format!("SELECT {MARK} FROM reads WHERE portal_id = ?1 AND thread_id = ?2 AND reader = ?3");
    let mut sql = conn.prepare_cached(&sql)?;
    Ok(sql.query_row(params![portal.0, thread.0, reader], mark).optional()?)
}

/// Who has read a thread, and how far.
pub(super) fn reads_on(
    conn: &Connection,
    portal: PortalId,
    thread: ThreadId,
    limit: usize,
) -> Result<Vec<ReadMark>> {
    let sql =
        format!("SELECT {MARK} FROM reads WHERE portal_id = ?1 AND thread_id = ?2 ORDER BY reader LIMIT ?3");
    let mut sql = conn.prepare_cached(&sql)?;
    let found = sql.query_map([portal.0, thread.0, limit as i64], mark)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn write(conn: &Connection, portal: PortalId, changes: &[DeskChange]) -> Result<()> {
    for change in changes {
        match change {
            DeskChange::Read(mark) => {
                let sql = "INSERT INTO reads (portal_id, thread_id, reader, sequence, message_id, at) \
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (portal_id, thread_id, reader) \
                           DO UPDATE SET sequence = excluded.sequence, message_id = excluded.message_id, \
                           at = excluded.at WHERE reads.sequence < excluded.sequence";
                conn.prepare_cached(sql)?.execute(params![
                    portal.0,
                    mark.thread_id.0,
                    mark.reader,
                    mark.position.0,
                    mark.message_id.0,
                    mark.at
                ])?;
            }
        }
    }
    Ok(())
}

/// Erases what lies beside a thread that is being erased.
pub(super) fn purge(conn: &Connection, portal: PortalId, thread: i64) -> Result<()> {
    conn.prepare_cached("DELETE FROM reads WHERE portal_id = ?1 AND thread_id = ?2")?
        .execute([portal.0, thread])?;
    Ok(())
}

impl Engine {
    pub(crate) fn reads_on(&self, portal: PortalId, thread: ThreadId, limit: usize) -> Answer<Vec<ReadMark>> {
        self.read(|conn| reads_on(conn, portal, thread, limit))
    }

    pub(crate) fn reads_of(
        &self,
        portal: PortalId,
        reader: &str,
        threads: &[ThreadId],
    ) -> Answer<Vec<ReadMark>> {
        self.read(|conn| {
            threads.iter().filter_map(|thread| read(conn, portal, *thread, reader).transpose()).collect()
        })
    }
}

//! What people lay beside threads: read and written.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::failure::Result;
use super::{Answer, Engine, messages};
use crate::desk::{MOST_DRAFTS, MOST_NEWER, MOST_UNSEEN, MOST_WRITING};
use crate::messages::{LOOKED_AT, key, place};
use crate::*;

const MARK: &str = "thread_id, reader, sequence, message_id, at";
const CALLING: &str = "thread_id, message_id, sequence, caller, at, seen";

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
pub(super) fn state(
    conn: &Connection,
    portal: PortalId,
    thread: &Thread,
    asked: &DeskKey,
    earlier: Option<Earlier>,
) -> Result<Desk> {
    let message = match asked.message {
        Some(id) => messages::in_thread(conn, portal, thread, id)?,
        None => None,
    };
    let mut desk = Desk {
        message: message.map(|(key, message)| (place(key), message)),
        read: read(conn, portal, thread.id, &asked.who)?,
        earlier,
        ..Desk::default()
    };
    if asked.newer {
        newer(conn, thread, &mut desk)?;
    }
    if let Some(agent) = asked.writer {
        let sql = "SELECT agent_id, kind, touched_at FROM drafts WHERE portal_id = ?1 AND thread_id = ?2 \
                   ORDER BY touched_at DESC LIMIT ?3";
        let mut sql = conn.prepare_cached(sql)?;
        let mut rows = sql.query([portal.0, thread.id.0, MOST_WRITING])?;
        while let Some(row) = rows.next()? {
            let kind = MessageKind::stored(row.get(1)?)?;
            desk.writing.push(Writing { agent_id: row.get(0)?, kind, touched_at: row.get(2)? });
        }
        let sql = "SELECT count(*) FROM (SELECT 1 FROM drafts WHERE portal_id = ?1 AND agent_id = ?2 \
                   AND thread_id <> ?3 LIMIT ?4)";
        let count: i64 = conn
            .prepare_cached(sql)?
            .query_row([portal.0, agent, thread.id.0, MOST_DRAFTS], |row| row.get(0))?;
        desk.drafts = usize::try_from(count).unwrap_or_default();
    }
    Ok(desk)
}

/// Messages and notes behind the entry that was named, as far back as is looked.
fn newer(conn: &Connection, thread: &Thread, desk: &mut Desk) -> Result<()> {
    let behind = desk.message.as_ref().map_or(0, |(position, _)| position.0 + 1);
    let from = behind.max(thread.entries - LOOKED_AT);
    let sql = format!(
        "SELECT {} FROM messages WHERE key >= ?1 AND key < ?2 AND kind IN (1, 2) ORDER BY key DESC LIMIT ?3",
        messages::COLUMNS
    );
    let mut sql = conn.prepare_cached(&sql)?;
    let mut rows = sql.query([key(thread.number, from), key(thread.number, thread.entries), MOST_NEWER])?;
    while let Some(row) = rows.next()? {
        desk.newer.push(messages::message(row, thread.is_archived())?);
    }
    desk.more = from > behind || desk.newer.len() as i64 == MOST_NEWER;
    Ok(())
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
            DeskChange::Read(mark) => put_mark(conn, portal, mark)?,
            DeskChange::Draft(draft) => {
                let sql = "INSERT INTO drafts (portal_id, thread_id, agent_id, kind, preview, body, touched_at) \
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (portal_id, thread_id, agent_id) \
                           DO UPDATE SET kind = excluded.kind, preview = excluded.preview, body = excluded.body, \
                           touched_at = excluded.touched_at";
                conn.prepare_cached(sql)?.execute(params![
                    portal.0,
                    draft.thread_id.0,
                    draft.agent_id,
                    draft.kind as u8,
                    draft.preview,
                    draft.body,
                    draft.touched_at
                ])?;
            }
            DeskChange::DraftGone(thread, agent) => {
                let sql = "DELETE FROM drafts WHERE portal_id = ?1 AND thread_id = ?2 AND agent_id = ?3";
                conn.prepare_cached(sql)?.execute([portal.0, thread.0, *agent])?;
            }
            DeskChange::Called(calling) => {
                let sql = "INSERT INTO callings (portal_id, agent_id, message_id, thread_id, sequence, caller, at, seen) \
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
                conn.prepare_cached(sql)?.execute(params![
                    portal.0,
                    calling.agent_id,
                    calling.message_id.0,
                    calling.thread_id.0,
                    calling.position.0,
                    calling.caller,
                    calling.at,
                    calling.seen
                ])?;
            }
        }
    }
    Ok(())
}

fn put_mark(conn: &Connection, portal: PortalId, mark: &ReadMark) -> Result<()> {
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
    if let Some(agent) = mark.agent() {
        let sql = "UPDATE callings SET seen = 1 WHERE portal_id = ?1 AND thread_id = ?2 AND agent_id = ?3 \
                   AND sequence <= ?4 AND seen = 0";
        conn.prepare_cached(sql)?.execute([portal.0, mark.thread_id.0, agent, mark.position.0])?;
    }
    Ok(())
}

/// Erases what lies beside a thread that is being erased.
pub(super) fn purge(conn: &Connection, portal: PortalId, thread: i64) -> Result<()> {
    for sql in [
        "DELETE FROM reads WHERE portal_id = ?1 AND thread_id = ?2",
        "DELETE FROM drafts WHERE portal_id = ?1 AND thread_id = ?2",
        "DELETE FROM callings WHERE portal_id = ?1 AND thread_id = ?2",
    ] {
        conn.prepare_cached(sql)?.execute([portal.0, thread])?;
    }
    Ok(())
}

/// An agent's draft in a thread.
pub(super) fn draft(
    conn: &Connection,
    portal: PortalId,
    thread: ThreadId,
    agent: i64,
) -> Result<Option<StoredDraft>> {
    let sql = "SELECT kind, preview, body, touched_at FROM drafts \
               WHERE portal_id = ?1 AND thread_id = ?2 AND agent_id = ?3";
    let mut sql = conn.prepare_cached(sql)?;
    let mut rows = sql.query([portal.0, thread.0, agent])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(StoredDraft {
        thread_id: thread,
        agent_id: agent,
        kind: MessageKind::stored(row.get(0)?)?,
        preview: row.get(1)?,
        body: row.get(2)?,
        touched_at: row.get(3)?,
    }))
}

/// An agent's drafts, those first that were written last, without what is in them.
pub(super) fn drafts(
    conn: &Connection,
    portal: PortalId,
    agent: i64,
    limit: usize,
) -> Result<Vec<StoredDraft>> {
    let sql = "SELECT thread_id, kind, preview, touched_at FROM drafts WHERE portal_id = ?1 AND agent_id = ?2 \
               ORDER BY touched_at DESC LIMIT ?3";
    let mut sql = conn.prepare_cached(sql)?;
    let mut rows = sql.query([portal.0, agent, limit as i64])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(StoredDraft {
            thread_id: ThreadId(row.get(0)?),
            agent_id: agent,
            kind: MessageKind::stored(row.get(1)?)?,
            preview: row.get(2)?,
            body: String::new(),
            touched_at: row.get(3)?,
        });
    }
    Ok(found)
}

/// Where an agent is called, newest first, behind one of those.
pub(super) fn callings(
    conn: &Connection,
    portal: PortalId,
    agent: i64,
    after: Option<MessageId>,
    limit: usize,
) -> Result<Vec<Calling>> {
    let sql = format!(
        "SELECT {CALLING} FROM callings WHERE portal_id = ?1 AND agent_id = ?2 AND message_id < ?3 \
         ORDER BY message_id DESC LIMIT ?4"
    );
    let mut sql = conn.prepare_cached(&sql)?;
    // Nothing is behind the last of all ids but that id.
    let after = after.map_or([u8::MAX; 16], |id| id.0);
    let found = sql.query_map(params![portal.0, agent, after, limit as i64], |row| {
        Ok(Calling {
            agent_id: agent,
            thread_id: ThreadId(row.get(0)?),
            message_id: MessageId(row.get(1)?),
            position: Position(row.get(2)?),
            caller: row.get(3)?,
            at: row.get(4)?,
            seen: row.get(5)?,
        })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// How often an agent is called and has not seen it, as far as that is counted.
pub(super) fn unseen(conn: &Connection, portal: PortalId, agent: i64) -> Result<i64> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM callings WHERE portal_id = ?1 AND agent_id = ?2 \
               AND seen = 0 LIMIT ?3)";
    Ok(conn.prepare_cached(sql)?.query_row([portal.0, agent, MOST_UNSEEN], |row| row.get(0))?)
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

    pub(crate) fn draft(
        &self,
        portal: PortalId,
        thread: ThreadId,
        agent: i64,
    ) -> Answer<Option<StoredDraft>> {
        self.read(|conn| draft(conn, portal, thread, agent))
    }

    pub(crate) fn drafts(&self, portal: PortalId, agent: i64, limit: usize) -> Answer<Vec<StoredDraft>> {
        self.read(|conn| drafts(conn, portal, agent, limit))
    }

    pub(crate) fn callings(
        &self,
        portal: PortalId,
        agent: i64,
        after: Option<MessageId>,
        limit: usize,
    ) -> Answer<Vec<Calling>> {
        self.read(|conn| callings(conn, portal, agent, after, limit))
    }

    pub(crate) fn callings_unseen(&self, portal: PortalId, agent: i64) -> Answer<i64> {
        self.read(|conn| unseen(conn, portal, agent))
    }
}

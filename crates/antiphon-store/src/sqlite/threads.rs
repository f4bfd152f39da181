//! Thread rows: read, written, found.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::failure::Result;
use crate::changes::BETWEEN;
use crate::threads::work::{tags_read, tags_text};
use crate::threads::{MOST_NAMELESS, MOST_NAMES, population};
use crate::{
    AccountId, InboxId, MessageId, Millis, PortalId, Thread, ThreadId, ThreadStatus, TicketId, VisitorId,
};

fn thread(row: &Row<'_>) -> rusqlite::Result<Thread> {
    Ok(Thread {
        number: row.get(0)?,
        id: ThreadId(row.get(1)?),
        inbox_id: InboxId(row.get(2)?),
        channel_id: row.get(4)?,
        account_id: AccountId(row.get(5)?),
        visitor_id: VisitorId(row.get(6)?),
        status: ThreadStatus::of(row.get(3)?),
        spam: row.get(7)?,
        assigned_to: row.get(8)?,
        ticket_id: row.get::<_, Option<i64>>(9)?.map(TicketId),
        created_at: row.get(10)?,
        closed_at: row.get(11)?,
        archived_at: row.get(12)?,
        latest_message_at: row.get(13)?,
        latest_sent_at: row.get(14)?,
        latest_received_at: row.get(15)?,
        latest_message_id: row.get::<_, Option<[u8; 16]>>(16)?.map(MessageId),
        latest_entry_at: row.get(17)?,
        entries: row.get(18)?,
        revision: row.get(19)?,
        subject: row.get(20)?,
        snoozed_until: row.get(21)?,
        tags: tags_read(row.get::<_, Option<String>>(22)?.as_deref()),
        preview: row.get(23)?,
    })
}

pub(super) fn by_id(conn: &Connection, portal: PortalId, id: ThreadId) -> Result<Option<Thread>> {
    let sql = "SELECT number, id, inbox_id, population, channel_id, account_id, visitor_id, spam, assigned_to, ticket_id, \
               created_at, closed_at, archived_at, latest_message_at, latest_sent_at, latest_received_at, \
               latest_message_id, latest_entry_at, entries, revision, subject, snoozed_until, tags, preview FROM threads WHERE portal_id = ?1 AND id = ?2";
    Ok(conn.prepare_cached(sql)?.query_row([portal.0, id.0], thread).optional()?)
}

/// The id of the newest live thread of a visitor on an account.
pub(super) fn newest_live(
    conn: &Connection,
    portal: PortalId,
    visitor: VisitorId,
    account: AccountId,
) -> Result<Option<ThreadId>> {
    let sql = "SELECT id FROM threads WHERE portal_id = ?1 AND visitor_id = ?2 AND account_id = ?3 \
               AND archived_at IS NULL ORDER BY id DESC LIMIT 1";
    let found =
        conn.prepare_cached(sql)?.query_row([portal.0, visitor.0, account.0], |row| row.get(0).map(ThreadId));
    Ok(found.optional()?)
}

/// The newest live thread of a visitor on an account that no integration has named, among the newest there are.
pub(super) fn newest_nameless(
    conn: &Connection,
    portal: PortalId,
    visitor: VisitorId,
    account: AccountId,
) -> Result<Option<ThreadId>> {
    let sql = "SELECT id FROM (SELECT id FROM threads WHERE portal_id = ?1 AND visitor_id = ?2 AND account_id = ?3 \
               AND archived_at IS NULL ORDER BY id DESC LIMIT ?4) t WHERE NOT EXISTS (SELECT 1 FROM thread_keys k \
               WHERE k.portal_id = ?1 AND k.thread_id = t.id AND substr(k.key, 1, 1) <> ?5) ORDER BY id DESC LIMIT 1";
    let values = params![portal.0, visitor.0, account.0, MOST_NAMELESS, BETWEEN.to_string()];
    Ok(conn.prepare_cached(sql)?.query_row(values, |row| row.get(0).map(ThreadId)).optional()?)
}

/// The thread to which a name on an account leads.
pub(super) fn by_key(
    conn: &Connection,
    portal: PortalId,
    account: AccountId,
    key: &str,
) -> Result<Option<ThreadId>> {
    let sql = "SELECT thread_id FROM thread_keys WHERE portal_id = ?1 AND account_id = ?2 AND key = ?3";
    let values = params![portal.0, account.0, key];
    Ok(conn.prepare_cached(sql)?.query_row(values, |row| row.get(0).map(ThreadId)).optional()?)
}

pub(super) fn put_key(
    conn: &Connection,
    portal: PortalId,
    account: AccountId,
    key: &str,
    thread: ThreadId,
) -> Result<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO thread_keys VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![portal.0, account.0, key, thread.0])?;
    Ok(())
}

/// The names under which integrations know a thread.
pub(super) fn keys(conn: &Connection, portal: PortalId, thread: ThreadId) -> Result<Vec<String>> {
    let sql = "SELECT key FROM thread_keys WHERE portal_id = ?1 AND thread_id = ?2 AND substr(key, 1, 1) <> ?3 \
               ORDER BY key LIMIT ?4";
    let mut sql = conn.prepare_cached(sql)?;
    let found =
        sql.query_map(params![portal.0, thread.0, BETWEEN.to_string(), MOST_NAMES], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Writes a whole row: a new one, or one whose place in the indexes may have changed. What triggers do for the rows of its tags,
/// see [`follow`].
pub(super) fn put(conn: &Connection, portal: PortalId, thread: &Thread, new: bool) -> Result<()> {
    let sql = if new {
        "INSERT INTO threads (number, portal_id, id, inbox_id, population, channel_id, account_id, visitor_id, spam, \
         assigned_to, ticket_id, created_at, closed_at, archived_at, latest_message_at, latest_sent_at, \
         latest_received_at, latest_message_id, latest_entry_at, entries, revision, subject, snoozed_until, tags, preview) VALUES \
         (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, \
         ?25)"
    } else {
        "UPDATE threads SET portal_id = ?2, id = ?3, inbox_id = ?4, population = ?5, channel_id = ?6, account_id = ?7, \
         visitor_id = ?8, spam = ?9, assigned_to = ?10, ticket_id = ?11, created_at = ?12, closed_at = ?13, \
         archived_at = ?14, latest_message_at = ?15, latest_sent_at = ?16, latest_received_at = ?17, \
         latest_message_id = ?18, latest_entry_at = ?19, entries = ?20, revision = ?21, subject = ?22, snoozed_until = ?23, \
         tags = ?24, preview = ?25 WHERE number = ?1"
    };
    conn.prepare_cached(sql)?.execute(params![
        thread.number,
        portal.0,
        thread.id.0,
        thread.inbox_id.0,
        population(thread.is_archived(), thread.status),
        thread.channel_id,
        thread.account_id.0,
        thread.visitor_id.0,
        thread.spam,
        thread.assigned_to,
        thread.ticket_id.map(|id| id.0),
        thread.created_at,
        thread.closed_at,
        thread.archived_at,
        thread.latest_message_at,
        thread.latest_sent_at,
        thread.latest_received_at,
        thread.latest_message_id.map(|id| id.0),
        thread.latest_entry_at,
        thread.entries,
        thread.revision,
        thread.subject,
        thread.snoozed_until,
        tags_text(&thread.tags),
        thread.preview,
    ])?;
    if new { Ok(()) } else { follow(conn, portal, thread) }
}

/// Writes who looks after a thread and whether it is spam: no index but one goes by that.
pub(super) fn turn(conn: &Connection, thread: &Thread) -> Result<()> {
    let sql = "UPDATE threads SET spam = ?2, assigned_to = ?3 WHERE number = ?1";
    conn.prepare_cached(sql)?.execute(params![thread.number, thread.spam, thread.assigned_to])?;
    Ok(())
}

/// Writes what changes with every message. Columns of the other indexes stay out, so that those are not touched, and so do those
/// that triggers wait for: a statement that has triggers costs half as much again, whether they do anything or not.
pub(super) fn touch(conn: &Connection, portal: PortalId, thread: &Thread) -> Result<()> {
    let sql = "UPDATE threads SET closed_at = ?2, latest_message_at = ?3, latest_sent_at = ?4, latest_received_at = ?5, \
               latest_message_id = ?6, latest_entry_at = ?7, entries = ?8, revision = ?9, subject = ?10, preview = ?11 \
               WHERE number = ?1";
    conn.prepare_cached(sql)?.execute(params![
        thread.number,
        thread.closed_at,
        thread.latest_message_at,
        thread.latest_sent_at,
        thread.latest_received_at,
        thread.latest_message_id.map(|id| id.0),
        thread.latest_entry_at,
        thread.entries,
        thread.revision,
        thread.subject,
        thread.preview,
    ])?;
    follow(conn, portal, thread)
}

/// Has the rows of a thread's tags stand where the thread does, as something may have been said in it.
fn follow(conn: &Connection, portal: PortalId, thread: &Thread) -> Result<()> {
    if !thread.tags.is_empty() {
        let sql = "UPDATE thread_tags SET latest_at = ?3 WHERE portal_id = ?1 AND thread_id = ?2 AND latest_at <> ?3";
        conn.prepare_cached(sql)?.execute([portal.0, thread.id.0, thread.latest_at()])?;
    }
    Ok(())
}

/// Threads that went to the trash before a moment.
pub(super) fn purge_due(
    conn: &Connection,
    portal: PortalId,
    before: Millis,
    limit: usize,
) -> Result<Vec<ThreadId>> {
    let sql = "SELECT id FROM threads WHERE portal_id = ?1 AND archived_at IS NOT NULL AND archived_at < ?2 \
               ORDER BY archived_at LIMIT ?3";
    let mut sql = conn.prepare_cached(sql)?;
    let due = sql.query_map([portal.0, before, limit as i64], |row| row.get(0).map(ThreadId))?;
    Ok(due.collect::<rusqlite::Result<_>>()?)
}

/// Threads whose snooze was to end before a moment, or then.
pub(super) fn snooze_due(
    conn: &Connection,
    portal: PortalId,
    now: Millis,
    limit: usize,
) -> Result<Vec<ThreadId>> {
    let sql = "SELECT id FROM threads WHERE portal_id = ?1 AND snoozed_until IS NOT NULL AND snoozed_until <= ?2 \
               ORDER BY snoozed_until LIMIT ?3";
    let mut sql = conn.prepare_cached(sql)?;
    let due = sql.query_map([portal.0, now, limit as i64], |row| row.get(0).map(ThreadId))?;
    Ok(due.collect::<rusqlite::Result<_>>()?)
}

/// The id behind a number; nothing once the thread is purged.
pub(super) fn id_of_number(conn: &Connection, portal: PortalId, number: i64) -> Result<Option<ThreadId>> {
    let mut sql = conn.prepare_cached("SELECT id FROM threads WHERE number = ?1 AND portal_id = ?2")?;
    Ok(sql.query_row([number, portal.0], |row| row.get(0).map(ThreadId)).optional()?)
}

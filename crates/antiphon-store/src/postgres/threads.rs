//! Thread rows: read.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::failure::Result;
use super::messages::message_id;
use super::readers::{Values, row, rows};
use crate::changes::BETWEEN;
use crate::threads::MOST_NAMES;
use crate::threads::work::tags_read;
use crate::{AccountId, InboxId, Millis, PortalId, Thread, ThreadId, ThreadStatus, TicketId, VisitorId};

/// What [`thread`] reads.
pub(super) const COLUMNS: &str = "id, inbox_id, population, channel_id, account_id, visitor_id, spam, assigned_to, \
                                  ticket_id, created_at, closed_at, archived_at, latest_message_at, latest_sent_at, \
                                  latest_received_at, latest_message_id, latest_entry_at, entries, revision, subject, \
                                  snoozed_until, tags, preview";

pub(super) fn thread(row: &Row) -> Result<Thread> {
    let id = row.try_get(0)?;
    Ok(Thread {
        id: ThreadId(id),
        number: id,
        inbox_id: InboxId(row.try_get(1)?),
        status: ThreadStatus::of(row.try_get(2)?),
        channel_id: row.try_get(3)?,
        account_id: AccountId(row.try_get(4)?),
        visitor_id: VisitorId(row.try_get(5)?),
        spam: row.try_get(6)?,
        assigned_to: row.try_get(7)?,
        ticket_id: row.try_get::<_, Option<i64>>(8)?.map(TicketId),
        created_at: row.try_get(9)?,
        closed_at: row.try_get(10)?,
        archived_at: row.try_get(11)?,
        latest_message_at: row.try_get(12)?,
        latest_sent_at: row.try_get(13)?,
        latest_received_at: row.try_get(14)?,
        latest_message_id: row.try_get::<_, Option<&[u8]>>(15)?.map(message_id).transpose()?,
        latest_entry_at: row.try_get(16)?,
        entries: row.try_get(17)?,
        revision: row.try_get(18)?,
        subject: row.try_get(19)?,
        snoozed_until: row.try_get(20)?,
        tags: tags_read(row.try_get(21)?),
        preview: row.try_get(22)?,
    })
}

pub(super) async fn by_id(client: &ClientWrapper, portal: PortalId, id: ThreadId) -> Result<Option<Thread>> {
    let sql = format!("SELECT {COLUMNS} FROM threads WHERE portal_id = $1 AND id = $2");
    row(client, &sql, &[&portal.0, &id.0]).await?.as_ref().map(thread).transpose()
}

pub(super) async fn by_ids(
    client: &ClientWrapper,
    portal: PortalId,
    ids: &[ThreadId],
) -> Result<Vec<Thread>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let sql = format!("SELECT {COLUMNS} FROM threads WHERE portal_id = $1 AND id = ANY($2)");
    rows(client, &sql, &[&portal.0, &ids]).await?.iter().map(thread).collect()
}

/// The names under which integrations know a thread.
pub(super) async fn keys(client: &ClientWrapper, portal: PortalId, thread: ThreadId) -> Result<Vec<String>> {
    let sql = "SELECT key FROM thread_keys WHERE portal_id = $1 AND thread_id = $2 AND substr(key, 1, 1) <> $3 \
               ORDER BY key LIMIT $4";
    let values: Values<'_> = &[&portal.0, &thread.0, &BETWEEN.to_string(), &MOST_NAMES];
    rows(client, sql, values).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Threads that went to the trash before a moment.
pub(super) async fn purge_due(
    client: &ClientWrapper,
    portal: PortalId,
    before: Millis,
    limit: usize,
) -> Result<Vec<ThreadId>> {
    let sql = "SELECT id FROM threads WHERE portal_id = $1 AND archived_at IS NOT NULL AND archived_at < $2 \
               ORDER BY archived_at LIMIT $3";
    let due = rows(client, sql, &[&portal.0, &before, &(limit as i64)]).await?;
    due.iter().map(|row| Ok(ThreadId(row.try_get(0)?))).collect()
}

/// Threads whose snooze was to end before a moment, or then.
pub(super) async fn snooze_due(
    client: &ClientWrapper,
    portal: PortalId,
    now: Millis,
    limit: usize,
) -> Result<Vec<ThreadId>> {
    let sql = "SELECT id FROM threads WHERE portal_id = $1 AND snoozed_until IS NOT NULL AND snoozed_until <= $2 \
               ORDER BY snoozed_until LIMIT $3";
    let due = rows(client, sql, &[&portal.0, &now, &(limit as i64)]).await?;
    due.iter().map(|row| Ok(ThreadId(row.try_get(0)?))).collect()
}

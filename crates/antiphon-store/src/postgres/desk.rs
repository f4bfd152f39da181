//! What people lay beside threads: read and written. Whoever writes it has locked the thread.

use std::time::Instant;

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::connect::{SOON, answered};
use super::failure::{Failure, Result};
use super::finders::ask;
use super::messages;
use super::readers::{self, Values, execute, row, rows};
use super::{ANSWER, Answer, Engine};
use crate::desk::{MOST_DRAFTS, MOST_NEWER, MOST_UNSEEN, MOST_WRITING};
use crate::messages::{LOOKED_AT, key, number, place};
use crate::*;

const MARK: &str = "thread_id, reader, sequence, message_id, at";
const CALLING: &str = "thread_id, message_id, sequence, caller, at, seen";

fn mark(row: &Row) -> Result<ReadMark> {
    Ok(ReadMark {
        thread_id: ThreadId(row.try_get(0)?),
        reader: row.try_get(1)?,
        position: Position(row.try_get(2)?),
        message_id: messages::message_id(row.try_get(3)?)?,
        at: row.try_get(4)?,
    })
}

fn kind(value: i64) -> Result<MessageKind> {
    Ok(MessageKind::stored(value)?)
}

/// What somebody has beside a thread that is locked. `waiting` are the entries that the batch writes when it is committed, and
/// `spent` is what the key against doubles led to in it.
pub(super) async fn state(
    client: &ClientWrapper,
    portal: PortalId,
    thread: &Thread,
    asked: &DeskKey,
    waiting: &[(i64, NewMessage)],
    spent: Option<&Earlier>,
) -> Result<Desk> {
    let message = match asked.message {
        Some(id) => entry(client, portal, thread, id, waiting).await?,
        None => None,
    };
    let sql = format!("SELECT {MARK} FROM reads WHERE portal_id = $1 AND thread_id = $2 AND reader = $3");
    let read = row(client, &sql, &[&portal.0, &thread.id.0, &asked.who]).await?;
    let read = read.as_ref().map(mark).transpose()?;
    let mut desk = Desk { message, read, ..Desk::default() };
    if asked.newer {
        newer(client, portal, thread, waiting, &mut desk).await?;
    }
    if let Some(agent) = asked.writer {
        writing(client, portal, thread, agent, &mut desk).await?;
    }
    desk.earlier = match &asked.once {
        Some(once) if spent.is_none() => earlier(client, portal, once).await?,
        _ => spent.cloned(),
    };
    Ok(desk)
}

/// An entry of a thread that is locked, and its place.
pub(super) async fn entry(
    client: &ClientWrapper,
    portal: PortalId,
    thread: &Thread,
    id: MessageId,
    waiting: &[(i64, NewMessage)],
) -> Result<Option<(Position, StoredMessage)>> {
    if let Some((key, new)) = waiting.iter().find(|(_, new)| new.id == id) {
        return Ok((new.thread_id == thread.id).then(|| (place(*key), stored(new, thread))));
    }
    let sql = format!("SELECT {}, key FROM messages WHERE portal_id = $1 AND id = $2", messages::COLUMNS);
    let Some(row) = row(client, &sql, &[&portal.0, &id.0.as_slice()]).await? else { return Ok(None) };
    let key = row.try_get(5)?;
    if number(key) != thread.number {
        return Ok(None);
    }
    Ok(Some((place(key), messages::message(&row, thread.is_archived())?)))
}

/// An entry as it will be read back.
fn stored(new: &NewMessage, thread: &Thread) -> StoredMessage {
    StoredMessage {
        id: new.id,
        kind: new.kind,
        direction: new.direction,
        document: new.document.clone(),
        archived: thread.is_archived(),
    }
}

/// Messages and notes behind the entry that was named, as far back as is looked.
async fn newer(
    client: &ClientWrapper,
    portal: PortalId,
    thread: &Thread,
    waiting: &[(i64, NewMessage)],
    desk: &mut Desk,
) -> Result<()> {
    let behind = desk.message.as_ref().map_or(0, |(position, _)| position.0 + 1);
    let from = behind.max(thread.entries - LOOKED_AT);
    let (first, end) = (key(thread.number, from), key(thread.number, thread.entries));
    let said = |new: &NewMessage| matches!(new.kind, MessageKind::Message | MessageKind::Comment);
    let of_batch = waiting.iter().rev().filter(|(key, new)| (first..end).contains(key) && said(new));
    desk.newer.extend(of_batch.map(|(_, new)| stored(new, thread)));
    let sql = format!(
        "SELECT {} FROM messages WHERE portal_id = $1 AND key >= $2 AND key < $3 AND kind IN (1, 2) \
         ORDER BY key DESC LIMIT $4",
        messages::COLUMNS
    );
    for row in rows(client, &sql, &[&portal.0, &first, &end, &MOST_NEWER]).await? {
        desk.newer.push(messages::message(&row, thread.is_archived())?);
    }
    desk.more = from > behind || desk.newer.len() as i64 >= MOST_NEWER;
    Ok(())
}

/// Who is writing in a thread, and how much an agent has begun elsewhere.
async fn writing(
    client: &ClientWrapper,
    portal: PortalId,
    thread: &Thread,
    agent: i64,
    desk: &mut Desk,
) -> Result<()> {
    let sql = "SELECT agent_id, kind, touched_at FROM drafts WHERE portal_id = $1 AND thread_id = $2 \
               ORDER BY touched_at DESC LIMIT $3";
    for row in rows(client, sql, &[&portal.0, &thread.id.0, &MOST_WRITING]).await? {
        let kind = kind(row.try_get(1)?)?;
        desk.writing.push(Writing { agent_id: row.try_get(0)?, kind, touched_at: row.try_get(2)? });
    }
    let sql = "SELECT count(*) FROM (SELECT 1 FROM drafts WHERE portal_id = $1 AND agent_id = $2 \
               AND thread_id <> $3 LIMIT $4) counted";
    if let Some(row) = row(client, sql, &[&portal.0, &agent, &thread.id.0, &MOST_DRAFTS]).await? {
        desk.drafts = usize::try_from(row.try_get::<_, i64>(0)?).unwrap_or_default();
    }
    Ok(())
}

/// What a key against doubles of account 0 led to.
async fn earlier(client: &ClientWrapper, portal: PortalId, once: &str) -> Result<Option<Earlier>> {
    let sql = "SELECT thread_id, message_id FROM idempotency_keys WHERE portal_id = $1 AND account_id = 0 AND key = $2";
    let Some(row) = row(client, sql, &[&portal.0, &once]).await? else { return Ok(None) };
    let message_id = messages::message_id(row.try_get(1)?)?;
    Ok(Some(Earlier { thread_id: ThreadId(row.try_get(0)?), message_id }))
}

pub(super) async fn write(client: &ClientWrapper, portal: PortalId, changes: &[DeskChange]) -> Result<()> {
    for change in changes {
        match change {
            DeskChange::Read(mark) => put_mark(client, portal, mark).await?,
            DeskChange::Draft(draft) => {
                let sql = "INSERT INTO drafts (portal_id, thread_id, agent_id, kind, preview, body, touched_at) \
                           VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (portal_id, thread_id, agent_id) \
                           DO UPDATE SET kind = $4, preview = $5, body = $6, touched_at = $7";
                let (thread, kind) = (draft.thread_id.0, i64::from(draft.kind as u8));
                let values: Values<'_> = &[
                    &portal.0,
                    &thread,
                    &draft.agent_id,
                    &kind,
                    &draft.preview,
                    &draft.body,
                    &draft.touched_at,
                ];
                execute(client, sql, values).await?;
            }
            DeskChange::DraftGone(thread, agent) => {
                let sql = "DELETE FROM drafts WHERE portal_id = $1 AND thread_id = $2 AND agent_id = $3";
                execute(client, sql, &[&portal.0, &thread.0, agent]).await?;
            }
            DeskChange::Called(calling) => {
                let sql = "INSERT INTO callings (portal_id, agent_id, message_id, thread_id, sequence, caller, at, seen) \
                           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
                let (message, thread) = (calling.message_id.0.as_slice(), calling.thread_id.0);
                let values: Values<'_> = &[
                    &portal.0,
                    &calling.agent_id,
                    &message,
                    &thread,
                    &calling.position.0,
                    &calling.caller,
                    &calling.at,
                    &calling.seen,
                ];
                execute(client, sql, values).await?;
            }
        }
    }
    Ok(())
}

async fn put_mark(client: &ClientWrapper, portal: PortalId, mark: &ReadMark) -> Result<()> {
    let sql = "INSERT INTO reads (portal_id, thread_id, reader, sequence, message_id, at) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (portal_id, thread_id, reader) \
               DO UPDATE SET sequence = excluded.sequence, message_id = excluded.message_id, \
               at = excluded.at WHERE reads.sequence < excluded.sequence";
    let id = mark.message_id.0.as_slice();
    let values: Values<'_> = &[&portal.0, &mark.thread_id.0, &mark.reader, &mark.position.0, &id, &mark.at];
    execute(client, sql, values).await?;
    if let Some(agent) = mark.agent() {
        let sql = "UPDATE callings SET seen = true WHERE portal_id = $1 AND thread_id = $2 AND agent_id = $3 \
                   AND sequence <= $4 AND NOT seen";
        execute(client, sql, &[&portal.0, &mark.thread_id.0, &agent, &mark.position.0]).await?;
    }
    Ok(())
}

fn calling(agent: i64, row: &Row) -> Result<Calling> {
    Ok(Calling {
        agent_id: agent,
        thread_id: ThreadId(row.try_get(0)?),
        message_id: messages::message_id(row.try_get(1)?)?,
        position: Position(row.try_get(2)?),
        caller: row.try_get(3)?,
        at: row.try_get(4)?,
        seen: row.try_get(5)?,
    })
}

impl Engine {
    pub(crate) async fn reads_on(
        &self,
        portal: PortalId,
        thread: ThreadId,
        limit: usize,
    ) -> Answer<Vec<ReadMark>> {
        let sql = format!(
            "SELECT {MARK} FROM reads WHERE portal_id = $1 AND thread_id = $2 ORDER BY reader LIMIT $3"
        );
        let limit = limit as i64;
        let values: Values<'_> = &[&portal.0, &thread.0, &limit];
        let found: Answer<_> = ask!(self, client => rows(client, &sql, values));
        Ok(found?.iter().map(mark).collect::<Result<_>>()?)
    }

    pub(crate) async fn reads_of(
        &self,
        portal: PortalId,
        reader: &str,
        threads: &[ThreadId],
    ) -> Answer<Vec<ReadMark>> {
        let sql =
            format!("SELECT {MARK} FROM reads WHERE portal_id = $1 AND thread_id = ANY($2) AND reader = $3");
        let threads: Vec<i64> = threads.iter().map(|id| id.0).collect();
        let values: Values<'_> = &[&portal.0, &threads, &reader];
        let found: Answer<_> = ask!(self, client => rows(client, &sql, values));
        Ok(found?.iter().map(mark).collect::<Result<_>>()?)
    }

    pub(crate) async fn draft(
        &self,
        portal: PortalId,
        thread: ThreadId,
        agent: i64,
    ) -> Answer<Option<StoredDraft>> {
        let sql = "SELECT kind, preview, body, touched_at FROM drafts \
                   WHERE portal_id = $1 AND thread_id = $2 AND agent_id = $3";
        let values: Values<'_> = &[&portal.0, &thread.0, &agent];
        let found: Answer<_> = ask!(self, client => row(client, sql, values));
        let draft = |row: Row| -> Result<StoredDraft> {
            Ok(StoredDraft {
                thread_id: thread,
                agent_id: agent,
                kind: kind(row.try_get(0)?)?,
                preview: row.try_get(1)?,
                body: row.try_get(2)?,
                touched_at: row.try_get(3)?,
            })
        };
        Ok(found?.map(draft).transpose()?)
    }

    pub(crate) async fn drafts(
        &self,
        portal: PortalId,
        agent: i64,
        limit: usize,
    ) -> Answer<Vec<StoredDraft>> {
        let sql = "SELECT thread_id, kind, preview, touched_at FROM drafts WHERE portal_id = $1 AND agent_id = $2 \
                   ORDER BY touched_at DESC LIMIT $3";
        let limit = limit as i64;
        let values: Values<'_> = &[&portal.0, &agent, &limit];
        let found: Answer<_> = ask!(self, client => rows(client, sql, values));
        let draft = |row: &Row| -> Result<StoredDraft> {
            Ok(StoredDraft {
                thread_id: ThreadId(row.try_get(0)?),
                agent_id: agent,
                kind: kind(row.try_get(1)?)?,
                preview: row.try_get(2)?,
                body: String::new(),
                touched_at: row.try_get(3)?,
            })
        };
        Ok(found?.iter().map(draft).collect::<Result<_>>()?)
    }

    pub(crate) async fn callings(
        &self,
        portal: PortalId,
        agent: i64,
        after: Option<MessageId>,
        limit: usize,
    ) -> Answer<Vec<Calling>> {
        let sql = format!(
            "SELECT {CALLING} FROM callings WHERE portal_id = $1 AND agent_id = $2 AND message_id < $3 \
             ORDER BY message_id DESC LIMIT $4"
        );
        // Nothing is behind the last of all ids but that id.
        let (after, limit) = (after.map_or([u8::MAX; 16], |id| id.0), limit as i64);
        let values: Values<'_> = &[&portal.0, &agent, &after.as_slice(), &limit];
        let found: Answer<_> = ask!(self, client => rows(client, &sql, values));
        Ok(found?.iter().map(|row| calling(agent, row)).collect::<Result<_>>()?)
    }

    pub(crate) async fn callings_unseen(&self, portal: PortalId, agent: i64) -> Answer<i64> {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM callings WHERE portal_id = $1 AND agent_id = $2 \
                   AND NOT seen LIMIT $3) counted";
        let values: Values<'_> = &[&portal.0, &agent, &MOST_UNSEEN];
        let found: Answer<_> = ask!(self, client => row(client, sql, values));
        Ok(found?.map(|row| row.try_get(0)).transpose().map_err(Failure::from)?.unwrap_or_default())
    }
}

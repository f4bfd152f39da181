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
use crate::messages::{number, place};
use crate::{
    Desk, DeskChange, DeskKey, MessageId, NewMessage, PortalId, Position, ReadMark, StoredMessage, Thread,
    ThreadId,
};

const MARK: &str = "thread_id, reader, sequence, message_id, at";

fn mark(row: &Row) -> Result<ReadMark> {
    Ok(ReadMark {
        thread_id: ThreadId(row.try_get(0)?),
        reader: row.try_get(1)?,
        position: Position(row.try_get(2)?),
        message_id: messages::message_id(row.try_get(3)?)?,
        at: row.try_get(4)?,
    })
}

/// What somebody has beside a thread that is locked. `waiting` are the entries that the batch writes when it is committed.
pub(super) async fn state(
    client: &ClientWrapper,
    portal: PortalId,
    thread: &Thread,
    key: &DeskKey,
    waiting: &[(i64, NewMessage)],
) -> Result<Desk> {
    let message = match key.message {
        Some(id) => entry(client, portal, thread, id, waiting).await?,
        None => None,
    };
    let sql = format!("SELECT {MARK} FROM reads WHERE portal_id = $1 AND thread_id = $2 AND reader = $3");
    let read = row(client, &sql, &[&portal.0, &thread.id.0, &key.who]).await?;
    Ok(Desk { message, read: read.as_ref().map(mark).transpose()? })
}

/// An entry of a thread, and its place.
async fn entry(
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

pub(super) async fn write(client: &ClientWrapper, portal: PortalId, changes: &[DeskChange]) -> Result<()> {
    for change in changes {
        match change {
            DeskChange::Read(mark) => {
                let sql = "INSERT INTO reads (portal_id, thread_id, reader, sequence, message_id, at) \
                           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (portal_id, thread_id, reader) \
                           DO UPDATE SET sequence = excluded.sequence, message_id = excluded.message_id, \
                           at = excluded.at WHERE reads.sequence < excluded.sequence";
                let id = mark.message_id.0.as_slice();
                let values: Values<'_> =
                    &[&portal.0, &mark.thread_id.0, &mark.reader, &mark.position.0, &id, &mark.at];
                execute(client, sql, values).await?;
            }
        }
    }
    Ok(())
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
}

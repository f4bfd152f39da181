//! History rows: read.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::failure::{Result, damaged};
use super::readers::{Values, row, rows};
use crate::messages::{LOOKED_AT, MOST_ENTRIES, key, number};
use crate::{
    Direction, Document, HistoryQuery, MessageId, MessageKind, Original, Page, PortalId, Position,
    StoredMessage, ThreadId,
};

/// What [`message`] reads.
pub(super) const COLUMNS: &str = "id, kind, direction, format, doc";

pub(super) fn message(row: &Row, archived: bool) -> Result<StoredMessage> {
    let direction: Option<i16> = row.try_get(2)?;
    let format: i16 = row.try_get(3)?;
    let format = u8::try_from(format).map_err(|_| damaged("a message's format", format.into()))?;
    Ok(StoredMessage {
        id: message_id(row.try_get(0)?)?,
        kind: MessageKind::stored(row.try_get::<_, i16>(1)?.into())?,
        direction: direction.map(|way| Direction::stored(way.into())).transpose()?,
        document: Document::stored(format, row.try_get(4)?)?,
        archived,
    })
}

pub(super) fn message_id(bytes: &[u8]) -> Result<MessageId> {
    let id = bytes.try_into().map_err(|_| damaged("the length of a message's id", bytes.len() as i64))?;
    Ok(MessageId(id))
}

/// The thread that an entry is in.
pub(super) async fn thread_of(
    client: &ClientWrapper,
    portal: PortalId,
    id: MessageId,
) -> Result<Option<ThreadId>> {
    let sql = "SELECT t.id FROM messages m JOIN threads t ON t.portal_id = $1 AND t.id = m.key >> 24 \
               WHERE m.portal_id = $1 AND m.id = $2";
    let found = row(client, sql, &[&portal.0, &id.0.as_slice()]).await?;
    found.map(|row| Ok(ThreadId(row.try_get(0)?))).transpose()
}

/// Reads a page, and in the same breath the thread that says how much there is. Formats are not looked at: a database that
/// holds one that is not known is not opened, see [`schema`](super::schema).
pub(super) async fn history(
    client: &ClientWrapper,
    portal: PortalId,
    thread: ThreadId,
    query: &HistoryQuery,
    sink: &mut (dyn FnMut(&[u8]) + Send),
) -> Result<Option<Page<Position>>> {
    let order = if query.ascending { "key" } else { "key DESC" };
    let sql = format!(
        "SELECT t.entries, m.key, m.doc FROM threads t LEFT JOIN LATERAL (SELECT key, doc FROM messages \
         WHERE portal_id = $1 AND key >= $3 AND key < $4 ORDER BY {order} LIMIT $5) m ON true \
         WHERE t.portal_id = $1 AND t.id = $2 AND (t.archived_at IS NOT NULL) = $6"
    );
    let (from, to) = query.range(MOST_ENTRIES);
    let (first, end) = (key(thread.0, from), key(thread.0, to));
    let values: Values<'_> = &[&portal.0, &thread.0, &first, &end, &(query.limit as i64), &query.archived];
    let found = rows(client, &sql, values).await?;
    let Some(row) = found.first() else { return Ok(None) };
    let (from, to) = query.range(row.try_get(0)?);
    let mut count = 0;
    for row in &found {
        let Some(found) = row.try_get::<_, Option<i64>>(1)? else { break };
        // Sequences have no gaps: this tells that none is missing, and that they came in order.
        let sequence = if query.ascending { from + count as i64 } else { to - 1 - count as i64 };
        if found != key(thread.0, sequence) {
            return Err(damaged("a message that is out of place", found));
        }
        sink(row.try_get(2)?);
        count += 1;
    }
    if count != usize::try_from(to - from).unwrap_or_default().min(query.limit) {
        return Err(damaged("how many entries a thread has", count as i64));
    }
    Ok(Some(query.page((from, to), count)))
}

/// One entry of a thread. `more` is read beside it, behind [`COLUMNS`], its key and whether the thread is archived.
async fn find(
    client: &ClientWrapper,
    portal: PortalId,
    thread: ThreadId,
    id: MessageId,
    more: &str,
) -> Result<Option<Row>> {
    let sql = format!(
        "SELECT m.*, t.archived_at IS NOT NULL{more} FROM threads t JOIN LATERAL (SELECT {COLUMNS}, key FROM messages \
         WHERE portal_id = $1 AND id = $3 LIMIT 1) m ON m.key >> 24 = t.id WHERE t.portal_id = $1 AND t.id = $2"
    );
    row(client, &sql, &[&portal.0, &thread.0, &id.0.as_slice()]).await
}

pub(super) async fn by_id(
    client: &ClientWrapper,
    portal: PortalId,
    thread: ThreadId,
    id: MessageId,
) -> Result<Option<StoredMessage>> {
    let found = find(client, portal, thread, id, "").await?;
    found.map(|row| message(&row, row.try_get(6)?)).transpose()
}

/// Those that are in the threads they are said to be in.
pub(super) async fn by_ids(
    client: &ClientWrapper,
    portal: PortalId,
    ids: &[(ThreadId, MessageId)],
) -> Result<Vec<StoredMessage>> {
    let sql = format!(
        "SELECT m.*, t.archived FROM (SELECT {COLUMNS}, key FROM messages WHERE portal_id = $1 AND id = ANY($2)) m \
         CROSS JOIN LATERAL (SELECT archived_at IS NOT NULL AS archived FROM threads WHERE portal_id = $1 \
         AND id = m.key >> 24 LIMIT 1) t"
    );
    let wanted: Vec<&[u8]> = ids.iter().map(|(_, id)| id.0.as_slice()).collect();
    let found = rows(client, &sql, &[&portal.0, &wanted]).await?;
    let found = found.iter().map(|row| {
        let (message, key): (_, i64) = (message(row, row.try_get(6)?)?, row.try_get(5)?);
        Ok(ids.contains(&(ThreadId(number(key)), message.id)).then_some(message))
    });
    found.filter_map(Result::transpose).collect()
}

pub(super) async fn original(
    client: &ClientWrapper,
    portal: PortalId,
    thread: ThreadId,
    id: MessageId,
) -> Result<Option<Original>> {
    let more = ", (SELECT body FROM originals WHERE portal_id = $1 AND message = m.key)";
    let Some(row) = find(client, portal, thread, id, more).await? else { return Ok(None) };
    Ok(Some(Original { message: message(&row, row.try_get(6)?)?, original: row.try_get(7)? }))
}

pub(super) async fn latest_incoming(
    client: &ClientWrapper,
    portal: PortalId,
    thread: ThreadId,
    limit: usize,
) -> Result<Vec<StoredMessage>> {
    let sql = format!(
        "SELECT m.*, t.archived_at IS NOT NULL FROM threads t CROSS JOIN LATERAL (SELECT {COLUMNS}, key FROM messages \
         WHERE portal_id = $1 AND key > GREATEST($3::bigint - 1, (SELECT max(key) FROM messages \
         WHERE portal_id = $1 AND key >= $3 AND key < $4 AND direction = 1) - $6::bigint) \
         AND key < $4 AND direction = 1 ORDER BY key DESC LIMIT $5) m \
         WHERE t.portal_id = $1 AND t.id = $2 ORDER BY m.key DESC"
    );
    let (first, end) = (key(thread.0, 0), key(thread.0, MOST_ENTRIES));
    let found =
        rows(client, &sql, &[&portal.0, &thread.0, &first, &end, &(limit as i64), &LOOKED_AT]).await?;
    found.iter().map(|row| message(row, row.try_get(6)?)).collect()
}

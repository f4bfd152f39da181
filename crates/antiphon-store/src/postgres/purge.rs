//! Erasing, a few rows at a time.

use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Transaction};
use tokio_postgres::Row;

use super::failure::Result;
use super::readers::Values;
use crate::PortalId;
use crate::messages::key;

/// Entries erased in one step; with what belongs to each it stays within 500 rows.
const ENTRIES: i64 = 120;

/// How long what another node is at is left to it.
const OTHERS: Duration = Duration::from_millis(20);

/// Erases some rows of the first thread that waits for it and that no other node is erasing; `false` when none waits any more.
pub(super) async fn step(client: &mut ClientWrapper, portal: PortalId) -> Result<bool> {
    // Dropped halfway, it is rolled back.
    let transaction = client.transaction().await?;
    let sql =
        "SELECT thread_id FROM purges WHERE portal_id = $1 ORDER BY thread_id LIMIT 1 FOR UPDATE SKIP LOCKED";
    let Some(waiting) = row(&transaction, sql, &[&portal.0]).await? else {
        // What another node is at is not done before it is.
        let sql = "SELECT thread_id FROM purges WHERE portal_id = $1 ORDER BY thread_id LIMIT 1";
        let others = row(&transaction, sql, &[&portal.0]).await?.is_some();
        drop(transaction);
        if others {
            tokio::time::sleep(OTHERS).await;
        }
        return Ok(others);
    };
    let thread: i64 = waiting.try_get(0)?;
    let (from, end) = (key(thread, 0), key(thread + 1, 0));
    // The first entries, up to the key of the last that goes in this step.
    let sql = "SELECT key FROM messages WHERE portal_id = $1 AND key >= $2 AND key < $3 ORDER BY key LIMIT 1 OFFSET $4";
    let last = row(&transaction, sql, &[&portal.0, &from, &end, &(ENTRIES - 1)]).await?;
    let last: Option<i64> = last.map(|row| row.try_get(0)).transpose()?;
    let to = last.map_or(end, |last| last + 1);
    let sql = "SELECT count(*), coalesce(sum(length(doc)), 0)::bigint FROM messages \
               WHERE portal_id = $1 AND key >= $2 AND key < $3";
    if let Some(held) = row(&transaction, sql, &[&portal.0, &from, &to]).await? {
        let (messages, bytes): (i64, i64) = (held.try_get(0)?, held.try_get(1)?);
        let sql = "INSERT INTO tallies AS t (portal_id, slot, threads, messages, bytes, latest_now, batch, written_at) \
                   VALUES ($1, 0, 0, $2, $3, 0, 0, now()) ON CONFLICT (portal_id, slot) \
                   DO UPDATE SET messages = t.messages + excluded.messages, bytes = t.bytes + excluded.bytes";
        row(&transaction, sql, &[&portal.0, &-messages, &-bytes]).await?;
    }
    // They never outlast the messages they led to: a move finds them by these.
    let sql = "DELETE FROM idempotency_keys WHERE portal_id = $1 AND thread_id = $2";
    row(&transaction, sql, &[&portal.0, &thread]).await?;
    for sql in [
        "DELETE FROM mentions WHERE portal_id = $1 AND message >= $2 AND message < $3",
        "DELETE FROM originals WHERE portal_id = $1 AND message >= $2 AND message < $3",
        "DELETE FROM messages WHERE portal_id = $1 AND key >= $2 AND key < $3",
    ] {
        row(&transaction, sql, &[&portal.0, &from, &to]).await?;
    }
    if last.is_none() {
        for sql in [
            "DELETE FROM thread_keys WHERE portal_id = $1 AND thread_id = $2",
            "DELETE FROM reads WHERE portal_id = $1 AND thread_id = $2",
            "DELETE FROM chats WHERE portal_id = $1 AND thread_id = $2",
            "DELETE FROM drafts WHERE portal_id = $1 AND thread_id = $2",
            "DELETE FROM callings WHERE portal_id = $1 AND thread_id = $2",
            "DELETE FROM purges WHERE portal_id = $1 AND thread_id = $2",
        ] {
            row(&transaction, sql, &[&portal.0, &thread]).await?;
        }
    }
    transaction.commit().await?;
    Ok(true)
}

/// Runs a statement inside a transaction.
async fn row(transaction: &Transaction<'_>, sql: &str, values: Values<'_>) -> Result<Option<Row>> {
    let statement = transaction.prepare_cached(sql).await?;
    Ok(transaction.query_opt(&statement, values).await?)
}

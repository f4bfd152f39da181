//! Whose threads on live chat are.

use std::time::Instant;

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::connect::{SOON, answered};
use super::failure::{Failure, Result};
use super::finders::ask;
use super::readers::{self, Values, execute, rows};
use super::{ANSWER, Answer, Engine};
use crate::{AccountId, Chat, PortalId, ThreadId};

/// Writes whose a thread is, in the transaction that makes it.
pub(super) async fn put(client: &ClientWrapper, portal: PortalId, chat: &Chat) -> Result<()> {
    let sql = "INSERT INTO chats (portal_id, thread_id, account_id, visitor_key, said, said_of) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (portal_id, thread_id) \
               DO UPDATE SET account_id = $3, visitor_key = $4, said = $5, said_of = $6";
    let Chat { thread_id, account_id, visitor_key, said, said_of } = chat;
    let values: Values<'_> = &[&portal.0, &thread_id.0, &account_id.0, visitor_key, said, said_of];
    execute(client, sql, values).await?;
    Ok(())
}

fn read(row: &Row) -> Result<Chat> {
    Ok(Chat {
        thread_id: ThreadId(row.try_get(0)?),
        account_id: AccountId(row.try_get(1)?),
        visitor_key: row.try_get(2)?,
        said: row.try_get(3)?,
        said_of: row.try_get(4)?,
    })
}

impl Engine {
    pub(crate) async fn chats_by_threads(&self, portal: PortalId, threads: &[ThreadId]) -> Answer<Vec<Chat>> {
        if threads.is_empty() {
            return Ok(Vec::new());
        }
        let sql = "SELECT thread_id, account_id, visitor_key, said, said_of FROM chats \
                   WHERE portal_id = $1 AND thread_id = ANY($2)";
        let ids: Vec<i64> = threads.iter().map(|id| id.0).collect();
        let values: Values<'_> = &[&portal.0, &ids];
        let found: Answer<_> = ask!(self, client => rows(client, sql, values));
        let found: Vec<Row> = found?;
        Ok(found.iter().map(read).collect::<Result<_>>()?)
    }

    pub(crate) async fn chats_said(
        &self,
        portal: PortalId,
        address: &str,
        after: ThreadId,
        limit: usize,
    ) -> Answer<Vec<Chat>> {
        let sql = "SELECT thread_id, account_id, visitor_key, said, said_of FROM chats \
                   WHERE portal_id = $1 AND said_of = $2 AND thread_id > $3 ORDER BY thread_id LIMIT $4";
        let limit = limit as i64;
        let values: Values<'_> = &[&portal.0, &address, &after.0, &limit];
        let found: Answer<Vec<Row>> = ask!(self, client => rows(client, sql, values));
        Ok(found?.iter().map(read).collect::<Result<_>>()?)
    }

    pub(crate) async fn chat_unsay(
        &self,
        portal: PortalId,
        thread: ThreadId,
        address: String,
        said: String,
    ) -> Answer<()> {
        let sql = "UPDATE chats SET said = $4, said_of = NULL WHERE portal_id = $1 AND thread_id = $2 AND said_of = $3";
        let values: Values<'_> = &[&portal.0, &thread.0, &address, &said];
        let written: Answer<u64> = ask!(self, client => execute(client, sql, values));
        written.map(drop)
    }

    pub(crate) async fn chats_of_visitor(
        &self,
        portal: PortalId,
        account: AccountId,
        key: &str,
        limit: usize,
    ) -> Answer<Vec<ThreadId>> {
        let sql = "SELECT thread_id FROM chats WHERE portal_id = $1 AND account_id = $2 AND visitor_key = $3 \
                   ORDER BY thread_id DESC LIMIT $4";
        let limit = limit as i64;
        let values: Values<'_> = &[&portal.0, &account.0, &key, &limit];
        let found: Answer<_> = ask!(self, client => rows(client, sql, values));
        let ids =
            found?.iter().map(|row| row.try_get(0).map(ThreadId)).collect::<std::result::Result<Vec<_>, _>>();
        Ok(ids.map_err(Failure::from)?)
    }
}

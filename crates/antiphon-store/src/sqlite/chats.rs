//! Whose threads on live chat are.

use rusqlite::{Connection, OptionalExtension, params};

use super::failure::Result;
use super::{Answer, Engine};
use crate::{AccountId, Chat, PortalId, ThreadId};

pub(super) fn put(conn: &Connection, portal: PortalId, chat: &Chat) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO chats (portal_id, thread_id, account_id, visitor_key, said) VALUES (?1, ?2, ?3, ?4, ?5)";
    let values = params![portal.0, chat.thread_id.0, chat.account_id.0, chat.visitor_key, chat.said];
    conn.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

pub(super) fn by_thread(conn: &Connection, portal: PortalId, thread: ThreadId) -> Result<Option<Chat>> {
    let sql = "SELECT account_id, visitor_key, said FROM chats WHERE portal_id = ?1 AND thread_id = ?2";
    let found = conn.prepare_cached(sql)?.query_row([portal.0, thread.0], |row| {
        Ok(Chat {
            thread_id: thread,
            account_id: AccountId(row.get(0)?),
            visitor_key: row.get(1)?,
            said: row.get(2)?,
        })
    });
    Ok(found.optional()?)
}

pub(super) fn of_visitor(
    conn: &Connection,
    portal: PortalId,
    account: AccountId,
    key: &str,
    limit: usize,
) -> Result<Vec<ThreadId>> {
    let sql = "SELECT thread_id FROM chats WHERE portal_id = ?1 AND account_id = ?2 AND visitor_key = ?3 \
               ORDER BY thread_id DESC LIMIT ?4";
    let mut sql = conn.prepare_cached(sql)?;
    let found =
        sql.query_map(params![portal.0, account.0, key, limit as i64], |row| row.get(0).map(ThreadId))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

impl Engine {
    pub(crate) fn chats_by_threads(&self, portal: PortalId, threads: &[ThreadId]) -> Answer<Vec<Chat>> {
        self.read(|conn| {
            let mut chats = Vec::new();
            for thread in threads {
                chats.extend(by_thread(conn, portal, *thread)?);
            }
            Ok(chats)
        })
    }

    pub(crate) fn chats_of_visitor(
        &self,
        portal: PortalId,
        account: AccountId,
        key: &str,
        limit: usize,
    ) -> Answer<Vec<ThreadId>> {
        self.read(|conn| of_visitor(conn, portal, account, key, limit))
    }
}

//! Whose threads on live chat are.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::failure::Result;
use super::{Answer, Engine};
use crate::{AccountId, Chat, PortalId, ThreadId};

pub(super) fn put(conn: &Connection, portal: PortalId, chat: &Chat) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO chats (portal_id, thread_id, account_id, visitor_key, said, said_of) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let Chat { thread_id, account_id, visitor_key, said, said_of } = chat;
    let values = params![portal.0, thread_id.0, account_id.0, visitor_key, said, said_of];
    conn.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

pub(super) fn by_thread(conn: &Connection, portal: PortalId, thread: ThreadId) -> Result<Option<Chat>> {
    let sql = "SELECT thread_id, account_id, visitor_key, said, said_of FROM chats WHERE portal_id = ?1 AND thread_id = ?2";
    Ok(conn.prepare_cached(sql)?.query_row([portal.0, thread.0], read).optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Chat> {
    Ok(Chat {
        thread_id: ThreadId(row.get(0)?),
        account_id: AccountId(row.get(1)?),
        visitor_key: row.get(2)?,
        said: row.get(3)?,
        said_of: row.get(4)?,
    })
}

pub(super) fn said(
    conn: &Connection,
    portal: PortalId,
    address: &str,
    after: ThreadId,
    limit: usize,
) -> Result<Vec<Chat>> {
    let sql = "SELECT thread_id, account_id, visitor_key, said, said_of FROM chats \
               WHERE portal_id = ?1 AND said_of = ?2 AND thread_id > ?3 ORDER BY thread_id LIMIT ?4";
    let mut sql = conn.prepare_cached(sql)?;
    let found = sql.query_map(params![portal.0, address, after.0, limit as i64], read)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn unsay(
    conn: &Connection,
    portal: PortalId,
    thread: ThreadId,
    address: &str,
    said: &str,
) -> Result<bool> {
    let sql =
        "UPDATE chats SET said = ?4, said_of = NULL WHERE portal_id = ?1 AND thread_id = ?2 AND said_of = ?3";
    Ok(conn.prepare_cached(sql)?.execute(params![portal.0, thread.0, address, said])? > 0)
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

    pub(crate) fn chats_said(
        &self,
        portal: PortalId,
        address: &str,
        after: ThreadId,
        limit: usize,
    ) -> Answer<Vec<Chat>> {
        self.read(|conn| said(conn, portal, address, after, limit))
    }

    pub(crate) async fn chat_unsay(
        &self,
        portal: PortalId,
        thread: ThreadId,
        address: String,
        said: String,
    ) -> Answer<()> {
        self.submit(move |batch| {
            batch.written |= unsay(batch.conn, portal, thread, &address, &said)?;
            Ok(())
        })
        .await
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

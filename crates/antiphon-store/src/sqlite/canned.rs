//! Ready-made words: read and written.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::failure::Result;
use super::{Answer, Engine};
use crate::desk::{MOST_CANNED, MOST_SAME};
use crate::*;

const COLUMNS: &str = "id, owner_id, shared, name, shortcut, text, rich_text, created_at, updated_at";

fn reply(row: &Row<'_>) -> rusqlite::Result<CannedReply> {
    Ok(CannedReply {
        id: row.get(0)?,
        owner_id: row.get(1)?,
        shared: row.get(2)?,
        name: row.get(3)?,
        shortcut: row.get(4)?,
        text: row.get(5)?,
        rich_text: row.get(6)?,
        created_at: row.get(7)?,
        updated_at: row.get(8)?,
    })
}

/// What is found of a key.
pub(super) fn state(conn: &Connection, portal: PortalId, key: &CannedKey) -> Result<CannedState> {
    let reply = match key.id {
        Some(id) => by_id(conn, portal, id)?,
        None => None,
    };
    let mut same = Vec::new();
    if let Some(shortcut) = &key.shortcut {
        let sql =
            "SELECT id, owner_id, shared FROM canned_replies WHERE portal_id = ?1 AND shortcut = ?2 LIMIT ?3";
        let mut sql = conn.prepare_cached(sql)?;
        let found = sql.query_map(params![portal.0, shortcut, MOST_SAME], |row| {
            Ok(Shortcut { id: row.get(0)?, owner_id: row.get(1)?, shared: row.get(2)? })
        })?;
        same = found.collect::<rusqlite::Result<_>>()?;
    }
    let sql = "SELECT count(*) FROM (SELECT 1 FROM canned_replies WHERE portal_id = ?1 LIMIT ?2)";
    let count: i64 = conn.prepare_cached(sql)?.query_row([portal.0, MOST_CANNED], |row| row.get(0))?;
    Ok(CannedState { reply, same, count: usize::try_from(count).unwrap_or_default() })
}

pub(super) fn by_id(conn: &Connection, portal: PortalId, id: i64) -> Result<Option<CannedReply>> {
    let sql = format!("SELECT {COLUMNS} FROM canned_replies WHERE portal_id = ?1 AND id = ?2");
    Ok(conn.prepare_cached(&sql)?.query_row([portal.0, id], reply).optional()?)
}

/// Those behind an id that everybody has, and those that an agent has.
pub(super) fn page(
    conn: &Connection,
    portal: PortalId,
    agent: Option<i64>,
    after: i64,
    limit: usize,
) -> Result<Vec<CannedReply>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM canned_replies WHERE portal_id = ?1 AND id > ?2 AND (shared = 1 OR owner_id = ?3) \
         ORDER BY id LIMIT ?4"
    );
    let mut sql = conn.prepare_cached(&sql)?;
    let found = sql.query_map(params![portal.0, after, agent, limit as i64], reply)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn write(conn: &Connection, portal: PortalId, changes: &[CannedChange]) -> Result<()> {
    for change in changes {
        match change {
            CannedChange::Put(new) => {
                let sql = "INSERT OR REPLACE INTO canned_replies (portal_id, id, owner_id, shared, name, shortcut, \
                           text, rich_text, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
                conn.prepare_cached(sql)?.execute(params![
                    portal.0,
                    new.id,
                    new.owner_id,
                    new.shared,
                    new.name,
                    new.shortcut,
                    new.text,
                    new.rich_text,
                    new.created_at,
                    new.updated_at
                ])?;
            }
            CannedChange::Gone(id) => {
                conn.prepare_cached("DELETE FROM canned_replies WHERE portal_id = ?1 AND id = ?2")?
                    .execute([portal.0, *id])?;
            }
        }
    }
    Ok(())
}

impl Engine {
    pub(crate) fn canned_reply(&self, portal: PortalId, id: i64) -> Answer<Option<CannedReply>> {
        self.read(|conn| by_id(conn, portal, id))
    }

    pub(crate) fn canned_replies(
        &self,
        portal: PortalId,
        agent: Option<i64>,
        after: i64,
        limit: usize,
    ) -> Answer<Vec<CannedReply>> {
        self.read(|conn| page(conn, portal, agent, after, limit))
    }
}

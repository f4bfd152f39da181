//! What tokens of visitors say that have no room for it.

use rusqlite::{Connection, OptionalExtension, params};

use super::failure::Result;
use super::{Answer, Engine};
use crate::{Millis, PortalId};

pub(super) fn put(
    conn: &Connection,
    portal: PortalId,
    ends_at: Millis,
    nonce: i64,
    said: &str,
) -> Result<()> {
    let sql = "INSERT INTO visitor_tokens (portal_id, ends_at, nonce, said) VALUES (?1, ?2, ?3, ?4)";
    conn.prepare_cached(sql)?.execute(params![portal.0, ends_at, nonce, said])?;
    Ok(())
}

pub(super) fn said(
    conn: &Connection,
    portal: PortalId,
    ends_at: Millis,
    nonce: i64,
) -> Result<Option<String>> {
    let sql = "SELECT said FROM visitor_tokens WHERE portal_id = ?1 AND ends_at = ?2 AND nonce = ?3";
    let mut sql = conn.prepare_cached(sql)?;
    Ok(sql.query_row([portal.0, ends_at, nonce], |row| row.get(0)).optional()?)
}

pub(super) fn purge(conn: &Connection, portal: PortalId, ended: Millis, limit: usize) -> Result<u64> {
    let sql = "DELETE FROM visitor_tokens WHERE portal_id = ?1 AND (ends_at, nonce) IN (SELECT ends_at, nonce \
               FROM visitor_tokens WHERE portal_id = ?1 AND ends_at <= ?2 ORDER BY ends_at, nonce LIMIT ?3)";
    Ok(conn.prepare_cached(sql)?.execute([portal.0, ended, limit as i64])? as u64)
}

impl Engine {
    pub(crate) async fn visitor_token_put(
        &self,
        portal: PortalId,
        ends_at: Millis,
        nonce: i64,
        said: String,
    ) -> Answer<()> {
        self.submit(move |batch| {
            batch.written = true;
            put(batch.conn, portal, ends_at, nonce, &said)
        })
        .await
    }

    pub(crate) fn visitor_token(
        &self,
        portal: PortalId,
        ends_at: Millis,
        nonce: i64,
    ) -> Answer<Option<String>> {
        self.read(|conn| said(conn, portal, ends_at, nonce))
    }

    pub(crate) async fn visitor_tokens_purge(
        &self,
        portal: PortalId,
        ended: Millis,
        limit: usize,
    ) -> Answer<u64> {
        self.submit(move |batch| {
            let gone = purge(batch.conn, portal, ended, limit)?;
            batch.written |= gone > 0;
            Ok(gone)
        })
        .await
    }
}

//! Agents who are signed in.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::failure::Result;
use super::{Answer, Engine};
use crate::sessions::MOST;
use crate::{Millis, PortalId, Session, SessionId, SessionTurn, TokenHash};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, agent_id, login_at, created_at, turned_at, ends_at, secret, next, next_at, old, old_until, \
             browser, address FROM sessions WHERE portal_id = ?1 AND ",
            $rest
        )
    };
}

fn read(row: &Row<'_>) -> rusqlite::Result<Session> {
    let pair = |hash: usize| -> rusqlite::Result<Option<(TokenHash, Millis)>> {
        let (hash, at): (Option<[u8; 32]>, Option<Millis>) = (row.get(hash)?, row.get(hash + 1)?);
        Ok(hash.map(TokenHash).zip(at))
    };
    Ok(Session {
        id: SessionId(row.get(0)?),
        agent_id: row.get(1)?,
        login_at: row.get(2)?,
        created_at: row.get(3)?,
        turned_at: row.get(4)?,
        ends_at: row.get(5)?,
        secret: TokenHash(row.get(6)?),
        next: pair(7)?,
        old: pair(9)?,
        browser: row.get(11)?,
        address: row.get(12)?,
    })
}

pub(super) fn put(conn: &Connection, portal: PortalId, session: &Session) -> Result<()> {
    let sql = "INSERT INTO sessions (portal_id, id, agent_id, login_at, created_at, turned_at, ends_at, secret, next, \
               next_at, old, old_until, browser, address) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    let (next, old) = (session.next, session.old);
    conn.prepare_cached(sql)?.execute(params![
        portal.0,
        session.id.0,
        session.agent_id,
        session.login_at,
        session.created_at,
        session.turned_at,
        session.ends_at,
        session.secret.0,
        next.map(|next| next.0.0),
        next.map(|next| next.1),
        old.map(|old| old.0.0),
        old.map(|old| old.1),
        session.browser,
        session.address,
    ])?;
    let sql = "DELETE FROM sessions WHERE portal_id = ?1 AND id IN (SELECT id FROM sessions WHERE portal_id = ?1 \
               AND agent_id = ?2 ORDER BY created_at DESC, id DESC LIMIT -1 OFFSET ?3)";
    conn.prepare_cached(sql)?.execute([portal.0, session.agent_id, MOST])?;
    Ok(())
}

pub(super) fn by_id(conn: &Connection, portal: PortalId, id: SessionId) -> Result<Option<Session>> {
    Ok(conn.prepare_cached(select!("id = ?2"))?.query_row(params![portal.0, id.0], read).optional()?)
}

pub(super) fn of_agent(conn: &Connection, portal: PortalId, agent: i64) -> Result<Vec<Session>> {
    let mut sql = conn.prepare_cached(select!("agent_id = ?2 ORDER BY created_at DESC, id DESC LIMIT ?3"))?;
    let found = sql.query_map([portal.0, agent, MOST], read)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn offer(
    conn: &Connection,
    portal: PortalId,
    id: SessionId,
    secret: TokenHash,
    next: (TokenHash, Millis),
    stale: Millis,
) -> Result<bool> {
    let sql = "UPDATE sessions SET next = ?4, next_at = ?5 WHERE portal_id = ?1 AND id = ?2 AND secret = ?3 \
               AND (next IS NULL OR next_at <= ?6)";
    let values = params![portal.0, id.0, secret.0, next.0.0, next.1, stale];
    Ok(conn.prepare_cached(sql)?.execute(values)? > 0)
}

pub(super) fn turn(
    conn: &Connection,
    portal: PortalId,
    id: SessionId,
    next: TokenHash,
    turned: SessionTurn,
) -> Result<bool> {
    let sql = "UPDATE sessions SET old = secret, old_until = ?5, secret = next, next = NULL, next_at = NULL, \
               turned_at = ?4, ends_at = ?6 WHERE portal_id = ?1 AND id = ?2 AND next = ?3";
    let values = params![portal.0, id.0, next.0, turned.at, turned.old_until, turned.ends_at];
    Ok(conn.prepare_cached(sql)?.execute(values)? > 0)
}

pub(super) fn end(conn: &Connection, portal: PortalId, agent: i64, id: SessionId) -> Result<bool> {
    let sql = "DELETE FROM sessions WHERE portal_id = ?1 AND id = ?2 AND agent_id = ?3";
    Ok(conn.prepare_cached(sql)?.execute(params![portal.0, id.0, agent])? > 0)
}

pub(super) fn end_others(conn: &Connection, portal: PortalId, agent: i64, but: SessionId) -> Result<u64> {
    let sql = "DELETE FROM sessions WHERE portal_id = ?1 AND agent_id = ?2 AND id <> ?3";
    Ok(conn.prepare_cached(sql)?.execute(params![portal.0, agent, but.0])? as u64)
}

pub(super) fn purge(conn: &Connection, portal: PortalId, ended: Millis, limit: usize) -> Result<u64> {
    let sql = "DELETE FROM sessions WHERE portal_id = ?1 AND id IN (SELECT id FROM sessions WHERE portal_id = ?1 \
               AND ends_at <= ?2 ORDER BY ends_at LIMIT ?3)";
    Ok(conn.prepare_cached(sql)?.execute([portal.0, ended, limit as i64])? as u64)
}

impl Engine {
    pub(crate) async fn session_put(&self, portal: PortalId, session: Session) -> Answer<()> {
        self.submit(move |batch| {
            batch.written = true;
            put(batch.conn, portal, &session)
        })
        .await
    }

    pub(crate) fn session_by_id(&self, portal: PortalId, id: SessionId) -> Answer<Option<Session>> {
        self.read(|conn| by_id(conn, portal, id))
    }

    pub(crate) fn sessions_of(&self, portal: PortalId, agent: i64) -> Answer<Vec<Session>> {
        self.read(|conn| of_agent(conn, portal, agent))
    }

    pub(crate) async fn session_offer(
        &self,
        portal: PortalId,
        id: SessionId,
        secret: TokenHash,
        next: (TokenHash, Millis),
        stale: Millis,
    ) -> Answer<bool> {
        self.submit(move |batch| {
            batch.written = true;
            offer(batch.conn, portal, id, secret, next, stale)
        })
        .await
    }

    pub(crate) async fn session_turn(
        &self,
        portal: PortalId,
        id: SessionId,
        next: TokenHash,
        turned: SessionTurn,
    ) -> Answer<bool> {
        self.submit(move |batch| {
            batch.written = true;
            turn(batch.conn, portal, id, next, turned)
        })
        .await
    }

    pub(crate) async fn session_end(&self, portal: PortalId, agent: i64, id: SessionId) -> Answer<bool> {
        self.submit(move |batch| {
            batch.written = true;
            end(batch.conn, portal, agent, id)
        })
        .await
    }

    pub(crate) async fn sessions_end_others(
        &self,
        portal: PortalId,
        agent: i64,
        but: SessionId,
    ) -> Answer<u64> {
        self.submit(move |batch| {
            batch.written = true;
            end_others(batch.conn, portal, agent, but)
        })
        .await
    }

    pub(crate) async fn sessions_purge(&self, portal: PortalId, ended: Millis, limit: usize) -> Answer<u64> {
        self.submit(move |batch| {
            let gone = purge(batch.conn, portal, ended, limit)?;
            batch.written |= gone > 0;
            Ok(gone)
        })
        .await
    }
}

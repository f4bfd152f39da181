//! Agents who are signed in.

use std::time::Instant;

use tokio_postgres::Row;

use super::connect::{SOON, answered};
use super::failure::{Failure, Result, damaged};
use super::finders::ask;
use super::readers::{self, Values, execute, row, rows};
use super::{ANSWER, Answer, Engine};
use crate::sessions::MOST;
use crate::{Millis, PortalId, Session, SessionId, SessionTurn, TokenHash};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, agent_id, login_at, created_at, turned_at, ends_at, secret, next, next_at, old, old_until, \
             browser, address FROM sessions WHERE portal_id = $1 AND ",
            $rest
        )
    };
}

/// It may be asked for twice: the row is the same.
const PUT: &str = "INSERT INTO sessions (portal_id, id, agent_id, login_at, created_at, turned_at, ends_at, secret, next, \
     next_at, old, old_until, browser, address) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
     ON CONFLICT (portal_id, id) DO NOTHING";

const TOO_MANY: &str = "DELETE FROM sessions WHERE portal_id = $1 AND id = ANY(ARRAY(SELECT id FROM sessions \
     WHERE portal_id = $1 AND agent_id = $2 ORDER BY created_at DESC, id DESC OFFSET $3))";

fn read(row: &Row) -> Result<Session> {
    let pair = |at: usize| -> Result<Option<(TokenHash, Millis)>> {
        let hash = row.try_get::<_, Option<&[u8]>>(at)?.map(bytes).transpose()?;
        Ok(hash.map(TokenHash).zip(row.try_get(at + 1)?))
    };
    Ok(Session {
        id: SessionId(bytes(row.try_get(0)?)?),
        agent_id: row.try_get(1)?,
        login_at: row.try_get(2)?,
        created_at: row.try_get(3)?,
        turned_at: row.try_get(4)?,
        ends_at: row.try_get(5)?,
        secret: TokenHash(bytes(row.try_get(6)?)?),
        next: pair(7)?,
        old: pair(9)?,
        browser: row.try_get(11)?,
        address: row.try_get(12)?,
    })
}

fn bytes<const N: usize>(stored: &[u8]) -> Result<[u8; N]> {
    stored.try_into().map_err(|_| damaged("the length of a session's bytes", stored.len() as i64))
}

impl Engine {
    pub(crate) async fn session_put(&self, portal: PortalId, session: Session) -> Answer<()> {
        let (next, old) = (session.next, session.old);
        let hash = |one: &Option<(TokenHash, Millis)>| one.as_ref().map(|one| one.0.0.to_vec());
        let at = |one: &Option<(TokenHash, Millis)>| one.map(|one| one.1);
        let (next, next_at, old, old_until) = (hash(&next), at(&next), hash(&old), at(&old));
        let (id, secret) = (session.id.0.as_slice(), session.secret.0.as_slice());
        let values: Values<'_> = &[
            &portal.0,
            &id,
            &session.agent_id,
            &session.login_at,
            &session.created_at,
            &session.turned_at,
            &session.ends_at,
            &secret,
            &next,
            &next_at,
            &old,
            &old_until,
            &session.browser,
            &session.address,
        ];
        let written: Answer<u64> = ask!(self, client => execute(client, PUT, values));
        written?;
        let values: Values<'_> = &[&portal.0, &session.agent_id, &MOST];
        let gone: Answer<u64> = ask!(self, client => execute(client, TOO_MANY, values));
        gone.map(drop)
    }

    pub(crate) async fn session_by_id(&self, portal: PortalId, id: SessionId) -> Answer<Option<Session>> {
        let id = id.0.as_slice();
        let values: Values<'_> = &[&portal.0, &id];
        let found: Answer<_> = ask!(self, client => row(client, select!("id = $2"), values));
        Ok(found?.as_ref().map(read).transpose()?)
    }

    pub(crate) async fn sessions_of(&self, portal: PortalId, agent: i64) -> Answer<Vec<Session>> {
        let sql = select!("agent_id = $2 ORDER BY created_at DESC, id DESC LIMIT $3");
        let values: Values<'_> = &[&portal.0, &agent, &MOST];
        let found: Answer<Vec<Row>> = ask!(self, client => rows(client, sql, values));
        Ok(found?.iter().map(read).collect::<Result<_>>()?)
    }

    pub(crate) async fn session_offer(
        &self,
        portal: PortalId,
        id: SessionId,
        secret: TokenHash,
        next: (TokenHash, Millis),
        stale: Millis,
    ) -> Answer<bool> {
        let sql = "UPDATE sessions SET next = $4, next_at = $5 WHERE portal_id = $1 AND id = $2 AND secret = $3 \
                   AND (next IS NULL OR next_at <= $6)";
        let (id, secret, hash) = (id.0.as_slice(), secret.0.as_slice(), next.0.0.as_slice());
        let values: Values<'_> = &[&portal.0, &id, &secret, &hash, &next.1, &stale];
        let written: Answer<u64> = ask!(self, client => execute(client, sql, values));
        Ok(written? > 0)
    }

    pub(crate) async fn session_turn(
        &self,
        portal: PortalId,
        id: SessionId,
        next: TokenHash,
        turned: SessionTurn,
    ) -> Answer<bool> {
        let sql = "UPDATE sessions SET old = secret, old_until = $5, secret = next, next = NULL, next_at = NULL, \
                   turned_at = $4, ends_at = $6 WHERE portal_id = $1 AND id = $2 AND next = $3";
        let (id, next) = (id.0.as_slice(), next.0.as_slice());
        let values: Values<'_> = &[&portal.0, &id, &next, &turned.at, &turned.old_until, &turned.ends_at];
        let written: Answer<u64> = ask!(self, client => execute(client, sql, values));
        Ok(written? > 0)
    }

    pub(crate) async fn session_end(&self, portal: PortalId, agent: i64, id: SessionId) -> Answer<bool> {
        let sql = "DELETE FROM sessions WHERE portal_id = $1 AND id = $2 AND agent_id = $3";
        let id = id.0.as_slice();
        let values: Values<'_> = &[&portal.0, &id, &agent];
        let gone: Answer<u64> = ask!(self, client => execute(client, sql, values));
        Ok(gone? > 0)
    }

    pub(crate) async fn sessions_end_others(
        &self,
        portal: PortalId,
        agent: i64,
        but: SessionId,
    ) -> Answer<u64> {
        let sql = "DELETE FROM sessions WHERE portal_id = $1 AND agent_id = $2 AND id <> $3";
        let but = but.0.as_slice();
        let values: Values<'_> = &[&portal.0, &agent, &but];
        ask!(self, client => execute(client, sql, values))
    }

    pub(crate) async fn sessions_purge(&self, portal: PortalId, ended: Millis, limit: usize) -> Answer<u64> {
        let sql = "DELETE FROM sessions WHERE portal_id = $1 AND id = ANY(ARRAY(SELECT id FROM sessions \
                   WHERE portal_id = $1 AND ends_at <= $2 ORDER BY ends_at LIMIT $3))";
        let limit = limit as i64;
        let values: Values<'_> = &[&portal.0, &ended, &limit];
        ask!(self, client => execute(client, sql, values))
    }
}

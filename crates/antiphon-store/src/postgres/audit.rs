//! What was done to portals' settings.

use std::time::Instant;

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::connect::{SOON, answered};
use super::failure::{Failure, Result, damaged};
use super::finders::ask;
use super::readers::{self, Values, execute, rows};
use super::{ANSWER, Answer, Engine};
use crate::audit::first_at;
use crate::{AuditQuery, Audited, Millis, PortalId};

/// No id is greater.
const LAST: [u8; 16] = [0xff; 16];

fn read(row: &Row) -> Result<Audited> {
    let id: &[u8] = row.try_get(0)?;
    Ok(Audited {
        id: id.try_into().map_err(|_| damaged("the length of an audit's id", id.len() as i64))?,
        at: row.try_get(1)?,
        actor: row.try_get(2)?,
        action: row.try_get(3)?,
        address: row.try_get(4)?,
        said: row.try_get(5)?,
    })
}

pub(super) async fn write(client: &ClientWrapper, portal: PortalId, all: &[Audited]) -> Result<()> {
    let sql = "INSERT INTO audit (portal_id, id, at, actor, action, address, said) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    for one in all {
        let Audited { id, at, actor, action, address, said } = one;
        execute(client, sql, &[&portal.0, &id.as_slice(), at, actor, action, address, said]).await?;
    }
    Ok(())
}

macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT id, at, actor, action, address, said FROM audit WHERE portal_id = $1 AND id < $2",
            $which,
            " ORDER BY id DESC LIMIT $3"
        )
    };
}

impl Engine {
    pub(crate) async fn audit(&self, portal: PortalId, query: &AuditQuery) -> Answer<Vec<Audited>> {
        let before = query.before.unwrap_or(LAST);
        let (before, limit) = (before.as_slice(), query.limit as i64);
        let found: Answer<Vec<Row>> = match (&query.actor, &query.action) {
            (None, None) => {
                let values: Values<'_> = &[&portal.0, &before, &limit];
                ask!(self, client => rows(client, select!(""), values))
            }
            (Some(actor), None) => {
                let values: Values<'_> = &[&portal.0, &before, &limit, actor];
                ask!(self, client => rows(client, select!(" AND actor = $4"), values))
            }
            (None, Some(action)) => {
                let values: Values<'_> = &[&portal.0, &before, &limit, action];
                ask!(self, client => rows(client, select!(" AND action = $4"), values))
            }
            (Some(actor), Some(action)) => {
                let values: Values<'_> = &[&portal.0, &before, &limit, actor, action];
                ask!(self, client => rows(client, select!(" AND actor = $4 AND action = $5"), values))
            }
        };
        Ok(found?.iter().map(read).collect::<Result<_>>()?)
    }

    pub(crate) async fn audit_put(&self, portal: PortalId, one: Audited) -> Answer<()> {
        let Audited { id, at, actor, action, address, said } = one;
        let id = id.as_slice();
        let values: Values<'_> = &[&portal.0, &id, &at, &actor, &action, &address, &said];
        // Whoever was not answered asks again.
        let sql = "INSERT INTO audit (portal_id, id, at, actor, action, address, said) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (portal_id, id) DO NOTHING";
        let written: Answer<u64> = ask!(self, client => execute(client, sql, values));
        written.map(drop)
    }

    pub(crate) async fn audit_purge(&self, portal: PortalId, before: Millis, limit: usize) -> Answer<u64> {
        let sql = "DELETE FROM audit WHERE portal_id = $1 AND id = ANY(ARRAY(SELECT id FROM audit WHERE portal_id = $1 \
                   AND id < $2 ORDER BY id LIMIT $3))";
        let (first, limit) = (first_at(before), limit as i64);
        let first = first.as_slice();
        let values: Values<'_> = &[&portal.0, &first, &limit];
        ask!(self, client => execute(client, sql, values))
    }
}

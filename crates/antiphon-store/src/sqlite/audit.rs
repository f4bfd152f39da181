//! What was done to portals' settings.

use rusqlite::{Connection, Row, params};

use super::failure::Result;
use super::{Answer, Engine};
use crate::audit::first_at;
use crate::{AuditQuery, Audited, Millis, PortalId};

/// No id is greater.
const LAST: [u8; 16] = [0xff; 16];

fn read(row: &Row<'_>) -> rusqlite::Result<Audited> {
    Ok(Audited {
        id: row.get(0)?,
        at: row.get(1)?,
        actor: row.get(2)?,
        action: row.get(3)?,
        address: row.get(4)?,
        said: row.get(5)?,
    })
}

pub(super) fn write(conn: &Connection, portal: PortalId, all: &[Audited]) -> Result<()> {
    let sql = "INSERT INTO audit (portal_id, id, at, actor, action, address, said) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    for one in all {
        let Audited { id, at, actor, action, address, said } = one;
        conn.prepare_cached(sql)?.execute(params![portal.0, id, at, actor, action, address, said])?;
    }
    Ok(())
}

macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT id, at, actor, action, address, said FROM audit WHERE portal_id = ?1 AND ",
            $which,
            " AND id < ?2 ORDER BY id DESC LIMIT ?3"
        )
    };
}

pub(super) fn list(conn: &Connection, portal: PortalId, query: &AuditQuery) -> Result<Vec<Audited>> {
    let (before, limit) = (query.before.unwrap_or(LAST), query.limit as i64);
    let mut found = Vec::new();
    let mut take = |rows: &mut dyn Iterator<Item = rusqlite::Result<Audited>>| -> Result<()> {
        for row in rows {
            found.push(row?);
        }
        Ok(())
    };
    match (&query.actor, &query.action) {
        (None, None) => {
            let sql = "SELECT id, at, actor, action, address, said FROM audit WHERE portal_id = ?1 AND id < ?2 \
                       ORDER BY id DESC LIMIT ?3";
            take(&mut conn.prepare_cached(sql)?.query_map(params![portal.0, before, limit], read)?)?;
        }
        (Some(actor), None) => {
            let values = params![portal.0, before, limit, actor];
            take(&mut conn.prepare_cached(select!("actor = ?4"))?.query_map(values, read)?)?;
        }
        (None, Some(action)) => {
            let values = params![portal.0, before, limit, action];
            take(&mut conn.prepare_cached(select!("action = ?4"))?.query_map(values, read)?)?;
        }
        (Some(actor), Some(action)) => {
            let values = params![portal.0, before, limit, actor, action];
            let sql = select!("actor = ?4 AND action = ?5");
            take(&mut conn.prepare_cached(sql)?.query_map(values, read)?)?;
        }
    }
    Ok(found)
}

pub(super) fn purge(conn: &Connection, portal: PortalId, before: Millis, limit: usize) -> Result<u64> {
    let sql = "DELETE FROM audit WHERE portal_id = ?1 AND id IN (SELECT id FROM audit WHERE portal_id = ?1 AND id < ?2 \
               ORDER BY id LIMIT ?3)";
    let values = params![portal.0, first_at(before), limit as i64];
    Ok(conn.prepare_cached(sql)?.execute(values)? as u64)
}

impl Engine {
    pub(crate) fn audit(&self, portal: PortalId, query: &AuditQuery) -> Answer<Vec<Audited>> {
        self.read(|conn| list(conn, portal, query))
    }

    pub(crate) async fn audit_put(&self, portal: PortalId, one: Audited) -> Answer<()> {
        self.submit(move |batch| {
            batch.written = true;
            write(batch.conn, portal, std::slice::from_ref(&one))
        })
        .await
    }

    pub(crate) async fn audit_purge(&self, portal: PortalId, before: Millis, limit: usize) -> Answer<u64> {
        self.submit(move |batch| {
            let gone = purge(batch.conn, portal, before, limit)?;
            batch.written |= gone > 0;
            Ok(gone)
        })
        .await
    }
}

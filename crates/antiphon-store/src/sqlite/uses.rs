//! When tokens and grants were used last, what was tried in vain, and the end of rows that directories have forgotten.

use rusqlite::{OptionalExtension, params};

use super::batch::Batch;
use super::failure::Result;
use super::{Answer, Engine};
use crate::uses::Tries;
use crate::*;

fn note(batch: &mut Batch<'_>, portal: PortalId, uses: &[(Used, Millis)]) -> Result<()> {
    batch.written = true;
    let sql = "INSERT INTO uses (portal_id, key, at) VALUES (?1, ?2, ?3) ON CONFLICT (portal_id, key) DO UPDATE SET \
               at = max(at, excluded.at)";
    let mut sql = batch.conn.prepare_cached(sql)?;
    for (used, at) in uses {
        sql.execute(params![portal.0, used.key(), at])?;
    }
    Ok(())
}

fn begin(
    batch: &mut Batch<'_>,
    portal: PortalId,
    key: &[u8; 32],
    now: Millis,
) -> Result<std::result::Result<(), Millis>> {
    let sql = "SELECT count, next_at, last_at FROM tries WHERE portal_id = ?1 AND key = ?2";
    let found = batch.conn.prepare_cached(sql)?.query_row(params![portal.0, key], |row| {
        Ok(Tries { count: row.get(0)?, next_at: row.get(1)?, last_at: row.get(2)? })
    });
    let Tries { count, next_at, last_at } = match found.optional()?.unwrap_or_default().begun(now) {
        Ok(begun) => begun,
        Err(wait) => return Ok(Err(wait)),
    };
    batch.written = true;
    let sql =
        "INSERT OR REPLACE INTO tries (portal_id, key, count, next_at, last_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    batch.conn.prepare_cached(sql)?.execute(params![portal.0, key, count, next_at, last_at])?;
    Ok(Ok(()))
}

fn forget(batch: &mut Batch<'_>, portal: PortalId, key: &[u8; 32]) -> Result<()> {
    batch.written = true;
    let sql = "DELETE FROM tries WHERE portal_id = ?1 AND key = ?2";
    batch.conn.prepare_cached(sql)?.execute(params![portal.0, key])?;
    Ok(())
}

fn sweep(batch: &mut Batch<'_>, portal: PortalId, what: &Sweep) -> Result<u64> {
    let (conn, limit) = (batch.conn, what.limit as i64);
    batch.written = true;
    let mut done = 0;
    for (table, key) in [("tokens", "hash"), ("grants", "id"), ("staging_tokens", "hash"), ("views", "id")] {
        let sql = format!(
            "DELETE FROM {table} WHERE portal_id = ?1 AND {key} IN (SELECT {key} FROM {table} WHERE portal_id = ?1 \
             AND deleted_at < ?2 AND deleted_at IS NOT NULL LIMIT ?3) RETURNING {key}"
        );
        let mut sql = conn.prepare_cached(&sql)?;
        let mut rows = sql.query([portal.0, what.gone_before, limit])?;
        let mut uses = Vec::new();
        while let Some(row) = rows.next()? {
            done += 1;
            match table {
                "tokens" => uses.push(Used::Token(TokenHash(row.get(0)?))),
                "grants" => uses.push(Used::Grant(row.get(0)?)),
                _ => {}
            }
        }
        for used in uses {
            let sql = "DELETE FROM uses WHERE portal_id = ?1 AND key = ?2";
            conn.prepare_cached(sql)?.execute(params![portal.0, used.key()])?;
        }
    }
    let sql = "DELETE FROM tries WHERE portal_id = ?1 AND key IN (SELECT key FROM tries WHERE portal_id = ?1 \
               AND last_at < ?2 LIMIT ?3)";
    done += conn.prepare_cached(sql)?.execute([portal.0, what.tried_before, limit])? as u64;
    Ok(done)
}

impl Engine {
    pub(crate) async fn uses_note(&self, portal: PortalId, uses: Vec<(Used, Millis)>) -> Answer<()> {
        self.submit(move |batch| note(batch, portal, &uses)).await
    }

    pub(crate) fn uses(&self, portal: PortalId, of: &[Used]) -> Answer<Vec<(Used, Millis)>> {
        self.read(|conn| {
            let mut sql = conn.prepare_cached("SELECT at FROM uses WHERE portal_id = ?1 AND key = ?2")?;
            let mut found = Vec::new();
            for used in of {
                let at = sql.query_row(params![portal.0, used.key()], |row| row.get(0)).optional()?;
                found.extend(at.map(|at| (*used, at)));
            }
            Ok(found)
        })
    }

    pub(crate) async fn try_begin(
        &self,
        portal: PortalId,
        key: [u8; 32],
        now: Millis,
    ) -> Answer<std::result::Result<(), Millis>> {
        self.submit(move |batch| begin(batch, portal, &key, now)).await
    }

    pub(crate) async fn try_once(&self, portal: PortalId, key: [u8; 32], now: Millis) -> Answer<bool> {
        self.submit(move |batch| {
            batch.written = true;
            let sql = "INSERT OR IGNORE INTO tries (portal_id, key, count, next_at, last_at) VALUES (?1, ?2, 1, ?3, ?3)";
            Ok(batch.conn.prepare_cached(sql)?.execute(params![portal.0, key, now])? > 0)
        })
        .await
    }

    pub(crate) async fn try_forget(&self, portal: PortalId, key: [u8; 32]) -> Answer<()> {
        self.submit(move |batch| forget(batch, portal, &key)).await
    }

    pub(crate) async fn sweep(&self, portal: PortalId, what: Sweep) -> Answer<u64> {
        self.submit(move |batch| sweep(batch, portal, &what)).await
    }
}

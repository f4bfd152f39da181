//! Ready-made words: read and written. Whoever writes them holds the portal's counters.

use std::time::Instant;

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::connect::{SOON, answered};
use super::failure::{Failure, Result};
use super::finders::ask;
use super::readers::{self, Values, execute, row, rows};
use super::{ANSWER, Answer, Engine};
use crate::desk::{MOST_CANNED, MOST_SAME};
use crate::*;

const COLUMNS: &str = "id, owner_id, shared, name, shortcut, text, rich_text, created_at, updated_at";

fn reply(row: &Row) -> Result<CannedReply> {
    Ok(CannedReply {
        id: row.try_get(0)?,
        owner_id: row.try_get(1)?,
        shared: row.try_get(2)?,
        name: row.try_get(3)?,
        shortcut: row.try_get(4)?,
        text: row.try_get(5)?,
        rich_text: row.try_get(6)?,
        created_at: row.try_get(7)?,
        updated_at: row.try_get(8)?,
    })
}

/// What is found of a key.
pub(super) async fn state(client: &ClientWrapper, portal: PortalId, key: &CannedKey) -> Result<CannedState> {
    let found = match key.id {
        Some(id) => row(client, &by_id(), &[&portal.0, &id]).await?,
        None => None,
    };
    let mut same = Vec::new();
    if let Some(shortcut) = &key.shortcut {
        let sql =
            "SELECT id, owner_id, shared FROM canned_replies WHERE portal_id = $1 AND shortcut = $2 LIMIT $3";
        for row in rows(client, sql, &[&portal.0, shortcut, &MOST_SAME]).await? {
            same.push(Shortcut { id: row.try_get(0)?, owner_id: row.try_get(1)?, shared: row.try_get(2)? });
        }
    }
    let sql = "SELECT count(*) FROM (SELECT 1 FROM canned_replies WHERE portal_id = $1 LIMIT $2) counted";
    let count: Option<i64> =
        row(client, sql, &[&portal.0, &MOST_CANNED]).await?.map(|row| row.try_get(0)).transpose()?;
    let count = usize::try_from(count.unwrap_or_default()).unwrap_or_default();
    Ok(CannedState { reply: found.as_ref().map(reply).transpose()?, same, count })
}

fn by_id() -> String {
    format!("SELECT {COLUMNS} FROM canned_replies WHERE portal_id = $1 AND id = $2")
}

pub(super) async fn write(client: &ClientWrapper, portal: PortalId, changes: &[CannedChange]) -> Result<()> {
    for change in changes {
        match change {
            CannedChange::Put(new) => {
                let sql = "INSERT INTO canned_replies (portal_id, id, owner_id, shared, name, shortcut, text, \
                           rich_text, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
                           ON CONFLICT (portal_id, id) DO UPDATE SET owner_id = $3, shared = $4, name = $5, \
                           shortcut = $6, text = $7, rich_text = $8, updated_at = $10";
                let values: Values<'_> = &[
                    &portal.0,
                    &new.id,
                    &new.owner_id,
                    &new.shared,
                    &new.name,
                    &new.shortcut,
                    &new.text,
                    &new.rich_text,
                    &new.created_at,
                    &new.updated_at,
                ];
                execute(client, sql, values).await?;
            }
            CannedChange::Gone(id) => {
                let sql = "DELETE FROM canned_replies WHERE portal_id = $1 AND id = $2";
                execute(client, sql, &[&portal.0, id]).await?;
            }
        }
    }
    Ok(())
}

impl Engine {
    pub(crate) async fn canned_reply(&self, portal: PortalId, id: i64) -> Answer<Option<CannedReply>> {
        let (sql, values): (_, Values<'_>) = (by_id(), &[&portal.0, &id]);
        let found: Answer<_> = ask!(self, client => row(client, &sql, values));
        Ok(found?.as_ref().map(reply).transpose()?)
    }

    pub(crate) async fn canned_replies(
        &self,
        portal: PortalId,
        agent: Option<i64>,
        after: i64,
        limit: usize,
    ) -> Answer<Vec<CannedReply>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM canned_replies WHERE portal_id = $1 AND id > $2 AND (shared OR owner_id = $3) \
             ORDER BY id LIMIT $4"
        );
        let limit = limit as i64;
        let values: Values<'_> = &[&portal.0, &after, &agent, &limit];
        let found: Answer<_> = ask!(self, client => rows(client, &sql, values));
        Ok(found?.iter().map(reply).collect::<Result<_>>()?)
    }
}

//! When tokens and grants were used last, what was tried in vain, and the end of rows that directories have forgotten.

use deadpool_postgres::{ClientWrapper, Transaction};
use tokio_postgres::Row;

use super::connect::answered;
use super::failure::{Failure, Result};
use super::readers::{self, Values, execute, row, rows};
use super::{ANSWER, Answer, Engine};
use crate::uses::Tries;
use crate::*;

/// How often a node tries that others are always quicker than.
const RACES: usize = 100;

/// In the order of the keys, so that nodes that note the same at once wait for each other and never in a circle.
const NOTE: &str = "INSERT INTO uses AS u (portal_id, key, at) SELECT $1::bigint, key, at \
     FROM unnest($2::bytea[], $3::bigint[]) AS n (key, at) ORDER BY key ON CONFLICT (portal_id, key) DO UPDATE SET \
     at = greatest(u.at, excluded.at)";

const BEGIN: &str = "INSERT INTO tries (portal_id, key, count, next_at, last_at) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (portal_id, key) DO NOTHING";

const AGAIN: &str = "UPDATE tries SET count = $3, next_at = $4, last_at = $5 WHERE portal_id = $1 AND key = $2 \
     AND count = $6 AND last_at = $7 AND next_at = $8";

async fn note(client: &ClientWrapper, portal: PortalId, uses: &[(Used, Millis)]) -> Result<()> {
    let (keys, at): (Vec<Vec<u8>>, Vec<Millis>) = uses.iter().map(|(used, at)| (used.key(), *at)).unzip();
    execute(client, NOTE, &[&portal.0, &keys, &at]).await?;
    Ok(())
}

async fn uses(client: &ClientWrapper, portal: PortalId, of: &[Used]) -> Result<Vec<(Used, Millis)>> {
    let keys: Vec<Vec<u8>> = of.iter().map(Used::key).collect();
    let sql = "SELECT key, at FROM uses WHERE portal_id = $1 AND key = ANY($2)";
    let found = rows(client, sql, &[&portal.0, &keys]).await?;
    let mut uses = Vec::with_capacity(found.len());
    for row in &found {
        let key: &[u8] = row.try_get(0)?;
        let at: Millis = row.try_get(1)?;
        uses.extend(of.iter().zip(&keys).find(|(_, known)| *known == key).map(|(used, _)| (*used, at)));
    }
    Ok(uses)
}

/// A row is replaced by whoever has seen it last; whoever was slower looks again.
async fn begin(
    client: &ClientWrapper,
    portal: PortalId,
    key: &[u8],
    now: Millis,
) -> Result<std::result::Result<(), Millis>> {
    for _ in 0..RACES {
        let sql = "SELECT count, next_at, last_at FROM tries WHERE portal_id = $1 AND key = $2";
        let read = |row: &Row| {
            Ok::<_, Failure>(Tries {
                count: row.try_get(0)?,
                next_at: row.try_get(1)?,
                last_at: row.try_get(2)?,
            })
        };
        let found = row(client, sql, &[&portal.0, &key]).await?.as_ref().map(read).transpose()?;
        let Tries { count, next_at, last_at } = match found.unwrap_or_default().begun(now) {
            Ok(begun) => begun,
            Err(wait) => return Ok(Err(wait)),
        };
        let known = found.unwrap_or_default();
        let values: Values<'_> =
            &[&portal.0, &key, &count, &next_at, &last_at, &known.count, &known.last_at, &known.next_at];
        let written = match found {
            None => execute(client, BEGIN, &values[..5]).await?,
            Some(_) => execute(client, AGAIN, values).await?,
        };
        if written == 1 {
            return Ok(Ok(()));
        }
    }
    Err(StoreError::Busy.into())
}

/// Rows are gone for good, and the portal says so, in one transaction: see `counters.swept`.
async fn sweep(client: &mut ClientWrapper, portal: PortalId, what: &Sweep) -> Result<u64> {
    let limit = what.limit as i64;
    let transaction = client.transaction().await?;
    transaction.batch_execute("SET LOCAL idle_in_transaction_session_timeout = 1000").await?;
    let mut done = 0;
    let (mut newest, mut keys) = (0, Vec::new());
    for (table, key) in [("tokens", "hash"), ("grants", "id"), ("staging_tokens", "hash"), ("views", "id")] {
        let sql = format!(
            "DELETE FROM {table} WHERE portal_id = $1 AND {key} = ANY(ARRAY(SELECT {key} FROM {table} WHERE portal_id = $1 \
             AND deleted_at < $2 AND deleted_at IS NOT NULL LIMIT $3)) RETURNING revision, {key}"
        );
        for row in ask(&transaction, &sql, &[&portal.0, &what.gone_before, &limit]).await? {
            done += 1;
            newest = newest.max(row.try_get::<_, i64>(0)?);
            match table {
                "tokens" => keys.push(row.try_get::<_, Vec<u8>>(1)?),
                "grants" => keys.push(Used::Grant(row.try_get(1)?).key()),
                _ => {}
            }
        }
    }
    ask(&transaction, "DELETE FROM uses WHERE portal_id = $1 AND key = ANY($2)", &[&portal.0, &keys]).await?;
    // Last, since whoever changes the directory waits for this.
    if newest > 0 {
        let sql = "UPDATE counters SET swept = greatest(swept, $2) WHERE portal_id = $1";
        ask(&transaction, sql, &[&portal.0, &newest]).await?;
    }
    transaction.commit().await?;
    let sql = "DELETE FROM tries WHERE portal_id = $1 AND key = ANY(ARRAY(SELECT key FROM tries WHERE portal_id = $1 \
               AND last_at < $2 LIMIT $3))";
    Ok(done + execute(client, sql, &[&portal.0, &what.tried_before, &limit]).await?)
}

async fn ask(transaction: &Transaction<'_>, sql: &str, values: Values<'_>) -> Result<Vec<Row>> {
    let statement = transaction.prepare_cached(sql).await?;
    Ok(transaction.query(&statement, values).await?)
}

/// Asks once, on a borrowed connection: what is noted is noted again, and a trial is not to be counted twice.
macro_rules! once {
    ($engine:expr, $client:ident => $question:expr) => {{
        let mut borrowed = $engine.shared.readers.get().await?;
        let $client = &mut borrowed;
        let answer = answered(ANSWER, $question).await;
        if matches!(answer, Err(Failure::Lost(_))) {
            readers::discard(borrowed);
        }
        Ok(answer?)
    }};
}

impl Engine {
    pub(crate) async fn uses_note(&self, portal: PortalId, uses: Vec<(Used, Millis)>) -> Answer<()> {
        once!(self, client => note(client, portal, &uses))
    }

    pub(crate) async fn uses(&self, portal: PortalId, of: &[Used]) -> Answer<Vec<(Used, Millis)>> {
        once!(self, client => uses(client, portal, of))
    }

    pub(crate) async fn try_begin(
        &self,
        portal: PortalId,
        key: [u8; 32],
        now: Millis,
    ) -> Answer<std::result::Result<(), Millis>> {
        once!(self, client => begin(client, portal, &key, now))
    }

    pub(crate) async fn try_once(&self, portal: PortalId, key: [u8; 32], now: Millis) -> Answer<bool> {
        let key = key.as_slice();
        let values: Values<'_> = &[&portal.0, &key, &1_i64, &now, &now];
        let written: Answer<u64> = once!(self, client => execute(client, BEGIN, values));
        Ok(written? > 0)
    }

    pub(crate) async fn try_forget(&self, portal: PortalId, key: [u8; 32]) -> Answer<()> {
        let sql = "DELETE FROM tries WHERE portal_id = $1 AND key = $2";
        let forgotten: Answer<u64> =
            once!(self, client => execute(client, sql, &[&portal.0, &key.as_slice()]));
        forgotten.map(|_| ())
    }

    pub(crate) async fn sweep(&self, portal: PortalId, what: Sweep) -> Answer<u64> {
        once!(self, client => sweep(client, portal, &what))
    }
}

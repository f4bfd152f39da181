//! The ledgers of limits: a row each, replaced by whoever draws if it is still the row that was read.

use std::collections::BTreeMap;

use deadpool_postgres::ClientWrapper;

use super::failure::Result;
use super::readers::{Values, execute, row};
use crate::allowances::{Draw, Drawn, Ledger};
use crate::{PortalId, StoreError};

/// How often a node tries that others are always quicker than.
const RACES: usize = 100;

const READ: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint, revision, slots, used, nodes, held, drawn \
     FROM allowances WHERE portal_id = $1 AND key = $2";

const BEGIN: &str = "INSERT INTO allowances (portal_id, key, revision, slots, used, nodes, held, drawn, written_at) \
     VALUES ($1, $2, 0, '{}', '{}', '{}', '{}', '{}', now()) ON CONFLICT (portal_id, key) DO NOTHING";

const WRITE: &str = "UPDATE allowances SET revision = revision + 1, slots = $4, used = $5, nodes = $6, held = $7, drawn = $8, \
     written_at = now() WHERE portal_id = $1 AND key = $2 AND revision = $3";

/// Draws some of what a limit allows. Whoever does it twice, because the first answer was lost, is counted twice.
pub(super) async fn draw(client: &ClientWrapper, node: i64, portal: PortalId, draw: &Draw) -> Result<Drawn> {
    for _ in 0..RACES {
        let Some(found) = row(client, READ, &[&portal.0, &draw.key]).await? else {
            execute(client, BEGIN, &[&portal.0, &draw.key]).await?;
            continue;
        };
        let (now, revision): (i64, i64) = (found.try_get(0)?, found.try_get(1)?);
        let column = |place: usize| found.try_get::<_, Vec<i64>>(place);
        let held = column(5)?.into_iter().zip(column(6)?);
        let mut ledger = Ledger {
            used: column(2)?.into_iter().zip(column(3)?).collect(),
            held: column(4)?.into_iter().zip(held).collect(),
        };
        let drawn = ledger.draw(node, now, draw);
        let (slots, used) = columns(ledger.used);
        let (nodes, holds) = columns(ledger.held);
        let (held, since): (Vec<i64>, Vec<i64>) = holds.into_iter().unzip();
        let values: Values<'_> = &[&portal.0, &draw.key, &revision, &slots, &used, &nodes, &held, &since];
        if execute(client, WRITE, values).await? == 1 {
            return Ok(drawn);
        }
    }
    Err(StoreError::Busy.into())
}

fn columns<T>(map: BTreeMap<i64, T>) -> (Vec<i64>, Vec<T>) {
    map.into_iter().unzip()
}

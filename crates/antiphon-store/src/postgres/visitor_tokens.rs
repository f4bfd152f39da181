//! What tokens of visitors say that have no room for it.

use std::time::Instant;

use super::connect::{SOON, answered};
use super::failure::Failure;
use super::finders::ask;
use super::readers::{self, Values, execute, row};
use super::{ANSWER, Answer, Engine};
use crate::{Millis, PortalId};

impl Engine {
    pub(crate) async fn visitor_token_put(
        &self,
        portal: PortalId,
        ends_at: Millis,
        nonce: i64,
        said: String,
    ) -> Answer<()> {
        // It may be asked for twice: the row is the same.
        let sql = "INSERT INTO visitor_tokens (portal_id, ends_at, nonce, said) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (portal_id, ends_at, nonce) DO NOTHING";
        let values: Values<'_> = &[&portal.0, &ends_at, &nonce, &said];
        let written: Answer<u64> = ask!(self, client => execute(client, sql, values));
        written.map(drop)
    }

    pub(crate) async fn visitor_token(
        &self,
        portal: PortalId,
        ends_at: Millis,
        nonce: i64,
    ) -> Answer<Option<String>> {
        let sql = "SELECT said FROM visitor_tokens WHERE portal_id = $1 AND ends_at = $2 AND nonce = $3";
        let values: Values<'_> = &[&portal.0, &ends_at, &nonce];
        let found: Answer<_> = ask!(self, client => row(client, sql, values));
        Ok(found?.map(|row| row.try_get(0)).transpose().map_err(Failure::from)?)
    }

    pub(crate) async fn visitor_tokens_purge(
        &self,
        portal: PortalId,
        ended: Millis,
        limit: usize,
    ) -> Answer<u64> {
        let sql = "DELETE FROM visitor_tokens WHERE portal_id = $1 AND (ends_at, nonce) IN (SELECT ends_at, nonce \
                   FROM visitor_tokens WHERE portal_id = $1 AND ends_at <= $2 ORDER BY ends_at, nonce LIMIT $3)";
        let limit = limit as i64;
        let values: Values<'_> = &[&portal.0, &ended, &limit];
        ask!(self, client => execute(client, sql, values))
    }
}

//! What is said of a visitor where a token has no room for it. A token names its row by its end and a number.

use super::{Engine, Store};
use crate::*;

impl Store {
    /// Keeps what a token says until its end.
    pub async fn visitor_token_put(
        &self,
        portal: PortalId,
        ends_at: Millis,
        nonce: i64,
        said: String,
    ) -> Result<(), StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.visitor_token_put(portal, ends_at, nonce, said))
    }

    /// What a token says, until it has ended and its row was cleared away.
    pub async fn visitor_token(
        &self,
        portal: PortalId,
        ends_at: Millis,
        nonce: i64,
    ) -> Result<Option<String>, StoreError> {
        read!(self.visitor_token(portal, ends_at, nonce))
    }

    /// Clears away what tokens said that ended at a moment or before, at most so many; how many those were.
    pub async fn visitor_tokens_purge(
        &self,
        portal: PortalId,
        ended: Millis,
        limit: usize,
    ) -> Result<u64, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.visitor_tokens_purge(portal, ended, limit))
    }
}

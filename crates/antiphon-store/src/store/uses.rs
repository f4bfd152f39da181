//! When tokens and grants were used, what was tried in vain, and the sweep of what is gone.

use super::{Engine, Store};
use crate::*;

impl Store {
    /// Notes when tokens and grants were used. What is known to have been used later stays so, and no directory changes.
    pub async fn uses_note(&self, portal: PortalId, uses: Vec<(Used, Millis)>) -> Result<(), StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.uses_note(portal, uses))
    }

    /// When these were used last, as far as it is known, in any order.
    pub async fn uses(&self, portal: PortalId, of: &[Used]) -> Result<Vec<(Used, Millis)>, StoreError> {
        read!(self.uses(portal, of))
    }

    /// Counts a trial before it is made, so that many at once are many; `Err` with the milliseconds for which nothing is to
    /// be tried, over all nodes. The key is a hash of what is tried.
    pub async fn try_begin(
        &self,
        portal: PortalId,
        key: [u8; 32],
        now: Millis,
    ) -> Result<Result<(), Millis>, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.try_begin(portal, key, now))
    }

    /// Whether something is done for the first time within an hour at least, over all nodes. The key is a hash of what it is.
    pub async fn try_once(&self, portal: PortalId, key: [u8; 32], now: Millis) -> Result<bool, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.try_once(portal, key, now))
    }

    /// Forgets trials: one went well.
    pub async fn try_forget(&self, portal: PortalId, key: [u8; 32]) -> Result<(), StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.try_forget(portal, key))
    }

    /// Removes at most so many rows of each kind that nobody needs any more; how many that were.
    pub async fn sweep(&self, portal: PortalId, what: Sweep) -> Result<u64, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.sweep(portal, what))
    }
}

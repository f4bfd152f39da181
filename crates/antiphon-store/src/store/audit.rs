//! What was done to portals' settings.

use super::{Engine, Store};
use crate::*;

impl Store {
    /// What was done in a portal, the newest first.
    pub async fn audit(&self, portal: PortalId, query: &AuditQuery) -> Result<Vec<Audited>, StoreError> {
        read!(self.audit(portal, query))
    }

    /// Notes what is no change of a portal: something that was asked of the server, or that was handed out.
    pub async fn audit_put(&self, portal: PortalId, mut one: Audited) -> Result<(), StoreError> {
        let (house, _inside) = self.enter().await?;
        let at = one.at;
        crate::audit::name(std::slice::from_mut(&mut one), at, 0);
        write!(house.audit_put(portal, one))
    }

    /// Forgets what was done before a moment, at most so much; how much that was.
    pub async fn audit_purge(
        &self,
        portal: PortalId,
        before: Millis,
        limit: usize,
    ) -> Result<u64, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.audit_purge(portal, before, limit))
    }
}

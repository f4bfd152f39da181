//! Whose threads on live chat are. They are written by [`Store::change`], with the thread.

use super::{Engine, Store};
use crate::*;

impl Store {
    /// Those of some threads that are chats, in no order.
    pub async fn chats_by_threads(
        &self,
        portal: PortalId,
        threads: &[ThreadId],
    ) -> Result<Vec<Chat>, StoreError> {
        read!(self.chats_by_threads(portal, threads))
    }

    /// The newest chats that a key began on an account, in the trash or not, the newest first.
    pub async fn chats_of_visitor(
        &self,
        portal: PortalId,
        account: AccountId,
        key: &str,
        limit: usize,
    ) -> Result<Vec<ThreadId>, StoreError> {
        read!(self.chats_of_visitor(portal, account, key, limit))
    }
}

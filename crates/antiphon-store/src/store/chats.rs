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

    /// Chats in which an address was said, behind a thread, in the trash or not.
    pub async fn chats_said(
        &self,
        portal: PortalId,
        address: &str,
        after: ThreadId,
        limit: usize,
    ) -> Result<Vec<Chat>, StoreError> {
        let address = said_of(address);
        read!(self.chats_said(portal, &address, after, limit))
    }

    /// Forgets an address that was said in a chat, if it is the one that is kept, and keeps `said` of the beginning.
    pub async fn chat_unsay(
        &self,
        portal: PortalId,
        thread: ThreadId,
        address: &str,
        said: String,
    ) -> Result<(), StoreError> {
        let (house, _inside) = self.enter().await?;
        let address = said_of(address);
        write!(house.chat_unsay(portal, thread, address, said))
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

//! What people lay beside threads. It is written by [`Store::change`], on [`Target::Desk`] or with the thread.

use super::{Engine, Store};
use crate::*;

impl Store {
    /// Who has read a thread and how far, by their actor ids.
    pub async fn reads_on(
        &self,
        portal: PortalId,
        thread: ThreadId,
        limit: usize,
    ) -> Result<Vec<ReadMark>, StoreError> {
        read!(self.reads_on(portal, thread, limit))
    }

    /// How far somebody has read these threads; those that they have not read are left out.
    pub async fn reads_of(
        &self,
        portal: PortalId,
        reader: &str,
        threads: &[ThreadId],
    ) -> Result<Vec<ReadMark>, StoreError> {
        read!(self.reads_of(portal, reader, threads))
    }
}

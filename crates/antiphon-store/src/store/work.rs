//! How agents see threads: lists of them, how many there are of each kind, and what is to be woken.

use super::{Engine, Store};
use crate::*;

impl Store {
    /// One page of threads, the one last spoken in first, handed to `sink` in order.
    pub async fn work(
        &self,
        portal: PortalId,
        query: &WorkQuery,
        sink: &mut (dyn FnMut(&KnownThread) + Send),
    ) -> Result<Page<ThreadPosition>, StoreError> {
        read!(self.work(portal, query, sink))
    }

    /// How many threads there are of every kind that has any: of those with each of these tags; `None` among them stands for
    /// all threads. No thread is looked at.
    pub async fn thread_counts(
        &self,
        portal: PortalId,
        tags: &[Option<TagId>],
    ) -> Result<Vec<(Kind, i64)>, StoreError> {
        read!(self.thread_counts(portal, tags))
    }

    /// Threads whose snooze was to end at a moment or before.
    pub async fn snooze_due(
        &self,
        portal: PortalId,
        now: Millis,
        limit: usize,
    ) -> Result<Vec<ThreadId>, StoreError> {
        read!(self.snooze_due(portal, now, limit))
    }
}

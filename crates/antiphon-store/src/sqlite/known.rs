//! Threads held in memory as they were last committed: lists walk an index and take the threads from here.
//!
//! The writer puts every thread it has committed here before it answers, so nobody is shown a thread as it was before a
//! change that was acknowledged. A reader may add what it has read, but only if nothing was committed since it began:
//! otherwise it could put an old thread over a new one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::failure::Result;
use super::threads;
use crate::{KnownThread, PortalId, Thread, ThreadId};

const SHARDS: usize = 64;

/// Most threads in one shard: some 30 MB over all of them. A full shard starts over.
const MOST: usize = 512;

type Key = (PortalId, ThreadId);

pub(super) struct Known {
    /// Odd while a transaction is being committed.
    commits: AtomicU64,
    shards: [Mutex<HashMap<Key, Arc<KnownThread>>>; SHARDS],
}

impl Default for Known {
    fn default() -> Self {
        Self { commits: AtomicU64::new(0), shards: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl Known {
    fn shard(&self, key: Key) -> MutexGuard<'_, HashMap<Key, Arc<KnownThread>>> {
        self.shards[key.1.0 as usize % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to read. To be called before the transaction in which misses are read.
    pub(super) fn reading(&self) -> Reading<'_> {
        Reading { known: self, commits: self.commits.load(Ordering::SeqCst) }
    }

    /// Begins to commit. To be called before the commit, and dropped once what it changed is put here.
    pub(super) fn committing(&self) -> Committing<'_> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        Committing(self)
    }
}

fn insert(shard: &mut HashMap<Key, Arc<KnownThread>>, key: Key, thread: Arc<KnownThread>) {
    if shard.len() >= MOST {
        shard.clear();
    }
    shard.insert(key, thread);
}

/// One read.
pub(super) struct Reading<'a> {
    known: &'a Known,
    commits: u64,
}

impl Reading<'_> {
    /// A thread, if it is in memory.
    pub(super) fn held(&self, portal: PortalId, id: ThreadId) -> Option<Arc<KnownThread>> {
        self.known.shard((portal, id)).get(&(portal, id)).cloned()
    }

    /// A thread, from memory if it is there.
    pub(super) fn thread(
        &self,
        conn: &Connection,
        portal: PortalId,
        id: ThreadId,
    ) -> Result<Option<Arc<KnownThread>>> {
        let key = (portal, id);
        if let Some(held) = self.held(portal, id) {
            return Ok(Some(held));
        }
        let Some(thread) = threads::by_id(conn, portal, id)? else { return Ok(None) };
        let thread = Arc::new(KnownThread::from(thread));
        let mut shard = self.known.shard(key);
        if self.commits.is_multiple_of(2) && self.known.commits.load(Ordering::SeqCst) == self.commits {
            insert(&mut shard, key, thread.clone());
        }
        Ok(Some(thread))
    }
}

/// One commit.
pub(super) struct Committing<'a>(&'a Known);

impl Committing<'_> {
    pub(super) fn put(&self, portal: PortalId, thread: Thread) {
        let key = (portal, thread.id);
        insert(&mut self.0.shard(key), key, Arc::new(KnownThread::from(thread)));
    }

    pub(super) fn remove(&self, portal: PortalId, id: ThreadId) {
        self.0.shard((portal, id)).remove(&(portal, id));
    }
}

impl Drop for Committing<'_> {
    fn drop(&mut self) {
        self.0.commits.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::schema;

    #[test]
    fn what_was_read_before_a_commit_is_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let conn = schema::open(&dir.path().join("known.db")).unwrap();
        conn.execute_batch(
            "INSERT INTO threads (number, portal_id, id, inbox_id, population, channel_id, account_id, visitor_id, spam, \
             created_at, latest_entry_at, entries, revision) VALUES (1, 1, 7, 1, 0, 1000, 1, 1, 0, 1, 1, 0, 1)",
        )
        .unwrap();
        let (portal, id) = (PortalId(1), ThreadId(7));
        let known = Known::default();
        let held = || known.shard((portal, id)).contains_key(&(portal, id));

        let before = known.reading();
        let commit = known.committing();
        let during = known.reading();
        assert!(before.thread(&conn, portal, id).unwrap().is_some() && !held());
        drop(commit);
        assert!(before.thread(&conn, portal, id).unwrap().is_some() && !held());
        assert!(during.thread(&conn, portal, id).unwrap().is_some() && !held());
        let after = known.reading();
        let first = after.thread(&conn, portal, id).unwrap().unwrap();
        assert!(held() && Arc::ptr_eq(&first, &after.thread(&conn, portal, id).unwrap().unwrap()));

        let commit = known.committing();
        commit.put(portal, Thread { revision: 2, ..Thread::clone(&first) });
        assert_eq!(before.thread(&conn, portal, id).unwrap().unwrap().revision, 2);
        commit.remove(portal, id);
        assert!(!held());
    }

    #[test]
    fn a_full_shard_starts_over() {
        let known = Known::default();
        let dir = tempfile::tempdir().unwrap();
        let conn = schema::open(&dir.path().join("known.db")).unwrap();
        let thread = |id| {
            conn.execute(
                "INSERT OR REPLACE INTO threads (number, portal_id, id, inbox_id, population, channel_id, account_id, visitor_id, \
                 spam, created_at, latest_entry_at, entries, revision) VALUES (1, 1, ?1, 1, 0, 1000, 1, 1, 0, 1, 1, 0, 1)",
                [id],
            )
            .unwrap();
            known.reading().thread(&conn, PortalId(1), ThreadId(id)).unwrap().unwrap()
        };
        for n in 0..=MOST as i64 {
            assert_eq!(thread(n * SHARDS as i64).id, ThreadId(n * SHARDS as i64));
        }
        assert_eq!(known.shards[0].lock().unwrap().len(), 1);
    }
}

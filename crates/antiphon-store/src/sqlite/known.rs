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

/// Threads of neighbouring ids are kept together, as lists read them.
const BLOCK: i64 = 64;

/// Most blocks in one shard: some 30 MB over all of them. A full shard starts over.
const MOST: usize = 8;

/// A portal and which block of its ids.
type Key = (PortalId, i64);

type Block = [Option<Arc<KnownThread>>; BLOCK as usize];

/// Blocks by their key.
#[derive(Default)]
struct Shard(HashMap<Key, Box<Block>>);

pub(super) struct Known {
    /// Odd while a transaction is being committed.
    commits: AtomicU64,
    shards: [Mutex<Shard>; SHARDS],
}

impl Default for Known {
    fn default() -> Self {
        Self { commits: AtomicU64::new(0), shards: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl Known {
    fn shard(&self, id: ThreadId) -> MutexGuard<'_, Shard> {
        let at = (id.0.div_euclid(BLOCK)) as usize % SHARDS;
        self.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
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

impl Shard {
    fn get(&self, portal: PortalId, id: ThreadId) -> Option<&Arc<KnownThread>> {
        self.0.get(&(portal, id.0.div_euclid(BLOCK)))?[id.0.rem_euclid(BLOCK) as usize].as_ref()
    }

    fn put(&mut self, portal: PortalId, thread: Arc<KnownThread>) {
        let key = (portal, thread.id.0.div_euclid(BLOCK));
        if self.0.len() >= MOST && !self.0.contains_key(&key) {
            self.0.clear();
        }
        let slot = thread.id.0.rem_euclid(BLOCK) as usize;
        self.0.entry(key).or_insert_with(|| Box::new([const { None }; BLOCK as usize]))[slot] = Some(thread);
    }

    fn remove(&mut self, portal: PortalId, id: ThreadId) {
        if let Some(block) = self.0.get_mut(&(portal, id.0.div_euclid(BLOCK))) {
            block[id.0.rem_euclid(BLOCK) as usize] = None;
        }
    }
}

/// One read.
pub(super) struct Reading<'a> {
    known: &'a Known,
    commits: u64,
}

impl Reading<'_> {
    /// A thread, if it is in memory.
    pub(super) fn held(&self, portal: PortalId, id: ThreadId) -> Option<Arc<KnownThread>> {
        self.known.shard(id).get(portal, id).cloned()
    }

    /// A thread, from memory if it is there.
    pub(super) fn thread(
        &self,
        conn: &Connection,
        portal: PortalId,
        id: ThreadId,
    ) -> Result<Option<Arc<KnownThread>>> {
        if let Some(held) = self.held(portal, id) {
            return Ok(Some(held));
        }
        let Some(thread) = threads::by_id(conn, portal, id)? else { return Ok(None) };
        let thread = Arc::new(KnownThread::from(thread));
        let mut shard = self.known.shard(id);
        if self.commits.is_multiple_of(2) && self.known.commits.load(Ordering::SeqCst) == self.commits {
            shard.put(portal, thread.clone());
        }
        Ok(Some(thread))
    }
}

/// One commit.
pub(super) struct Committing<'a>(&'a Known);

impl Committing<'_> {
    pub(super) fn put(&self, portal: PortalId, thread: Thread) {
        self.0.shard(thread.id).put(portal, Arc::new(KnownThread::from(thread)));
    }

    pub(super) fn remove(&self, portal: PortalId, id: ThreadId) {
        self.0.shard(id).remove(portal, id);
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
        let conn = schema::open(&dir.path().join("known.db"), false).unwrap();
        conn.execute_batch(
            "INSERT INTO threads (number, portal_id, id, inbox_id, population, channel_id, account_id, visitor_id, spam, \
             created_at, latest_entry_at, entries, revision) VALUES (1, 1, 7, 1, 0, 1000, 1, 1, 0, 1, 1, 0, 1)",
        )
        .unwrap();
        let (portal, id) = (PortalId(1), ThreadId(7));
        let known = Known::default();
        let held = || known.shard(id).get(portal, id).is_some();

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
        let conn = schema::open(&dir.path().join("known.db"), false).unwrap();
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
            let id = n * BLOCK * SHARDS as i64;
            assert_eq!(thread(id).id, ThreadId(id));
        }
        assert_eq!(known.shards[0].lock().unwrap().0.len(), 1);
    }
}

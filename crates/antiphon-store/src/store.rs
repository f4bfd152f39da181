//! The one door to what is remembered. Engines hide behind it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::*;

/// How a store is opened.
#[derive(Clone)]
pub struct Settings {
    /// Directory with the database file, its lock and, later, files.
    pub data_dir: PathBuf,
    /// Most changes waiting for the writer; more are refused as busy.
    pub queue: usize,
    /// Most changes in one transaction.
    pub batch: usize,
    /// How long a change may wait to be begun.
    pub deadline: Duration,
    /// Bytes of write-ahead log at which it is written back.
    pub wal_bytes: u64,
    /// Whether acknowledged changes are synced first. Off only to show that the durability tests notice.
    pub durable: bool,
    /// Domain clock, milliseconds. `None`: the system's.
    pub clock: Option<Arc<dyn Fn() -> Millis + Send + Sync>>,
    /// Message ids counted instead of random, for tests that compare whole bodies.
    pub counted_ids: bool,
}

impl Settings {
    /// The defaults for a data directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            queue: 4096,
            batch: 256,
            deadline: Duration::from_secs(30),
            wal_bytes: 64 << 20,
            durable: true,
            clock: None,
            counted_ids: false,
        }
    }
}

/// Figures about the store, for `/metrics` and `doctor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreStatus {
    pub database_bytes: u64,
    pub wal_bytes: u64,
    pub queue_depth: u64,
    pub batches: u64,
    pub changes: u64,
    /// Position of the newest event, over all portals.
    pub events: u64,
    pub disk_low: bool,
}

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    engine: Arc<sqlite::Engine>,
}

impl Store {
    /// Opens the store of a data directory: takes its lock, migrates (after a snapshot), starts the writer and the checkpointer.
    pub fn open(settings: Settings) -> Result<Self, OpenError> {
        let _ = settings;
        todo!()
    }

    /// Finishes what was accepted, writes the log back and releases the directory. Later changes are refused as unavailable.
    pub async fn close(&self) {
        todo!()
    }

    /// Changes something: locks the target, runs the rule on what it finds, applies what the rule wants in one transaction and
    /// returns once it is durable. The outer error is the store's, the inner one the rule's refusal.
    ///
    /// # Errors
    /// [`StoreError::Busy`] and [`StoreError::DiskLow`] before anything was run; the others leave nothing changed.
    pub async fn change<R, F>(
        &self,
        portal: PortalId,
        target: Target,
        rule: F,
    ) -> Result<Result<Applied, R>, StoreError>
    where
        R: Send + 'static,
        F: FnMut(&State, &mut Moment) -> Result<Changes, R> + Send + 'static,
    {
        let _ = (portal, target, rule);
        todo!()
    }

    /// Makes a portal; `None` when the id asked for is taken.
    pub async fn portal_create(
        &self,
        id: Option<PortalId>,
        name: String,
        time_zone: String,
        quota: Quota,
    ) -> Result<Option<Portal>, StoreError> {
        let _ = (id, name, time_zone, quota);
        todo!()
    }

    /// Every portal, by id.
    pub async fn portals(&self) -> Result<Vec<Portal>, StoreError> {
        todo!()
    }

    /// A portal's directory as of now; cached.
    pub async fn directory(&self, portal: PortalId) -> Result<Option<Arc<Directory>>, StoreError> {
        let _ = portal;
        todo!()
    }

    /// The token with this hash, revoked or expired ones included; cached.
    pub async fn token_by_hash(&self, hash: &TokenHash) -> Result<Option<Arc<Token>>, StoreError> {
        let _ = hash;
        todo!()
    }

    /// How much a portal holds.
    pub async fn usage(&self, portal: PortalId) -> Result<Usage, StoreError> {
        let _ = portal;
        todo!()
    }

    /// A thread, live or in the trash.
    pub async fn thread_by_id(&self, portal: PortalId, id: ThreadId) -> Result<Option<Thread>, StoreError> {
        let _ = (portal, id);
        todo!()
    }

    /// One page of threads, handed to `sink` in order.
    pub async fn threads(
        &self,
        portal: PortalId,
        query: &ThreadQuery,
        sink: &mut (dyn FnMut(ThreadView<'_>) + Send),
    ) -> Result<Page<ThreadPosition>, StoreError> {
        let _ = (portal, query, sink);
        todo!()
    }

    /// One page of a thread's history: `sink` gets every document as stored. `None` when there is no such thread in the
    /// archived state that was asked for.
    pub async fn history(
        &self,
        portal: PortalId,
        thread: ThreadId,
        query: &HistoryQuery,
        sink: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<Option<Page<Position>>, StoreError> {
        let _ = (portal, thread, query, sink);
        todo!()
    }

    /// One entry of a thread, whatever the thread's state.
    pub async fn message_by_id(
        &self,
        portal: PortalId,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Option<StoredMessage>, StoreError> {
        let _ = (portal, thread, id);
        todo!()
    }

    /// One entry of a thread with the bodies it had before truncation.
    pub async fn original_by_id(
        &self,
        portal: PortalId,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Option<Original>, StoreError> {
        let _ = (portal, thread, id);
        todo!()
    }

    /// The newest incoming `MESSAGE`s of a thread, newest first, among its newest 500 entries.
    pub async fn latest_incoming(
        &self,
        portal: PortalId,
        thread: ThreadId,
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let _ = (portal, thread, limit);
        todo!()
    }

    /// Those of these visitors that exist, in any order.
    pub async fn visitors_by_ids(
        &self,
        portal: PortalId,
        ids: &[VisitorId],
    ) -> Result<Vec<Visitor>, StoreError> {
        let _ = (portal, ids);
        todo!()
    }

    /// Contacts that have one of these addresses, compared without regard to case.
    pub async fn contacts_by_emails(
        &self,
        portal: PortalId,
        emails: &[String],
    ) -> Result<Vec<Visitor>, StoreError> {
        let _ = (portal, emails);
        todo!()
    }

    /// One page of visitors, by id.
    pub async fn visitors(&self, portal: PortalId, query: &VisitorQuery) -> Result<Vec<Visitor>, StoreError> {
        let _ = (portal, query);
        todo!()
    }

    /// A ticket.
    pub async fn ticket_by_id(&self, portal: PortalId, id: TicketId) -> Result<Option<Ticket>, StoreError> {
        let _ = (portal, id);
        todo!()
    }

    /// One page of tickets, by id.
    pub async fn tickets(
        &self,
        portal: PortalId,
        after: Option<TicketId>,
        limit: usize,
    ) -> Result<Vec<Ticket>, StoreError> {
        let _ = (portal, after, limit);
        todo!()
    }

    /// Those of these files that exist, in any order.
    pub async fn files_by_ids(&self, portal: PortalId, ids: &[i64]) -> Result<Vec<FileRef>, StoreError> {
        let _ = (portal, ids);
        todo!()
    }

    /// The file whose bytes are at this URL.
    pub async fn file_by_url(&self, portal: PortalId, url: &str) -> Result<Option<FileRef>, StoreError> {
        let _ = (portal, url);
        todo!()
    }

    /// Threads of any portal that went to the trash before a moment.
    pub async fn purge_due(
        &self,
        archived_before: Millis,
        limit: usize,
    ) -> Result<Vec<(PortalId, ThreadId)>, StoreError> {
        let _ = (archived_before, limit);
        todo!()
    }

    /// Erases at most 500 rows of purged threads; `false` when nothing is left to erase.
    pub async fn purge_step(&self) -> Result<bool, StoreError> {
        todo!()
    }

    /// Events behind a position, oldest first.
    pub async fn events_after(
        &self,
        portal: PortalId,
        position: i64,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let _ = (portal, position, limit);
        todo!()
    }

    /// Position of the portal's newest event; 0 before the first.
    pub async fn event_position(&self, portal: PortalId) -> Result<i64, StoreError> {
        let _ = portal;
        todo!()
    }

    /// Copies the store into one new file while it serves. `progress` hears pages done and pages in all.
    pub async fn backup(
        &self,
        to: &Path,
        progress: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<(), StoreError> {
        let _ = (to, progress);
        todo!()
    }

    /// Puts a backup, once it is verified, into an empty data directory.
    pub fn restore(from: &Path, data_dir: &Path) -> Result<(), OpenError> {
        let _ = (from, data_dir);
        todo!()
    }

    /// Figures for `/metrics` and `doctor`.
    pub fn status(&self) -> StoreStatus {
        todo!()
    }

    /// Domain time.
    pub fn now(&self) -> Millis {
        todo!()
    }
}

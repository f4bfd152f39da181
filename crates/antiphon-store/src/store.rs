//! The one door to what is remembered. Engines hide behind it.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{Mutex, RwLock, RwLockReadGuard};

use crate::changes::MessageIds;
use crate::*;

/// A PostgreSQL database, instead of the embedded one.
#[derive(Debug, Clone)]
pub struct Postgres {
    /// `postgres://user:password@host:port/database?sslmode=…`, as `psql` takes it.
    pub url: String,
    /// Most connections that read.
    pub connections: usize,
    /// Connections that write, and so transactions that are written at once.
    pub writers: usize,
    /// How a new database spreads its rows. `None`: plainly, or as it finds them.
    pub layout: Option<Layout>,
}

impl Postgres {
    /// The defaults for a database.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), connections: 8, writers: 4, layout: None }
    }

    /// Where it is, for people: without the password.
    pub fn shown(&self) -> String {
        postgres::shown(&self.url)
    }
}

/// How a store is opened.
#[derive(Clone)]
pub struct Settings {
    /// The database, if it is not the embedded one.
    pub postgres: Option<Postgres>,
    /// Directory with the database file and its lock.
    pub data_dir: PathBuf,
    /// The master key, which seals secrets.
    pub key: KeySource,
    /// Most changes waiting or being written; more are refused as busy.
    pub queue: usize,
    /// Most changes in one transaction.
    pub batch: usize,
    /// How long a change may wait to be begun.
    pub deadline: Duration,
    /// Bytes of write-ahead log at which it is written back. It may become twice as long meanwhile.
    pub wal_bytes: u64,
    /// Whether acknowledged changes are synced first. Off only to show that the durability tests notice.
    pub durable: bool,
    /// Share of the disk that has to be free for changes to be taken.
    pub least_free_disk: f64,
    /// Domain clock, milliseconds. `None`: the system's.
    pub clock: Option<Arc<dyn Fn() -> Millis + Send + Sync>>,
    /// Message ids counted instead of random, for tests that compare whole bodies.
    pub counted_ids: bool,
}

impl Settings {
    /// The defaults for a data directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        let data_dir = data_dir.into();
        Self {
            postgres: None,
            key: KeySource::of(&data_dir),
            data_dir,
            queue: 320,
            batch: 256,
            deadline: Duration::from_secs(30),
            wal_bytes: 1 << 30,
            durable: true,
            least_free_disk: 0.05,
            clock: None,
            counted_ids: false,
        }
    }

    /// What the domain clock shows.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else asks")]
    pub(crate) fn now(&self) -> Millis {
        match &self.clock {
            Some(clock) => clock(),
            None => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            }
        }
    }

    /// Where message ids come from.
    pub(crate) fn message_ids(&self) -> MessageIds {
        match self.counted_ids {
            true => MessageIds::Counted(Arc::new(AtomicU64::new(1))),
            false => MessageIds::Random,
        }
    }
}

/// Figures about the store, for `/metrics` and `doctor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreStatus {
    /// Bytes of the embedded database's file, and of its log.
    pub database_bytes: Option<u64>,
    pub wal_bytes: Option<u64>,
    pub queue_depth: u64,
    pub batches: u64,
    pub changes: u64,
    /// Events recorded: on the embedded engine all there ever were, on PostgreSQL this node's since it started.
    pub events: u64,
    pub disk_low: bool,
}

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    house: Arc<House>,
}

/// Where a store is, until it moves to the next one.
pub(crate) struct House {
    pub engine: Engine,
    /// How it was opened.
    pub settings: Settings,
    /// Whoever changes anything is inside; a move that cuts over keeps everybody out.
    pub gate: RwLock<()>,
    pub next: OnceLock<Store>,
    /// Held by whoever moves it.
    moving: Mutex<()>,
}

pub(crate) enum Engine {
    Sqlite(sqlite::Engine),
    Postgres(postgres::Engine),
}

/// Asks the engine. The embedded one reads on the calling thread.
macro_rules! read {
    ($store:ident.$question:ident($($with:expr),*)) => {
        match &$store.now_at().engine {
            Engine::Sqlite(engine) => engine.$question($($with),*),
            Engine::Postgres(engine) => engine.$question($($with),*).await,
        }
    };
}

/// Has the engine do something, and waits for it.
macro_rules! write {
    ($store:ident.$work:ident($($with:expr),*)) => {
        match &$store.engine {
            Engine::Sqlite(engine) => engine.$work($($with),*).await,
            Engine::Postgres(engine) => engine.$work($($with),*).await,
        }
    };
}

// Below the macros, which they use.
mod audit;
mod chats;
mod desk;
mod erasures;
mod files;
mod keys;
mod sessions;
mod told;
mod uses;
mod visitor_tokens;
mod work;

impl Store {
    /// Opens a store and brings its schema up to date. The embedded one takes the lock of its data directory and keeps a
    /// snapshot before it migrates; PostgreSQL is migrated by one node at a time.
    pub fn open(settings: Settings) -> Result<Self, OpenError> {
        let mut own = settings.clone();
        let engine = match own.postgres.take() {
            None => Engine::Sqlite(sqlite::Engine::open(own)?),
            Some(at) => Engine::Postgres(postgres::Engine::open(own, &at)?),
        };
        let house =
            House { engine, settings, gate: RwLock::new(()), next: OnceLock::new(), moving: Mutex::new(()) };
        Ok(Self { house: Arc::new(house) })
    }

    /// Where it is now.
    pub(crate) fn now_at(&self) -> &House {
        let mut house = &self.house;
        while let Some(next) = house.next.get() {
            house = &next.house;
        }
        house
    }

    /// Goes in where it is now, to change something. Waits while it moves, as long as a change may wait.
    async fn enter(&self) -> Result<(&House, RwLockReadGuard<'_, ()>), StoreError> {
        loop {
            let house = self.now_at();
            let inside = tokio::time::timeout(house.settings.deadline, house.gate.read());
            let inside = inside.await.map_err(|_| StoreError::Busy)?;
            if house.next.get().is_none() {
                return Ok((house, inside));
            }
        }
    }

    /// Finishes what was accepted, writes the log back and releases the directory. Later changes are refused as unavailable.
    pub async fn close(&self) {
        let mut house = Some(&self.house);
        while let Some(here) = house {
            write!(here.close());
            house = here.next.get().map(|next| &next.house);
        }
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
        let (house, _inside) = self.enter().await?;
        write!(house.change(portal, target, rule))
    }

    /// Makes a portal; `None` when the id asked for is taken.
    pub async fn portal_create(
        &self,
        id: Option<PortalId>,
        name: String,
        profile: Profile,
        quota: Quota,
    ) -> Result<Option<Portal>, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.portal_create(id, name, profile, quota))
    }

    /// One page of portals, by id.
    pub async fn portals(&self, after: Option<PortalId>, limit: usize) -> Result<Vec<Portal>, StoreError> {
        read!(self.portals(after, limit))
    }

    /// A portal's directory as of now; cached.
    pub async fn directory(&self, portal: PortalId) -> Result<Option<Arc<Directory>>, StoreError> {
        read!(self.directory(portal))
    }

    /// The token with this hash, revoked or expired ones included, and the directory of its portal; cached.
    pub async fn token_by_hash(
        &self,
        hash: &TokenHash,
    ) -> Result<Option<(Arc<Token>, Arc<Directory>)>, StoreError> {
        read!(self.token_by_hash(hash))
    }

    /// The directory of the portal that an app belongs to.
    pub async fn directory_of_app(&self, app: AppId) -> Result<Option<Arc<Directory>>, StoreError> {
        read!(self.directory_of_app(app))
    }

    /// An app whose developer key has this hash, or the one before that while it still works, and the directory of its portal.
    pub async fn app_by_key(&self, key: &str) -> Result<Option<(AppId, Arc<Directory>)>, StoreError> {
        let now = self.now();
        read!(self.app_by_key(key, now))
    }

    /// How much a portal holds.
    pub async fn usage(&self, portal: PortalId) -> Result<Usage, StoreError> {
        read!(self.usage(portal))
    }

    /// Those of some threads that there are, in no order.
    pub async fn threads_by_ids(
        &self,
        portal: PortalId,
        ids: &[ThreadId],
    ) -> Result<Vec<Arc<KnownThread>>, StoreError> {
        read!(self.threads_by_ids(portal, ids))
    }

    /// A thread, live or in the trash.
    pub async fn thread_by_id(
        &self,
        portal: PortalId,
        id: ThreadId,
    ) -> Result<Option<Arc<KnownThread>>, StoreError> {
        read!(self.thread_by_id(portal, id))
    }

    /// One page of threads, handed to `sink` in order.
    pub async fn threads(
        &self,
        portal: PortalId,
        query: &ThreadQuery,
        sink: &mut (dyn FnMut(&KnownThread) + Send),
    ) -> Result<Page<ThreadPosition>, StoreError> {
        read!(self.threads(portal, query, sink))
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
        read!(self.history(portal, thread, query, sink))
    }

    /// One entry of a thread, whatever the thread's state.
    pub async fn message_by_id(
        &self,
        portal: PortalId,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Option<StoredMessage>, StoreError> {
        read!(self.message_by_id(portal, thread, id))
    }

    /// Where an entry stands in its thread.
    pub async fn position_of(
        &self,
        portal: PortalId,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Option<Position>, StoreError> {
        read!(self.position_of(portal, thread, id))
    }

    /// Those of some messages that there are in their threads, in no order.
    pub async fn messages_by_ids(
        &self,
        portal: PortalId,
        ids: &[(ThreadId, MessageId)],
    ) -> Result<Vec<StoredMessage>, StoreError> {
        read!(self.messages_by_ids(portal, ids))
    }

    /// The thread that an entry is in.
    pub async fn thread_of_message(
        &self,
        portal: PortalId,
        id: MessageId,
    ) -> Result<Option<ThreadId>, StoreError> {
        read!(self.thread_of_message(portal, id))
    }

    /// The names that integrations gave to a thread, in their own order.
    pub async fn thread_keys(&self, portal: PortalId, thread: ThreadId) -> Result<Vec<String>, StoreError> {
        read!(self.thread_keys(portal, thread))
    }

    /// One entry of a thread with the bodies it had before truncation.
    pub async fn original_by_id(
        &self,
        portal: PortalId,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Option<Original>, StoreError> {
        read!(self.original_by_id(portal, thread, id))
    }

    /// The newest incoming `MESSAGE`s of a thread, newest first: its last one, and those among the thousand entries up to that.
    /// When that one came, the thread says (`latest_received_at`).
    pub async fn latest_incoming(
        &self,
        portal: PortalId,
        thread: ThreadId,
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        read!(self.latest_incoming(portal, thread, limit))
    }

    /// Those of these visitors that exist, in any order.
    pub async fn visitors_by_ids(
        &self,
        portal: PortalId,
        ids: &[VisitorId],
    ) -> Result<Vec<Visitor>, StoreError> {
        read!(self.visitors_by_ids(portal, ids))
    }

    /// Contacts that have one of these addresses, compared without regard to case.
    pub async fn contacts_by_emails(
        &self,
        portal: PortalId,
        emails: &[String],
    ) -> Result<Vec<Visitor>, StoreError> {
        read!(self.contacts_by_emails(portal, emails))
    }

    /// To whom these addresses on an account are bound; those that nobody has are left out.
    pub async fn visitors_by_addresses(
        &self,
        portal: PortalId,
        account: AccountId,
        addresses: &[Identifier],
    ) -> Result<Vec<(Identifier, VisitorId)>, StoreError> {
        read!(self.visitors_by_addresses(portal, account, addresses))
    }

    /// One page of visitors, by id.
    pub async fn visitors(&self, portal: PortalId, query: &VisitorQuery) -> Result<Vec<Visitor>, StoreError> {
        read!(self.visitors(portal, query))
    }

    /// A ticket.
    pub async fn ticket_by_id(&self, portal: PortalId, id: TicketId) -> Result<Option<Ticket>, StoreError> {
        read!(self.ticket_by_id(portal, id))
    }

    /// One page of tickets, by id.
    pub async fn tickets(
        &self,
        portal: PortalId,
        after: Option<TicketId>,
        limit: usize,
    ) -> Result<Vec<Ticket>, StoreError> {
        read!(self.tickets(portal, after, limit))
    }

    /// Threads that went to the trash before a moment, those first that have been there longest.
    pub async fn purge_due(
        &self,
        portal: PortalId,
        archived_before: Millis,
        limit: usize,
    ) -> Result<Vec<ThreadId>, StoreError> {
        read!(self.purge_due(portal, archived_before, limit))
    }

    /// Erases at most 500 rows of a portal's purged threads; `false` when nothing is left to erase, or another node sees to it.
    pub async fn purge_step(&self, portal: PortalId) -> Result<bool, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.purge_step(portal))
    }

    /// Clears away what processes left in a portal that have ended; how many rows that were. The embedded engine leaves nothing.
    pub async fn tidy(&self, portal: PortalId) -> Result<u64, StoreError> {
        match &self.now_at().engine {
            Engine::Sqlite(_) => Ok(0),
            Engine::Postgres(engine) => engine.tidy(portal).await,
        }
    }

    /// Events behind a position, oldest first.
    pub async fn events_after(
        &self,
        portal: PortalId,
        position: i64,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        read!(self.events_after(portal, position, limit))
    }

    /// The same, as far as they have positions already: what was recorded a moment ago comes later. For those who read
    /// whenever [`Self::events_wait`] tells them to; it costs nobody a transaction.
    pub async fn events_numbered(
        &self,
        portal: PortalId,
        position: i64,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        read!(self.events_numbered(portal, position, limit))
    }

    /// Position of the portal's oldest event that is kept.
    pub async fn event_oldest(&self, portal: PortalId) -> Result<Option<i64>, StoreError> {
        read!(self.event_oldest(portal))
    }

    /// Position of the portal's newest event; 0 before the first.
    pub async fn event_position(&self, portal: PortalId) -> Result<i64, StoreError> {
        read!(self.event_position(portal))
    }

    /// Waits for an event of the portal behind a position. Nothing is lost when it is given up.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] once the store is closed.
    pub async fn events_wait(&self, portal: PortalId, after_position: i64) -> Result<(), StoreError> {
        loop {
            let house = self.now_at();
            match write!(house.events_wait(portal, after_position)) {
                Err(StoreError::Unavailable(_)) if house.next.get().is_some() => {}
                waited => return waited,
            }
        }
    }

    /// The same for those who want to hear at once: where events are numbered after they are committed, it is done sooner.
    pub async fn events_listen(&self, portal: PortalId, after_position: i64) -> Result<(), StoreError> {
        if let Engine::Postgres(engine) = &self.now_at().engine {
            engine.hurry();
        }
        self.events_wait(portal, after_position).await
    }

    /// Forgets events from the oldest on: those from before a moment that everybody has read for whom the spine is read and
    /// nobody is told of again, and those from before `most_before` whatever waits for them. The newest stays. At most 500 go;
    /// how many did.
    pub async fn events_purge(
        &self,
        portal: PortalId,
        before: Millis,
        most_before: Millis,
    ) -> Result<u64, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.events_purge(portal, before, most_before))
    }

    /// The right to do a job that only one may do at a time, on however many nodes; `None` while somebody has it.
    pub async fn lease(&self, name: &str) -> Result<Option<Lease>, StoreError> {
        read!(self.lease(name))
    }

    /// Where limits hold that several nodes share; `None` where there is only one, whose own counts are all there is.
    pub fn allowances(&self) -> Option<Allowances<'_>> {
        match &self.now_at().engine {
            Engine::Sqlite(_) => None,
            Engine::Postgres(engine) => Some(Allowances(engine)),
        }
    }

    /// Copies the store into one new file while it serves. `progress` hears pages done and pages in all.
    pub async fn backup(
        &self,
        to: &Path,
        progress: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<(), StoreError> {
        let house = self.now_at();
        write!(house.backup(to, progress))
    }

    /// Reads everything and tells what is not as it was written. `deep` compares every index with its table as well; `sound`
    /// judges documents; `progress` hears steps done and steps in all.
    pub async fn check(
        &self,
        deep: bool,
        sound: fn(&[u8]) -> bool,
        progress: impl Fn(u64, u64) + Send + 'static,
    ) -> Result<Vec<Finding>, StoreError> {
        let house = self.now_at();
        write!(house.check(deep, sound, progress))
    }

    /// Puts a backup, once it is verified, into an empty place. Of the settings only the place matters. Waits on the calling
    /// thread.
    pub fn restore(from: &Path, to: &Settings) -> Result<(), OpenError> {
        match &to.postgres {
            None => sqlite::restore(from, &to.data_dir),
            Some(at) => moving::from_file(from, at),
        }
    }

    /// Moves a store that nobody serves to an empty place, whichever engines the two are, and compares them. Interrupted, it
    /// goes on where it stopped when it is asked again. Of the settings only the places matter. Waits on the calling thread.
    pub fn move_to(
        from: &Settings,
        to: &Settings,
        mut progress: impl FnMut(Moving),
    ) -> Result<Moved, MoveError> {
        moving::wait(moving::run(from, to, &mut progress))
    }

    /// Whether it would take changes now, as far as one can tell without making one.
    pub async fn is_ready(&self) -> bool {
        read!(self.is_ready())
    }

    /// Moves this store to an empty place while it serves, and goes on serving from there: nothing is refused, and whoever
    /// changes anything waits for the moment that it takes to carry the last changes over. It is moved to its end even when
    /// nobody waits for that any more. Given up half-way, it goes on where it is, and the next time it begins anew.
    pub async fn move_online(
        &self,
        to: Settings,
        mut progress: impl FnMut(Moving) + Send + 'static,
    ) -> Result<Moved, MoveError> {
        let store = self.clone();
        let (answer, answered) = tokio::sync::oneshot::channel();
        // A move reads and writes files on the calling thread.
        let work = move || {
            let house = store.now_at();
            let moved = moving::wait(async {
                let _alone = house.moving.try_lock().map_err(|_| StoreError::Busy)?;
                moving::refuse_same(house, &to)?;
                moving::run_online(house, &to, &mut progress).await
            });
            // Whoever asked may have gone.
            let _ = answer.send(moved);
        };
        let engine = |e: std::io::Error| StoreError::Engine(e.to_string());
        std::thread::Builder::new().name("antiphon-move".into()).spawn(work).map_err(engine)?;
        answered.await.unwrap_or_else(|_| Err(StoreError::Engine("the move panicked".into()).into()))
    }

    /// Figures for `/metrics` and `doctor`.
    pub fn status(&self) -> StoreStatus {
        match &self.now_at().engine {
            Engine::Sqlite(engine) => engine.status(),
            Engine::Postgres(engine) => engine.status(),
        }
    }

    /// The place of the database, for people, if it is not the embedded one.
    pub fn database(&self) -> Option<String> {
        self.now_at().settings.postgres.as_ref().map(Postgres::shown)
    }

    /// Domain time.
    pub fn now(&self) -> Millis {
        match &self.now_at().engine {
            Engine::Sqlite(engine) => engine.now(),
            Engine::Postgres(engine) => engine.now(),
        }
    }
}

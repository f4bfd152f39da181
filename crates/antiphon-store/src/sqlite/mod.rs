//! The embedded engine: one SQLite file, one writer, readers that never wait for it.

mod apply;
mod audit;
pub(crate) mod backup;
mod batch;
mod caches;
mod canned;
mod channels;
mod chats;
mod check;
mod checkpoint;
mod cursors;
mod desk;
mod directory;
mod disk;
mod erasures;
mod events;
mod failure;
mod files;
mod finders;
mod gate;
mod journal;
mod known;
mod lock;
mod memory;
mod messages;
pub(crate) mod moving;
mod names;
mod oauth;
#[cfg(test)]
mod plans;
mod purge;
mod readers;
mod resolve;
mod schema;
pub(crate) mod secrets;
mod sessions;
mod thread_list;
mod threads;
#[cfg(test)]
mod trouble;
mod uses;
mod visitor_tokens;
mod visitors;
mod webhooks;
mod work;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Sender, unbounded};
use tokio::sync::{Semaphore, oneshot, watch};

use self::batch::Batch;
use self::caches::Caches;
use self::checkpoint::{Checkpointer, Log};
use self::disk::Disk;
use self::failure::{Failure, Result};
use self::gate::Gate;
use self::known::Known;
use self::memory::{Counters, Memory, PortalMemory, ServerCounters};
use self::readers::Readers;
use self::writer::{Task, Waiting, Writer};
use crate::leases::OwnLeases;
use crate::listeners::Listeners;
use crate::secrets::Seals;
use crate::*;

/// The database's name in its data directory.
const DATABASE: &str = "antiphon.db";

type Answer<T> = std::result::Result<T, StoreError>;

/// What the engine's threads have in common.
struct Shared {
    settings: Settings,
    path: PathBuf,
    readers: Readers,
    caches: Caches,
    /// Seals secrets, and opens them.
    seals: Seals,
    known: Known,
    gate: Gate,
    log: Log,
    listeners: Arc<Listeners>,
    latest_now: AtomicI64,
    batches: AtomicU64,
    changes: AtomicU64,
    events: AtomicU64,
}

impl Shared {
    /// Domain time. It never goes back.
    fn now(&self) -> Millis {
        let now = self.settings.now();
        self.latest_now.fetch_max(now, Ordering::Relaxed).max(now)
    }

    /// Counts a committed batch.
    fn count(&self, changes: usize, events: i64) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.changes.fetch_add(changes as u64, Ordering::Relaxed);
        self.events.fetch_add(u64::try_from(events).unwrap_or_default(), Ordering::Relaxed);
    }
}

pub(crate) struct Engine {
    shared: Arc<Shared>,
    /// The signing keys that were found.
    pub(crate) keys: Vec<SigningKey>,
    disk: Disk,
    /// One for every change that waits or is being written. Bounding both bounds how long an accepted change takes, however
    /// many are offered.
    places: Arc<Semaphore>,
    /// `None` once it is closing.
    queue: RwLock<Option<Sender<Waiting>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    leases: OwnLeases,
    closed: watch::Receiver<bool>,
}

impl Engine {
    pub(crate) fn open(settings: Settings) -> std::result::Result<Self, OpenError> {
        let lock = lock::take(&settings.data_dir)?;
        let path = settings.data_dir.join(DATABASE);
        let file = path.display().to_string();
        let mut conn = schema::open(&path, settings.durable)?;
        let (seals, keys) = secrets::secure(&mut conn, &settings.key, &file, settings.now())?;
        let disk = Disk::new(settings.data_dir.clone(), settings.least_free_disk);
        let message_ids = settings.message_ids();
        let places = Arc::new(Semaphore::new(settings.queue));

        let start = |conn: &mut rusqlite::Connection| -> Result<_> {
            conn.set_prepared_statement_cache_capacity(256);
            readers::tune(conn, 16 << 10)?;
            conn.pragma_update(None, "synchronous", if settings.durable { "full" } else { "off" })?;
            conn.pragma_update(None, "wal_autocheckpoint", 0)?;
            // The log overshoots its limit while it is written back. Were it cut, it would have to grow again every time.
            let kept = settings.wal_bytes.saturating_mul(3);
            conn.pragma_update(None, "journal_size_limit", i64::try_from(kept).unwrap_or(i64::MAX))?;
            let memory = Memory {
                server: ServerCounters::load(conn)?,
                portals: Default::default(),
                names: Default::default(),
                seals: seals.clone(),
            };
            let (latest, events): (i64, i64) = conn.query_row(
                "SELECT coalesce(max(latest_now), 0), coalesce(sum(event_position), 0) FROM counters",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            let shared = Arc::new(Shared {
                readers: Readers::new(path.clone()),
                path,
                settings,
                caches: Caches::new(seals.clone()),
                seals: seals.clone(),
                known: Known::default(),
                gate: Gate::default(),
                log: Log::default(),
                listeners: Arc::default(),
                latest_now: AtomicI64::new(latest),
                batches: AtomicU64::new(0),
                changes: AtomicU64::new(0),
                events: AtomicU64::new(u64::try_from(events).unwrap_or_default()),
            });
            let own = rusqlite::Connection::open(&shared.path)?;
            readers::tune(&own, 256)?;
            own.busy_timeout(checkpoint::PATIENCE)?;
            own.pragma_update(None, "synchronous", if shared.settings.durable { "full" } else { "off" })?;
            let checkpointer = Checkpointer::start(shared.clone(), conn, own)?;
            Ok((memory, shared, checkpointer))
        };
        let engine_failed = |why: String| OpenError::Engine(file.clone(), why);
        let (memory, shared, checkpointer) = start(&mut conn).map_err(|Failure(e)| match e {
            StoreError::Damaged(why) => OpenError::Damaged(file.clone(), why),
            other => engine_failed(other.to_string()),
        })?;
        let (queue, waiting) = unbounded();
        let (done, closed) = watch::channel(false);
        let writer = Writer { conn, memory, message_ids, shared: shared.clone(), checkpointer };
        let thread = std::thread::Builder::new().name("antiphon-writer".into()).spawn(move || {
            writer.run(&waiting);
            drop(lock);
            let _ = done.send(true);
        });
        let thread = thread.map_err(|e| engine_failed(e.to_string()))?;
        Ok(Self {
            shared,
            keys,
            disk,
            places,
            queue: RwLock::new(Some(queue)),
            writer: Mutex::new(Some(thread)),
            leases: OwnLeases::default(),
            closed,
        })
    }

    /// Ends the queue; the writer finishes what is in it. Nobody waits for events of it any more, or does a job.
    fn end_queue(&self) {
        self.shared.listeners.close();
        self.leases.close();
        self.queue.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    pub(crate) async fn close(&self) {
        self.end_queue();
        // An error means the writer is gone, and then it is closed too.
        let _ = self.closed.clone().wait_for(|closed| *closed).await;
    }

    /// Queues something for the writer and waits for its answer.
    async fn submit<T, F>(&self, run: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Batch<'_>) -> Result<T> + Send + 'static,
    {
        if self.disk.low() {
            return Err(StoreError::DiskLow);
        }
        let closed = || StoreError::Unavailable("it is closed".into());
        let (answer, answered) = oneshot::channel();
        let work = Box::new(Task { run, done: None, answer });
        let place = self.places.clone().try_acquire_owned().map_err(|_| StoreError::Busy)?;
        let waiting = Waiting { begin_by: Instant::now() + self.shared.settings.deadline, work, place };
        match self.queue.read().unwrap_or_else(PoisonError::into_inner).as_ref() {
            Some(queue) => queue.send(waiting).map_err(|_| closed())?,
            None => return Err(closed()),
        }
        answered.await.unwrap_or_else(|_| Err(closed()))
    }

    pub(crate) async fn change<R, F>(
        &self,
        portal: PortalId,
        target: Target,
        mut rule: F,
    ) -> Answer<std::result::Result<Applied, R>>
    where
        R: Send + 'static,
        F: FnMut(&State, &mut Moment) -> std::result::Result<Changes, R> + Send + 'static,
    {
        self.submit(move |batch| apply::change(batch, portal, &target, &mut rule)).await
    }

    pub(crate) async fn portal_create(
        &self,
        id: Option<PortalId>,
        name: String,
        profile: Profile,
        quota: Quota,
    ) -> Answer<Option<Portal>> {
        self.submit(move |batch| {
            let id = id.unwrap_or(PortalId(batch.pending.server.next_portal));
            let portal =
                Portal { id, name: name.clone(), profile: profile.clone(), quota, created_at: batch.now };
            portal_insert(batch, portal)
        })
        .await
    }

    pub(crate) async fn events_purge(
        &self,
        portal: PortalId,
        before: Millis,
        most_before: Millis,
    ) -> Answer<u64> {
        self.submit(move |batch| events::purge(batch, portal, before, most_before)).await
    }

    pub(crate) fn signing_keys(&self) -> Answer<Vec<SigningKey>> {
        self.read(|conn| secrets::keys(conn, &self.shared.seals))
    }

    pub(crate) async fn signing_key_rotate(&self, ends_at: Millis) -> Answer<SigningKey> {
        let seals = self.shared.seals.clone();
        self.submit(move |batch| {
            batch.written = true;
            secrets::rotate(batch.conn, &seals, batch.now, ends_at)
        })
        .await
    }

    pub(crate) async fn purge_step(&self, portal: PortalId) -> Answer<bool> {
        self.submit(move |batch| purge::step(batch, portal)).await
    }

    /// Runs a read on the calling thread.
    fn read<T>(&self, read: impl FnOnce(&rusqlite::Connection) -> Result<T>) -> Answer<T> {
        Ok(self.shared.readers.read(read)?)
    }

    pub(crate) fn portals(&self, after: Option<PortalId>, limit: usize) -> Answer<Vec<Portal>> {
        self.read(|conn| directory::portals(conn, after, limit))
    }

    pub(crate) fn directory(&self, portal: PortalId) -> Answer<Option<Arc<Directory>>> {
        match self.shared.caches.directory(portal) {
            Some(directory) => Ok(Some(directory)),
            None => self.read(|conn| self.shared.caches.load(conn, portal)),
        }
    }

    pub(crate) fn token_by_hash(&self, hash: &TokenHash) -> Answer<Option<(Arc<Token>, Arc<Directory>)>> {
        let token = match self.shared.caches.token(hash) {
            Some(token) => token,
            None => match self.read(|conn| self.shared.caches.load_token(conn, hash))? {
                Some(token) => token,
                None => return Ok(None),
            },
        };
        Ok(self.directory(token.portal_id)?.map(|directory| (token, directory)))
    }

    pub(crate) fn directory_of_app(&self, app: AppId) -> Answer<Option<Arc<Directory>>> {
        match self.read(|conn| directory::portal_of_app(conn, app))? {
            Some(portal) => self.directory(portal),
            None => Ok(None),
        }
    }

    pub(crate) fn app_by_key(&self, key: &str, now: Millis) -> Answer<Option<(AppId, Arc<Directory>)>> {
        let Some((app, portal)) = self.read(|conn| directory::app_of_key(conn, key, now))? else {
            return Ok(None);
        };
        Ok(self.directory(portal)?.map(|directory| (app, directory)))
    }

    pub(crate) async fn events_wait(&self, portal: PortalId, after: i64) -> Answer<()> {
        let mut listener = self.shared.listeners.listen(portal)?;
        if listener.heard().is_none() {
            self.shared.listeners.published(portal, self.event_position(portal)?);
        }
        listener.behind(after).await
    }

    pub(crate) fn lease(&self, name: &str) -> Answer<Option<Lease>> {
        self.leases.claim(name)
    }

    pub(crate) fn usage(&self, portal: PortalId) -> Answer<Usage> {
        let counters = self.read(|conn| Counters::load(conn, portal))?;
        counters.map(|counters| counters.usage).ok_or(StoreError::NoPortal)
    }

    pub(crate) fn threads(
        &self,
        portal: PortalId,
        query: &ThreadQuery,
        sink: &mut (dyn FnMut(&KnownThread) + Send),
    ) -> Answer<Page<ThreadPosition>> {
        let Some(directory) = self.directory(portal)? else { return Ok(Page { count: 0, next: None }) };
        let known = self.shared.known.reading();
        self.read(|conn| thread_list::page(conn, &known, &directory, query, sink))
    }

    pub(crate) async fn backup(
        &self,
        to: &Path,
        progress: impl FnMut(u64, u64) + Send + 'static,
    ) -> Answer<()> {
        let to = to.to_owned();
        self.aside("backup", move |conn, _| backup::make(&conn, &to, progress)).await
    }

    pub(crate) async fn check(
        &self,
        deep: bool,
        sound: fn(&[u8]) -> bool,
        progress: impl Fn(u64, u64) + Send + 'static,
    ) -> Answer<Vec<Finding>> {
        let (seals, source) = (self.shared.seals.clone(), self.shared.settings.key.clone());
        let work = move |conn, asked: Weak<()>| {
            check::findings(conn, deep, sound, Some((&seals, &source)), move |done, all| {
                progress(done, all);
                asked.strong_count() > 0
            })
        };
        self.aside("check", work).await
    }

    /// Runs a long read in a thread of its own. The second argument of `work` dies when nobody waits for it any more.
    async fn aside<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(rusqlite::Connection, Weak<()>) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        let shared = self.shared.clone();
        let (answer, answered) = oneshot::channel();
        let asked = Arc::new(());
        let still = Arc::downgrade(&asked);
        let work = move || {
            shared.log.pins.fetch_add(1, Ordering::AcqRel);
            let done = shared.readers.open().and_then(|conn| work(conn, still));
            shared.log.pins.fetch_sub(1, Ordering::AcqRel);
            let _ = answer.send(done.map_err(StoreError::from));
        };
        let engine = |e: std::io::Error| StoreError::Engine(e.to_string());
        std::thread::Builder::new().name(format!("antiphon-{name}")).spawn(work).map_err(engine)?;
        answered.await.unwrap_or_else(|_| Err(StoreError::Engine(format!("the {name} panicked"))))
    }

    pub(crate) fn is_ready(&self) -> bool {
        !self.disk.low()
    }

    pub(crate) fn status(&self) -> StoreStatus {
        let shared = &self.shared;
        let length = |path: &Path| Some(std::fs::metadata(path).map_or(0, |file| file.len()));
        let mut log = shared.path.clone().into_os_string();
        log.push("-wal");
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        StoreStatus {
            database_bytes: length(&shared.path),
            wal_bytes: length(Path::new(&log)),
            queue_depth: queue.as_ref().map_or(0, |queue| queue.len() as u64),
            batches: shared.batches.load(Ordering::Relaxed),
            changes: shared.changes.load(Ordering::Relaxed),
            events: shared.events.load(Ordering::Relaxed),
            disk_low: self.disk.low(),
        }
    }

    pub(crate) fn now(&self) -> Millis {
        self.shared.now()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.end_queue();
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer.filter(|writer| writer.thread().id() != std::thread::current().id())
            && writer.join().is_err()
        {
            tracing::error!("the writer panicked");
        }
    }
}

/// A portal with its counters and its first event.
fn portal_insert(batch: &mut Batch<'_>, portal: Portal) -> Result<Option<Portal>> {
    if !directory::insert_portal(batch.conn, &portal)? {
        return Ok(None);
    }
    batch.written = true;
    let id = portal.id;
    let directory = Directory::new(portal.clone(), 1);
    let counters = Counters { event_position: 1, latest_now: batch.now, ..Counters::FRESH };
    let made = NewEvent {
        kind: EventKind::DirectoryChanged,
        object: ObjectKind::Directory,
        object_id: 0,
        occurred_at: batch.now,
        payload: String::new(),
    };
    events::append(&mut batch.conn.prepare_cached(events::INSERT)?, id, 1, 1, &made)?;
    batch.pending.portals.insert(id, PortalMemory { counters, directory: Arc::new(directory), recorded: 0 });
    let next = &mut batch.pending.server.next_portal;
    *next = (*next).max(id.0 + 1);
    Ok(Some(portal))
}

pub(crate) fn restore(from: &Path, data_dir: &Path) -> std::result::Result<(), OpenError> {
    backup::restore(from, data_dir)
}

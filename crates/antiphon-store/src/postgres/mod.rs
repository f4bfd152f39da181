//! The engine for several nodes: one PostgreSQL database, group commit on a few connections, reads on a few more.
//!
//! What nodes tell each other goes through the database. Nothing that another node may change is believed without asking:
//! see [`caches`] for directories, [`events`] for the spine.

mod allowances;
mod apply;
mod audit;
mod batch;
mod caches;
mod canned;
mod channels;
mod chats;
mod check;
mod commit;
mod committer;
mod connect;
mod cursors;
mod desk;
mod directory;
mod erasures;
mod events;
mod failure;
mod files;
mod finders;
mod held_up;
mod journal;
mod lanes;
mod leases;
mod messages;
pub(crate) mod moving;
mod node;
mod oauth;
mod people;
mod portals;
mod purge;
mod readers;
mod resolve;
mod schema;
pub(crate) mod secrets;
mod sequencer;
mod sessions;
mod thread_list;
mod threads;
mod tidy;
mod uses;
mod visitor_tokens;
mod visitors;
mod webhooks;
mod work;

use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, Runtime};
use tokio::sync::{Semaphore, broadcast, oneshot, watch};
use tokio::task::JoinSet;

use self::batch::Outcome;
use self::caches::Caches;
use self::committer::Committer;
use self::connect::Place;
use self::lanes::{Lanes, Task, Waiting};
use self::readers::Readers;
use self::schema::Migration;
use self::sequencer::Sequencer;
use crate::changes::MessageIds;
use crate::sqlite::backup;
use crate::*;

pub(crate) use connect::shown;
pub use schema::Layout;

type Answer<T> = std::result::Result<T, StoreError>;

/// How long a statement may take. Pages are bounded, so one that takes longer waits for something that will not come.
const STATEMENT: Duration = Duration::from_secs(10);

/// How long an answer is waited for. A server that is well has given up on a statement before.
const ANSWER: Duration = Duration::from_secs(12);

/// How long a read waits for a connection, and for the directory.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the question whether all is well may take, so that whoever asks is not left waiting.
const READY: Duration = Duration::from_secs(2);

/// What the engine's tasks have in common.
struct Shared {
    settings: Settings,
    runtime: Handle,
    place: Place,
    readers: Readers,
    caches: Caches,
    sequencer: Sequencer,
    message_ids: MessageIds,
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

    /// A number that no other transaction has.
    fn mark(&self) -> i64 {
        uuid::Uuid::new_v4().as_u64_pair().0 as i64
    }

    /// Counts a committed batch, and tells whoever numbers events.
    fn count(&self, portal: PortalId, outcomes: &[Outcome]) {
        let recorded = |outcome: &Outcome| match outcome {
            Ok(Some(applied)) => applied.changes.events.len() as u64,
            _ => 0,
        };
        let events: u64 = outcomes.iter().map(recorded).sum();
        let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count() as u64;
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.changes.fetch_add(done, Ordering::Relaxed);
        self.events.fetch_add(events, Ordering::Relaxed);
        if events > 0 {
            self.sequencer.ring(portal);
        }
    }
}

pub(crate) struct Engine {
    shared: Arc<Shared>,
    /// The signing keys that were found.
    pub(crate) keys: Vec<SigningKey>,
    /// By which name limits know it.
    node: i64,
    lanes: Arc<Lanes>,
    /// One for every change that waits or is being written, as on the embedded engine.
    places: Arc<Semaphore>,
    closed: watch::Receiver<bool>,
    runtime: Mutex<Option<Runtime>>,
}

impl Engine {
    /// Opens the database: migrates it, and starts the committers. Waits for that on the calling thread.
    pub(crate) fn open(settings: Settings, at: &Postgres) -> std::result::Result<Self, OpenError> {
        Self::open_knowing(settings, at, schema::MIGRATIONS)
    }

    /// As a program does that knows these migrations.
    fn open_knowing(
        settings: Settings,
        at: &Postgres,
        migrations: &'static [Migration],
    ) -> std::result::Result<Self, OpenError> {
        let url = connect::shown(&at.url);
        let engine = |why: String| OpenError::Engine(url.clone(), why);
        let place = Place::parse(&at.url, settings.durable, STATEMENT)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 4))
            .thread_name("antiphon-postgres")
            .enable_all()
            .build()
            .map_err(|e| engine(e.to_string()))?;
        let (opened, opening) = std::sync::mpsc::channel();
        let (handle, at, shown) = (runtime.handle().clone(), at.clone(), url.clone());
        // Opening may be asked for inside another runtime, where nothing may block on this one.
        runtime.spawn(async move {
            let _ = opened.send(start(settings, &at, place, &shown, handle, migrations).await);
        });
        let started = opening.recv().map_err(|e| engine(e.to_string())).flatten();
        match started {
            Ok((shared, lanes, closed, keys)) => {
                let places = Arc::new(Semaphore::new(shared.settings.queue));
                let node = shared.mark();
                Ok(Self { shared, keys, node, lanes, places, closed, runtime: Mutex::new(Some(runtime)) })
            }
            Err(e) => {
                runtime.shutdown_background();
                Err(e)
            }
        }
    }

    /// Refuses further changes and reads, once what was accepted is committed.
    pub(crate) async fn close(&self) {
        self.lanes.close();
        // An error means the committers are gone, and then it is closed too.
        let _ = self.closed.clone().wait_for(|closed| *closed).await;
        self.shared.sequencer.stop().await;
        self.shared.readers.close();
    }

    pub(crate) async fn change<R, F>(
        &self,
        portal: PortalId,
        target: Target,
        rule: F,
    ) -> Answer<std::result::Result<Applied, R>>
    where
        R: Send + 'static,
        F: FnMut(&State, &mut Moment) -> std::result::Result<Changes, R> + Send + 'static,
    {
        let closed = || StoreError::Unavailable("it is closed".into());
        let (answer, answered) = oneshot::channel();
        let work = Box::new(Task { target, rule, refusal: None, answer });
        let place = self.places.clone().try_acquire_owned().map_err(|_| StoreError::Busy)?;
        let begin_by = Instant::now() + self.shared.settings.deadline;
        if !self.lanes.push(portal, Waiting { begin_by, held_up: None, work, place }) {
            return Err(closed());
        }
        answered.await.unwrap_or_else(|_| Err(closed()))
    }

    pub(crate) async fn events_wait(&self, portal: PortalId, after: i64) -> Answer<()> {
        let listeners = self.shared.sequencer.listeners();
        let mut listener = listeners.listen(portal)?;
        if listener.heard().is_none() {
            listeners.published(portal, self.event_standing(portal).await?);
        }
        listener.behind(after).await
    }

    /// Has this node number soon, for a while.
    pub(crate) fn hurry(&self) {
        self.shared.sequencer.hurry();
    }

    pub(crate) fn say(&self, portal: PortalId, word: &str) {
        self.shared.sequencer.say(portal, word);
    }

    pub(crate) fn words(&self) -> broadcast::Receiver<Word> {
        self.shared.sequencer.words()
    }

    pub(crate) async fn lease(&self, name: &str) -> Answer<Option<Lease>> {
        self.shared.sequencer.lease(name).await
    }

    /// Copies everything as it is at one moment. Runs in a thread of its own, since files are written on the calling one.
    pub(crate) async fn backup(
        &self,
        to: &Path,
        progress: impl FnMut(u64, u64) + Send + 'static,
    ) -> Answer<()> {
        let (to, shared) = (to.to_owned(), self.shared.clone());
        let (answer, answered) = oneshot::channel();
        let work = move || {
            let made = backup::into_place(&to, |half| {
                let copied = crate::moving::wait(async {
                    let source = moving::End::snapshot(&shared.place).await.map_err(StoreError::from)?;
                    crate::moving::to_file(source, "a database", half, progress).await
                });
                copied.map_err(|e| StoreError::Unavailable(e.to_string()))
            });
            let _ = answer.send(made);
        };
        let engine = |e: std::io::Error| StoreError::Engine(e.to_string());
        std::thread::Builder::new().name("antiphon-backup".into()).spawn(work).map_err(engine)?;
        answered.await.unwrap_or_else(|_| Err(StoreError::Engine("the backup panicked".into())))
    }

    /// Indexes are the database's own to check, so `deep` only decides how `sound` judges.
    pub(crate) async fn check(
        &self,
        _deep: bool,
        sound: fn(&[u8]) -> bool,
        progress: impl Fn(u64, u64) + Send + 'static,
    ) -> Answer<Vec<Finding>> {
        Ok(check::findings(&self.shared.place, &self.shared.settings.key, sound, progress).await?)
    }

    /// Asks the database, since it may have gone away or have become a standby.
    pub(crate) async fn is_ready(&self) -> bool {
        let asked = async {
            let client = self.shared.readers.get().await?;
            let sql = "SELECT current_setting('transaction_read_only') = 'off'";
            failure::Result::Ok(readers::row(&client, sql, &[]).await?.map(|row| row.try_get(0)).transpose()?)
        };
        matches!(tokio::time::timeout(READY, asked).await, Ok(Ok(Some(true))))
    }

    pub(crate) fn status(&self) -> StoreStatus {
        let shared = &self.shared;
        StoreStatus {
            queue_depth: self.lanes.depth(),
            batches: shared.batches.load(Ordering::Relaxed),
            changes: shared.changes.load(Ordering::Relaxed),
            events: shared.events.load(Ordering::Relaxed),
            ..StoreStatus::default()
        }
    }

    pub(crate) fn now(&self) -> Millis {
        self.shared.now()
    }
}

type Started = (Arc<Shared>, Arc<Lanes>, watch::Receiver<bool>, Vec<SigningKey>);

async fn start(
    settings: Settings,
    at: &Postgres,
    mut place: Place,
    url: &str,
    runtime: Handle,
    migrations: &[Migration],
) -> std::result::Result<Started, OpenError> {
    let failed = |e: failure::Failure| e.opening(url);
    let session = place.connect().await.map_err(failed)?;
    schema::migrate(&session, url, at.layout, migrations).await?;
    if let Some(moved) = moving::note(&session, url).await? {
        return Err(moved);
    }
    let (seals, keys) = secrets::secure(&session, &settings.key, url, settings.now()).await?;
    place.seals = seals;
    let shared = Arc::new(Shared {
        sequencer: Sequencer::start(place.clone(), &runtime),
        readers: Readers::new(place.clone(), runtime.clone(), at.connections, PATIENCE).map_err(failed)?,
        caches: Caches::start(place.clone()),
        message_ids: settings.message_ids(),
        runtime,
        place,
        settings,
        latest_now: AtomicI64::new(0),
        batches: AtomicU64::new(0),
        changes: AtomicU64::new(0),
        events: AtomicU64::new(0),
    });
    let lanes = Arc::new(Lanes::new(at.writers));
    let mut committers = JoinSet::new();
    for _ in 0..at.writers.max(1) {
        let committer = Committer::new(shared.clone());
        committers.spawn(committer.run(lanes.clone()));
    }
    let (done, closed) = watch::channel(false);
    tokio::spawn(async move {
        committers.join_all().await;
        let _ = done.send(true);
    });
    Ok((shared, lanes, closed, keys))
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.lanes.close();
        let Some(runtime) = self.runtime.get_mut().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        let (mut closed, shared) = (self.closed.clone(), self.shared.clone());
        // A runtime cannot be waited for inside another one, and what was accepted is to be committed.
        let ending = std::thread::spawn(move || {
            let ended = async {
                let ended = tokio::time::timeout(PATIENCE, closed.wait_for(|closed| *closed)).await.is_ok();
                shared.sequencer.stop().await;
                ended
            };
            if !runtime.block_on(ended) {
                tracing::error!("the committers did not end in time");
            }
            runtime.shutdown_background();
        });
        if ending.join().is_err() {
            tracing::error!("the engine did not end well");
        }
    }
}

//! Group commit. One thread owns the write connection: it takes every change that waits, runs them one after another in
//! one transaction, commits with one sync and then answers them all.
//!
//! Changes almost never fail after they have begun to write, since rules refuse before that. So a batch runs without
//! savepoints first; only if a change does fail half-way is the transaction thrown away and run again with a savepoint
//! around each change. Rules may run more than once, and nothing of a batch outlives its rollback.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvError, TryRecvError};
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::Shared;
use super::apply::panicked;
use super::batch::Batch;
use super::checkpoint::Checkpointer;
use super::failure::{Failure, Result};
use super::memory::Memory;
use crate::StoreError;
use crate::changes::MessageIds;

/// How long the writer stays awake after a change that was alone.
const AWAKE: Duration = Duration::from_micros(200);

/// Something for the writer to do.
pub(super) trait Work: Send {
    /// Does it inside a batch. May be called again after the batch was rolled back.
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<()>;
    /// Tells whoever waits, once it is durable or has failed.
    fn answer(self: Box<Self>, outcome: std::result::Result<(), StoreError>);
}

/// Work with somebody waiting for it.
pub(super) struct Task<T, F> {
    pub run: F,
    pub done: Option<T>,
    pub answer: oneshot::Sender<std::result::Result<T, StoreError>>,
}

impl<T: Send, F: FnMut(&mut Batch<'_>) -> Result<T> + Send> Work for Task<T, F> {
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<()> {
        self.done = None;
        self.done = Some((self.run)(batch)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: std::result::Result<(), StoreError>) {
        let missing = || StoreError::Engine("a change was answered without being run".into());
        let Self { done, answer, .. } = *self;
        // Whoever asked may have gone away; the change stands all the same.
        let _ = answer.send(outcome.and_then(|()| done.ok_or_else(missing)));
    }
}

/// Work in the queue.
pub(super) struct Waiting {
    pub begin_by: Instant,
    pub work: Box<dyn Work>,
    /// Given back when the change has been answered.
    pub place: OwnedSemaphorePermit,
}

/// How one change of a batch stands: run, or stopped for a reason.
type Outcome = std::result::Result<(), StoreError>;

/// Why a batch was thrown away.
enum Broken {
    /// A change failed half-way; with savepoints only that one will.
    Change,
    /// Nothing can be written now.
    All(StoreError),
}

impl From<Failure> for Broken {
    fn from(e: Failure) -> Self {
        Self::All(e.0)
    }
}

impl From<rusqlite::Error> for Broken {
    fn from(e: rusqlite::Error) -> Self {
        Self::from(Failure::from(e))
    }
}

pub(super) struct Writer {
    pub conn: Connection,
    pub memory: Memory,
    pub message_ids: MessageIds,
    pub shared: Arc<Shared>,
    pub checkpointer: Checkpointer,
}

impl Writer {
    /// Works until nobody can ask any more and the queue is empty.
    pub(super) fn run(mut self, queue: &Receiver<Waiting>) {
        let mut alone = false;
        while let Ok(first) = next(queue, alone) {
            let mut batch = vec![first];
            batch.extend(queue.try_iter().take(self.shared.settings.batch.saturating_sub(1)));
            alone = batch.len() == 1;
            self.commit(batch);
        }
        self.finish();
    }

    fn commit(&mut self, mut batch: Vec<Waiting>) {
        let outcomes = {
            let shared = self.shared.clone();
            let _turn = shared.gate.enter(|| shared.log.full(shared.settings.wal_bytes));
            let mut tried = self.attempt(&mut batch, false);
            if matches!(tried, Err(Broken::Change)) {
                self.roll_back();
                tried = self.attempt(&mut batch, true);
            }
            match tried {
                Ok(outcomes) => outcomes,
                Err(broken) => {
                    self.roll_back();
                    let why = match broken {
                        Broken::All(e) => e.to_string(),
                        Broken::Change => "a batch could not be taken apart".to_owned(),
                    };
                    tracing::error!(changes = batch.len(), error = %why, "a batch was not committed");
                    batch.iter().map(|_| Err(StoreError::Unavailable(why.clone()))).collect()
                }
            }
        };
        for (waiting, outcome) in batch.into_iter().zip(outcomes) {
            waiting.work.answer(outcome);
            drop(waiting.place);
        }
    }

    fn roll_back(&self) {
        if !self.conn.is_autocommit()
            && let Err(e) = self.conn.execute_batch("ROLLBACK")
        {
            tracing::error!(error = %e, "a batch was not rolled back");
        }
    }

    /// Runs and commits a batch; on an error the transaction is still open and nothing of it counts.
    fn attempt(&mut self, works: &mut [Waiting], careful: bool) -> std::result::Result<Vec<Outcome>, Broken> {
        let conn = &self.conn;
        conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut batch = Batch::new(conn, &self.memory, &self.shared.known, &self.message_ids);
        let mut outcomes = Vec::with_capacity(works.len());
        let begun = Instant::now();
        for waiting in works {
            if waiting.begin_by < begun {
                outcomes.push(Err(StoreError::Busy));
                continue;
            }
            batch.now = self.shared.now();
            outcomes.push(run(&mut batch, waiting.work.as_mut(), careful)?);
        }
        batch.flush()?;
        let mut pending = batch.pending;
        {
            let commit = self.shared.known.committing();
            conn.prepare_cached("COMMIT")?.execute([])?;
            pending.publish(&commit);
        }

        let mut recorded = 0;
        self.memory.server = pending.server;
        self.memory.names.add(pending.names);
        for (id, mut portal) in pending.portals {
            recorded += portal.counters.event_position - portal.recorded;
            self.shared.listeners.published(id, portal.counters.event_position);
            portal.recorded = portal.counters.event_position;
            let known = self.memory.portals.get(&id).map(|known| known.directory.revision);
            if known != Some(portal.directory.revision) {
                self.shared.caches.hold(portal.directory.clone());
            }
            self.memory.portals.insert(id, portal);
        }
        self.shared.count(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), recorded);
        Ok(outcomes)
    }

    /// Writes the log back and lets go of the directory.
    fn finish(self) {
        self.shared.readers.close();
        let _file = self.checkpointer.stop();
        if let Err(e) = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            tracing::warn!(error = %e, "the log was not written back; the next start does it");
        }
        if let Err((_, e)) = self.conn.close() {
            tracing::warn!(error = %e, "the database was not closed cleanly");
        }
    }
}

/// The next change. Whoever sends one at a time asks again soon after an answer, sooner than a sleeping thread wakes: for
/// them the writer stays awake a little. Behind a fuller batch others wait already, or come while it sleeps.
fn next(queue: &Receiver<Waiting>, alone: bool) -> std::result::Result<Waiting, RecvError> {
    let asleep_at = Instant::now() + AWAKE;
    while alone && Instant::now() < asleep_at {
        match queue.try_recv() {
            Ok(waiting) => return Ok(waiting),
            Err(TryRecvError::Disconnected) => return Err(RecvError),
            Err(TryRecvError::Empty) => std::hint::spin_loop(),
        }
    }
    queue.recv()
}

/// Runs one change. What it leaves behind when it fails is undone here if it can be, or else the batch is given up.
fn run(batch: &mut Batch<'_>, work: &mut dyn Work, careful: bool) -> std::result::Result<Outcome, Broken> {
    let saved = match careful {
        true => {
            batch.conn.execute_batch("SAVEPOINT change")?;
            Some(batch.pending.clone())
        }
        false => None,
    };
    batch.written = false;
    let outcome = match catch_unwind(AssertUnwindSafe(|| work.run(batch))) {
        Ok(Ok(())) => Ok(()),
        // SQLite gives some transactions up by itself: what follows would be committed statement by statement.
        Ok(Err(Failure(e))) if batch.conn.is_autocommit() => return Err(Broken::All(e)),
        Ok(Err(Failure(e @ (StoreError::Conflict(_) | StoreError::NoPortal)))) => Err(e),
        Ok(Err(Failure(e))) if batch.written => return Err(Broken::All(e)),
        Ok(Err(Failure(e))) => Err(e),
        Err(panic) => {
            tracing::error!(panic = message(panic.as_ref()), "a change panicked");
            Err(panicked())
        }
    };
    if outcome.is_err() && batch.written {
        let Some(saved) = saved else { return Err(Broken::Change) };
        batch.conn.execute_batch("ROLLBACK TO change")?;
        batch.pending = saved;
    }
    if careful {
        batch.conn.execute_batch("RELEASE change")?;
    }
    Ok(outcome)
}

fn message(panic: &(dyn Any + Send)) -> &str {
    match panic.downcast_ref::<&str>() {
        Some(text) => text,
        None => panic.downcast_ref::<String>().map_or("", String::as_str),
    }
}

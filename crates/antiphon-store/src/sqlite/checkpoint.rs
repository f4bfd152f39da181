//! The log is written back on a thread of its own, so that no commit waits for it.
//!
//! SQLite starts the log over only when everything in it is written back *and* no reader still needs it. Under a writer
//! that never pauses the first would never hold: so most of the log is written back and synced beside the writer, and
//! then the writer is held between two batches for the short rest. Readers are not held: as soon as the rest is written they read
//! the file alone, and the few that began earlier end within a page's time.
//!
//! Where the disk is slower than the writer, the log stops growing at twice its limit: the writer waits there, unless it is a reader
//! that keeps the log from starting over.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, ErrorCode};

use super::Shared;
use super::failure::Result;
use crate::StoreError;

/// After this long without a commit the log is written back, so that reads come from the memory map.
const QUIET: Duration = Duration::from_millis(500);

/// How long the writer is held for readers that began before the last pass.
pub(super) const PATIENCE: Duration = Duration::from_millis(20);

/// How long the writer is left alone when they did not end: briefly, unless it is known that they take long.
const AGAIN: Duration = Duration::from_millis(5);
const LATER: Duration = Duration::from_millis(250);

/// What the log looks like after the newest commit.
#[derive(Default)]
pub(super) struct Log {
    pub bytes: AtomicU64,
    /// Long reads in progress: the log cannot start over before they end.
    pub pins: AtomicUsize,
    /// Readers did not end in time: the log may grow until the next attempt.
    blocked: AtomicBool,
}

impl Log {
    /// Whether the next commit has to wait until a log with this limit, in bytes, has started over.
    pub(super) fn full(&self, limit: u64) -> bool {
        self.bytes.load(Ordering::Relaxed) >= limit * 2 && !self.blocked.load(Ordering::Acquire)
    }
}

enum Nudge {
    /// The log is long.
    Long,
    Stop,
}

pub(super) struct Checkpointer {
    thread: JoinHandle<File>,
    nudge: Sender<Nudge>,
}

impl Checkpointer {
    /// Starts the thread on a connection of its own, and has the writer's tell it how long the log is.
    pub(super) fn start(shared: Arc<Shared>, writer: &mut Connection, own: Connection) -> Result<Self> {
        let page: u32 = writer.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let (nudge, nudged) = bounded(2);
        let failed = |e: std::io::Error| StoreError::Engine(e.to_string());
        let file = File::open(&shared.path).map_err(failed)?;
        let (told, sender) = (shared.clone(), nudge.clone());
        // A frame is a page and a header of 24 bytes.
        writer.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, frames: i32| {
            let bytes = u64::try_from(frames).unwrap_or_default() * u64::from(page + 24);
            told.log.bytes.store(bytes, Ordering::Relaxed);
            if bytes >= told.settings.wal_bytes {
                // If one is still waiting, that will do.
                let _ = sender.try_send(Nudge::Long);
            }
            Ok(())
        }))?;
        let thread = std::thread::Builder::new()
            .name("antiphon-checkpoint".into())
            .spawn(move || {
                run(&shared, &own, &file, &nudged);
                file
            })
            .map_err(failed)?;
        Ok(Self { thread, nudge })
    }

    /// Ends the thread after what it is doing. The file it leaves must stay open until the last connection is closed:
    /// closing any descriptor of a file drops the locks that SQLite holds on it.
    pub(super) fn stop(self) -> Option<File> {
        let _ = self.nudge.send(Nudge::Stop);
        self.thread.join().inspect_err(|_| tracing::error!("the checkpointer panicked")).ok()
    }
}

fn run(shared: &Shared, conn: &Connection, file: &File, nudged: &Receiver<Nudge>) {
    let mut written_back = 0;
    loop {
        match nudged.recv_timeout(QUIET) {
            Ok(Nudge::Long) => {
                rest(conn, false);
                while !turn_over(shared, conn, file) {
                    let blocked = |yes| {
                        shared.log.blocked.store(yes, Ordering::Release);
                        shared.gate.reconsider();
                    };
                    blocked(true);
                    let pinned = shared.log.pins.load(Ordering::Acquire) > 0;
                    std::thread::sleep(if pinned { LATER } else { AGAIN });
                    if nudged.try_iter().any(|nudge| matches!(nudge, Nudge::Stop)) {
                        return;
                    }
                    blocked(false);
                }
            }
            Ok(Nudge::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                let bytes = shared.log.bytes.load(Ordering::Relaxed);
                if bytes != written_back {
                    rest(conn, false);
                    if checkpoint(conn, CheckpointMode::PASSIVE) {
                        written_back = bytes;
                    }
                }
                rest(conn, bytes == written_back);
            }
        }
    }
}

/// While nothing is to be written back, this connection stays in a read transaction. SQLite locks the file for the first
/// reader of a process and only counts the others, so that readers then ask the kernel for nothing.
fn rest(conn: &Connection, resting: bool) {
    let moved = match (conn.is_autocommit(), resting) {
        (true, true) => conn.execute_batch("BEGIN; SELECT 1 FROM server"),
        (false, false) => conn.execute_batch("COMMIT"),
        _ => Ok(()),
    };
    if let Err(e) = moved {
        tracing::warn!(error = %e, "the checkpointer could not change its lock");
    }
}

/// Writes all of the log back and has the next commit start it over; `false` if a reader still needs it.
fn turn_over(shared: &Shared, conn: &Connection, file: &File) -> bool {
    let (limit, durable) = (shared.settings.wal_bytes, shared.settings.durable);
    let length = || shared.log.bytes.load(Ordering::Relaxed);
    if length() < limit {
        return true;
    }
    // What is committed during one pass is left to the next, so passes grow shorter as long as the disk outruns the writer;
    // the last one, for which the writer waits, comes when they no longer do. A pass that a writer overtakes does not sync:
    // without the sync here all of it would be left to that last one.
    let (mut left, mut before) = (length(), u64::MAX);
    while left < before / 4 * 3 && length() < limit * 2 {
        let begun = length();
        checkpoint(conn, CheckpointMode::PASSIVE);
        if durable && let Err(e) = file.sync_data() {
            tracing::warn!(error = %e, "the database could not be synced");
            return false;
        }
        // A commit may have started the log over meanwhile.
        (before, left) = (left, length().saturating_sub(begun));
    }
    if shared.log.pins.load(Ordering::Acquire) > 0 {
        return false;
    }
    let _hold = shared.gate.hold();
    let over = checkpoint(conn, CheckpointMode::RESTART);
    if over {
        shared.log.bytes.store(0, Ordering::Relaxed);
    }
    over
}

/// Whether all of the log was written back, and for RESTART, whether it will start over.
fn checkpoint(conn: &Connection, mode: CheckpointMode) -> bool {
    match conn.wal_checkpoint_v2(None::<&str>, mode) {
        Ok((frames, written)) => frames == written,
        Err(e) if e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => false,
        Err(e) => {
            tracing::warn!(error = %e, "the log could not be written back");
            false
        }
    }
}

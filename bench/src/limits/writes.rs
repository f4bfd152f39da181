//! L1: a bare loop that commits the rows of sends, on the store's own schema.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::Result;
use rusqlite::{Connection, params};

use crate::seed::PORTAL;

/// Pages of log at which the other thread writes them back: what the store's own default comes to.
const LOG_PAGES: i32 = (64 << 20) / 4096;

/// The loop and its checkpointer.
pub struct Writer {
    connection: Connection,
    /// Number, id, entries and time of the newest entry of every thread.
    threads: Vec<(i64, i64, i64, i64)>,
    position: i64,
    dice: fastrand::Rng,
    document: Vec<u8>,
    log_is_long: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    checkpointer: Option<std::thread::JoinHandle<Result<()>>>,
}

impl Writer {
    pub fn open(database: &Path) -> Result<Self> {
        let connection = Connection::open(database)?;
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -65536;")?;
        connection.set_prepared_statement_cache_capacity(32);
        let mut select = connection
            .prepare("SELECT number, id, entries, latest_entry_at FROM threads WHERE portal_id = ?1")?;
        let threads = select
            .query_map([PORTAL.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
            .collect::<Result<_, _>>()?;
        drop(select);
        let position = connection.query_row(
            "SELECT event_position FROM counters WHERE portal_id = ?1",
            [PORTAL.0],
            |row| row.get(0),
        )?;
        let (log_is_long, stop) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let checkpointer = std::thread::spawn({
            let (log_is_long, stop, path) = (log_is_long.clone(), stop.clone(), database.to_path_buf());
            move || {
                let connection = Connection::open(path)?;
                while !stop.load(Relaxed) {
                    if log_is_long.swap(false, Relaxed) {
                        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
                    }
                    std::thread::park_timeout(Duration::from_millis(2));
                }
                Ok(())
            }
        });
        let document =
            connection
                .query_row("SELECT doc FROM messages ORDER BY key DESC LIMIT 1", [], |row| row.get(0))?;
        Ok(Self {
            connection,
            threads,
            position,
            dice: fastrand::Rng::new(),
            document,
            log_is_long,
            stop,
            checkpointer: Some(checkpointer),
        })
    }

    /// Commits batches of this size for a while: messages per second.
    pub fn run(&mut self, batch: usize, time: Duration) -> Result<f64> {
        let began = Instant::now();
        let mut messages = 0;
        while began.elapsed() < time {
            self.commit(batch)?;
            messages += batch;
        }
        Ok(messages as f64 / began.elapsed().as_secs_f64())
    }

    fn commit(&mut self, batch: usize) -> Result<()> {
        let transaction = self.connection.transaction()?;
        for _ in 0..batch {
            let drawn = self.dice.usize(..self.threads.len());
            let (number, id, entries, latest) = &mut self.threads[drawn];
            *latest = (*latest + 1).max(jiff::Timestamp::now().as_millisecond());
            *entries += 1;
            let mut message = [0u8; 16];
            message[..8].copy_from_slice(&((*latest as u64) << 16 | 0x7000).to_be_bytes());
            message[8..].copy_from_slice(&self.dice.u64(..).to_be_bytes());
            self.position += 1;
            transaction
                .prepare_cached("INSERT INTO messages (key, portal_id, id, kind, direction, created_at, format, doc) VALUES (?1, ?2, ?3, 1, 2, ?4, 1, ?5)")?
                .execute(params![*number << 24 | *entries, PORTAL.0, message, *latest, self.document])?;
            transaction
                .prepare_cached(
                    "UPDATE threads SET latest_message_at = ?2, latest_sent_at = ?2, latest_entry_at = ?2, latest_message_id = ?3, entries = ?4, \
                     revision = revision + 1 WHERE number = ?1",
                )?
                .execute(params![*number, *latest, message, *entries])?;
            let payload = format!(
                "{{\"messageId\":\"{:032x}\",\"messageType\":\"MESSAGE\"}}",
                u128::from_be_bytes(message)
            );
            transaction
                .prepare_cached("INSERT INTO events (portal_id, position, kind, object, object_id, revision, occurred_at, payload) VALUES (?1, ?2, 2, 1, ?3, ?4, ?5, ?6)")?
                .execute(params![PORTAL.0, self.position, *id, *entries, *latest, payload])?;
        }
        transaction
            .prepare_cached("UPDATE counters SET event_position = ?2, messages = messages + ?3, bytes = bytes + ?4 WHERE portal_id = ?1")?
            .execute(params![PORTAL.0, self.position, batch as i64, (batch * self.document.len()) as i64])?;
        transaction.commit()?;
        let pages = self.log_pages();
        if pages > LOG_PAGES {
            self.log_is_long.store(true, Relaxed);
        }
        Ok(())
    }

    fn log_pages(&self) -> i32 {
        0
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(checkpointer) = self.checkpointer.take() {
            // A checkpoint that failed shows in the figures; there is nothing left to tell.
            let _ = checkpointer.join();
        }
    }
}

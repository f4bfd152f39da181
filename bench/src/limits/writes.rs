//! L1: a bare loop that commits the rows of sends, on the store's own schema.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::Result;
use rusqlite::{CachedStatement, Connection, params};

use crate::seed::PORTAL;

/// Bytes of log at which the other thread writes it back: the store's default.
const LOG_BYTES: u64 = 1 << 30;

/// The loop and its checkpointer.
pub struct Writer {
    connection: Connection,
    threads: Vec<Thread>,
    position: i64,
    dice: fastrand::Rng,
    document: Vec<u8>,
    /// Asked for between two commits to hold the loop, so that the log can start over.
    turns: Receiver<Receiver<()>>,
}

/// What a send must know of a thread. The loop keeps it and reads nothing.
struct Thread {
    number: i64,
    id: i64,
    entries: i64,
    latest: i64,
}

impl Writer {
    pub fn open(database: &Path) -> Result<Self> {
        let mut connection = Connection::open(database)?;
        connection.set_prepared_statement_cache_capacity(32);
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA mmap_size = 274877906944; \
             PRAGMA cache_size = -32768;",
        )?;
        let mut select = connection
            .prepare("SELECT number, id, entries, latest_entry_at FROM threads WHERE portal_id = ?1")?;
        let thread = |row: &rusqlite::Row<'_>| {
            Ok(Thread { number: row.get(0)?, id: row.get(1)?, entries: row.get(2)?, latest: row.get(3)? })
        };
        let threads = select.query_map([PORTAL.0], thread)?.collect::<Result<_, _>>()?;
        drop(select);
        let position = connection.query_row(
            "SELECT event_position FROM counters WHERE portal_id = ?1",
            [PORTAL.0],
            |row| row.get(0),
        )?;
        let document =
            connection
                .query_row("SELECT doc FROM messages ORDER BY key DESC LIMIT 1", [], |row| row.get(0))?;
        let page =
            u64::try_from(connection.pragma_query_value(None, "page_size", |row| row.get::<_, i64>(0))?)?;
        let (nudge, nudged) = sync_channel(1);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, frames: i32| {
            if u64::try_from(frames).unwrap_or_default() * (page + 24) >= LOG_BYTES {
                // A nudge that is still waiting will do.
                let _ = nudge.try_send(());
            }
            Ok(())
        }))?;
        let (turn, turns) = sync_channel(0);
        let own = Connection::open(database)?;
        std::thread::Builder::new()
            .name("limit-checkpoint".into())
            .spawn(move || checkpoint(&own, &nudged, &turn))?;
        Ok(Self { connection, threads, position, dice: fastrand::Rng::new(), document, turns })
    }

    /// Commits batches of this size for a while: messages per second.
    pub fn run(&mut self, batch: usize, time: Duration) -> Result<f64> {
        let began = Instant::now();
        let mut messages = 0;
        while began.elapsed() < time {
            self.commit(batch)?;
            messages += batch;
            if let Ok(turned) = self.turns.try_recv() {
                // An error means that the checkpointer is gone; so is its need to hold us.
                let _ = turned.recv();
            }
        }
        Ok(messages as f64 / began.elapsed().as_secs_f64())
    }

    fn commit(&mut self, batch: usize) -> Result<()> {
        let connection = &self.connection;
        let cached = |sql| -> Result<CachedStatement<'_>> { Ok(connection.prepare_cached(sql)?) };
        cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut insert = cached(
            "INSERT INTO messages (key, portal_id, id, kind, direction, created_at, format, doc) VALUES (?1, ?2, ?3, 1, 2, ?4, 1, ?5)",
        )?;
        let mut update = cached(
            "UPDATE threads SET latest_message_at = ?2, latest_sent_at = ?2, latest_entry_at = ?2, latest_message_id = ?3, entries = ?4, \
             revision = revision + 1 WHERE number = ?1",
        )?;
        let mut record = cached("INSERT INTO events VALUES (?1, ?2, 2, 1, ?3, ?4, ?5, ?6)")?;
        let now = jiff::Timestamp::now().as_millisecond();
        for _ in 0..batch {
            let drawn = self.dice.usize(..self.threads.len());
            let thread = &mut self.threads[drawn];
            thread.latest = now.max(thread.latest + 1);
            let mut id = [0u8; 16];
            id[..8].copy_from_slice(&((thread.latest as u64) << 16 | 0x7000).to_be_bytes());
            id[8..].copy_from_slice(&self.dice.u64(..).to_be_bytes());
            insert.execute(params![
                thread.number << 24 | thread.entries,
                PORTAL.0,
                id,
                thread.latest,
                self.document
            ])?;
            thread.entries += 1;
            update.execute(params![thread.number, thread.latest, id, thread.entries])?;
            self.position += 1;
            let payload =
                format!("{{\"messageId\":\"{:032x}\",\"messageType\":\"MESSAGE\"}}", u128::from_be_bytes(id));
            record.execute(params![
                PORTAL.0,
                self.position,
                thread.id,
                thread.entries,
                thread.latest,
                payload
            ])?;
        }
        cached("UPDATE counters SET event_position = ?2, messages = messages + ?3, bytes = bytes + ?4 WHERE portal_id = ?1")?.execute([
            PORTAL.0,
            self.position,
            batch as i64,
            (batch * self.document.len()) as i64,
        ])?;
        cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

/// Writes the log back as the store does: most of it beside the loop, the short rest while the loop is held.
fn checkpoint(connection: &Connection, nudged: &Receiver<()>, turn: &SyncSender<Receiver<()>>) -> Result<()> {
    let write_back = || connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    while nudged.recv().is_ok() {
        write_back()?;
        let (done, turned) = sync_channel(1);
        if turn.send(turned).is_err() {
            break;
        }
        write_back()?;
        // The loop may have ended meanwhile.
        let _ = done.send(());
    }
    Ok(())
}

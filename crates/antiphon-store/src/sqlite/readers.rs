//! Read connections. Reads run on the calling thread and never wait for the writer.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_queue::ArrayQueue;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::failure::Result;
use crate::StoreError;

/// Address space a connection may map. The file is mapped only as far as it reaches.
const MAPPED_BYTES: i64 = 256 << 30;

/// Connections kept open while nobody reads.
const KEPT: usize = 16;

pub(super) struct Readers {
    path: PathBuf,
    idle: ArrayQueue<Connection>,
    closed: AtomicBool,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: ArrayQueue::new(KEPT), closed: AtomicBool::new(false) }
    }

    /// Runs a read on a connection of its own.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.check_open()?;
        let conn = match self.idle.pop() {
            Some(conn) => conn,
            None => self.open()?,
        };
        let found = read(&conn);
        if !self.closed.load(Ordering::Acquire) {
            // A full pool drops the connection.
            let _ = self.idle.push(conn);
        }
        found
    }

    /// Refuses once the store is closed.
    pub(super) fn check_open(&self) -> Result<()> {
        match self.closed.load(Ordering::Acquire) {
            true => Err(StoreError::Unavailable("it is closed".into()).into()),
            false => Ok(()),
        }
    }

    /// A connection outside the pool, for long reads.
    pub(super) fn open(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags_and_vfs(&self.path, flags, antiphon_vfs::reader()?)?;
        conn.set_prepared_statement_cache_capacity(64);
        tune(&conn, 512)?;
        Ok(conn)
    }

    /// Refuses further reads and closes what is idle.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        while self.idle.pop().is_some() {}
    }
}

/// Settings every connection needs. Pages come from the memory map, so that the cache only holds what is in the log.
pub(super) fn tune(conn: &Connection, cache_kib: i64) -> Result<()> {
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    // Plans do not depend on the values bound; otherwise SQLite compiles many a statement again with every use.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.pragma_update(None, "mmap_size", MAPPED_BYTES)?;
    conn.pragma_update(None, "cache_size", -cache_kib)?;
    conn.pragma_update(None, "temp_store", "memory")?;
    // Statements are planned once: without this a build with STAT4 plans them again for every value bound to them.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

//! L2: the read and the splice alone, on the store's own schema.

use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags, params};

/// A prepared read.
#[derive(Debug, Clone, Copy)]
pub enum Read {
    /// The newest entries of a thread.
    History {
        number: i64,
        limit: usize,
    },
    /// Live threads by id, behind one.
    Threads {
        after: i64,
        limit: usize,
    },
    Thread {
        id: i64,
    },
}

/// One reading connection.
pub struct Reader {
    connection: Connection,
}

const HISTORY: &str =
    "SELECT doc FROM messages WHERE key BETWEEN ?1 << 24 AND ?1 << 24 | 0xffffff ORDER BY key DESC LIMIT ?2";
const COLUMNS: &str = "id, inbox_id, population, channel_id, account_id, visitor_id, spam, assigned_to, created_at, closed_at, \
     latest_message_at, latest_sent_at, latest_received_at FROM threads WHERE portal_id = ?1";

impl Reader {
    pub fn open(database: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(database, flags)?;
        connection.execute_batch("PRAGMA mmap_size = 1099511627776; PRAGMA query_only = ON;")?;
        connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(Self { connection })
    }

    /// Stays in a read transaction, so that SQLite only counts the other readers of this process instead of locking the
    /// file for each: what the store does too.
    pub fn rest(self) -> Result<Self> {
        self.connection.execute_batch("BEGIN; SELECT 1 FROM server")?;
        Ok(self)
    }

    /// Threads' numbers by id.
    pub fn number(&self, thread: i64) -> Result<i64> {
        let mut find =
            self.connection.prepare_cached("SELECT number FROM threads WHERE portal_id = ?1 AND id = ?2")?;
        find.query_row([crate::seed::PORTAL.0, thread], |row| row.get(0))
            .with_context(|| format!("no thread {thread}"))
    }

    pub fn answer(&mut self, read: &Read) -> Result<Vec<u8>> {
        match *read {
            Read::History { number, limit } => self.history(number, limit),
            Read::Threads { after, limit } => self.threads(after, limit),
            Read::Thread { id } => self.thread(id),
        }
    }

    fn history(&mut self, number: i64, limit: usize) -> Result<Vec<u8>> {
        let mut select = self.connection.prepare_cached(HISTORY)?;
        let mut rows = select.query(params![number, limit as i64 + 1])?;
        let mut out = Vec::with_capacity(limit * 1280);
        out.extend_from_slice(b"{\"results\":[");
        let mut count = 0;
        let mut more = false;
        while let Some(row) = rows.next()? {
            if count == limit {
                more = true;
                break;
            }
            if count > 0 {
                out.push(b',');
            }
            out.extend_from_slice(row.get_ref(0)?.as_blob()?);
            out.extend_from_slice(b"false}");
            count += 1;
        }
        close(&mut out, more);
        Ok(out)
    }

    fn threads(&mut self, after: i64, limit: usize) -> Result<Vec<u8>> {
        let sql = format!("SELECT {COLUMNS} AND id > ?2 AND population < 2 ORDER BY id LIMIT ?3");
        let mut select = self.connection.prepare_cached(&sql)?;
        let mut rows = select.query(params![crate::seed::PORTAL.0, after, limit as i64 + 1])?;
        let mut out = Vec::with_capacity(limit * 512);
        out.extend_from_slice(b"{\"results\":[");
        let mut count = 0;
        let mut more = false;
        while let Some(row) = rows.next()? {
            if count == limit {
                more = true;
                break;
            }
            if count > 0 {
                out.push(b',');
            }
            splice(row, &mut out)?;
            count += 1;
        }
        close(&mut out, more);
        Ok(out)
    }

    fn thread(&mut self, id: i64) -> Result<Vec<u8>> {
        let mut select = self.connection.prepare_cached(&format!("SELECT {COLUMNS} AND id = ?2"))?;
        let mut rows = select.query([crate::seed::PORTAL.0, id])?;
        let mut out = Vec::with_capacity(512);
        splice(rows.next()?.context("no such thread")?, &mut out)?;
        Ok(out)
    }
}

fn close(out: &mut Vec<u8>, more: bool) {
    out.push(b']');
    if more {
        // As long as the cursor and the link that the server prints.
        out.extend_from_slice(b",\"paging\":{\"next\":{\"after\":\"");
        out.resize(out.len() + 24, b'x');
        out.extend_from_slice(
            b"\",\"link\":\"http://127.0.0.1:8085/conversations/v3/conversations/threads?limit=100&after=",
        );
        out.resize(out.len() + 24, b'x');
        out.extend_from_slice(b"\"}}");
    }
    out.push(b'}');
}

fn splice(row: &rusqlite::Row<'_>, out: &mut Vec<u8>) -> Result<()> {
    let population: i64 = row.get(2)?;
    let thread = antiphon_wire::thread::Thread {
        id: row.get(0)?,
        inbox_id: row.get(1)?,
        status: if population & 1 == 1 {
            antiphon_wire::thread::ThreadStatus::Closed
        } else {
            antiphon_wire::thread::ThreadStatus::Open
        },
        archived: population & 2 == 2,
        original_channel_id: row.get(3)?,
        original_channel_account_id: row.get(4)?,
        associated_contact_id: row.get(5)?,
        spam: row.get(6)?,
        assigned_to: row.get_ref(7)?.as_str_or_null()?,
        created_at: row.get(8)?,
        closed_at: row.get(9)?,
        latest_message_timestamp: row.get(10)?,
        latest_message_sent_timestamp: row.get(11)?,
        latest_message_received_timestamp: row.get(12)?,
        associated_ticket_id: None,
    };
    thread.write(out);
    Ok(())
}

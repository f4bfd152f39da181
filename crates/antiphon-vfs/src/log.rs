//! The log is written in long pieces.
//!
//! SQLite writes every page of a commit with two calls, its header and its content. Here they are gathered and written with
//! one call for many pages, at the latest when SQLite syncs the log; and since it does that before it shows a commit to
//! anybody, nobody can look for a page that is still held. That is why the connection must sync every commit, and be the
//! only one that writes the file.

use std::ffi::{c_int, c_void};

use rusqlite::ffi::{SQLITE_ERROR, SQLITE_OK, SQLITE_OPEN_WAL, sqlite3_file, sqlite3_io_methods};

use crate::system::System;

/// Most bytes held: SQLite's own function takes less than 128 KiB at a time.
const MOST: usize = 127 << 10;

pub static SYSTEM: System<Held> =
    System::new(c"antiphon-writer", SQLITE_OPEN_WAL, change, || Held { bytes: Vec::new(), at: 0 });

/// What SQLite has written and the kernel has not seen.
pub struct Held {
    bytes: Vec<u8>,
    /// Where in the file it begins.
    at: i64,
}

impl Held {
    /// Whether so many bytes for this place can be held behind the others.
    fn follows(&self, bytes: usize, at: i64) -> bool {
        at == self.at + self.bytes.len() as i64 && self.bytes.len() + bytes <= MOST
    }

    /// Holds bytes that follow, or the first.
    fn append(&mut self, bytes: &[u8], at: i64) {
        if self.bytes.is_empty() {
            self.bytes.reserve_exact(MOST);
            self.at = at;
        }
        self.bytes.extend_from_slice(bytes);
    }
}

fn change(methods: &mut sqlite3_io_methods) {
    methods.xWrite = Some(write);
    methods.xRead = Some(read);
    methods.xSync = Some(sync);
    methods.xTruncate = Some(truncate);
    methods.xFileSize = Some(size);
    methods.xClose = Some(close);
}

/// Has the kernel write what is held. What it refuses stays held and is tried again first, since SQLite believes it written:
/// until then nothing more is committed.
///
/// # Safety
/// `file` is an open file of this system.
unsafe fn flush(file: *mut sqlite3_file) -> Result<&'static sqlite3_io_methods, c_int> {
    // SAFETY: as this function's.
    let Some((theirs, held)) = (unsafe { SYSTEM.of(file) }) else { return Err(SQLITE_ERROR) };
    // SAFETY: what is kept of an open file is valid, and borrowed nowhere else.
    let held = unsafe { &mut *held };
    if held.bytes.is_empty() {
        return Ok(theirs);
    }
    let (Some(write), Ok(length)) = (theirs.xWrite, c_int::try_from(held.bytes.len())) else {
        return Err(SQLITE_ERROR);
    };
    // SAFETY: the bytes live until they are cleared.
    let written = unsafe { write(file, held.bytes.as_ptr().cast(), length, held.at) };
    if written != SQLITE_OK {
        return Err(written);
    }
    held.bytes.clear();
    Ok(theirs)
}

/// Calls SQLite's own function after what is held was written.
macro_rules! flushed {
    ($file:ident, $function:ident, $($argument:expr),*) => {
        // SAFETY: only open files of ours have these functions, and the arguments are SQLite's.
        unsafe {
            match flush($file) {
                Ok(theirs) => theirs.$function.map_or(SQLITE_ERROR, |call| call($file, $($argument),*)),
                Err(code) => code,
            }
        }
    };
}

unsafe extern "C" fn write(file: *mut sqlite3_file, data: *const c_void, length: c_int, at: i64) -> c_int {
    // SAFETY: only our files have this function.
    let Some((_, held)) = (unsafe { SYSTEM.of(file) }) else { return SQLITE_ERROR };
    let Ok(bytes) = usize::try_from(length) else { return SQLITE_ERROR };
    // SAFETY: what is kept of an open file is valid; the borrow ends here.
    let follows = unsafe { (*held).follows(bytes, at) };
    if !follows {
        // SAFETY: as above.
        if let Err(code) = unsafe { flush(file) } {
            return code;
        }
    }
    if bytes > MOST {
        return flushed!(file, xWrite, data, length, at);
    }
    // SAFETY: as above, and SQLite gives as many bytes as it says.
    unsafe { (*held).append(std::slice::from_raw_parts(data.cast(), bytes), at) };
    SQLITE_OK
}

unsafe extern "C" fn read(file: *mut sqlite3_file, into: *mut c_void, length: c_int, at: i64) -> c_int {
    flushed!(file, xRead, into, length, at)
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    flushed!(file, xSync, flags)
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: i64) -> c_int {
    flushed!(file, xTruncate, length)
}

unsafe extern "C" fn size(file: *mut sqlite3_file, length: *mut i64) -> c_int {
    flushed!(file, xFileSize, length)
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: only open files of ours have this function, and SQLite closes a file once.
    unsafe {
        let written = flush(file);
        let Some((theirs, held)) = SYSTEM.of(file) else { return SQLITE_ERROR };
        std::ptr::drop_in_place(held);
        let closed = theirs.xClose.map_or(SQLITE_ERROR, |close| close(file));
        written.err().unwrap_or(closed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use rusqlite::{Connection, OpenFlags};

    use crate::writer;

    fn open(path: &std::path::Path) -> Connection {
        let conn =
            Connection::open_with_flags_and_vfs(path, OpenFlags::default(), writer().unwrap()).unwrap();
        conn.pragma_update(None, "journal_mode", "wal").unwrap();
        conn.pragma_update(None, "synchronous", "full").unwrap();
        conn
    }

    /// Fills a table in transactions of many sizes: some spill, some roll back, some write a page of the log twice.
    fn fill(conn: &Connection, seen: &mut dyn FnMut(i64)) {
        conn.pragma_update(None, "cache_size", 20).unwrap();
        conn.execute_batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, text BLOB)").unwrap();
        for round in 1..=60_i64 {
            conn.execute_batch("BEGIN").unwrap();
            let insert = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
                          INSERT INTO rows (text) SELECT zeroblob(i * 37 % 9000) FROM n";
            conn.execute(insert, [round * 7 % 90 + 1]).unwrap();
            conn.execute_batch("SAVEPOINT part; UPDATE rows SET text = randomblob(700) WHERE id % 3 = 0")
                .unwrap();
            if round % 4 == 0 {
                conn.execute_batch("ROLLBACK TO part").unwrap();
            }
            conn.execute_batch("RELEASE part").unwrap();
            conn.execute_batch(if round % 5 == 0 { "ROLLBACK" } else { "COMMIT" }).unwrap();
            if round % 20 == 0 {
                conn.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
            }
            seen(conn.query_row("SELECT count(*) FROM rows", [], |row| row.get(0)).unwrap());
        }
    }

    #[test]
    fn a_commit_is_there_for_others_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.db");
        let conn = open(&path);
        let other = std::cell::LazyCell::new(|| Connection::open(&path).unwrap());
        let checked = AtomicUsize::new(0);
        fill(&conn, &mut |rows| {
            let sum = "SELECT count(*) FROM rows WHERE length(text) >= 0";
            assert_eq!(other.query_row(sum, [], |row| row.get::<_, i64>(0)).unwrap(), rows);
            let sound: String = other.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(sound, "ok");
            checked.fetch_add(1, Relaxed);
        });
        assert_eq!(checked.load(Relaxed), 60);
    }

    #[test]
    fn the_log_alone_brings_everything_back() {
        let dir = tempfile::tempdir().unwrap();
        let (path, copy) = (dir.path().join("rows.db"), dir.path().join("copy.db"));
        let conn = open(&path);
        let mut last = 0;
        fill(&conn, &mut |rows| {
            last = rows;
            // As after the process was killed: the files as the kernel has them, without the index of the log.
            std::fs::copy(&path, &copy).unwrap();
            std::fs::copy(path.with_extension("db-wal"), copy.with_extension("db-wal")).unwrap();
            let _ = std::fs::remove_file(copy.with_extension("db-shm"));
            let restored = Connection::open(&copy).unwrap();
            let found: i64 = restored.query_row("SELECT count(*) FROM rows", [], |row| row.get(0)).unwrap();
            assert_eq!(found, rows);
        });
        drop(conn);
        assert!(last > 100);
        assert!(!path.with_extension("db-wal").exists(), "the last to close removes the log");
    }
}

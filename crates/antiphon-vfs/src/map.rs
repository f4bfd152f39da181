//! A reader's memory map outlives the snapshot it was made for.
//!
//! SQLite unmaps the whole file whenever a reader sees that something was committed since its last read, in case another
//! program cut the file meanwhile. Beside a busy writer that is hundreds of times a second for every reader: each time all
//! pages are given back and faulted in again, and the other threads of the process wait for it. A store is never cut, and
//! the lock of its directory keeps other programs out, so here the map stays until the file has outgrown it. Pages past its
//! end are read the ordinary way.

use std::ffi::{c_int, c_void};

use rusqlite::ffi::{SQLITE_ERROR, SQLITE_OK, SQLITE_OPEN_MAIN_DB, sqlite3_file, sqlite3_io_methods};

use crate::system::System;

/// The file may outgrow its map by this much, in bytes, or by this part of it, before it is mapped again.
const SLACK: i64 = 256 << 10;
const SLACK_PART: i64 = 32;

pub static SYSTEM: System<Map> =
    System::new(c"antiphon-reader", SQLITE_OPEN_MAIN_DB, change, || Map { file: 0 });

/// What is kept of a database.
pub struct Map {
    /// How long the file was when its map was last given up, in bytes. A map made after that is no shorter.
    file: i64,
}

fn change(methods: &mut sqlite3_io_methods) {
    methods.xUnfetch = Some(unfetch);
}

/// Gives back a page of the map, or the whole map if there is no page: but that only when the file has outgrown it.
unsafe extern "C" fn unfetch(file: *mut sqlite3_file, offset: i64, page: *mut c_void) -> c_int {
    // SAFETY: only our files have this function.
    let Some((theirs, map)) = (unsafe { SYSTEM.of(file) }) else { return SQLITE_ERROR };
    // SAFETY: what is kept of an open file is valid, and borrowed nowhere else.
    let map = unsafe { &mut *map };
    let (Some(unfetch), Some(size)) = (theirs.xUnfetch, theirs.xFileSize) else { return SQLITE_ERROR };
    if page.is_null() {
        let mut bytes = 0;
        // SAFETY: the file is open.
        let sized = unsafe { size(file, &mut bytes) };
        let slack = SLACK.max(map.file / SLACK_PART);
        if sized == SQLITE_OK && map.file > 0 && (0..slack).contains(&(bytes - map.file)) {
            return SQLITE_OK;
        }
        map.file = bytes;
    }
    // SAFETY: the arguments are SQLite's.
    unsafe { unfetch(file, offset, page) }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

    use std::path::Path;

    use rusqlite::{Connection, OpenFlags};

    use crate::reader;

    /// Rows of a page each.
    const ROWS: i64 = 2000;

    struct Store {
        dir: tempfile::TempDir,
        writer: Connection,
    }

    impl Store {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let writer = Connection::open(dir.path().join("rows.db")).unwrap();
            writer.pragma_update(None, "journal_mode", "wal").unwrap();
            writer.execute_batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, text BLOB)").unwrap();
            let store = Self { dir, writer };
            store.grow();
            store
        }

        fn path(&self) -> std::path::PathBuf {
            self.dir.path().join("rows.db")
        }

        fn grow(&self) {
            let insert = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
                          INSERT INTO rows (text) SELECT randomblob(3000) FROM n";
            self.writer.execute(insert, [ROWS]).unwrap();
            self.writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        }

        fn add(&self) {
            self.writer.execute("INSERT INTO rows (text) VALUES (x'00')", []).unwrap();
        }

        fn open(&self, vfs: &std::ffi::CStr) -> Connection {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let opened = Connection::open_with_flags_and_vfs(self.path(), flags, vfs).unwrap();
            opened.pragma_update(None, "mmap_size", 1_i64 << 30).unwrap();
            opened
        }
    }

    fn count(reader: &Connection) -> i64 {
        reader.query_row("SELECT count(*) FROM rows WHERE length(text) > 0", [], |row| row.get(0)).unwrap()
    }

    fn first(reader: &Connection) -> i64 {
        reader.query_row("SELECT length(text) FROM rows WHERE id = 1", [], |row| row.get(0)).unwrap()
    }

    /// How much of a file this process has mapped, and how much of that is there, in KiB.
    fn mapped(path: &Path) -> (u64, u64) {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let field = |line: &str, name| {
            let rest = line.strip_prefix(name)?;
            rest.trim().trim_end_matches(" kB").parse::<u64>().ok()
        };
        let (mut size, mut there, mut ours) = (0, 0, false);
        for line in maps.lines() {
            // A mapping begins with its addresses; its fields are names with a colon.
            if line.split(' ').next().is_some_and(|word| !word.ends_with(':')) {
                ours = line.ends_with(path.to_str().unwrap());
            }
            if ours {
                size += field(line, "Size:").unwrap_or(0);
                there += field(line, "Rss:").unwrap_or(0);
            }
        }
        (size, there)
    }

    #[test]
    fn the_map_outlives_a_commit() {
        for (vfs, kept) in [(reader().unwrap(), true), (c"unix", false)] {
            let store = Store::new();
            let reader = store.open(vfs);
            first(&reader);
            store.add();
            assert_eq!(count(&reader), ROWS + 1);
            let (_, before) = mapped(&store.path());
            assert!(before > 3 * ROWS as u64, "{before} KiB are mapped");
            store.add();
            assert_eq!(first(&reader), 3000);
            let (_, after) = mapped(&store.path());
            // A read adds pages to a map that is kept, and little is left of one that is not.
            assert_eq!(after >= before, kept, "{vfs:?}: {before} KiB, then {after} KiB");
            assert_eq!(count(&reader), ROWS + 2);
        }
    }

    #[test]
    fn a_file_that_has_grown_is_mapped_anew() {
        let store = Store::new();
        let reader = store.open(reader().unwrap());
        store.add();
        count(&reader);
        let (before, _) = mapped(&store.path());
        // What is past the map is read all the same.
        store.add();
        store.writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        assert_eq!(count(&reader), ROWS + 2);
        assert_eq!(mapped(&store.path()).0, before);
        store.grow();
        assert_eq!(count(&reader), 2 * ROWS + 2);
        assert!(mapped(&store.path()).0 > before * 3 / 2);
    }
}

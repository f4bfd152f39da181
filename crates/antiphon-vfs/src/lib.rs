//! SQLite's own file system, with one difference: a reader's memory map outlives the snapshot it was made for.
//!
//! SQLite unmaps the whole file whenever a reader sees that something was committed since its last read, in case another
//! program cut the file meanwhile. Beside a busy writer that is hundreds of times a second for every reader: each time all
//! pages are given back and faulted in again, and the other threads of the process wait for it. A store is never cut, and
//! the lock of its directory keeps other programs out, so here the map stays until the file has outgrown it. Pages past its
//! end are read the ordinary way.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::OnceLock;

use rusqlite::ffi::{
    SQLITE_ERROR, SQLITE_OK, SQLITE_OPEN_MAIN_DB, sqlite3_file, sqlite3_io_methods, sqlite3_vfs,
    sqlite3_vfs_find, sqlite3_vfs_register,
};

/// What the file system is called when a connection is opened.
const NAME: &CStr = c"antiphon";

/// The file may outgrow its map by this much, in bytes, or by this part of it, before it is mapped again.
const SLACK: i64 = 256 << 10;
const SLACK_PART: i64 = 32;

/// SQLite's own file system.
static BASE: OnceLock<Base> = OnceLock::new();

struct Base {
    vfs: *mut sqlite3_vfs,
    /// How its files work, and the same with our difference; known once the first file is open.
    methods: OnceLock<(usize, sqlite3_io_methods)>,
}

// SAFETY: SQLite never changes a file system after it has been registered, and lets any thread call it.
unsafe impl Send for Base {}
// SAFETY: as above.
unsafe impl Sync for Base {}

/// What we keep of a file, behind what SQLite keeps.
struct Tail {
    /// How long the file was when its map was last given up, in bytes. A map made after that is no shorter.
    mapped: i64,
}

/// Registers the file system, the first time, and returns its name, to be given to
/// [`rusqlite::Connection::open_with_flags_and_vfs`]. For files that are never cut while they are open.
///
/// # Errors
/// SQLite could not be initialised, or has no memory left.
pub fn registered() -> rusqlite::Result<&'static CStr> {
    static DONE: OnceLock<c_int> = OnceLock::new();
    match *DONE.get_or_init(register) {
        SQLITE_OK => Ok(NAME),
        code => Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)),
    }
}

fn register() -> c_int {
    // SAFETY: without a name SQLite gives its default file system, which lives as long as the process.
    let base = unsafe { sqlite3_vfs_find(std::ptr::null()) };
    // SAFETY: null or a file system, as said above.
    let Some(default) = (unsafe { base.as_ref() }) else { return SQLITE_ERROR };
    let Ok(tail) = c_int::try_from(size_of::<Tail>()) else { return SQLITE_ERROR };
    let ours = sqlite3_vfs {
        zName: NAME.as_ptr(),
        pNext: std::ptr::null_mut(),
        szOsFile: default.szOsFile + tail,
        xOpen: Some(open),
        ..*default
    };
    let _ = BASE.set(Base { vfs: base, methods: OnceLock::new() });
    // SAFETY: the table is leaked, so it lives as long as the process.
    unsafe { sqlite3_vfs_register(Box::leak(Box::new(ours)), 0) }
}

/// Opens a file as SQLite does. If it is a database, its methods are replaced by ours.
unsafe extern "C" fn open(
    _vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    opened: *mut c_int,
) -> c_int {
    let Some(base) = BASE.get() else { return SQLITE_ERROR };
    // SAFETY: `base.vfs` lives as long as the process; the arguments are SQLite's, and its part of `file` comes first.
    let done = unsafe {
        let Some(open) = (*base.vfs).xOpen else { return SQLITE_ERROR };
        open(base.vfs, name, file, flags, opened)
    };
    if done != SQLITE_OK || flags & SQLITE_OPEN_MAIN_DB == 0 {
        return done;
    }
    // SAFETY: an open file has methods, which are one of SQLite's constant tables.
    let (at, theirs) = unsafe { ((*file).pMethods as usize, *(*file).pMethods) };
    let (known, ours) =
        base.methods.get_or_init(|| (at, sqlite3_io_methods { xUnfetch: Some(unfetch), ..theirs }));
    // All files of one system work alike; one that does not is left as it is.
    if *known == at {
        // SAFETY: `szOsFile` made room for the tail, and what `methods` holds lives as long as the process.
        unsafe {
            tail(base, file).write(Tail { mapped: 0 });
            (*file).pMethods = ours;
        }
    }
    SQLITE_OK
}

/// Gives back a page of the map, or the whole map if there is no page: but that only when the file has outgrown it.
unsafe extern "C" fn unfetch(file: *mut sqlite3_file, offset: i64, page: *mut c_void) -> c_int {
    let Some(base) = BASE.get() else { return SQLITE_ERROR };
    let Some((known, _)) = base.methods.get() else { return SQLITE_ERROR };
    // SAFETY: the address of the constant table our methods were made from.
    let theirs = unsafe { &*(*known as *const sqlite3_io_methods) };
    let (Some(unfetch), Some(size)) = (theirs.xUnfetch, theirs.xFileSize) else { return SQLITE_ERROR };
    if page.is_null() {
        let mut bytes = 0;
        // SAFETY: only files with a tail have these methods, and SQLite uses a file on one thread at a time.
        let (sized, tail) = unsafe { (size(file, &mut bytes), &mut *tail(base, file)) };
        let slack = SLACK.max(tail.mapped / SLACK_PART);
        if sized == SQLITE_OK && tail.mapped > 0 && (0..slack).contains(&(bytes - tail.mapped)) {
            return SQLITE_OK;
        }
        tail.mapped = bytes;
    }
    // SAFETY: the arguments are SQLite's.
    unsafe { unfetch(file, offset, page) }
}

/// Where our part of a file begins.
///
/// # Safety
/// `file` was opened by [`open`].
unsafe fn tail(base: &Base, file: *mut sqlite3_file) -> *mut Tail {
    // SAFETY: SQLite's part is `szOsFile` bytes long, and ours comes behind it.
    unsafe { file.byte_add((*base.vfs).szOsFile as usize).cast() }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

    use std::path::Path;

    use rusqlite::{Connection, OpenFlags};

    use super::registered;

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

        fn reader(&self, vfs: &std::ffi::CStr) -> Connection {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let reader = Connection::open_with_flags_and_vfs(self.path(), flags, vfs).unwrap();
            reader.pragma_update(None, "mmap_size", 1_i64 << 30).unwrap();
            reader
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
        for (vfs, kept) in [(registered().unwrap(), true), (c"unix", false)] {
            let store = Store::new();
            let reader = store.reader(vfs);
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
        let reader = store.reader(registered().unwrap());
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

//! SQLite's own file system, with other functions for one kind of file.

use std::ffi::{CStr, c_char, c_int};
use std::sync::OnceLock;

use rusqlite::ffi::{
    Error, SQLITE_ERROR, SQLITE_OK, sqlite3_file, sqlite3_io_methods, sqlite3_vfs, sqlite3_vfs_find,
    sqlite3_vfs_register,
};

/// A file system like SQLite's own. For every file of one kind it keeps a `T`, behind what SQLite keeps.
pub struct System<T> {
    name: &'static CStr,
    /// The kind, as the flag it is opened with.
    files: c_int,
    /// Puts in the functions that differ.
    change: fn(&mut sqlite3_io_methods),
    /// What is kept of a file that was just opened.
    fresh: fn() -> T,
    base: OnceLock<Base>,
    registered: OnceLock<c_int>,
}

struct Base {
    vfs: *mut sqlite3_vfs,
    /// How its files work, and the same with our difference; known once the first file is open.
    methods: OnceLock<Methods>,
}

struct Methods {
    theirs: *const sqlite3_io_methods,
    ours: sqlite3_io_methods,
}

// SAFETY: SQLite never changes a file system after it was registered nor a table of methods, and lets any thread use them.
unsafe impl Send for Base {}
// SAFETY: as above.
unsafe impl Sync for Base {}
// SAFETY: as above.
unsafe impl Send for Methods {}
// SAFETY: as above.
unsafe impl Sync for Methods {}

/// Opens a file of the system that registered `vfs`.
unsafe extern "C" fn open<T: 'static>(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    opened: *mut c_int,
) -> c_int {
    // SAFETY: `register` put a static system of this very type there; the arguments are SQLite's.
    unsafe { (*(*vfs).pAppData.cast::<System<T>>()).open(name, file, flags, opened) }
}

impl<T: 'static> System<T> {
    pub const fn new(
        name: &'static CStr,
        files: c_int,
        change: fn(&mut sqlite3_io_methods),
        fresh: fn() -> T,
    ) -> Self {
        const { assert!(align_of::<T>() <= 8, "SQLite aligns its files to 8 bytes") };
        Self { name, files, change, fresh, base: OnceLock::new(), registered: OnceLock::new() }
    }

    /// Registers it, the first time, and gives its name.
    pub fn registered(&'static self) -> rusqlite::Result<&'static CStr> {
        match *self.registered.get_or_init(|| self.register()) {
            SQLITE_OK => Ok(self.name),
            code => Err(rusqlite::Error::SqliteFailure(Error::new(code), None)),
        }
    }

    fn register(&'static self) -> c_int {
        // SAFETY: without a name SQLite gives its default file system, which lives as long as the process.
        let vfs = unsafe { sqlite3_vfs_find(std::ptr::null()) };
        if vfs.is_null() {
            return SQLITE_ERROR;
        }
        // SAFETY: a file system, as said above. Copied, since SQLite links its file systems through their own fields.
        let theirs = unsafe { vfs.read() };
        let Ok(kept) = c_int::try_from(size_of::<T>().next_multiple_of(8)) else { return SQLITE_ERROR };
        let ours = sqlite3_vfs {
            zName: self.name.as_ptr(),
            pNext: std::ptr::null_mut(),
            szOsFile: theirs.szOsFile + kept,
            // Theirs is used with theirs, and only to open files.
            pAppData: std::ptr::from_ref(self).cast_mut().cast(),
            xOpen: Some(open::<T>),
            ..theirs
        };
        let _ = self.base.set(Base { vfs, methods: OnceLock::new() });
        // SAFETY: the table is leaked, so it lives as long as the process.
        unsafe { sqlite3_vfs_register(Box::leak(Box::new(ours)), 0) }
    }

    /// Opens a file as SQLite does, and gives it our functions if it is of our kind.
    ///
    /// # Safety
    /// The arguments are those SQLite asked this system with.
    unsafe fn open(
        &'static self,
        name: *const c_char,
        file: *mut sqlite3_file,
        flags: c_int,
        opened: *mut c_int,
    ) -> c_int {
        let Some(base) = self.base.get() else { return SQLITE_ERROR };
        // SAFETY: `vfs` lives as long as the process; the arguments are SQLite's, and its part of `file` comes first.
        let done = unsafe {
            let Some(open) = (*base.vfs).xOpen else { return SQLITE_ERROR };
            open(base.vfs, name, file, flags, opened)
        };
        if done != SQLITE_OK || flags & self.files == 0 {
            return done;
        }
        // SAFETY: an open file has methods, which are one of SQLite's constant tables.
        let (theirs, table) = unsafe { ((*file).pMethods, *(*file).pMethods) };
        let methods = base.methods.get_or_init(|| {
            let mut ours = table;
            (self.change)(&mut ours);
            Methods { theirs, ours }
        });
        // Files of one system all work alike; one that does not is left as it is.
        if std::ptr::eq(methods.theirs, theirs) {
            // SAFETY: `szOsFile` made room for what is kept, and what a static holds lives as long as the process.
            unsafe {
                self.place(base, file).write((self.fresh)());
                (*file).pMethods = &methods.ours;
            }
        }
        SQLITE_OK
    }

    /// SQLite's own functions for a file, and what is kept of it: a valid `T`, which is used on one thread at a time, since
    /// that is how SQLite uses a file.
    ///
    /// # Safety
    /// `file` has our functions and is not closed.
    pub unsafe fn of(
        &'static self,
        file: *mut sqlite3_file,
    ) -> Option<(&'static sqlite3_io_methods, *mut T)> {
        let base = self.base.get()?;
        let methods = base.methods.get()?;
        // SAFETY: the table is a constant of SQLite's; the file is ours.
        unsafe { Some((&*methods.theirs, self.place(base, file))) }
    }

    /// Where the kept part of a file begins.
    ///
    /// # Safety
    /// `file` was made by this system.
    unsafe fn place(&self, base: &Base, file: *mut sqlite3_file) -> *mut T {
        // SAFETY: SQLite's part is `szOsFile` bytes long, and ours comes behind it.
        unsafe { file.byte_add((*base.vfs).szOsFile as usize).cast() }
    }
}

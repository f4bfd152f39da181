//! How SQLite sees its files: as in its own file system, but for two things that cost a busy server much.
//!
//! [`reader`] keeps the memory map of the database when something was committed, and [`writer`] writes the log in long pieces.
//! Everything else is SQLite's own code, which these tables of functions call. It never changes what is in a file.

mod log;
mod map;
mod system;

use std::ffi::CStr;

/// The file system for connections that read. To be given to [`rusqlite::Connection::open_with_flags_and_vfs`], for a
/// database that nobody cuts while it is open: see `map.rs`.
///
/// # Errors
/// SQLite could not be initialised, or has no memory left.
pub fn reader() -> rusqlite::Result<&'static CStr> {
    map::SYSTEM.registered()
}

/// The file system for the one connection that writes a file, in WAL mode and with `synchronous = full`: see `log.rs`.
///
/// # Errors
/// As [`reader`].
pub fn writer() -> rusqlite::Result<&'static CStr> {
    log::SYSTEM.registered()
}

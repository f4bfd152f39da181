//! One process per data directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::OpenError;

/// Holds the directory until it is dropped; the kernel lets go when the process dies.
pub(super) struct Lock {
    _file: File,
}

/// Takes a data directory, making it if need be.
pub(super) fn take(data_dir: &Path) -> Result<Lock, OpenError> {
    let dir = || data_dir.display().to_string();
    let not_writable = |e: std::io::Error| OpenError::NotWritable(dir(), e.to_string());
    std::fs::create_dir_all(data_dir).map_err(not_writable)?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(data_dir.join("antiphon.lock"))
        .map_err(not_writable)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(dir())),
        Err(TryLockError::Error(e)) => Err(not_writable(e)),
    }
}

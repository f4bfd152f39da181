//! Copies of the whole store: made while it serves, put back only after they are verified.

use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::failure::{Failure, Result};
use super::{DATABASE, check, lock, schema};
use crate::{OpenError, StoreError};

/// Pages copied between two reports of progress.
const STEP: i32 = 1024;

/// Copies everything `from` sees now into a new file. One read transaction holds the view, so that writers neither
/// disturb the copy nor wait for it.
pub(super) fn make(from: &Connection, to: &Path, mut progress: impl FnMut(u64, u64)) -> Result<()> {
    into_place(to, |half| Ok(copy(from, half, &mut progress)?)).map_err(Failure)
}

/// Puts a file where nothing is, whole or not at all.
pub(crate) fn into_place(
    to: &Path,
    write: impl FnOnce(&Path) -> std::result::Result<(), StoreError>,
) -> std::result::Result<(), StoreError> {
    if to.exists() {
        return Err(unavailable(to, "it exists already"));
    }
    let half = half(to);
    let _ = std::fs::remove_file(&half);
    let copied = write(&half).and_then(|()| {
        let synced = std::fs::File::open(&half).and_then(|file| file.sync_all());
        let put = synced.and_then(|()| std::fs::rename(&half, to)).and_then(|()| sync_dir(to));
        put.map_err(|e| unavailable(to, &e.to_string()))
    });
    if copied.is_err() {
        let _ = std::fs::remove_file(&half);
    }
    copied
}

fn copy(from: &Connection, to: &Path, progress: &mut impl FnMut(u64, u64)) -> Result<()> {
    let view = from.unchecked_transaction()?;
    view.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let mut copy = Connection::open(to)?;
    copy.pragma_update(None, "synchronous", "off")?;
    {
        let backup = Backup::new(&view, &mut copy)?;
        loop {
            let step = backup.step(STEP)?;
            let at = backup.progress();
            let pages = |pages: i32| u64::try_from(pages).unwrap_or_default();
            progress(pages(at.pagecount - at.remaining), pages(at.pagecount));
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => std::thread::sleep(std::time::Duration::from_millis(10)),
            }
        }
    }
    // One file, complete in itself.
    copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    drop(copy);
    view.finish()?;
    Ok(())
}

/// Puts a backup into a data directory that holds no store yet. It is as old as it is: who has signed out since must not be
/// signed in by it.
pub(super) fn restore(from: &Path, data_dir: &Path) -> std::result::Result<(), OpenError> {
    verify(from)?;
    let _lock = lock::take(data_dir)?;
    let to = data_dir.join(DATABASE);
    let failed = |e: std::io::Error| OpenError::NotWritable(data_dir.display().to_string(), e.to_string());
    if to.exists() {
        return Err(failed(std::io::Error::other("it holds a store already")));
    }
    let half = half(&to);
    std::fs::copy(from, &half).map_err(failed)?;
    sign_out(&half).map_err(|e| schema::refusal(&half.display().to_string(), e))?;
    std::fs::File::open(&half).and_then(|file| file.sync_all()).map_err(failed)?;
    verify(&half)?;
    std::fs::rename(&half, &to).and_then(|()| sync_dir(&to)).map_err(failed)
}

/// Takes all sessions out of a file, if it is of a time that has them.
fn sign_out(file: &Path) -> rusqlite::Result<()> {
    let conn = Connection::open(file)?;
    if conn.table_exists(None, "sessions")? {
        conn.execute("DELETE FROM sessions", [])?;
    }
    conn.close().map_err(|(_, e)| e)
}

/// Checks a file that is about to become the store.
pub(crate) fn verify(path: &Path) -> std::result::Result<(), OpenError> {
    let file = path.display().to_string();
    let failed = |e: rusqlite::Error| schema::refusal(&file, e);
    let damaged = |why: String| OpenError::Damaged(file.clone(), why);
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
    if schema::check(&conn, &file)? == 0 {
        return Err(damaged("it is empty".into()));
    }
    // Documents are the rooms' own: `antiphon doctor` reads them.
    let found = check::findings(conn, true, |_| true, None, |_, _| true)
        .map_err(|e| damaged(StoreError::from(e).to_string()))?;
    found.into_iter().next().map_or(Ok(()), |finding| Err(damaged(finding.what)))
}

fn half(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn sync_dir(file: &Path) -> std::io::Result<()> {
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(dir)?.sync_all()
}

fn unavailable(to: &Path, why: &str) -> StoreError {
    StoreError::Unavailable(format!("{}: {why}", to.display()))
}

//! The file's schema: brought up to date when a store is opened, under the lock of its directory.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior};

use crate::OpenError;

/// Migrations in order; the schema's version is how many of them were run. Never edit one that was released.
const MIGRATIONS: &[&str] = &[include_str!("../../migrations/sqlite/0001_initial.sql")];

/// Marks the file as ours: "Antp".
const APPLICATION_ID: i64 = 0x416e_7470;

const PAGE_SIZE: i64 = 8192;

/// The schema this binary knows.
pub(super) fn version() -> i64 {
    MIGRATIONS.len() as i64
}

/// Opens the file for writing, migrating it first if it is new or old.
pub(super) fn open(path: &Path) -> Result<Connection, OpenError> {
    let file = path.display().to_string();
    let failed = |e: rusqlite::Error| refusal(&file, e);
    let mut conn = Connection::open(path).map_err(failed)?;
    // Only a file without pages takes a page size.
    conn.pragma_update(None, "page_size", PAGE_SIZE).map_err(failed)?;
    let found = check(&conn, &file)?;
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        return Err(OpenError::NotWritable(file, format!("it stays in journal mode {mode}")));
    }
    if found < version() {
        if found > 0 {
            snapshot(&conn, path, found)?;
        }
        migrate(&mut conn, found).map_err(failed)?;
    }
    verify(&conn, &file)?;
    Ok(conn)
}

/// The version of the schema found; an empty file has 0.
pub(super) fn check(conn: &Connection, file: &str) -> Result<i64, OpenError> {
    let failed = |e: rusqlite::Error| refusal(file, e);
    let pragma = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(failed);
    let found = pragma("user_version")?;
    let tables: i64 =
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if tables > 0 && pragma("application_id")? != APPLICATION_ID {
        return Err(OpenError::Damaged(file.into(), "it is a database, but not a store of antiphon".into()));
    }
    if found > version() {
        return Err(OpenError::Newer(file.into(), found, version()));
    }
    Ok(found)
}

/// Checks that what was run on the file is what this binary would have run.
fn verify(conn: &Connection, file: &str) -> Result<(), OpenError> {
    for (at, migration) in (1_i64..).zip(MIGRATIONS) {
        let run: Option<String> = conn
            .query_row("SELECT sql FROM migrations WHERE version = ?1", [at], |row| row.get(0))
            .optional()
            .map_err(|e| refusal(file, e))?;
        if run.as_deref() != Some(*migration) {
            return Err(OpenError::Damaged(
                file.into(),
                format!("migration {at} is not the one it was made with"),
            ));
        }
    }
    Ok(())
}

fn migrate(conn: &mut Connection, found: i64) -> rusqlite::Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, sql TEXT NOT NULL) STRICT",
    )?;
    for (at, migration) in (1_i64..).zip(MIGRATIONS).filter(|(at, _)| *at > found) {
        tx.execute_batch(migration)?;
        tx.execute("INSERT INTO migrations VALUES (?1, ?2)", (at, migration))?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", version())?;
    tx.commit()
}

/// Keeps the file as it was beside the one that is about to be migrated.
fn snapshot(conn: &Connection, path: &Path, found: i64) -> Result<(), OpenError> {
    let to = path.with_extension(format!("schema-{found}.db"));
    if to.exists() {
        return Ok(());
    }
    let half = to.with_extension("part");
    let _ = std::fs::remove_file(&half);
    let failed = |e: std::io::Error| OpenError::NotWritable(to.display().to_string(), e.to_string());
    conn.execute("VACUUM INTO ?1", [half.to_string_lossy()])
        .map_err(|e| refusal(&half.to_string_lossy(), e))?;
    std::fs::File::open(&half).and_then(|file| file.sync_all()).map_err(failed)?;
    std::fs::rename(&half, &to).map_err(failed)
}

/// What a failure of the engine means to whoever opens a file.
pub(super) fn refusal(file: &str, e: rusqlite::Error) -> OpenError {
    let (file, why) = (file.to_owned(), e.to_string());
    match e.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => OpenError::Damaged(file, why),
        Some(
            ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::DiskFull,
        ) => OpenError::NotWritable(file, why),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::InUse(file),
        _ => OpenError::Engine(file, why),
    }
}

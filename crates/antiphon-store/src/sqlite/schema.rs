//! The file's schema: brought up to date when a store is opened, under the lock of its directory.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};

use crate::{Document, OpenError};

/// Migrations in order; the schema's version is how many of them were run. Never edit one that was released.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_initial.sql"),
    include_str!("../../migrations/sqlite/0002_events.sql"),
    include_str!("../../migrations/sqlite/0003_channels.sql"),
    include_str!("../../migrations/sqlite/0004_files.sql"),
    include_str!("../../migrations/sqlite/0005_keys.sql"),
    include_str!("../../migrations/sqlite/0006_loose.sql"),
    include_str!("../../migrations/sqlite/0007_oauth.sql"),
    include_str!("../../migrations/sqlite/0008_since.sql"),
    include_str!("../../migrations/sqlite/0009_names.sql"),
    include_str!("../../migrations/sqlite/0010_uses.sql"),
    include_str!("../../migrations/sqlite/0011_closing.sql"),
    include_str!("../../migrations/sqlite/0012_visitor_tokens.sql"),
    include_str!("../../migrations/sqlite/0013_installs.sql"),
    include_str!("../../migrations/sqlite/0014_paths.sql"),
    include_str!("../../migrations/sqlite/0015_accounts.sql"),
    include_str!("../../migrations/sqlite/0016_once.sql"),
    include_str!("../../migrations/sqlite/0017_profiles.sql"),
    include_str!("../../migrations/sqlite/0018_incoming.sql"),
    include_str!("../../migrations/sqlite/0019_guests_journals.sql"),
    include_str!("../../migrations/sqlite/0020_reads.sql"),
    include_str!("../../migrations/sqlite/0021_work.sql"),
    include_str!("../../migrations/sqlite/0022_tags.sql"),
    include_str!("../../migrations/sqlite/0023_sessions.sql"),
    include_str!("../../migrations/sqlite/0024_chats.sql"),
    include_str!("../../migrations/sqlite/0025_answering.sql"),
    include_str!("../../migrations/sqlite/0026_sign_in.sql"),
    include_str!("../../migrations/sqlite/0027_erasures.sql"),
    include_str!("../../migrations/sqlite/0028_spoken.sql"),
    include_str!("../../migrations/sqlite/0029_said.sql"),
];

/// With which migration each format of documents came. A format comes with a migration, be it an empty one: so programs that
/// do not know the format refuse the whole file, and no page of history has to look at what it reads.
const FORMATS: [usize; Document::FORMAT as usize] = [1, 4];
const _: () = assert!(FORMATS[FORMATS.len() - 1] <= MIGRATIONS.len());

/// Marks the file as ours: "Antp".
const APPLICATION_ID: i64 = 0x416e_7470;

const PAGE_SIZE: i64 = 4096;

/// Opens the file for writing, migrating it first if it is new or old. `durable`: every commit will be synced.
pub(super) fn open(path: &Path, durable: bool) -> Result<Connection, OpenError> {
    let conn = open_noted(path, durable)?;
    note(&conn, &path.display().to_string())?.map_or(Ok(conn), Err)
}

/// As [`open`], whatever a move has noted in it.
pub(super) fn open_noted(path: &Path, durable: bool) -> Result<Connection, OpenError> {
    open_at(path, durable, MIGRATIONS)
}

/// Asks whether there is a table.
pub(super) const HAS_TABLE: &str = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1";

/// Why a file is not to be used, though nothing is wrong with it: its store has moved away, or is not all here yet.
pub(super) fn note(conn: &Connection, file: &str) -> Result<Option<OpenError>, OpenError> {
    let failed = |e: rusqlite::Error| refusal(file, e);
    let place = |table: &str| -> Result<Option<String>, OpenError> {
        let has: i64 = conn.query_row(HAS_TABLE, [table], |row| row.get(0)).map_err(failed)?;
        match has {
            0 => Ok(None),
            _ => conn
                .query_row(&format!("SELECT place FROM {table}"), [], |row| row.get(0))
                .optional()
                .map_err(failed),
        }
    };
    if let Some(to) = place("moved_to")? {
        return Ok(Some(OpenError::Moved(file.to_owned(), to)));
    }
    Ok(place("move_from")?.map(|from| OpenError::Unfinished(file.to_owned(), from)))
}

fn open_at(path: &Path, durable: bool, migrations: &[&str]) -> Result<Connection, OpenError> {
    let file = path.display().to_string();
    let failed = |e: rusqlite::Error| refusal(&file, e);
    let opened = match durable {
        true => antiphon_vfs::writer()
            .and_then(|vfs| Connection::open_with_flags_and_vfs(path, OpenFlags::default(), vfs)),
        false => Connection::open(path),
    };
    let mut conn = opened.map_err(failed)?;
    if durable {
        conn.pragma_update(None, "synchronous", "full").map_err(failed)?;
    }
    // Only a file without pages takes a page size.
    conn.pragma_update(None, "page_size", PAGE_SIZE).map_err(failed)?;
    let found = check_at(&conn, &file, migrations.len() as i64)?;
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        return Err(OpenError::NotWritable(file, format!("it stays in journal mode {mode}")));
    }
    if found < migrations.len() as i64 {
        if found > 0 {
            snapshot(&conn, path, found)?;
        }
        migrate(&mut conn, found, migrations).map_err(failed)?;
    }
    verify(&conn, &file, migrations)?;
    Ok(conn)
}

/// The version of the schema found; an empty file has 0.
pub(super) fn check(conn: &Connection, file: &str) -> Result<i64, OpenError> {
    check_at(conn, file, MIGRATIONS.len() as i64)
}

fn check_at(conn: &Connection, file: &str, known: i64) -> Result<i64, OpenError> {
    let failed = |e: rusqlite::Error| refusal(file, e);
    let pragma = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(failed);
    let found = pragma("user_version")?;
    let tables: i64 =
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if tables > 0 && pragma("application_id")? != APPLICATION_ID {
        return Err(OpenError::Damaged(file.into(), "it is a database, but not a store of antiphon".into()));
    }
    if found > known {
        return Err(OpenError::Newer(file.into(), found, known));
    }
    Ok(found)
}

/// Checks that what was run on the file is what this binary would have run.
fn verify(conn: &Connection, file: &str, migrations: &[&str]) -> Result<(), OpenError> {
    for (at, migration) in (1_i64..).zip(migrations) {
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

fn migrate(conn: &mut Connection, found: i64, migrations: &[&str]) -> rusqlite::Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, sql TEXT NOT NULL) STRICT",
    )?;
    for (at, migration) in (1_i64..).zip(migrations).filter(|(at, _)| *at > found) {
        tx.execute_batch(migration)?;
        tx.execute("INSERT INTO migrations VALUES (?1, ?2)", (at, migration))?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", migrations.len() as i64)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: i64 = MIGRATIONS.len() as i64;

    /// What a later program knows.
    fn grown(with: &'static str) -> Vec<&'static str> {
        MIGRATIONS.iter().copied().chain([with]).collect()
    }

    const COLOUR: &str = "ALTER TABLE portals ADD COLUMN colour TEXT";

    fn file() -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("antiphon.db");
        (dir, path)
    }

    #[test]
    fn an_old_file_is_kept_and_brought_up_to_date() {
        let (dir, path) = file();
        open(&path, true).unwrap().execute("UPDATE server SET next_app = 7", []).unwrap();
        let conn = open_at(&path, true, &grown(COLOUR)).unwrap();
        conn.query_row("SELECT count(colour) FROM portals", [], |_| Ok(())).unwrap();
        let kept = Connection::open(dir.path().join(format!("antiphon.schema-{KNOWN}.db"))).unwrap();
        assert_eq!(check(&kept, "kept").unwrap(), KNOWN);
        let next: i64 = kept.query_row("SELECT next_app FROM server", [], |row| row.get(0)).unwrap();
        assert_eq!(next, 7);
    }

    #[test]
    fn keys_of_threads_that_were_being_erased_go_with_the_step_that_finds_them_otherwise() {
        let (_dir, path) = file();
        let step = MIGRATIONS.iter().position(|sql| sql.contains("idempotency_keys_of_message")).unwrap();
        open_at(&path, true, &MIGRATIONS[..step])
            .unwrap()
            .execute_batch(
                "INSERT INTO purges VALUES (1, 1, 7); \
                 INSERT INTO idempotency_keys VALUES (1, 1, 'gone', 7, x'01'), (1, 1, 'kept', 8, x'02'), (2, 1, 'other', 7, x'03')",
            )
            .unwrap();
        let conn = open(&path, true).unwrap();
        let mut sql = conn.prepare("SELECT key FROM idempotency_keys ORDER BY key").unwrap();
        let left: Vec<String> = sql.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(left, ["kept", "other"]);
    }

    #[test]
    fn a_newer_file_is_refused_as_it_is() {
        let (_dir, path) = file();
        drop(open_at(&path, true, &grown(COLOUR)).unwrap());
        let before = std::fs::read(&path).unwrap();
        let refused = open(&path, true);
        assert!(matches!(refused, Err(OpenError::Newer(_, found, KNOWN)) if found == KNOWN + 1));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn another_history_is_refused() {
        let (_dir, path) = file();
        drop(open_at(&path, true, &grown(COLOUR)).unwrap());
        let other = grown("ALTER TABLE portals ADD COLUMN color TEXT");
        assert!(matches!(open_at(&path, true, &other), Err(OpenError::Damaged(..))));
    }

    #[test]
    fn a_database_of_something_else_is_left_alone() {
        let (_dir, path) = file();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE notes (text)").unwrap();
        assert!(matches!(open(&path, true), Err(OpenError::Damaged(..))));
    }

    #[test]
    fn pages_are_as_large_as_chosen() {
        let (_dir, path) = file();
        let size: i64 =
            open(&path, true).unwrap().pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
        assert_eq!(size, PAGE_SIZE);
    }
}

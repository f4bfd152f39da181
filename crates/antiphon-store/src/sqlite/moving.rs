//! One end of a move: rows of a file as both engines have them, read in pages and written in order.

use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, OptionalExtension, ToSql, params, params_from_iter};

use super::failure::Result;
use super::lock::{self, Lock};
use super::{DATABASE, readers, schema};
use crate::messages::{MOST_ENTRIES, key, number};
use crate::moving::{Of, PAGE_BYTES, PAGE_ROWS, Page, Reached, Row, Table, Value};
use crate::{OpenError, StoreError};

/// What a move keeps in the file that it fills: where it comes from, how far it is, and which number each thread has here.
const STATE: &str = "
CREATE TABLE IF NOT EXISTS move_from (place TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS move_progress (
    name TEXT NOT NULL, portal_id INTEGER NOT NULL, after BLOB NOT NULL, done INTEGER NOT NULL,
    PRIMARY KEY (name, portal_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS move_numbers (
    number INTEGER PRIMARY KEY, portal_id INTEGER NOT NULL, thread_id INTEGER NOT NULL, UNIQUE (portal_id, thread_id)
) STRICT;";

/// Numbers of threads, also of those that are being erased, by their ids.
const THREADS: &str = "SELECT number, id FROM threads WHERE portal_id = ?1 AND id >= ?2 UNION ALL \
     SELECT number, thread_id FROM purges WHERE portal_id = ?1 AND thread_id >= ?2 ORDER BY 2 LIMIT 256";

pub(crate) struct End {
    conn: Connection,
    _lock: Option<Lock>,
    /// The thread whose number was asked for last: a portal, an id, and the number.
    known: (i64, i64, i64),
}

impl End {
    /// A store that is moved away: its directory is held, and it stays as it is from now on.
    pub(crate) fn source(data_dir: &Path) -> std::result::Result<Self, OpenError> {
        let path = data_dir.join(DATABASE);
        let shown = || data_dir.display().to_string();
        if !path.is_file() {
            return Err(OpenError::Engine(shown(), "there is no store in it; name the one to move".into()));
        }
        let lock = lock::take(data_dir)?;
        let conn = schema::open(&path, true)?;
        Self::viewing(conn, Some(lock))
            .map_err(|e| OpenError::Engine(shown(), StoreError::from(e).to_string()))
    }

    /// A file that nobody writes, as it is.
    pub(crate) fn file(path: &Path) -> std::result::Result<Self, OpenError> {
        let shown = path.display().to_string();
        let failed = |e: rusqlite::Error| schema::refusal(&shown, e);
        let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
        Self::viewing(conn, None)
            .map_err(|e| OpenError::Engine(shown.clone(), StoreError::from(e).to_string()))
    }

    fn viewing(conn: Connection, lock: Option<Lock>) -> Result<Self> {
        readers::tune(&conn, 16 << 10)?;
        conn.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")?;
        Ok(Self { conn, _lock: lock, known: (0, 0, 0) })
    }

    /// A store that is filled from a place: it must be empty, or the same move begun before.
    pub(crate) fn target(data_dir: &Path, from: &str) -> std::result::Result<Self, OpenError> {
        let lock = lock::take(data_dir)?;
        let shown = data_dir.display().to_string();
        Self::fill(&data_dir.join(DATABASE), Some(lock), &shown, from)
    }

    /// A new file that is filled.
    pub(crate) fn new_file(path: &Path, from: &str) -> std::result::Result<Self, OpenError> {
        Self::fill(path, None, &path.display().to_string(), from)
    }

    fn fill(
        path: &Path,
        lock: Option<Lock>,
        shown: &str,
        from: &str,
    ) -> std::result::Result<Self, OpenError> {
        let conn = schema::open_noted(path, false)?;
        match schema::note(&conn, shown)? {
            None => {}
            Some(OpenError::Unfinished(_, place)) if place == from => {}
            Some(other) => return Err(other),
        }
        let begin = || -> Result<bool> {
            readers::tune(&conn, 64 << 10)?;
            conn.set_prepared_statement_cache_capacity(64);
            conn.pragma_update(None, "synchronous", "normal")?;
            let begun: i64 = conn.query_row(schema::HAS_TABLE, ["move_from"], |row| row.get(0))?;
            let portals: i64 = conn.query_row("SELECT count(*) FROM portals", [], |row| row.get(0))?;
            if begun == 0 && portals == 0 {
                conn.execute_batch(&format!("BEGIN; {STATE}"))?;
                conn.execute("INSERT INTO move_from VALUES (?1)", [from])?;
                conn.execute_batch("COMMIT")?;
            }
            Ok(begun > 0 || portals == 0)
        };
        match begin() {
            Ok(true) => Ok(Self { conn, _lock: lock, known: (0, 0, 0) }),
            Ok(false) => Err(OpenError::NotEmpty(shown.to_owned())),
            Err(e) => Err(OpenError::Engine(shown.to_owned(), StoreError::from(e).to_string())),
        }
    }

    /// Every portal.
    pub(crate) fn portals(&self) -> Result<Vec<i64>> {
        let mut sql = self.conn.prepare_cached("SELECT id FROM portals ORDER BY id")?;
        let ids = sql.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        Ok(ids)
    }

    /// The next portal and the next app.
    pub(crate) fn server(&self) -> Result<(i64, i64)> {
        let sql = "SELECT next_portal, next_app FROM server WHERE only_row = 1";
        Ok(self.conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    /// Rows of a portal behind a key.
    pub(crate) fn page(&self, table: &Table, portal: i64, after: Option<&[Value]>) -> Result<Page> {
        let mut page = Page::default();
        match table.thread {
            Of::Entry => self.entries(table, portal, after, &mut page)?,
            Of::Thread | Of::Nothing => {
                let after = after.unwrap_or_default();
                let mut sql = format!(
                    "SELECT {} FROM {} WHERE {} = ?1",
                    table.names().join(", "),
                    table.name,
                    table.owner
                );
                let keys = table.keys();
                if !after.is_empty() {
                    let marks: Vec<String> = (0..after.len()).map(|n| format!("?{}", n + 2)).collect();
                    sql += &format!(" AND ({}) > ({})", keys.join(", "), marks.join(", "));
                }
                if !keys.is_empty() {
                    sql += &format!(" ORDER BY {} LIMIT {PAGE_ROWS}", keys.join(", "));
                }
                let owner = Value::Int(portal);
                self.read(&sql, &mut std::iter::once(&owner).chain(after), table, |row| row, &mut page)?;
            }
        }
        Ok(page)
    }

    /// Entries of threads in order of the threads' ids. Their keys become those of a portal of its own.
    fn entries(&self, table: &Table, portal: i64, after: Option<&[Value]>, page: &mut Page) -> Result<()> {
        let keys = table.keys();
        let marks: Vec<String> = (0..keys.len()).map(|n| format!("?{}", n + 2)).collect();
        let sql = format!(
            "SELECT {} FROM {} WHERE {} < ?1 AND ({}) > ({}) ORDER BY {} LIMIT {PAGE_ROWS}",
            table.names().join(", "),
            table.name,
            keys[0],
            keys.join(", "),
            marks.join(", "),
            keys.join(", ")
        );
        let mut from = after.map_or(i64::MIN, |after| number(after[0].int()));
        loop {
            let threads: Vec<(i64, i64)> = self
                .conn
                .prepare_cached(THREADS)?
                .query_map([portal, from], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            for &(own, id) in &threads {
                let mut behind = vec![Value::Int(i64::MAX); keys.len()];
                behind[0] = Value::Int(key(own, 0) - 1);
                if let Some(after) = after.filter(|after| number(after[0].int()) == id) {
                    behind = after.to_vec();
                    behind[0] = Value::Int(key(own, behind[0].int() % MOST_ENTRIES));
                }
                let end = Value::Int(key(own + 1, 0));
                let renamed = |mut row: Row| {
                    row[0] = Value::Int(key(id, row[0].int() % MOST_ENTRIES));
                    row
                };
                self.read(&sql, &mut std::iter::once(&end).chain(&behind), table, renamed, page)?;
                if page.more {
                    return Ok(());
                }
            }
            match threads.last() {
                Some((_, last)) if threads.len() == 256 => from = last + 1,
                _ => return Ok(()),
            }
        }
    }

    /// Adds what a query finds to a page, until that is full.
    fn read(
        &self,
        sql: &str,
        values: &mut dyn Iterator<Item = &Value>,
        table: &Table,
        renamed: impl Fn(Row) -> Row,
        page: &mut Page,
    ) -> Result<()> {
        let mut sql = self.conn.prepare_cached(sql)?;
        let mut rows = sql.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            let columns = (0..table.columns.len()).map(|at| Ok(Value::from(row.get_ref(at)?)));
            page.push(renamed(columns.collect::<Result<_>>()?));
            if page.rows.len() >= PAGE_ROWS || page.bytes >= PAGE_BYTES {
                page.more = true;
                break;
            }
        }
        Ok(())
    }

    /// How far the move had come with a table of a portal.
    pub(crate) fn reached(&self, table: &Table, portal: i64) -> Result<Option<Reached>> {
        let sql = "SELECT after, done FROM move_progress WHERE name = ?1 AND portal_id = ?2";
        let found = self.conn.prepare_cached(sql)?.query_row(params![table.name, portal], |row| {
            Ok(Reached { after: row.get(0)?, done: row.get(1)? })
        });
        Ok(found.optional()?)
    }

    /// Writes rows, and how far the move is with them, at once.
    pub(crate) fn write(
        &mut self,
        table: &Table,
        portal: i64,
        rows: &[Row],
        reached: &Reached,
    ) -> Result<()> {
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        let written = self.insert(table, portal, rows).and_then(|()| {
            let sql = "INSERT OR REPLACE INTO move_progress VALUES (?1, ?2, ?3, ?4)";
            self.conn.prepare_cached(sql)?.execute(params![
                table.name,
                portal,
                reached.after,
                reached.done
            ])?;
            Ok(())
        });
        self.conn.execute_batch(if written.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        if written.is_err() {
            self.known = (0, 0, 0);
        }
        written
    }

    fn insert(&mut self, table: &Table, portal: i64, rows: &[Row]) -> Result<()> {
        let mut names = table.names();
        // Entries' bodies are found by their keys alone.
        let owned = table.name != "originals";
        names.extend(owned.then_some(table.owner));
        names.extend((table.thread == Of::Thread).then_some("number"));
        let marks = vec!["?"; names.len()].join(", ");
        let sql = format!("INSERT OR IGNORE INTO {} ({}) VALUES ({marks})", table.name, names.join(", "));
        for row in rows {
            let mut row = row.clone();
            let own = match table.thread {
                Of::Nothing => 0,
                Of::Thread => self.number(portal, row[0].int())?,
                Of::Entry => {
                    let own = self.number(portal, number(row[0].int()))?;
                    row[0] = Value::Int(key(own, row[0].int() % MOST_ENTRIES));
                    own
                }
            };
            row.extend(owned.then_some(Value::Int(portal)));
            row.extend((table.thread == Of::Thread).then_some(Value::Int(own)));
            self.conn.prepare_cached(&sql)?.execute(params_from_iter(&row))?;
        }
        Ok(())
    }

    /// The number that a thread has here; it is given one when it is met first.
    fn number(&mut self, portal: i64, id: i64) -> Result<i64> {
        if (self.known.0, self.known.1) != (portal, id) {
            let sql = "SELECT number FROM move_numbers WHERE portal_id = ?1 AND thread_id = ?2";
            let found =
                self.conn.prepare_cached(sql)?.query_row([portal, id], |row| row.get(0)).optional()?;
            let own = match found {
                Some(own) => own,
                None => {
                    let sql = "INSERT INTO move_numbers (portal_id, thread_id) VALUES (?1, ?2)";
                    self.conn.prepare_cached(sql)?.insert([portal, id])?
                }
            };
            self.known = (portal, id, own);
        }
        Ok(self.known.2)
    }

    /// Makes a store of what was written. From now on it can be opened.
    pub(crate) fn finish(&mut self, (next_portal, next_app): (i64, i64)) -> Result<()> {
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        let sql = "UPDATE server SET next_portal = ?1, next_app = ?2";
        self.conn.execute(sql, [next_portal, next_app])?;
        self.conn.execute_batch("DROP TABLE move_from; DROP TABLE move_progress; DROP TABLE move_numbers")?;
        self.conn.execute_batch("COMMIT")?;
        self.conn.pragma_update(None, "synchronous", "full")?;
        self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Makes one file of the database.
    pub(crate) fn close_file(self) -> Result<()> {
        self.conn.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
        self.conn.close().map_err(|(_, e)| e)?;
        Ok(())
    }

    /// Notes where the store went, so that it is not opened by mistake.
    pub(crate) fn leave(&mut self, to: &str) -> Result<()> {
        self.conn
            .execute_batch("COMMIT; BEGIN IMMEDIATE; CREATE TABLE moved_to (place TEXT NOT NULL) STRICT")?;
        self.conn.execute("INSERT INTO moved_to VALUES (?1)", [to])?;
        self.conn.execute_batch("COMMIT")?;
        Ok(())
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(value) => Self::Int(value),
            // No column holds one.
            ValueRef::Real(value) => Self::Text(value.to_string()),
            ValueRef::Text(text) => Self::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => Self::Bytes(bytes.to_vec()),
        }
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

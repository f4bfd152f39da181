//! One end of a move: rows of a file as both engines have them, read in pages and written in order.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, OptionalExtension, ToSql, params, params_from_iter};

use super::failure::Result;
use super::lock::{self, Lock};
use super::{DATABASE, Engine, Shared, readers, schema, secrets};
use crate::messages::{MOST_ENTRIES, key, number};
use crate::moving::{
    Change, End as AnyEnd, Of, PAGE_BYTES, PAGE_ROWS, Page, Reached, Row, Server, TABLES, Table, Value,
};
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
    /// Keeps the log of a store that serves from being written back over what is viewed.
    pin: Option<Pin>,
}

struct Pin(Arc<Shared>);

impl Pin {
    fn on(shared: &Arc<Shared>) -> Self {
        shared.log.pins.fetch_add(1, Ordering::AcqRel);
        Self(shared.clone())
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.0.log.pins.fetch_sub(1, Ordering::AcqRel);
    }
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
        Ok(Self::over(conn, lock))
    }

    fn over(conn: Connection, lock: Option<Lock>) -> Self {
        Self { conn, _lock: lock, known: (0, 0, 0), pin: None }
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
            Ok(true) => Ok(Self::over(conn, lock)),
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

    /// What there is besides portals.
    pub(crate) fn server(&self) -> Result<Server> {
        let sql = "SELECT next_portal, next_app, next_channel FROM server WHERE only_row = 1";
        let next = self.conn.query_row(sql, [], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?;
        let (key_check, signing_keys) = secrets::stored(&self.conn)?;
        Ok(Server { next, key_check, signing_keys })
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

    /// Rows of a portal by their keys, in any order.
    pub(crate) fn find(&self, table: &Table, portal: i64, keys: &[Vec<Value>]) -> Result<Vec<Row>> {
        let mut page = Page::default();
        let sql = format!("SELECT {} FROM {}{}", table.names().join(", "), table.name, by_key(table));
        for key in keys {
            let Some(own) = self.own_key(table, portal, key)? else { continue };
            let id = key.first().map_or(0, Value::int);
            let renamed = |mut row: Row| {
                if table.thread == Of::Entry {
                    row[0] = Value::Int(id);
                }
                row
            };
            let owner = Value::Int(portal);
            let values = (table.name != "originals").then_some(&owner);
            self.read(&sql, &mut values.into_iter().chain(&own), table, renamed, &mut page)?;
        }
        Ok(page.rows)
    }

    /// A key as it is in this file; nothing where the thread it belongs to is not there.
    fn own_key(&self, table: &Table, portal: i64, key: &[Value]) -> Result<Option<Vec<Value>>> {
        let mut own = key.to_vec();
        if table.thread == Of::Entry {
            let at = key.first().map_or(0, Value::int);
            let sql = match self.conn.query_row(schema::HAS_TABLE, ["move_numbers"], |row| row.get(0))? {
                0 => {
                    "SELECT number FROM threads WHERE portal_id = ?1 AND id = ?2 UNION ALL \
                     SELECT number FROM purges WHERE portal_id = ?1 AND thread_id = ?2 LIMIT 1"
                }
                _ => "SELECT number FROM move_numbers WHERE portal_id = ?1 AND thread_id = ?2",
            };
            let found = self.conn.prepare_cached(sql)?.query_row([portal, number(at)], |row| row.get(0));
            let Some(thread) = found.optional()? else { return Ok(None) };
            own[0] = Value::Int(crate::messages::key(thread, at % MOST_ENTRIES));
        }
        Ok(Some(own))
    }

    /// Puts rows into the places of those with these keys.
    pub(crate) fn replace(
        &mut self,
        table: &Table,
        portal: i64,
        keys: &[Vec<Value>],
        rows: &[Row],
    ) -> Result<()> {
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        let replaced = self.delete(table, portal, keys).and_then(|()| self.insert(table, portal, rows));
        self.conn.execute_batch(if replaced.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        replaced
    }

    fn delete(&self, table: &Table, portal: i64, keys: &[Vec<Value>]) -> Result<()> {
        let sql = format!("DELETE FROM {}{}", table.name, by_key(table));
        for key in keys {
            let Some(own) = self.own_key(table, portal, key)? else { continue };
            let owner = Value::Int(portal);
            let values = (table.name != "originals").then_some(&owner);
            self.conn.prepare_cached(&sql)?.execute(params_from_iter(values.into_iter().chain(&own)))?;
        }
        Ok(())
    }

    /// Takes everything out again that an earlier move brought: while a store serves, it begins anew.
    pub(crate) fn clear(&mut self) -> Result<()> {
        let tables = TABLES.iter().map(|table| table.name).chain(["move_progress", "move_numbers"]);
        let sql: Vec<String> = tables.map(|name| format!("DELETE FROM {name};")).collect();
        Ok(self.conn.execute_batch(&format!("BEGIN; {} COMMIT", sql.join(" ")))?)
    }

    /// Makes a store of what was written. From now on it can be opened.
    pub(crate) fn finish(&mut self, server: Server) -> Result<()> {
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        let sql = "UPDATE server SET next_portal = ?1, next_app = ?2, next_channel = ?3";
        self.conn.execute(sql, server.next)?;
        secrets::store(&self.conn, server.key_check.as_deref(), &server.signing_keys)?;
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

/// The condition that names one row.
fn by_key(table: &Table) -> String {
    let owner = (table.name != "originals").then_some(table.owner);
    let columns: Vec<String> =
        owner.into_iter().chain(table.keys()).map(|name| format!("{name} = ?")).collect();
    format!(" WHERE {}", columns.join(" AND "))
}

/// Where the keys of what is written are noted during a move.
const NOTES: &str = "CREATE TABLE moved_changes (seq INTEGER PRIMARY KEY, name TEXT NOT NULL, portal_id INTEGER, \
     k1 ANY, k2 ANY, k3 ANY) STRICT;";

/// Triggers of the writer's own connection that note every row it writes. They go with it.
fn triggers() -> String {
    let mut sql = String::new();
    // Counters move with every change, and are carried over once at the end.
    for table in TABLES.iter().filter(|table| table.name != "counters") {
        for (event, row) in [("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")] {
            let mut values: Vec<String> =
                table.keys().iter().map(|column| format!("{row}.{column}")).collect();
            let mut owner = format!("{row}.{}", table.owner);
            if table.thread == Of::Entry {
                let thread = |column: &str, of_purges: &str| {
                    format!(
                        "coalesce((SELECT {column} FROM threads WHERE number = {row}.{key} >> 24), \
                         (SELECT {of_purges} FROM purges WHERE number = {row}.{key} >> 24))",
                        key = table.keys()[0]
                    )
                };
                // An entry is written before its thread: whose it is, is asked when the note is read. When it is deleted,
                // that is the last chance.
                owner = if event == "DELETE" { thread("portal_id", "portal_id") } else { "NULL".into() };
                if event == "DELETE" {
                    values[0] = format!("{} << 24 | ({} & 16777215)", thread("id", "thread_id"), values[0]);
                }
            }
            values.resize(3, "NULL".into());
            sql += &format!(
                "CREATE TEMP TRIGGER moved_{name}_{event} AFTER {event} ON main.{name} BEGIN \
                 INSERT INTO moved_changes (name, portal_id, k1, k2, k3) VALUES ('{name}', {owner}, {}); END;",
                values.join(", "),
                name = table.name
            );
        }
    }
    sql
}

/// What a move asks of a store that serves.
impl Engine {
    pub(crate) async fn movable(&self) -> super::Answer<()> {
        Ok(())
    }

    /// From now on the key of every row that is written is noted.
    pub(crate) async fn watch(&self) -> super::Answer<()> {
        self.unwatch().await?;
        self.execute(format!("{NOTES} {}", triggers())).await
    }

    pub(crate) async fn unwatch(&self) -> super::Answer<()> {
        let names =
            TABLES.iter().flat_map(|table| ["INSERT", "UPDATE", "DELETE"].map(|event| (table.name, event)));
        let mut sql: String =
            names.map(|(name, event)| format!("DROP TRIGGER IF EXISTS temp.moved_{name}_{event};")).collect();
        sql += "DROP TABLE IF EXISTS moved_changes;";
        self.execute(sql).await
    }

    /// Has the writer run statements in a transaction of its own or with others.
    async fn execute(&self, sql: String) -> super::Answer<()> {
        let run = move |batch: &mut super::batch::Batch<'_>| {
            batch.written = true;
            Ok(batch.conn.execute_batch(&sql)?)
        };
        self.submit(run).await
    }

    /// The store as it is at one moment.
    pub(crate) async fn view(&self) -> super::Answer<AnyEnd> {
        let pin = Pin::on(&self.shared);
        let mut end = End::viewing(self.shared.readers.open()?, None)?;
        end.pin = Some(pin);
        Ok(AnyEnd::Sqlite(end))
    }

    /// The store as it is whenever it is asked.
    pub(crate) async fn latest(&self) -> super::Answer<AnyEnd> {
        Ok(AnyEnd::Sqlite(End::over(self.shared.readers.open()?, None)))
    }

    /// What was noted first.
    pub(crate) async fn noted(&self, limit: usize) -> super::Answer<Vec<Change>> {
        self.read(|conn| {
            let sql = "SELECT seq, name, portal_id, k1, k2, k3 FROM moved_changes ORDER BY seq LIMIT ?1";
            let mut sql = conn.prepare(sql)?;
            let mut rows = sql.query([limit as i64])?;
            let mut changes = Vec::new();
            while let Some(row) = rows.next()? {
                let (seq, name): (i64, String) = (row.get(0)?, row.get(1)?);
                let mut portal: Option<i64> = row.get(2)?;
                let Some(table) = TABLES.iter().find(|table| table.name == name) else { continue };
                let mut key = (0..table.key)
                    .map(|at| Ok(Value::from(row.get_ref(at + 3)?)))
                    .collect::<Result<Vec<_>>>()?;
                if table.thread == Of::Entry && portal.is_none() {
                    let sql = "SELECT portal_id, id FROM threads WHERE number = ?1 UNION ALL \
                               SELECT portal_id, thread_id FROM purges WHERE number = ?1 LIMIT 1";
                    let at = key[0].int();
                    let thread: Option<(i64, i64)> = conn
                        .prepare_cached(sql)?
                        .query_row([number(at)], |row| Ok((row.get(0)?, row.get(1)?)))
                        .optional()?;
                    if let Some((owner, id)) = thread {
                        portal = Some(owner);
                        key[0] = Value::Int(crate::messages::key(id, at % MOST_ENTRIES));
                    }
                }
                // Whatever has no thread any more was deleted, and that is noted too.
                changes.push(Change { seq, row: portal.map(|portal| (table, portal, key)) });
            }
            Ok(changes)
        })
    }

    /// How many notes there are, or were made meanwhile.
    pub(crate) async fn backlog(&self) -> super::Answer<u64> {
        let sql = "SELECT coalesce(max(seq) - min(seq) + 1, 0) FROM moved_changes";
        let count = self.read(|conn| Ok(conn.query_row(sql, [], |row| row.get::<_, i64>(0))?))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    pub(crate) async fn forget(&self, seqs: Vec<i64>) -> super::Answer<()> {
        let last = seqs.last().copied().unwrap_or_default();
        self.execute(format!("DELETE FROM moved_changes WHERE seq <= {last}")).await
    }

    /// Events have their positions already.
    pub(crate) async fn settle(&self) -> super::Answer<()> {
        Ok(())
    }

    /// Notes where the store went, so that it is not opened by mistake.
    pub(crate) async fn leave(&self, to: String) -> super::Answer<()> {
        self.unwatch().await?;
        let note = move |batch: &mut super::batch::Batch<'_>| {
            batch.written = true;
            batch.conn.execute_batch("CREATE TABLE moved_to (place TEXT NOT NULL) STRICT")?;
            batch.conn.execute("INSERT INTO moved_to VALUES (?1)", [&to])?;
            Ok(())
        };
        self.submit(note).await
    }

    /// Sends those away who wait for events or hold leases. Whoever is reading reads on.
    pub(crate) async fn retire(&self) {
        self.shared.listeners.close();
        self.leases.close();
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

//! Files, folders, bytes and tasks.

use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::batch::Batch;
use super::failure::Result;
use super::{Answer, Engine};
use crate::files::{EXAMINED, Gallop, Given, Leaf, Run, Statement, fold, numbered, walk};
use crate::messages::number;
use crate::*;

const FILE: &str = "id, name, extension, media_type, size, url, access, folder_id, blob, md5, encoding, width, height, \
                    usable, source, created_at, updated_at, archived_at, expires_at, erased_at";

const FOLDER: &str = "id, parent_id, name, created_at, updated_at, archived_at";

const BLOB: &str = "sha, object, size, tombstone_at";

const TASK: &str =
    "id, kind, status, body, requested_at, started_at, completed_at, leased_until, object_id, errors";

fn file(row: &Row<'_>) -> Result<File> {
    Ok(File {
        id: row.get(0)?,
        name: row.get(1)?,
        extension: row.get(2)?,
        media_type: row.get(3)?,
        size: row.get(4)?,
        url: row.get(5)?,
        access: Access::stored(row.get(6)?)?,
        folder: row.get(7)?,
        blob: row.get(8)?,
        md5: row.get(9)?,
        encoding: row.get(10)?,
        width: row.get(11)?,
        height: row.get(12)?,
        usable: row.get(13)?,
        conversational: row.get::<_, i64>(14)? == 2,
        created_at: row.get(15)?,
        updated_at: row.get(16)?,
        archived_at: row.get(17)?,
        expires_at: row.get(18)?,
        erased_at: row.get(19)?,
    })
}

fn folder(row: &Row<'_>) -> Result<Folder> {
    Ok(Folder {
        id: row.get(0)?,
        parent: row.get(1)?,
        name: row.get(2)?,
        created_at: row.get(3)?,
        updated_at: row.get(4)?,
        archived_at: row.get(5)?,
    })
}

fn blob(row: &Row<'_>) -> Result<Blob> {
    Ok(Blob { sha: row.get(0)?, object: row.get(1)?, size: row.get(2)?, tombstone_at: row.get(3)? })
}

fn task(row: &Row<'_>) -> Result<FileTask> {
    let (id, body, errors) = (row.get(0)?, row.get(3)?, row.get(9)?);
    let (requested_at, started_at, completed_at) = (row.get(4)?, row.get(5)?, row.get(6)?);
    let (leased_until, object) = (row.get(7)?, row.get(8)?);
    Ok(FileTask::stored((row.get(1)?, row.get(2)?), |kind, status| FileTask {
        id,
        kind,
        status,
        body,
        requested_at,
        started_at,
        completed_at,
        leased_until,
        object,
        errors,
    })?)
}

fn all<T>(
    conn: &Connection,
    sql: &str,
    values: &[&dyn ToSql],
    read: fn(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut sql = conn.prepare_cached(sql)?;
    let mut rows = sql.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

fn first<T>(
    conn: &Connection,
    sql: &str,
    values: &[&dyn ToSql],
    read: fn(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    Ok(all(conn, sql, values, read)?.pop())
}

pub(super) fn by_ids(conn: &Connection, portal: PortalId, ids: &[i64]) -> Result<Vec<File>> {
    let sql = format!("SELECT {FILE} FROM files WHERE portal_id = ?1 AND id = ?2");
    ids.iter().filter_map(|id| first(conn, &sql, &[&portal.0, id], file).transpose()).collect()
}

/// The newest file that is hosted at a URL.
pub(super) fn by_url(conn: &Connection, portal: PortalId, url: &str) -> Result<Option<File>> {
    let sql = format!("SELECT {FILE} FROM files WHERE portal_id = ?1 AND url = ?2 ORDER BY id DESC LIMIT 1");
    first(conn, &sql, &[&portal.0, &url], file)
}

fn by_name(conn: &Connection, portal: PortalId, folder: i64, name: &str) -> Result<Option<File>> {
    let sql = format!(
        "SELECT {FILE} FROM files WHERE portal_id = ?1 AND folder_id = ?2 AND name = ?3 AND blob IS NOT NULL \
         AND archived_at IS NULL ORDER BY id LIMIT 1"
    );
    first(conn, &sql, &[&portal.0, &folder, &name], file)
}

fn by_content(
    conn: &Connection,
    portal: PortalId,
    (md5, size): (&str, i64),
    folder: Option<i64>,
) -> Result<Option<File>> {
    let here = if folder.is_some() { "AND folder_id = ?4" } else { "AND ?4 IS NULL" };
    let sql = format!(
        "SELECT {FILE} FROM files WHERE portal_id = ?1 AND md5 = ?2 AND size = ?3 {here} AND md5 IS NOT NULL \
         AND archived_at IS NULL ORDER BY id DESC LIMIT 1"
    );
    first(conn, &sql, &[&portal.0, &md5, &size, &folder], file)
}

fn folder_by_id(conn: &Connection, portal: PortalId, id: i64) -> Result<Option<Folder>> {
    let sql = format!("SELECT {FOLDER} FROM folders WHERE portal_id = ?1 AND id = ?2");
    first(conn, &sql, &[&portal.0, &id], folder)
}

fn folder_in(conn: &Connection, portal: PortalId, parent: i64, name: &str) -> Result<Option<Folder>> {
    let sql = format!(
        "SELECT {FOLDER} FROM folders WHERE portal_id = ?1 AND parent_id = ?2 AND name = ?3 AND archived_at IS NULL"
    );
    first(conn, &sql, &[&portal.0, &parent, &name], folder)
}

/// A folder with those it is in, the outermost first; nothing when one of them is not there.
fn chain(conn: &Connection, portal: PortalId, id: i64) -> Result<Vec<Folder>> {
    way(conn, portal, id, true)
}

/// The same, of live folders or of any.
fn way(conn: &Connection, portal: PortalId, id: i64, live: bool) -> Result<Vec<Folder>> {
    let (mut chain, mut next) = (Vec::new(), id);
    while next != 0 {
        let folder = folder_by_id(conn, portal, next)?;
        let Some(folder) = folder.filter(|folder| !live || folder.archived_at.is_none()) else {
            return Ok(Vec::new());
        };
        next = folder.parent;
        chain.push(folder);
    }
    chain.reverse();
    Ok(chain)
}

fn descent(conn: &Connection, portal: PortalId, names: &[String]) -> Result<Vec<Folder>> {
    let mut found: Vec<Folder> = Vec::new();
    for name in names {
        match folder_in(conn, portal, found.last().map_or(0, |folder| folder.id), name)? {
            Some(folder) => found.push(folder),
            None => break,
        }
    }
    Ok(found)
}

fn blob_by_sha(conn: &Connection, portal: PortalId, sha: &Sha) -> Result<Option<Blob>> {
    let sql = format!("SELECT {BLOB} FROM blobs WHERE portal_id = ?1 AND sha = ?2");
    first(conn, &sql, &[&portal.0, sha], blob)
}

fn task_by_id(conn: &Connection, portal: PortalId, id: &str) -> Result<Option<FileTask>> {
    let sql = format!("SELECT {TASK} FROM file_tasks WHERE portal_id = ?1 AND id = ?2");
    first(conn, &sql, &[&portal.0, &id], task)
}

/// How many folders are one in another here; `None` if too many would have to be looked at.
pub(super) fn levels(conn: &Connection, portal: PortalId, id: i64) -> Result<Option<usize>> {
    let sql =
        "SELECT id FROM folders WHERE portal_id = ?1 AND parent_id = ?2 AND archived_at IS NULL LIMIT ?3";
    let mut sql = conn.prepare_cached(sql)?;
    let (mut levels, mut seen, mut outer) = (1, 1, vec![id]);
    while levels <= Folder::DEEPEST {
        let mut inner = Vec::new();
        for parent in outer {
            let found = sql.query_map([portal.0, parent, EXAMINED + 1 - seen], |row| row.get::<_, i64>(0))?;
            let before = inner.len();
            inner.extend(found.collect::<rusqlite::Result<Vec<_>>>()?);
            seen += (inner.len() - before) as i64;
            if seen > EXAMINED {
                return Ok(None);
            }
        }
        if inner.is_empty() {
            break;
        }
        levels += 1;
        outer = inner;
    }
    Ok(Some(levels))
}

/// What there is of what a key names.
pub(super) fn state(conn: &Connection, portal: PortalId, key: &FileKey) -> Result<FileState> {
    let mut state = FileState::default();
    if let Some(id) = key.file {
        state.file = by_ids(conn, portal, &[id])?.pop();
    }
    if let Some(id) = key.subject {
        state.subject = folder_by_id(conn, portal, id)?.filter(|folder| folder.archived_at.is_none());
    }
    let own = state.file.as_ref().map(|file| file.folder);
    let own = own.or(state.subject.as_ref().map(|folder| folder.parent)).unwrap_or_default();
    match &key.path {
        Some(names) => {
            state.folders = descent(conn, portal, names)?;
            state.placed = state.folders.len() == names.len();
        }
        None => {
            let id = key.folder.unwrap_or(own);
            state.folders = chain(conn, portal, id)?;
            state.placed = id == 0 || !state.folders.is_empty();
        }
    }
    if let Some(subject) = &state.subject {
        state.outer = match key.folder {
            Some(_) => chain(conn, portal, subject.parent)?.len(),
            None => state.folders.len(),
        };
        state.levels = match state.outer < state.folders.len() {
            true => levels(conn, portal, subject.id)?,
            false => Some(1),
        };
    }
    let place = state.placed.then(|| state.folders.last().map_or(0, |folder| folder.id));
    if let Some((place, (stem, extension))) = place.zip(key.name.as_ref()) {
        state.same_name = by_name(conn, portal, place, &numbered(stem, extension, 0))?;
        if state.same_name.is_some() {
            let mut gallop = Gallop::new();
            while let Some(n) = gallop.ask() {
                gallop.told(n, by_name(conn, portal, place, &numbered(stem, extension, n))?.is_some());
            }
            state.free = gallop.free();
        }
        state.same_folder = folder_in(conn, portal, place, &numbered(stem, extension, 0))?;
    }
    if let Some((md5, size)) = &key.content {
        state.same_content = by_content(conn, portal, (md5, *size), None)?;
        if let Some(place) = place {
            state.same_content_here = by_content(conn, portal, (md5, *size), Some(place))?;
        }
    }
    if let Some(sha) = &key.blob {
        state.blob = blob_by_sha(conn, portal, sha)?;
    }
    if let Some(id) = &key.task {
        state.task = task_by_id(conn, portal, id)?;
    }
    Ok(state)
}

/// Gives bytes a tombstone that no file has any more.
fn settle(conn: &Connection, portal: PortalId, sha: Option<Sha>, now: Millis) -> Result<()> {
    let Some(sha) = sha else { return Ok(()) };
    let sql = "UPDATE blobs SET tombstone_at = ?3 WHERE portal_id = ?1 AND sha = ?2 AND tombstone_at IS NULL \
               AND NOT EXISTS (SELECT 1 FROM files WHERE portal_id = ?1 AND blob = ?2)";
    conn.prepare_cached(sql)?.execute(params![portal.0, sha, now])?;
    Ok(())
}

fn blob_of(conn: &Connection, portal: PortalId, id: i64) -> Result<Option<Sha>> {
    let sql = "SELECT blob FROM files WHERE portal_id = ?1 AND id = ?2";
    let found = conn.prepare_cached(sql)?.query_row([portal.0, id], |row| row.get(0)).optional()?;
    Ok(found.flatten())
}

/// Writes a file; its new revision.
pub(super) fn put(conn: &Connection, portal: PortalId, file: &File, now: Millis) -> Result<i64> {
    let before = blob_of(conn, portal, file.id)?;
    let sql = "INSERT INTO files (portal_id, id, name, extension, media_type, size, url, access, folder_id, blob, md5, \
               encoding, width, height, usable, source, created_at, updated_at, archived_at, expires_at, erased_at, listed, \
               name_key, revision) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, \
               ?20, ?21, ?22, ?23, 1) ON CONFLICT (portal_id, id) DO UPDATE SET name = ?3, extension = ?4, media_type = ?5, size = ?6, \
               url = ?7, access = ?8, folder_id = ?9, blob = ?10, md5 = ?11, encoding = ?12, width = ?13, height = ?14, \
               usable = ?15, source = ?16, updated_at = ?18, archived_at = ?19, expires_at = ?20, erased_at = ?21, \
               listed = ?22, name_key = ?23, revision = revision + 1 RETURNING revision";
    let values = params![
        portal.0,
        file.id,
        file.name,
        file.extension,
        file.media_type,
        file.size,
        file.url,
        file.access as u8,
        file.folder,
        file.blob,
        file.md5,
        file.encoding,
        file.width,
        file.height,
        file.usable,
        if file.conversational { 2 } else { 1 },
        file.created_at,
        file.updated_at,
        file.archived_at,
        file.expires_at,
        file.erased_at,
        file.is_listed(),
        fold(&file.name)
    ];
    let revision = conn.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
    if before != file.blob {
        settle(conn, portal, before, now)?;
    }
    if let Some(sha) = file.blob {
        let sql =
            "UPDATE blobs SET tombstone_at = NULL WHERE portal_id = ?1 AND sha = ?2 AND tombstone_at > 0";
        conn.prepare_cached(sql)?.execute(params![portal.0, sha])?;
    }
    Ok(revision)
}

/// What a change does with everything else about files.
pub(super) fn write(conn: &Connection, portal: PortalId, changes: &Changes) -> Result<()> {
    for folder in &changes.folders {
        let sql = "INSERT INTO folders VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (portal_id, id) DO UPDATE SET \
                   parent_id = ?3, name = ?4, updated_at = ?6, archived_at = ?7, name_key = ?8";
        let Folder { id, parent, name, created_at, updated_at, archived_at } = folder;
        conn.prepare_cached(sql)?.execute(params![
            portal.0,
            id,
            parent,
            name,
            created_at,
            updated_at,
            archived_at,
            fold(name)
        ])?;
    }
    for blob in &changes.blobs {
        let sql = "INSERT INTO blobs VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (portal_id, sha) DO UPDATE SET \
                   object = ?3, size = ?4, tombstone_at = ?5";
        let Blob { sha, object, size, tombstone_at } = blob;
        conn.prepare_cached(sql)?.execute(params![portal.0, sha, object, size, tombstone_at])?;
    }
    for task in &changes.file_tasks {
        let sql = "INSERT OR REPLACE INTO file_tasks VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        conn.prepare_cached(sql)?.execute(params![
            portal.0,
            task.id,
            task.kind as u8,
            task.status as u8,
            task.body,
            task.requested_at,
            task.started_at,
            task.completed_at,
            task.leased_until,
            task.object,
            task.errors
        ])?;
    }
    Ok(())
}

fn doom(
    batch: &mut Batch<'_>,
    portal: PortalId,
    before: Millis,
    only: Option<Sha>,
    limit: usize,
) -> Result<Vec<Blob>> {
    let which = if only.is_some() { "AND sha = ?3" } else { "AND ?3 IS NULL" };
    let sql = format!(
        "UPDATE blobs SET tombstone_at = 0 WHERE portal_id = ?1 AND sha IN (SELECT sha FROM blobs b WHERE portal_id = ?1 \
         AND tombstone_at <= ?2 AND tombstone_at IS NOT NULL {which} AND NOT EXISTS \
         (SELECT 1 FROM files f WHERE f.portal_id = ?1 AND f.blob = b.sha) LIMIT ?4) RETURNING {BLOB}"
    );
    batch.written = true;
    all(batch.conn, &sql, &[&portal.0, &before, &only, &(limit as i64)], blob)
}

fn forget(batch: &mut Batch<'_>, portal: PortalId, objects: &[String]) -> Result<()> {
    batch.written = true;
    for object in objects {
        let sql = "DELETE FROM blobs WHERE portal_id = ?1 AND object = ?2 AND tombstone_at = 0";
        batch.conn.prepare_cached(sql)?.execute(params![portal.0, object])?;
    }
    Ok(())
}

fn tidy(batch: &mut Batch<'_>, portal: PortalId, tidy: &FileTidy) -> Result<u64> {
    let (conn, limit) = (batch.conn, tidy.limit as i64);
    batch.written = true;
    let sql = format!(
        "SELECT {FILE} FROM files WHERE portal_id = ?1 AND archived_at < ?2 AND archived_at IS NOT NULL \
         AND blob IS NOT NULL LIMIT ?3"
    );
    let bare = all(conn, &sql, &[&portal.0, &tidy.archived_before, &limit], file)?;
    let mut done = bare.len() as u64;
    for file in bare {
        put(conn, portal, &File { blob: None, ..file }, tidy.now)?;
    }
    for table in ["files", "folders"] {
        let sql = format!("SELECT id, name FROM {table} WHERE portal_id = ?1 AND name_key IS NULL LIMIT ?2");
        let unnamed = all(conn, &sql, &[&portal.0, &limit], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        done += unnamed.len() as u64;
        for (id, name) in unnamed {
            let sql = format!("UPDATE {table} SET name_key = ?3 WHERE portal_id = ?1 AND id = ?2");
            conn.prepare_cached(&sql)?.execute(params![portal.0, id, fold(&name)])?;
        }
    }
    let sql = "DELETE FROM files WHERE portal_id = ?1 AND id IN (SELECT id FROM files WHERE portal_id = ?1 \
               AND erased_at < ?2 AND erased_at IS NOT NULL LIMIT ?3)";
    done += conn.prepare_cached(sql)?.execute([portal.0, tidy.erased_before, limit])? as u64;
    let sql = "DELETE FROM file_tasks WHERE portal_id = ?1 AND id IN (SELECT id FROM file_tasks WHERE portal_id = ?1 \
               AND requested_at < ?2 LIMIT ?3)";
    done += conn.prepare_cached(sql)?.execute([portal.0, tidy.tasks_before, limit])? as u64;
    Ok(done)
}

fn asked<T>(
    conn: &Connection,
    statement: &Statement,
    mut read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let boxed = |value: &Given| -> Box<dyn ToSql> {
        match value {
            Given::Int(n) => Box::new(*n),
            Given::Text(text) => Box::new(text.clone()),
            Given::Bool(flag) => Box::new(*flag),
        }
    };
    let mut sql = conn.prepare(&statement.sql)?;
    let mut rows = sql.query(params_from_iter(statement.given.iter().map(boxed)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// What lists are of, and how it is read.
pub(super) trait Kept: Leaf {
    const COLUMNS: &str;

    fn of(row: &Row<'_>) -> Result<Self>;
}

impl Kept for File {
    const COLUMNS: &str = FILE;

    fn of(row: &Row<'_>) -> Result<Self> {
        file(row)
    }
}

impl Kept for Folder {
    const COLUMNS: &str = FOLDER;

    fn of(row: &Row<'_>) -> Result<Self> {
        folder(row)
    }
}

pub(super) fn page<T: Kept>(
    conn: &Connection,
    portal: PortalId,
    list: &FileList,
) -> Result<(Vec<T>, Option<FileSpot>)> {
    let mut found = asked(conn, &list.page::<T>(portal.0, T::COLUMNS, '?'), T::of)?;
    if let Some(end) = list.cut(&mut found) {
        return Ok((found, Some(end)));
    }
    let horizon = asked(conn, &list.horizon::<T>(portal.0, '?'), |row| {
        let (mut number, mut name) = (0, String::new());
        match list.by_name() {
            true => name = row.get(0)?,
            false => number = row.get(0)?,
        }
        Ok(FileSpot { number, name, id: row.get(1)? })
    })?;
    Ok((found, horizon.into_iter().next()))
}

pub(super) fn run<T: Kept>(
    conn: &Connection,
    portal: PortalId,
    list: &FileList,
    run: &Run,
) -> Result<Vec<(T, bool)>> {
    asked(conn, &list.run::<T>(portal.0, run, T::COLUMNS, '?'), |row| {
        let wanted: Option<bool> = row.get("wanted")?;
        Ok((T::of(row)?, wanted == Some(true)))
    })
}

pub(super) fn branch(
    conn: &Connection,
    portal: PortalId,
    list: &FileList,
    run: &Run,
) -> Result<Option<Folder>> {
    Ok(asked(conn, &list.branch(portal.0, run, FOLDER, '?'), folder)?.pop())
}

/// A portal's folders, to be walked through.
struct Ground<'a>(&'a Engine, PortalId);

impl<T: Kept> walk::Ground<T> for Ground<'_> {
    async fn run(&self, list: &FileList, next: &Run) -> Answer<Vec<(T, bool)>> {
        self.0.read(|conn| run(conn, self.1, list, next))
    }

    async fn branch(&self, list: &FileList, next: &Run) -> Answer<Option<Folder>> {
        self.0.read(|conn| branch(conn, self.1, list, next))
    }

    async fn way(&self, folder: i64) -> Answer<Vec<Folder>> {
        self.0.read(|conn| way(conn, self.1, folder, false))
    }
}

impl Engine {
    pub(crate) fn files_by_ids(&self, portal: PortalId, ids: &[i64]) -> Answer<Vec<File>> {
        self.read(|conn| by_ids(conn, portal, ids))
    }

    pub(crate) fn file_by_url(&self, portal: PortalId, url: &str) -> Answer<Option<File>> {
        self.read(|conn| by_url(conn, portal, url))
    }

    pub(crate) fn file_state(&self, portal: PortalId, key: &FileKey) -> Answer<FileState> {
        self.read(|conn| state(conn, portal, key))
    }

    pub(crate) fn folder_chain(&self, portal: PortalId, id: i64) -> Answer<Vec<Folder>> {
        self.read(|conn| chain(conn, portal, id))
    }

    pub(crate) fn folders_in(&self, portal: PortalId, parents: &[i64], limit: usize) -> Answer<Vec<Folder>> {
        let sql = format!(
            "SELECT {FOLDER} FROM folders WHERE portal_id = ?1 AND parent_id = ?2 AND archived_at IS NULL LIMIT ?3"
        );
        self.read(|conn| {
            let mut found = Vec::new();
            for parent in parents {
                let left = limit.saturating_sub(found.len()) as i64;
                found.extend(all(conn, &sql, &[&portal.0, parent, &left], folder)?);
            }
            Ok(found)
        })
    }

    pub(crate) fn files_in(&self, portal: PortalId, folder: i64, limit: usize) -> Answer<Vec<File>> {
        let sql = format!(
            "SELECT {FILE} FROM files WHERE portal_id = ?1 AND folder_id = ?2 AND blob IS NOT NULL \
             AND archived_at IS NULL LIMIT ?3"
        );
        self.read(|conn| all(conn, &sql, &[&portal.0, &folder, &(limit as i64)], file))
    }

    pub(crate) async fn files(
        &self,
        portal: PortalId,
        list: &FileList,
    ) -> Answer<(Vec<File>, Option<FileSpot>)> {
        match list.is_walked() {
            true => walk::page(&Ground(self, portal), list).await,
            false => self.read(|conn| page(conn, portal, list)),
        }
    }

    pub(crate) async fn folders(
        &self,
        portal: PortalId,
        list: &FileList,
    ) -> Answer<(Vec<Folder>, Option<FileSpot>)> {
        match list.is_walked() {
            true => walk::page(&Ground(self, portal), list).await,
            false => self.read(|conn| page(conn, portal, list)),
        }
    }

    pub(crate) fn blob_by_sha(&self, portal: PortalId, sha: &Sha) -> Answer<Option<Blob>> {
        self.read(|conn| blob_by_sha(conn, portal, sha))
    }

    pub(crate) fn blobs(&self, portal: PortalId, after: Option<Sha>, limit: usize) -> Answer<Vec<Blob>> {
        let sql = format!(
            "SELECT {BLOB} FROM blobs WHERE portal_id = ?1 AND sha > coalesce(?2, x'') ORDER BY sha LIMIT ?3"
        );
        self.read(|conn| all(conn, &sql, &[&portal.0, &after, &(limit as i64)], blob))
    }

    pub(crate) fn objects_known(&self, portal: PortalId, objects: &[String]) -> Answer<Vec<String>> {
        self.read(|conn| {
            let sql = "SELECT object FROM blobs WHERE portal_id = ?1 AND object = ?2";
            let found = |object: &String| first(conn, sql, &[&portal.0, object], |row| Ok(row.get(0)?));
            objects.iter().filter_map(|object| found(object).transpose()).collect()
        })
    }

    pub(crate) fn file_task(&self, portal: PortalId, id: &str) -> Answer<Option<FileTask>> {
        self.read(|conn| task_by_id(conn, portal, id))
    }

    pub(crate) fn file_tasks_due(
        &self,
        portal: PortalId,
        machine: Millis,
        limit: usize,
    ) -> Answer<Vec<FileTask>> {
        let sql = format!(
            "SELECT {TASK} FROM file_tasks WHERE portal_id = ?1 AND leased_until < ?2 AND status < 3 LIMIT ?3"
        );
        self.read(|conn| all(conn, &sql, &[&portal.0, &machine, &(limit as i64)], task))
    }

    pub(crate) fn files_expired(&self, portal: PortalId, now: Millis, limit: usize) -> Answer<Vec<i64>> {
        let sql = "SELECT id FROM files WHERE portal_id = ?1 AND expires_at <= ?2 AND expires_at IS NOT NULL \
                   AND archived_at IS NULL LIMIT ?3";
        self.read(|conn| all(conn, sql, &[&portal.0, &now, &(limit as i64)], |row| Ok(row.get(0)?)))
    }

    pub(crate) fn files_erased(&self, portal: PortalId, limit: usize) -> Answer<Vec<i64>> {
        let sql = "SELECT id FROM files WHERE portal_id = ?1 AND erased_at IS NOT NULL LIMIT ?2";
        self.read(|conn| all(conn, sql, &[&portal.0, &(limit as i64)], |row| Ok(row.get(0)?)))
    }

    pub(crate) fn file_mentions(
        &self,
        portal: PortalId,
        id: i64,
        after: i64,
        limit: usize,
    ) -> Answer<Vec<FileMention>> {
        let sql = "SELECT m.key, m.id FROM mentions n JOIN messages m ON m.key = n.message \
                   WHERE n.portal_id = ?1 AND n.kind = 4 AND n.object_id = ?2 AND n.message > ?3 \
                   ORDER BY n.message LIMIT ?4";
        self.read(|conn| {
            let mut found = Vec::new();
            for (key, message) in all(conn, sql, &[&portal.0, &id, &after, &(limit as i64)], |row| {
                Ok((row.get::<_, i64>(0)?, MessageId(row.get(1)?)))
            })? {
                if let Some(thread) = super::threads::id_of_number(conn, portal, number(key))? {
                    found.push(FileMention { place: key, thread, message });
                }
            }
            Ok(found)
        })
    }

    pub(crate) async fn blobs_doom(
        &self,
        portal: PortalId,
        before: Millis,
        only: Option<Sha>,
        limit: usize,
    ) -> Answer<Vec<Blob>> {
        self.submit(move |batch| doom(batch, portal, before, only, limit)).await
    }

    pub(crate) async fn blobs_forget(&self, portal: PortalId, objects: Vec<String>) -> Answer<()> {
        self.submit(move |batch| forget(batch, portal, &objects)).await
    }

    pub(crate) async fn files_tidy(&self, portal: PortalId, what: FileTidy) -> Answer<u64> {
        self.submit(move |batch| tidy(batch, portal, &what)).await
    }
}

//! Files, folders, bytes and tasks.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::connect::answered;
use super::failure::{Failure, Result};
use super::readers::{self, Values, execute, rows};
use super::{ANSWER, Answer, Engine};
use crate::files::{EXAMINED, Gallop, Given, Leaf, Run, Statement, fold, numbered, walk};
use crate::messages::number;
use crate::*;

const FILE: &str = "id, name, extension, media_type, size, url, access, folder_id, blob, md5, encoding, width, height, \
                    usable, source, created_at, updated_at, archived_at, expires_at, erased_at";

const FOLDER: &str = "id, parent_id, name, created_at, updated_at, archived_at";

const BLOB: &str = "sha, object, size, tombstone_at";

const TASK: &str =
    "id, kind, status, body, requested_at, started_at, completed_at, leased_until, object_id, errors";

fn sha(bytes: &[u8]) -> Result<Sha> {
    let of = || StoreError::damaged("a hash of so many bytes", bytes.len() as i64);
    Ok(bytes.try_into().map_err(|_| of())?)
}

fn file(row: &Row) -> Result<File> {
    Ok(File {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        extension: row.try_get(2)?,
        media_type: row.try_get(3)?,
        size: row.try_get(4)?,
        url: row.try_get(5)?,
        access: Access::stored(row.try_get(6)?)?,
        folder: row.try_get(7)?,
        blob: row.try_get::<_, Option<&[u8]>>(8)?.map(sha).transpose()?,
        md5: row.try_get(9)?,
        encoding: row.try_get(10)?,
        width: row.try_get(11)?,
        height: row.try_get(12)?,
        usable: row.try_get(13)?,
        conversational: row.try_get::<_, i64>(14)? == 2,
        created_at: row.try_get(15)?,
        updated_at: row.try_get(16)?,
        archived_at: row.try_get(17)?,
        expires_at: row.try_get(18)?,
        erased_at: row.try_get(19)?,
    })
}

fn folder(row: &Row) -> Result<Folder> {
    Ok(Folder {
        id: row.try_get(0)?,
        parent: row.try_get(1)?,
        name: row.try_get(2)?,
        created_at: row.try_get(3)?,
        updated_at: row.try_get(4)?,
        archived_at: row.try_get(5)?,
    })
}

fn blob(row: &Row) -> Result<Blob> {
    Ok(Blob {
        sha: sha(row.try_get(0)?)?,
        object: row.try_get(1)?,
        size: row.try_get(2)?,
        tombstone_at: row.try_get(3)?,
    })
}

fn task(row: &Row) -> Result<FileTask> {
    let (id, body, errors) = (row.try_get(0)?, row.try_get(3)?, row.try_get(9)?);
    let (requested_at, started_at, completed_at) = (row.try_get(4)?, row.try_get(5)?, row.try_get(6)?);
    let (leased_until, object) = (row.try_get(7)?, row.try_get(8)?);
    Ok(FileTask::stored((row.try_get(1)?, row.try_get(2)?), |kind, status| FileTask {
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

async fn all<T>(
    client: &ClientWrapper,
    sql: &str,
    values: Values<'_>,
    read: fn(&Row) -> Result<T>,
) -> Result<Vec<T>> {
    rows(client, sql, values).await?.iter().map(read).collect()
}

async fn first<T>(
    client: &ClientWrapper,
    sql: &str,
    values: Values<'_>,
    read: fn(&Row) -> Result<T>,
) -> Result<Option<T>> {
    Ok(all(client, sql, values, read).await?.pop())
}

fn id(row: &Row) -> Result<i64> {
    Ok(row.try_get(0)?)
}

pub(super) async fn by_ids(client: &ClientWrapper, portal: PortalId, ids: &[i64]) -> Result<Vec<File>> {
    let sql = format!("SELECT {FILE} FROM files WHERE portal_id = $1 AND id = ANY($2)");
    all(client, &sql, &[&portal.0, &ids], file).await
}

/// The newest file that is hosted at a URL. The index holds what is the same length for every URL.
pub(super) async fn by_url(client: &ClientWrapper, portal: PortalId, url: &str) -> Result<Option<File>> {
    let sql = format!(
        "SELECT {FILE} FROM files WHERE portal_id = $1 AND md5(url) = md5($2) AND url = $2 ORDER BY id DESC LIMIT 1"
    );
    first(client, &sql, &[&portal.0, &url], file).await
}

async fn by_name(client: &ClientWrapper, portal: PortalId, folder: i64, name: &str) -> Result<Option<File>> {
    let sql = format!(
        "SELECT {FILE} FROM files WHERE portal_id = $1 AND folder_id = $2 AND name = $3 AND blob IS NOT NULL \
         AND archived_at IS NULL ORDER BY id LIMIT 1"
    );
    first(client, &sql, &[&portal.0, &folder, &name], file).await
}

async fn by_content(
    client: &ClientWrapper,
    portal: PortalId,
    (md5, size): (&str, i64),
    folder: Option<i64>,
) -> Result<Option<File>> {
    let sql = |here: &str| {
        format!(
            "SELECT {FILE} FROM files WHERE portal_id = $1 AND md5 = $2 AND size = $3 {here} AND md5 IS NOT NULL \
             AND archived_at IS NULL ORDER BY id DESC LIMIT 1"
        )
    };
    match folder {
        None => first(client, &sql(""), &[&portal.0, &md5, &size], file).await,
        Some(here) => first(client, &sql("AND folder_id = $4"), &[&portal.0, &md5, &size, &here], file).await,
    }
}

async fn folder_by_id(client: &ClientWrapper, portal: PortalId, id: i64) -> Result<Option<Folder>> {
    let sql = format!("SELECT {FOLDER} FROM folders WHERE portal_id = $1 AND id = $2");
    first(client, &sql, &[&portal.0, &id], folder).await
}

async fn folder_in(
    client: &ClientWrapper,
    portal: PortalId,
    parent: i64,
    name: &str,
) -> Result<Option<Folder>> {
    let sql = format!(
        "SELECT {FOLDER} FROM folders WHERE portal_id = $1 AND parent_id = $2 AND name = $3 AND archived_at IS NULL"
    );
    first(client, &sql, &[&portal.0, &parent, &name], folder).await
}

/// A folder with those it is in, the outermost first; nothing when one of them is not there.
async fn chain(client: &ClientWrapper, portal: PortalId, id: i64) -> Result<Vec<Folder>> {
    way(client, portal, id, true).await
}

/// The same, of live folders or of any.
async fn way(client: &ClientWrapper, portal: PortalId, id: i64, live: bool) -> Result<Vec<Folder>> {
    let (mut chain, mut next) = (Vec::new(), id);
    while next != 0 {
        let folder = folder_by_id(client, portal, next).await?;
        let Some(folder) = folder.filter(|folder| !live || folder.archived_at.is_none()) else {
            return Ok(Vec::new());
        };
        next = folder.parent;
        chain.push(folder);
    }
    chain.reverse();
    Ok(chain)
}

async fn descent(client: &ClientWrapper, portal: PortalId, names: &[String]) -> Result<Vec<Folder>> {
    let mut found: Vec<Folder> = Vec::new();
    for name in names {
        match folder_in(client, portal, found.last().map_or(0, |folder| folder.id), name).await? {
            Some(folder) => found.push(folder),
            None => break,
        }
    }
    Ok(found)
}

async fn blob_by_sha(client: &ClientWrapper, portal: PortalId, sha: &Sha) -> Result<Option<Blob>> {
    let sql = format!("SELECT {BLOB} FROM blobs WHERE portal_id = $1 AND sha = $2");
    first(client, &sql, &[&portal.0, &sha.as_slice()], blob).await
}

async fn task_by_id(client: &ClientWrapper, portal: PortalId, id: &str) -> Result<Option<FileTask>> {
    let sql = format!("SELECT {TASK} FROM file_tasks WHERE portal_id = $1 AND id = $2");
    first(client, &sql, &[&portal.0, &id], task).await
}

/// How many folders are one in another here; `None` if too many would have to be looked at.
async fn levels(client: &ClientWrapper, portal: PortalId, id: i64) -> Result<Option<usize>> {
    let sql = "SELECT id FROM folders WHERE portal_id = $1 AND parent_id = ANY($2) AND archived_at IS NULL LIMIT $3";
    let (mut levels, mut seen, mut outer) = (1, 1, vec![id]);
    while levels <= Folder::DEEPEST {
        let inner = rows(client, sql, &[&portal.0, &outer, &(EXAMINED + 1 - seen)]).await?;
        seen += inner.len() as i64;
        if seen > EXAMINED {
            return Ok(None);
        }
        if inner.is_empty() {
            break;
        }
        levels += 1;
        outer = inner.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<_>>()?;
    }
    Ok(Some(levels))
}

/// What there is of what a key names.
pub(super) async fn state(client: &ClientWrapper, portal: PortalId, key: &FileKey) -> Result<FileState> {
    let mut state = FileState::default();
    if let Some(id) = key.file {
        state.file = by_ids(client, portal, &[id]).await?.pop();
    }
    if let Some(id) = key.subject {
        let subject = folder_by_id(client, portal, id).await?;
        state.subject = subject.filter(|folder| folder.archived_at.is_none());
    }
    let own = state.file.as_ref().map(|file| file.folder);
    let own = own.or(state.subject.as_ref().map(|folder| folder.parent)).unwrap_or_default();
    match &key.path {
        Some(names) => {
            state.folders = descent(client, portal, names).await?;
            state.placed = state.folders.len() == names.len();
        }
        None => {
            let id = key.folder.unwrap_or(own);
            state.folders = chain(client, portal, id).await?;
            state.placed = id == 0 || !state.folders.is_empty();
        }
    }
    if let Some(subject) = &state.subject {
        state.outer = match key.folder {
            Some(_) => chain(client, portal, subject.parent).await?.len(),
            None => state.folders.len(),
        };
        state.levels = match state.outer < state.folders.len() {
            true => levels(client, portal, subject.id).await?,
            false => Some(1),
        };
    }
    let place = state.placed.then(|| state.folders.last().map_or(0, |folder| folder.id));
    if let Some((place, (stem, extension))) = place.zip(key.name.as_ref()) {
        state.same_name = by_name(client, portal, place, &numbered(stem, extension, 0)).await?;
        if state.same_name.is_some() {
            let mut gallop = Gallop::new();
            while let Some(n) = gallop.ask() {
                let taken = by_name(client, portal, place, &numbered(stem, extension, n)).await?;
                gallop.told(n, taken.is_some());
            }
            state.free = gallop.free();
        }
        state.same_folder = folder_in(client, portal, place, &numbered(stem, extension, 0)).await?;
    }
    if let Some((md5, size)) = &key.content {
        state.same_content = by_content(client, portal, (md5, *size), None).await?;
        if let Some(place) = place {
            state.same_content_here = by_content(client, portal, (md5, *size), Some(place)).await?;
        }
    }
    if let Some(sha) = &key.blob {
        state.blob = blob_by_sha(client, portal, sha).await?;
    }
    if let Some(id) = &key.task {
        state.task = task_by_id(client, portal, id).await?;
    }
    Ok(state)
}

/// Gives bytes a tombstone that no file has any more.
async fn settle(client: &ClientWrapper, portal: PortalId, sha: Option<Sha>, now: Millis) -> Result<()> {
    let Some(sha) = sha else { return Ok(()) };
    let sql = "UPDATE blobs SET tombstone_at = $3 WHERE portal_id = $1 AND sha = $2 AND tombstone_at IS NULL \
               AND NOT EXISTS (SELECT 1 FROM files WHERE portal_id = $1 AND blob = $2)";
    execute(client, sql, &[&portal.0, &sha.as_slice(), &now]).await?;
    Ok(())
}

/// Writes a file; its new revision. The portal's counters are held.
pub(super) async fn put(client: &ClientWrapper, portal: PortalId, file: &File, now: Millis) -> Result<i64> {
    let before = by_ids(client, portal, &[file.id]).await?.pop().and_then(|file| file.blob);
    let sql = "INSERT INTO files (portal_id, id, name, extension, media_type, size, url, access, folder_id, blob, md5, \
               encoding, width, height, usable, source, created_at, updated_at, archived_at, expires_at, erased_at, listed, \
               name_key, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
               $20, $21, $22, $23, 1) ON CONFLICT (portal_id, id) DO UPDATE SET name = $3, extension = $4, media_type = $5, size = $6, \
               url = $7, access = $8, folder_id = $9, blob = $10, md5 = $11, encoding = $12, width = $13, height = $14, \
               usable = $15, source = $16, updated_at = $18, archived_at = $19, expires_at = $20, erased_at = $21, \
               listed = $22, name_key = $23, revision = files.revision + 1 RETURNING revision";
    let values: Values<'_> = &[
        &portal.0,
        &file.id,
        &file.name,
        &file.extension,
        &file.media_type,
        &file.size,
        &file.url,
        &(file.access as i64),
        &file.folder,
        &file.blob.as_ref().map(Sha::as_slice),
        &file.md5,
        &file.encoding,
        &file.width,
        &file.height,
        &file.usable,
        &(if file.conversational { 2_i64 } else { 1 }),
        &file.created_at,
        &file.updated_at,
        &file.archived_at,
        &file.expires_at,
        &file.erased_at,
        &file.is_listed(),
        &fold(&file.name),
    ];
    let revision = first(client, sql, values, id).await?;
    if before != file.blob {
        settle(client, portal, before, now).await?;
    }
    if let Some(sha) = file.blob {
        let sql =
            "UPDATE blobs SET tombstone_at = NULL WHERE portal_id = $1 AND sha = $2 AND tombstone_at > 0";
        execute(client, sql, &[&portal.0, &sha.as_slice()]).await?;
    }
    revision.ok_or_else(|| Failure::Told(StoreError::Engine("a row was not written".into())))
}

/// What a change does with everything else about files.
pub(super) async fn write(client: &ClientWrapper, portal: PortalId, changes: &Changes) -> Result<()> {
    for folder in &changes.folders {
        let sql = "INSERT INTO folders (portal_id, id, parent_id, name, created_at, updated_at, archived_at, name_key) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (portal_id, id) DO UPDATE SET \
                   parent_id = $3, name = $4, updated_at = $6, archived_at = $7, name_key = $8";
        let Folder { id, parent, name, created_at, updated_at, archived_at } = folder;
        let values: Values<'_> =
            &[&portal.0, id, parent, name, created_at, updated_at, archived_at, &fold(name)];
        execute(client, sql, values).await?;
    }
    for blob in &changes.blobs {
        let sql = "INSERT INTO blobs (portal_id, sha, object, size, tombstone_at) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (portal_id, sha) DO UPDATE SET object = $3, size = $4, tombstone_at = $5";
        let Blob { sha, object, size, tombstone_at } = blob;
        execute(client, sql, &[&portal.0, &sha.as_slice(), object, size, tombstone_at]).await?;
    }
    for task in &changes.file_tasks {
        let sql = "INSERT INTO file_tasks (portal_id, id, kind, status, body, requested_at, started_at, completed_at, \
                   leased_until, object_id, errors) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
                   ON CONFLICT (portal_id, id) DO UPDATE SET status = $4, body = $5, started_at = $7, completed_at = $8, \
                   leased_until = $9, object_id = $10, errors = $11";
        let values: Values<'_> = &[
            &portal.0,
            &task.id,
            &(task.kind as i64),
            &(task.status as i64),
            &task.body,
            &task.requested_at,
            &task.started_at,
            &task.completed_at,
            &task.leased_until,
            &task.object,
            &task.errors,
        ];
        execute(client, sql, values).await?;
    }
    Ok(())
}

/// Whoever holds the portal's counters is alone with its files.
const TURN: &str = "SELECT 1 FROM counters WHERE portal_id = $1 FOR UPDATE";

/// Runs some work under the portal's counters, in a transaction of its own. The connection is of no further use: given up
/// half-way, it would be left in the middle.
macro_rules! alone {
    ($client:expr, $portal:expr, $work:expr) => {{
        execute($client, "BEGIN", &[]).await?;
        let done = async {
            execute($client, "SET LOCAL idle_in_transaction_session_timeout = 1000", &[]).await?;
            execute($client, TURN, &[&$portal.0]).await?;
            $work
        };
        let done: Result<_> = done.await;
        execute($client, if done.is_ok() { "COMMIT" } else { "ROLLBACK" }, &[]).await?;
        done
    }};
}

async fn doom(
    client: &ClientWrapper,
    portal: PortalId,
    before: Millis,
    only: Option<Sha>,
    limit: i64,
) -> Result<Vec<Blob>> {
    let sql = |which: &str| {
        format!(
            "UPDATE blobs SET tombstone_at = 0 WHERE portal_id = $1 AND sha IN (SELECT sha FROM blobs b \
             WHERE portal_id = $1 AND tombstone_at <= $2 AND tombstone_at IS NOT NULL {which} AND NOT EXISTS \
             (SELECT 1 FROM files f WHERE f.portal_id = $1 AND f.blob = b.sha) LIMIT $3) RETURNING {BLOB}"
        )
    };
    alone!(client, portal, {
        match only {
            None => all(client, &sql(""), &[&portal.0, &before, &limit], blob).await,
            Some(only) => {
                let values: Values<'_> = &[&portal.0, &before, &limit, &only.as_slice()];
                all(client, &sql("AND sha = $4"), values, blob).await
            }
        }
    })
}

async fn tidy(client: &ClientWrapper, portal: PortalId, tidy: &FileTidy) -> Result<u64> {
    let limit = tidy.limit as i64;
    let bare = format!(
        "SELECT {FILE} FROM files WHERE portal_id = $1 AND archived_at < $2 AND archived_at IS NOT NULL \
         AND blob IS NOT NULL LIMIT $3"
    );
    alone!(client, portal, {
        let bare = all(client, &bare, &[&portal.0, &tidy.archived_before, &limit], file).await?;
        let mut done = bare.len() as u64;
        for file in bare {
            put(client, portal, &File { blob: None, ..file }, tidy.now).await?;
        }
        for table in ["files", "folders"] {
            let sql =
                format!("SELECT id, name FROM {table} WHERE portal_id = $1 AND name_key IS NULL LIMIT $2");
            let unnamed: Vec<(i64, String)> =
                all(client, &sql, &[&portal.0, &limit], |row| Ok((row.try_get(0)?, row.try_get(1)?))).await?;
            done += unnamed.len() as u64;
            for (id, name) in unnamed {
                let sql = format!("UPDATE {table} SET name_key = $3 WHERE portal_id = $1 AND id = $2");
                execute(client, &sql, &[&portal.0, &id, &fold(&name)]).await?;
            }
        }
        let sql = "DELETE FROM files WHERE portal_id = $1 AND id IN (SELECT id FROM files WHERE portal_id = $1 \
                   AND erased_at < $2 AND erased_at IS NOT NULL LIMIT $3)";
        done += execute(client, sql, &[&portal.0, &tidy.erased_before, &limit]).await?;
        let sql = "DELETE FROM file_tasks WHERE portal_id = $1 AND id IN (SELECT id FROM file_tasks \
                   WHERE portal_id = $1 AND requested_at < $2 LIMIT $3)";
        done += execute(client, sql, &[&portal.0, &tidy.tasks_before, &limit]).await?;
        Ok(done)
    })
}

/// Asks what is asked in a hundred ways: prepared for once, and not kept.
async fn asked(client: &ClientWrapper, statement: &Statement) -> Result<Vec<Row>> {
    let boxed = |value: &Given| -> Box<dyn ToSql + Sync + Send> {
        match value {
            Given::Int(n) => Box::new(*n),
            Given::Text(text) => Box::new(text.clone()),
            Given::Bool(flag) => Box::new(*flag),
        }
    };
    let given: Vec<_> = statement.given.iter().map(boxed).collect();
    let values: Vec<&(dyn ToSql + Sync)> =
        given.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
    Ok(client.query(&statement.sql, &values).await?)
}

/// What lists are of, and how it is read.
trait Kept: Leaf {
    const COLUMNS: &str;

    fn of(row: &Row) -> Result<Self>;
}

impl Kept for File {
    const COLUMNS: &str = FILE;

    fn of(row: &Row) -> Result<Self> {
        file(row)
    }
}

impl Kept for Folder {
    const COLUMNS: &str = FOLDER;

    fn of(row: &Row) -> Result<Self> {
        folder(row)
    }
}

async fn page<T: Kept>(
    client: &ClientWrapper,
    portal: PortalId,
    list: &FileList,
) -> Result<(Vec<T>, Option<FileSpot>)> {
    let page = asked(client, &list.page::<T>(portal.0, T::COLUMNS, '$')).await?;
    let mut found = page.iter().map(T::of).collect::<Result<Vec<_>>>()?;
    if let Some(end) = list.cut(&mut found) {
        return Ok((found, Some(end)));
    }
    let horizon = asked(client, &list.horizon::<T>(portal.0, '$')).await?;
    let Some(row) = horizon.first() else { return Ok((found, None)) };
    let (mut number, mut name) = (0, String::new());
    match list.by_name() {
        true => name = row.try_get(0)?,
        false => number = row.try_get(0)?,
    }
    Ok((found, Some(FileSpot { number, name, id: row.try_get(1)? })))
}

async fn run<T: Kept>(
    client: &ClientWrapper,
    portal: PortalId,
    list: &FileList,
    run: &Run,
) -> Result<Vec<(T, bool)>> {
    let rows = asked(client, &list.run::<T>(portal.0, run, T::COLUMNS, '$')).await?;
    let read = |row: &Row| {
        let wanted: Option<bool> = row.try_get("wanted")?;
        Ok((T::of(row)?, wanted == Some(true)))
    };
    rows.iter().map(read).collect()
}

async fn branch(
    client: &ClientWrapper,
    portal: PortalId,
    list: &FileList,
    run: &Run,
) -> Result<Option<Folder>> {
    let rows = asked(client, &list.branch(portal.0, run, FOLDER, '$')).await?;
    rows.first().map(folder).transpose()
}

fn mention(row: &Row) -> Result<FileMention> {
    let place = row.try_get(0)?;
    let message = super::messages::message_id(row.try_get(1)?)?;
    Ok(FileMention { place, thread: ThreadId(number(place)), message })
}

/// Asks on a borrowed connection.
macro_rules! ask {
    ($engine:expr, $client:ident => $question:expr) => {{
        let borrowed = $engine.shared.readers.get().await?;
        let $client = &borrowed;
        let answer = answered(ANSWER, $question).await;
        if matches!(answer, Err(Failure::Lost(_))) {
            readers::discard(borrowed);
        }
        Ok(answer?)
    }};
}

/// A portal's folders, to be walked through.
struct Ground<'a>(&'a Engine, PortalId);

impl<T: Kept> walk::Ground<T> for Ground<'_> {
    async fn run(&self, list: &FileList, next: &Run) -> Answer<Vec<(T, bool)>> {
        ask!(self.0, client => run(client, self.1, list, next))
    }

    async fn branch(&self, list: &FileList, next: &Run) -> Answer<Option<Folder>> {
        ask!(self.0, client => branch(client, self.1, list, next))
    }

    async fn way(&self, folder: i64) -> Answer<Vec<Folder>> {
        ask!(self.0, client => way(client, self.1, folder, false))
    }
}

impl Engine {
    pub(crate) async fn files_by_ids(&self, portal: PortalId, ids: &[i64]) -> Answer<Vec<File>> {
        ask!(self, client => by_ids(client, portal, ids))
    }

    pub(crate) async fn file_by_url(&self, portal: PortalId, url: &str) -> Answer<Option<File>> {
        ask!(self, client => by_url(client, portal, url))
    }

    pub(crate) async fn file_state(&self, portal: PortalId, key: &FileKey) -> Answer<FileState> {
        ask!(self, client => state(client, portal, key))
    }

    pub(crate) async fn folder_chain(&self, portal: PortalId, id: i64) -> Answer<Vec<Folder>> {
        ask!(self, client => chain(client, portal, id))
    }

    pub(crate) async fn folders_in(
        &self,
        portal: PortalId,
        parents: &[i64],
        limit: usize,
    ) -> Answer<Vec<Folder>> {
        let sql = format!(
            "SELECT {FOLDER} FROM folders WHERE portal_id = $1 AND parent_id = ANY($2) AND archived_at IS NULL LIMIT $3"
        );
        ask!(self, client => all(client, &sql, &[&portal.0, &parents, &(limit as i64)], folder))
    }

    pub(crate) async fn files_in(&self, portal: PortalId, folder: i64, limit: usize) -> Answer<Vec<File>> {
        let sql = format!(
            "SELECT {FILE} FROM files WHERE portal_id = $1 AND folder_id = $2 AND blob IS NOT NULL \
             AND archived_at IS NULL LIMIT $3"
        );
        ask!(self, client => all(client, &sql, &[&portal.0, &folder, &(limit as i64)], file))
    }

    pub(crate) async fn files(
        &self,
        portal: PortalId,
        list: &FileList,
    ) -> Answer<(Vec<File>, Option<FileSpot>)> {
        match list.is_walked() {
            true => walk::page(&Ground(self, portal), list).await,
            false => ask!(self, client => page(client, portal, list)),
        }
    }

    pub(crate) async fn folders(
        &self,
        portal: PortalId,
        list: &FileList,
    ) -> Answer<(Vec<Folder>, Option<FileSpot>)> {
        match list.is_walked() {
            true => walk::page(&Ground(self, portal), list).await,
            false => ask!(self, client => page(client, portal, list)),
        }
    }

    pub(crate) async fn blob_by_sha(&self, portal: PortalId, sha: &Sha) -> Answer<Option<Blob>> {
        ask!(self, client => blob_by_sha(client, portal, sha))
    }

    pub(crate) async fn blobs(
        &self,
        portal: PortalId,
        after: Option<Sha>,
        limit: usize,
    ) -> Answer<Vec<Blob>> {
        let sql = format!("SELECT {BLOB} FROM blobs WHERE portal_id = $1 AND sha > $2 ORDER BY sha LIMIT $3");
        let after = after.map_or_else(Vec::new, Vec::from);
        ask!(self, client => all(client, &sql, &[&portal.0, &after, &(limit as i64)], blob))
    }

    pub(crate) async fn objects_known(&self, portal: PortalId, objects: &[String]) -> Answer<Vec<String>> {
        let sql = "SELECT object FROM blobs WHERE portal_id = $1 AND object = ANY($2)";
        ask!(self, client => all(client, sql, &[&portal.0, &objects], |row| Ok(row.try_get(0)?)))
    }

    pub(crate) async fn file_task(&self, portal: PortalId, id: &str) -> Answer<Option<FileTask>> {
        ask!(self, client => task_by_id(client, portal, id))
    }

    pub(crate) async fn file_tasks_due(
        &self,
        portal: PortalId,
        machine: Millis,
        limit: usize,
    ) -> Answer<Vec<FileTask>> {
        let sql = format!(
            "SELECT {TASK} FROM file_tasks WHERE portal_id = $1 AND leased_until < $2 AND status < 3 LIMIT $3"
        );
        ask!(self, client => all(client, &sql, &[&portal.0, &machine, &(limit as i64)], task))
    }

    pub(crate) async fn files_expired(
        &self,
        portal: PortalId,
        now: Millis,
        limit: usize,
    ) -> Answer<Vec<i64>> {
        let sql = "SELECT id FROM files WHERE portal_id = $1 AND expires_at <= $2 AND expires_at IS NOT NULL \
                   AND archived_at IS NULL LIMIT $3";
        ask!(self, client => all(client, sql, &[&portal.0, &now, &(limit as i64)], id))
    }

    pub(crate) async fn files_erased(&self, portal: PortalId, limit: usize) -> Answer<Vec<i64>> {
        let sql = "SELECT id FROM files WHERE portal_id = $1 AND erased_at IS NOT NULL LIMIT $2";
        ask!(self, client => all(client, sql, &[&portal.0, &(limit as i64)], id))
    }

    pub(crate) async fn file_mentions(
        &self,
        portal: PortalId,
        file: i64,
        after: i64,
        limit: usize,
    ) -> Answer<Vec<FileMention>> {
        let sql = "SELECT m.key, m.id FROM mentions n JOIN messages m ON m.portal_id = $1 AND m.key = n.message \
                   WHERE n.portal_id = $1 AND n.kind = 4 AND n.object_id = $2 AND n.message > $3 \
                   ORDER BY n.message LIMIT $4";
        ask!(self, client => all(client, sql, &[&portal.0, &file, &after, &(limit as i64)], mention))
    }

    pub(crate) async fn blobs_doom(
        &self,
        portal: PortalId,
        before: Millis,
        only: Option<Sha>,
        limit: usize,
    ) -> Answer<Vec<Blob>> {
        let client = readers::own(self.shared.readers.get().await?);
        Ok(answered(ANSWER, doom(&client, portal, before, only, limit as i64)).await?)
    }

    pub(crate) async fn blobs_forget(&self, portal: PortalId, objects: Vec<String>) -> Answer<()> {
        let sql = "DELETE FROM blobs WHERE portal_id = $1 AND object = ANY($2) AND tombstone_at = 0";
        let gone: Answer<u64> = ask!(self, client => execute(client, sql, &[&portal.0, &objects]));
        gone.map(drop)
    }

    pub(crate) async fn files_tidy(&self, portal: PortalId, what: FileTidy) -> Answer<u64> {
        let client = readers::own(self.shared.readers.get().await?);
        Ok(answered(ANSWER, tidy(&client, portal, &what)).await?)
    }
}

//! Moving a store to another place, of whichever engine: rows are read in pages in the order of their keys, turned into what
//! neither engine has, written, and compared at the end.
//!
//! How far it is stands in the place that is filled, and is written together with the rows: an interrupted move goes on.

mod online;
mod row;
mod tables;

use std::path::Path;

use self::row::{Sum, decode, encode};
use crate::secrets::StoredKey;
use crate::{OpenError, PortalId, Postgres, Settings, StoreError, postgres, sqlite};

pub(crate) use online::{Change, refuse_same, run as run_online};
pub(crate) use row::{Kind, Row, Value};
pub(crate) use tables::{Of, TABLES, Table};

/// Most rows of a page, which is held in memory.
pub(crate) const PAGE_ROWS: usize = 1_000;

/// Most bytes of a page, or a single row.
pub(crate) const PAGE_BYTES: usize = 4 << 20;

/// Rows that were read at once.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub rows: Vec<Row>,
    pub bytes: usize,
    /// Whether there may be rows behind these.
    pub more: bool,
}

impl Page {
    pub(crate) fn push(&mut self, row: Row) {
        self.bytes += row::weight(std::slice::from_ref(&row));
        self.rows.push(row);
    }
}

/// What a store has besides its portals.
#[derive(Debug)]
pub(crate) struct Server {
    /// The next portal, the next app and the next channel.
    pub next: [i64; 3],
    /// Of the master key, which both ends have in common.
    pub key_check: Option<String>,
    pub signing_keys: Vec<StoredKey>,
}

/// How far a move has come with a table of a portal.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    /// The key of the last row, encoded.
    pub after: Vec<u8>,
    pub done: bool,
}

/// Why a store was not moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the move stopped ({0}); run it again, and it goes on where it stopped")]
    Stopped(#[from] StoreError),
    #[error("{table} of portal {portal} are not the same at both ends; {advice}")]
    Differs { table: &'static str, portal: i64, advice: &'static str },
}

/// What a move is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moving {
    /// Copying: rows done, and rows in all.
    Copying(u64, u64),
    /// Comparing both ends: rows done, and rows in all.
    Comparing(u64, u64),
    /// Carrying over what was changed meanwhile: so many rows were noted in the last round.
    CatchingUp(u64),
    /// Carrying over the rest, while whoever changes anything waits.
    CuttingOver,
}

/// A table of a portal that was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedTable {
    pub portal: PortalId,
    pub table: &'static str,
    pub rows: u64,
    /// Sum of a hash over each row, the same at both ends.
    pub checksum: u64,
}

/// A store that was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub tables: Vec<MovedTable>,
}

impl Moved {
    /// Rows of all tables.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

/// One end of a move.
pub(crate) enum End {
    Sqlite(sqlite::moving::End),
    Postgres(postgres::moving::End),
}

/// Has one end do something. The embedded one does it on the calling thread.
macro_rules! at {
    ($end:expr, $work:ident($($with:expr),*)) => {
        match $end {
            End::Sqlite(end) => end.$work($($with),*).map_err(StoreError::from),
            End::Postgres(end) => end.$work($($with),*).await.map_err(StoreError::from),
        }
    };
}

/// Runs a move on the calling thread, which may not be one of an event loop.
pub(crate) fn wait<T>(work: impl Future<Output = Result<T, MoveError>>) -> Result<T, MoveError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| StoreError::Engine(e.to_string()))?.block_on(work)
}

/// Where a store is, as `--store` names it, without a password.
fn named(store: &Settings) -> String {
    match &store.postgres {
        Some(at) => at.shown(),
        None => {
            let dir = std::path::absolute(&store.data_dir).unwrap_or_else(|_| store.data_dir.clone());
            format!("sqlite:{}", dir.canonicalize().unwrap_or(dir).display())
        }
    }
}

/// Moves a store that nobody serves. What it leaves behind says where it went, and is not opened any more.
pub(crate) async fn run(
    from: &Settings,
    to: &Settings,
    progress: &mut impl FnMut(Moving),
) -> Result<Moved, MoveError> {
    let mut source = match &from.postgres {
        Some(at) => End::Postgres(postgres::moving::End::source(at).await?),
        None => End::Sqlite(sqlite::moving::End::source(&from.data_dir).map_err(served)?),
    };
    let target = match &to.postgres {
        Some(at) => End::Postgres(postgres::moving::End::target(at, &named(from)).await?),
        None => End::Sqlite(sqlite::moving::End::target(&to.data_dir, &named(from)).map_err(served)?),
    };
    let moved = fill(&source, target, EVERYTHING, progress).await?.0;
    at!(&mut source, leave(&named(to)))?;
    Ok(moved)
}

/// Copies a database as it is at one moment into a new file, while others go on changing it.
pub(crate) async fn to_file(
    source: postgres::moving::End,
    from: &str,
    file: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<(), MoveError> {
    let mut told = |at: Moving| match at {
        Moving::Copying(done, all) => progress(done, 2 * all),
        Moving::Comparing(done, all) => progress(all + done, 2 * all),
        Moving::CatchingUp(_) | Moving::CuttingOver => {}
    };
    let (source, file) = (End::Postgres(source), sqlite::moving::End::new_file(file, from)?);
    let target = fill(&source, End::Sqlite(file), EVERYTHING, &mut told).await?.1;
    if let End::Sqlite(file) = target {
        file.close_file().map_err(StoreError::from)?;
    }
    Ok(())
}

/// Puts a file, once it is verified, into an empty database.
pub(crate) fn from_file(file: &Path, to: &Postgres) -> Result<(), OpenError> {
    sqlite::backup::verify(file)?;
    let filled = wait(async {
        let source = End::Sqlite(sqlite::moving::End::file(file)?);
        let from = file.canonicalize().unwrap_or_else(|_| file.to_owned()).display().to_string();
        let target = End::Postgres(postgres::moving::End::target(to, &from).await?);
        fill(&source, target, WITHOUT_SESSIONS, &mut |_| {}).await
    });
    match filled {
        Ok(_) => Ok(()),
        Err(MoveError::Open(e)) => Err(e),
        Err(e) => Err(OpenError::Engine(to.shown(), e.to_string())),
    }
}

/// Fills one end with what is at the other, compares them, and makes a store of it.
async fn fill(
    source: &End,
    mut target: End,
    wanted: Wanted,
    progress: &mut impl FnMut(Moving),
) -> Result<(Moved, End), MoveError> {
    let all = size(source).await?;
    copy(source, &mut target, wanted, all, progress).await?;
    let moved = compare(source, &target, wanted, all, progress).await?;
    at!(&mut target, finish(at!(source, server())?))?;
    Ok((moved, target))
}

/// A directory that is in use is one that is served.
fn served(e: OpenError) -> OpenError {
    match e {
        OpenError::InUse(dir) => OpenError::Served(dir),
        other => other,
    }
}

/// Tables that hold nearly all there is: their rows are what progress is counted in.
const LARGE: [&str; 3] = ["threads", "messages", "events"];

/// Rows of the large tables.
async fn size(end: &End) -> Result<u64, StoreError> {
    let mut all = 0;
    let table = |name: &str| TABLES.iter().find(|table| table.name == name);
    let (Some(counters), Some(events)) = (table("counters"), table("events")) else { return Ok(0) };
    for portal in at!(end, portals())? {
        for row in at!(end, page(counters, portal, None))?.rows {
            for (column, value) in counters.names().iter().zip(&row) {
                if matches!(*column, "threads" | "messages" | "event_position") {
                    all += u64::try_from(value.int()).unwrap_or_default();
                }
            }
        }
        // The first events may be gone.
        let first = at!(end, page(events, portal, None))?.rows.first().map_or(1, |row| row[0].int());
        all -= u64::try_from(first - 1).unwrap_or_default().min(all);
    }
    Ok(all)
}

/// Which tables go to the other end.
type Wanted = fn(&Table) -> bool;

/// A store that moves is the same store at another place: nobody who is signed in notices.
const EVERYTHING: Wanted = |_| true;

/// What is put back from a backup is as old as that is: who has signed out since must not be signed in by it.
const WITHOUT_SESSIONS: Wanted = |table| table.name != "sessions";

/// Whose rows are moved, and which: those of each portal, and what was done to the server as a whole.
fn owners(
    portals: &[i64],
    wanted: Wanted,
) -> impl Iterator<Item = (i64, impl Iterator<Item = &'static Table>)> {
    let owners = portals.iter().copied().chain([PortalId::SERVER.0]);
    let is_of = |owner: i64, table: &Table| owner != PortalId::SERVER.0 || table.name == "audit";
    owners.map(move |owner| (owner, TABLES.iter().filter(move |table| wanted(table) && is_of(owner, table))))
}

async fn copy(
    source: &End,
    target: &mut End,
    wanted: Wanted,
    all: u64,
    progress: &mut impl FnMut(Moving),
) -> Result<(), StoreError> {
    let mut done = 0;
    progress(Moving::Copying(0, all));
    for (portal, tables) in owners(&at!(source, portals())?, wanted) {
        for table in tables {
            let mut reached = at!(&*target, reached(table, portal))?.unwrap_or_default();
            while !reached.done {
                let after = decode(&reached.after).filter(|after| !after.is_empty());
                let page = at!(source, page(table, portal, after.as_deref()))?;
                if let Some(last) = page.rows.last() {
                    reached.after = encode(&last[..table.key]);
                }
                reached.done = !page.more;
                at!(&mut *target, write(table, portal, &page.rows, &reached))?;
                if LARGE.contains(&table.name) {
                    done += page.rows.len() as u64;
                    progress(Moving::Copying(done.min(all), all));
                }
            }
        }
    }
    Ok(())
}

/// Reads both ends, and refuses any difference.
async fn compare(
    source: &End,
    target: &End,
    wanted: Wanted,
    all: u64,
    progress: &mut impl FnMut(Moving),
) -> Result<Moved, MoveError> {
    let advice =
        "something has changed one of them meanwhile: empty the place that was moved to, and move again";
    let portals = at!(source, portals())?;
    if portals != at!(target, portals())? {
        return Err(MoveError::Differs { table: "portals", portal: 0, advice });
    }
    let (mut tables, mut done) = (Vec::new(), 0);
    for (portal, of_portal) in owners(&portals, wanted) {
        for table in of_portal {
            let (mut sums, mut told) = ([Sum::default(); 2], 0);
            for (end, sum) in [source, target].into_iter().zip(&mut sums) {
                let mut after: Option<Vec<Value>> = None;
                loop {
                    let page = at!(end, page(table, portal, after.as_deref()))?;
                    sum.add(&page.rows);
                    if LARGE.contains(&table.name) {
                        told += page.rows.len() as u64;
                        progress(Moving::Comparing((done + told / 2).min(all), all));
                    }
                    match page.rows.last() {
                        Some(last) if page.more => after = Some(last[..table.key].to_vec()),
                        _ => break,
                    }
                }
            }
            let [sum, other] = sums;
            if sum != other {
                return Err(MoveError::Differs { table: table.name, portal, advice });
            }
            done += told / 2;
            tables.push(MovedTable {
                portal: PortalId(portal),
                table: table.name,
                rows: sum.rows,
                checksum: sum.checksum,
            });
        }
    }
    Ok(Moved { tables })
}

//! Moving a store while it serves. From the beginning on, the place that is left notes the key of every row that is written;
//! then everything is copied as it was at one moment, and compared. What was noted is carried over in rounds, until little is
//! left; then whoever changes anything waits, the rest is carried over, and the store goes on at the new place.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::row::{Sum, decode, encode};
use super::tables::TABLES;
use super::{EVERYTHING, End, MoveError, Moved, Moving, compare, copy, named, size};
use crate::moving::{Row, Table, Value};
use crate::store::{Engine, House};
use crate::{OpenError, Settings, Store, StoreError, postgres, sqlite};

/// Notes carried over at once.
const ROUND: usize = 1_000;

/// How long notes are carried over before it is asked how many are left.
const PASS: Duration = Duration::from_secs(1);

/// What can be carried over in this time is carried over while everybody waits.
const SOON: Duration = Duration::from_millis(500);

/// How long everybody may have to wait before the move is given up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A row that was written.
#[derive(Debug)]
pub(crate) struct Change {
    pub seq: i64,
    /// The table, the portal and the key; `None` where a later change of the same row says more.
    pub row: Option<(&'static Table, i64, Vec<Value>)>,
}

/// Has the engine that is left do something.
macro_rules! left {
    ($house:expr, $work:ident($($with:expr),*)) => {
        match &$house.engine {
            Engine::Sqlite(engine) => engine.$work($($with),*).await,
            Engine::Postgres(engine) => engine.$work($($with),*).await,
        }
    };
}

/// Has one end do something.
macro_rules! at {
    ($end:expr, $work:ident($($with:expr),*)) => {
        match $end {
            End::Sqlite(end) => end.$work($($with),*).map_err(StoreError::from),
            End::Postgres(end) => end.$work($($with),*).await.map_err(StoreError::from),
        }
    };
}

/// A table by its place in [`TABLES`], a portal, and an encoded key.
type Key = (usize, i64, Vec<u8>);

/// Moves a store that serves, and has it serve from the new place.
pub(crate) async fn run(
    house: &House,
    to: &Settings,
    progress: &mut impl FnMut(Moving),
) -> Result<Moved, MoveError> {
    left!(house, movable())?;
    let from = named(&house.settings);
    let mut target = match &to.postgres {
        Some(at) => End::Postgres(postgres::moving::End::target(at, &from).await?),
        None => End::Sqlite(sqlite::moving::End::target(&to.data_dir, &from)?),
    };
    at!(&mut target, clear())?;
    left!(house, watch())?;
    let done = over(house, to, target, progress).await;
    if done.is_err()
        && let Err(error) = left!(house, unwatch())
    {
        tracing::warn!(%error, "what is written is still noted for a move that was given up");
    }
    done
}

async fn over(
    house: &House,
    to: &Settings,
    mut target: End,
    progress: &mut impl FnMut(Moving),
) -> Result<Moved, MoveError> {
    let moved = {
        let source = left!(house, view())?;
        let all = size(&source).await?;
        copy(&source, &mut target, EVERYTHING, all, progress).await?;
        compare(&source, &target, EVERYTHING, all, progress).await?
    };
    let now = left!(house, latest())?;
    let mut again = BTreeSet::new();
    catch_up(house, &now, &mut target, &mut again, progress).await?;
    // Whoever is inside finishes, and whoever comes waits.
    let _alone = house.gate.write().await;
    let begun = Instant::now();
    progress(Moving::CuttingOver);
    let last = async {
        left!(house, settle())?;
        while round(house, &now, &mut target, &mut again).await? > 0 {}
        let mut once = BTreeSet::new();
        std::mem::swap(&mut once, &mut again);
        counters(&now, &mut once).await?;
        carry(&now, &mut target, once, &mut again).await?;
        if let Some((table, portal, _)) = again.first() {
            let advice = "what changed meanwhile was not carried over; the store goes on where it is";
            return Err(MoveError::Differs { table: TABLES[*table].name, portal: *portal, advice });
        }
        at!(&mut target, finish(at!(&now, server())?))?;
        Ok(())
    };
    let given_up =
        || StoreError::Engine("the last changes took too long; the store goes on where it is".into());
    tokio::time::timeout(PATIENCE, last).await.map_err(|_| given_up())??;
    drop((now, target));
    let new = open(house, to).await?;
    left!(house, leave(named(to)))?;
    if house.next.set(new).is_err() {
        return Err(StoreError::Engine("the store has moved already".into()).into());
    }
    left!(house, retire());
    tracing::info!(to = named(to), held = ?begun.elapsed(), "the store has moved, and is served from there");
    Ok(moved)
}

/// Carries over what was noted until little is left. Where more is written than can be carried over, everybody is made to
/// wait now and then.
async fn catch_up(
    house: &House,
    now: &End,
    target: &mut End,
    again: &mut BTreeSet<Key>,
    progress: &mut impl FnMut(Moving),
) -> Result<(), StoreError> {
    let (mut slow, mut before) = (false, u64::MAX);
    loop {
        let left = left!(house, backlog())?;
        progress(Moving::CatchingUp(left));
        slow |= left >= before;
        before = left;
        let (begun, mut carried) = (Instant::now(), 0);
        let waiting = if slow { Some(house.gate.write().await) } else { None };
        while carried < left && begun.elapsed() < PASS {
            carried += round(house, now, target, again).await? as u64;
        }
        drop(waiting);
        // At this rate, what is left now is carried over soon.
        let rate = carried as f64 / begun.elapsed().as_secs_f64().max(0.001);
        if left!(house, backlog())? as f64 <= rate * SOON.as_secs_f64() {
            return Ok(());
        }
    }
}

/// Opens the new place as the old one was opened.
async fn open(house: &House, to: &Settings) -> Result<Store, MoveError> {
    let settings =
        Settings { postgres: to.postgres.clone(), data_dir: to.data_dir.clone(), ..house.settings.clone() };
    Ok(Store::open(settings)?)
}

/// Carries over what was noted first; how many notes there were.
async fn round(
    house: &House,
    now: &End,
    target: &mut End,
    again: &mut BTreeSet<Key>,
) -> Result<usize, StoreError> {
    let changes = left!(house, noted(ROUND))?;
    let mut rows = std::mem::take(again);
    let mut seqs = Vec::with_capacity(changes.len());
    for Change { seq, row } in changes {
        seqs.push(seq);
        if let Some((table, portal, key)) = row
            && let Some(place) = TABLES.iter().position(|known| std::ptr::eq(known, table))
        {
            rows.insert((place, portal, encode(&key)));
        }
    }
    carry(now, target, rows, again).await?;
    let noted = seqs.len();
    if noted > 0 {
        left!(house, forget(seqs))?;
    }
    Ok(noted)
}

/// The counters of every portal: they move with every change, and are carried over once.
async fn counters(now: &End, rows: &mut BTreeSet<Key>) -> Result<(), StoreError> {
    let Some(place) = TABLES.iter().position(|table| table.name == "counters") else { return Ok(()) };
    for portal in at!(now, portals())? {
        rows.insert((place, portal, Vec::new()));
    }
    Ok(())
}

/// Replaces rows by what they are now. A row may find its place taken by one whose change is noted behind its own: those
/// that are not there then are to be tried again.
async fn carry(
    now: &End,
    target: &mut End,
    rows: BTreeSet<Key>,
    again: &mut BTreeSet<Key>,
) -> Result<(), StoreError> {
    let mut parts: BTreeMap<(usize, i64), Vec<Vec<u8>>> = BTreeMap::new();
    for (table, portal, key) in rows {
        parts.entry((table, portal)).or_default().push(key);
    }
    for ((place, portal), encoded) in parts {
        let table = &TABLES[place];
        for some in encoded.chunks(200) {
            let keys: Vec<Vec<Value>> = some.iter().filter_map(|key| decode(key)).collect();
            let wanted: Vec<Row> = at!(now, find(table, portal, &keys))?;
            at!(&mut *target, replace(table, portal, &keys, &wanted))?;
            let there: Vec<Row> = at!(&*target, find(table, portal, &keys))?;
            let sum = |rows: &[Row]| {
                let mut sum = Sum::default();
                sum.add(rows);
                sum
            };
            if sum(&wanted) != sum(&there) {
                again.extend(some.iter().map(|key| (place, portal, key.clone())));
            }
        }
    }
    Ok(())
}

/// Refuses to move to where the store is.
pub(crate) fn refuse_same(house: &House, to: &Settings) -> Result<(), MoveError> {
    match named(&house.settings) == named(to) {
        true => Err(OpenError::NotEmpty(named(to)).into()),
        false => Ok(()),
    }
}

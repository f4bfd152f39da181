//! The spine. Writers leave their events without positions; whoever numbers them does it under the portal's counters.
//!
//! A number is given to what is committed, so none is ever below one that was read. Of two events of one object the later
//! was recorded under a lock that the earlier had to give up first; so the later is never seen without the earlier, and
//! what is numbered together is put in order by revision.

#[cfg(test)]
mod tests;

use deadpool_postgres::ClientWrapper;
use futures_util::FutureExt;
use futures_util::future::join3;
use tokio_postgres::Row;

use super::failure::{Failure, Result};
use super::readers::{Values, row, rows};
use crate::{Event, EventKind, ObjectKind, PortalId, StoreError};

/// Most events numbered in one transaction: other writers of the portal may have to wait for it.
const MOST: usize = 1_000;

/// Whoever stops in the middle of numbering is thrown out soon: the portal's counters are wanted by others.
const BEGIN: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 1000";

const LOCK: &str = "SELECT event_position FROM counters WHERE portal_id = $1 FOR UPDATE";

const WAITING: &str = "SELECT stamp, batch, ordinal, object, object_id, revision FROM unnumbered_events \
     WHERE portal_id = $1 ORDER BY stamp, batch, ordinal LIMIT $2";

/// Of the objects named, what waits behind a place and was recorded before a revision.
const PASSED_OVER: &str = "SELECT u.stamp, u.batch, u.ordinal, u.object, u.object_id, u.revision FROM unnumbered_events u \
     JOIN unnest($5::smallint[], $6::bigint[], $7::bigint[]) AS o (object, object_id, revision) \
     ON u.object = o.object AND u.object_id = o.object_id AND u.revision < o.revision \
     WHERE u.portal_id = $1 AND (u.stamp, u.batch, u.ordinal) > ($2, $3, $4)";

/// Payloads stay where they are: only keys come here and go back.
const PUBLISH: &str = "INSERT INTO events (portal_id, position, kind, object, object_id, revision, occurred_at, payload) \
     SELECT u.portal_id, $2::bigint + k.place, u.kind, u.object, u.object_id, u.revision, u.occurred_at, u.payload \
     FROM unnest($3::bigint[], $4::bigint[], $5::bigint[]) WITH ORDINALITY AS k (stamp, batch, ordinal, place) \
     JOIN unnumbered_events u ON u.stamp = k.stamp AND u.batch = k.batch AND u.ordinal = k.ordinal \
     WHERE u.portal_id = $1";

const FORGET: &str = "DELETE FROM unnumbered_events u \
     USING unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS k (stamp, batch, ordinal) \
     WHERE u.portal_id = $1 AND u.stamp = k.stamp AND u.batch = k.batch AND u.ordinal = k.ordinal";

const RAISE: &str = "UPDATE counters SET event_position = $2 WHERE portal_id = $1";

const STANDING: &str = "SELECT event_position, EXISTS (SELECT FROM unnumbered_events WHERE portal_id = $1) \
     FROM counters WHERE portal_id = $1";

const AFTER: &str = "SELECT w.waiting, e.position, e.kind, e.object, e.object_id, e.revision, e.occurred_at, e.payload \
     FROM (SELECT EXISTS (SELECT FROM unnumbered_events WHERE portal_id = $1) AS waiting) w \
     LEFT JOIN (SELECT * FROM events WHERE portal_id = $1 AND position > $2 ORDER BY position LIMIT $3) e \
     ON true ORDER BY e.position";

/// What decides about the place of an event that waits for one. The first three name it, in the order that it has by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    /// When it was recorded, by the database's clock of then.
    stamp: i64,
    /// The transaction that recorded it, and which of its events it is.
    batch: i64,
    ordinal: i64,
    object: i16,
    object_id: i64,
    revision: i64,
}

/// By time; but the places that an object's events occupy are theirs in order of revision, for a clock may go back when
/// another server takes over.
fn ordered(mut waiting: Vec<Waiting>) -> Vec<Waiting> {
    waiting.sort_unstable();
    let mut places: Vec<usize> = (0..waiting.len()).collect();
    places.sort_by_key(|&place| (waiting[place].object, waiting[place].object_id));
    let mut sources = places.clone();
    sources.sort_by_key(|&place| {
        let Waiting { object, object_id, revision, .. } = waiting[place];
        (object, object_id, revision)
    });
    let mut ordered = waiting.clone();
    for (place, source) in places.into_iter().zip(sources) {
        ordered[place] = waiting[source];
    }
    ordered
}

/// What came of numbering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbered {
    /// Position of the portal's newest event.
    pub position: i64,
    /// How many events were given positions.
    pub events: usize,
    /// Whether that is everything that was recorded before.
    pub all: bool,
}

/// Where a portal's spine stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub position: i64,
    /// Whether there are events behind it that have no position yet.
    pub waiting: bool,
}

/// A transaction that is undone when it is given up half-way, by an error or by whoever waited for it.
struct Open<'a>(Option<&'a ClientWrapper>);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.0 {
            // Sent at once and answered to nobody: the connection's next statement comes behind it.
            let _ = client.batch_execute("ROLLBACK").now_or_never();
        }
    }
}

/// Prepares what numbering needs, before many ask for it at once.
pub(super) async fn prepare(client: &ClientWrapper) -> Result<()> {
    for sql in [LOCK, WAITING, PUBLISH, FORGET, RAISE, STANDING] {
        client.prepare_cached(sql).await?;
    }
    Ok(())
}

/// Gives positions to events that wait for them, at most so many at a time. `None` when there is no such portal.
pub(super) async fn number(client: &ClientWrapper, portal: PortalId) -> Result<Option<Numbered>> {
    let (lock, waiting) = (client.prepare_cached(LOCK).await?, client.prepare_cached(WAITING).await?);
    let (publish, forget) = (client.prepare_cached(PUBLISH).await?, client.prepare_cached(FORGET).await?);
    let raise = client.prepare_cached(RAISE).await?;

    let mut open = Open(Some(client));
    let (begun, position, keys) = join3(
        client.batch_execute(BEGIN),
        client.query_opt(&lock, &[&portal.0]),
        client.query(&waiting, &[&portal.0, &(MOST as i64)]),
    )
    .await;
    begun?;
    let Some(position) = position? else { return Ok(None) };
    let position: i64 = position.try_get(0)?;
    let mut keys = keys?.iter().map(key).collect::<Result<Vec<_>>>()?;
    let all = keys.len() < MOST;
    if keys.is_empty() {
        return Ok(Some(Numbered { position, events: 0, all }));
    }
    if !all {
        let passed_over = passed_over(client, portal, &keys).await?;
        keys.extend(passed_over);
    }
    let keys = ordered(keys);
    let column = |of: fn(&Waiting) -> i64| keys.iter().map(of).collect::<Vec<i64>>();
    let (stamps, batches, ordinals) =
        (column(|key| key.stamp), column(|key| key.batch), column(|key| key.ordinal));
    let newest = position + keys.len() as i64;
    let (published, forgotten, raised) = join3(
        client.execute(&publish, &[&portal.0, &position, &stamps, &batches, &ordinals]),
        client.execute(&forget, &[&portal.0, &stamps, &batches, &ordinals]),
        client.execute(&raise, &[&portal.0, &newest]),
    )
    .await;
    let (published, forgotten) = (published?, forgotten?);
    raised?;
    if (published, forgotten) != (keys.len() as u64, keys.len() as u64) {
        return Err(Failure::Told(StoreError::Damaged("events vanished while they were numbered".into())));
    }
    client.batch_execute("COMMIT").await?;
    open.0 = None;
    Ok(Some(Numbered { position: newest, events: keys.len(), all }))
}

/// A clock that went back may have left earlier revisions behind later ones. Whoever takes only a part takes them along.
async fn passed_over(client: &ClientWrapper, portal: PortalId, taken: &[Waiting]) -> Result<Vec<Waiting>> {
    let Some(last) = taken.last() else { return Ok(Vec::new()) };
    let mut newest: Vec<_> = taken.iter().map(|key| (key.object, key.object_id, key.revision)).collect();
    newest.sort_unstable_by(|a, b| b.cmp(a));
    newest.dedup_by_key(|(object, id, _)| (*object, *id));
    let kinds: Vec<i16> = newest.iter().map(|(object, ..)| *object).collect();
    let ids: Vec<i64> = newest.iter().map(|(_, id, _)| *id).collect();
    let revisions: Vec<i64> = newest.iter().map(|(.., revision)| *revision).collect();
    let values: Values<'_> = &[&portal.0, &last.stamp, &last.batch, &last.ordinal, &kinds, &ids, &revisions];
    rows(client, PASSED_OVER, values).await?.iter().map(key).collect()
}

fn key(row: &Row) -> Result<Waiting> {
    Ok(Waiting {
        stamp: row.try_get(0)?,
        batch: row.try_get(1)?,
        ordinal: row.try_get(2)?,
        object: row.try_get(3)?,
        object_id: row.try_get(4)?,
        revision: row.try_get(5)?,
    })
}

/// Where a portal stands; `None` when there is no such portal.
pub(super) async fn standing(client: &ClientWrapper, portal: PortalId) -> Result<Option<Standing>> {
    let Some(row) = row(client, STANDING, &[&portal.0]).await? else { return Ok(None) };
    Ok(Some(Standing { position: row.try_get(0)?, waiting: row.try_get(1)? }))
}

/// Position of the newest event of those that were recorded before.
pub(super) async fn newest(client: &ClientWrapper, portal: PortalId) -> Result<i64> {
    match standing(client, portal).await? {
        None => Ok(0),
        Some(standing) if !standing.waiting => Ok(standing.position),
        Some(_) => loop {
            match number(client, portal).await? {
                None => return Ok(0),
                Some(numbered) if numbered.all => return Ok(numbered.position),
                Some(_) => {}
            }
        },
    }
}

/// Events behind a position. Whoever reads sees everything that was recorded before: what waits is numbered first, unless
/// the page is full without it.
pub(super) async fn after(
    client: &ClientWrapper,
    portal: PortalId,
    position: i64,
    limit: usize,
) -> Result<Vec<Event>> {
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut all = false;
    loop {
        let found = rows(client, AFTER, &[&portal.0, &position, &most]).await?;
        let waiting = found.first().map_or(Ok(false), |row| row.try_get(0))?;
        let events = found.iter().filter_map(|row| event(row).transpose()).collect::<Result<Vec<_>>>()?;
        if all || !waiting || events.len() >= limit {
            return Ok(events);
        }
        all = number(client, portal).await?.is_none_or(|numbered| numbered.all);
    }
}

/// `None` for the row that stands there when there is no event.
fn event(row: &Row) -> Result<Option<Event>> {
    let Some(position) = row.try_get(1)? else { return Ok(None) };
    Ok(Some(Event {
        position,
        kind: kind(row.try_get(2)?)?,
        object: object(row.try_get(3)?)?,
        object_id: row.try_get(4)?,
        revision: row.try_get(5)?,
        occurred_at: row.try_get(6)?,
        payload: row.try_get(7)?,
    }))
}

fn kind(value: i16) -> Result<EventKind> {
    Ok(EventKind::stored(value.into())?)
}

fn object(value: i16) -> Result<ObjectKind> {
    Ok(ObjectKind::stored(value.into())?)
}

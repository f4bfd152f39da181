//! The spine. Writers leave their events without positions; whoever numbers them does it under the portal's counters.
//!
//! A number is given to what is committed, so none is ever below one that was read. Of two events of one object the later
//! was recorded under a lock that the earlier had to give up first; so the later is never seen without the earlier, and
//! what is numbered together is put in order by revision.

#[cfg(test)]
mod tests;

use deadpool_postgres::ClientWrapper;
use futures_util::FutureExt;
use futures_util::future::{join, join3};
use tokio_postgres::Row;

use super::failure::Result;
use super::readers::{Values, execute, row, rows};
use crate::retention::{Retention, STEP};
use crate::{Event, EventKind, Millis, ObjectKind, PortalId};

/// Most events numbered in one transaction: other writers of the portal may have to wait for it.
const MOST: usize = 1_000;

/// Whoever stops in the middle of numbering is thrown out soon: the portal's counters are wanted by others.
const BEGIN: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 1000";

const LOCK: &str = "SELECT event_position FROM counters WHERE portal_id = $1 FOR UPDATE";

/// What [`taken`] reads.
const TAKEN: &str =
    "u.stamp, u.batch, u.ordinal, u.object, u.object_id, u.revision, u.kind, u.occurred_at, u.payload";

/// Takes what waits in the order of time, until it is about as much as asked for.
const TAKE: &str = "DELETE FROM unnumbered_events u WHERE u.portal_id = $1 AND u.stamp <= coalesce((SELECT stamp \
     FROM unnumbered_events WHERE portal_id = $1 ORDER BY stamp, batch, ordinal OFFSET $2 LIMIT 1), 9223372036854775807) \
     RETURNING ";

/// Of the objects named, takes what still waits and was recorded before a revision.
const TAKE_ALONG: &str = "DELETE FROM unnumbered_events u \
     USING unnest($2::smallint[], $3::bigint[], $4::bigint[]) AS o (object, object_id, revision) \
     WHERE u.portal_id = $1 AND u.object = o.object AND u.object_id = o.object_id AND u.revision < o.revision RETURNING ";

const PUBLISH: &str = "INSERT INTO events (portal_id, position, kind, object, object_id, revision, occurred_at, payload) \
     SELECT $1, $2::bigint + n.place, n.kind, n.object, n.object_id, n.revision, n.occurred_at, n.payload \
     FROM unnest($3::smallint[], $4::smallint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[]) WITH ORDINALITY \
     AS n (kind, object, object_id, revision, occurred_at, payload, place)";

const RAISE: &str = "UPDATE counters SET event_position = $2 WHERE portal_id = $1";

const STANDING: &str = "SELECT event_position, EXISTS (SELECT FROM unnumbered_events WHERE portal_id = $1) \
     FROM counters WHERE portal_id = $1";

const AFTER: &str = "SELECT w.waiting, e.position, e.kind, e.object, e.object_id, e.revision, e.occurred_at, e.payload \
     FROM (SELECT EXISTS (SELECT FROM unnumbered_events WHERE portal_id = $1) AS waiting) w \
     LEFT JOIN (SELECT * FROM events WHERE portal_id = $1 AND position > $2 ORDER BY position LIMIT $3) e \
     ON true ORDER BY e.position";

/// The newest event, and up to where everybody has read and waits for nothing.
const READ: &str = "SELECT c.event_position, (SELECT min(position) FROM (SELECT position FROM cursors WHERE portal_id = $1 \
     UNION ALL SELECT position - 1 FROM deliveries WHERE portal_id = $1 AND due_at IS NOT NULL) r) \
     FROM counters c WHERE c.portal_id = $1";

const OLDEST: &str =
    "SELECT position, occurred_at FROM events WHERE portal_id = $1 ORDER BY position LIMIT $2";

const NUMBERED: &str = "SELECT NULL, position, kind, object, object_id, revision, occurred_at, payload FROM events \
     WHERE portal_id = $1 AND position > $2 ORDER BY position LIMIT $3";

const FIRST: &str = "SELECT position FROM events WHERE portal_id = $1 ORDER BY position LIMIT 1";

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

/// An event without its place, as it was recorded.
struct Taken {
    waiting: Waiting,
    kind: i16,
    occurred_at: i64,
    payload: String,
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
pub(super) struct Open<'a>(pub Option<&'a ClientWrapper>);

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
    for sql in [LOCK, &take(), PUBLISH, RAISE, STANDING] {
        client.prepare_cached(sql).await?;
    }
    Ok(())
}

fn take() -> String {
    format!("{TAKE}{TAKEN}")
}

/// Gives positions to events that wait for them, at most about so many at a time. `None` when there is no such portal.
pub(super) async fn number(client: &ClientWrapper, portal: PortalId) -> Result<Option<Numbered>> {
    let (lock, take) = (client.prepare_cached(LOCK).await?, client.prepare_cached(&take()).await?);
    let mut open = Open(Some(client));
    let (begun, position, found) = join3(
        client.batch_execute(BEGIN),
        client.query_opt(&lock, &[&portal.0]),
        client.query(&take, &[&portal.0, &(MOST as i64 - 1)]),
    )
    .await;
    begun?;
    let Some(position) = position? else { return Ok(None) };
    let position: i64 = position.try_get(0)?;
    let found = found?.iter().map(taken).collect::<Result<Vec<_>>>()?;
    let all = found.len() < MOST;
    if found.is_empty() {
        return Ok(Some(Numbered { position, events: 0, all }));
    }
    let newest = place(client, portal, position, found).await?;
    client.batch_execute("COMMIT").await?;
    open.0 = None;
    Ok(Some(Numbered { position: newest, events: (newest - position) as usize, all }))
}

/// Gives positions to everything that waits for one, in the transaction of whoever holds the portal's counters; the newest.
pub(super) async fn number_all(client: &ClientWrapper, portal: PortalId) -> Result<i64> {
    let held = row(client, LOCK, &[&portal.0]).await?;
    let mut position = held.map_or(Ok(0), |row| row.try_get(0))?;
    loop {
        let found = rows(client, &take(), &[&portal.0, &(MOST as i64 - 1)]).await?;
        let found = found.iter().map(taken).collect::<Result<Vec<_>>>()?;
        if found.is_empty() {
            return Ok(position);
        }
        position = place(client, portal, position, found).await?;
    }
}

/// Publishes what was taken; the position of the newest.
async fn place(
    client: &ClientWrapper,
    portal: PortalId,
    position: i64,
    mut found: Vec<Taken>,
) -> Result<i64> {
    let (publish, raise) = (client.prepare_cached(PUBLISH).await?, client.prepare_cached(RAISE).await?);
    if found.len() >= MOST {
        let along = take_along(client, portal, &found).await?;
        found.extend(along);
    }
    let places = ordered(found.iter().map(|taken| taken.waiting).collect());
    found.sort_unstable_by_key(|taken| taken.waiting);
    let at = |place: &Waiting| found.binary_search_by_key(place, |taken| taken.waiting).ok();
    let found: Vec<&Taken> = places.iter().filter_map(at).filter_map(|at| found.get(at)).collect();
    let column = |of: fn(&Taken) -> i64| found.iter().map(|taken| of(taken)).collect::<Vec<_>>();
    let kinds: Vec<i16> = found.iter().map(|taken| taken.kind).collect();
    let objects: Vec<i16> = found.iter().map(|taken| taken.waiting.object).collect();
    let (ids, revisions) = (column(|taken| taken.waiting.object_id), column(|taken| taken.waiting.revision));
    let times = column(|taken| taken.occurred_at);
    let payloads: Vec<&str> = found.iter().map(|taken| taken.payload.as_str()).collect();
    let newest = position + found.len() as i64;
    let values: Values<'_> = &[&portal.0, &position, &kinds, &objects, &ids, &revisions, &times, &payloads];
    let (published, raised) =
        join(client.execute(&publish, values), client.execute(&raise, &[&portal.0, &newest])).await;
    published?;
    raised?;
    Ok(newest)
}

/// A clock that went back may have left earlier revisions behind later ones. Whoever takes only a part takes them along.
async fn take_along(client: &ClientWrapper, portal: PortalId, found: &[Taken]) -> Result<Vec<Taken>> {
    let mut newest: Vec<_> = found
        .iter()
        .map(|taken| (taken.waiting.object, taken.waiting.object_id, taken.waiting.revision))
        .collect();
    newest.sort_unstable_by(|a, b| b.cmp(a));
    newest.dedup_by_key(|(object, id, _)| (*object, *id));
    let kinds: Vec<i16> = newest.iter().map(|(object, ..)| *object).collect();
    let ids: Vec<i64> = newest.iter().map(|(_, id, _)| *id).collect();
    let revisions: Vec<i64> = newest.iter().map(|(.., revision)| *revision).collect();
    let values: Values<'_> = &[&portal.0, &kinds, &ids, &revisions];
    rows(client, &format!("{TAKE_ALONG}{TAKEN}"), values).await?.iter().map(taken).collect()
}

fn taken(row: &Row) -> Result<Taken> {
    let waiting = Waiting {
        stamp: row.try_get(0)?,
        batch: row.try_get(1)?,
        ordinal: row.try_get(2)?,
        object: row.try_get(3)?,
        object_id: row.try_get(4)?,
        revision: row.try_get(5)?,
    };
    Ok(Taken { waiting, kind: row.try_get(6)?, occurred_at: row.try_get(7)?, payload: row.try_get(8)? })
}

/// Where a portal stands; `None` when there is no such portal.
pub(super) async fn standing(client: &ClientWrapper, portal: PortalId) -> Result<Option<Standing>> {
    let Some(row) = row(client, STANDING, &[&portal.0]).await? else { return Ok(None) };
    Ok(Some(Standing { position: row.try_get(0)?, waiting: row.try_get(1)? }))
}

/// Position of the oldest event that is kept.
pub(super) async fn oldest(client: &ClientWrapper, portal: PortalId) -> Result<Option<i64>> {
    Ok(row(client, FIRST, &[&portal.0]).await?.map(|row| row.try_get(0)).transpose()?)
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

/// Forgets the oldest events, as far as retention has it. Cursors and counters only go up, so nothing has to be held meanwhile.
pub(super) async fn purge(
    client: &ClientWrapper,
    portal: PortalId,
    before: Millis,
    most_before: Millis,
) -> Result<u64> {
    let Some(standing) = row(client, READ, &[&portal.0]).await? else { return Ok(0) };
    let newest: i64 = standing.try_get(0)?;
    let passed: Option<i64> = standing.try_get(1)?;
    let retention = Retention { before, most_before, passed: passed.unwrap_or(newest), newest };
    let oldest = rows(client, OLDEST, &[&portal.0, &(STEP as i64)]).await?;
    let oldest =
        oldest.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<Vec<_>>>()?;
    let Some(last) = retention.gone(oldest) else { return Ok(0) };
    execute(client, "DELETE FROM events WHERE portal_id = $1 AND position <= $2", &[&portal.0, &last]).await
}

/// Events behind a position that have places already.
pub(super) async fn numbered(
    client: &ClientWrapper,
    portal: PortalId,
    position: i64,
    limit: usize,
) -> Result<Vec<Event>> {
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = rows(client, NUMBERED, &[&portal.0, &position, &most]).await?;
    found.iter().filter_map(|row| event(row).transpose()).collect()
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

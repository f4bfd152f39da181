//! Cursors of readers, what they could not deliver, and the log of what they sent.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::batch::Batch;
use super::failure::Result;
use super::{Answer, Engine};
use crate::cursors::{Which, told_sum, touched};
use crate::*;

const DELIVERY: &str =
    "position, subscription_id, object_id, attempts, first_at, last_at, due_at, loose, error FROM deliveries";

const ATTEMPT: &str = "id, at, url, succeeded, status, error, millis, excerpt, events FROM attempts";

/// Begins and ends readers as a change of the directory wants, and drops what nobody waits for any more.
pub(super) fn switch(
    conn: &Connection,
    before: &Directory,
    after: &Directory,
    changes: &[DirectoryChange],
    position: i64,
) -> Result<()> {
    let portal = after.portal.id;
    let epoch = Cursor::begins(before.revision + 1);
    let (apps, all) = touched(before, after, changes);
    for app in all {
        for reader in Reader::ALL {
            match (before.reads(reader, app), after.reads(reader, app)) {
                (false, true) => {
                    begin(conn, portal, reader, app, Cursor { position, epoch, next_entry: 1 })?;
                }
                (true, false) => end(conn, portal, reader, app)?,
                _ => {}
            }
        }
    }
    for app in apps {
        let told = told_sum(after, app);
        conn.prepare_cached("UPDATE apps SET told = (told & 4) | ?3 WHERE id = ?2 AND portal_id = ?1")?
            .execute([portal.0, app.0, told])?;
    }
    for change in changes {
        if let DirectoryChange::Subscription(one) = change
            && (!one.active || one.deleted_at.is_some())
        {
            let sql = "DELETE FROM deliveries WHERE portal_id = ?1 AND app_id = ?2 AND subscription_id = ?3";
            conn.prepare_cached(sql)?.execute([portal.0, one.app_id.0, one.id.0])?;
        }
    }
    Ok(())
}

/// Begins a reader, in place of one that there may be. What it numbers goes on behind what there is.
fn begin(conn: &Connection, portal: PortalId, reader: Reader, app: AppId, at: Cursor) -> Result<()> {
    let sql = format!(
        "INSERT OR REPLACE INTO cursors VALUES (?1, ?2, ?3, ?4, ?5, 1 + coalesce((SELECT max(id) FROM {} \
         WHERE portal_id = ?1 AND app_id = ?3), 0))",
        reader.entries()
    );
    let values = params![portal.0, reader as u8, app.0, at.position, at.epoch];
    conn.prepare_cached(&sql)?.execute(values)?;
    Ok(())
}

fn end(conn: &Connection, portal: PortalId, reader: Reader, app: AppId) -> Result<()> {
    let sql = "DELETE FROM cursors WHERE portal_id = ?1 AND reader = ?2 AND app_id = ?3";
    conn.prepare_cached(sql)?.execute(params![portal.0, reader as u8, app.0])?;
    if reader == Reader::Webhooks {
        let sql = "DELETE FROM deliveries WHERE portal_id = ?1 AND app_id = ?2";
        conn.prepare_cached(sql)?.execute([portal.0, app.0])?;
    }
    Ok(())
}

fn stands(conn: &Connection, portal: PortalId, reader: Reader, app: AppId) -> Result<Option<Cursor>> {
    let sql = "SELECT position, epoch, next_entry FROM cursors WHERE portal_id = ?1 AND reader = ?2 AND app_id = ?3";
    let found = conn.prepare_cached(sql)?.query_row(params![portal.0, reader as u8, app.0], cursor);
    Ok(found.optional()?)
}

fn told(conn: &Connection, which: Which, now: Millis) -> Result<Vec<Told>> {
    let mut sql = conn.prepare_cached(
        "SELECT portal_id, id FROM apps WHERE told & ?1 <> 0 AND told <> 0 \
         UNION ALL SELECT i.portal_id, a.id FROM apps a JOIN installs i ON i.app_id = a.id WHERE a.told & ?2 <> 0 \
         AND a.told <> 0 AND i.uninstalled_at IS NULL AND i.home_id <> i.portal_id \
         UNION ALL SELECT i.portal_id, a.id FROM installs i JOIN apps a ON a.id = i.app_id WHERE i.uninstalled_at >= ?3 \
         AND a.told & ?2 <> 0 AND i.home_id <> i.portal_id ORDER BY 2, 1",
    )?;
    let found = sql.query_map([which.home, which.away, which.since(now)], |row| {
        Ok(Told { portal: PortalId(row.get(0)?), app: AppId(row.get(1)?) })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn take(conn: &Connection, portal: PortalId, reader: Reader, app: AppId) -> Result<Option<Cursor>> {
    let sql = "UPDATE cursors SET epoch = epoch + 1 WHERE portal_id = ?1 AND reader = ?2 AND app_id = ?3 \
               RETURNING position, epoch, next_entry";
    let taken = conn.prepare_cached(sql)?.query_row(params![portal.0, reader as u8, app.0], cursor);
    Ok(taken.optional()?)
}

fn cursor(row: &Row<'_>) -> rusqlite::Result<Cursor> {
    Ok(Cursor { position: row.get(0)?, epoch: row.get(1)?, next_entry: row.get(2)? })
}

/// Moves a cursor on; `false` when somebody else has taken it.
pub(super) fn advance(
    conn: &Connection,
    portal: PortalId,
    reader: Reader,
    app: AppId,
    to: Cursor,
) -> Result<bool> {
    let sql = "UPDATE cursors SET position = ?5, next_entry = ?6 \
               WHERE portal_id = ?1 AND reader = ?2 AND app_id = ?3 AND epoch = ?4";
    let values = params![portal.0, reader as u8, app.0, to.epoch, to.position, to.next_entry];
    Ok(conn.prepare_cached(sql)?.execute(values)? == 1)
}

fn progress(batch: &mut Batch<'_>, portal: PortalId, app: AppId, done: &Progress) -> Result<bool> {
    let conn = batch.conn;
    let to = Cursor { position: done.position, epoch: done.epoch, next_entry: done.next_entry };
    if !advance(conn, portal, Reader::Webhooks, app, to)? {
        return Ok(false);
    }
    batch.written = true;
    for attempt in &done.attempts {
        // Whoever heard no answer writes it once more.
        conn.prepare_cached(
            "INSERT OR REPLACE INTO attempts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            portal.0,
            app.0,
            attempt.id,
            attempt.at,
            attempt.url,
            attempt.succeeded,
            attempt.status,
            attempt.error,
            attempt.millis,
            attempt.excerpt,
            attempt.events
        ])?;
    }
    put(conn, portal, app, &done.failed)?;
    for (position, subscription) in &done.done {
        let sql = "DELETE FROM deliveries WHERE portal_id = ?1 AND app_id = ?2 AND position = ?3 AND subscription_id = ?4";
        conn.prepare_cached(sql)?.execute([portal.0, app.0, *position, subscription.0])?;
    }
    Ok(true)
}

fn put(conn: &Connection, portal: PortalId, app: AppId, deliveries: &[Delivery]) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO deliveries VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let mut sql = conn.prepare_cached(sql)?;
    for one in deliveries {
        sql.execute(params![
            portal.0,
            app.0,
            one.position,
            one.subscription_id.0,
            one.object_id,
            one.attempts,
            one.first_at,
            one.last_at,
            one.due_at,
            one.error,
            one.loose
        ])?;
    }
    Ok(())
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        position: row.get(0)?,
        subscription_id: SubscriptionId(row.get(1)?),
        object_id: row.get(2)?,
        attempts: row.get(3)?,
        first_at: row.get(4)?,
        last_at: row.get(5)?,
        due_at: row.get(6)?,
        loose: row.get(7)?,
        error: row.get(8)?,
    })
}

fn attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    Ok(Attempt {
        id: row.get(0)?,
        at: row.get(1)?,
        url: row.get(2)?,
        succeeded: row.get(3)?,
        status: row.get(4)?,
        error: row.get(5)?,
        millis: row.get(6)?,
        excerpt: row.get(7)?,
        events: row.get(8)?,
    })
}

/// Deliveries behind a place, in the order of their events.
pub(super) fn deliveries(
    conn: &Connection,
    portal: PortalId,
    app: AppId,
    state: DeliveryState,
    after: Option<(i64, SubscriptionId)>,
    limit: usize,
) -> Result<Vec<Delivery>> {
    let (index, which) = match state {
        DeliveryState::Waiting => ("deliveries_waiting", "IS NOT NULL"),
        DeliveryState::GivenUp => ("deliveries_given_up", "IS NULL"),
    };
    let sql = format!(
        "SELECT {DELIVERY} INDEXED BY {index} WHERE portal_id = ?1 AND app_id = ?2 AND (position, subscription_id) > (?3, ?4) \
         AND due_at {which} ORDER BY position, subscription_id LIMIT ?5"
    );
    let (position, subscription) = after.map_or((i64::MIN, i64::MIN), |(position, id)| (position, id.0));
    let mut sql = conn.prepare_cached(&sql)?;
    let found = sql.query_map([portal.0, app.0, position, subscription, limit as i64], delivery)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// How many deliveries an app has, each counted up to a bound.
pub(super) fn deliveries_count(
    conn: &Connection,
    portal: PortalId,
    app: AppId,
    most: usize,
) -> Result<Undelivered> {
    let count = |index: &str, which: &str| {
        format!(
            "SELECT count(*) FROM (SELECT 1 FROM deliveries INDEXED BY {index} WHERE portal_id = ?1 AND app_id = ?2 \
             AND due_at {which} LIMIT ?3)"
        )
    };
    let sql = format!(
        "SELECT ({}), ({})",
        count("deliveries_waiting", "IS NOT NULL"),
        count("deliveries_given_up", "IS NULL")
    );
    let read = |row: &Row<'_>| Ok(Undelivered { waiting: row.get(0)?, given_up: row.get(1)? });
    Ok(conn.prepare_cached(&sql)?.query_row([portal.0, app.0, most as i64], read)?)
}

/// Requests that were sent to an app, the newest first.
pub(super) fn attempts(
    conn: &Connection,
    portal: PortalId,
    app: AppId,
    query: &AttemptQuery,
) -> Result<AttemptPage> {
    let edge = |order: &str| {
        let sql = format!(
            "SELECT id FROM attempts WHERE portal_id = ?1 AND app_id = ?2 ORDER BY id {order} LIMIT 1"
        );
        let found = conn.prepare_cached(&sql)?.query_row([portal.0, app.0], |row| row.get(0)).optional();
        found.map(Option::unwrap_or_default)
    };
    let (newest, oldest) =
        if query.examines() { (edge("DESC")?, edge("ASC")?) } else { (i64::MAX, i64::MIN) };
    let (start, end) = query.range(newest);
    let (index, outcome) = match query.succeeded {
        Some(_) => ("INDEXED BY attempts_by_outcome", "AND succeeded = ?8"),
        None => ("", ""),
    };
    let sql = format!(
        "SELECT {ATTEMPT} {index} WHERE portal_id = ?1 AND app_id = ?2 {outcome} AND id >= ?3 AND id < ?4 AND at >= ?5 \
         AND (?6 IS NULL OR status = ?6) ORDER BY id DESC LIMIT ?7"
    );
    let mut sql = conn.prepare_cached(&sql)?;
    let (since, limit) = (query.since.unwrap_or(i64::MIN), query.limit as i64 + 1);
    let values = params![portal.0, app.0, start, end, since, query.status, limit, query.succeeded];
    let known = sql.parameter_count();
    for (at, value) in (1..=known).zip(values) {
        sql.raw_bind_parameter(at, value)?;
    }
    let found = sql.raw_query().mapped(attempt).collect::<rusqlite::Result<_>>()?;
    Ok(query.page(found, start, oldest))
}

impl Engine {
    pub(crate) fn told(&self, which: Which) -> Answer<Vec<Told>> {
        let now = self.now();
        self.read(|conn| told(conn, which, now))
    }

    pub(crate) fn cursor(&self, portal: PortalId, reader: Reader, app: AppId) -> Answer<Option<Cursor>> {
        self.read(|conn| stands(conn, portal, reader, app))
    }

    pub(crate) async fn cursor_begin(
        &self,
        portal: PortalId,
        reader: Reader,
        app: AppId,
        at: Cursor,
    ) -> Answer<()> {
        self.submit(move |batch| {
            if stands(batch.conn, portal, reader, app)?.is_none() {
                batch.written = true;
                begin(batch.conn, portal, reader, app, at)?;
            }
            Ok(())
        })
        .await
    }

    pub(crate) async fn cursor_end(&self, portal: PortalId, reader: Reader, app: AppId) -> Answer<()> {
        self.submit(move |batch| {
            if stands(batch.conn, portal, reader, app)?.is_some() {
                batch.written = true;
                end(batch.conn, portal, reader, app)?;
            }
            Ok(())
        })
        .await
    }

    pub(crate) async fn cursor_take(
        &self,
        portal: PortalId,
        reader: Reader,
        app: AppId,
    ) -> Answer<Option<Cursor>> {
        self.submit(move |batch| {
            let taken = take(batch.conn, portal, reader, app)?;
            batch.written |= taken.is_some();
            Ok(taken)
        })
        .await
    }

    pub(crate) async fn progress(&self, portal: PortalId, app: AppId, done: Progress) -> Answer<bool> {
        self.submit(move |batch| progress(batch, portal, app, &done)).await
    }

    pub(crate) fn deliveries_due(
        &self,
        portal: PortalId,
        app: AppId,
        now: Millis,
        limit: usize,
    ) -> Answer<Vec<Delivery>> {
        let sql = format!(
            "SELECT {DELIVERY} WHERE portal_id = ?1 AND app_id = ?2 AND due_at <= ?3 \
             ORDER BY due_at, position LIMIT ?4"
        );
        self.read(|conn| {
            let mut sql = conn.prepare_cached(&sql)?;
            let found = sql.query_map([portal.0, app.0, now, limit as i64], delivery)?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })
    }

    pub(crate) fn deliveries(
        &self,
        portal: PortalId,
        app: AppId,
        state: DeliveryState,
        after: Option<(i64, SubscriptionId)>,
        limit: usize,
    ) -> Answer<Vec<Delivery>> {
        self.read(|conn| deliveries(conn, portal, app, state, after, limit))
    }

    pub(crate) fn deliveries_count(&self, portal: PortalId, app: AppId, most: usize) -> Answer<Undelivered> {
        self.read(|conn| deliveries_count(conn, portal, app, most))
    }

    pub(crate) async fn deliveries_put(
        &self,
        portal: PortalId,
        app: AppId,
        deliveries: Vec<Delivery>,
    ) -> Answer<()> {
        self.submit(move |batch| {
            batch.written = true;
            put(batch.conn, portal, app, &deliveries)
        })
        .await
    }

    pub(crate) async fn deliveries_again(
        &self,
        portal: PortalId,
        app: AppId,
        since: Millis,
        now: Millis,
    ) -> Answer<u64> {
        self.submit(move |batch| {
            batch.written = true;
            let sql = "UPDATE deliveries SET due_at = ?4, loose = loose OR due_at IS NULL \
                       WHERE portal_id = ?1 AND app_id = ?2 AND last_at >= ?3";
            Ok(batch.conn.prepare_cached(sql)?.execute([portal.0, app.0, since, now])? as u64)
        })
        .await
    }

    pub(crate) fn attempts(&self, portal: PortalId, app: AppId, query: &AttemptQuery) -> Answer<AttemptPage> {
        self.read(|conn| attempts(conn, portal, app, query))
    }

    pub(crate) fn attempt_by_id(&self, portal: PortalId, app: AppId, id: i64) -> Answer<Option<Attempt>> {
        let sql = format!("SELECT {ATTEMPT} WHERE portal_id = ?1 AND app_id = ?2 AND id = ?3");
        self.read(|conn| {
            Ok(conn.prepare_cached(&sql)?.query_row([portal.0, app.0, id], attempt).optional()?)
        })
    }

    pub(crate) async fn deliveries_purge(
        &self,
        portal: PortalId,
        app: AppId,
        before: Millis,
        limit: usize,
    ) -> Answer<u64> {
        self.submit(move |batch| {
            batch.written = true;
            let conn = batch.conn;
            // Both are about as old as their numbers say: whoever comes to a younger one has seen them all.
            let attempts = "DELETE FROM attempts WHERE portal_id = ?1 AND app_id = ?2 AND at < ?3 AND id IN \
                (SELECT id FROM attempts WHERE portal_id = ?1 AND app_id = ?2 ORDER BY id LIMIT ?4)";
            let given_up = "DELETE FROM deliveries WHERE portal_id = ?1 AND app_id = ?2 AND due_at IS NULL \
                AND last_at < ?3 AND position IN (SELECT position FROM deliveries WHERE portal_id = ?1 AND app_id = ?2 \
                AND due_at IS NULL ORDER BY position LIMIT ?4)";
            let mut gone = 0;
            for sql in [attempts, given_up] {
                let values = [portal.0, app.0, before, limit as i64];
                gone += conn.prepare_cached(sql)?.execute(values)? as u64;
            }
            Ok(gone)
        })
        .await
    }
}

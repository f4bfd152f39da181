//! Cursors of readers, what they could not deliver, and the log of what they sent.

use std::collections::BTreeMap;

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::connect::answered;
use super::events::{self, Open};
use super::failure::{Failure, Result};
use super::readers::{self, Values, execute, row, rows};
use super::{ANSWER, Answer, Engine};
use crate::cursors::{Which, told_sum, touched};
use crate::*;

const DELIVERY: &str =
    "position, subscription_id, object_id, attempts, first_at, last_at, due_at, loose, error FROM deliveries";

const ATTEMPT: &str = "id, at, url, succeeded, status, error, millis, excerpt, events FROM attempts";

/// What a lost write would cost is a delivery that is made again, so nobody waits for its sync.
const BEGIN: &str =
    "BEGIN; SET LOCAL synchronous_commit = off; SET LOCAL idle_in_transaction_session_timeout = 1000";

/// Begins and ends readers as a change of the directory wants, and drops what nobody waits for any more. The portal's counters
/// are held.
pub(super) async fn switch(
    client: &ClientWrapper,
    before: &Directory,
    after: &Directory,
    changes: &[DirectoryChange],
) -> Result<()> {
    let portal = after.portal.id;
    let epoch = Cursor::begins(before.revision + 1);
    let (apps, all) = touched(before, after, changes);
    for app in all {
        for reader in Reader::ALL {
            match (before.reads(reader, app), after.reads(reader, app)) {
                (false, true) => {
                    // What was recorded before gets its position now, so that it lies before the reader's.
                    let position = events::number_all(client, portal).await?;
                    begin(client, portal, reader, app, Cursor { position, epoch, next_entry: 1 }, REPLACED)
                        .await?;
                }
                (true, false) => end(client, portal, reader, app).await?,
                _ => {}
            }
        }
    }
    for app in apps {
        let told = told_sum(after, app);
        let sql = "UPDATE apps SET told = (told & 4) | $3 WHERE id = $2 AND portal_id = $1";
        execute(client, sql, &[&portal.0, &app.0, &told]).await?;
    }
    for change in changes {
        if let DirectoryChange::Subscription(one) = change
            && (!one.active || one.deleted_at.is_some())
        {
            let sql = "DELETE FROM deliveries WHERE portal_id = $1 AND app_id = $2 AND subscription_id = $3";
            execute(client, sql, &[&portal.0, &one.app_id.0, &one.id.0]).await?;
        }
    }
    Ok(())
}

/// What becomes of a reader that is there when one begins.
const REPLACED: &str = "UPDATE SET position = excluded.position, epoch = excluded.epoch";
const LEFT: &str = "NOTHING";

/// Begins a reader. What it numbers goes on behind what there is.
async fn begin(
    client: &ClientWrapper,
    portal: PortalId,
    reader: Reader,
    app: AppId,
    at: Cursor,
    there: &str,
) -> Result<()> {
    let sql = format!(
        "INSERT INTO cursors (portal_id, reader, app_id, position, epoch, next_entry) \
         SELECT $1, $2, $3, $5, $4, 1 + coalesce(max(id), 0) FROM {} WHERE portal_id = $1 AND app_id = $3 \
         ON CONFLICT (portal_id, reader, app_id) DO {there}",
        reader.entries()
    );
    execute(client, &sql, &[&portal.0, &(reader as i64), &app.0, &at.epoch, &at.position]).await?;
    Ok(())
}

async fn end(client: &ClientWrapper, portal: PortalId, reader: Reader, app: AppId) -> Result<()> {
    let sql = "DELETE FROM cursors WHERE portal_id = $1 AND reader = $2 AND app_id = $3";
    execute(client, sql, &[&portal.0, &(reader as i64), &app.0]).await?;
    if reader == Reader::Webhooks {
        let sql = "DELETE FROM deliveries WHERE portal_id = $1 AND app_id = $2";
        execute(client, sql, &[&portal.0, &app.0]).await?;
    }
    Ok(())
}

async fn told(client: &ClientWrapper, which: Which, now: Millis) -> Result<Vec<Told>> {
    let sql = "SELECT portal_id, id FROM apps WHERE told & $1 <> 0 AND told <> 0 \
               UNION ALL SELECT i.portal_id, a.id FROM apps a JOIN installs i ON i.app_id = a.id WHERE a.told & $2 <> 0 \
               AND a.told <> 0 AND i.uninstalled_at IS NULL AND i.home_id <> i.portal_id \
               UNION ALL SELECT i.portal_id, a.id FROM installs i JOIN apps a ON a.id = i.app_id WHERE i.uninstalled_at >= $3 \
               AND a.told & $2 <> 0 AND i.home_id <> i.portal_id ORDER BY 2, 1";
    let found = rows(client, sql, &[&which.home, &which.away, &which.since(now)]).await?;
    let read = |row: &Row| Ok(Told { portal: PortalId(row.try_get(0)?), app: AppId(row.try_get(1)?) });
    found.iter().map(read).collect()
}

async fn take(
    client: &ClientWrapper,
    portal: PortalId,
    reader: Reader,
    app: AppId,
) -> Result<Option<Cursor>> {
    let sql = "UPDATE cursors SET epoch = epoch + 1 WHERE portal_id = $1 AND reader = $2 AND app_id = $3 \
               RETURNING position, epoch, next_entry";
    row(client, sql, &[&portal.0, &(reader as i64), &app.0]).await?.as_ref().map(cursor).transpose()
}

fn cursor(row: &Row) -> Result<Cursor> {
    Ok(Cursor { position: row.try_get(0)?, epoch: row.try_get(1)?, next_entry: row.try_get(2)? })
}

/// Moves a cursor on; `false` when somebody else has taken it.
pub(super) async fn advance(
    client: &ClientWrapper,
    portal: PortalId,
    reader: Reader,
    app: AppId,
    to: Cursor,
) -> Result<bool> {
    let sql = "UPDATE cursors SET position = $5, next_entry = $6 \
               WHERE portal_id = $1 AND reader = $2 AND app_id = $3 AND epoch = $4";
    let values: Values<'_> = &[&portal.0, &(reader as i64), &app.0, &to.epoch, &to.position, &to.next_entry];
    Ok(execute(client, sql, values).await? == 1)
}

/// Writes something at once: whole, or not at all when `work` says so.
pub(super) async fn at_once(
    client: &ClientWrapper,
    work: impl AsyncFnOnce(&ClientWrapper) -> Result<bool>,
) -> Result<bool> {
    let mut open = Open(Some(client));
    client.batch_execute(BEGIN).await?;
    let done = work(client).await?;
    client.batch_execute(if done { "COMMIT" } else { "ROLLBACK" }).await?;
    open.0 = None;
    Ok(done)
}

async fn progress(client: &ClientWrapper, portal: PortalId, app: AppId, done: &Progress) -> Result<bool> {
    let to = Cursor { position: done.position, epoch: done.epoch, next_entry: done.next_entry };
    if !advance(client, portal, Reader::Webhooks, app, to).await? {
        return Ok(false);
    }
    log(client, portal, app, &done.attempts).await?;
    put(client, portal, app, &done.failed).await?;
    if !done.done.is_empty() {
        let (positions, subscriptions): (Vec<i64>, Vec<i64>) =
            done.done.iter().map(|(position, subscription)| (*position, subscription.0)).unzip();
        let sql = "DELETE FROM deliveries d USING unnest($3::bigint[], $4::bigint[]) AS n (position, subscription_id) \
                   WHERE d.portal_id = $1 AND d.app_id = $2 AND d.position = n.position \
                   AND d.subscription_id = n.subscription_id";
        execute(client, sql, &[&portal.0, &app.0, &positions, &subscriptions]).await?;
    }
    Ok(true)
}

async fn log(client: &ClientWrapper, portal: PortalId, app: AppId, attempts: &[Attempt]) -> Result<()> {
    let sql = "INSERT INTO attempts (portal_id, app_id, id, at, url, succeeded, status, error, millis, excerpt, events) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING";
    // Whoever heard no answer writes them once more.
    for one in attempts {
        let values: Values<'_> = &[
            &portal.0,
            &app.0,
            &one.id,
            &one.at,
            &one.url,
            &one.succeeded,
            &one.status,
            &one.error,
            &one.millis,
            &one.excerpt,
            &one.events,
        ];
        execute(client, sql, values).await?;
    }
    Ok(())
}

async fn put(client: &ClientWrapper, portal: PortalId, app: AppId, deliveries: &[Delivery]) -> Result<()> {
    if deliveries.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO deliveries (portal_id, app_id, position, subscription_id, object_id, attempts, first_at, \
               last_at, due_at, error, loose) SELECT $1, $2, n.* FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], \
               $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::text[], $11::boolean[]) AS n \
               ON CONFLICT (portal_id, app_id, position, subscription_id) DO UPDATE SET object_id = excluded.object_id, \
               attempts = excluded.attempts, first_at = excluded.first_at, last_at = excluded.last_at, \
               due_at = excluded.due_at, error = excluded.error, loose = excluded.loose";
    // One statement writes a row once: as it was found out last.
    let last: BTreeMap<_, _> = deliveries.iter().map(|one| (one.key(), one)).collect();
    let deliveries: Vec<&Delivery> = last.into_values().collect();
    let column = |of: fn(&Delivery) -> i64| deliveries.iter().map(|one| of(one)).collect::<Vec<_>>();
    let due: Vec<Option<i64>> = deliveries.iter().map(|one| one.due_at).collect();
    let errors: Vec<&str> = deliveries.iter().map(|one| one.error.as_str()).collect();
    let loose: Vec<bool> = deliveries.iter().map(|one| one.loose).collect();
    let values: Values<'_> = &[
        &portal.0,
        &app.0,
        &column(|one| one.position),
        &column(|one| one.subscription_id.0),
        &column(|one| one.object_id),
        &column(|one| one.attempts),
        &column(|one| one.first_at),
        &column(|one| one.last_at),
        &due,
        &errors,
        &loose,
    ];
    execute(client, sql, values).await?;
    Ok(())
}

fn delivery(row: &Row) -> Result<Delivery> {
    Ok(Delivery {
        position: row.try_get(0)?,
        subscription_id: SubscriptionId(row.try_get(1)?),
        object_id: row.try_get(2)?,
        attempts: row.try_get(3)?,
        first_at: row.try_get(4)?,
        last_at: row.try_get(5)?,
        due_at: row.try_get(6)?,
        loose: row.try_get(7)?,
        error: row.try_get(8)?,
    })
}

fn attempt(row: &Row) -> Result<Attempt> {
    Ok(Attempt {
        id: row.try_get(0)?,
        at: row.try_get(1)?,
        url: row.try_get(2)?,
        succeeded: row.try_get(3)?,
        status: row.try_get(4)?,
        error: row.try_get(5)?,
        millis: row.try_get(6)?,
        excerpt: row.try_get(7)?,
        events: row.try_get(8)?,
    })
}

/// The numbers of an app's newest and oldest attempt.
const EDGES: &str = "SELECT (SELECT id FROM attempts WHERE portal_id = $1 AND app_id = $2 ORDER BY id DESC LIMIT 1), \
     (SELECT id FROM attempts WHERE portal_id = $1 AND app_id = $2 ORDER BY id LIMIT 1)";

/// Requests that were sent to an app, the newest first.
async fn attempts(
    client: &ClientWrapper,
    portal: PortalId,
    app: AppId,
    query: &AttemptQuery,
) -> Result<AttemptPage> {
    let (mut newest, mut oldest) = (i64::MAX, i64::MIN);
    if query.examines()
        && let Some(edges) = row(client, EDGES, &[&portal.0, &app.0]).await?
    {
        let edge = |at| edges.try_get(at).map(|id: Option<i64>| id.unwrap_or_default());
        (newest, oldest) = (edge(0)?, edge(1)?);
    }
    let (start, end) = query.range(newest);
    // In an order that only the index by outcome has: whatever is more frequent, all else is not looked at.
    let (outcome, order) = match query.succeeded {
        Some(_) => ("AND succeeded >= $8 AND (succeeded, id) < ($8, $4)", "succeeded DESC, id DESC"),
        None => ("", "id DESC"),
    };
    let sql = format!(
        "SELECT {ATTEMPT} WHERE portal_id = $1 AND app_id = $2 {outcome} AND id >= $3 AND id < $4 AND at >= $5 \
         AND ($6::bigint IS NULL OR status = $6) ORDER BY {order} LIMIT $7"
    );
    let (since, limit) = (query.since.unwrap_or(i64::MIN), query.limit as i64 + 1);
    let values: Values<'_> =
        &[&portal.0, &app.0, &start, &end, &since, &query.status, &limit, &query.succeeded];
    let parameters = if query.succeeded.is_some() { 8 } else { 7 };
    let found = rows(client, &sql, &values[..parameters]).await?;
    Ok(query.page(found.iter().map(attempt).collect::<Result<_>>()?, start, oldest))
}

/// Asks once on a borrowed connection: whoever reads the spine asks again by itself.
macro_rules! once {
    ($engine:expr, $client:ident => $question:expr) => {{
        let borrowed = $engine.shared.readers.get().await?;
        let $client = &borrowed;
        let answer = answered(ANSWER, $question).await;
        if matches!(answer, Err(Failure::Lost(_))) {
            readers::discard(borrowed);
        }
        answer
    }};
}

impl Engine {
    pub(crate) async fn told(&self, which: Which) -> Answer<Vec<Told>> {
        Ok(once!(self, client => told(client, which, self.now()))?)
    }

    pub(crate) async fn cursor(
        &self,
        portal: PortalId,
        reader: Reader,
        app: AppId,
    ) -> Answer<Option<Cursor>> {
        let sql = "SELECT position, epoch, next_entry FROM cursors \
                   WHERE portal_id = $1 AND reader = $2 AND app_id = $3";
        let found = once!(self, client => row(client, sql, &[&portal.0, &(reader as i64), &app.0]))?;
        Ok(found.as_ref().map(cursor).transpose()?)
    }

    pub(crate) async fn cursor_begin(
        &self,
        portal: PortalId,
        reader: Reader,
        app: AppId,
        at: Cursor,
    ) -> Answer<()> {
        Ok(once!(self, client => begin(client, portal, reader, app, at, LEFT))?)
    }

    pub(crate) async fn cursor_end(&self, portal: PortalId, reader: Reader, app: AppId) -> Answer<()> {
        Ok(once!(self, client => end(client, portal, reader, app))?)
    }

    pub(crate) async fn cursor_take(
        &self,
        portal: PortalId,
        reader: Reader,
        app: AppId,
    ) -> Answer<Option<Cursor>> {
        Ok(once!(self, client => take(client, portal, reader, app))?)
    }

    pub(crate) async fn progress(&self, portal: PortalId, app: AppId, done: Progress) -> Answer<bool> {
        let write = async |client: &ClientWrapper| progress(client, portal, app, &done).await;
        Ok(once!(self, client => at_once(client, write))?)
    }

    pub(crate) async fn deliveries_due(
        &self,
        portal: PortalId,
        app: AppId,
        now: Millis,
        limit: usize,
    ) -> Answer<Vec<Delivery>> {
        let sql = format!(
            "SELECT {DELIVERY} WHERE portal_id = $1 AND app_id = $2 AND due_at <= $3 \
             ORDER BY due_at, position LIMIT $4"
        );
        let values: Values<'_> = &[&portal.0, &app.0, &now, &(limit as i64)];
        let found = once!(self, client => rows(client, &sql, values))?;
        Ok(found.iter().map(delivery).collect::<Result<_>>()?)
    }

    pub(crate) async fn deliveries(
        &self,
        portal: PortalId,
        app: AppId,
        state: DeliveryState,
        after: Option<(i64, SubscriptionId)>,
        limit: usize,
    ) -> Answer<Vec<Delivery>> {
        let which = match state {
            DeliveryState::Waiting => "IS NOT NULL",
            DeliveryState::GivenUp => "IS NULL",
        };
        let sql = format!(
            "SELECT {DELIVERY} WHERE portal_id = $1 AND app_id = $2 AND (position, subscription_id) > ($3, $4) \
             AND due_at {which} ORDER BY position, subscription_id LIMIT $5"
        );
        let (position, subscription) = after.map_or((i64::MIN, i64::MIN), |(position, id)| (position, id.0));
        let values: Values<'_> = &[&portal.0, &app.0, &position, &subscription, &(limit as i64)];
        let found = once!(self, client => rows(client, &sql, values))?;
        Ok(found.iter().map(delivery).collect::<Result<_>>()?)
    }

    pub(crate) async fn deliveries_count(
        &self,
        portal: PortalId,
        app: AppId,
        most: usize,
    ) -> Answer<Undelivered> {
        let count = |which: &str| {
            format!(
                "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE portal_id = $1 AND app_id = $2 \
                 AND due_at {which} LIMIT $3) d"
            )
        };
        let sql = format!("SELECT ({}), ({})", count("IS NOT NULL"), count("IS NULL"));
        let found = once!(self, client => row(client, &sql, &[&portal.0, &app.0, &(most as i64)]))?;
        let Some(row) = found else { return Ok(Undelivered::default()) };
        let read = || Result::Ok(Undelivered { waiting: row.try_get(0)?, given_up: row.try_get(1)? });
        Ok(read()?)
    }

    pub(crate) async fn deliveries_put(
        &self,
        portal: PortalId,
        app: AppId,
        deliveries: Vec<Delivery>,
    ) -> Answer<()> {
        Ok(once!(self, client => put(client, portal, app, &deliveries))?)
    }

    pub(crate) async fn deliveries_again(
        &self,
        portal: PortalId,
        app: AppId,
        since: Millis,
        now: Millis,
    ) -> Answer<u64> {
        let sql = "UPDATE deliveries SET due_at = $4, loose = loose OR due_at IS NULL \
                   WHERE portal_id = $1 AND app_id = $2 AND last_at >= $3";
        let values: Values<'_> = &[&portal.0, &app.0, &since, &now];
        Ok(once!(self, client => execute(client, sql, values))?)
    }

    pub(crate) async fn attempts(
        &self,
        portal: PortalId,
        app: AppId,
        query: &AttemptQuery,
    ) -> Answer<AttemptPage> {
        Ok(once!(self, client => attempts(client, portal, app, query))?)
    }

    pub(crate) async fn attempt_by_id(
        &self,
        portal: PortalId,
        app: AppId,
        id: i64,
    ) -> Answer<Option<Attempt>> {
        let sql = format!("SELECT {ATTEMPT} WHERE portal_id = $1 AND app_id = $2 AND id = $3");
        let values: Values<'_> = &[&portal.0, &app.0, &id];
        let found = once!(self, client => row(client, &sql, values))?;
        Ok(found.as_ref().map(attempt).transpose()?)
    }

    pub(crate) async fn deliveries_purge(
        &self,
        portal: PortalId,
        app: AppId,
        before: Millis,
        limit: usize,
    ) -> Answer<u64> {
        // Both are about as old as their numbers say: whoever comes to a younger one has seen them all.
        let attempts = "DELETE FROM attempts WHERE portal_id = $1 AND app_id = $2 AND at < $3 AND id = ANY (ARRAY \
            (SELECT id FROM attempts WHERE portal_id = $1 AND app_id = $2 ORDER BY id LIMIT $4))";
        let given_up = "DELETE FROM deliveries WHERE portal_id = $1 AND app_id = $2 AND due_at IS NULL \
            AND last_at < $3 AND position = ANY (ARRAY (SELECT position FROM deliveries WHERE portal_id = $1 \
            AND app_id = $2 AND due_at IS NULL ORDER BY position LIMIT $4))";
        let values: Values<'_> = &[&portal.0, &app.0, &before, &(limit as i64)];
        let mut gone = 0;
        for sql in [attempts, given_up] {
            gone += once!(self, client => execute(client, sql, values))?;
        }
        Ok(gone)
    }
}

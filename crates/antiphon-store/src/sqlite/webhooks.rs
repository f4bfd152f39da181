//! The rows of a directory that are about webhooks and the journal.

use rusqlite::{Connection, Row, params};

use super::failure::Result;
use crate::{
    AppId, DirectoryChange, Expand, JournalSubscription, Paused, PortalId, Subscription, SubscriptionId,
    Webhook,
};

pub(super) const WEBHOOKS: &str = "SELECT app_id, target_url, max_concurrent, created_at, updated_at, paused_at, \
     paused_why, deleted_at, closing_at FROM webhooks WHERE portal_id = ?1 AND deleted_at IS NULL";

pub(super) const SUBSCRIPTIONS: &str = "SELECT id, app_id, event_type, property_name, object_type_id, event_type_name, \
     active, expand, ordered, created_at, updated_at, deleted_at, since, since_at FROM subscriptions \
     WHERE portal_id = ?1 AND deleted_at IS NULL";

pub(super) const JOURNAL: &str = "SELECT id, app_id, body, filters, created_at, updated_at, deleted_at \
     FROM journal_subscriptions WHERE portal_id = ?1 AND deleted_at IS NULL";

pub(super) fn webhook(row: &Row<'_>) -> Result<DirectoryChange> {
    let (at, why): (Option<i64>, Option<String>) = (row.get(5)?, row.get(6)?);
    Ok(DirectoryChange::Webhook(Webhook {
        app_id: AppId(row.get(0)?),
        target_url: row.get(1)?,
        max_concurrent: row.get(2)?,
        created_at: row.get(3)?,
        updated_at: row.get(4)?,
        paused: at.map(|at| Paused { at, why: why.unwrap_or_default() }),
        closing_at: row.get(8)?,
        deleted_at: row.get(7)?,
    }))
}

pub(super) fn subscription(row: &Row<'_>) -> Result<DirectoryChange> {
    Ok(DirectoryChange::Subscription(Subscription {
        id: SubscriptionId(row.get(0)?),
        app_id: AppId(row.get(1)?),
        event_type: row.get(2)?,
        property_name: row.get(3)?,
        object_type_id: row.get(4)?,
        event_type_name: row.get(5)?,
        active: row.get(6)?,
        expand: Expand::read(row.get(7)?),
        ordered: row.get(8)?,
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
        deleted_at: row.get(11)?,
        since: row.get(12)?,
        since_at: row.get(13)?,
    }))
}

pub(super) fn journal(row: &Row<'_>) -> Result<DirectoryChange> {
    Ok(DirectoryChange::JournalSubscription(JournalSubscription {
        id: SubscriptionId(row.get(0)?),
        app_id: AppId(row.get(1)?),
        body: row.get(2)?,
        filters: row.get(3)?,
        created_at: row.get(4)?,
        updated_at: row.get(5)?,
        deleted_at: row.get(6)?,
    }))
}

pub(super) fn write(conn: &Connection, owner: PortalId, webhook: &Webhook) -> Result<()> {
    let paused = webhook.paused.as_ref();
    conn.prepare_cached("INSERT OR REPLACE INTO webhooks VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?
        .execute(params![
            owner.0,
            webhook.app_id.0,
            webhook.target_url,
            webhook.max_concurrent,
            webhook.created_at,
            webhook.updated_at,
            paused.map(|paused| paused.at),
            paused.map(|paused| &paused.why),
            webhook.deleted_at,
            webhook.closing_at
        ])?;
    Ok(())
}

pub(super) fn write_subscription(conn: &Connection, owner: PortalId, one: &Subscription) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO subscriptions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    conn.prepare_cached(sql)?.execute(params![
        owner.0,
        one.id.0,
        one.app_id.0,
        one.event_type,
        one.property_name,
        one.object_type_id,
        one.event_type_name,
        one.active,
        one.expand.stored(),
        one.ordered,
        one.created_at,
        one.updated_at,
        one.deleted_at,
        one.since,
        one.since_at
    ])?;
    Ok(())
}

pub(super) fn write_journal(conn: &Connection, owner: PortalId, one: &JournalSubscription) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO journal_subscriptions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    conn.prepare_cached(sql)?.execute(params![
        owner.0,
        one.id.0,
        one.app_id.0,
        one.body,
        one.filters,
        one.created_at,
        one.updated_at,
        one.deleted_at
    ])?;
    Ok(())
}

//! The rows of a directory that are about webhooks and the journal.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::failure::Result;
use super::readers::{Values, execute};
use crate::secrets::Seals;
use crate::{
    AppId, DirectoryChange, Expand, JournalSubscription, Paused, PortalId, Subscription, SubscriptionId,
    Webhook,
};

pub(super) const WEBHOOKS: &str = "SELECT app_id, target_url, max_concurrent, created_at, updated_at, paused_at, \
     paused_why, deleted_at, closing_at FROM webhooks WHERE portal_id = $1 AND revision > $2";

pub(super) const SUBSCRIPTIONS: &str = "SELECT id, app_id, event_type, property_name, object_type_id, event_type_name, \
     active, expand, ordered, created_at, updated_at, deleted_at, since, since_at FROM subscriptions \
     WHERE portal_id = $1 AND revision > $2";

pub(super) const JOURNAL: &str = "SELECT id, app_id, body, filters, created_at, updated_at, deleted_at \
     FROM journal_subscriptions WHERE portal_id = $1 AND revision > $2";

pub(super) fn webhook(row: &Row, _: &Seals) -> Result<DirectoryChange> {
    let (at, why): (Option<i64>, Option<String>) = (row.try_get(5)?, row.try_get(6)?);
    Ok(DirectoryChange::Webhook(Webhook {
        app_id: AppId(row.try_get(0)?),
        target_url: row.try_get(1)?,
        max_concurrent: row.try_get(2)?,
        created_at: row.try_get(3)?,
        updated_at: row.try_get(4)?,
        paused: at.map(|at| Paused { at, why: why.unwrap_or_default() }),
        closing_at: row.try_get(8)?,
        deleted_at: row.try_get(7)?,
    }))
}

pub(super) fn subscription(row: &Row, _: &Seals) -> Result<DirectoryChange> {
    Ok(DirectoryChange::Subscription(Subscription {
        id: SubscriptionId(row.try_get(0)?),
        app_id: AppId(row.try_get(1)?),
        event_type: row.try_get(2)?,
        property_name: row.try_get(3)?,
        object_type_id: row.try_get(4)?,
        event_type_name: row.try_get(5)?,
        active: row.try_get(6)?,
        expand: Expand::read(row.try_get(7)?),
        ordered: row.try_get(8)?,
        created_at: row.try_get(9)?,
        updated_at: row.try_get(10)?,
        deleted_at: row.try_get(11)?,
        since: row.try_get(12)?,
        since_at: row.try_get(13)?,
    }))
}

pub(super) fn journal(row: &Row, _: &Seals) -> Result<DirectoryChange> {
    Ok(DirectoryChange::JournalSubscription(JournalSubscription {
        id: SubscriptionId(row.try_get(0)?),
        app_id: AppId(row.try_get(1)?),
        body: row.try_get(2)?,
        filters: row.try_get(3)?,
        created_at: row.try_get(4)?,
        updated_at: row.try_get(5)?,
        deleted_at: row.try_get(6)?,
    }))
}

pub(super) async fn write(
    client: &ClientWrapper,
    owner: PortalId,
    revision: i64,
    webhook: &Webhook,
) -> Result<u64> {
    let sql = "INSERT INTO webhooks (portal_id, app_id, target_url, max_concurrent, created_at, updated_at, paused_at, \
               paused_why, deleted_at, closing_at, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
               ON CONFLICT (portal_id, app_id) DO UPDATE SET target_url = $3, max_concurrent = $4, created_at = $5, \
               updated_at = $6, paused_at = $7, paused_why = $8, deleted_at = $9, closing_at = $10, revision = $11";
    let (at, why) = webhook.paused.as_ref().map(|paused| (paused.at, paused.why.as_str())).unzip();
    let values: Values<'_> = &[
        &owner.0,
        &webhook.app_id.0,
        &webhook.target_url,
        &webhook.max_concurrent,
        &webhook.created_at,
        &webhook.updated_at,
        &at,
        &why,
        &webhook.deleted_at,
        &webhook.closing_at,
        &revision,
    ];
    execute(client, sql, values).await
}

pub(super) async fn write_subscription(
    client: &ClientWrapper,
    owner: PortalId,
    revision: i64,
    one: &Subscription,
) -> Result<u64> {
    let sql = "INSERT INTO subscriptions (portal_id, id, app_id, event_type, property_name, object_type_id, \
               event_type_name, active, expand, ordered, created_at, updated_at, deleted_at, since, since_at, revision) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
               ON CONFLICT (portal_id, id) DO UPDATE SET app_id = $3, event_type = $4, property_name = $5, \
               object_type_id = $6, event_type_name = $7, active = $8, expand = $9, ordered = $10, created_at = $11, \
               updated_at = $12, deleted_at = $13, since = $14, since_at = $15, revision = $16";
    let expand = one.expand.stored();
    let values: Values<'_> = &[
        &owner.0,
        &one.id.0,
        &one.app_id.0,
        &one.event_type,
        &one.property_name,
        &one.object_type_id,
        &one.event_type_name,
        &one.active,
        &expand,
        &one.ordered,
        &one.created_at,
        &one.updated_at,
        &one.deleted_at,
        &one.since,
        &one.since_at,
        &revision,
    ];
    execute(client, sql, values).await
}

pub(super) async fn write_journal(
    client: &ClientWrapper,
    owner: PortalId,
    revision: i64,
    one: &JournalSubscription,
) -> Result<u64> {
    let sql = "INSERT INTO journal_subscriptions (portal_id, id, app_id, body, filters, created_at, updated_at, \
               deleted_at, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (portal_id, id) DO UPDATE \
               SET app_id = $3, body = $4, filters = $5, created_at = $6, updated_at = $7, deleted_at = $8, revision = $9";
    let values: Values<'_> = &[
        &owner.0,
        &one.id.0,
        &one.app_id.0,
        &one.body,
        &one.filters,
        &one.created_at,
        &one.updated_at,
        &one.deleted_at,
        &revision,
    ];
    execute(client, sql, values).await
}

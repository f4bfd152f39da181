//! Visitors, the addresses they are known by, and tickets: written one by one, under the portal's counters.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::failure::{Failure, Result};
use super::readers::{Values, execute, row};
use crate::visitors::{email_key, identity_key};
use crate::{AccountId, Identifier, PortalId, StoreError, ThreadId, Ticket, Visitor, VisitorId};

fn revision(row: Option<Row>) -> Result<i64> {
    let row = row.ok_or_else(|| Failure::Told(StoreError::Engine("a row was not written".into())))?;
    Ok(row.try_get(0)?)
}

/// Writes a visitor; its new revision.
pub(super) async fn put_visitor(client: &ClientWrapper, portal: PortalId, visitor: &Visitor) -> Result<i64> {
    let sql = "INSERT INTO visitors (portal_id, id, contact, name, email, email_key, phone, avatar, created_at, \
               updated_at, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1) \
               ON CONFLICT (portal_id, id) DO UPDATE SET contact = $3, name = $4, email = $5, email_key = $6, \
               phone = $7, avatar = $8, updated_at = $10, revision = visitors.revision + 1 RETURNING revision";
    let key = visitor.email.as_deref().map(email_key);
    let values: Values<'_> = &[
        &portal.0,
        &visitor.id.0,
        &visitor.contact,
        &visitor.name,
        &visitor.email,
        &key,
        &visitor.phone,
        &visitor.avatar,
        &visitor.created_at,
        &visitor.updated_at,
    ];
    revision(row(client, sql, values).await?)
}

/// Writes a ticket; its new revision.
pub(super) async fn put_ticket(client: &ClientWrapper, portal: PortalId, ticket: &Ticket) -> Result<i64> {
    let sql = "INSERT INTO tickets (portal_id, id, subject, created_at, revision) \
               VALUES ($1, $2, $3, $4, 1) ON CONFLICT (portal_id, id) \
               DO UPDATE SET subject = $3, revision = tickets.revision + 1 RETURNING revision";
    let values: Values<'_> = &[&portal.0, &ticket.id.0, &ticket.subject, &ticket.created_at];
    revision(row(client, sql, values).await?)
}

/// Binds an address on an account to a visitor; how it is compared.
pub(super) async fn bind(
    client: &ClientWrapper,
    portal: PortalId,
    account: AccountId,
    identifier: &Identifier,
    visitor: VisitorId,
) -> Result<String> {
    let sql = "INSERT INTO identities (portal_id, account_id, kind, value, visitor_id) \
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (portal_id, account_id, kind, value) \
               DO UPDATE SET visitor_id = $5";
    let key = identity_key(identifier);
    execute(client, sql, &[&portal.0, &account.0, &identifier.kind, &key, &visitor.0]).await?;
    Ok(key)
}

/// Binds an integration's name for a conversation to a thread.
pub(super) async fn bind_thread(
    client: &ClientWrapper,
    portal: PortalId,
    account: AccountId,
    key: &str,
    thread: ThreadId,
) -> Result<()> {
    let sql = "INSERT INTO thread_keys (portal_id, account_id, key, thread_id) \
               VALUES ($1, $2, $3, $4) ON CONFLICT (portal_id, account_id, key) \
               DO UPDATE SET thread_id = $4";
    execute(client, sql, &[&portal.0, &account.0, &key, &thread.0]).await?;
    Ok(())
}

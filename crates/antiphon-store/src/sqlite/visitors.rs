//! Visitors, the addresses they are known by, and tickets.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::failure::Result;
use crate::visitors::{email_key, identity_key};
use crate::{AccountId, Identifier, Millis, PortalId, Ticket, TicketId, Visitor, VisitorId, VisitorQuery};

macro_rules! select_visitor {
    ($rest:literal) => {
        concat!(
            "SELECT id, contact, name, email, phone, avatar, created_at, updated_at FROM visitors ",
            $rest
        )
    };
}

fn visitor(row: &Row<'_>) -> rusqlite::Result<Visitor> {
    Ok(Visitor {
        id: VisitorId(row.get(0)?),
        contact: row.get(1)?,
        name: row.get(2)?,
        email: row.get(3)?,
        phone: row.get(4)?,
        avatar: row.get(5)?,
        created_at: row.get(6)?,
        updated_at: row.get(7)?,
    })
}

pub(super) fn by_id(conn: &Connection, portal: PortalId, id: VisitorId) -> Result<Option<Visitor>> {
    let mut sql = conn.prepare_cached(select_visitor!("WHERE portal_id = ?1 AND id = ?2"))?;
    Ok(sql.query_row([portal.0, id.0], visitor).optional()?)
}

pub(super) fn contact_by_email(conn: &Connection, portal: PortalId, email: &str) -> Result<Option<Visitor>> {
    let mut sql =
        conn.prepare_cached(select_visitor!("WHERE portal_id = ?1 AND email_key = ?2 AND contact = 1"))?;
    Ok(sql.query_row(params![portal.0, email_key(email)], visitor).optional()?)
}

pub(super) fn contact_by_phone(conn: &Connection, portal: PortalId, phone: &str) -> Result<Option<Visitor>> {
    let mut sql =
        conn.prepare_cached(select_visitor!("WHERE portal_id = ?1 AND phone = ?2 AND contact = 1"))?;
    Ok(sql.query_row(params![portal.0, phone], visitor).optional()?)
}

/// To whom an address on an account is bound.
pub(super) fn bound(
    conn: &Connection,
    portal: PortalId,
    account: AccountId,
    identifier: &Identifier,
) -> Result<Option<VisitorId>> {
    let sql = "SELECT visitor_id FROM identities WHERE portal_id = ?1 AND account_id = ?2 AND kind = ?3 AND value = ?4";
    let values = params![portal.0, account.0, identifier.kind, identity_key(identifier)];
    Ok(conn.prepare_cached(sql)?.query_row(values, |row| row.get(0).map(VisitorId)).optional()?)
}

/// To whom these addresses on an account are bound.
pub(super) fn by_addresses(
    conn: &Connection,
    portal: PortalId,
    account: AccountId,
    addresses: &[Identifier],
) -> Result<Vec<(Identifier, VisitorId)>> {
    each(addresses, |one| Ok(bound(conn, portal, account, one)?.map(|id| (one.clone(), id))))
}

pub(super) fn page(conn: &Connection, portal: PortalId, query: &VisitorQuery) -> Result<Vec<Visitor>> {
    let after = query.after.map_or(0, |id| id.0);
    let limit = query.limit as i64;
    let email = query.email.as_deref().map(email_key);
    let sql = match (&email, query.contacts) {
        (None, false) => select_visitor!("WHERE portal_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3"),
        (None, true) => {
            select_visitor!("WHERE portal_id = ?1 AND id > ?2 AND contact = 1 ORDER BY id LIMIT ?3")
        }
        (Some(_), false) => {
            select_visitor!("WHERE portal_id = ?1 AND id > ?2 AND email_key = ?4 ORDER BY id LIMIT ?3")
        }
        (Some(_), true) => {
            select_visitor!(
                "WHERE portal_id = ?1 AND id > ?2 AND email_key = ?4 AND contact = 1 ORDER BY id LIMIT ?3"
            )
        }
    };
    let mut sql = conn.prepare_cached(sql)?;
    let found = match email {
        None => sql.query_map([portal.0, after, limit], visitor)?.collect::<rusqlite::Result<_>>()?,
        Some(email) => sql
            .query_map(params![portal.0, after, limit, email], visitor)?
            .collect::<rusqlite::Result<_>>()?,
    };
    Ok(found)
}

/// Writes a visitor; its new revision, and when it was made, which no change alters.
pub(super) fn put(conn: &Connection, portal: PortalId, visitor: &Visitor) -> Result<(i64, Millis)> {
    let sql = "INSERT INTO visitors (portal_id, id, contact, name, email, email_key, phone, avatar, created_at, \
               updated_at, revision) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1) \
               ON CONFLICT (portal_id, id) DO UPDATE SET contact = ?3, name = ?4, email = ?5, email_key = ?6, \
               phone = ?7, avatar = ?8, updated_at = ?10, revision = revision + 1 RETURNING revision, created_at";
    let email_key = visitor.email.as_deref().map(email_key);
    let written = conn.prepare_cached(sql)?.query_row(
        params![
            portal.0,
            visitor.id.0,
            visitor.contact,
            visitor.name,
            visitor.email,
            email_key,
            visitor.phone,
            visitor.avatar,
            visitor.created_at,
            visitor.updated_at
        ],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(written)
}

pub(super) fn bind(
    conn: &Connection,
    portal: PortalId,
    account: AccountId,
    identifier: &Identifier,
    visitor: VisitorId,
) -> Result<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO identities VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![portal.0, account.0, identifier.kind, identity_key(identifier), visitor.0])?;
    Ok(())
}

fn ticket(row: &Row<'_>) -> rusqlite::Result<Ticket> {
    Ok(Ticket { id: TicketId(row.get(0)?), subject: row.get(1)?, created_at: row.get(2)? })
}

pub(super) fn ticket_by_id(conn: &Connection, portal: PortalId, id: TicketId) -> Result<Option<Ticket>> {
    let mut sql =
        conn.prepare_cached("SELECT id, subject, created_at FROM tickets WHERE portal_id = ?1 AND id = ?2")?;
    Ok(sql.query_row([portal.0, id.0], ticket).optional()?)
}

pub(super) fn tickets(
    conn: &Connection,
    portal: PortalId,
    after: Option<TicketId>,
    limit: usize,
) -> Result<Vec<Ticket>> {
    let mut sql = conn.prepare_cached(
        "SELECT id, subject, created_at FROM tickets WHERE portal_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
    )?;
    let found = sql.query_map([portal.0, after.map_or(0, |id| id.0), limit as i64], ticket)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Writes a ticket; its new revision.
pub(super) fn put_ticket(conn: &Connection, portal: PortalId, ticket: &Ticket) -> Result<i64> {
    let sql = "INSERT INTO tickets VALUES (?1, ?2, ?3, ?4, 1) ON CONFLICT (portal_id, id) \
               DO UPDATE SET subject = ?3, revision = revision + 1 RETURNING revision";
    let values = params![portal.0, ticket.id.0, ticket.subject, ticket.created_at];
    Ok(conn.prepare_cached(sql)?.query_row(values, |row| row.get(0))?)
}

/// Looks each of a list up; what is not there is left out.
fn each<K, T>(keys: &[K], find: impl Fn(&K) -> Result<Option<T>>) -> Result<Vec<T>> {
    keys.iter().filter_map(|key| find(key).transpose()).collect()
}

pub(super) fn by_ids(conn: &Connection, portal: PortalId, ids: &[VisitorId]) -> Result<Vec<Visitor>> {
    each(ids, |id| by_id(conn, portal, *id))
}

pub(super) fn contacts_by_emails(
    conn: &Connection,
    portal: PortalId,
    emails: &[String],
) -> Result<Vec<Visitor>> {
    each(emails, |email| contact_by_email(conn, portal, email))
}

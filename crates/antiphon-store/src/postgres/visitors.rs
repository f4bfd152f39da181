//! Visitors and tickets: read.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::failure::Result;
use super::readers::{row, rows};
use crate::visitors::{email_key, identity_key};
use crate::{AccountId, Identifier, PortalId, Ticket, TicketId, Visitor, VisitorId, VisitorQuery};

/// What [`visitor`] reads.
pub(super) const COLUMNS: &str = "id, contact, name, email, phone, avatar, created_at, updated_at";

pub(super) fn visitor(row: &Row) -> Result<Visitor> {
    Ok(Visitor {
        id: VisitorId(row.try_get(0)?),
        contact: row.try_get(1)?,
        name: row.try_get(2)?,
        email: row.try_get(3)?,
        phone: row.try_get(4)?,
        avatar: row.try_get(5)?,
        created_at: row.try_get(6)?,
        updated_at: row.try_get(7)?,
    })
}

pub(super) async fn by_ids(
    client: &ClientWrapper,
    portal: PortalId,
    ids: &[VisitorId],
) -> Result<Vec<Visitor>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let sql = format!("SELECT {COLUMNS} FROM visitors WHERE portal_id = $1 AND id = ANY($2)");
    rows(client, &sql, &[&portal.0, &ids]).await?.iter().map(visitor).collect()
}

pub(super) async fn contacts_by_emails(
    client: &ClientWrapper,
    portal: PortalId,
    emails: &[String],
) -> Result<Vec<Visitor>> {
    let keys: Vec<String> = emails.iter().map(|email| email_key(email)).collect();
    // That a key is there has to be said: from a list, the planner does not conclude it.
    let sql = format!(
        "SELECT {COLUMNS} FROM visitors WHERE portal_id = $1 AND email_key = ANY($2) AND contact \
         AND email_key IS NOT NULL"
    );
    rows(client, &sql, &[&portal.0, &keys]).await?.iter().map(visitor).collect()
}

/// Who has these addresses, each on its account.
pub(super) const IDENTITIES: &str = "SELECT account_id, kind, value, visitor_id FROM identities WHERE portal_id = $1 AND \
     (account_id, kind, value) IN (SELECT * FROM unnest($2::bigint[], $3::text[], $4::text[]))";

/// To whom these addresses on an account are bound.
pub(super) async fn by_addresses(
    client: &ClientWrapper,
    portal: PortalId,
    account: AccountId,
    addresses: &[Identifier],
) -> Result<Vec<(Identifier, VisitorId)>> {
    let kinds: Vec<&str> = addresses.iter().map(|one| one.kind.as_str()).collect();
    let values: Vec<String> = addresses.iter().map(identity_key).collect();
    let accounts = vec![account.0; addresses.len()];
    let found = rows(client, IDENTITIES, &[&portal.0, &accounts, &kinds, &values]).await?;
    let read = |row: &Row| {
        let (kind, value): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
        let id = VisitorId(row.try_get(3)?);
        let asked = addresses.iter().filter(move |one| one.kind == kind && identity_key(one) == value);
        Ok(asked.map(|one| (one.clone(), id)).collect::<Vec<_>>())
    };
    Ok(found.iter().map(read).collect::<Result<Vec<_>>>()?.concat())
}

pub(super) async fn page(
    client: &ClientWrapper,
    portal: PortalId,
    query: &VisitorQuery,
) -> Result<Vec<Visitor>> {
    let (after, limit) = (query.after.map_or(0, |id| id.0), query.limit as i64);
    let email = query.email.as_deref().map(email_key);
    let contact = if query.contacts { " AND contact" } else { "" };
    let found = match email {
        None => {
            let sql = format!(
                "SELECT {COLUMNS} FROM visitors WHERE portal_id = $1 AND id > $2{contact} ORDER BY id LIMIT $3"
            );
            rows(client, &sql, &[&portal.0, &after, &limit]).await?
        }
        Some(email) => {
            let sql = format!(
                "SELECT {COLUMNS} FROM visitors WHERE portal_id = $1 AND id > $2{contact} AND email_key = $4 \
                 ORDER BY id LIMIT $3"
            );
            rows(client, &sql, &[&portal.0, &after, &limit, &email]).await?
        }
    };
    found.iter().map(visitor).collect()
}

/// What [`ticket`] reads.
pub(super) const TICKET_COLUMNS: &str = "id, subject, created_at";

pub(super) fn ticket(row: &Row) -> Result<Ticket> {
    Ok(Ticket { id: TicketId(row.try_get(0)?), subject: row.try_get(1)?, created_at: row.try_get(2)? })
}

pub(super) async fn ticket_by_id(
    client: &ClientWrapper,
    portal: PortalId,
    id: TicketId,
) -> Result<Option<Ticket>> {
    let sql = format!("SELECT {TICKET_COLUMNS} FROM tickets WHERE portal_id = $1 AND id = $2");
    row(client, &sql, &[&portal.0, &id.0]).await?.as_ref().map(ticket).transpose()
}

pub(super) async fn tickets(
    client: &ClientWrapper,
    portal: PortalId,
    after: Option<TicketId>,
    limit: usize,
) -> Result<Vec<Ticket>> {
    let sql =
        format!("SELECT {TICKET_COLUMNS} FROM tickets WHERE portal_id = $1 AND id > $2 ORDER BY id LIMIT $3");
    let after = after.map_or(0, |id| id.0);
    rows(client, &sql, &[&portal.0, &after, &(limit as i64)]).await?.iter().map(ticket).collect()
}

//! People who are being erased, and where they are found.

use std::time::Instant;

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::connect::{SOON, answered};
use super::failure::{Failure, Result};
use super::finders::ask;
use super::readers::{self, Values, execute, row, rows};
use super::{ANSWER, Answer, Engine, messages};
use crate::erasures::{Said, UNBOUND};
use crate::messages::number;
use crate::*;

const ERASURE: &str = "SELECT contact_id, requested_at, completed_at, known FROM erasures";

fn erasure(row: &Row) -> Result<Erasure> {
    Ok(Erasure {
        contact: VisitorId(row.try_get(0)?),
        requested_at: row.try_get(1)?,
        completed_at: row.try_get(2)?,
        known: row.try_get(3)?,
    })
}

fn identity(row: &Row) -> Result<Identity> {
    let identifier = Identifier { kind: row.try_get(1)?, value: row.try_get(2)? };
    Ok(Identity { account: AccountId(row.try_get(0)?), identifier })
}

/// Every row, read.
async fn all<T>(
    client: &ClientWrapper,
    sql: &str,
    values: Values<'_>,
    read: impl Fn(&Row) -> Result<T>,
) -> Result<Vec<T>> {
    rows(client, sql, values).await?.iter().map(read).collect()
}

/// That somebody is to be erased, if that was asked for.
pub(super) async fn by_id(
    client: &ClientWrapper,
    portal: PortalId,
    contact: VisitorId,
) -> Result<Option<Erasure>> {
    let sql = format!("{ERASURE} WHERE portal_id = $1 AND contact_id = $2");
    row(client, &sql, &[&portal.0, &contact.0]).await?.as_ref().map(erasure).transpose()
}

/// Notes that somebody is to be erased, or that it is done. What is noted already stays.
pub(super) async fn write(client: &ClientWrapper, portal: PortalId, erasures: &[Erasure]) -> Result<()> {
    let sql = "INSERT INTO erasures (portal_id, contact_id, requested_at, completed_at, known) \
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (portal_id, contact_id) DO UPDATE \
               SET completed_at = excluded.completed_at, known = excluded.known \
               WHERE excluded.completed_at IS NOT NULL AND erasures.completed_at IS NULL";
    for one in erasures {
        let values: Values<'_> =
            &[&portal.0, &one.contact.0, &one.requested_at, &one.completed_at, &one.known];
        execute(client, sql, values).await?;
    }
    Ok(())
}

/// Takes addresses from somebody, as many as go into one change.
pub(super) async fn unbind(client: &ClientWrapper, portal: PortalId, visitor: VisitorId) -> Result<()> {
    let sql = "DELETE FROM identities WHERE portal_id = $1 AND (account_id, kind, value) IN \
               (SELECT account_id, kind, value FROM identities WHERE portal_id = $1 AND visitor_id = $2 LIMIT $3)";
    execute(client, sql, &[&portal.0, &visitor.0, &UNBOUND]).await?;
    Ok(())
}

fn mention(row: &Row) -> Result<PersonMention> {
    let place: i64 = row.try_get(0)?;
    Ok(PersonMention {
        place,
        thread: ThreadId(number(place)),
        message: messages::message_id(row.try_get(1)?)?,
    })
}

impl Engine {
    pub(crate) async fn erasure(&self, portal: PortalId, contact: VisitorId) -> Answer<Option<Erasure>> {
        ask!(self, client => by_id(client, portal, contact))
    }

    pub(crate) async fn erasures_open(&self, portal: PortalId, limit: usize) -> Answer<Vec<Erasure>> {
        let sql =
            format!("{ERASURE} WHERE portal_id = $1 AND completed_at IS NULL ORDER BY contact_id LIMIT $2");
        ask!(self, client => all(client, &sql, &[&portal.0, &(limit as i64)], erasure))
    }

    pub(crate) async fn identities_of(
        &self,
        portal: PortalId,
        visitor: VisitorId,
        limit: usize,
    ) -> Answer<Vec<Identity>> {
        let sql = "SELECT account_id, kind, value FROM identities WHERE portal_id = $1 AND visitor_id = $2 LIMIT $3";
        ask!(self, client => all(client, sql, &[&portal.0, &visitor.0, &(limit as i64)], identity))
    }

    pub(crate) async fn person_mentions(
        &self,
        portal: PortalId,
        person: VisitorId,
        after: i64,
        limit: usize,
    ) -> Answer<Vec<PersonMention>> {
        let sql = "SELECT m.key, m.id FROM mentions n JOIN messages m ON m.portal_id = $1 AND m.key = n.message \
                   WHERE n.portal_id = $1 AND n.kind = 2 AND n.object_id = $2 AND n.message > $3 \
                   ORDER BY n.message LIMIT $4";
        ask!(self, client => all(client, sql, &[&portal.0, &person.0, &after, &(limit as i64)], mention))
    }

    pub(crate) async fn journal_docs(
        &self,
        portal: PortalId,
        app: AppId,
        after: i64,
        limit: usize,
    ) -> Answer<Vec<(i64, Vec<u8>)>> {
        let sql = "SELECT id, doc FROM journal_entries WHERE portal_id = $1 AND app_id = $2 AND id > $3 ORDER BY id LIMIT $4";
        let read = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
        ask!(self, client => all(client, sql, &[&portal.0, &app.0, &after, &(limit as i64)], read))
    }

    pub(crate) async fn journal_rewrite(
        &self,
        portal: PortalId,
        app: AppId,
        id: i64,
        doc: Vec<u8>,
    ) -> Answer<()> {
        let sql = "UPDATE journal_entries SET doc = $4 WHERE portal_id = $1 AND app_id = $2 AND id = $3";
        let written: Answer<u64> =
            ask!(self, client => execute(client, sql, &[&portal.0, &app.0, &id, &doc]));
        written.map(drop)
    }

    pub(crate) async fn visitor_tokens_said(
        &self,
        portal: PortalId,
        (ends_at, nonce): (Millis, i64),
        limit: usize,
    ) -> Answer<Vec<Said>> {
        let sql = "SELECT ends_at, nonce, said FROM visitor_tokens WHERE portal_id = $1 AND (ends_at, nonce) > ($2, $3) \
                   ORDER BY ends_at, nonce LIMIT $4";
        let read = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
        ask!(self, client => all(client, sql, &[&portal.0, &ends_at, &nonce, &(limit as i64)], read))
    }

    pub(crate) async fn visitor_token_end(
        &self,
        portal: PortalId,
        ends_at: Millis,
        nonce: i64,
    ) -> Answer<()> {
        let sql = "DELETE FROM visitor_tokens WHERE portal_id = $1 AND ends_at = $2 AND nonce = $3";
        let gone: Answer<u64> = ask!(self, client => execute(client, sql, &[&portal.0, &ends_at, &nonce]));
        gone.map(drop)
    }
}

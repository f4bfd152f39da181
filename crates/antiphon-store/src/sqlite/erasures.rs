//! People who are being erased, and where they are found.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::batch::Batch;
use super::failure::Result;
use super::{Answer, Engine};
use crate::erasures::{Said, UNBOUND};
use crate::messages::number;
use crate::*;

const ERASURE: &str = "SELECT contact_id, requested_at, completed_at, known FROM erasures";

fn erasure(row: &Row<'_>) -> rusqlite::Result<Erasure> {
    Ok(Erasure {
        contact: VisitorId(row.get(0)?),
        requested_at: row.get(1)?,
        completed_at: row.get(2)?,
        known: row.get(3)?,
    })
}

fn identity(row: &Row<'_>) -> rusqlite::Result<Identity> {
    let identifier = Identifier { kind: row.get(1)?, value: row.get(2)? };
    Ok(Identity { account: AccountId(row.get(0)?), identifier })
}

/// That somebody is to be erased, if that was asked for.
pub(super) fn by_id(conn: &Connection, portal: PortalId, contact: VisitorId) -> Result<Option<Erasure>> {
    let sql = format!("{ERASURE} WHERE portal_id = ?1 AND contact_id = ?2");
    Ok(conn.prepare_cached(&sql)?.query_row([portal.0, contact.0], erasure).optional()?)
}

/// Those that are not done, by contact.
pub(super) fn open(conn: &Connection, portal: PortalId, limit: usize) -> Result<Vec<Erasure>> {
    let sql = format!("{ERASURE} WHERE portal_id = ?1 AND completed_at IS NULL ORDER BY contact_id LIMIT ?2");
    let mut sql = conn.prepare_cached(&sql)?;
    Ok(sql.query_map([portal.0, limit as i64], erasure)?.collect::<rusqlite::Result<_>>()?)
}

/// Notes that somebody is to be erased, or that it is done. What is noted already stays.
pub(super) fn write(conn: &Connection, portal: PortalId, erasures: &[Erasure]) -> Result<()> {
    let sql = "INSERT INTO erasures (portal_id, contact_id, requested_at, completed_at, known) \
               VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (portal_id, contact_id) DO UPDATE \
               SET completed_at = excluded.completed_at, known = excluded.known \
               WHERE excluded.completed_at IS NOT NULL AND erasures.completed_at IS NULL";
    for one in erasures {
        conn.prepare_cached(sql)?.execute(params![
            portal.0,
            one.contact.0,
            one.requested_at,
            one.completed_at,
            one.known
        ])?;
    }
    Ok(())
}

/// Takes addresses from somebody, as many as go into one change; which those were.
pub(super) fn unbind(conn: &Connection, portal: PortalId, visitor: VisitorId) -> Result<Vec<Identity>> {
    let sql = "DELETE FROM identities WHERE portal_id = ?1 AND (account_id, kind, value) IN \
               (SELECT account_id, kind, value FROM identities WHERE portal_id = ?1 AND visitor_id = ?2 LIMIT ?3) \
               RETURNING account_id, kind, value";
    let mut sql = conn.prepare_cached(sql)?;
    let gone = sql.query_map([portal.0, visitor.0, UNBOUND], identity)?;
    Ok(gone.collect::<rusqlite::Result<_>>()?)
}

/// The addresses that somebody is known by.
pub(super) fn identities(
    conn: &Connection,
    portal: PortalId,
    visitor: VisitorId,
    limit: usize,
) -> Result<Vec<Identity>> {
    let sql =
        "SELECT account_id, kind, value FROM identities WHERE portal_id = ?1 AND visitor_id = ?2 LIMIT ?3";
    let mut sql = conn.prepare_cached(sql)?;
    let found = sql.query_map([portal.0, visitor.0, limit as i64], identity)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Messages that name somebody, behind a place among them.
pub(super) fn mentions(
    conn: &Connection,
    portal: PortalId,
    person: VisitorId,
    after: i64,
    limit: usize,
) -> Result<Vec<PersonMention>> {
    let sql = "SELECT m.key, m.id FROM mentions n JOIN messages m ON m.key = n.message \
               WHERE n.portal_id = ?1 AND n.kind = 2 AND n.object_id = ?2 AND n.message > ?3 ORDER BY n.message LIMIT ?4";
    let mut sql = conn.prepare_cached(sql)?;
    let found = sql.query_map([portal.0, person.0, after, limit as i64], |row| {
        Ok((row.get::<_, i64>(0)?, MessageId(row.get(1)?)))
    })?;
    let mut mentions = Vec::new();
    for one in found {
        let (place, message) = one?;
        // Where the thread is gone, its entries go anyway. Their place is told all the same: there may be more behind it.
        let thread = super::threads::id_of_number(conn, portal, number(place))?.unwrap_or(ThreadId(0));
        mentions.push(PersonMention { place, thread, message });
    }
    Ok(mentions)
}

/// What an app's journal has, behind an entry.
pub(super) fn journal_docs(
    conn: &Connection,
    portal: PortalId,
    app: AppId,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, Vec<u8>)>> {
    let sql = "SELECT id, doc FROM journal_entries WHERE portal_id = ?1 AND app_id = ?2 AND id > ?3 ORDER BY id LIMIT ?4";
    let mut sql = conn.prepare_cached(sql)?;
    let found =
        sql.query_map([portal.0, app.0, after, limit as i64], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// What tokens say of visitors, behind one of them.
pub(super) fn said(
    conn: &Connection,
    portal: PortalId,
    (ends_at, nonce): (Millis, i64),
    limit: usize,
) -> Result<Vec<Said>> {
    let sql = "SELECT ends_at, nonce, said FROM visitor_tokens WHERE portal_id = ?1 AND (ends_at, nonce) > (?2, ?3) \
               ORDER BY ends_at, nonce LIMIT ?4";
    let mut sql = conn.prepare_cached(sql)?;
    let found = sql.query_map([portal.0, ends_at, nonce, limit as i64], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

impl Batch<'_> {
    /// Takes addresses from somebody.
    pub(super) fn unbind(&mut self, portal: PortalId, visitor: VisitorId) -> Result<()> {
        for Identity { account, identifier } in unbind(self.conn, portal, visitor)? {
            self.free(portal, account, &identifier);
        }
        Ok(())
    }
}

impl Engine {
    pub(crate) fn erasure(&self, portal: PortalId, contact: VisitorId) -> Answer<Option<Erasure>> {
        self.read(|conn| by_id(conn, portal, contact))
    }

    pub(crate) fn erasures_open(&self, portal: PortalId, limit: usize) -> Answer<Vec<Erasure>> {
        self.read(|conn| open(conn, portal, limit))
    }

    pub(crate) fn identities_of(
        &self,
        portal: PortalId,
        visitor: VisitorId,
        limit: usize,
    ) -> Answer<Vec<Identity>> {
        self.read(|conn| identities(conn, portal, visitor, limit))
    }

    pub(crate) fn person_mentions(
        &self,
        portal: PortalId,
        person: VisitorId,
        after: i64,
        limit: usize,
    ) -> Answer<Vec<PersonMention>> {
        self.read(|conn| mentions(conn, portal, person, after, limit))
    }

    pub(crate) fn journal_docs(
        &self,
        portal: PortalId,
        app: AppId,
        after: i64,
        limit: usize,
    ) -> Answer<Vec<(i64, Vec<u8>)>> {
        self.read(|conn| journal_docs(conn, portal, app, after, limit))
    }

    pub(crate) async fn journal_rewrite(
        &self,
        portal: PortalId,
        app: AppId,
        id: i64,
        doc: Vec<u8>,
    ) -> Answer<()> {
        self.submit(move |batch| {
            batch.written = true;
            let sql = "UPDATE journal_entries SET doc = ?4 WHERE portal_id = ?1 AND app_id = ?2 AND id = ?3";
            batch.conn.prepare_cached(sql)?.execute(params![portal.0, app.0, id, doc])?;
            Ok(())
        })
        .await
    }

    pub(crate) fn visitor_tokens_said(
        &self,
        portal: PortalId,
        after: (Millis, i64),
        limit: usize,
    ) -> Answer<Vec<Said>> {
        self.read(|conn| said(conn, portal, after, limit))
    }

    pub(crate) async fn visitor_token_end(
        &self,
        portal: PortalId,
        ends_at: Millis,
        nonce: i64,
    ) -> Answer<()> {
        self.submit(move |batch| {
            batch.written = true;
            let sql = "DELETE FROM visitor_tokens WHERE portal_id = ?1 AND ends_at = ?2 AND nonce = ?3";
            batch.conn.prepare_cached(sql)?.execute([portal.0, ends_at, nonce])?;
            Ok(())
        })
        .await
    }
}

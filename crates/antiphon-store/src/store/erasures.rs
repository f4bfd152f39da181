//! People who are being erased, and where they are found.

use super::{Engine, Store};
use crate::erasures::Said;
use crate::*;

impl Store {
    /// That somebody is to be erased, if that was ever asked for.
    pub async fn erasure(&self, portal: PortalId, contact: VisitorId) -> Result<Option<Erasure>, StoreError> {
        read!(self.erasure(portal, contact))
    }

    /// Those that are not done.
    pub async fn erasures_open(&self, portal: PortalId, limit: usize) -> Result<Vec<Erasure>, StoreError> {
        read!(self.erasures_open(portal, limit))
    }

    /// The addresses that somebody is known by, on whichever account.
    pub async fn identities_of(
        &self,
        portal: PortalId,
        visitor: VisitorId,
        limit: usize,
    ) -> Result<Vec<Identity>, StoreError> {
        read!(self.identities_of(portal, visitor, limit))
    }

    /// Messages that name somebody besides their thread's visitor, behind a place among them.
    pub async fn person_mentions(
        &self,
        portal: PortalId,
        person: VisitorId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<PersonMention>, StoreError> {
        read!(self.person_mentions(portal, person, after, limit))
    }

    /// What an app's journal has, behind an entry.
    pub async fn journal_docs(
        &self,
        portal: PortalId,
        app: AppId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        read!(self.journal_docs(portal, app, after, limit))
    }

    /// Has an entry of an app's journal say something else.
    pub async fn journal_rewrite(
        &self,
        portal: PortalId,
        app: AppId,
        id: i64,
        doc: Vec<u8>,
    ) -> Result<(), StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.journal_rewrite(portal, app, id, doc))
    }

    /// What tokens say of visitors, behind one of them.
    pub async fn visitor_tokens_said(
        &self,
        portal: PortalId,
        after: (Millis, i64),
        limit: usize,
    ) -> Result<Vec<Said>, StoreError> {
        read!(self.visitor_tokens_said(portal, after, limit))
    }

    /// Clears away what a token says before it ends.
    pub async fn visitor_token_end(
        &self,
        portal: PortalId,
        ends_at: Millis,
        nonce: i64,
    ) -> Result<(), StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.visitor_token_end(portal, ends_at, nonce))
    }
}

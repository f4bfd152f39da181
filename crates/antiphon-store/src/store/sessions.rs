//! Agents who are signed in.

use super::{Engine, Store};
use crate::*;

impl Store {
    /// Begins a session. Of an agent who has too many, the oldest end.
    pub async fn session_put(&self, portal: PortalId, session: Session) -> Result<(), StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.session_put(portal, session))
    }

    /// A session, whether or not it is still good.
    pub async fn session_by_id(
        &self,
        portal: PortalId,
        id: SessionId,
    ) -> Result<Option<Session>, StoreError> {
        read!(self.session_by_id(portal, id))
    }

    /// An agent's sessions, the newest first.
    pub async fn sessions_of(&self, portal: PortalId, agent: i64) -> Result<Vec<Session>, StoreError> {
        read!(self.sessions_of(portal, agent))
    }

    /// Gives a session that sends `secret` another to send, unless it was given one after `stale`; whether it was.
    pub async fn session_offer(
        &self,
        portal: PortalId,
        id: SessionId,
        secret: TokenHash,
        next: (TokenHash, Millis),
        stale: Millis,
    ) -> Result<bool, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.session_offer(portal, id, secret, next, stale))
    }

    /// Takes up what a session was given to send; what it sent before is good until a moment. Whether it was not taken up yet.
    pub async fn session_turn(
        &self,
        portal: PortalId,
        id: SessionId,
        next: TokenHash,
        turned: SessionTurn,
    ) -> Result<bool, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.session_turn(portal, id, next, turned))
    }

    /// Ends a session of an agent; whether there was one.
    pub async fn session_end(&self, portal: PortalId, agent: i64, id: SessionId) -> Result<bool, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.session_end(portal, agent, id))
    }

    /// Ends all sessions of an agent but one; how many those were.
    pub async fn sessions_end_others(
        &self,
        portal: PortalId,
        agent: i64,
        but: SessionId,
    ) -> Result<u64, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.sessions_end_others(portal, agent, but))
    }

    /// Clears away sessions that ended at a moment or before, at most so many; how many those were.
    pub async fn sessions_purge(
        &self,
        portal: PortalId,
        ended: Millis,
        limit: usize,
    ) -> Result<u64, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.sessions_purge(portal, ended, limit))
    }
}

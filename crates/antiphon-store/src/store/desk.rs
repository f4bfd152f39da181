//! What people lay beside threads, and ready-made words. All of it is written by [`Store::change`]: the first on
//! [`Target::Desk`] or with the thread, the others on [`Target::Canned`].

use super::{Engine, Store};
use crate::*;

impl Store {
    /// Who has read a thread and how far, by their actor ids.
    pub async fn reads_on(
        &self,
        portal: PortalId,
        thread: ThreadId,
        limit: usize,
    ) -> Result<Vec<ReadMark>, StoreError> {
        read!(self.reads_on(portal, thread, limit))
    }

    /// How far somebody has read these threads; those that they have not read are left out.
    pub async fn reads_of(
        &self,
        portal: PortalId,
        reader: &str,
        threads: &[ThreadId],
    ) -> Result<Vec<ReadMark>, StoreError> {
        read!(self.reads_of(portal, reader, threads))
    }

    /// An agent's draft in a thread.
    pub async fn draft(
        &self,
        portal: PortalId,
        thread: ThreadId,
        agent: i64,
    ) -> Result<Option<StoredDraft>, StoreError> {
        read!(self.draft(portal, thread, agent))
    }

    /// An agent's drafts, those first that were written last, without their bodies.
    pub async fn drafts(
        &self,
        portal: PortalId,
        agent: i64,
        limit: usize,
    ) -> Result<Vec<StoredDraft>, StoreError> {
        read!(self.drafts(portal, agent, limit))
    }

    /// Where an agent is called, newest first, behind one of those.
    pub async fn callings(
        &self,
        portal: PortalId,
        agent: i64,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<Calling>, StoreError> {
        read!(self.callings(portal, agent, after, limit))
    }

    /// How often an agent is called and has not seen it; a thousand stands for as many or more.
    pub async fn callings_unseen(&self, portal: PortalId, agent: i64) -> Result<i64, StoreError> {
        read!(self.callings_unseen(portal, agent))
    }

    /// Ready-made words by their id, whoever has them.
    pub async fn canned_reply(&self, portal: PortalId, id: i64) -> Result<Option<CannedReply>, StoreError> {
        read!(self.canned_reply(portal, id))
    }

    /// Ready-made words behind an id: those that everybody has, and those of an agent.
    pub async fn canned_replies(
        &self,
        portal: PortalId,
        agent: Option<i64>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<CannedReply>, StoreError> {
        read!(self.canned_replies(portal, agent, after, limit))
    }
}

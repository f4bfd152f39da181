//! What can be asked: each question is one read on a connection of its own.

use std::sync::Arc;

use super::{Answer, Engine, events, messages, threads, visitors, work};
use crate::*;

impl Engine {
    pub(crate) fn thread_by_id(&self, portal: PortalId, id: ThreadId) -> Answer<Option<Arc<KnownThread>>> {
        self.shared.readers.check_open()?;
        let known = self.shared.known.reading();
        match known.held(portal, id) {
            Some(thread) => Ok(Some(thread)),
            None => self.read(|conn| known.thread(conn, portal, id)),
        }
    }

    pub(crate) fn threads_by_ids(&self, portal: PortalId, ids: &[ThreadId]) -> Answer<Vec<Arc<KnownThread>>> {
        let known = self.shared.known.reading();
        self.read(|conn| ids.iter().filter_map(|id| known.thread(conn, portal, *id).transpose()).collect())
    }

    pub(crate) fn history(
        &self,
        portal: PortalId,
        thread: ThreadId,
        query: &HistoryQuery,
        sink: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Answer<Option<Page<Position>>> {
        let known = self.shared.known.reading();
        self.read(|conn| messages::history(conn, &known, portal, thread, query, sink))
    }

    pub(crate) fn message_by_id(
        &self,
        portal: PortalId,
        thread: ThreadId,
        id: MessageId,
    ) -> Answer<Option<StoredMessage>> {
        self.read(|conn| messages::by_id(conn, portal, thread, id))
    }

    pub(crate) fn position_of(
        &self,
        portal: PortalId,
        thread: ThreadId,
        id: MessageId,
    ) -> Answer<Option<Position>> {
        self.read(|conn| messages::position(conn, portal, thread, id))
    }

    pub(crate) fn messages_by_ids(
        &self,
        portal: PortalId,
        ids: &[(ThreadId, MessageId)],
    ) -> Answer<Vec<StoredMessage>> {
        self.read(|conn| {
            let find = |(thread, id): &(ThreadId, MessageId)| messages::by_id(conn, portal, *thread, *id);
            ids.iter().filter_map(|one| find(one).transpose()).collect()
        })
    }

    pub(crate) fn thread_of_message(&self, portal: PortalId, id: MessageId) -> Answer<Option<ThreadId>> {
        self.read(|conn| {
            let number = messages::thread_number(conn, portal, id)?;
            number.map_or(Ok(None), |number| threads::id_of_number(conn, portal, number))
        })
    }

    pub(crate) fn thread_keys(&self, portal: PortalId, thread: ThreadId) -> Answer<Vec<String>> {
        self.read(|conn| threads::keys(conn, portal, thread))
    }

    pub(crate) fn original_by_id(
        &self,
        portal: PortalId,
        thread: ThreadId,
        id: MessageId,
    ) -> Answer<Option<Original>> {
        self.read(|conn| messages::original(conn, portal, thread, id))
    }

    pub(crate) fn latest_incoming(
        &self,
        portal: PortalId,
        thread: ThreadId,
        limit: usize,
    ) -> Answer<Vec<StoredMessage>> {
        self.read(|conn| messages::latest_incoming(conn, portal, thread, limit))
    }

    pub(crate) fn visitors_by_ids(&self, portal: PortalId, ids: &[VisitorId]) -> Answer<Vec<Visitor>> {
        self.read(|conn| visitors::by_ids(conn, portal, ids))
    }

    pub(crate) fn contacts_by_emails(&self, portal: PortalId, emails: &[String]) -> Answer<Vec<Visitor>> {
        self.read(|conn| visitors::contacts_by_emails(conn, portal, emails))
    }

    pub(crate) fn visitors_by_addresses(
        &self,
        portal: PortalId,
        account: AccountId,
        addresses: &[Identifier],
    ) -> Answer<Vec<(Identifier, VisitorId)>> {
        self.read(|conn| visitors::by_addresses(conn, portal, account, addresses))
    }

    pub(crate) fn visitors(&self, portal: PortalId, query: &VisitorQuery) -> Answer<Vec<Visitor>> {
        self.read(|conn| visitors::page(conn, portal, query))
    }

    pub(crate) fn ticket_by_id(&self, portal: PortalId, id: TicketId) -> Answer<Option<Ticket>> {
        self.read(|conn| visitors::ticket_by_id(conn, portal, id))
    }

    pub(crate) fn tickets(
        &self,
        portal: PortalId,
        after: Option<TicketId>,
        limit: usize,
    ) -> Answer<Vec<Ticket>> {
        self.read(|conn| visitors::tickets(conn, portal, after, limit))
    }

    pub(crate) fn purge_due(
        &self,
        portal: PortalId,
        archived_before: Millis,
        limit: usize,
    ) -> Answer<Vec<ThreadId>> {
        self.read(|conn| threads::purge_due(conn, portal, archived_before, limit))
    }

    pub(crate) fn snooze_due(&self, portal: PortalId, now: Millis, limit: usize) -> Answer<Vec<ThreadId>> {
        self.read(|conn| threads::snooze_due(conn, portal, now, limit))
    }

    pub(crate) fn work(
        &self,
        portal: PortalId,
        query: &WorkQuery,
        sink: &mut (dyn FnMut(&KnownThread) + Send),
    ) -> Answer<Page<ThreadPosition>> {
        let known = self.shared.known.reading();
        self.read(|conn| work::page(conn, &known, portal, query, sink))
    }

    pub(crate) fn thread_counts(&self, portal: PortalId, tags: &[Option<TagId>]) -> Answer<Vec<(Kind, i64)>> {
        self.read(|conn| work::counts(conn, portal, tags, &WorkState::ALL))
    }

    pub(crate) fn events_after(&self, portal: PortalId, position: i64, limit: usize) -> Answer<Vec<Event>> {
        self.read(|conn| events::after(conn, portal, position, limit))
    }

    /// The writer numbers them when it records them.
    pub(crate) fn events_numbered(
        &self,
        portal: PortalId,
        position: i64,
        limit: usize,
    ) -> Answer<Vec<Event>> {
        self.events_after(portal, position, limit)
    }

    pub(crate) fn event_oldest(&self, portal: PortalId) -> Answer<Option<i64>> {
        self.read(|conn| events::oldest(conn, portal))
    }

    pub(crate) fn event_position(&self, portal: PortalId) -> Answer<i64> {
        self.read(|conn| events::newest(conn, portal))
    }
}

//! What can be asked: each question is one statement on a borrowed connection.

use std::sync::Arc;
use std::time::Instant;

use super::connect::{SOON, answered};
use super::failure::Failure;
use super::readers::{Values, row};
use super::{ANSWER, Answer, Engine};
use super::{
    allowances, batch, directory, events, messages, purge, readers, thread_list, threads, tidy, visitors,
    work,
};
use crate::messages::{number, place};
use crate::*;

/// Asks on a borrowed connection, and once more if that turns out to be lost: it may have been idle when it was cut.
macro_rules! ask {
    ($engine:expr, $client:ident => $question:expr) => {{
        let (mut again, begun) = (true, Instant::now());
        loop {
            let borrowed = $engine.shared.readers.get().await?;
            let $client = &borrowed;
            match answered(ANSWER, $question).await {
                Ok(answer) => break Ok(answer),
                Err(e) => {
                    let lost = matches!(e, Failure::Lost(_));
                    if lost {
                        readers::discard(borrowed);
                    }
                    // A server that is silent would keep whoever asks waiting twice.
                    if !(lost && again && begun.elapsed() < SOON) {
                        break Err(e.into());
                    }
                    again = false;
                }
            }
        }
    }};
}

pub(super) use ask;

impl Engine {
    pub(crate) async fn portals(&self, after: Option<PortalId>, limit: usize) -> Answer<Vec<Portal>> {
        ask!(self, client => directory::portals(client, after, limit))
    }

    pub(crate) async fn signing_keys(&self) -> Answer<Vec<SigningKey>> {
        ask!(self, client => self.signing_keys_on(client))
    }

    pub(crate) async fn directory(&self, portal: PortalId) -> Answer<Option<Arc<Directory>>> {
        Ok(self.shared.caches.directory(portal).await?)
    }

    pub(crate) async fn token_by_hash(
        &self,
        hash: &TokenHash,
    ) -> Answer<Option<(Arc<Token>, Arc<Directory>)>> {
        if let Some(token) = self.shared.caches.token(hash).await? {
            return Ok(Some(token));
        }
        let owner: Answer<_> = ask!(self, client => directory::portal_of_token(client, hash));
        let Some(owner) = owner? else { return Ok(None) };
        self.shared.caches.own(*hash, owner);
        Ok(self.shared.caches.token(hash).await?)
    }

    pub(crate) async fn directory_of_app(&self, app: AppId) -> Answer<Option<Arc<Directory>>> {
        let owner: Answer<_> = ask!(self, client => directory::portal_of_app(client, app));
        match owner? {
            Some(portal) => self.directory(portal).await,
            None => Ok(None),
        }
    }

    pub(crate) async fn app_by_key(&self, key: &str, now: Millis) -> Answer<Option<(AppId, Arc<Directory>)>> {
        let found: Answer<_> = ask!(self, client => directory::app_of_key(client, key, now));
        let Some((app, portal)) = found? else { return Ok(None) };
        Ok(self.directory(portal).await?.map(|directory| (app, directory)))
    }

    pub(crate) async fn usage(&self, portal: PortalId) -> Answer<Usage> {
        let standing: Answer<_> = ask!(self, client => batch::standing(client, portal));
        standing?.map(|standing| standing.usage).ok_or(StoreError::NoPortal)
    }

    pub(crate) async fn thread_by_id(
        &self,
        portal: PortalId,
        id: ThreadId,
    ) -> Answer<Option<Arc<KnownThread>>> {
        let found: Answer<_> = ask!(self, client => threads::by_id(client, portal, id));
        Ok(found?.map(|thread| Arc::new(KnownThread::from(thread))))
    }

    pub(crate) async fn threads_by_ids(
        &self,
        portal: PortalId,
        ids: &[ThreadId],
    ) -> Answer<Vec<Arc<KnownThread>>> {
        let found: Answer<Vec<_>> = ask!(self, client => threads::by_ids(client, portal, ids));
        Ok(found?.into_iter().map(|thread| Arc::new(KnownThread::from(thread))).collect())
    }

    pub(crate) async fn threads(
        &self,
        portal: PortalId,
        query: &ThreadQuery,
        sink: &mut (dyn FnMut(&KnownThread) + Send),
    ) -> Answer<Page<ThreadPosition>> {
        let held = self.shared.caches.held().directory(portal);
        let directory = match held {
            Some(held) => Some(held),
            None => self.directory(portal).await?,
        };
        let Some(directory) = directory else { return Ok(Page { count: 0, next: None }) };
        // Not asked twice: the sink may have been told of some.
        let client = self.shared.readers.get().await?;
        let page = answered(ANSWER, thread_list::page(&client, &directory, query, sink)).await;
        if matches!(page, Err(Failure::Lost(_))) {
            readers::discard(client);
        }
        Ok(page?)
    }

    pub(crate) async fn snooze_due(
        &self,
        portal: PortalId,
        now: Millis,
        limit: usize,
    ) -> Answer<Vec<ThreadId>> {
        ask!(self, client => threads::snooze_due(client, portal, now, limit))
    }

    pub(crate) async fn work(
        &self,
        portal: PortalId,
        query: &WorkQuery,
        sink: &mut (dyn FnMut(&KnownThread) + Send),
    ) -> Answer<Page<ThreadPosition>> {
        let found: Answer<(Vec<Thread>, _)> = ask!(self, client => work::page(client, portal, query));
        let (threads, page) = found?;
        threads.into_iter().for_each(|thread| sink(&thread.into()));
        Ok(page)
    }

    pub(crate) async fn thread_counts(
        &self,
        portal: PortalId,
        tags: &[Option<TagId>],
    ) -> Answer<Vec<(Kind, i64)>> {
        ask!(self, client => work::counts(client, portal, tags, &WorkState::ALL))
    }

    pub(crate) async fn history(
        &self,
        portal: PortalId,
        thread: ThreadId,
        query: &HistoryQuery,
        sink: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Answer<Option<Page<Position>>> {
        ask!(self, client => messages::history(client, portal, thread, query, sink))
    }

    pub(crate) async fn message_by_id(
        &self,
        portal: PortalId,
        thread: ThreadId,
        id: MessageId,
    ) -> Answer<Option<StoredMessage>> {
        ask!(self, client => messages::by_id(client, portal, thread, id))
    }

    pub(crate) async fn position_of(
        &self,
        portal: PortalId,
        thread: ThreadId,
        id: MessageId,
    ) -> Answer<Option<Position>> {
        let sql = "SELECT key FROM messages WHERE portal_id = $1 AND id = $2";
        let values: Values<'_> = &[&portal.0, &id.0.as_slice()];
        let found: Answer<_> = ask!(self, client => row(client, sql, values));
        let key: Option<i64> = found?.map(|row| row.try_get(0)).transpose().map_err(Failure::from)?;
        Ok(key.filter(|key| number(*key) == thread.0).map(place))
    }

    pub(crate) async fn messages_by_ids(
        &self,
        portal: PortalId,
        ids: &[(ThreadId, MessageId)],
    ) -> Answer<Vec<StoredMessage>> {
        ask!(self, client => messages::by_ids(client, portal, ids))
    }

    pub(crate) async fn thread_of_message(
        &self,
        portal: PortalId,
        id: MessageId,
    ) -> Answer<Option<ThreadId>> {
        ask!(self, client => messages::thread_of(client, portal, id))
    }

    pub(crate) async fn thread_keys(&self, portal: PortalId, thread: ThreadId) -> Answer<Vec<String>> {
        ask!(self, client => threads::keys(client, portal, thread))
    }

    pub(crate) async fn original_by_id(
        &self,
        portal: PortalId,
        thread: ThreadId,
        id: MessageId,
    ) -> Answer<Option<Original>> {
        ask!(self, client => messages::original(client, portal, thread, id))
    }

    pub(crate) async fn latest_incoming(
        &self,
        portal: PortalId,
        thread: ThreadId,
        limit: usize,
    ) -> Answer<Vec<StoredMessage>> {
        ask!(self, client => messages::latest_incoming(client, portal, thread, limit))
    }

    pub(crate) async fn visitors_by_ids(&self, portal: PortalId, ids: &[VisitorId]) -> Answer<Vec<Visitor>> {
        ask!(self, client => visitors::by_ids(client, portal, ids))
    }

    pub(crate) async fn contacts_by_emails(
        &self,
        portal: PortalId,
        emails: &[String],
    ) -> Answer<Vec<Visitor>> {
        ask!(self, client => visitors::contacts_by_emails(client, portal, emails))
    }

    pub(crate) async fn visitors_by_addresses(
        &self,
        portal: PortalId,
        account: AccountId,
        addresses: &[Identifier],
    ) -> Answer<Vec<(Identifier, VisitorId)>> {
        ask!(self, client => visitors::by_addresses(client, portal, account, addresses))
    }

    pub(crate) async fn visitors(&self, portal: PortalId, query: &VisitorQuery) -> Answer<Vec<Visitor>> {
        ask!(self, client => visitors::page(client, portal, query))
    }

    pub(crate) async fn ticket_by_id(&self, portal: PortalId, id: TicketId) -> Answer<Option<Ticket>> {
        ask!(self, client => visitors::ticket_by_id(client, portal, id))
    }

    pub(crate) async fn tickets(
        &self,
        portal: PortalId,
        after: Option<TicketId>,
        limit: usize,
    ) -> Answer<Vec<Ticket>> {
        ask!(self, client => visitors::tickets(client, portal, after, limit))
    }

    pub(crate) async fn purge_due(
        &self,
        portal: PortalId,
        archived_before: Millis,
        limit: usize,
    ) -> Answer<Vec<ThreadId>> {
        ask!(self, client => threads::purge_due(client, portal, archived_before, limit))
    }

    pub(crate) async fn draw(&self, portal: PortalId, draw: &Draw) -> Answer<Drawn> {
        ask!(self, client => allowances::draw(client, self.node, portal, draw))
    }

    pub(crate) async fn tidy(&self, portal: PortalId) -> Answer<u64> {
        let mut client = self.shared.readers.get().await?;
        let tidied = answered(ANSWER, tidy::tidy(&mut client, portal)).await;
        if matches!(tidied, Err(Failure::Lost(_))) {
            readers::discard(client);
        }
        Ok(tidied?)
    }

    pub(crate) async fn purge_step(&self, portal: PortalId) -> Answer<bool> {
        let mut client = self.shared.readers.get().await?;
        let step = answered(ANSWER, purge::step(&mut client, portal)).await;
        if matches!(step, Err(Failure::Lost(_))) {
            readers::discard(client);
        }
        Ok(step?)
    }

    pub(crate) async fn events_after(
        &self,
        portal: PortalId,
        position: i64,
        limit: usize,
    ) -> Answer<Vec<Event>> {
        ask!(self, client => events::after(client, portal, position, limit))
    }

    pub(crate) async fn events_purge(
        &self,
        portal: PortalId,
        before: Millis,
        most_before: Millis,
    ) -> Answer<u64> {
        ask!(self, client => events::purge(client, portal, before, most_before))
    }

    pub(crate) async fn events_numbered(
        &self,
        portal: PortalId,
        position: i64,
        limit: usize,
    ) -> Answer<Vec<Event>> {
        ask!(self, client => events::numbered(client, portal, position, limit))
    }

    pub(crate) async fn event_oldest(&self, portal: PortalId) -> Answer<Option<i64>> {
        ask!(self, client => events::oldest(client, portal))
    }

    /// Looks where a portal stands. What waits for a position is left to whoever numbers, who hears of it.
    pub(super) async fn event_standing(&self, portal: PortalId) -> Answer<i64> {
        let standing: Answer<Option<events::Standing>> =
            ask!(self, client => events::standing(client, portal));
        let standing = standing?;
        if standing.is_some_and(|standing| standing.waiting) {
            self.shared.sequencer.ring(portal);
        }
        Ok(standing.map_or(0, |standing| standing.position))
    }

    pub(crate) async fn event_position(&self, portal: PortalId) -> Answer<i64> {
        ask!(self, client => events::newest(client, portal))
    }
}

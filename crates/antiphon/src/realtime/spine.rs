//! Reading the spine for somebody: what they want of it, and how far it was looked at.

use std::collections::HashMap;

use antiphon_store::{Event, EventKind, InboxId, PortalId, Store, StoreError, ThreadId};

use super::filter::{Filter, Kinds, Whereabouts, thread_of};

/// How many events are read at once.
pub const PAGE: usize = 500;

/// A piece of the spine.
pub struct Piece {
    /// What of it is wanted.
    pub events: Vec<Event>,
    /// Everything up to here was looked at.
    pub reached: i64,
    /// There was no more.
    pub end: bool,
    /// What came right behind the position that was asked for is no longer kept.
    pub lost: bool,
}

/// Reads at most `limit` events behind a position, in the portal of whoever wants them.
pub async fn read(
    store: &Store,
    portal: PortalId,
    filter: &Filter,
    after: i64,
    limit: usize,
) -> Result<Piece, StoreError> {
    let page = store.events_numbered(portal, after, limit).await?;
    piece(store, portal, filter, after, limit, page).await
}

/// The same, of a page that was read already.
pub async fn piece(
    store: &Store,
    portal: PortalId,
    filter: &Filter,
    after: i64,
    limit: usize,
    page: Vec<Event>,
) -> Result<Piece, StoreError> {
    let reached = page.last().map_or(after, |event| event.position);
    let (end, lost) = (page.len() < limit, page.first().is_some_and(|event| event.position > after + 1));
    let mut events = page;
    events.retain(|event| filter.wants(Kinds::number(event.kind), thread_of(event)));
    if !filter.inboxes.is_empty() {
        let mut map = Map::default();
        map.look_up(store, portal, &events).await?;
        events.retain(|event| filter.wants_in(map.of(event)));
    }
    Ok(Piece { events, reached, end, lost })
}

/// Most threads whose whereabouts are remembered.
const REMEMBERED: usize = 50_000;

/// Where threads are. Nobody looks until somebody asks.
#[derive(Default)]
pub struct Map {
    threads: HashMap<ThreadId, Known>,
}

#[derive(Clone, Copy)]
struct Known {
    now: Option<InboxId>,
    /// Where it was, up to the event by which it was moved.
    before: Option<(InboxId, i64)>,
}

impl Map {
    /// Finds out where the threads of these events are. One that may have been moved is looked for again.
    pub async fn look_up(
        &mut self,
        store: &Store,
        portal: PortalId,
        events: &[Event],
    ) -> Result<(), StoreError> {
        if self.threads.len() > REMEMBERED {
            self.threads.clear();
        }
        for event in events {
            let Some(thread) = thread_of(event) else { continue };
            let known = self.threads.get(&thread).copied();
            if known.is_some() && !moves(event) {
                continue;
            }
            let found = store.thread_by_id(portal, thread).await?.map(|thread| thread.inbox_id);
            let was = known.and_then(|known| known.now);
            // What goes on about a thread that is gone concerns the inbox it was in.
            let now = found.or(was);
            let before = was.filter(|was| Some(*was) != now).map(|was| (was, event.position));
            self.threads.insert(thread, Known { now, before });
        }
        Ok(())
    }

    /// Where an event's thread is, as far as it was looked up.
    pub fn of(&self, event: &Event) -> Whereabouts {
        let known = thread_of(event).and_then(|thread| self.threads.get(&thread));
        known.map_or_else(Whereabouts::default, |known| Whereabouts {
            now: known.now,
            before: known.before.filter(|(_, moved)| event.position <= *moved).map(|(inbox, _)| inbox),
        })
    }
}

/// Whether a thread may be in another inbox than before.
fn moves(event: &Event) -> bool {
    event.kind == EventKind::ThreadTouched && event.payload.contains("THREAD_INBOX_CHANGE")
}

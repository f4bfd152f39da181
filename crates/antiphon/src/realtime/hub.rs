//! A portal's hub: reads the spine once for everybody who listens there, and puts what happens into the queues of those who
//! want it. It never waits for any of them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use antiphon_store::{Chat, Event, EventKind, PortalId, Store, StoreError, ThreadId, TokenHash};
use antiphon_wire::live;
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

use super::filter::{ChatKey, Filter, Kinds, Whereabouts, thread_of};
use super::index::Index;
use super::print::Printed;
use super::spine::{Map, PAGE};
use super::{Pass, Realtime, sees, talk};
use crate::app::App;
use crate::call::Caller;

/// How often tokens are looked at that end by themselves.
const LOOK: Duration = Duration::from_secs(5);

/// How long a hub waits before it tries again what the store could not do.
const AGAIN: Duration = Duration::from_millis(200);

/// Why somebody no longer hears anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    Slow,
    Stopping,
    Unauthorized,
}

impl Over {
    pub fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Stopping => "stopping",
            Self::Unauthorized => "unauthorized",
        }
    }
}

/// What somebody hears.
#[derive(Debug, Clone)]
pub enum Note {
    /// An event of the spine, with its position.
    At(i64, Printed),
    /// Events that are no longer kept.
    Lost(live::Resync),
    /// What another client said.
    Passed(Printed),
}

/// Where one who listens gets what is for them.
pub struct Chair {
    pub id: u64,
    pub filter: Arc<Filter>,
    pass: Option<Pass>,
    /// What is not behind this they had already.
    floor: i64,
    most: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    queue: VecDeque<Note>,
    waker: Option<Waker>,
    over: Option<Over>,
    /// Of one who is sent away: everything up to here is in the queue, or was.
    until: Option<i64>,
}

impl Chair {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts something into the queue; whom to wake. One who has too much to read is cut off.
    fn put(&self, note: Note, realtime: &Realtime) -> Option<Waker> {
        let mut waiting = self.waiting();
        if waiting.over.is_some() {
            return None;
        }
        if waiting.queue.len() >= self.most {
            waiting.queue = VecDeque::new();
            waiting.over = Some(Over::Slow);
            realtime.cut_off.fetch_add(1, Ordering::Relaxed);
        } else {
            waiting.queue.push_back(note);
        }
        waiting.waker.take()
    }

    fn end(&self, over: Over, position: i64) -> Option<Waker> {
        let mut waiting = self.waiting();
        if waiting.over.is_none() {
            waiting.over = Some(over);
            match over {
                Over::Stopping => waiting.until = Some(position),
                Over::Slow | Over::Unauthorized => waiting.queue.clear(),
            }
        }
        waiting.waker.take()
    }
}

/// Somebody's place at a hub, until it is dropped.
pub struct Seat {
    hub: Arc<Hub>,
    pub chair: Arc<Chair>,
}

impl Seat {
    /// The next thing, or why there is none.
    pub fn poll(&self, context: &mut Context<'_>) -> Poll<Result<Note, Over>> {
        let mut waiting = self.chair.waiting();
        match (waiting.queue.pop_front(), waiting.over) {
            (Some(note), _) => Poll::Ready(Ok(note)),
            (None, Some(over)) => Poll::Ready(Err(over)),
            (None, None) => {
                match &mut waiting.waker {
                    Some(waker) => waker.clone_from(context.waker()),
                    none => *none = Some(context.waker().clone()),
                }
                Poll::Pending
            }
        }
    }

    /// Hears of these threads from now on, as a visitor whose they are.
    pub(super) fn follow(&self, threads: &[ThreadId]) {
        let mut room = self.hub.room();
        threads.iter().for_each(|thread| room.index.follow(&self.chair, *thread));
    }

    /// How far everything was heard, if nothing waits to be.
    pub fn position(&self) -> Option<i64> {
        // Asked first: what was put into the queue up to there has gone from it when it is empty.
        let position = self.hub.reached.load(Ordering::Acquire);
        let waiting = self.chair.waiting();
        let until = if waiting.over.is_some() { waiting.until } else { Some(position) };
        until.filter(|_| waiting.queue.is_empty()).map(|until| until.max(self.chair.floor))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut room = self.hub.room();
        room.index.remove(&self.chair);
        if room.index.is_empty() {
            self.hub.bell.notify_one();
        }
    }
}

pub struct Hub {
    portal: PortalId,
    room: Mutex<Room>,
    /// The position up to which everything is in the queues.
    reached: AtomicI64,
    /// That everybody has gone, or it is time to stop.
    bell: Notify,
    /// That somebody may have ended a session.
    doubt: Notify,
}

struct Room {
    index: Index,
    position: i64,
    chairs: u64,
}

impl Room {
    fn sit(&mut self, filter: &Arc<Filter>, pass: Option<Pass>, floor: i64, most: usize) -> Arc<Chair> {
        self.chairs += 1;
        let (id, filter, waiting) = (self.chairs, filter.clone(), Mutex::default());
        let chair = Arc::new(Chair { id, filter, pass, floor, most, waiting });
        self.index.add(&chair);
        chair
    }
}

/// What became of the wish to sit down.
pub enum Joined {
    Seat(Seat),
    /// The hub is further, and what lies between has to be read first.
    Behind,
    Closed,
}

impl Realtime {
    /// Sits down at the hub of the caller's portal, if it is not further than that. Where there is none, somebody who has read
    /// everything makes it.
    pub(super) fn join(
        &self,
        app: &Arc<App>,
        caller: &Caller,
        filter: &Arc<Filter>,
        at: i64,
        all_read: bool,
    ) -> Joined {
        let mut hubs = self.hubs();
        if self.closed.load(Ordering::Relaxed) {
            return Joined::Closed;
        }
        let portal = caller.portal();
        let hub = match hubs.get(&portal) {
            Some(hub) => hub.clone(),
            None if !all_read => return Joined::Behind,
            None => {
                let hub = Hub::begin(app, portal, at);
                hubs.insert(portal, hub.clone());
                hub
            }
        };
        let mut room = hub.room();
        if at < room.position {
            return Joined::Behind;
        }
        let chair = room.sit(filter, Pass::of(caller), at, app.config.stream.behind);
        drop(room);
        Joined::Seat(Seat { hub, chair })
    }

    /// Sits down for a visitor wherever the hub is, and is told where that is. Where there is none, it begins at `newest`.
    pub(super) fn join_here(
        &self,
        app: &Arc<App>,
        portal: PortalId,
        filter: &Arc<Filter>,
        newest: i64,
    ) -> Option<Seat> {
        let mut hubs = self.hubs();
        if self.closed.load(Ordering::Relaxed) {
            return None;
        }
        let hub = hubs.entry(portal).or_insert_with(|| Hub::begin(app, portal, newest)).clone();
        let mut room = hub.room();
        let at = room.position;
        let chair = room.sit(filter, None, at, app.config.stream.behind);
        drop(room);
        Some(Seat { hub, chair })
    }

    /// Hands something to those of a portal who want it, but for the one who said it.
    pub(super) fn pass(&self, portal: PortalId, passing: &Passing, by: Option<u64>) {
        let hub = self.hubs().get(&portal).cloned();
        if let Some(hub) = hub {
            let wakers: Vec<Waker> = {
                let room = hub.room();
                let wanting = room.index.wanting(passing.kind, passing.thread, passing.place);
                let others = wanting.filter(|chair| Some(chair.id) != by);
                others.filter_map(|chair| chair.put(Note::Passed(passing.printed.clone()), self)).collect()
            };
            wakers.into_iter().for_each(Waker::wake);
        }
    }
}

/// What is passed on, and whom it concerns.
pub struct Passing {
    pub kind: usize,
    pub thread: Option<antiphon_store::ThreadId>,
    pub place: Whereabouts,
    pub printed: Printed,
}

impl Hub {
    fn begin(app: &Arc<App>, portal: PortalId, position: i64) -> Arc<Self> {
        let room = Room { index: Index::default(), position, chairs: 0 };
        let (room, reached) = (Mutex::new(room), AtomicI64::new(position));
        let hub = Arc::new(Self { portal, room, reached, bell: Notify::new(), doubt: Notify::new() });
        tokio::spawn(Run { hub: hub.clone(), app: app.clone(), map: Map::default() }.run());
        hub
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has it looked at who may still listen.
    pub(super) fn look(&self) {
        self.doubt.notify_one();
    }

    /// Ends what everybody hears.
    pub(super) fn close(&self) {
        self.end_those(Over::Stopping, |_| true);
        self.bell.notify_one();
    }

    fn end_those(&self, over: Over, which: impl Fn(&Chair) -> bool) {
        let wakers: Vec<Waker> = {
            let room = self.room();
            let ended = room.index.all().filter(|chair| which(chair));
            ended.filter_map(|chair| chair.end(over, room.position)).collect()
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Puts events into the queues they belong in; `false` when it has to be known first where their threads are, or whose.
    fn hand_out(
        &self,
        events: &[Event],
        map: Option<&Map>,
        begun: Option<&Begun>,
        realtime: &Realtime,
    ) -> bool {
        let mut wakers = Vec::new();
        let mut room = self.room();
        if (room.index.asks_where() && map.is_none()) || (room.index.asks_whose() && begun.is_none()) {
            return false;
        }
        for event in events {
            if event.kind == EventKind::ThreadCreated
                && let Some(thread) = thread_of(event)
                && let Some(key) = begun.and_then(|begun| begun.get(&thread))
            {
                room.index.begun(key, thread);
            }
            // Where nobody asks for inboxes, it does not matter where anything is.
            let place = map.map(|map| map.of(event)).unwrap_or_default();
            let mut printed = None;
            for chair in room.index.wanting(Kinds::number(event.kind), thread_of(event), place) {
                if event.position > chair.floor {
                    let printed = printed.get_or_insert_with(|| Printed::event(event.clone()));
                    wakers.extend(chair.put(Note::At(event.position, printed.clone()), realtime));
                }
            }
        }
        if let Some(last) = events.last() {
            room.position = last.position;
            self.reached.store(last.position, Ordering::Release);
        }
        drop(room);
        wakers.into_iter().for_each(Waker::wake);
        true
    }

    /// Tells everybody that something is missing.
    fn tell_lost(&self, resync: &live::Resync, realtime: &Realtime) {
        let wakers: Vec<Waker> = {
            let room = self.room();
            room.index.all().filter_map(|chair| chair.put(Note::Lost(resync.clone()), realtime)).collect()
        };
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// Whose the chats are that begin with some events.
type Begun = HashMap<ThreadId, ChatKey>;

async fn begun(store: &Store, portal: PortalId, events: &[Event]) -> Result<Begun, StoreError> {
    let made = events.iter().filter(|event| event.kind == EventKind::ThreadCreated);
    let made: Vec<ThreadId> = made.filter_map(thread_of).collect();
    if made.is_empty() {
        return Ok(Begun::new());
    }
    let chats = store.chats_by_threads(portal, &made).await?;
    let key = |chat: Chat| (chat.thread_id, ChatKey { account: chat.account_id, key: chat.visitor_key });
    Ok(chats.into_iter().map(key).collect())
}

/// The task of a hub.
struct Run {
    hub: Arc<Hub>,
    app: Arc<App>,
    map: Map,
}

impl Run {
    async fn run(mut self) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut words = self.app.store.words();
        loop {
            let position = self.hub.room().position;
            let mut doubts = false;
            tokio::select! {
                waited = self.app.store.events_listen(self.hub.portal, position) => {
                    let read = match waited {
                        Ok(()) => self.read(position, &mut doubts).await,
                        Err(error) => Err(error),
                    };
                    if let Err(error) = read {
                        tracing::debug!(%error, "events cannot be read; it is tried again");
                        tokio::time::sleep(AGAIN).await;
                    }
                }
                word = words.next() => {
                    if word.portal == self.hub.portal
                        && let Some(passing) = talk::heard(&word.text)
                    {
                        self.app.realtime.present.hear(word.portal, &passing, self.app.store.now());
                        self.app.realtime.pass(word.portal, &passing, None);
                    }
                }
                () = self.hub.bell.notified() => {}
                () = self.hub.doubt.notified() => doubts = true,
                _ = look.tick() => doubts = true,
            }
            if self.ended() {
                return;
            }
            if doubts && let Err(error) = self.look_at_tokens().await {
                tracing::debug!(%error, "tokens cannot be looked at; it is tried again");
            }
        }
    }

    /// Whether there is nobody any more. A hub that is gone from the list is never come back to.
    fn ended(&self) -> bool {
        let mut hubs = self.app.realtime.hubs();
        let ended = self.hub.room().index.is_empty();
        if ended {
            hubs.remove(&self.hub.portal);
        }
        ended
    }

    /// Reads what there is behind a position, and hands it out.
    async fn read(&mut self, mut position: i64, doubts: &mut bool) -> Result<(), StoreError> {
        let (store, portal) = (&self.app.store, self.hub.portal);
        loop {
            let events = store.events_numbered(portal, position, PAGE).await?;
            let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
            if first.position > position + 1 {
                let newest = store.event_position(portal).await?;
                let (position, oldest) = (first.position - 1, first.position);
                let resync = live::Resync { kind: "resync", resync: true, position, oldest, newest };
                self.hub.tell_lost(&resync, &self.app.realtime);
            }
            let age = store.now() - first.occurred_at;
            *doubts |= events.iter().any(|event| event.kind == EventKind::DirectoryChanged);
            let (places, whose) = {
                let room = self.hub.room();
                (room.index.asks_where(), room.index.asks_whose())
            };
            let (mut map, mut chats) = (None, None);
            if places {
                self.map.look_up(store, portal, &events).await?;
                map = Some(&self.map);
            }
            if whose {
                chats = Some(begun(store, portal, &events).await?);
            }
            if !self.hub.hand_out(&events, map, chats.as_ref(), &self.app.realtime) {
                // Somebody came meanwhile who asks.
                self.map.look_up(store, portal, &events).await?;
                let chats = begun(store, portal, &events).await?;
                self.hub.hand_out(&events, Some(&self.map), Some(&chats), &self.app.realtime);
            }
            self.app.realtime.lag.store(age.max(0), Ordering::Relaxed);
            position = last.position;
            if events.len() < PAGE {
                return Ok(());
            }
            // Others are on this thread as well.
            tokio::task::yield_now().await;
        }
    }

    /// Ends what those hear whose tokens no longer let them.
    async fn look_at_tokens(&self) -> Result<(), StoreError> {
        let mut passes: HashMap<(TokenHash, u32), (Pass, Kinds)> = HashMap::new();
        for chair in self.hub.room().index.all() {
            if let Some(pass) = &chair.pass {
                let visible = chair.filter.visible;
                passes.entry((pass.token.hash, visible.bits())).or_insert_with(|| (pass.clone(), visible));
            }
        }
        let mut ended = HashSet::new();
        for (key, (pass, visible)) in passes {
            if sees(&self.app, &pass).await? != Some(visible) {
                ended.insert(key);
            }
        }
        if !ended.is_empty() {
            self.hub.end_those(Over::Unauthorized, |chair| {
                let key = chair.pass.as_ref().map(|pass| (pass.token.hash, chair.filter.visible.bits()));
                key.is_some_and(|key| ended.contains(&key))
            });
        }
        Ok(())
    }
}

impl Drop for Run {
    /// Whatever ends the task, nobody is left to wait for what does not come.
    fn drop(&mut self) {
        let mut hubs = self.app.realtime.hubs();
        if hubs.get(&self.hub.portal).is_some_and(|hub| Arc::ptr_eq(hub, &self.hub)) {
            hubs.remove(&self.hub.portal);
        }
        drop(hubs);
        self.hub.end_those(Over::Stopping, |_| true);
    }
}

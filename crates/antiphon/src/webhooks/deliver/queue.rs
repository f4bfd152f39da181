//! What of the spine an app is to be told and has not taken yet: pure bookkeeping, so that its promises can be tested.
//!
//! Events of one object are never in two requests at once, and so arrive in their order. An event of an ordered subscription
//! waits besides as long as an earlier one of its object has failed and is to be tried again: it is *held*.

mod failed;
mod flights;
mod item;
mod lanes;

use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_store::{Subscription, SubscriptionId};
use foldhash::HashMap;

use self::failed::{Again, Failed};
use self::flights::Flights;
pub use self::item::{Item, Key, Line};
use self::lanes::Lanes;
pub use self::lanes::Left;

/// How long an event waits for others to go with it.
pub const GATHER: Duration = Duration::from_millis(200);

/// Most events in one request.
pub const MOST: usize = 100;

/// What is done with an event that was read.
#[derive(Debug)]
pub enum Placed {
    /// It goes with one of the next requests.
    Waiting,
    /// An earlier one has failed, and it stays behind that: the caller notes it.
    Held(Item),
    /// Too much of its object waits already: it is read once more when there is room.
    Left,
}

/// What is to be sent.
#[derive(Debug, Default)]
pub struct Queue {
    lanes: Lanes,
    again: Again,
    failed: Failed,
    flights: Flights,
    /// Whether the last request carried what had failed.
    was_again: bool,
    read: i64,
}

impl Queue {
    /// One that begins behind a position.
    pub fn new(position: i64) -> Self {
        Self { read: position, ..Self::default() }
    }

    /// The same, for those who are told one event at a time.
    pub fn alone(position: i64) -> Self {
        Self { flights: Flights::alone(), ..Self::new(position) }
    }

    /// The last event that was read.
    pub fn read(&self) -> i64 {
        self.read
    }

    /// Whether more is to be read.
    pub fn has_room(&self) -> bool {
        self.lanes.have_room(self.read)
    }

    /// Everything up to here is done with, or has a row of its own.
    pub fn position(&self) -> i64 {
        let first = self.flights.first().into_iter().chain(self.lanes.first()).min();
        first.map_or(self.read, |first| first - 1)
    }

    /// Notes that everything up to an event was read.
    pub fn read_to(&mut self, position: i64) {
        self.read = self.read.max(position);
    }

    /// Takes in an event that was read. They come in order.
    pub fn push(&mut self, item: Item) -> Placed {
        let (from, object, since) = (item.event.position, item.event.object_id, item.since);
        self.read_to(from);
        if self.lanes.have_left(object) {
            return Placed::Left;
        }
        let placed = self.place(item);
        if matches!(placed, Placed::Left) {
            self.lanes.leave(Left { object, from, since });
        }
        placed
    }

    /// Takes in an event that was left. They come in order, too.
    pub fn push_left(&mut self, left: Left, item: Item) -> Placed {
        let position = item.event.position;
        let placed = self.place(Item { since: left.since, ..item });
        let done = !matches!(placed, Placed::Left);
        self.lanes.left_from(left.object, position + i64::from(done));
        placed
    }

    fn place(&mut self, item: Item) -> Placed {
        if self.failed.holds(&item) {
            self.fail(item.line(), item.event.position);
            return Placed::Held(item);
        }
        if self.lanes.is_full(item.event.object_id) {
            return Placed::Left;
        }
        self.lanes.push(item);
        Placed::Waiting
    }

    /// Objects of which something was left, and nothing waits any more.
    pub fn to_fetch(&self) -> Vec<Left> {
        self.lanes.to_fetch()
    }

    /// Notes that nothing of an object is left any more.
    pub fn fetched(&mut self, object: i64) {
        self.lanes.fetched(object);
    }

    /// Notes a failed event of an ordered subscription: those that come later stay behind it.
    pub fn fail(&mut self, line: Line, position: i64) {
        self.failed.note(line, position);
    }

    /// Notes that a failed event is done with.
    pub fn settle(&mut self, line: Line, position: i64) {
        self.failed.settle(line, position);
    }

    /// The failed events of a line, oldest first.
    pub fn failed(&self, line: Line) -> impl Iterator<Item = i64> {
        self.failed.of(line)
    }

    /// Whether a failed event is to be sent again already.
    pub fn has(&self, key: &Key) -> bool {
        self.again.has(key)
    }

    /// Takes in a failed event whose time has come.
    pub fn push_again(&mut self, item: Item) {
        self.again.push(item);
    }

    /// How many failed events wait to be sent again.
    pub fn waiting_again(&self) -> usize {
        self.again.waiting.len()
    }

    /// What the next request carries; `None` while it is better to wait for more, or for what is under way. What has failed
    /// and what is new take turns, so that neither waits for all of the other.
    pub fn next(&mut self, now: Instant) -> Option<Vec<Item>> {
        let gathered = self.is_gathered(now);
        let mut batch = Vec::new();
        for again in [!self.was_again, self.was_again] {
            if batch.is_empty() && (again || gathered) {
                let from = if again { &mut self.again.waiting } else { &mut self.lanes.waiting };
                batch = self.flights.take(from);
                self.was_again = again;
            }
        }
        for item in batch.iter().filter(|item| !item.row) {
            self.lanes.gone(item);
        }
        self.flights.begin(&batch);
        (!batch.is_empty()).then_some(batch)
    }

    fn is_gathered(&self, now: Instant) -> bool {
        self.gathered_at().is_some_and(|at| at <= now)
            || (self.lanes.waiting.len() >= MOST && self.may_go().nth(MOST - 1).is_some())
    }

    /// When the oldest event that may go has waited long enough.
    pub fn gathered_at(&self) -> Option<Instant> {
        let gather = if self.flights.alone { Duration::ZERO } else { GATHER };
        self.may_go().next().map(|item| item.since + gather)
    }

    /// What waits for no request that is under way.
    fn may_go(&self) -> impl Iterator<Item = &Item> {
        self.lanes.waiting.iter().filter(|item| !self.flights.have(item.event.object_id))
    }

    /// Events of ordered subscriptions whose earlier ones have failed while they waited: they are held from now on, and the
    /// caller's to note.
    pub fn hold(&mut self) -> Vec<Item> {
        if self.failed.is_empty() {
            return Vec::new();
        }
        let held = self.lanes.keep(|item| !self.failed.holds(item));
        for item in &held {
            self.failed.note(item.line(), item.event.position);
        }
        held
    }

    /// Notes that a request is over.
    pub fn landed(&mut self, batch: &[Item]) {
        self.flights.landed(batch);
        for item in batch.iter().filter(|item| item.row) {
            self.again.landed(&item.key());
        }
    }

    /// Takes back, to be sent first, what a request had no room for.
    pub fn put_back(&mut self, rest: Vec<Item>) {
        for item in rest.into_iter().rev() {
            self.flights.left_out(&item);
            if item.row {
                self.again.waiting.push_front(item);
            } else {
                self.lanes.push(item);
            }
        }
    }

    /// Takes back what was to be sent again of a line: an earlier event of it has failed once more.
    pub fn unload(&mut self, line: Line) {
        self.again.forget(|item| item.line() == line && !item.loose);
    }

    /// Forgets what has failed, apart from what is under way; its rows are read anew.
    pub fn forget_failed(&mut self) {
        self.failed = Failed::default();
        self.again.forget(|_| true);
    }

    /// Gives what waits to its subscription as it is by now, and forgets it where there is none.
    pub fn adopt(&mut self, current: impl Fn(SubscriptionId) -> Option<Arc<Subscription>>) {
        self.lanes.keep(|item| {
            let found = current(item.subscription.id).filter(|one| one.since < item.event.position);
            let wanted = found.is_some();
            item.subscription = found.unwrap_or_else(|| item.subscription.clone());
            wanted
        });
    }
}

/// Counts one less.
fn thin(counts: &mut HashMap<i64, usize>, object: i64) {
    if let Some(count) = counts.get_mut(&object) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&object);
        }
    }
}

#[cfg(test)]
mod tests;

//! What of the spine an app is to be told and has not taken yet: pure bookkeeping, so that its promises can be tested.
//!
//! Events of one object are never in two requests at once, and so arrive in their order. An event of an ordered subscription
//! waits besides as long as an earlier one of its object has failed and is to be tried again: it is *held*.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_store::{Millis, Subscription, SubscriptionId};
use foldhash::HashMap;

use super::spine::Occurrence;

/// How long an event waits for others to go with it.
pub const GATHER: Duration = Duration::from_millis(200);

/// Most events in one request.
pub const MOST: usize = 100;

/// Most events that are read ahead of what is sent.
const WINDOW: usize = 1_000;

/// Most events of one object among them. More are left in the spine, so that others need not wait for them.
const LANE: usize = MOST;

/// How far is read past what was left. With more, nothing is read on until some of it is sent: all of it would be told again
/// after a crash.
const AHEAD: i64 = 10_000;

/// After more attempts than this an event travels with its own object only.
const ALONE: i64 = 1;

/// A subscription and an object: what an order is kept of.
pub type Line = (SubscriptionId, i64);

/// Which delivery it is.
pub type Key = (i64, SubscriptionId);

/// An event on its way to an app.
#[derive(Debug, Clone)]
pub struct Item {
    pub event: Arc<Occurrence>,
    pub subscription: Arc<Subscription>,
    /// How often it was sent.
    pub attempts: i64,
    /// When it was sent first.
    pub first_at: Option<Millis>,
    /// Whether it failed before, and there is a row that says so.
    pub row: bool,
    /// Whether it goes outside of its object's order, since somebody wants it sent again: it waits for nothing, and nothing
    /// for it.
    pub loose: bool,
    /// Since when it waits to be sent.
    pub since: Instant,
}

impl Item {
    pub fn key(&self) -> Key {
        (self.event.position, self.subscription.id)
    }

    pub fn line(&self) -> Line {
        (self.subscription.id, self.event.object_id)
    }
}

/// What is done with an event that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// It goes with one of the next requests.
    Waiting,
    /// An earlier one has failed, and it stays behind that.
    Held,
    /// Too much of its object waits already: it is read once more when there is room.
    Left,
}

/// What of an object was left in the spine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    pub object: i64,
    /// Nothing was left before this position.
    pub from: i64,
    since: Instant,
}

/// What is to be sent.
#[derive(Debug, Default)]
pub struct Queue {
    /// What waits to be sent for the first time, in order.
    waiting: VecDeque<Item>,
    /// How much of it is of which object.
    lanes: HashMap<i64, usize>,
    left: BTreeMap<i64, Left>,
    again: VecDeque<Item>,
    /// Those of `again`, and those of its requests under way: not to be loaded a second time.
    loaded: HashSet<Key>,
    /// Objects of which something is in a request.
    flying: HashMap<i64, usize>,
    /// The first events of requests under way whose events are sent for the first time.
    open: BTreeSet<i64>,
    /// Failed events of ordered subscriptions.
    failed: BTreeMap<Line, BTreeSet<i64>>,
    /// Whether a request carries one event, at once, and an object never has two under way whatever they are.
    alone: bool,
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
        Self { alone: true, ..Self::new(position) }
    }

    /// Whether the order of its object does not matter to an event.
    fn is_loose(&self, item: &Item) -> bool {
        item.loose && !self.alone
    }

    /// The last event that was read.
    pub fn read(&self) -> i64 {
        self.read
    }

    /// Whether more is to be read. What waits of an object of which some was left does not count: however much of it there
    /// is, it takes no room from others.
    pub fn has_room(&self) -> bool {
        let of_left: usize = self.left.keys().filter_map(|object| self.lanes.get(object)).sum();
        let ahead = self.left.values().map(|left| self.read - left.from).max().unwrap_or(0);
        self.waiting.len() < WINDOW + of_left && ahead < AHEAD
    }

    /// Everything up to here is done with, or has a row of its own.
    pub fn position(&self) -> i64 {
        // Those that wait are in order.
        let waiting = self.waiting.front().map(|item| item.event.position);
        let left = self.left.values().map(|left| left.from);
        let first = self.open.first().copied().into_iter().chain(waiting).chain(left).min();
        first.map_or(self.read, |first| first - 1)
    }

    /// Notes that everything up to an event was read.
    pub fn read_to(&mut self, position: i64) {
        self.read = self.read.max(position);
    }

    /// Takes in an event that was read. They come in order. One that is held is the caller's to note.
    pub fn push(&mut self, item: Item) -> Placed {
        let (position, object, since) = (item.event.position, item.event.object_id, item.since);
        self.read_to(position);
        if self.left.contains_key(&object) {
            return Placed::Left;
        }
        let placed = self.place(item);
        if placed == Placed::Left {
            self.left.insert(object, Left { object, from: position, since });
        }
        placed
    }

    /// Takes in an event that was left. They come in order, too.
    pub fn push_left(&mut self, left: Left, item: Item) -> Placed {
        let position = item.event.position;
        let placed = self.place(Item { since: left.since, ..item });
        if let Some(left) = self.left.get_mut(&left.object) {
            left.from = if placed == Placed::Left { position } else { position + 1 };
        }
        placed
    }

    fn place(&mut self, item: Item) -> Placed {
        if item.subscription.ordered && self.failed.contains_key(&item.line()) {
            self.fail(item.line(), item.event.position);
            return Placed::Held;
        }
        if self.lanes.get(&item.event.object_id).is_some_and(|waiting| *waiting >= LANE) {
            return Placed::Left;
        }
        self.wait(item);
        Placed::Waiting
    }

    fn wait(&mut self, item: Item) {
        *self.lanes.entry(item.event.object_id).or_default() += 1;
        let position = item.event.position;
        match self.waiting.back() {
            // What was left comes behind what was not.
            Some(last) if last.event.position > position => {
                let place = self.waiting.partition_point(|one| one.event.position < position);
                self.waiting.insert(place, item);
            }
            _ => self.waiting.push_back(item),
        }
    }

    /// Objects of which something was left, and nothing waits any more.
    pub fn to_fetch(&self) -> Vec<Left> {
        self.left.values().filter(|left| !self.lanes.contains_key(&left.object)).copied().collect()
    }

    /// Notes that nothing of an object is left any more.
    pub fn fetched(&mut self, object: i64) {
        self.left.remove(&object);
    }

    /// Notes a failed event of an ordered subscription: those that come later stay behind it.
    pub fn fail(&mut self, line: Line, position: i64) {
        self.failed.entry(line).or_default().insert(position);
    }

    /// Notes that a failed event is done with.
    pub fn settle(&mut self, line: Line, position: i64) {
        if let Some(failed) = self.failed.get_mut(&line) {
            failed.remove(&position);
            if failed.is_empty() {
                self.failed.remove(&line);
            }
        }
    }

    /// The failed events of a line, oldest first.
    pub fn failed(&self, line: Line) -> impl Iterator<Item = i64> {
        self.failed.get(&line).into_iter().flatten().copied()
    }

    /// Whether a failed event is to be sent again already.
    pub fn has(&self, key: &Key) -> bool {
        self.loaded.contains(key)
    }

    /// Takes in a failed event whose time has come.
    pub fn push_again(&mut self, item: Item) {
        if self.loaded.insert(item.key()) {
            self.again.push_back(item);
        }
    }

    /// How many failed events wait to be sent again.
    pub fn waiting_again(&self) -> usize {
        self.again.len()
    }

    /// What the next request carries; `None` while it is better to wait for more, or for what is under way. What has failed
    /// and what is new take turns, so that neither waits for all of the other.
    pub fn next(&mut self, now: Instant) -> Option<Vec<Item>> {
        let gathered = self.is_gathered(now);
        let mut batch = Vec::new();
        for again in [!self.was_again, self.was_again] {
            if batch.is_empty() && (again || gathered) {
                let from = if again { &mut self.again } else { &mut self.waiting };
                batch = take(from, &self.flying, self.alone);
                self.was_again = again;
            }
        }
        for item in &batch {
            if !item.row {
                thin(&mut self.lanes, item.event.object_id);
            }
        }
        for item in &batch {
            if self.is_loose(item) {
                continue;
            }
            *self.flying.entry(item.event.object_id).or_default() += 1;
        }
        if let Some(first) = batch.first().filter(|first| !first.row) {
            self.open.insert(first.event.position);
        }
        (!batch.is_empty()).then_some(batch)
    }

    fn is_gathered(&self, now: Instant) -> bool {
        self.gathered_at().is_some_and(|at| at <= now)
            || (self.waiting.len() >= MOST && self.may_go().nth(MOST - 1).is_some())
    }

    /// When the oldest event that may go has waited long enough.
    pub fn gathered_at(&self) -> Option<Instant> {
        let gather = if self.alone { Duration::ZERO } else { GATHER };
        self.may_go().next().map(|item| item.since + gather)
    }

    /// What waits for no request that is under way.
    fn may_go(&self) -> impl Iterator<Item = &Item> {
        self.waiting.iter().filter(|item| !self.flying.contains_key(&item.event.object_id))
    }

    /// Events of ordered subscriptions whose earlier ones have failed while they waited: they are held from now on, and the
    /// caller's to note.
    pub fn hold(&mut self) -> Vec<Item> {
        if self.failed.is_empty() {
            return Vec::new();
        }
        let failed = &self.failed;
        let (held, waiting) =
            std::mem::take(&mut self.waiting).into_iter().partition::<VecDeque<_>, _>(|item| {
                item.subscription.ordered && failed.contains_key(&item.line())
            });
        self.waiting = waiting;
        for item in &held {
            thin(&mut self.lanes, item.event.object_id);
            self.fail(item.line(), item.event.position);
        }
        held.into()
    }

    /// Notes that a request is over.
    pub fn landed(&mut self, batch: &[Item]) {
        for item in batch {
            if !self.is_loose(item) {
                thin(&mut self.flying, item.event.object_id);
            }
            if item.row {
                self.loaded.remove(&item.key());
            }
        }
        if let Some(first) = batch.first().filter(|first| !first.row) {
            self.open.remove(&first.event.position);
        }
    }

    /// Takes back, to be sent first, what a request had no room for.
    pub fn put_back(&mut self, rest: Vec<Item>) {
        for item in rest.into_iter().rev() {
            if !self.is_loose(&item) {
                thin(&mut self.flying, item.event.object_id);
            }
            if item.row {
                self.again.push_front(item);
            } else {
                self.wait(item);
            }
        }
    }

    /// Takes back what was to be sent again of a line: an earlier event of it has failed once more.
    pub fn unload(&mut self, line: Line) {
        self.forget_again(|item| item.line() == line && !item.loose);
    }

    /// Forgets what has failed, apart from what is under way; its rows are read anew.
    pub fn forget_failed(&mut self) {
        self.failed.clear();
        self.forget_again(|_| true);
    }

    fn forget_again(&mut self, forget: impl Fn(&Item) -> bool) {
        self.again.retain(|item| {
            let stays = !forget(item);
            if !stays {
                self.loaded.remove(&item.key());
            }
            stays
        });
    }

    /// Gives what waits to its subscription as it is by now, and forgets it where there is none.
    pub fn adopt(&mut self, current: impl Fn(SubscriptionId) -> Option<Arc<Subscription>>) {
        self.waiting.retain_mut(|item| {
            let found = current(item.subscription.id).filter(|one| one.since < item.event.position);
            let wanted = found.is_some();
            if !wanted {
                thin(&mut self.lanes, item.event.object_id);
            }
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

/// Takes out what may go together: of an object that is under way nothing, and behind what stays nothing of its object. What
/// failed more than once goes with its own object only, so that an event its receiver cannot bear takes no others with it.
fn take(from: &mut VecDeque<Item>, flying: &HashMap<i64, usize>, alone: bool) -> Vec<Item> {
    let most = if alone { 1 } else { MOST };
    let mut stays: HashSet<i64> = HashSet::new();
    let (mut batch, mut rest) = (Vec::with_capacity(from.len().min(most)), Vec::new());
    while batch.len() < most
        && let Some(item) = from.pop_front()
    {
        let object = item.event.object_id;
        let goes_along = batch.first().is_none_or(|first: &Item| {
            first.event.object_id == object || (first.attempts <= ALONE && item.attempts <= ALONE)
        });
        let loose = item.loose && !alone;
        let free = loose || !(flying.contains_key(&object) || stays.contains(&object));
        if goes_along && free {
            batch.push(item);
        } else {
            if !loose {
                stays.insert(object);
            }
            rest.push(item);
        }
    }
    for item in rest.into_iter().rev() {
        from.push_front(item);
    }
    batch
}

#[cfg(test)]
mod tests {
    use antiphon_store::{AppId, Event, EventKind, Expand, ObjectKind};
    use proptest::prelude::*;

    use super::*;

    fn item(position: i64, object_id: i64, ordered: bool, since: Instant) -> Item {
        let event = Event {
            position,
            kind: EventKind::MessageAdded,
            object: ObjectKind::Thread,
            object_id,
            revision: position,
            occurred_at: position,
            payload: String::new(),
        };
        let subscription = Subscription {
            id: SubscriptionId(1),
            app_id: AppId(1),
            event_type: "conversation.newMessage".into(),
            property_name: None,
            object_type_id: None,
            event_type_name: None,
            active: true,
            expand: Expand::default(),
            ordered,
            created_at: 0,
            updated_at: None,
            deleted_at: None,
            since: 0,
        };
        let (event, subscription) = (Arc::new(event.into()), Arc::new(subscription));
        Item { event, subscription, attempts: 0, first_at: None, row: false, loose: false, since }
    }

    fn positions(batch: &[Item]) -> Vec<i64> {
        batch.iter().map(|item| item.event.position).collect()
    }

    #[test]
    fn an_event_waits_for_company_and_a_full_request_for_nobody() {
        let begun = Instant::now();
        let mut queue = Queue::new(0);
        queue.push(item(1, 1, false, begun));
        queue.push(item(2, 2, false, begun));
        assert!(queue.next(begun).is_none());
        assert_eq!(queue.gathered_at(), Some(begun + GATHER));
        assert_eq!(positions(&queue.next(begun + GATHER).unwrap()), [1, 2]);
        for position in 3..=202 {
            queue.push(item(position, position, false, begun));
        }
        assert_eq!(positions(&queue.next(begun).unwrap()), (3..103).collect::<Vec<_>>());
        assert_eq!(queue.next(begun).unwrap().len(), 100);
        assert!(queue.next(begun + GATHER).is_none());
    }

    #[test]
    fn of_a_thread_one_request_is_under_way_at_a_time() {
        let begun = Instant::now();
        let late = begun + GATHER;
        let mut queue = Queue::new(0);
        queue.push(item(1, 7, false, begun));
        let first = queue.next(late).unwrap();
        queue.push(item(2, 7, false, begun));
        queue.push(item(3, 8, false, begun));
        assert_eq!(positions(&queue.next(late).unwrap()), [3]);
        assert!(queue.next(late).is_none());
        assert_eq!(queue.position(), 0);
        queue.landed(&first);
        assert_eq!(queue.position(), 1);
        assert_eq!(positions(&queue.next(late).unwrap()), [2]);
    }

    #[test]
    fn what_is_ordered_stays_behind_what_has_failed() {
        let begun = Instant::now();
        let late = begun + GATHER;
        let mut queue = Queue::new(0);
        queue.push(item(1, 7, true, begun));
        let first = queue.next(late).unwrap();
        queue.push(item(2, 7, true, begun));
        queue.push(item(3, 8, true, begun));
        queue.landed(&first);
        queue.fail(first[0].line(), 1);
        assert_eq!(positions(&queue.hold()), [2]);
        assert_eq!(queue.push(item(4, 7, true, begun)), Placed::Held);
        assert_eq!(positions(&queue.next(late).unwrap()), [3]);
        assert_eq!(queue.failed(first[0].line()).collect::<Vec<_>>(), [1, 2, 4]);
        for position in [1, 2, 4] {
            queue.settle(first[0].line(), position);
        }
        assert_eq!(queue.push(item(5, 7, true, begun)), Placed::Waiting);
    }

    #[test]
    fn those_who_are_told_one_at_a_time_wait_for_no_company() {
        let begun = Instant::now();
        let mut queue = Queue::alone(0);
        for (position, object) in [(1, 7), (2, 7), (3, 8)] {
            queue.push(item(position, object, true, begun));
        }
        let first = queue.next(begun).unwrap();
        assert_eq!(positions(&first), [1]);
        assert_eq!(positions(&queue.next(begun).unwrap()), [3]);
        // Not even what is outside of the order goes beside another of its object.
        queue.push_again(Item { attempts: 3, row: true, loose: true, ..item(0, 7, true, begun) });
        assert!(queue.next(begun).is_none());
        queue.landed(&first);
        let next = queue.next(begun).unwrap();
        queue.landed(&next);
        let last = queue.next(begun).unwrap();
        assert_eq!([positions(&next), positions(&last)].concat().len(), 2);
        assert!(queue.next(begun).is_none());
    }

    #[test]
    fn what_nobody_wants_any_more_holds_up_nothing() {
        let begun = Instant::now();
        let mut queue = Queue::new(0);
        queue.push(item(1, 7, false, begun));
        queue.read_to(9);
        assert_eq!(queue.position(), 0);
        queue.adopt(|_| None);
        assert_eq!((queue.position(), queue.next(begun + GATHER).is_none()), (9, true));
    }

    #[test]
    fn what_has_failed_and_what_is_new_take_turns() {
        let begun = Instant::now();
        let late = begun + GATHER;
        let mut queue = Queue::new(0);
        for position in 1..=3 {
            // Sent alone, since it has failed too often.
            queue.push_again(Item { attempts: 5, row: true, ..item(position, position, false, begun) });
            queue.push(item(10 + position, 1_000 + position, false, begun));
        }
        let mut next = || queue.next(late).map(|batch| positions(&batch)).unwrap_or_default();
        assert_eq!([next(), next(), next(), next()], [vec![1], vec![11, 12, 13], vec![2], vec![3]]);
        assert!(queue.next(late).is_none());
    }

    #[test]
    fn what_is_left_of_a_line_stays_behind_what_failed_of_it_again() {
        let begun = Instant::now();
        let mut queue = Queue::new(0);
        let of = |position, object| Item { row: true, ..item(position, object, true, begun) };
        for position in 1..=70 {
            queue.push_again(of(position, 1));
        }
        for position in 101..=170 {
            queue.push_again(of(position, 2));
        }
        let batch = queue.next(begun).unwrap();
        assert_eq!((batch.len(), queue.waiting_again()), (100, 40));
        queue.landed(&batch);
        queue.unload(of(101, 2).line());
        assert!(queue.next(begun).is_none() && !queue.has(&of(170, 2).key()));
    }

    #[test]
    fn what_of_an_object_has_no_room_is_left_and_takes_none_from_others() {
        let begun = Instant::now();
        let mut queue = Queue::new(0);
        for position in 1..=5_000 {
            let placed = queue.push(item(position, 7, false, begun));
            assert_eq!(placed == Placed::Waiting, position <= LANE as i64);
            assert!(queue.has_room());
        }
        assert_eq!(queue.push(item(5_001, 8, false, begun)), Placed::Waiting);
        assert_eq!((queue.position(), queue.to_fetch()), (0, vec![]));
        let hot = queue.next(begun).unwrap();
        assert_eq!(positions(&hot), (1..=100).collect::<Vec<_>>());
        assert_eq!(queue.gathered_at(), Some(begun + GATHER), "the other one gathers by itself");
        assert!(queue.next(begun).is_none());
        assert_eq!(positions(&queue.next(begun + GATHER).unwrap()), [5_001]);
        // What comes later stays behind what was left, until that was fetched.
        assert_eq!(queue.push(item(5_002, 7, false, begun)), Placed::Left);
        let left = queue.to_fetch().remove(0);
        assert_eq!((left.object, left.from), (7, 101));
        for position in 101..=200 {
            assert_eq!(queue.push_left(left, item(position, 7, false, begun)), Placed::Waiting);
        }
        assert_eq!(queue.push_left(left, item(201, 7, false, begun)), Placed::Left);
        queue.landed(&hot);
        assert_eq!(queue.position(), 100);
        assert_eq!(positions(&queue.next(begun).unwrap()), (101..=200).collect::<Vec<_>>());
        assert_eq!(queue.to_fetch()[0].from, 201);
    }

    #[test]
    fn reading_ahead_of_what_was_left_has_an_end() {
        let begun = Instant::now();
        let mut queue = Queue::new(0);
        for position in 1..=AHEAD + LANE as i64 {
            queue.push(item(position, 7, false, begun));
        }
        assert!(queue.has_room());
        queue.push(item(AHEAD + LANE as i64 + 1, 7, false, begun));
        assert!(!queue.has_room());
    }

    #[test]
    fn what_a_request_had_no_room_for_goes_first() {
        let begun = Instant::now();
        let late = begun + GATHER;
        let mut queue = Queue::new(0);
        for position in 1..=6 {
            queue.push(item(position, position % 2, false, begun));
        }
        let mut batch = queue.next(late).unwrap();
        queue.push(item(7, 1, false, begun));
        let rest = batch.split_off(2);
        queue.put_back(rest);
        assert!(queue.next(late).is_none(), "both objects are still under way");
        queue.landed(&batch);
        assert_eq!(queue.position(), 2);
        assert_eq!(positions(&queue.next(late).unwrap()), [3, 4, 5, 6, 7]);
    }

    #[test]
    fn what_somebody_wants_sent_again_waits_for_nothing_and_nothing_for_it() {
        let begun = Instant::now();
        let late = begun + GATHER;
        let mut queue = Queue::new(0);
        queue.push(item(5, 7, true, begun));
        let first = queue.next(late).unwrap();
        let again = Item { attempts: 1, row: true, loose: true, ..item(1, 7, true, begun) };
        queue.push_again(again);
        let flying = queue.next(late).unwrap();
        assert_eq!(positions(&flying), [1]);
        queue.push(item(6, 7, true, begun));
        queue.landed(&first);
        assert_eq!(positions(&queue.next(late).unwrap()), [6]);
        queue.landed(&flying);
        assert!(!queue.has(&flying[0].key()));
    }

    proptest! {
        /// Whatever order answers come in, every event goes out once, those of an object in their order, and the position never
        /// passes one that is under way.
        #[test]
        fn everything_goes_out_once_and_in_order(
            objects in prop::collection::vec(prop_oneof![3 => Just(0), 1 => 0..5_i64], 1..600),
            answers: Vec<u8>,
        ) {
            let begun = Instant::now();
            let late = begun + GATHER;
            let mut queue = Queue::new(0);
            let mut flying: Vec<Vec<Item>> = Vec::new();
            let mut sent: Vec<(i64, i64)> = Vec::new();
            let mut answers = answers.into_iter();
            let mut events = (1..).zip(objects.iter().copied());
            loop {
                let more = events.by_ref().take(37).map(|(position, object)| {
                    queue.push(item(position, object, false, begun));
                });
                let more = more.count();
                for left in queue.to_fetch() {
                    let of_it = (left.from..=queue.read()).filter(|at| objects[*at as usize - 1] == left.object);
                    let fetch = |at| queue.push_left(left, item(at, left.object, false, begun)) == Placed::Left;
                    if !of_it.collect::<Vec<_>>().into_iter().any(fetch) {
                        queue.fetched(left.object);
                    }
                }
                while let Some(batch) = queue.next(late) {
                    sent.extend(batch.iter().map(|item| (item.event.object_id, item.event.position)));
                    flying.push(batch);
                }
                let lowest = flying.iter().flatten().map(|item| item.event.position).min();
                prop_assert!(lowest.is_none_or(|lowest| queue.position() < lowest));
                if flying.is_empty() && more == 0 && queue.to_fetch().is_empty() {
                    break;
                }
                if !flying.is_empty() {
                    let which = usize::from(answers.next().unwrap_or(0)) % flying.len();
                    let batch = flying.swap_remove(which);
                    queue.landed(&batch);
                }
            }
            prop_assert_eq!(queue.position(), objects.len() as i64);
            let mut all: Vec<i64> = sent.iter().map(|(_, position)| *position).collect();
            for object in 0..5 {
                let of = sent.iter().filter(|(of, _)| *of == object).map(|(_, position)| *position);
                prop_assert!(of.is_sorted());
            }
            all.sort_unstable();
            prop_assert_eq!(all, (1..=objects.len() as i64).collect::<Vec<_>>());
        }
    }
}

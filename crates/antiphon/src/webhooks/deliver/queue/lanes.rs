//! What waits to be sent for the first time. Of one object only so much is read ahead, and the rest left in the spine, so that
//! others need not wait for it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use foldhash::HashMap;

use super::item::Item;
use super::{MOST, thin};

/// Most events that are read ahead of what is sent.
const WINDOW: usize = 1_000;

/// Most events of one object among them.
pub const LANE: usize = MOST;

/// How far is read past what was left. With more, nothing is read on until some of it is sent: all of it would be told again
/// after a crash.
pub const AHEAD: i64 = 10_000;

/// What of an object was left in the spine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    pub object: i64,
    /// Nothing was left before this position.
    pub from: i64,
    /// Since when the first of it waits to be sent.
    pub since: Instant,
}

/// What waits, of which objects, and what of them was left.
#[derive(Debug, Default)]
pub struct Lanes {
    /// In order.
    pub waiting: VecDeque<Item>,
    /// How much of it is of which object.
    counts: HashMap<i64, usize>,
    left: BTreeMap<i64, Left>,
}

impl Lanes {
    /// Whether there is room for more. What waits of an object of which some was left does not count: however much of it there
    /// is, it takes no room from others.
    pub fn have_room(&self, read: i64) -> bool {
        let of_left: usize = self.left.keys().filter_map(|object| self.counts.get(object)).sum();
        let ahead = self.left.values().map(|left| read - left.from).max().unwrap_or(0);
        self.waiting.len() < WINDOW + of_left && ahead < AHEAD
    }

    /// Whether an object has all the room that it gets.
    pub fn is_full(&self, object: i64) -> bool {
        self.counts.get(&object).is_some_and(|waiting| *waiting >= LANE)
    }

    /// The first position at which something waits or was left.
    pub fn first(&self) -> Option<i64> {
        let waiting = self.waiting.front().map(|item| item.event.position);
        let left = self.left.values().map(|left| left.from);
        left.chain(waiting).min()
    }

    pub fn push(&mut self, item: Item) {
        *self.counts.entry(item.event.object_id).or_default() += 1;
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

    /// Counts one that waits no more.
    pub fn gone(&mut self, item: &Item) {
        thin(&mut self.counts, item.event.object_id);
    }

    /// Keeps some of what waits, and gives out the others.
    pub fn keep(&mut self, mut wanted: impl FnMut(&mut Item) -> bool) -> Vec<Item> {
        let mut out = Vec::new();
        self.waiting.retain_mut(|item| {
            let stays = wanted(item);
            if !stays {
                thin(&mut self.counts, item.event.object_id);
                out.push(item.clone());
            }
            stays
        });
        out
    }

    /// Whether some of an object was left.
    pub fn have_left(&self, object: i64) -> bool {
        self.left.contains_key(&object)
    }

    /// Notes the first of an object that is left.
    pub fn leave(&mut self, left: Left) {
        self.left.insert(left.object, left);
    }

    /// Notes that nothing of an object is left before a position.
    pub fn left_from(&mut self, object: i64, position: i64) {
        if let Some(left) = self.left.get_mut(&object) {
            left.from = position;
        }
    }

    /// Notes that nothing of an object is left any more.
    pub fn fetched(&mut self, object: i64) {
        self.left.remove(&object);
    }

    /// Objects of which something was left, and nothing waits any more.
    pub fn to_fetch(&self) -> Vec<Left> {
        self.left.values().filter(|left| !self.counts.contains_key(&left.object)).copied().collect()
    }
}

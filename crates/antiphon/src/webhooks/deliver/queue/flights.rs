//! What is in requests under way, and what may go beside it.

use std::collections::{BTreeSet, HashSet, VecDeque};

use foldhash::HashMap;

use super::item::Item;
use super::{MOST, thin};

/// After more attempts than this an event travels with its own object only.
const ALONE: i64 = 1;

/// Requests under way.
#[derive(Debug, Default)]
pub struct Flights {
    /// Whether a request carries one event, at once, and an object never has two under way whatever they are.
    pub alone: bool,
    /// Objects of which something is in a request.
    objects: HashMap<i64, usize>,
    /// The first events of requests whose events are sent for the first time.
    open: BTreeSet<i64>,
}

impl Flights {
    /// Those of requests that carry one event each.
    pub fn alone() -> Self {
        Self { alone: true, ..Self::default() }
    }

    /// Whether the order of its object does not matter to an event.
    fn is_loose(&self, item: &Item) -> bool {
        item.loose && !self.alone
    }

    /// Whether something of an object is under way.
    pub fn have(&self, object: i64) -> bool {
        self.objects.contains_key(&object)
    }

    /// The first event under way that is sent for the first time.
    pub fn first(&self) -> Option<i64> {
        self.open.first().copied()
    }

    /// Notes that a request is under way.
    pub fn begin(&mut self, batch: &[Item]) {
        for item in batch {
            if !self.is_loose(item) {
                *self.objects.entry(item.event.object_id).or_default() += 1;
            }
        }
        if let Some(first) = batch.first().filter(|first| !first.row) {
            self.open.insert(first.event.position);
        }
    }

    /// Notes that a request is over.
    pub fn landed(&mut self, batch: &[Item]) {
        for item in batch {
            self.left_out(item);
        }
        if let Some(first) = batch.first().filter(|first| !first.row) {
            self.open.remove(&first.event.position);
        }
    }

    /// Notes that a request goes on without an event.
    pub fn left_out(&mut self, item: &Item) {
        if !self.is_loose(item) {
            thin(&mut self.objects, item.event.object_id);
        }
    }

    /// Takes out what may go together: of an object that is under way nothing, and behind what stays nothing of its object. What
    /// failed more than once goes with its own object only, so that an event its receiver cannot bear takes no others with it.
    pub fn take(&self, from: &mut VecDeque<Item>) -> Vec<Item> {
        let most = if self.alone { 1 } else { MOST };
        let mut stays: HashSet<i64> = HashSet::new();
        let (mut batch, mut rest) = (Vec::with_capacity(from.len().min(most)), Vec::new());
        while batch.len() < most
            && let Some(item) = from.pop_front()
        {
            let object = item.event.object_id;
            let goes_along = batch.first().is_none_or(|first: &Item| {
                first.event.object_id == object || (first.attempts <= ALONE && item.attempts <= ALONE)
            });
            let loose = self.is_loose(&item);
            let free = loose || !(self.have(object) || stays.contains(&object));
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
}

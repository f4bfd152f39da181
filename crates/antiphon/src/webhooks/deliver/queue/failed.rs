//! Which failed events others wait behind, and what of them is to be sent again.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use super::item::{Item, Key, Line};

/// Failed events of ordered subscriptions, by what they are an order of.
#[derive(Debug, Default)]
pub struct Failed(BTreeMap<Line, BTreeSet<i64>>);

impl Failed {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an event stays behind one of these.
    pub fn holds(&self, item: &Item) -> bool {
        item.subscription.ordered && self.0.contains_key(&item.line())
    }

    pub fn note(&mut self, line: Line, position: i64) {
        self.0.entry(line).or_default().insert(position);
    }

    pub fn settle(&mut self, line: Line, position: i64) {
        if let Some(failed) = self.0.get_mut(&line) {
            failed.remove(&position);
            if failed.is_empty() {
                self.0.remove(&line);
            }
        }
    }

    /// Those of a line, oldest first.
    pub fn of(&self, line: Line) -> impl Iterator<Item = i64> {
        self.0.get(&line).into_iter().flatten().copied()
    }
}

/// Failed events whose time has come.
#[derive(Debug, Default)]
pub struct Again {
    pub waiting: VecDeque<Item>,
    /// Those that wait, and those of requests under way: not to be loaded a second time.
    loaded: HashSet<Key>,
}

impl Again {
    pub fn has(&self, key: &Key) -> bool {
        self.loaded.contains(key)
    }

    pub fn push(&mut self, item: Item) {
        if self.loaded.insert(item.key()) {
            self.waiting.push_back(item);
        }
    }

    /// Notes that the request that carried one is over.
    pub fn landed(&mut self, key: &Key) {
        self.loaded.remove(key);
    }

    /// Forgets some of those that wait.
    pub fn forget(&mut self, forget: impl Fn(&Item) -> bool) {
        self.waiting.retain(|item| {
            let stays = !forget(item);
            if !stays {
                self.loaded.remove(&item.key());
            }
            stays
        });
    }
}

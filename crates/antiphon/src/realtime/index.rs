//! Who wants to hear of something, found without asking everybody.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use antiphon_store::{InboxId, ThreadId};

use super::filter::{ChatKey, Filter, Whereabouts};
use super::hub::Chair;

type Chairs = HashMap<u64, Arc<Chair>>;

/// Everybody at a hub. Each stands in one of the first three parts, by the narrowest that was asked for; visitors stand by the
/// threads that are theirs, and by their key, so that threads they begin are found.
#[derive(Default)]
pub struct Index {
    all: Chairs,
    by_thread: HashMap<ThreadId, Chairs>,
    by_inbox: HashMap<InboxId, Chairs>,
    by_kind: HashMap<usize, Chairs>,
    by_key: HashMap<ChatKey, Chairs>,
    /// The threads that visitors follow.
    followed: HashMap<u64, Vec<ThreadId>>,
    /// How many filter by inbox.
    by_place: usize,
}

impl Index {
    pub fn add(&mut self, chair: &Arc<Chair>) {
        self.all.insert(chair.id, chair.clone());
        if let Some(key) = &chair.filter.visitor {
            self.by_key.entry(key.clone()).or_default().insert(chair.id, chair.clone());
            return;
        }
        let Filter { kinds, threads, inboxes, .. } = &*chair.filter;
        self.by_place += usize::from(!inboxes.is_empty());
        let put = |chairs: &mut Chairs| drop(chairs.insert(chair.id, chair.clone()));
        if !threads.is_empty() {
            threads.iter().for_each(|thread| put(self.by_thread.entry(*thread).or_default()));
        } else if !inboxes.is_empty() {
            inboxes.iter().for_each(|inbox| put(self.by_inbox.entry(*inbox).or_default()));
        } else {
            kinds.each().for_each(|kind| put(self.by_kind.entry(kind).or_default()));
        }
    }

    pub fn remove(&mut self, chair: &Chair) {
        if self.all.remove(&chair.id).is_none() {
            return;
        }
        if let Some(key) = &chair.filter.visitor {
            forget(&mut self.by_key, key, chair.id);
            let followed = self.followed.remove(&chair.id).unwrap_or_default();
            followed.iter().for_each(|thread| forget(&mut self.by_thread, thread, chair.id));
            return;
        }
        let Filter { kinds, threads, inboxes, .. } = &*chair.filter;
        self.by_place -= usize::from(!inboxes.is_empty());
        if !threads.is_empty() {
            threads.iter().for_each(|thread| forget(&mut self.by_thread, thread, chair.id));
        } else if !inboxes.is_empty() {
            inboxes.iter().for_each(|inbox| forget(&mut self.by_inbox, inbox, chair.id));
        } else {
            kinds.each().for_each(|kind| forget(&mut self.by_kind, &kind, chair.id));
        }
    }

    /// A visitor hears of a thread from now on.
    pub fn follow(&mut self, chair: &Arc<Chair>, thread: ThreadId) {
        if !self.all.contains_key(&chair.id) {
            return;
        }
        let before = self.by_thread.entry(thread).or_default().insert(chair.id, chair.clone());
        if before.is_none() {
            self.followed.entry(chair.id).or_default().push(thread);
        }
    }

    /// Those who are known by a key hear of a thread that it began.
    pub fn begun(&mut self, key: &ChatKey, thread: ThreadId) {
        let chairs: Vec<_> = self.by_key.get(key).into_iter().flat_map(HashMap::values).cloned().collect();
        chairs.iter().for_each(|chair| self.follow(chair, thread));
    }

    /// Whether there are visitors, whose threads have to be known.
    pub fn asks_whose(&self) -> bool {
        !self.by_key.is_empty()
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<Chair>> {
        self.all.values()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether somebody wants to know where threads are.
    pub fn asks_where(&self) -> bool {
        self.by_place > 0
    }

    /// Everybody who wants to hear of something.
    pub fn wanting(
        &self,
        kind: usize,
        thread: Option<ThreadId>,
        place: Whereabouts,
    ) -> impl Iterator<Item = &Arc<Chair>> {
        let of_thread = thread.and_then(|thread| self.by_thread.get(&thread));
        // Of a thread that is gone all inboxes hear; one who named several hears once.
        let gone = thread.is_some() && place.now.is_none();
        let [now, before] = [place.now, place.before].map(|inbox| self.by_inbox.get(&inbox?));
        let placed = now.into_iter().chain(before.filter(|_| place.before != place.now));
        let everywhere = self.by_inbox.values().filter(move |_| gone);
        let chairs = of_thread.into_iter().chain(placed).chain(everywhere).chain(self.by_kind.get(&kind));
        let mut seen = Vec::new();
        chairs.flat_map(HashMap::values).filter(move |chair| {
            let several = chair.filter.threads.is_empty() && chair.filter.inboxes.len() > 1;
            let again = several && seen.contains(&chair.id);
            if several && !again {
                seen.push(chair.id);
            }
            !again && chair.filter.wants(kind, thread) && chair.filter.wants_in(place)
        })
    }
}

fn forget<K: Hash + Eq>(index: &mut HashMap<K, Chairs>, key: &K, id: u64) {
    if let Some(chairs) = index.get_mut(key) {
        chairs.remove(&id);
        if chairs.is_empty() {
            index.remove(key);
        }
    }
}

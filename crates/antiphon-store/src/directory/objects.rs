//! Objects of one kind, by their id.

use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdMap;

/// Objects of one kind in the order of their ids. A copy shares what it has in common with the original, so copying and
/// putting cost the same however many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objects<K: Ord, T>(OrdMap<K, Arc<T>>);

impl<K: Ord, T> Default for Objects<K, T> {
    fn default() -> Self {
        Self(OrdMap::new())
    }
}

impl<K: Ord + Clone, T> Objects<K, T> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One of them.
    pub fn get(&self, id: &K) -> Option<&Arc<T>> {
        self.0.get(id)
    }

    /// All of them, or those behind an id.
    pub fn after(&self, id: Option<K>) -> impl Iterator<Item = &Arc<T>> {
        let from = id.map_or(Bound::Unbounded, Bound::Excluded);
        self.0.range((from, Bound::Unbounded)).map(|(_, object)| object)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.0.values()
    }

    pub(super) fn put(&mut self, id: K, object: Arc<T>) {
        self.0.insert(id, object);
    }

    pub(super) fn remove(&mut self, id: &K) {
        self.0.remove(id);
    }
}

impl<K: Ord + Clone, T> FromIterator<(K, T)> for Objects<K, T> {
    fn from_iter<I: IntoIterator<Item = (K, T)>>(all: I) -> Self {
        Self(all.into_iter().map(|(id, object)| (id, Arc::new(object))).collect())
    }
}

//! Names that led somewhere: addresses to visitors, and what integrations call their conversations to threads. Whoever spoke
//! will mostly speak again, and the writer need not ask the file who that is.
//!
//! Only the writer looks here, and only the writer writes: what is here is what was committed last, as every name that a batch
//! writes is put here at its commit. What is not here may still be in the file. A name that led to a thread which is gone is
//! left alone, since ids are never given out again.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{AccountId, PortalId, ThreadId, Visitor, VisitorId};

/// Most names before the oldest are let go: some 20 MB in both generations.
const MOST: usize = 1 << 16;

/// A name on an account.
pub(super) type Name = (PortalId, AccountId, String);

/// Some names, and where they lead.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// By [`Identifier::key`](crate::Identifier::key).
    pub addresses: HashMap<Name, VisitorId>,
    pub visitors: HashMap<(PortalId, VisitorId), Arc<Visitor>>,
    pub threads: HashMap<Name, ThreadId>,
}

impl Names {
    fn len(&self) -> usize {
        self.addresses.len() + self.visitors.len() + self.threads.len()
    }
}

/// What is remembered, in two generations: when there is too much, the older one goes.
#[derive(Debug, Clone, Default)]
pub(super) struct Remembered {
    newer: Names,
    older: Names,
}

impl Remembered {
    /// Looks something up.
    pub(super) fn find<'n, T>(&'n self, of: impl Fn(&'n Names) -> Option<T>) -> Option<T> {
        of(&self.newer).or_else(|| of(&self.older))
    }

    /// Adds what a batch has read or written, once it is committed.
    pub(super) fn add(&mut self, names: Names) {
        if self.newer.len() + names.len() > MOST {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.addresses.extend(names.addresses);
        self.newer.visitors.extend(names.visitors);
        self.newer.threads.extend(names.threads);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(of: usize) -> Name {
        (PortalId(1), AccountId(1), of.to_string())
    }

    fn leading(names: impl IntoIterator<Item = usize>, to: i64) -> Names {
        let threads = names.into_iter().map(|of| (name(of), ThreadId(to))).collect();
        Names { threads, ..Names::default() }
    }

    #[test]
    fn what_was_committed_last_is_found_and_the_oldest_is_let_go() {
        let mut all = Remembered::default();
        let at = |all: &Remembered, of| all.find(|names| names.threads.get(&name(of)).copied());
        all.add(leading([0], 7));
        all.add(leading(1..MOST, 8));
        assert_eq!((at(&all, 0), at(&all, 1)), (Some(ThreadId(7)), Some(ThreadId(8))));
        // The older generation has it otherwise.
        all.add(leading([1], 9));
        assert_eq!((at(&all, 0), at(&all, 1)), (Some(ThreadId(7)), Some(ThreadId(9))));
        all.add(leading(MOST..2 * MOST, 10));
        assert_eq!((at(&all, 0), at(&all, 1), at(&all, 2)), (None, Some(ThreadId(9)), None));
    }
}

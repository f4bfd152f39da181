//! Where the writer waits between two batches while the log is turned over.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    writing: bool,
    held: bool,
}

/// The writer is inside a batch.
pub(super) struct Turn<'a>(&'a Gate);

/// No batch begins.
pub(super) struct Hold<'a>(&'a Gate);

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a batch, after whoever holds the gate, and not while `full` says that the log has to start over first.
    pub(super) fn enter(&self, full: impl Fn() -> bool) -> Turn<'_> {
        let state = self.state();
        let free = self.changed.wait_while(state, |state| state.held || full());
        free.unwrap_or_else(PoisonError::into_inner).writing = true;
        Turn(self)
    }

    /// Lets the batch in progress end and holds the next one back.
    pub(super) fn hold(&self) -> Hold<'_> {
        let mut state = self.state();
        state.held = true;
        drop(self.changed.wait_while(state, |state| state.writing).unwrap_or_else(PoisonError::into_inner));
        Hold(self)
    }

    /// Has a writer that waits ask again whether the log is full.
    pub(super) fn reconsider(&self) {
        drop(self.state());
        self.changed.notify_all();
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.state().writing = false;
        self.0.changed.notify_all();
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.state().held = false;
        self.0.changed.notify_all();
    }
}

//! The queue: changes wait in lanes, one portal's each, and a lane is served by one committer at a time. What is about one
//! thread always waits in the same lane, so that no two transactions of this node wait for each other's thread.

use std::collections::VecDeque;
use std::collections::hash_map::{Entry, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, OwnedSemaphorePermit, oneshot};

use crate::{Applied, Changes, Moment, PortalId, State, StoreError, Target};

/// Something for a committer to do.
pub(super) trait Work: Send {
    fn target(&self) -> &Target;
    /// Runs the rule; `None` when it refuses. May be called again after what came of it was thrown away.
    fn run(&mut self, state: &State, moment: &mut Moment) -> Option<Changes>;
    /// Tells whoever waits what was applied, or nothing when the rule refused.
    fn answer(self: Box<Self>, outcome: Result<Option<Applied>, StoreError>);
}

/// A change with somebody waiting for it.
pub(super) struct Task<R, F> {
    pub target: Target,
    pub rule: F,
    pub refusal: Option<R>,
    pub answer: oneshot::Sender<Result<Result<Applied, R>, StoreError>>,
}

impl<R: Send, F> Work for Task<R, F>
where
    F: FnMut(&State, &mut Moment) -> Result<Changes, R> + Send,
{
    fn target(&self) -> &Target {
        &self.target
    }

    fn run(&mut self, state: &State, moment: &mut Moment) -> Option<Changes> {
        match (self.rule)(state, moment) {
            Ok(changes) => Some(changes),
            Err(refusal) => {
                self.refusal = Some(refusal);
                None
            }
        }
    }

    fn answer(self: Box<Self>, outcome: Result<Option<Applied>, StoreError>) {
        let missing = || StoreError::Engine("a change was answered without being run".into());
        let Self { refusal, answer, .. } = *self;
        let told = outcome.and_then(|applied| match applied {
            Some(applied) => Ok(Ok(applied)),
            None => refusal.map(Err).ok_or_else(missing),
        });
        // Whoever asked may have gone away; the change stands all the same.
        let _ = answer.send(told);
    }
}

/// Work in the queue.
pub(super) struct Waiting {
    pub begin_by: Instant,
    /// Since when others have kept locks that it needs.
    pub held_up: Option<Instant>,
    pub work: Box<dyn Work>,
    /// Given back when the change has been answered.
    pub place: OwnedSemaphorePermit,
}

/// A portal, and one of its lanes.
pub(super) type Lane = (PortalId, u64);

pub(super) struct Lanes {
    /// Lanes per portal.
    count: u64,
    state: Mutex<Standing>,
    changed: Notify,
}

#[derive(Default)]
struct Standing {
    lanes: HashMap<Lane, Queue>,
    /// Lanes with work that nobody serves, the longest waiting first.
    ready: VecDeque<Lane>,
    waiting: usize,
    closed: bool,
}

#[derive(Default)]
struct Queue {
    works: VecDeque<Waiting>,
    served: bool,
}

impl Lanes {
    pub(super) fn new(count: usize) -> Self {
        Self { count: count.max(1) as u64, state: Mutex::default(), changed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, Standing> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lane of a target. What takes ids or has no thread yet goes through the portal's first: it would only wait for the
    /// portal's counters anywhere else.
    fn lane(&self, portal: PortalId, target: &Target) -> Lane {
        let lane = match target {
            Target::Thread(id) | Target::Message(id, _) => id.0 as u64 % self.count,
            Target::Desk(key) => key.thread.0 as u64 % self.count,
            Target::Threads(ids) => ids.first().map_or(0, |id| id.0 as u64 % self.count),
            Target::Conversation(key) => {
                let hash = BuildHasherDefault::<DefaultHasher>::default();
                let who = (key.account_id, &key.thread_key, &key.identifier, key.visitor, key.in_reply_to);
                hash.hash_one(who) % self.count
            }
            Target::Visitor(_)
            | Target::Erasure(_)
            | Target::Contact { .. }
            | Target::Ticket { .. }
            | Target::Canned(_)
            | Target::File(_)
            | Target::Directory => 0,
        };
        (portal, lane)
    }

    /// Queues work; `false` when the queue is closed.
    pub(super) fn push(&self, portal: PortalId, waiting: Waiting) -> bool {
        let lane = self.lane(portal, waiting.work.target());
        let mut state = self.state();
        if state.closed {
            return false;
        }
        state.waiting += 1;
        let queue = state.lanes.entry(lane).or_default();
        queue.works.push_back(waiting);
        if !queue.served && queue.works.len() == 1 {
            state.ready.push_back(lane);
            drop(state);
            self.changed.notify_one();
        }
        true
    }

    /// The next lane, and what waits in it; nothing once the queue is closed and empty. [`Lanes::done`] gives the lane back.
    pub(super) async fn next(&self, most: usize) -> Option<(Lane, Vec<Waiting>)> {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                if let Some(lane) = state.ready.pop_front() {
                    let queue = state.lanes.entry(lane).or_default();
                    queue.served = true;
                    let count = queue.works.len().min(most.max(1));
                    let works: Vec<Waiting> = queue.works.drain(..count).collect();
                    state.waiting -= works.len();
                    return Some((lane, works));
                }
                if state.closed && state.waiting == 0 {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Gives a lane back, with what could not be done yet.
    pub(super) fn done(&self, lane: Lane, back: Vec<Waiting>) {
        let mut state = self.state();
        state.waiting += back.len();
        if let Entry::Occupied(mut queue) = state.lanes.entry(lane) {
            queue.get_mut().served = false;
            for waiting in back.into_iter().rev() {
                queue.get_mut().works.push_front(waiting);
            }
            match queue.get().works.is_empty() {
                true => drop(queue.remove()),
                false => state.ready.push_back(lane),
            }
        }
        let closing = state.closed;
        drop(state);
        if closing { self.changed.notify_waiters() } else { self.changed.notify_one() }
    }

    /// Takes no more; what is queued is still served.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_waiters();
    }

    /// How many wait.
    pub(super) fn depth(&self) -> u64 {
        self.state().waiting as u64
    }
}

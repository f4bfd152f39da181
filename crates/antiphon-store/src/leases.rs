//! What only one may do at a time, on however many nodes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{oneshot, watch};
use tokio::time::timeout_at;

use crate::StoreError;

/// How long a holder may believe in its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// As long as the process lives: there is no other.
    Always,
    /// Until then, unless it is renewed before.
    Until(Instant),
    Over,
}

/// Ends a lease; tells when others can have it.
type End = Box<dyn FnOnce(oneshot::Sender<()>) + Send + Sync>;

/// The right to do something that only one may do at a time. It renews itself until it is dropped. A holder that was stopped
/// or cut off loses it, and finds that out by asking: what must not happen twice is also guarded by what it writes.
#[must_use = "it ends when it is dropped"]
pub struct Lease {
    hold: watch::Receiver<Hold>,
    end: Option<End>,
}

impl Lease {
    pub(crate) fn new(
        hold: watch::Receiver<Hold>,
        end: impl FnOnce(oneshot::Sender<()>) + Send + Sync + 'static,
    ) -> Self {
        Self { hold, end: Some(Box::new(end)) }
    }

    /// Whether nobody else can have it now. Once `false`, it stays so.
    #[must_use]
    pub fn held(&self) -> bool {
        let renewed = self.hold.has_changed().is_ok();
        renewed
            && match *self.hold.borrow() {
                Hold::Always => true,
                Hold::Until(until) => Instant::now() < until,
                Hold::Over => false,
            }
    }

    /// Waits until it is lost.
    pub async fn lost(&self) {
        let mut hold = self.hold.clone();
        while self.held() {
            let until = *hold.borrow_and_update();
            let gone = match until {
                Hold::Over => return,
                Hold::Always => hold.changed().await.is_err(),
                Hold::Until(until) => matches!(timeout_at(until.into(), hold.changed()).await, Ok(Err(_))),
            };
            if gone {
                return;
            }
        }
    }

    /// Gives it back and waits until others can have it. Dropping it does the same without waiting.
    pub async fn release(mut self) {
        let (done, told) = oneshot::channel();
        if let Some(end) = self.end.take() {
            end(done);
            // An error means that nobody renews it any more, and then it ends by itself.
            let _ = told.await;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            end(oneshot::channel().0);
        }
    }
}

/// Who holds which lease. `None` once it is closed.
type Held = Option<HashMap<String, watch::Sender<Hold>>>;

/// The leases of an engine that has only one process.
#[derive(Clone)]
pub(crate) struct OwnLeases(Arc<Mutex<Held>>);

impl Default for OwnLeases {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Some(HashMap::new()))))
    }
}

impl OwnLeases {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lease that nobody holds.
    pub(crate) fn claim(&self, name: &str) -> Result<Option<Lease>, StoreError> {
        let mut held = self.held();
        let held = held.as_mut().ok_or_else(|| StoreError::Unavailable("it is closed".into()))?;
        if held.contains_key(name) {
            return Ok(None);
        }
        let (sender, hold) = watch::channel(Hold::Always);
        held.insert(name.to_owned(), sender);
        let (all, name) = (self.clone(), name.to_owned());
        Ok(Some(Lease::new(hold, move |done| {
            if let Some(held) = all.held().as_mut() {
                held.remove(&name);
            }
            // Whoever gives a lease back need not wait for it.
            let _ = done.send(());
        })))
    }

    /// Ends them all.
    pub(crate) fn close(&self) {
        self.held().take();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_millis(500);

    #[tokio::test]
    async fn one_holds_a_lease_until_it_is_given_back() {
        let leases = OwnLeases::default();
        let first = leases.claim("purge").unwrap().unwrap();
        assert!(leases.claim("purge").unwrap().is_none());
        let other = leases.claim("letters").unwrap().unwrap();
        assert!(first.held() && other.held());
        assert!(timeout(Duration::from_millis(20), first.lost()).await.is_err());
        first.release().await;
        let again = leases.claim("purge").unwrap().unwrap();
        drop(again);
        let again = leases.claim("purge").unwrap().unwrap();
        leases.close();
        timeout(SOON, again.lost()).await.unwrap();
        assert!(!again.held() && !other.held());
        assert!(leases.claim("purge").is_err());
    }

    #[tokio::test]
    async fn a_lease_that_is_not_renewed_is_lost_when_it_runs_out() {
        let term = Duration::from_millis(60);
        let begun = Instant::now();
        let (sender, hold) = watch::channel(Hold::Until(begun + term));
        let lease = Lease::new(hold, |_| {});
        assert!(lease.held());
        sender.send(Hold::Until(begun + 2 * term)).unwrap();
        timeout(SOON, lease.lost()).await.unwrap();
        assert!(begun.elapsed() >= 2 * term && !lease.held());
    }

    #[tokio::test]
    async fn a_lease_is_lost_when_it_is_taken_or_nobody_renews_it() {
        let far = Hold::Until(Instant::now() + Duration::from_secs(60));
        for (taken, why) in [(true, "taken"), (false, "not renewed")] {
            let (sender, hold) = watch::channel(far);
            let lease = Lease::new(hold, |_| {});
            assert!(timeout(Duration::from_millis(20), lease.lost()).await.is_err(), "{why}");
            if taken {
                let _ = sender.send(Hold::Over);
            } else {
                drop(sender)
            }
            timeout(SOON, lease.lost()).await.unwrap();
            assert!(!lease.held(), "{why}");
        }
    }
}

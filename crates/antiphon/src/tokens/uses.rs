//! When tokens and grants were used last. A request notes it in memory and writes nothing; what was noted is written once a
//! minute, by each node for itself, and when it stops. So what is kept is a minute, and at most two behind.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use antiphon_store::{Millis, PortalId, Store, Used};
use futures_util::{StreamExt, stream};
use tokio::sync::watch;

use crate::app::App;
use crate::call::Caller;
use crate::refusal::Refusal;
use crate::serve::told;

/// How often it is written.
const EVERY: Duration = Duration::from_secs(60);

/// To what it is cut down: whoever calls all the time is written once a minute, and not moved with every call.
const PRECISION: Millis = 60_000;

/// Most that is remembered until it is written. Of what comes beyond that it is noted when it is used again.
const MOST: usize = 100_000;

/// Portals that are written at once.
const AT_ONCE: usize = 4;

/// What was used since it was written last.
#[derive(Default)]
pub struct Uses(RwLock<HashMap<(PortalId, Used), AtomicI64>>);

impl Uses {
    /// Notes what a caller uses. What is neither kept nor of a grant is no token that anybody could ask about.
    pub fn note(&self, caller: &Caller, now: Millis) {
        let token = &caller.token;
        let kept = || caller.directory.tokens().get(&token.hash).map(|token| Used::Token(token.hash));
        if let Some(used) = token.grant_id.map(Used::Grant).or_else(kept) {
            self.used(caller.portal(), used, now);
        }
    }

    /// Notes that something is used now.
    pub fn used(&self, portal: PortalId, used: Used, now: Millis) {
        self.put(portal, used, now - now.rem_euclid(PRECISION));
    }

    fn put(&self, portal: PortalId, used: Used, at: Millis) {
        let key = (portal, used);
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            known.fetch_max(at, Ordering::Relaxed);
            return;
        }
        let mut noted = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if noted.len() < MOST || noted.contains_key(&key) {
            noted.entry(key).or_default().fetch_max(at, Ordering::Relaxed);
        }
    }

    /// When these were used last, in the order in which they are named: as every node has written it, and as this one knows it.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn last(
        &self,
        store: &Store,
        portal: PortalId,
        of: &[Used],
    ) -> Result<Vec<Option<Millis>>, Refusal> {
        if of.is_empty() {
            return Ok(Vec::new());
        }
        let written: HashMap<Used, Millis> = store.uses(portal, of).await?.into_iter().collect();
        let noted = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let here = |used| noted.get(&(portal, used)).map(|at| at.load(Ordering::Relaxed));
        Ok(of.iter().map(|used| here(*used).max(written.get(used).copied())).collect())
    }

    /// Writes what was noted; how much that was. What cannot be written now is written next time.
    pub async fn write(&self, store: &Store) -> u64 {
        let noted = std::mem::take(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner));
        let mut portals: HashMap<PortalId, Vec<(Used, Millis)>> = HashMap::new();
        for ((portal, used), at) in noted {
            portals.entry(portal).or_default().push((used, at.into_inner()));
        }
        let writing = portals.into_iter().map(|(portal, uses)| async move {
            match store.uses_note(portal, uses.clone()).await {
                Ok(()) => uses.len() as u64,
                Err(error) => {
                    tracing::warn!(%portal, %error, "when tokens were used is written later");
                    uses.into_iter().for_each(|(used, at)| self.put(portal, used, at));
                    0
                }
            }
        });
        stream::iter(writing).buffer_unordered(AT_ONCE).fold(0, |sum, one| async move { sum + one }).await
    }
}

/// Writes what was noted, again and again, until told to stop.
pub async fn drive(app: &Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => drop(app.uses.write(&app.store).await),
            () = told(&mut stop) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded_and_never_goes_back() {
        let (uses, portal) = (Uses::default(), PortalId(1));
        for id in 0..MOST as i64 + 10 {
            uses.used(portal, Used::Grant(id), 180_000);
        }
        for at in [600_000, 659_999, 599_999] {
            uses.used(portal, Used::Grant(7), at);
        }
        let noted = uses.0.read().unwrap();
        assert_eq!(noted.len(), MOST);
        assert_eq!(noted[&(portal, Used::Grant(7))].load(Ordering::Relaxed), 600_000);
    }
}

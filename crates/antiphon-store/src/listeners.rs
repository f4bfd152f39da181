//! Readers that wait for the next event. What they are told is only that there is one: they read it from the spine.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::{PortalId, StoreError};

/// Positions of the portals that somebody waits for, as far as they are known. `None` once it is closed.
type Positions = Option<HashMap<PortalId, watch::Sender<Option<i64>>>>;

/// Who waits, and for which portal.
pub(crate) struct Listeners {
    portals: Mutex<Positions>,
    /// So that a committer need not ask for the lock when nobody waits.
    count: AtomicUsize,
}

impl Default for Listeners {
    fn default() -> Self {
        Self { portals: Mutex::new(Some(HashMap::new())), count: AtomicUsize::new(0) }
    }
}

impl Listeners {
    fn portals(&self) -> MutexGuard<'_, Positions> {
        self.portals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to listen. What is published from now on is heard.
    pub(crate) fn listen(self: &Arc<Self>, portal: PortalId) -> Result<Listener, StoreError> {
        let mut portals = self.portals();
        let portals = portals.as_mut().ok_or_else(closed)?;
        let position = portals.entry(portal).or_insert_with(|| watch::Sender::new(None)).subscribe();
        self.count.fetch_add(1, Ordering::SeqCst);
        Ok(Listener { all: self.clone(), portal, position })
    }

    /// Wakes those who wait for a portal's events up to this position.
    pub(crate) fn published(&self, portal: PortalId, position: i64) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        if let Some(known) = self.portals().as_ref().and_then(|portals| portals.get(&portal)) {
            known.send_if_modified(|known| {
                let news = *known < Some(position);
                if news {
                    *known = Some(position);
                }
                news
            });
        }
    }

    /// The portals that somebody waits for.
    pub(crate) fn awaited(&self) -> Vec<PortalId> {
        self.portals().as_ref().map_or_else(Vec::new, |portals| portals.keys().copied().collect())
    }

    /// Sends everybody away.
    pub(crate) fn close(&self) {
        self.portals().take();
    }
}

/// One who waits. Nothing but a place in a map.
pub(crate) struct Listener {
    all: Arc<Listeners>,
    portal: PortalId,
    position: watch::Receiver<Option<i64>>,
}

impl Listener {
    /// The newest position that was heard of; `None` before the first.
    pub(crate) fn heard(&self) -> Option<i64> {
        *self.position.borrow()
    }

    /// Waits for an event behind a position.
    pub(crate) async fn behind(&mut self, position: i64) -> Result<(), StoreError> {
        let news = self.position.wait_for(|known| *known > Some(position)).await;
        news.map(|_| ()).map_err(|_| closed())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut portals = self.all.portals();
        self.all.count.fetch_sub(1, Ordering::SeqCst);
        if let Some(portals) = portals.as_mut()
            && portals.get(&self.portal).is_some_and(|position| position.receiver_count() == 1)
        {
            portals.remove(&self.portal);
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".into())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const PORTAL: PortalId = PortalId(7);
    const SHORT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn whoever_waits_hears_of_what_comes_behind_its_position() {
        let all = Arc::new(Listeners::default());
        let (mut near, mut far) = (all.listen(PORTAL).unwrap(), all.listen(PORTAL).unwrap());
        all.published(PortalId(8), 100);
        assert_eq!(near.heard(), None);
        assert!(timeout(SHORT, near.behind(0)).await.is_err());
        all.published(PORTAL, 5);
        all.published(PORTAL, 3);
        near.behind(4).await.unwrap();
        assert!(timeout(SHORT, far.behind(5)).await.is_err());
        // Who comes later knows what was heard before.
        assert_eq!(all.listen(PORTAL).unwrap().heard(), Some(5));
        let waiting = tokio::spawn(async move { far.behind(5).await });
        all.published(PORTAL, 6);
        waiting.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn nothing_is_left_of_those_who_went_and_closing_sends_the_others_away() {
        let all = Arc::new(Listeners::default());
        let (one, mut two) = (all.listen(PORTAL).unwrap(), all.listen(PORTAL).unwrap());
        drop(one);
        assert_eq!(all.awaited(), [PORTAL]);
        assert!(timeout(SHORT, two.behind(0)).await.is_err());
        drop(two);
        assert_eq!(all.awaited(), []);
        let mut last = all.listen(PORTAL).unwrap();
        all.close();
        assert!(matches!(last.behind(0).await, Err(StoreError::Unavailable(_))));
        assert!(all.listen(PORTAL).is_err());
    }
}

//! How the webhooks of this node stand: what `/metrics` tells, and the bell that readers listen for.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use antiphon_store::AppId;
use tokio::sync::watch;

/// How an app's webhook stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Requests sent, and those of them that failed, since the node tells this app.
    pub attempts: u64,
    pub failures: u64,
    /// Events that are not done with.
    pub lag: i64,
    /// Failed events that are tried again.
    pub waiting: usize,
    pub paused: bool,
}

/// The webhooks of this node.
pub struct Webhooks {
    bell: watch::Sender<()>,
    apps: Mutex<BTreeMap<AppId, Figures>>,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self { bell: watch::Sender::new(()), apps: Mutex::default() }
    }
}

impl Webhooks {
    /// Has every reader of this node look at once what is due. Without it they do within a second.
    pub fn wake(&self) {
        self.bell.send_replace(());
    }

    /// Hears when readers are to look.
    pub(crate) fn called(&self) -> watch::Receiver<()> {
        self.bell.subscribe()
    }

    /// The apps that this node tells.
    pub fn apps(&self) -> BTreeMap<AppId, Figures> {
        self.locked().clone()
    }

    pub(crate) fn attempted(&self, app: AppId, succeeded: bool) {
        let mut apps = self.locked();
        let figures = apps.entry(app).or_default();
        figures.attempts += 1;
        figures.failures += u64::from(!succeeded);
    }

    pub(crate) fn show(&self, app: AppId, lag: i64, waiting: usize, paused: bool) {
        let mut apps = self.locked();
        let figures = apps.entry(app).or_default();
        *figures = Figures { lag, waiting, paused, ..*figures };
    }

    /// Another node tells it from now on, or nobody.
    pub(crate) fn forget(&self, app: AppId) {
        self.locked().remove(&app);
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<AppId, Figures>> {
        self.apps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! How the webhooks of this node stand: what `/metrics` tells, and the bell that readers listen for.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use antiphon_store::{AppId, Millis, Told};
use tokio::sync::watch;

/// How an app's webhook stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Requests sent, and those of them that failed, since the node tells this app.
    pub attempts: u64,
    pub failures: u64,
    /// Events that are not done with.
    pub lag: i64,
    /// When the first of them happened.
    pub oldest: Option<Millis>,
    /// Failed events that are tried again.
    pub waiting: usize,
    pub paused: bool,
}

/// The webhooks of this node.
pub struct Webhooks {
    bell: watch::Sender<()>,
    begun: Instant,
    told: Mutex<BTreeMap<Told, Figures>>,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self { bell: watch::Sender::new(()), begun: Instant::now(), told: Mutex::default() }
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

    /// The next of the moments that come this often, the same for all readers of this node.
    pub(crate) fn next_moment(&self, often: Duration) -> Instant {
        let since = self.begun.elapsed();
        let rest = since.as_nanos() % often.as_nanos();
        self.begun + since + often - Duration::from_nanos(rest as u64)
    }

    /// The apps that this node tells, each over all portals in which it does: the longest lag, and sums of the rest.
    pub fn apps(&self) -> BTreeMap<AppId, Figures> {
        let mut apps = BTreeMap::new();
        for (told, one) in self.locked().iter() {
            let all: &mut Figures = apps.entry(told.app).or_default();
            *all = Figures {
                attempts: all.attempts + one.attempts,
                failures: all.failures + one.failures,
                lag: all.lag.max(one.lag),
                oldest: all.oldest.into_iter().chain(one.oldest).min(),
                waiting: all.waiting + one.waiting,
                paused: all.paused || one.paused,
            };
        }
        apps
    }

    /// Prints them for `/metrics`.
    pub(crate) fn print(&self, now: Millis, out: &mut String) -> std::fmt::Result {
        type Read = fn(&Figures, Millis) -> f64;
        let all: [(&str, &str, &str, Read); 6] = [
            ("lag_events", "gauge", "Events of its portal that an app has not come to.", |one, _| {
                one.lag as f64
            }),
            ("lag_seconds", "gauge", "How long ago the first of them happened.", |one, now| {
                one.oldest.map_or(0.0, |oldest| (now - oldest).max(0) as f64 / 1000.0)
            }),
            ("attempts_total", "counter", "Requests sent to an app.", |one, _| one.attempts as f64),
            ("failures_total", "counter", "Requests that an app did not take.", |one, _| one.failures as f64),
            ("waiting", "gauge", "Events that an app did not take and that are tried again.", |one, _| {
                one.waiting as f64
            }),
            ("paused", "gauge", "1 while an app is sent nothing.", |one, _| f64::from(u8::from(one.paused))),
        ];
        let apps = self.apps();
        for (name, kind, help, read) in all {
            writeln!(out, "# HELP antiphon_webhook_{name} {help}\n# TYPE antiphon_webhook_{name} {kind}")?;
            for (app, figures) in &apps {
                let label = if app.channel().is_some() { "channel" } else { "app" };
                let number = app.channel().unwrap_or(app.0);
                writeln!(out, "antiphon_webhook_{name}{{{label}=\"{number}\"}} {}", read(figures, now))?;
            }
        }
        Ok(())
    }

    pub(crate) fn attempted(&self, told: Told, succeeded: bool) {
        let mut all = self.locked();
        let figures = all.entry(told).or_default();
        figures.attempts += 1;
        figures.failures += u64::from(!succeeded);
    }

    /// Shows how an app stands; what is counted here is not of account.
    pub(crate) fn show(&self, told: Told, now: Figures) {
        let mut all = self.locked();
        let figures = all.entry(told).or_default();
        *figures = Figures { attempts: figures.attempts, failures: figures.failures, ..now };
    }

    /// Another node tells it from now on, or nobody.
    pub(crate) fn forget(&self, told: Told) {
        self.locked().remove(&told);
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<Told, Figures>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

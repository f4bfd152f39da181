//! The driver of background work: when something runs, and what became of it. The work lives in its noun's room.
//!
//! Every job is safe to run at any time and any number of times; nothing here makes it correct, only timely. Of the nodes that
//! share a store one does a job at a time: whoever has its lease.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use antiphon_store::{Lease, Millis};
use tokio::sync::watch;

use crate::app::App;
use crate::serve::told;

/// What a job reports: how much it did.
pub type Done = Pin<Box<dyn Future<Output = anyhow::Result<u64>> + Send>>;

/// Work that is done every so often. The time is handed in.
pub struct Job {
    pub name: &'static str,
    pub every: Duration,
    pub work: fn(Arc<App>, Millis) -> Done,
}

/// Every job.
pub static JOBS: &[Job] = &[
    Job {
        name: "purge",
        every: Duration::from_secs(3600),
        work: |app, now| {
            Box::pin(async move {
                // The demo stays as it was made, and its days may be pinned far back.
                if app.config.demo { Ok(0) } else { crate::threads::purge::run(&app, now).await }
            })
        },
    },
    Job {
        name: "snooze",
        every: Duration::from_secs(30),
        work: |app, now| Box::pin(async move { crate::threads::snooze::run(&app, now).await }),
    },
    Job {
        name: "forget",
        every: Duration::from_secs(3600),
        work: |app, now| {
            Box::pin(async move {
                // What happened in the demo may be told as if it were long ago.
                if app.config.demo { Ok(0) } else { crate::events::retention::run(&app, now).await }
            })
        },
    },
    Job {
        name: "files",
        every: Duration::from_secs(3600),
        work: |app, now| Box::pin(async move { crate::files::sweep::run(&app, now).await }),
    },
    Job {
        name: "file-tasks",
        every: Duration::from_secs(60),
        work: |app, _| Box::pin(async move { crate::files::tasks::take_up(&app).await }),
    },
    Job {
        name: "erasures",
        every: Duration::from_secs(15),
        work: |app, _| Box::pin(async move { crate::contacts::erase::take_up(&app).await }),
    },
    Job {
        name: "grants",
        every: Duration::from_secs(3600),
        work: |app, now| Box::pin(async move { crate::oauth::clear::run(&app, now).await }),
    },
    Job {
        name: "tidy",
        every: Duration::from_secs(3600),
        work: |app, _| Box::pin(async move { crate::portals::tidy::run(&app).await }),
    },
    Job {
        name: "visitor-tokens",
        every: Duration::from_secs(600),
        work: |app, now| Box::pin(async move { crate::identification::sweep::run(&app, now).await }),
    },
    Job {
        name: "audit",
        every: Duration::from_secs(3600),
        work: |app, now| Box::pin(async move { crate::audit::sweep(&app, now).await }),
    },
    Job {
        name: "sessions",
        every: Duration::from_secs(3600),
        work: |app, now| Box::pin(async move { crate::sessions::sweep::run(&app, now).await }),
    },
    Job {
        name: "journal-tidy",
        every: Duration::from_secs(3600),
        work: |app, now| Box::pin(async move { crate::journal::tidy(&app, now).await }),
    },
];

/// How soon a job is asked for again that another node is doing: that node may not come to its end.
const AGAIN: Duration = Duration::from_secs(2);

/// Runs every job once, as of a moment. Returns how much each did.
///
/// # Errors
/// The first job that fails.
pub async fn run_due(app: &Arc<App>, now: Millis) -> anyhow::Result<Vec<(&'static str, u64)>> {
    let mut done = Vec::new();
    for job in JOBS {
        done.push((job.name, (job.work)(app.clone(), now).await?));
    }
    Ok(done)
}

/// Runs the jobs, each in its rhythm, until told to stop. A failure is logged and tried again next time.
pub async fn drive(app: &Arc<App>, stop: watch::Receiver<bool>) {
    let mut running = tokio::task::JoinSet::new();
    for job in JOBS {
        running.spawn(repeat(app.clone(), job, stop.clone()));
    }
    running.join_all().await;
}

async fn repeat(app: Arc<App>, job: &'static Job, mut stop: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(job.every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = told(&mut stop) => return,
        }
        let lease = tokio::select! {
            lease = claimed(&app, job) => lease,
            () = told(&mut stop) => return,
        };
        // Work that is given up half-way is found again by whoever does it next.
        tokio::select! {
            done = (job.work)(app.clone(), app.store.now()) => match done {
                Ok(0) => tracing::debug!(job = job.name, "nothing to do"),
                Ok(done) => tracing::info!(job = job.name, done, "done"),
                Err(error) => tracing::warn!(job = job.name, %error, "failed; it runs again later"),
            },
            () = lease.lost() => tracing::warn!(job = job.name, "left to another node"),
            () = told(&mut stop) => {}
        }
        lease.release().await;
    }
}

/// The job's lease, however long another node has it.
async fn claimed(app: &App, job: &Job) -> Lease {
    loop {
        match app.store.lease(job.name).await {
            Ok(Some(lease)) => return lease,
            Ok(None) => tracing::debug!(job = job.name, "another node does it"),
            Err(error) => tracing::warn!(job = job.name, %error, "not begun; it is tried again"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

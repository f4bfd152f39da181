//! Telling apps what happened, by webhooks.
//!
//! For every app that is told of something one task reads the spine, sends what matches a subscription, and writes how far it
//! has come. What was taken leaves only a line in the log of attempts; what was not taken becomes a row that says when it is
//! tried again. Cursor, rows and log are one write, after the answer: a crash at any moment means that something is sent once
//! more, with the same `eventId`, and never that something is left out.
//!
//! On however many nodes, an app is told by one: whoever has the lease of its bucket. A node that was stopped and goes on
//! finds that another one has taken the cursor, and writes nothing.

mod body;
pub mod channel;
pub mod matching;
mod queue;
mod reader;
pub(super) mod request;
pub(super) mod spine;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};
use std::time::Duration;

use antiphon_store::{AppId, Lease, PortalId, Reader, StoreError, Told};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::spine::Spine;
use crate::app::App;
use crate::serve::told;

/// Into how many parts the apps are divided among the nodes.
const BUCKETS: i64 = 16;

/// How often it is looked which apps there are, and whether another node has let go of some.
const LOOK: Duration = Duration::from_millis(250);

/// By how much this thread stands back behind those that take requests while all cores are busy: as far as it can. Senders notice
/// little of it then, and what is left to it, a seventieth of a core at worst, still tells 10,000 events a second.
const NICE: i32 = 19;

/// A reader that ends when nobody wants it to run any more.
struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Tells an app of what happens, until it is told to stop, somebody else has the cursor, or there is nothing to tell.
pub async fn tell(app: Arc<App>, told: Told, stop: watch::Receiver<bool>) {
    reader::run(app, told, Arc::default(), stop).await;
}

/// Whom there is to tell: apps of what they subscribed to, and of their channels.
async fn everybody(app: &App) -> Result<Vec<Told>, StoreError> {
    let mut all = app.store.told(Reader::Webhooks).await?;
    all.extend(app.store.told_channels().await?);
    Ok(all)
}

fn bucket(app: AppId) -> i64 {
    app.0.rem_euclid(BUCKETS)
}

/// Tells every app that this node may tell, until told to stop.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    // Elsewhere it would be the whole process.
    if cfg!(target_os = "linux")
        && let Err(error) = rustix::process::setpriority_process(None, NICE)
    {
        tracing::warn!(%error, "telling apps does not stand back behind requests");
    }
    let mut readers: HashMap<Told, Running> = HashMap::new();
    let mut leases: BTreeMap<i64, Lease> = BTreeMap::new();
    let mut spines: HashMap<PortalId, Weak<Spine>> = HashMap::new();
    let mut called = app.webhooks.called();
    while !*stop.borrow() {
        let everybody = match everybody(&app).await {
            Ok(everybody) => everybody,
            Err(error) => {
                tracing::warn!(%error, "it is not known which apps have webhooks; trying again");
                Vec::new()
            }
        };
        leases.retain(|_, lease| lease.held());
        for one in &everybody {
            let bucket = bucket(one.app);
            if !leases.contains_key(&bucket)
                && let Ok(Some(lease)) = app.store.lease(&format!("webhooks-{bucket}")).await
            {
                leases.insert(bucket, lease);
            }
        }
        readers.retain(|one, reader| {
            let ours = leases.contains_key(&(bucket(one.app)));
            // Whoever has the lease now takes the cursor, so nothing that is still written here would count.
            ours && !reader.0.is_finished()
        });
        for one in everybody {
            if leases.contains_key(&(bucket(one.app))) {
                let begin = || {
                    let spine = spines.get(&one.portal).and_then(Weak::upgrade).unwrap_or_default();
                    spines.insert(one.portal, Arc::downgrade(&spine));
                    Running(tokio::spawn(reader::run(app.clone(), one, spine, stop.clone())))
                };
                readers.entry(one).or_insert_with(begin);
            }
        }
        spines.retain(|_, spine| spine.strong_count() > 0);
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            // The sender lives as long as the program.
            _ = called.changed() => {}
            () = told(&mut stop) => {}
        }
    }
    for (_, mut reader) in readers {
        // One that panicked has nothing more to say.
        (&mut reader.0).await.ok();
    }
    for (_, lease) in leases {
        lease.release().await;
    }
}

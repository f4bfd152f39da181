//! Writing journals: one node reads the spine on behalf of every app that subscribed, and writes an entry when there is one.
//!
//! What was read and not written is in memory only. Entry and cursor are written in one, and only by whoever took the cursor
//! last: whatever becomes of a node, the next one goes on where the last entry ends.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use antiphon_store::{Cursor, JournalProgress, Lease, Millis, NewEntry, Reader, Told};
use antiphon_wire::journal::{JournalEvent, JournalFile};
use antiphon_wire::timestamp::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

use super::objects::Objects;
use super::wanted::Known;
use super::{print, snapshots};
use crate::app::App;
use crate::refusal::Refusal;
use crate::serve::told;

/// The shortest time between two entries that are not full.
pub const INTERVAL: Millis = 10_000;

/// Most events of an entry.
pub const FULL: usize = 1000;

/// How many events, or snapshots, are looked up at a time.
const CHUNK: usize = 500;

/// How often it is looked whether there is anything to write, and whether another node has stopped doing so.
const TICK: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_millis(400);

/// Journals that are being written.
#[derive(Default)]
pub struct Writer {
    journals: HashMap<Told, Journal>,
    /// When snapshots were looked for.
    looked: Option<Millis>,
}

struct Journal {
    cursor: Cursor,
    /// Position up to which events were read.
    read: i64,
    waiting: Vec<JournalEvent>,
    /// When the first of those happened, or was read if that was said to be earlier.
    first: Millis,
    /// Before that nothing is written unless the entry is full.
    quiet: Millis,
}

/// Writes journals as long as this node is the one that does, until told to stop.
pub async fn drive(app: &Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        let lease = tokio::select! {
            lease = claimed(app) => lease,
            () = told(&mut stop) => return,
        };
        let stopped = tokio::select! {
            () = write(app) => false,
            () = lease.lost() => false,
            () = told(&mut stop) => true,
        };
        lease.release().await;
        if stopped {
            return;
        }
        tracing::warn!("the journal is left to another node");
    }
}

async fn claimed(app: &App) -> Lease {
    loop {
        match app.store.lease("journal").await {
            Ok(Some(lease)) => return lease,
            Ok(None) => tracing::debug!("another node writes the journal"),
            Err(error) => tracing::warn!(%error, "the journal is not written; it is tried again"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn write(app: &App) {
    let mut writer = Writer::default();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        match writer.step(app).await {
            Ok(0) => {}
            Ok(entries) => tracing::debug!(entries, "written to journals"),
            Err(error) => tracing::warn!(?error, "no journal is written; it is tried again"),
        }
    }
}

impl Writer {
    /// Reads what is new for every app, and writes the entries that are due. How many those were.
    ///
    /// # Errors
    /// When the store cannot say which apps there are. What goes wrong with one app is logged, and tried again.
    pub async fn step(&mut self, app: &App) -> Result<u64, Refusal> {
        let apps = app.store.told(Reader::Journal).await?;
        self.journals.retain(|known, _| apps.contains(known));
        let mut written = 0;
        for of in apps {
            match self.turn(app, of).await {
                Ok(entries) => written += entries,
                Err(error) => {
                    self.journals.remove(&of);
                    tracing::warn!(portal = of.portal.0, app = of.app.0, ?error, "a journal is not written");
                }
            }
        }
        let now = app.store.now();
        if self.looked.is_none_or(|at| at + INTERVAL <= now) {
            self.looked = Some(now);
            written += snapshot(app, now).await?;
        }
        Ok(written)
    }

    async fn turn(&mut self, app: &App, of: Told) -> Result<u64, Refusal> {
        let journal = match self.journals.entry(of) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => match app.store.cursor_take(of.portal, Reader::Journal, of.app).await? {
                Some(cursor) => place.insert(Journal::new(cursor)),
                None => return Ok(0),
            },
        };
        match journal.turn(app, of).await? {
            Some(entries) => Ok(entries),
            None => {
                self.journals.remove(&of);
                Ok(0)
            }
        }
    }
}

impl Journal {
    fn new(cursor: Cursor) -> Self {
        Self { cursor, read: cursor.position, waiting: Vec::new(), first: 0, quiet: Millis::MIN }
    }

    /// How many entries were written; `None` when somebody else has taken the cursor.
    async fn turn(&mut self, app: &App, of: Told) -> Result<Option<u64>, Refusal> {
        let (mut written, now) = (0, app.store.now());
        loop {
            let events = app.store.events_after(of.portal, self.read, CHUNK).await?;
            let Some(last) = events.last().map(|event| event.position) else { break };
            let Some(directory) = app.store.directory(of.portal).await? else { break };
            let known = Known::all(&directory, of.app)?;
            let acts = super::acts(&directory, of.app);
            let mut objects = Objects::new(&app.store, of.portal);
            for event in &events {
                let active = acts.is_some_and(|since| since <= event.occurred_at);
                let whose = (of.portal, of.app, active);
                if let Some(printed) = print::event(event, whose, &known, &mut objects).await? {
                    if self.waiting.is_empty() {
                        self.first = event.occurred_at.min(now);
                    }
                    self.waiting.push(printed);
                }
                self.read = event.position;
                if self.waiting.len() >= FULL {
                    if !self.put(app, of).await? {
                        return Ok(None);
                    }
                    written += 1;
                }
            }
            self.read = last;
            if events.len() < CHUNK {
                break;
            }
        }
        // A cursor that stands still would keep events from being forgotten.
        let idle = self.waiting.is_empty() && self.cursor.position < self.read;
        let due = !self.waiting.is_empty() && self.first + INTERVAL <= now;
        if self.quiet <= now && (due || idle) {
            written += u64::from(due);
            if !self.put(app, of).await? {
                return Ok(None);
            }
        }
        Ok(Some(written))
    }

    /// Writes what waits, if anything does, and how far it was read; `false` when somebody else has taken the cursor.
    async fn put(&mut self, app: &App, of: Told) -> Result<bool, Refusal> {
        let now = app.store.now();
        let events = std::mem::take(&mut self.waiting);
        let entry = if events.is_empty() { None } else { Some(entry(events, now)?) };
        let progress = JournalProgress { epoch: self.cursor.epoch, position: self.read, entry };
        let held = app.store.journal_append(of.portal, of.app, progress).await?;
        self.cursor.position = self.read;
        self.quiet = now + INTERVAL;
        Ok(held)
    }
}

/// An entry, printed.
fn entry(journal_events: Vec<JournalEvent>, now: Millis) -> Result<NewEntry, Refusal> {
    let name = Uuid::new_v4();
    let offset = name.hyphenated().to_string();
    let file = JournalFile { offset, published_at: Timestamp(now), journal_events };
    let doc = serde_json::to_vec(&file).map_err(|e| Refusal::Internal(e.to_string()))?;
    Ok(NewEntry { name: name.into_bytes(), published_at: now, doc })
}

/// Makes the snapshots that were asked for. How many entries those are.
async fn snapshot(app: &App, now: Millis) -> Result<u64, Refusal> {
    let mut written = 0;
    for of in app.store.snapshots_waiting().await? {
        loop {
            let waiting = app.store.snapshots_pending(of.portal, of.app, CHUNK).await?;
            let Some(directory) = app.store.directory(of.portal).await? else { break };
            let active = super::acts(&directory, of.app).is_some();
            let mut objects = Objects::new(&app.store, of.portal);
            let (all, mut done, mut events) = (waiting.len(), Vec::new(), Vec::new());
            for one in waiting {
                let whose = (of.portal, of.app, active);
                let (snapshot, event) = snapshots::made(one, whose, &mut objects, now).await?;
                done.push(snapshot);
                events.extend(event);
            }
            if done.is_empty() {
                break;
            }
            let entry = if events.is_empty() { None } else { Some(entry(events, now)?) };
            let put = entry.is_some();
            // What another node has done by now is in its entry.
            if !app.store.snapshots_done(of.portal, of.app, done, entry).await? {
                break;
            }
            written += u64::from(put);
            if all < CHUNK {
                break;
            }
        }
    }
    Ok(written)
}

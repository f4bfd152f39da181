//! Writing journals: one node reads the spine on behalf of every app that subscribed, and writes an entry when there is one.
//!
//! What was read and not written is in memory only. Entry and cursor are written in one, and only by whoever took the cursor
//! last: whatever becomes of a node, the next one goes on where the last entry ends.
//!
//! Entries lie where the app is at home. How far another portal was read for them stands beside them, so that this too is one
//! write; the cursor there follows, and says only what may be forgotten.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use antiphon_store::{
    AppId, AwayProgress, Cursor, Directory, JournalProgress, Lease, Millis, NewEntry, PortalId, Reader, Told,
};
use antiphon_wire::journal::{JournalEvent, JournalFile};
use antiphon_wire::timestamp::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

use super::objects::Objects;
use super::wanted::Known;
use super::{print, reaches, snapshots};
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
    /// Where the app is at home.
    home: PortalId,
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
            Entry::Vacant(place) => match taken(app, of).await? {
                Some((cursor, home)) => place.insert(Journal::new(cursor, home)),
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

/// Takes the cursor; and where the app is at home. Where it is a guest, there is no cursor until its journal is to have something
/// from there: it begins before the first event that a subscription asks for.
async fn taken(app: &App, of: Told) -> Result<Option<(Cursor, PortalId)>, Refusal> {
    let store = &app.store;
    let Some(directory) = store.directory(of.portal).await? else { return Ok(None) };
    let home = directory.home(of.app).portal.id;
    let take = || store.cursor_take(of.portal, Reader::Journal, of.app);
    if home == of.portal {
        return Ok(take().await?.map(|cursor| (cursor, home)));
    }
    if store.cursor(of.portal, Reader::Journal, of.app).await?.is_none() {
        let Some(from) = begins(&directory, of)? else { return Ok(None) };
        let from = store.event_position_at(of.portal, from).await?;
        store.cursor_begin(of.portal, Reader::Journal, of.app, from).await?;
    }
    let Some(cursor) = take().await? else { return Ok(None) };
    let position = store.journal_claim(home, of.app, of.portal, cursor).await?;
    Ok(Some((Cursor { position, ..cursor }, home)))
}

/// Since when the journal of a guest has what happens; `None` while nobody wants it to.
fn begins(directory: &Directory, of: Told) -> Result<Option<Millis>, Refusal> {
    if !reaches(directory, of.app) {
        return Ok(None);
    }
    let known = Known::all(directory, of.app)?;
    let since =
        known.iter().filter(|known| known.concerns(of.portal)).map(|known| known.row.created_at).min();
    Ok(since.and_then(|since| Some(since.max(directory.install(of.app)?.installed_at))))
}

/// Whether the journal of an app is to have anything from a portal.
///
/// # Errors
/// When it cannot be read what the app asks for.
pub fn wants(directory: &Directory, app: AppId) -> Result<bool, Refusal> {
    Ok(begins(directory, Told { portal: directory.portal.id, app })?.is_some())
}

impl Journal {
    fn new(cursor: Cursor, home: PortalId) -> Self {
        Self { cursor, home, read: cursor.position, waiting: Vec::new(), first: 0, quiet: Millis::MIN }
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
                let away = self.home != of.portal;
                let whose = print::Whose { portal: of.portal, app: of.app, away, active };
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
        let mut entry = if events.is_empty() { None } else { Some(entry(of.portal, events, now)?) };
        let (epoch, position) = (self.cursor.epoch, self.read);
        if self.home != of.portal
            && let Some(entry) = entry.take()
        {
            let progress = AwayProgress { epoch, position, entry };
            if !app.store.journal_append_away(self.home, of.app, progress).await? {
                return Ok(false);
            }
        }
        let progress = JournalProgress { epoch, position, entry };
        let held = app.store.journal_append(of.portal, of.app, progress).await?;
        self.cursor.position = self.read;
        self.quiet = now + INTERVAL;
        Ok(held)
    }
}

/// An entry, printed.
fn entry(of: PortalId, journal_events: Vec<JournalEvent>, now: Millis) -> Result<NewEntry, Refusal> {
    let name = Uuid::new_v4();
    let offset = name.hyphenated().to_string();
    let file = JournalFile { offset, published_at: Timestamp(now), journal_events };
    let doc = serde_json::to_vec(&file).map_err(|e| Refusal::Internal(e.to_string()))?;
    Ok(NewEntry { name: name.into_bytes(), of, published_at: now, doc })
}

/// Makes the snapshots that were asked for. How many entries those are.
async fn snapshot(app: &App, now: Millis) -> Result<u64, Refusal> {
    let mut written = 0;
    for of in app.store.snapshots_waiting().await? {
        loop {
            let waiting = app.store.snapshots_pending(of.portal, of.app, CHUNK).await?;
            let (all, mut done, mut events) = (waiting.len(), Vec::new(), BTreeMap::new());
            let mut places = HashMap::new();
            for one in waiting {
                let asked = snapshots::asked(&one)?;
                let portal = PortalId(asked.portal);
                let (active, objects) = match places.entry(portal) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(place) => {
                        place.insert((may_see(app, of, portal).await?, Objects::new(&app.store, portal)))
                    }
                };
                let (snapshot, event) = snapshots::made((one, asked), *active, objects, now).await?;
                done.push(snapshot);
                events.entry(portal).or_insert_with(Vec::new).extend(event);
            }
            if done.is_empty() {
                break;
            }
            let events = events.into_iter().filter(|(_, events)| !events.is_empty());
            let entries: Vec<_> =
                events.map(|(of, events)| entry(of, events, now)).collect::<Result<_, _>>()?;
            let put = entries.len() as u64;
            // What another node has done by now is in its entries.
            if !app.store.snapshots_done(of.portal, of.app, done, entries).await? {
                break;
            }
            written += put;
            if all < CHUNK {
                break;
            }
        }
    }
    Ok(written)
}

/// Whether an app may have objects of a portal in its journal.
async fn may_see(app: &App, of: Told, portal: PortalId) -> Result<bool, Refusal> {
    let Some(directory) = app.store.directory(portal).await? else { return Ok(false) };
    let own = directory.home(of.app).portal.id == of.portal;
    Ok(own && super::acts(&directory, of.app).is_some())
}

//! Numbers events soon after they are recorded, and wakes those who wait for them, on every node.
//!
//! Portals fall into buckets, and a bucket's lease says which node numbers them, so that not everybody tries. Nothing but
//! speed depends on it: numbering is safe whoever does it, and readers number what they find waiting.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::ClientWrapper;
use futures_util::future::try_join_all;
use tokio::runtime::Handle;
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until};

use super::connect::Place;
use super::events;
use super::failure::{Failure, Result};
use super::node::{Asked, Node, Pauses, told, within};
use super::readers::rows;
use crate::leases::Lease;
use crate::listeners::Listeners;
use crate::words::{KEPT, LONGEST_WORD, Word};
use crate::{PortalId, StoreError};

/// How many parts the portals are divided into among the nodes.
pub(super) const BUCKETS: u16 = 16;

/// How often every portal is looked at, for a notice that was lost.
const WALK: Duration = Duration::from_secs(5);

/// How many numbered events are vacuumed away together.
const CLEARED: usize = 20_000;

/// How many times as long as a vacuum took none is begun.
const RESTS: u32 = 20;

/// The least time between the beginnings of two rounds: each costs a transaction, however few events it numbers.
const GATHER: Duration = Duration::from_millis(15);

/// The same while somebody on this node wants to hear at once of what happens, and for how long after they said so.
const HURRIED: Duration = Duration::from_millis(3);
const HURRIES: Duration = Duration::from_secs(10);

/// How often the portals that somebody waits for are looked at.
const POLL: Duration = Duration::from_secs(1);

/// After how long a portal is tried again whose counters others held.
const AGAIN: Duration = Duration::from_millis(20);

/// How many portals are asked about at once.
const AT_ONCE: usize = 64;

const PORTALS: &str = "SELECT id FROM portals WHERE id > $1 ORDER BY id LIMIT 1000";

/// What is to be told to the other nodes.
#[derive(Default)]
pub(super) struct Notices {
    /// Portals with events that wait for positions.
    pub recorded: BTreeSet<PortalId>,
    /// Positions that were published.
    pub numbered: BTreeMap<PortalId, i64>,
    /// What is said to them, as it is sent.
    pub said: Vec<String>,
}

/// What the sequencer's two tasks and everybody else have in common.
pub(super) struct Shared {
    listeners: Arc<Listeners>,
    /// Portals to be numbered by this node.
    rung: Mutex<HashSet<PortalId>>,
    bell: Notify,
    notices: Mutex<Notices>,
    /// That there are notices.
    pub news: Notify,
    /// The buckets that this node holds, as a set of bits, and until when it may believe so.
    buckets: Mutex<(u16, Instant)>,
    /// That all portals have to be looked at.
    around: Notify,
    /// Whether this node has a connection to number on.
    able: AtomicBool,
    /// Until when rounds follow each other quickly.
    hurries: Mutex<Instant>,
    /// By which it knows its own words.
    name: String,
    words: broadcast::Sender<Word>,
}

impl Shared {
    fn new(listeners: Arc<Listeners>) -> Self {
        Self {
            listeners,
            rung: Mutex::default(),
            bell: Notify::new(),
            notices: Mutex::default(),
            news: Notify::new(),
            buckets: Mutex::new((0, Instant::now())),
            around: Notify::new(),
            able: AtomicBool::new(false),
            hurries: Mutex::new(Instant::now()),
            name: uuid::Uuid::new_v4().to_string(),
            words: broadcast::Sender::new(KEPT),
        }
    }

    fn ring(&self, portal: PortalId) {
        if self.holds(portal) {
            self.number(portal);
        } else {
            locked(&self.notices).recorded.insert(portal);
            self.news.notify_one();
        }
    }

    fn number(&self, portal: PortalId) {
        locked(&self.rung).insert(portal);
        self.bell.notify_one();
    }

    fn announce(&self, portal: PortalId, position: i64) {
        self.listeners.published(portal, position);
        locked(&self.notices).numbered.insert(portal, position);
        self.news.notify_one();
    }

    fn say(&self, portal: PortalId, word: &str) {
        let mut notices = locked(&self.notices);
        if word.len() <= LONGEST_WORD && notices.said.len() < KEPT {
            notices.said.push(format!("!{} {portal} {word}", self.name));
            drop(notices);
            self.news.notify_one();
        }
    }

    /// Takes in what somebody said, unless it was this node.
    fn hear_word(&self, said: &str) {
        let mut parts = said.splitn(3, ' ');
        if let (Some(name), Some(portal), Some(text)) = (parts.next(), parts.next(), parts.next())
            && name != self.name
            && let Ok(portal) = portal.parse().map(PortalId)
        {
            // Nobody may be listening.
            let _ = self.words.send(Word { portal, text: text.into() });
        }
    }

    /// Takes in what another node told: portals with new events, positions that were published, or words.
    pub(super) fn hear(&self, text: &str) {
        if let Some(said) = text.strip_prefix('!') {
            return self.hear_word(said);
        }
        for entry in text.split(',') {
            let (portal, position) = match entry.split_once(':') {
                Some((portal, position)) => (portal.parse(), position.parse().ok()),
                None => (entry.parse(), None),
            };
            match (portal.map(PortalId), position) {
                (Ok(portal), Some(position)) => self.listeners.published(portal, position),
                (Ok(portal), None) if self.holds(portal) => self.number(portal),
                _ => {}
            }
        }
    }

    pub(super) fn notices_take(&self) -> Notices {
        std::mem::take(&mut *locked(&self.notices))
    }

    pub(super) fn notices_return(&self, old: Notices) {
        let mut notices = locked(&self.notices);
        notices.recorded.extend(old.recorded);
        for (portal, position) in old.numbered {
            let newest = notices.numbered.entry(portal).or_insert(position);
            *newest = position.max(*newest);
        }
        drop(notices);
        self.news.notify_one();
    }

    fn holds(&self, portal: PortalId) -> bool {
        self.buckets_held(Instant::now()).0 & 1 << portal.0.rem_euclid(BUCKETS.into()) != 0
    }

    /// The buckets held, and until when.
    pub(super) fn buckets_held(&self, now: Instant) -> (u16, Instant) {
        let (set, until) = *locked(&self.buckets);
        (if now < until { set } else { 0 }, until)
    }

    pub(super) fn buckets_hold(&self, set: u16, until: Instant) {
        *locked(&self.buckets) = (set, until);
    }

    pub(super) fn look_around(&self) {
        self.around.notify_one();
    }

    pub(super) fn able(&self) -> bool {
        self.able.load(Ordering::Acquire)
    }
}

/// The door to both tasks. Dropping it ends them.
pub(super) struct Sequencer {
    shared: Arc<Shared>,
    asked: mpsc::UnboundedSender<Asked>,
    stopping: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Sequencer {
    /// Starts in a runtime that lives as long as the engine.
    pub(super) fn start(place: Place, runtime: &Handle) -> Self {
        let shared = Arc::new(Shared::new(Arc::default()));
        let (stopping, stops) = watch::channel(false);
        let (node, asked) = Node::new(place.clone(), shared.clone());
        let numbering = number(place, shared.clone(), stops.clone());
        let tasks = Mutex::new(vec![runtime.spawn(node.run(stops)), runtime.spawn(numbering)]);
        Self { shared, asked, stopping, tasks }
    }

    /// Says something to the other nodes.
    pub(super) fn say(&self, portal: PortalId, word: &str) {
        self.shared.say(portal, word);
    }

    /// What the other nodes say from now on.
    pub(super) fn words(&self) -> broadcast::Receiver<Word> {
        self.shared.words.subscribe()
    }

    /// Says that events of a portal were committed.
    pub(super) fn ring(&self, portal: PortalId) {
        self.shared.ring(portal);
    }

    /// Says that somebody wants to hear at once of what happens.
    pub(super) fn hurry(&self) {
        *locked(&self.shared.hurries) = Instant::now() + HURRIES;
    }

    /// Those who wait for events.
    pub(super) fn listeners(&self) -> &Arc<Listeners> {
        &self.shared.listeners
    }

    /// The right to do a job, unless somebody has it.
    pub(super) async fn lease(&self, name: &str) -> std::result::Result<Option<Lease>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let gone = || StoreError::Unavailable("the database is out of reach".into());
        let asked = Asked::Claim { name: name.to_owned(), answer };
        self.asked.send(asked).map_err(|_| StoreError::Unavailable("it is closed".into()))?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Ends both tasks and gives the leases back. Those who wait for events are sent away.
    pub(super) async fn stop(&self) {
        self.shared.listeners.close();
        self.stopping.send_replace(true);
        let tasks = std::mem::take(&mut *locked(&self.tasks));
        for task in tasks {
            if task.await.is_err() {
                tracing::error!("a task of the sequencer panicked");
            }
        }
    }
}

impl Drop for Sequencer {
    fn drop(&mut self) {
        self.shared.listeners.close();
        self.stopping.send_replace(true);
    }
}

/// Numbers until it is told to stop.
async fn number(place: Place, shared: Arc<Shared>, mut stopping: watch::Receiver<bool>) {
    let mut pauses = Pauses::default();
    let work = async {
        loop {
            let ended = match place.connect().await {
                Ok(session) => {
                    let mut numbering = Numbering::new(&shared, &session.client);
                    let ended = numbering.run().await;
                    shared.able.store(false, Ordering::Release);
                    ended
                }
                Err(e) => Err(e),
            };
            let pause = pauses.next();
            if let Err(e) = ended {
                tracing::warn!(error = %StoreError::from(e), ?pause, "events are not numbered here for now");
            }
            sleep(pause).await;
        }
    };
    tokio::select! {
        () = told(&mut stopping) => {}
        () = work => {}
    }
}

/// The numbering task while it has a connection.
struct Numbering<'a> {
    shared: &'a Shared,
    client: &'a ClientWrapper,
    /// Portals whose counters others hold.
    busy: HashSet<PortalId>,
    /// How many rows were left behind dead since they were cleared away.
    dead: usize,
    /// Not before then.
    clear_at: Instant,
}

impl<'a> Numbering<'a> {
    fn new(shared: &'a Shared, client: &'a ClientWrapper) -> Self {
        Self { shared, client, busy: HashSet::new(), dead: 0, clear_at: Instant::now() }
    }

    /// Ends with the connection.
    async fn run(&mut self) -> Result<()> {
        // A portal whose counters are held for long must not keep the others waiting.
        within(async { Ok(self.client.batch_execute("SET lock_timeout = 200").await?) }).await?;
        within(events::prepare(self.client)).await?;
        self.shared.able.store(true, Ordering::Release);
        self.shared.look_around();
        let (mut walk, mut poll) = (Instant::now(), Instant::now());
        loop {
            let begun = Instant::now();
            self.serve().await?;
            let now = Instant::now();
            if poll <= now {
                self.look(&self.shared.listeners.awaited()).await?;
                poll = now + POLL;
            }
            if walk <= now {
                self.walk().await?;
                walk = now + WALK;
            }
            let again = if self.busy.is_empty() { poll } else { now + AGAIN };
            tokio::select! {
                biased;
                () = self.shared.around.notified() => (walk, poll) = (now, now),
                // What comes one by one is numbered at once, and what comes in crowds together.
                () = self.shared.bell.notified() => {
                    let hurries = *locked(&self.shared.hurries) > Instant::now();
                    sleep_until((begun + if hurries { HURRIED } else { GATHER }).into()).await;
                }
                () = sleep_until(again.min(poll).min(walk).into()) => {}
            }
            locked(&self.shared.rung).extend(self.busy.drain());
            if self.dead >= CLEARED && self.clear_at <= Instant::now() {
                self.clear().await?;
            }
        }
    }

    /// Vacuums what waited: every round would walk over what earlier ones left behind, and the database comes by itself
    /// once a minute at most. What somebody else vacuums, or what takes long because somebody still looks at it, is left.
    async fn clear(&mut self) -> Result<()> {
        let begun = Instant::now();
        for sql in [
            "SET statement_timeout = 1000",
            "VACUUM (SKIP_LOCKED, INDEX_CLEANUP ON, TRUNCATE OFF) unnumbered_events",
            "RESET statement_timeout",
        ] {
            match within(async { Ok(self.client.batch_execute(sql).await?) }).await {
                Err(Failure::Told(e)) => {
                    tracing::debug!(error = %e, "numbered events were not vacuumed away")
                }
                done => done?,
            }
        }
        let now = Instant::now();
        (self.dead, self.clear_at) = (0, now + (now - begun) * RESTS);
        Ok(())
    }

    /// Numbers the portals that were rung for.
    async fn serve(&mut self) -> Result<()> {
        let rung = std::mem::take(&mut *locked(&self.shared.rung));
        let mut rung: Vec<PortalId> = rung.into_iter().collect();
        while let Some(portal) = rung.pop() {
            if let Err(e) = self.number(portal).await {
                // They are numbered on the next connection.
                locked(&self.shared.rung).extend(rung.into_iter().chain([portal]));
                return Err(e);
            }
        }
        Ok(())
    }

    async fn number(&mut self, portal: PortalId) -> Result<()> {
        match within(events::number(self.client, portal)).await {
            Ok(Some(numbered)) => {
                self.shared.announce(portal, numbered.position);
                self.dead += numbered.events;
                if !numbered.all {
                    self.shared.number(portal);
                }
            }
            Ok(None) => {}
            Err(Failure::Told(StoreError::Busy) | Failure::Raced(_)) => {
                self.busy.insert(portal);
            }
            Err(e @ Failure::Lost(_)) => return Err(e),
            Err(Failure::Told(e)) => {
                tracing::error!(portal = portal.0, error = %e, "a portal's events were not numbered");
            }
        }
        Ok(())
    }

    /// Looks whether something of these portals waits. Those that were rung for do not wait until it is done.
    async fn look(&mut self, portals: &[PortalId]) -> Result<()> {
        for some in portals.chunks(AT_ONCE) {
            let asked = some.iter().map(|portal| events::standing(self.client, *portal));
            for (portal, standing) in some.iter().zip(within(try_join_all(asked)).await?) {
                let Some(standing) = standing else { continue };
                self.shared.listeners.published(*portal, standing.position);
                if standing.waiting {
                    self.shared.number(*portal);
                }
            }
            self.serve().await?;
        }
        Ok(())
    }

    /// Looks at every portal that is this node's to number.
    async fn walk(&mut self) -> Result<()> {
        let mut last = i64::MIN;
        while self.shared.buckets_held(Instant::now()).0 != 0 {
            let page = within(rows(self.client, PORTALS, &[&last])).await?;
            let mut portals = Vec::with_capacity(page.len());
            for row in &page {
                last = row.try_get(0)?;
                portals.push(PortalId(last));
            }
            portals.retain(|portal| self.shared.holds(*portal));
            self.look(&portals).await?;
            if page.len() < 1000 {
                break;
            }
        }
        Ok(())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

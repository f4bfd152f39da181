//! What a node has to do with the others: it hears them, tells them, and holds its leases, all on one connection that waits
//! for nobody's locks.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use deadpool_postgres::ClientWrapper;
use futures_util::future::{join_all, join3};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, sleep_until};

use super::connect::{Place, Session, answered};
use super::failure::{Failure, Result};
use super::leases::{self, Live};
use super::sequencer::{BUCKETS, Notices, Shared};
use crate::StoreError;
use crate::leases::{Hold, Lease};

/// How often it looks for leases that were given back. One that runs out it expects.
const BEAT: Duration = Duration::from_millis(250);

/// How long after a lease has run out it is claimed.
const JUST_AFTER: Duration = Duration::from_millis(10);

/// How long an answer may take before the connection counts as cut: less than a lease runs.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// How long notices are gathered before they are sent.
const GATHERED: Duration = Duration::from_millis(2);

/// Most bytes of a notice. PostgreSQL takes less than 8000.
const LONGEST: usize = 7_900;

/// A transaction of its own that is not synced: a notice is worth nothing after a crash.
const TELL: &str = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)";

/// What the connection's keeper is asked for.
pub(super) enum Asked {
    Claim { name: String, answer: oneshot::Sender<std::result::Result<Option<Lease>, StoreError>> },
    Release { name: String, serial: u64, done: oneshot::Sender<()> },
}

/// A lease that somebody on this node holds for a job.
struct Job {
    /// Tells it from others of the same name, before and after.
    serial: u64,
    until: Instant,
    hold: watch::Sender<Hold>,
}

pub(super) struct Node {
    place: Place,
    shared: Arc<Shared>,
    /// By which name leases know it.
    holder: String,
    presence: String,
    ask: mpsc::UnboundedSender<Asked>,
    asked: mpsc::UnboundedReceiver<Asked>,
    jobs: HashMap<String, Job>,
    serials: u64,
    /// When it renewed its leases last.
    renewed: Option<Instant>,
}

impl Node {
    pub(super) fn new(place: Place, shared: Arc<Shared>) -> (Self, mpsc::UnboundedSender<Asked>) {
        let (ask, asked) = mpsc::unbounded_channel();
        let id = uuid::Uuid::new_v4();
        let (holder, presence) = (id.to_string(), format!("node/{id}"));
        let own = ask.clone();
        (
            Self {
                place,
                shared,
                holder,
                presence,
                ask: own,
                asked,
                jobs: HashMap::new(),
                serials: 0,
                renewed: None,
            },
            ask,
        )
    }

    /// Works until it is told to stop; then gives everything back.
    pub(super) async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        let mut pauses = Pauses::default();
        loop {
            let (heard, mut notices) = mpsc::unbounded_channel();
            let place = self.place.clone();
            let connected = tokio::select! {
                biased;
                () = told(&mut stopping) => break,
                connected = place.listen(Some(heard)) => connected,
            };
            let ended = match connected {
                Ok(session) => tokio::select! {
                    biased;
                    () = told(&mut stopping) => {
                        self.leave(&session).await;
                        break;
                    }
                    Err(e) = self.serve(&session, &mut notices) => e,
                },
                Err(e) => e,
            };
            let pause = pauses.next();
            tracing::warn!(error = %StoreError::from(ended), ?pause, "the line to the other nodes is cut");
            tokio::select! {
                biased;
                () = told(&mut stopping) => break,
                () = self.meanwhile(sleep(pause)) => {}
            }
        }
        self.shared.buckets_hold(0, Instant::now());
        for job in self.jobs.values() {
            job.hold.send_replace(Hold::Over);
        }
    }

    /// Waits for something without a connection. Nobody can be given a lease then.
    async fn meanwhile<T>(&mut self, what: impl Future<Output = T>) -> T {
        let mut what = std::pin::pin!(what);
        loop {
            let asked = tokio::select! {
                done = &mut what => return done,
                Some(asked) = self.asked.recv() => asked,
            };
            match asked {
                Asked::Claim { answer, .. } => {
                    let why = StoreError::Unavailable("the database is out of reach".into());
                    // Whoever asked may have gone.
                    let _ = answer.send(Err(why));
                }
                // It is no longer renewed, and runs out.
                Asked::Release { name, serial, .. } => self.forget(&name, serial),
            }
        }
    }

    async fn serve(
        &mut self,
        session: &Session,
        notices: &mut mpsc::UnboundedReceiver<String>,
    ) -> Result<std::convert::Infallible> {
        let client = &session.client;
        let begin = "SET lock_timeout = 900; LISTEN antiphon_recorded; LISTEN antiphon_numbered; \
                     LISTEN antiphon_said";
        within(async { Ok(client.batch_execute(begin).await?) }).await?;
        within(leases::sweep(client)).await?;
        // Nothing was heard until now.
        self.shared.look_around();
        let mut beat = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = sleep_until(beat.into()) => beat = within(self.keep(client)).await?,
                heard = notices.recv() => match heard {
                    Some(text) => self.shared.hear(&text),
                    None => return Err(Failure::Lost("the connection ended".into())),
                },
                Some(asked) = self.asked.recv() => within(self.answer(client, asked)).await?,
                () = self.shared.news.notified() => {
                    sleep(GATHERED).await;
                    self.tell(client).await?;
                }
            }
        }
    }

    /// Renews what it holds, and sees to it that buckets are shared fairly among the nodes; when to do so again.
    async fn keep(&mut self, client: &ClientWrapper) -> Result<Instant> {
        let begun = Instant::now();
        let renewing = self.renewed.is_none_or(|last| begun - last >= leases::RENEWED - BEAT / 2);
        self.forget_lost(begun);
        let able = self.shared.able();
        let (mut mine, mut until) = self.shared.buckets_held(begun);
        let mut names = Vec::new();
        if renewing {
            names.extend(self.jobs.keys().map(|name| job(name)));
            names.extend(buckets(mine).map(bucket));
            names.push(self.presence.clone());
        }
        let (renewed, nodes, taken) = join3(
            leases::renew(client, &names, &self.holder),
            leases::live(client, "node/%", &self.holder),
            leases::live(client, "bucket/%", &self.holder),
        )
        .await;
        let (renewed, nodes, taken) = (renewed?, nodes?, taken?);
        if renewing {
            let now = Instant::now();
            self.jobs.retain(|name, held| {
                let kept = now < held.until && renewed.contains(&job(name));
                if kept {
                    held.until = begun + leases::BELIEVED;
                }
                held.hold.send_replace(if kept { Hold::Until(held.until) } else { Hold::Over });
                kept
            });
            let kept = buckets(mine).filter(|&n| renewed.contains(&bucket(n)));
            mine = if now < until { kept.fold(0, |all, n| all | 1 << n) } else { 0 };
            until = begun + leases::BELIEVED;
            self.renewed = Some(begun);
        }
        let present = nodes.iter().any(|node| node.own);
        if able && !present {
            leases::claim(client, &self.presence, &self.holder).await?;
        }
        // Whoever cannot number leaves it to the others.
        let nodes = nodes.iter().filter(|node| !node.own).count() as u32 + 1;
        let share = if able { u32::from(BUCKETS).div_ceil(nodes) } else { 0 };
        let excess: Vec<u16> = buckets(mine).skip(share as usize).collect();
        let kept = excess.iter().fold(mine, |mine, n| mine & !(1 << n));
        // It stops believing before others may begin to.
        self.shared.buckets_hold(kept, until);
        let mut given: Vec<String> = excess.into_iter().map(bucket).collect();
        given.extend((present && !able).then(|| self.presence.clone()));
        if !given.is_empty() {
            leases::release(client, &given, &self.holder).await?;
        }
        self.claim_free(client, kept, share, &taken, begun, until).await?;
        // A bucket whose holder does not renew it is claimed in the moment in which it is free.
        let free = taken.iter().filter(|bucket| !bucket.own).map(|bucket| bucket.runs).min();
        Ok(begun + BEAT.min(free.unwrap_or(BEAT) + JUST_AFTER))
    }

    /// Claims as many free buckets as it lacks.
    async fn claim_free(
        &mut self,
        client: &ClientWrapper,
        mine: u16,
        share: u32,
        taken: &[Live],
        begun: Instant,
        until: Instant,
    ) -> Result<()> {
        let others: Vec<&str> =
            taken.iter().filter(|bucket| !bucket.own).map(|bucket| &*bucket.name).collect();
        // Nodes begin at different places, so that they seldom reach for the same.
        let first = self.holder.bytes().fold(0, |sum: u16, byte| sum.wrapping_add(byte.into()));
        let free = (0..BUCKETS)
            .map(|n| first.wrapping_add(n) % BUCKETS)
            .filter(|n| mine & 1 << n == 0 && !others.contains(&&*bucket(*n)));
        let wanted: Vec<u16> = free.take(share.saturating_sub(mine.count_ones()) as usize).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = wanted.iter().map(|n| bucket(*n)).collect();
        let claims = join_all(names.iter().map(|name| leases::claim(client, name, &self.holder))).await;
        let mut got = 0;
        for (n, claimed) in wanted.into_iter().zip(claims) {
            got |= u16::from(claimed?) << n;
        }
        let until = if mine == 0 { begun + leases::BELIEVED } else { until };
        self.shared.buckets_hold(mine | got, until);
        if got != 0 {
            tracing::debug!(buckets = mine | got, "this node numbers more portals");
            self.shared.look_around();
        }
        Ok(())
    }

    async fn answer(&mut self, client: &ClientWrapper, asked: Asked) -> Result<()> {
        match asked {
            Asked::Claim { name, answer } => {
                let begun = Instant::now();
                self.forget_lost(begun);
                let claimed = !self.jobs.contains_key(&name)
                    && leases::claim(client, &job(&name), &self.holder).await?;
                let lease = claimed.then(|| self.lease(name, begun + leases::BELIEVED));
                // A lease that nobody waits for any more is dropped here, and that gives it back.
                let _ = answer.send(Ok(lease));
            }
            Asked::Release { name, serial, done } => {
                if self.jobs.get(&name).is_some_and(|job| job.serial == serial) {
                    self.forget(&name, serial);
                    leases::release(client, &[job(&name)], &self.holder).await?;
                }
                // Whoever gave it back need not wait.
                let _ = done.send(());
            }
        }
        Ok(())
    }

    fn lease(&mut self, name: String, until: Instant) -> Lease {
        self.serials += 1;
        let serial = self.serials;
        let (hold, holds) = watch::channel(Hold::Until(until));
        self.jobs.insert(name.clone(), Job { serial, until, hold });
        let ask = self.ask.clone();
        Lease::new(holds, move |done| {
            // An error means that the node has stopped, and given everything back.
            let _ = ask.send(Asked::Release { name, serial, done });
        })
    }

    fn forget(&mut self, name: &str, serial: u64) {
        if self.jobs.get(name).is_some_and(|job| job.serial == serial)
            && let Some(job) = self.jobs.remove(name)
        {
            job.hold.send_replace(Hold::Over);
        }
    }

    /// What was not renewed in time is lost, whatever the database thinks.
    fn forget_lost(&mut self, now: Instant) {
        self.jobs.retain(|_, job| {
            let kept = now < job.until;
            if !kept {
                job.hold.send_replace(Hold::Over);
            }
            kept
        });
    }

    /// Sends what was gathered. What could not be sent is kept for the next connection.
    async fn tell(&self, client: &ClientWrapper) -> Result<()> {
        let notices = self.shared.notices_take();
        let sent = within(async {
            let statement = client.prepare_cached(TELL).await?;
            for (channel, payload) in payloads(&notices) {
                client.query(&statement, &[&channel, &payload]).await?;
            }
            Ok(())
        });
        let sent = sent.await;
        if sent.is_err() {
            self.shared.notices_return(notices);
        }
        sent
    }

    /// Gives everything back, so that nobody has to wait until it runs out.
    async fn leave(&mut self, session: &Session) {
        self.shared.buckets_hold(0, Instant::now());
        for job in self.jobs.values() {
            job.hold.send_replace(Hold::Over);
        }
        let mut names: Vec<String> = self.jobs.keys().map(|name| job(name)).collect();
        names.extend((0..BUCKETS).map(bucket));
        names.push(self.presence.clone());
        if let Err(e) = within(leases::release(&session.client, &names, &self.holder)).await {
            tracing::debug!(error = %StoreError::from(e), "leases were not given back; they run out");
        }
    }
}

/// Waits until a task is told to stop, or nobody is left who could tell it.
pub(super) async fn told(stopping: &mut watch::Receiver<bool>) {
    // An error is the latter.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// Waits for the database no longer than it may take.
pub(super) async fn within<T>(what: impl Future<Output = Result<T>>) -> Result<T> {
    answered(PATIENCE, what).await
}

fn job(name: &str) -> String {
    format!("job/{name}")
}

fn bucket(number: u16) -> String {
    format!("bucket/{number}")
}

/// The buckets of a set.
fn buckets(set: u16) -> impl Iterator<Item = u16> {
    (0..BUCKETS).filter(move |n| set & 1 << n != 0)
}

/// Notices as they are sent, each short enough.
fn payloads(notices: &Notices) -> Vec<(&'static str, String)> {
    let recorded = notices.recorded.iter().map(|portal| portal.0.to_string()).collect();
    let numbered =
        notices.numbered.iter().map(|(portal, position)| format!("{}:{position}", portal.0)).collect();
    let mut all: Vec<_> = notices.said.iter().map(|said| ("antiphon_said", said.clone())).collect();
    for (channel, entries) in [("antiphon_recorded", recorded), ("antiphon_numbered", numbered)] {
        let entries: Vec<String> = entries;
        let mut payload = String::new();
        for entry in entries {
            if payload.len() + entry.len() >= LONGEST {
                all.push((channel, std::mem::take(&mut payload)));
            }
            if !payload.is_empty() {
                payload.push(',');
            }
            payload.push_str(&entry);
        }
        if !payload.is_empty() {
            all.push((channel, payload));
        }
    }
    all
}

/// Pauses between attempts: longer each time, until something has gone well for a while.
pub(super) struct Pauses {
    delays: ExponentialBackoff,
    last: Instant,
}

impl Default for Pauses {
    fn default() -> Self {
        let delays = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(20))
            .with_max_delay(Duration::from_secs(1))
            .with_jitter()
            .without_max_times();
        Self { delays: delays.build(), last: Instant::now() }
    }
}

impl Pauses {
    pub(super) fn next(&mut self) -> Duration {
        if self.last.elapsed() > Duration::from_secs(5) {
            *self = Self::default();
        }
        self.last = Instant::now();
        self.delays.next().unwrap_or(PATIENCE)
    }
}

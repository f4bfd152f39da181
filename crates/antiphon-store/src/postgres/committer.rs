//! Group commit: each committer owns a connection, takes a lane with what waits in it, and makes one transaction of that.
//! What stops a batch, stops it alone; what was lost on the way is found out before anybody is told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};

use super::batch::{self, Outcome, Plan, Stopped};
use super::connect::{Place, Session, answered};
use super::failure::{Failure, Result};
use super::lanes::{Lanes, Waiting};
use super::readers::row;
use super::{ANSWER, Shared, held_up};
use crate::{PortalId, StoreError};

/// How long changes wait for a database that went away: long enough for a restart, too short for clients to give up. Those
/// that come later are tried once.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a transaction waits for a lock. Whoever needs it longer gives way to the others of its lane, and comes again.
const LOCK: &str = "SET lock_timeout = 500";

/// How long it is tried to find out what became of a commit.
const INQUIRY: Duration = Duration::from_secs(10);

/// How often a change that lost a race begins again.
const RACES: usize = 5;

pub(super) struct Committer {
    pub shared: Arc<Shared>,
    /// Its own part of each portal's tally.
    slot: i64,
    pub session: Option<Session>,
    /// Since when nothing could be committed, if the last attempt failed.
    down: Option<Instant>,
}

impl Committer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { slot: new_slot(&shared), shared, session: None, down: None }
    }

    /// Works until the queue is closed and empty.
    pub(super) async fn run(mut self, lanes: Arc<Lanes>) {
        while let Some((lane, mut works)) = lanes.next(self.shared.settings.batch).await {
            let now = Instant::now();
            let late: Vec<Waiting> = works.extract_if(.., |waiting| waiting.begin_by < now).collect();
            for waiting in late {
                waiting.work.answer(Err(StoreError::Busy));
            }
            let back = self.serve(lane.0, works).await;
            lanes.done(lane, back);
        }
    }

    /// Commits a batch; one that cannot be committed whole is taken apart. Gives back what others' locks hold up.
    async fn serve(&mut self, portal: PortalId, works: Vec<Waiting>) -> Vec<Waiting> {
        let (mut works, mut back) = (works, Vec::new());
        if held_up::some(&works) {
            (works, back) = self.apart(portal, works).await;
        }
        if works.is_empty() {
            return back;
        }
        match self.commit(portal, &mut works).await {
            Ok(outcomes) => tell(works, outcomes),
            Err(Failure::Told(StoreError::Busy)) if works.len() == 1 => back.extend(works),
            Err(Failure::Told(StoreError::Busy)) => {
                let (free, held) = self.apart(portal, works).await;
                back.extend(held);
                back.extend(self.one_by_one(portal, free).await);
            }
            Err(_) if works.len() > 1 => back.extend(self.one_by_one(portal, works).await),
            Err(e) => tell(works, vec![Err(e.into())]),
        }
        held_up::patient(back)
    }

    /// Commits a batch, again and again as long as that makes sense.
    ///
    /// # Errors
    /// What one of the changes stumbled over, [`StoreError::Busy`] being a lock. Nothing was committed.
    pub(super) async fn commit(&mut self, portal: PortalId, works: &mut [Waiting]) -> Result<Vec<Outcome>> {
        let (mut plan, mut races, begun) = (Plan::default(), 0, Instant::now());
        let mut pauses = pauses();
        loop {
            let stopped = match self.attempt(portal, works, plan.clone()).await {
                Ok(outcomes) => {
                    self.down = None;
                    return Ok(outcomes);
                }
                Err(stopped) => stopped,
            };
            if !matches!(stopped, Stopped::Failed(Failure::Lost(_))) {
                self.down = None;
            }
            match stopped {
                Stopped::More(more) => plan = more,
                Stopped::Failed(Failure::Raced(why)) => {
                    races += 1;
                    if works.len() > 1 || races > RACES {
                        return Err(Failure::Raced(why));
                    }
                }
                Stopped::Failed(Failure::Lost(why)) => {
                    self.session = None;
                    if self.down.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                        return Ok(all(works, || Err(StoreError::Unavailable(why.clone()))));
                    }
                    tokio::time::sleep(pauses.next().unwrap_or(PATIENCE)).await;
                }
                Stopped::Failed(e) => return Err(e),
                Stopped::Unknown { mark, why, outcomes } => match self.find_out(portal, mark).await {
                    Some(true) => {
                        self.shared.count(portal, &outcomes);
                        return Ok(outcomes);
                    }
                    Some(false) if begun.elapsed() < INQUIRY => {}
                    Some(false) => return Ok(all(works, || Err(StoreError::Unavailable(why.clone())))),
                    None => return Ok(all(works, || Err(StoreError::Unknown(why.clone())))),
                },
            }
        }
    }

    async fn attempt(
        &mut self,
        portal: PortalId,
        works: &mut [Waiting],
        plan: Plan,
    ) -> std::result::Result<Vec<Outcome>, Stopped> {
        let session = connected(&mut self.session, &self.shared.place).await?;
        let done = batch::run(session, &self.shared, self.slot, portal, works, plan).await;
        match &done {
            Ok(outcomes) => self.shared.count(portal, outcomes),
            Err(Stopped::Unknown { .. }) => {}
            Err(Stopped::Failed(Failure::Lost(_))) => self.session = None,
            Err(_) => {
                let rollback = async { Ok(session.client.batch_execute("ROLLBACK").await?) };
                // A connection on which nothing can be undone is of no use.
                if answered(ANSWER, rollback).await.is_err() {
                    self.session = None;
                }
            }
        }
        done
    }

    /// Whether a transaction whose commit was not answered stands; `None` when that cannot be found out.
    ///
    /// Its connection is ended first, so that it cannot be committed later. The question itself is a write: once that is
    /// committed and confirmed, so is everything before it, on standbys too.
    async fn find_out(&mut self, portal: PortalId, mark: i64) -> Option<bool> {
        let lost = self.session.take()?;
        let (pid, since) = (lost.pid, lost.backend_start);
        drop(lost);
        let (begun, mut pauses) = (Instant::now(), pauses());
        while begun.elapsed() < INQUIRY {
            let inquiry = self.inquire(portal, mark, pid, since);
            match tokio::time::timeout(INQUIRY.saturating_sub(begun.elapsed()), inquiry).await {
                Err(_) => break,
                Ok(Ok(found)) => return found,
                Ok(Err(e)) => {
                    tracing::debug!(error = %StoreError::from(e), "what became of a commit is not known yet")
                }
            }
            tokio::time::sleep(pauses.next().unwrap_or(PATIENCE)).await;
        }
        // What was lost may yet be committed, and must not overwrite the mark of what comes now.
        self.slot = new_slot(&self.shared);
        None
    }

    async fn inquire(
        &mut self,
        portal: PortalId,
        mark: i64,
        pid: i32,
        since: std::time::SystemTime,
    ) -> Result<Option<bool>> {
        let session = self.shared.place.connect().await?;
        let end = "SELECT coalesce(bool_and(pg_terminate_backend(pid, 2000)), true) FROM pg_stat_activity \
                   WHERE pid = $1 AND backend_start = $2";
        let ended: bool = match row(&session.client, end, &[&pid, &since]).await? {
            Some(row) => row.try_get(0)?,
            None => true,
        };
        if !ended {
            return Err(Failure::Lost("the connection that was lost is still at work".into()));
        }
        session.warned();
        let sql = "INSERT INTO tallies (portal_id, slot, threads, messages, bytes, latest_now, batch, written_at) \
                   VALUES ($1, $2, 0, 0, 0, 0, 0, now()) ON CONFLICT (portal_id, slot) DO UPDATE SET \
                   written_at = excluded.written_at RETURNING batch";
        let found = row(&session.client, sql, &[&portal.0, &self.slot]).await?;
        let found: Option<i64> = found.map(|row| row.try_get(0)).transpose()?;
        Ok(if session.warned() { None } else { Some(found == Some(mark)) })
    }
}

/// Its part of a tally is nobody else's, and never the one that everybody shares.
fn new_slot(shared: &Shared) -> i64 {
    shared.mark() | 1
}

/// The connection there is, or a new one.
pub(super) async fn connected<'a>(
    session: &'a mut Option<Session>,
    place: &Place,
) -> Result<&'a mut Session> {
    if session.as_ref().is_none_or(|session| session.client.is_closed()) {
        let prepared = async {
            let mut new = place.connect().await?;
            new.client.batch_execute(LOCK).await?;
            new.prepare(&super::commit::STATEMENTS).await?;
            Ok(new)
        };
        *session = Some(answered(ANSWER, prepared).await?);
    }
    session.as_mut().ok_or_else(|| Failure::Lost("there is no connection".into()))
}

/// Pauses that grow, and differ from node to node.
fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(20))
        .with_max_delay(Duration::from_secs(1))
        .with_jitter()
        .without_max_times()
        .build()
}

fn all(works: &[Waiting], outcome: impl Fn() -> Outcome) -> Vec<Outcome> {
    works.iter().map(|_| outcome()).collect()
}

pub(super) fn tell(works: Vec<Waiting>, outcomes: Vec<Outcome>) {
    for (waiting, outcome) in works.into_iter().zip(outcomes) {
        waiting.work.answer(outcome);
        drop(waiting.place);
    }
}

//! Group commit: each committer owns a connection, takes a lane with what waits in it, and makes one transaction of that.
//! What stops a batch, stops it alone; what was lost on the way is found out before anybody is told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};

use super::Shared;
use super::batch::{self, Outcome, Plan, Stopped};
use super::connect::Session;
use super::failure::{Failure, Result};
use super::lanes::{Lanes, Waiting};
use super::readers::row;
use crate::{PortalId, StoreError};

/// How long a change waits for a database that is gone: long enough for a restart, too short for clients to give up.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it is tried to find out what became of a commit.
const INQUIRY: Duration = Duration::from_secs(10);

/// How often a change that lost a race begins again.
const RACES: usize = 5;

pub(super) struct Committer {
    pub shared: Arc<Shared>,
    /// Its own part of each portal's tally.
    pub slot: i64,
    pub session: Option<Session>,
}

impl Committer {
    /// Works until the queue is closed and empty.
    pub(super) async fn run(mut self, lanes: Arc<Lanes>) {
        while let Some((lane, mut works)) = lanes.next(self.shared.settings.batch).await {
            let now = Instant::now();
            let late: Vec<Waiting> = works.extract_if(.., |waiting| waiting.begin_by < now).collect();
            for waiting in late {
                waiting.work.answer(Err(StoreError::Busy));
            }
            self.serve(lane.0, works).await;
            lanes.done(lane);
        }
    }

    /// Commits a batch; one that cannot be committed whole is taken apart.
    async fn serve(&mut self, portal: PortalId, mut works: Vec<Waiting>) {
        if works.is_empty() {
            return;
        }
        match self.commit(portal, &mut works).await {
            Ok(outcomes) => tell(works, outcomes),
            Err(_) if works.len() > 1 => {
                for waiting in works {
                    let mut alone = [waiting];
                    let outcome = self.commit(portal, &mut alone).await;
                    let outcomes = outcome.unwrap_or_else(|e| vec![Err(e.into())]);
                    tell(alone.into(), outcomes);
                }
            }
            Err(e) => tell(works, vec![Err(e.into())]),
        }
    }

    /// Commits a batch, again and again as long as that makes sense.
    ///
    /// # Errors
    /// What one of the changes stumbled over. Nothing was committed.
    async fn commit(&mut self, portal: PortalId, works: &mut [Waiting]) -> Result<Vec<Outcome>> {
        let (mut plan, mut races, begun) = (Plan::default(), 0, Instant::now());
        let mut pauses = pauses();
        loop {
            let stopped = match self.attempt(portal, works, plan.clone()).await {
                Ok(outcomes) => return Ok(outcomes),
                Err(stopped) => stopped,
            };
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
                    if begun.elapsed() > PATIENCE {
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
                    Some(false) => {}
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
        let session = match &mut self.session {
            Some(session) if !session.client.is_closed() => session,
            place => {
                let mut session = self.shared.place.connect().await?;
                session.prepare(&super::commit::STATEMENTS).await?;
                place.insert(session)
            }
        };
        let done = batch::run(session, &self.shared, self.slot, portal, works, plan).await;
        match &done {
            Ok(outcomes) => self.shared.count(portal, outcomes),
            Err(Stopped::Unknown { .. }) => {}
            // A connection on which nothing can be undone is of no use.
            Err(_) if session.client.batch_execute("ROLLBACK").await.is_err() => self.session = None,
            Err(_) => {}
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
                Err(_) => return None,
                Ok(Ok(found)) => return found,
                Ok(Err(e)) => {
                    tracing::debug!(error = %StoreError::from(e), "what became of a commit is not known yet")
                }
            }
            tokio::time::sleep(pauses.next().unwrap_or(PATIENCE)).await;
        }
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

fn tell(works: Vec<Waiting>, outcomes: Vec<Outcome>) {
    for (waiting, outcome) in works.into_iter().zip(outcomes) {
        waiting.work.answer(outcome);
        drop(waiting.place);
    }
}

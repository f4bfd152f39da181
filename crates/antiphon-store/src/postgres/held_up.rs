//! Changes that wait for locks of others: of another node that hangs, or of somebody at a console. They step aside for what
//! waits behind them, and come again, for some seconds.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::ANSWER;
use super::committer::{Committer, connected, tell};
use super::connect::answered;
use super::failure::{Failure, Result};
use super::lanes::Waiting;
use super::readers::rows;
use crate::{PortalId, StoreError, Target, ThreadId};

/// How long it is tried. A node that hangs in a transaction is thrown out of it before.
const PATIENCE: Duration = Duration::from_secs(8);

/// Whether some wait for locks while others could go on.
pub(super) fn some(works: &[Waiting]) -> bool {
    works.iter().any(|waiting| waiting.held_up.is_some())
        && works.iter().any(|waiting| waiting.held_up.is_none())
}

/// Notes since when these are held up. Those that are for too long are told.
pub(super) fn patient(works: Vec<Waiting>) -> Vec<Waiting> {
    let mut back = Vec::with_capacity(works.len());
    for mut waiting in works {
        if waiting.held_up.get_or_insert_with(Instant::now).elapsed() < PATIENCE {
            back.push(waiting);
        } else {
            waiting.work.answer(Err(StoreError::Busy));
        }
    }
    back
}

/// The threads that are locked whatever state they are in. What is found on the way is not known before.
fn threads(target: &Target) -> &[ThreadId] {
    match target {
        Target::Thread(id) | Target::Message(id, _) => std::slice::from_ref(id),
        Target::Desk(key) => std::slice::from_ref(&key.thread),
        Target::Threads(ids) => ids,
        Target::Conversation(_)
        | Target::Visitor(_)
        | Target::Erasure(_)
        | Target::Contact { .. }
        | Target::Ticket { .. }
        | Target::Canned(_)
        | Target::File(_)
        | Target::Directory => &[],
    }
}

impl Committer {
    /// Those that can go on, and those whose threads others hold.
    pub(super) async fn apart(
        &mut self,
        portal: PortalId,
        works: Vec<Waiting>,
    ) -> (Vec<Waiting>, Vec<Waiting>) {
        let named = works.iter().flat_map(|waiting| threads(waiting.work.target())).map(|id| id.0).collect();
        // Where that cannot be asked, they find out themselves.
        let held = answered(ANSWER, self.held(portal, named)).await.unwrap_or_default();
        works.into_iter().partition(|w| threads(w.work.target()).iter().all(|id| !held.contains(&id.0)))
    }

    /// Those of these threads that others hold locked.
    async fn held(&mut self, portal: PortalId, threads: Vec<i64>) -> Result<BTreeSet<i64>> {
        let client = &connected(&mut self.session, &self.shared.place).await?.client;
        let mut held = BTreeSet::new();
        let all = "SELECT id FROM threads WHERE portal_id = $1 AND id = ANY($2)";
        for row in rows(client, all, &[&portal.0, &threads]).await? {
            held.insert(row.try_get(0)?);
        }
        // Outside of a transaction, what is locked is free again with the answer.
        let free = format!("{all} FOR UPDATE SKIP LOCKED");
        for row in rows(client, &free, &[&portal.0, &threads]).await? {
            held.remove(&row.try_get::<_, i64>(0)?);
        }
        Ok(held)
    }

    /// Commits each alone, and gives back what is held up. Of those that want the portal's counters one is enough to know.
    pub(super) async fn one_by_one(&mut self, portal: PortalId, works: Vec<Waiting>) -> Vec<Waiting> {
        let (mut back, mut counters_held) = (Vec::new(), false);
        for waiting in works {
            let any = threads(waiting.work.target()).is_empty();
            if any && counters_held {
                back.push(waiting);
                continue;
            }
            let mut alone = [waiting];
            match self.commit(portal, &mut alone).await {
                Err(Failure::Told(StoreError::Busy)) => {
                    counters_held |= any;
                    back.extend(alone);
                }
                outcome => tell(alone.into(), outcome.unwrap_or_else(|e| vec![Err(e.into())])),
            }
        }
        back
    }
}

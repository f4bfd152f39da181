//! The same limits where several nodes serve: each draws a little from the store, and uses it up by itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use antiphon_store::{Allowances, AppId, Draw, Drawn, Millis, PortalId, Span, StoreError, Token};

use super::{Allowance, Limited, Payer, Policy, entry, next_midnight, seconds};
use crate::call::Caller;
use crate::config;
use crate::operation::Family;

/// What a node holds of one limit.
#[derive(Debug, Default)]
struct Purse {
    left: i64,
    /// The last slot in which it may be used.
    usable: i64,
    /// The slot in which nothing was left to be drawn: before the next it is not asked again.
    refused: Option<i64>,
    /// What was used since the last draw, by slot.
    spent: BTreeMap<i64, i64>,
    /// What all nodes had used then.
    seen: BTreeMap<i64, i64>,
    /// What the others held then.
    held: i64,
    /// Moves with every draw.
    draws: u64,
}

impl Purse {
    fn able(&self, slot: i64) -> bool {
        self.left > 0 && slot <= self.usable
    }

    /// Whether it is known that nothing is left, for now.
    fn empty(&self, slot: i64) -> bool {
        !self.able(slot) && self.refused.is_some_and(|refused| slot <= refused)
    }

    fn spend(&mut self, slot: i64) {
        self.left -= 1;
        *self.spent.entry(slot).or_default() += 1;
    }

    /// What of a limit is left, where what was used from a slot on counts.
    fn remains(&self, limit: i64, first: i64) -> i64 {
        let held = if self.usable >= first { self.held } else { 0 };
        (limit - self.used(first) - held).max(0)
    }

    /// What is known to have been used from a slot on.
    fn used(&self, first: i64) -> i64 {
        let of = |counts: &BTreeMap<i64, i64>| counts.range(first..).map(|(_, count)| count).sum::<i64>();
        of(&self.seen) + of(&self.spent)
    }

    /// The first slot in which something was used that still counts.
    fn oldest(&self, first: i64) -> Option<i64> {
        let of = |counts: &BTreeMap<i64, i64>| counts.range(first..).next().map(|(slot, _)| *slot);
        of(&self.seen).into_iter().chain(of(&self.spent)).min()
    }

    /// Takes in what a draw brought, that was asked for when `spent` had been used.
    fn fill(&mut self, drawn: Drawn, spent: &BTreeMap<i64, i64>, span: Span) {
        let slot = span.slot(drawn.at);
        for (slot, told) in spent {
            if let Some(count) = self.spent.get_mut(slot) {
                *count -= told;
            }
        }
        self.spent.retain(|_, count| *count > 0);
        self.left = drawn.granted;
        self.usable = span.usable(slot);
        self.refused = (drawn.granted == 0).then_some(slot);
        (self.seen, self.held) = (drawn.used, drawn.held);
        self.draws += 1;
    }
}

/// A purse, and whoever's turn it is to fill it.
#[derive(Default)]
struct Share {
    purse: Mutex<Purse>,
    turn: tokio::sync::Mutex<()>,
}

impl Share {
    fn purse(&self) -> MutexGuard<'_, Purse> {
        self.purse.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The database's clock, as it was read last. An answer is older than it looks, so what is used is noted rather too late.
#[derive(Debug, Clone, Copy)]
struct Clock {
    asked: Instant,
    showed: Millis,
}

#[derive(Default)]
pub(super) struct SharedLimits {
    windows: RwLock<HashMap<Payer, Arc<Share>>>,
    days: RwLock<HashMap<PortalId, Arc<Share>>>,
    apps: RwLock<HashMap<(AppId, Family), Arc<Share>>>,
    clock: RwLock<Option<Clock>>,
}

/// What a limit is about, and how much it allows.
struct Bound {
    policy: Policy,
    key: Vec<u8>,
    span: Span,
    limit: i64,
}

impl SharedLimits {
    /// As [`super::Limits::take`], over all nodes. `now` is what the machine's clock shows, until the database's is known.
    pub(super) async fn take(
        &self,
        store: Allowances<'_>,
        limits: &config::Limits,
        caller: &Caller,
        now: Millis,
        count: bool,
    ) -> Result<(Allowance, Result<(), Limited>), StoreError> {
        let payer = Payer::of(caller);
        let (window, day) = (entry(&self.windows, payer), entry(&self.days, caller.portal()));
        let counted = if payer.has_days() { 0..2 } else { 0..1 };
        loop {
            let now = self.now().unwrap_or(now);
            let ends = next_midnight(now, &caller.directory.portal.profile.time_zone);
            let bounds = [
                Bound {
                    policy: Policy::TenSecondlyRolling,
                    key: match payer {
                        Payer::Token(hash) => hash.0.to_vec(),
                        Payer::App(_, app) => format!("{app}").into_bytes(),
                        Payer::Agent(_, agent) => format!("agent {agent}").into_bytes(),
                    },
                    span: Span::TenSeconds,
                    limit: payer.most(limits).into(),
                },
                Bound {
                    policy: Policy::Daily,
                    key: b"day".to_vec(),
                    span: Span::Day(ends),
                    limit: i64::try_from(limits.per_day).unwrap_or(i64::MAX),
                },
            ];
            let lacking = {
                let mut purses = [window.purse(), day.purse()];
                let slots = [0, 1].map(|n| bounds[n].span.slot(now));
                let lacking = counted.clone().find(|&n| count && !purses[n].able(slots[n]));
                match lacking {
                    None => {
                        if count {
                            counted.for_each(|n| purses[n].spend(slots[n]));
                        }
                        return Ok((allowance(payer, &purses, &bounds, now), Ok(())));
                    }
                    Some(n) if purses[n].empty(slots[n]) => {
                        let mut allowance = allowance(payer, &purses, &bounds, now);
                        let wait = match bounds[n].policy {
                            Policy::TenSecondlyRolling => {
                                allowance.remaining = 0;
                                let oldest = purses[n].oldest(Span::TenSeconds.first(slots[n]));
                                let free = oldest.map_or(now, |slot| Span::TenSeconds.forgets(slot));
                                seconds(free - now).clamp(1, 10)
                            }
                            Policy::Daily | Policy::Secondly => {
                                allowance.day = allowance.day.map(|(all, _)| (all, 0));
                                seconds(ends - now).max(1)
                            }
                        };
                        let limited = Limited { policy: bounds[n].policy, retry_after: wait };
                        return Ok((allowance, Err(limited)));
                    }
                    Some(n) => (n, purses[n].draws),
                }
            };
            let (n, draws) = lacking;
            self.draw(store, caller.portal(), [&window, &day][n], &bounds[n], draws).await?;
        }
    }

    /// As [`super::Limits::take_of_app`], over all nodes.
    pub(super) async fn take_of_app(
        &self,
        store: Allowances<'_>,
        token: &Token,
        family: Family,
        most: usize,
        now: Millis,
    ) -> Result<Result<(), Limited>, StoreError> {
        let share = entry(&self.apps, (token.app_id, family));
        let bound = Bound {
            policy: Policy::Secondly,
            key: format!("{} {family:?}", token.app_id).into_bytes(),
            span: Span::Second,
            limit: i64::try_from(most).unwrap_or(i64::MAX),
        };
        loop {
            let slot = bound.span.slot(self.now().unwrap_or(now));
            let draws = {
                let mut purse = share.purse();
                if purse.able(slot) {
                    purse.spend(slot);
                    return Ok(Ok(()));
                }
                if purse.empty(slot) {
                    return Ok(Err(Limited { policy: bound.policy, retry_after: 1 }));
                }
                purse.draws
            };
            self.draw(store, token.portal_id, &share, &bound, draws).await?;
        }
    }

    /// Fills a purse, unless that was done while waiting for the turn.
    async fn draw(
        &self,
        store: Allowances<'_>,
        portal: PortalId,
        share: &Share,
        bound: &Bound,
        draws: u64,
    ) -> Result<(), StoreError> {
        let _turn = share.turn.lock().await;
        let spent = {
            let purse = share.purse();
            if purse.draws != draws {
                return Ok(());
            }
            purse.spent.clone()
        };
        let draw = Draw { key: bound.key.clone(), span: bound.span, limit: bound.limit, spent };
        let asked = Instant::now();
        let drawn = store.draw(portal, &draw).await?;
        let clock = Clock { asked, showed: drawn.at };
        *self.clock.write().unwrap_or_else(PoisonError::into_inner) = Some(clock);
        share.purse().fill(drawn, &draw.spent, bound.span);
        Ok(())
    }

    fn now(&self) -> Option<Millis> {
        let clock = *self.clock.read().unwrap_or_else(PoisonError::into_inner);
        clock.map(|clock| clock.showed + clock.asked.elapsed().as_millis() as i64)
    }
}

fn allowance(
    payer: Payer,
    [window, day]: &[MutexGuard<'_, Purse>; 2],
    [ten, daily]: &[Bound; 2],
    now: Millis,
) -> Allowance {
    let slot = ten.span.slot(now);
    let mut allowance = Allowance {
        max: ten.limit as u32,
        remaining: window.remains(ten.limit, ten.span.first(slot)) as u32,
        day: payer
            .has_days()
            .then(|| (daily.limit as u64, day.remains(daily.limit, daily.span.slot(now)) as u64)),
        secondly_remaining: 0,
    };
    let in_last_second = window.used(ten.span.slot(now - 999)) as u32;
    allowance.secondly_remaining = allowance.secondly().saturating_sub(in_last_second);
    allowance
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Span = Span::TenSeconds;

    fn drawn(at: Millis, granted: i64, used: &[(i64, i64)], held: i64) -> Drawn {
        Drawn { granted, at, used: used.iter().copied().collect(), held }
    }

    #[test]
    fn a_purse_is_used_up_or_expires() {
        let mut purse = Purse::default();
        assert!(!purse.able(1_000) && !purse.empty(1_000), "nobody has asked yet");
        purse.fill(drawn(100_000, 2, &[(995, 40)], 3), &BTreeMap::new(), TEN);
        assert_eq!(purse.remains(100, TEN.first(1_000)), 57);
        purse.spend(1_000);
        assert!(purse.able(1_100) && !purse.able(1_101), "good for ten seconds");
        purse.spend(1_001);
        assert!(!purse.able(1_001) && !purse.empty(1_001), "there may be more");
        assert_eq!((purse.remains(100, TEN.first(1_001)), purse.oldest(TEN.first(1_001))), (55, Some(995)));
        assert_eq!(purse.remains(100, TEN.first(1_097)), 95, "what was used early no longer counts");
    }

    #[test]
    fn what_was_told_is_not_told_again() {
        let mut purse = Purse::default();
        purse.fill(drawn(100_000, 3, &[], 0), &BTreeMap::new(), TEN);
        purse.spend(1_000);
        let told = purse.spent.clone();
        purse.spend(1_000);
        purse.fill(drawn(100_050, 1, &[(1_000, 1)], 0), &told, TEN);
        assert_eq!((&purse.spent, purse.used(0)), (&BTreeMap::from([(1_000, 1)]), 2));
    }

    #[test]
    fn who_got_nothing_asks_again_in_the_next_slot() {
        let mut purse = Purse::default();
        purse.fill(drawn(100_000, 0, &[(1_000, 9)], 0), &BTreeMap::new(), TEN);
        assert!(purse.empty(1_000) && !purse.empty(1_001));
        purse.fill(drawn(100_000, 0, &[(7, 9)], 0), &BTreeMap::new(), Span::Day(7));
        assert!(purse.empty(7) && !purse.empty(8));
    }
}

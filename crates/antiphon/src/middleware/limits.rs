//! Rate limits: a rolling window of ten seconds per token, and a day per portal. Tokens from OAuth come and go; theirs is one
//! window per app, and no day.
//!
//! Where only one process serves, the counts live in its memory and end with it. Where nodes share a store, so do they share
//! the limits (`shared`). The arithmetic takes the time as an argument.

mod apps;
mod shared;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use antiphon_store::{AppId, PortalId, Store, StoreError, Token, TokenHash};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::call::Caller;
use crate::config;
use crate::operation::Family;
use apps::Apps;
use shared::SharedLimits;

/// Length of the rolling window in milliseconds.
pub const WINDOW: i64 = 10_000;

/// What the response headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    pub max: u32,
    pub remaining: u32,
    /// Allowed in a day, and left of that, where days are counted.
    pub day: Option<(u64, u64)>,
    /// Left in the informational per-second allowance.
    pub secondly_remaining: u32,
}

impl Allowance {
    /// The legacy per-second allowance: a tenth of the window's, and never none.
    pub fn secondly(&self) -> u32 {
        (self.max / 10).max(1)
    }
}

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    TenSecondlyRolling,
    Daily,
    Secondly,
}

/// A refused request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limited {
    pub policy: Policy,
    /// Whole seconds until it makes sense to try again.
    pub retry_after: i64,
}

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Payer {
    Token(TokenHash),
    /// An app, with all its tokens from OAuth.
    App(PortalId, AppId),
    /// An agent, in however many browsers.
    Agent(PortalId, i64),
}

impl Payer {
    fn of(caller: &Caller) -> Self {
        let token = &caller.token;
        match token.grant_id {
            _ if let Some(agent) = caller.agent => Self::Agent(token.portal_id, agent.agent),
            None => Self::Token(token.hash),
            Some(_) => Self::App(token.portal_id, token.app_id),
        }
    }

    /// How much it may ask in ten seconds.
    fn most(self, limits: &config::Limits) -> u32 {
        match self {
            Self::Token(_) => limits.per_ten_seconds,
            Self::App(..) => limits.oauth_per_ten_seconds,
            Self::Agent(..) => limits.agent_per_ten_seconds,
        }
    }

    /// Whether its days are counted.
    fn has_days(self) -> bool {
        matches!(self, Self::Token(_))
    }
}

/// The counts.
pub struct Limits {
    config: config::Limits,
    windows: RwLock<HashMap<Payer, Arc<Mutex<Window>>>>,
    days: RwLock<HashMap<PortalId, Arc<Mutex<Day>>>>,
    shared: SharedLimits,
    apps: Apps,
}

impl Limits {
    pub fn new(config: &config::Limits) -> Self {
        Self {
            config: config.clone(),
            windows: RwLock::default(),
            days: RwLock::default(),
            shared: SharedLimits::default(),
            apps: Apps::default(),
        }
    }

    /// Whether requests are counted.
    pub fn enabled(&self) -> bool {
        self.config.enabled
    }

    /// Counts a request unless a limit refuses it. `None` when limits are off. With `count` false it only looks.
    ///
    /// # Errors
    /// When the store cannot be asked that has the nodes' common counts.
    pub async fn take(
        &self,
        store: &Store,
        caller: &Caller,
        now: i64,
        count: bool,
    ) -> Result<Option<(Allowance, Result<(), Limited>)>, StoreError> {
        if !self.config.enabled {
            return Ok(None);
        }
        let taken = match store.allowances() {
            None => self.take_alone(caller, now, count),
            Some(nodes) => self.shared.take(nodes, &self.config, caller, now, count).await?,
        };
        Ok(Some(taken))
    }

    /// Counts a request of a family that has a rate of its own, by app.
    ///
    /// # Errors
    /// When the store cannot be asked that has the nodes' common counts.
    pub async fn take_of_app(
        &self,
        store: &Store,
        (token, family): (&Token, Family),
        most: usize,
        now: i64,
    ) -> Result<Result<(), Limited>, StoreError> {
        match store.allowances() {
            _ if !self.config.enabled => Ok(Ok(())),
            None => Ok(self.apps.take(token.app_id, family, most, now)),
            Some(nodes) => self.shared.take_of_app(nodes, token, family, most, now).await,
        }
    }

    fn take_alone(&self, caller: &Caller, now: i64, count: bool) -> (Allowance, Result<(), Limited>) {
        let (payer, per_day) = (Payer::of(caller), self.config.per_day);
        let most = payer.most(&self.config);
        let window = entry(&self.windows, payer);
        let day = entry(&self.days, caller.portal());
        let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
        let mut day = day.lock().unwrap_or_else(PoisonError::into_inner);
        window.roll(now);
        day.roll(now, &caller.directory.portal.profile.time_zone);
        let verdict = if !count {
            Ok(())
        } else if let Err(wait) = window.free(now, most) {
            Err(Limited { policy: Policy::TenSecondlyRolling, retry_after: seconds(wait).clamp(1, 10) })
        } else if payer.has_days() && day.used >= per_day {
            Err(Limited { policy: Policy::Daily, retry_after: seconds(day.ends - now).max(1) })
        } else {
            window.taken.push_back(now);
            day.used += u64::from(payer.has_days());
            Ok(())
        };
        let mut allowance = Allowance {
            max: most,
            remaining: most.saturating_sub(window.taken.len() as u32),
            day: payer.has_days().then(|| (per_day, per_day.saturating_sub(day.used))),
            secondly_remaining: 0,
        };
        let in_last_second = window.taken.iter().rev().take_while(|&&at| at > now - 1000).count() as u32;
        allowance.secondly_remaining = allowance.secondly().saturating_sub(in_last_second);
        (allowance, verdict)
    }
}

/// The value of a key, made when it is first asked for. Reading takes a shared lock only.
fn entry<K: std::hash::Hash + Eq, V: Default>(map: &RwLock<HashMap<K, Arc<V>>>, key: K) -> Arc<V> {
    if let Some(found) = map.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return found.clone();
    }
    map.write().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone()
}

fn seconds(millis: i64) -> i64 {
    millis.div_euclid(1000) + i64::from(millis.rem_euclid(1000) > 0)
}

/// When the accepted requests of the last ten seconds came, oldest first.
#[derive(Default)]
struct Window {
    taken: VecDeque<i64>,
}

impl Window {
    fn roll(&mut self, now: i64) {
        while self.taken.front().is_some_and(|&at| at <= now - WINDOW) {
            self.taken.pop_front();
        }
    }

    /// Whether a slot is free, or in how many milliseconds one will be.
    fn free(&self, now: i64, most: u32) -> Result<(), i64> {
        match self.taken.front() {
            Some(&oldest) if self.taken.len() >= most as usize => Err(oldest + WINDOW - now),
            _ => Ok(()),
        }
    }
}

#[derive(Default)]
struct Day {
    used: u64,
    /// When the day ends.
    ends: i64,
}

impl Day {
    fn roll(&mut self, now: i64, time_zone: &str) {
        if now >= self.ends {
            self.used = 0;
            self.ends = next_midnight(now, time_zone);
        }
    }
}

/// The next midnight in a time zone; in UTC when the name is unknown.
fn next_midnight(now: i64, time_zone: &str) -> i64 {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let next = Timestamp::from_millisecond(now)
        .map(|at| at.to_zoned(zone))
        .and_then(|at| at.checked_add(1.day()))
        .and_then(|at| at.start_of_day());
    next.map_or(now + 86_400_000, |at| at.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_rolls() {
        let mut window = Window::default();
        for at in [0, 1000, 9000] {
            window.roll(at);
            assert_eq!(window.free(at, 3), Ok(()));
            window.taken.push_back(at);
        }
        window.roll(9500);
        assert_eq!(window.free(9500, 3), Err(500));
        window.roll(9999);
        assert_eq!(window.free(9999, 3), Err(1));
        window.roll(10_000);
        assert_eq!(window.free(10_000, 3), Ok(()));
        assert_eq!(window.taken, [1000, 9000]);
    }

    #[test]
    fn whole_seconds_round_up() {
        assert_eq!([1, 999, 1000, 1001].map(seconds), [1, 1, 1, 2]);
    }

    #[test]
    fn midnight_is_the_portals() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        for (zone, now, midnight) in [
            ("UTC", "2026-03-01T23:59:59.999Z", "2026-03-02T00:00:00Z"),
            ("Europe/Berlin", "2026-03-01T22:30:00Z", "2026-03-01T23:00:00Z"),
            // The night in which the clocks go forward is short.
            ("Europe/Berlin", "2026-03-28T23:30:00Z", "2026-03-29T22:00:00Z"),
            ("America/New_York", "2026-03-01T05:00:00Z", "2026-03-02T05:00:00Z"),
            ("Not/AZone", "2026-03-01T05:00:00Z", "2026-03-02T00:00:00Z"),
        ] {
            assert_eq!(next_midnight(at(now), zone), at(midnight), "{zone} {now}");
        }
    }
}

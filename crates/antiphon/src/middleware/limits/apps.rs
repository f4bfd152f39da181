//! Families of operations that have a rate of their own: so many requests of an app in any second, where only one process
//! serves.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use antiphon_store::AppId;

use super::{Limited, Policy, entry};
use crate::operation::Family;

/// The span in milliseconds.
const SECOND: i64 = 1000;

/// When the accepted requests of the last second came, oldest first.
type Taken = Arc<Mutex<VecDeque<i64>>>;

#[derive(Default)]
pub(super) struct Apps(RwLock<HashMap<(AppId, Family), Taken>>);

impl Apps {
    pub(super) fn take(&self, app: AppId, family: Family, most: usize, now: i64) -> Result<(), Limited> {
        let taken = entry(&self.0, (app, family));
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        while taken.front().is_some_and(|&at| at <= now - SECOND) {
            taken.pop_front();
        }
        if taken.len() >= most {
            return Err(Limited { policy: Policy::Secondly, retry_after: 1 });
        }
        taken.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_in_any_second_by_app_and_family() {
        let apps = Apps::default();
        let take = |app, family, now| apps.take(AppId(app), family, 2, now).is_ok();
        assert!(take(1, Family::Journal, 0) && take(1, Family::Journal, 600));
        assert!(!take(1, Family::Journal, 999));
        assert!(take(2, Family::Journal, 999) && take(1, Family::JournalSnapshots, 999));
        assert!(take(1, Family::Journal, 1000), "the first is forgotten, and the refused one never counted");
        assert!(!take(1, Family::Journal, 1599) && take(1, Family::Journal, 1600));
    }
}

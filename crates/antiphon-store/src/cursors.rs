//! How far those have come who read the spine on behalf of apps, and what they could not deliver. What an app is told of a
//! channel that it brought has a reader of its own, see [`AppId::of_channel`].
//!
//! A cursor is there as long as there is something to read for: it begins where the spine stood when the app was given its
//! first subscription, and goes with the last. Whoever reads takes the cursor, which raises its epoch; what an earlier holder
//! writes after that counts for nothing.

use std::collections::BTreeSet;

use crate::threads::lists::EXAMINED;
use crate::{AppId, Millis, PortalId, SubscriptionId};

/// Who reads on behalf of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reader {
    Webhooks = 1,
    Journal = 2,
}

impl Reader {
    /// Beside the numbers of readers, in the sum that an app's row has: some of its channels are told.
    pub(crate) const CHANNELS: i64 = 8;

    /// By how much the numbers of those are moved that would tell it wherever it is let in.
    pub(crate) const ANYWHERE: u32 = 4;

    /// How those are found for whom this one reads.
    pub(crate) fn which(self) -> Which {
        match self {
            Self::Webhooks => Which { home: 1, away: 1 << Self::ANYWHERE, parted: -1 },
            // What an app wants in its journal does not depend on where it is let in. It is also told that it no longer is.
            Self::Journal => Which { home: 2, away: 2, parted: PARTED },
        }
    }

    pub(crate) const ALL: [Self; 2] = [Self::Webhooks, Self::Journal];

    /// The table of what it numbers.
    pub(crate) fn entries(self) -> &'static str {
        match self {
            Self::Webhooks => "attempts",
            Self::Journal => "journal_entries",
        }
    }
}

/// How long an app that was removed is still read for: its journal says so, and what waited on its channels is given up.
pub const PARTED: Millis = 3 * 24 * 60 * 60 * 1000;

/// For whom the spine is read, as apps' rows say it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Which {
    /// What the sum has of an app that is at home, and of one that is elsewhere.
    pub home: i64,
    pub away: i64,
    /// Those count as well that were removed no longer ago than this.
    pub parted: Millis,
}

impl Which {
    /// What waited on a channel when its app was removed is given up by whoever told it, even if that is another one by then.
    pub(crate) const CHANNELS: Self =
        Self { home: Reader::CHANNELS, away: Reader::CHANNELS << Reader::ANYWHERE, parted: PARTED };

    /// Since when those count that were removed.
    pub(crate) fn since(self, now: Millis) -> Millis {
        if self.parted < 0 { Millis::MAX } else { now - self.parted }
    }
}

/// An app for which the spine is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Told {
    pub portal: PortalId,
    pub app: AppId,
}

/// Where a reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Every event up to here is done with.
    pub position: i64,
    /// Whose turn it is.
    pub epoch: i64,
    /// Number of the next attempt, or of the next entry of the journal.
    pub next_entry: i64,
}

impl Cursor {
    /// The epoch before the first of a cursor that begins with this revision of the directory. No two begin with the same one,
    /// so whoever had an earlier cursor never takes this one for it, however the clocks stand.
    pub(crate) fn begins(revision: i64) -> i64 {
        revision << 32
    }

    /// The same for one that begins because of a change in another portal, at whose revision this portal stands as before.
    pub(crate) fn begins_away(revision: i64, home: i64) -> i64 {
        Self::begins(revision) + ((home & 0xf_ffff) << 12)
    }
}

/// An event that an app has not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub position: i64,
    pub subscription_id: SubscriptionId,
    /// What the event is about.
    pub object_id: i64,
    /// How often it was tried.
    pub attempts: i64,
    pub first_at: Millis,
    pub last_at: Millis,
    /// When it is tried again; `None` once it is given up.
    pub due_at: Option<Millis>,
    /// Whether it goes outside of its object's order, since somebody wants it sent again that was done with.
    pub loose: bool,
    /// Why it was not taken last, for people.
    pub error: String,
}

impl Delivery {
    /// Which delivery it is of an app's.
    pub fn key(&self) -> (i64, SubscriptionId) {
        (self.position, self.subscription_id)
    }
}

/// A request that was sent to an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Counted per app, from 1.
    pub id: i64,
    pub at: Millis,
    pub url: String,
    pub succeeded: bool,
    pub status: Option<i64>,
    /// Why it failed, for people.
    pub error: Option<String>,
    /// How long it took.
    pub millis: i64,
    /// The beginning of what was answered.
    pub excerpt: String,
    /// Which events it carried, in words of whoever wrote it.
    pub events: String,
}

/// On whose behalf the spine may be read, or no more, since these apps have changed: they and their channels.
pub(crate) fn touched(
    before: &crate::Directory,
    after: &crate::Directory,
    changes: &[crate::DirectoryChange],
) -> (BTreeSet<AppId>, BTreeSet<AppId>) {
    let keys: BTreeSet<AppId> = changes.iter().filter_map(crate::DirectoryChange::reader_of).collect();
    let owner = |key: &AppId| after.channel_of(*key).map_or(*key, |channel| channel.app_id);
    let apps: BTreeSet<AppId> = keys.iter().map(owner).collect();
    let channels = |app: &AppId| [before, after].map(|one| one.channels_of(*app)).into_iter().flatten();
    let channels = apps.iter().flat_map(channels).map(|one| AppId::of_channel(one.id));
    let all = keys.iter().copied().chain(apps.iter().copied()).chain(channels).collect();
    (apps, all)
}

/// The sum that an app's row has of whom it is told by, but for snapshots.
pub(crate) fn told_sum(directory: &crate::Directory, app: AppId) -> i64 {
    let readers = Reader::ALL.into_iter().filter(|reader| directory.reads(*reader, app));
    let channels = directory.told_channels(app).next().map_or(0, |_| Reader::CHANNELS);
    let mut anywhere = if directory.wants(app) { Reader::Webhooks as i64 } else { 0 };
    let would = directory.channels_of(app).any(|one| directory.wants(AppId::of_channel(one.id)));
    if would || channels != 0 {
        anywhere += Reader::CHANNELS;
    }
    readers.map(|reader| reader as i64).sum::<i64>() + channels + (anywhere << Reader::ANYWHERE)
}

/// What came of reading: written at once, or not at all when somebody else has taken the cursor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    pub epoch: i64,
    pub position: i64,
    /// Number of the attempt after the last of these.
    pub next_entry: i64,
    pub attempts: Vec<Attempt>,
    /// What was not taken, and when it is tried again.
    pub failed: Vec<Delivery>,
    /// What was taken of what had failed before, or is dropped.
    pub done: Vec<(i64, SubscriptionId)>,
}

/// Which deliveries are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// Those that are tried again.
    Waiting,
    /// Those that were given up.
    GivenUp,
}

/// How many deliveries an app has, each counted up to a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Undelivered {
    /// Those that are tried again.
    pub waiting: i64,
    /// Those that were given up.
    pub given_up: i64,
}

/// Which attempts are asked for: the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttemptQuery {
    /// Older than this one.
    pub before: Option<i64>,
    pub succeeded: Option<bool>,
    /// Answered with this status.
    pub status: Option<i64>,
    /// Not older than this.
    pub since: Option<Millis>,
    pub limit: usize,
}

/// Some of an app's attempts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttemptPage {
    pub attempts: Vec<Attempt>,
    /// There may be more before this one.
    pub next: Option<i64>,
}

impl AttemptQuery {
    /// Whether it filters by something that no index serves. Then the attempts that are looked at for a page are counted.
    pub(crate) fn examines(&self) -> bool {
        self.status.is_some() || self.since.is_some()
    }

    /// Which numbers are looked at, from the first to before the last, where an app's newest attempt is known.
    pub(crate) fn range(&self, newest: i64) -> (i64, i64) {
        let end = self.before.unwrap_or(i64::MAX);
        match self.examines() {
            true => (end.min(newest + 1) - EXAMINED as i64, end.min(newest + 1)),
            false => (i64::MIN, end),
        }
    }

    /// What was found there, one more than the page holds if there is one, where an app's oldest attempt is known.
    pub(crate) fn page(&self, mut attempts: Vec<Attempt>, start: i64, oldest: i64) -> AttemptPage {
        let full = attempts.len() > self.limit;
        attempts.truncate(self.limit);
        let next = match full {
            true => attempts.last().map(|last| last.id),
            false => (oldest < start).then_some(start),
        };
        AttemptPage { attempts, next }
    }
}

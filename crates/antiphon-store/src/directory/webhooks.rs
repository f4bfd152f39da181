//! What of an app's dealings with events belongs to the directory: where it is told, and of what.

use crate::{AppId, Millis, SubscriptionId};

/// A secret that was replaced and goes on working for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    pub value: String,
    pub until: Millis,
}

/// Why an app is not told at present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    pub at: Millis,
    /// For people.
    pub why: String,
}

/// Where an app is told of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub app_id: AppId,
    /// As it was given.
    pub target_url: String,
    /// Most requests under way at once.
    pub max_concurrent: i64,
    pub created_at: Millis,
    pub updated_at: Option<Millis>,
    pub paused: Option<Paused>,
    /// Of a channel: since when its app is told nothing more of it. What still waits is given up, and then this goes.
    pub closing_at: Option<Millis>,
    /// Settings that are gone: the directory forgets them.
    pub deleted_at: Option<Millis>,
}

/// What is put into an event besides ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expand {
    pub message: bool,
    pub thread: bool,
    pub contact: bool,
}

impl Expand {
    /// The number under which it is stored.
    pub(crate) fn stored(self) -> i64 {
        i64::from(self.message) | i64::from(self.thread) << 1 | i64::from(self.contact) << 2
    }

    /// What is stored under a number.
    pub(crate) fn read(bits: i64) -> Self {
        Self { message: bits & 1 != 0, thread: bits & 2 != 0, contact: bits & 4 != 0 }
    }
}

/// What an app is told of. Of an app's subscriptions no two have the same type and property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    pub id: SubscriptionId,
    pub app_id: AppId,
    /// As in `conversation.newMessage`.
    pub event_type: String,
    pub property_name: Option<String>,
    pub object_type_id: Option<String>,
    pub event_type_name: Option<String>,
    pub active: bool,
    pub expand: Expand,
    /// Whether an event waits for the earlier ones of its thread, however often these have to be tried.
    pub ordered: bool,
    pub created_at: Millis,
    pub updated_at: Option<Millis>,
    /// One that is gone: the directory forgets it.
    pub deleted_at: Option<Millis>,
    /// The app is told of what happens behind this position: where the spine stood when this was switched on.
    pub since: i64,
    /// When that was: in other portals, positions are others.
    pub since_at: Millis,
}

/// What goes into an app's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalSubscription {
    pub id: SubscriptionId,
    pub app_id: AppId,
    /// What is subscribed to: a JSON object.
    pub body: String,
    /// A JSON array.
    pub filters: String,
    pub created_at: Millis,
    pub updated_at: Millis,
    /// One that is gone: the directory forgets it.
    pub deleted_at: Option<Millis>,
}

//! An event on its way to an app.

use std::sync::Arc;
use std::time::Instant;

use antiphon_store::{Millis, Subscription, SubscriptionId};

use super::super::spine::Occurrence;

/// A subscription and an object: what an order is kept of.
pub type Line = (SubscriptionId, i64);

/// Which delivery it is.
pub type Key = (i64, SubscriptionId);

/// An event on its way to an app.
#[derive(Debug, Clone)]
pub struct Item {
    pub event: Arc<Occurrence>,
    pub subscription: Arc<Subscription>,
    /// How often it was sent.
    pub attempts: i64,
    /// When it was sent first.
    pub first_at: Option<Millis>,
    /// Whether it failed before, and there is a row that says so.
    pub row: bool,
    /// Whether it goes outside of its object's order, since somebody wants it sent again: it waits for nothing, and nothing
    /// for it.
    pub loose: bool,
    /// Since when it waits to be sent.
    pub since: Instant,
}

impl Item {
    pub fn key(&self) -> Key {
        (self.event.position, self.subscription.id)
    }

    pub fn line(&self) -> Line {
        (self.subscription.id, self.event.object_id)
    }
}

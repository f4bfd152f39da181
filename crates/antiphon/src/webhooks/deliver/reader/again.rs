//! What is tried again: its rows, from the store back into the queue.

use std::sync::Arc;
use std::time::Instant;

use antiphon_store::{AttemptQuery, Delivery, DeliveryState, StoreError, SubscriptionId, Told};

use super::super::queue::{Item, Key, Line, MOST};
use super::super::spine::Occurrence;
use super::{BEHIND, Reading};

/// Most rows read at once.
const PAGE: usize = 500;

impl Reading {
    /// Reads what waits to be tried again: left by a reader before this one, or under subscriptions that are others by now.
    pub(super) async fn recall(&mut self) -> Result<(), StoreError> {
        let Told { portal, app } = self.told;
        self.queue.forget_failed();
        self.released.clear();
        self.failed.clear();
        let mut after = None;
        loop {
            let page = self.app.store.deliveries(portal, app, DeliveryState::Waiting, after, PAGE).await?;
            let full = page.len() == PAGE;
            after = page.last().map(Delivery::key);
            for one in page {
                let line = (one.subscription_id, one.object_id);
                let Some(ordered) = self.is_ordered(one.subscription_id) else {
                    self.progress.done.push(one.key());
                    continue;
                };
                self.failed.insert(one.key());
                if one.loose {
                    continue;
                }
                if ordered {
                    if one.due_at == Some(BEHIND) && self.queue.failed(line).next().is_none() {
                        self.released.insert(line);
                    }
                    self.queue.fail(line, one.position);
                } else if one.due_at == Some(BEHIND) {
                    self.progress.failed.push(Delivery { due_at: Some(one.last_at), ..one });
                }
            }
            if !full {
                break;
            }
        }
        self.look_at = Instant::now();
        let query = AttemptQuery { succeeded: Some(true), limit: 1, ..AttemptQuery::default() };
        let last = self.app.store.attempts(portal, app, &query).await?;
        self.last_success = last.attempts.first().map_or(0, |attempt| attempt.at);
        self.recalled = true;
        Ok(())
    }

    /// Takes in failed deliveries whose time has come.
    pub(super) async fn load_due(&mut self) -> Result<(), StoreError> {
        let Told { portal, app } = self.told;
        if self.queue.waiting_again() >= MOST {
            return Ok(());
        }
        // Of a channel that is closing everything is due, but for what waits behind another.
        let now = if self.closing.is_some() { BEHIND - 1 } else { self.app.store.now() };
        for one in self.app.store.deliveries_due(portal, app, now, 2 * MOST).await? {
            if self.queue.has(&one.key()) || self.is_being_written(&one.key()) {
                continue;
            }
            let line = (one.subscription_id, one.object_id);
            if one.loose || self.is_ordered(one.subscription_id) != Some(true) {
                self.load(one).await?;
                continue;
            }
            self.queue.fail(line, one.position);
            if self.queue.failed(line).next() == Some(one.position) {
                self.released.insert(line);
            } else {
                // Somebody wants it sent again. It is, once those before it are.
                self.progress.failed.push(Delivery { due_at: Some(BEHIND), ..one });
            }
        }
        Ok(())
    }

    /// Takes in the events of lines whose first event may go.
    pub(super) async fn load_released(&mut self) -> Result<(), StoreError> {
        let lines: Vec<Line> = self.released.iter().copied().collect();
        for line in lines {
            if self.load_line(line).await? {
                self.released.remove(&line);
            }
        }
        Ok(())
    }

    /// Takes in the first events of a line: as many as go into one request. `false` while some are not written yet.
    async fn load_line(&mut self, line: Line) -> Result<bool, StoreError> {
        let Told { portal, app } = self.told;
        let positions: Vec<i64> = self.queue.failed(line).take(MOST).collect();
        for position in positions {
            if self.is_being_written(&(position, line.0)) {
                return Ok(false);
            }
            let before = Some((position, SubscriptionId(line.0.0 - 1)));
            let found = self.app.store.deliveries(portal, app, DeliveryState::Waiting, before, 1).await?;
            match found.into_iter().find(|one| one.key() == (position, line.0)) {
                Some(one) => self.load(one).await?,
                // It was dropped.
                None => self.queue.settle(line, position),
            }
        }
        Ok(true)
    }

    /// Whether something about a delivery is about to be written, so that its row is not what counts.
    fn is_being_written(&self, key: &Key) -> bool {
        self.being_written.contains(key)
            || self.progress.done.contains(key)
            || self.progress.failed.iter().any(|one| one.key() == *key)
    }

    /// Has a delivery made once more.
    async fn load(&mut self, one: Delivery) -> Result<(), StoreError> {
        if self.queue.has(&one.key()) {
            return Ok(());
        }
        let event = self.app.store.events_after(self.told.portal, one.position - 1, 1).await?.pop();
        let line = (one.subscription_id, one.object_id);
        let Some(event) = event.filter(|event| event.position == one.position).map(Occurrence::from) else {
            self.queue.settle(line, one.position);
            self.failed.remove(&one.key());
            let error = "The event is past its retention".to_owned();
            self.progress.failed.push(Delivery { due_at: None, error, ..one });
            return Ok(());
        };
        let Some(subscription) = self.matching.find(&event).filter(|found| found.id == one.subscription_id)
        else {
            self.settle(line, one.position);
            return Ok(());
        };
        self.failed.insert(one.key());
        self.queue.push_again(Item {
            subscription: subscription.clone(),
            event: Arc::new(event),
            attempts: one.attempts,
            first_at: (one.attempts > 0).then_some(one.first_at),
            row: true,
            loose: one.loose,
            since: Instant::now(),
        });
        Ok(())
    }

    /// A failed delivery is done with.
    pub(super) fn settle(&mut self, line: Line, position: i64) {
        self.queue.settle(line, position);
        self.failed.remove(&(position, line.0));
        self.progress.done.push((position, line.0));
    }
}

//! The spine as the readers of a portal see it: what one of them has read the others need not read again, and what an event
//! says is printed once for all of them.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use antiphon_store::{Event, EventKind, PortalId, Store, StoreError};
use antiphon_wire::events::{Happened, Printed};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::Mutex;

use super::matching::public_name;

/// Most events read at once.
const PAGE: usize = 500;

/// An event, and what follows from it for whoever is told of it.
#[derive(Debug)]
pub struct Occurrence {
    event: Event,
    payload: OnceLock<Payload>,
    printed: OnceLock<Printed>,
}

/// What an event says besides ids, as `events::kinds` wrote it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Payload {
    pub message_id: Option<String>,
    pub message_type: Option<String>,
    pub property_name: Option<String>,
    pub property_value: Option<String>,
    pub change_source: Option<String>,
    pub source_id: Option<String>,
    /// Of what happened on a channel that an app brought.
    pub channel_id: Option<String>,
    pub channel_account_id: Option<String>,
    pub delivery_identifier: Option<Box<RawValue>>,
    pub authorized: Option<bool>,
    pub active: Option<bool>,
}

impl From<Event> for Occurrence {
    fn from(event: Event) -> Self {
        Self { event, payload: OnceLock::new(), printed: OnceLock::new() }
    }
}

impl Deref for Occurrence {
    type Target = Event;

    fn deref(&self) -> &Event {
        &self.event
    }
}

impl Occurrence {
    /// What it says; nothing where there is nothing.
    pub fn payload(&self) -> &Payload {
        self.payload.get_or_init(|| serde_json::from_str(&self.event.payload).unwrap_or_default())
    }

    /// What everybody is told of it.
    pub fn printed(&self) -> &Printed {
        self.printed.get_or_init(|| {
            let payload = self.payload();
            Printed::new(&Happened {
                occurred_at: self.event.occurred_at,
                subscription_type: public_name(self.event.kind).unwrap_or_default(),
                object_id: self.event.object_id,
                change_flag: match self.event.kind {
                    EventKind::ThreadCreated => Some("CREATED"),
                    EventKind::MessageAdded => Some("NEW_MESSAGE"),
                    EventKind::ThreadArchived => Some("DELETED"),
                    _ => None,
                },
                change_source: payload.change_source.as_deref(),
                source_id: payload.source_id.as_deref(),
                property_name: payload.property_name.as_deref(),
                property_value: payload.property_value.as_deref(),
                message_id: payload.message_id.as_deref(),
                message_type: payload.message_type.as_deref(),
            })
        })
    }
}

/// A portal's spine, with the newest page that somebody has read of it.
#[derive(Debug, Default)]
pub struct Spine(Mutex<Vec<Arc<Occurrence>>>);

impl Spine {
    /// Some of what follows a position, in order; and whether there is likely to be more at once.
    pub async fn after(
        &self,
        store: &Store,
        portal: PortalId,
        position: i64,
    ) -> Result<(Vec<Arc<Occurrence>>, bool), StoreError> {
        // Held while the store reads, so that those who come together read once.
        let mut newest = self.0.lock().await;
        let (first, last) = bounds(&newest);
        if first <= position + 1 && position < last {
            let from = newest.partition_point(|one| one.position <= position);
            return Ok((newest[from..].to_vec(), newest.len() == PAGE));
        }
        let page = store.events_after(portal, position, PAGE).await?;
        let page: Vec<_> = page.into_iter().map(|event| Arc::new(event.into())).collect();
        // Whoever is behind does not take from the others what they have.
        if last < bounds(&page).1 {
            newest.clone_from(&page);
        }
        let more = page.len() == PAGE;
        Ok((page, more))
    }
}

/// The first and the last position of a page.
fn bounds(page: &[Arc<Occurrence>]) -> (i64, i64) {
    let at = |one: Option<&Arc<Occurrence>>| one.map_or(0, |one| one.position);
    (at(page.first()), at(page.last()))
}

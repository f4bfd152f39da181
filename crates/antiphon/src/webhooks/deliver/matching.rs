//! Which subscription of an app an event is for.

use std::collections::HashMap;
use std::sync::Arc;

use antiphon_store::{AppId, Directory, Event, EventKind, Subscription};
use serde::Deserialize;

/// What an event says besides ids, as `events::kinds` wrote it.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Payload {
    pub message_id: Option<String>,
    pub message_type: Option<String>,
    pub property_name: Option<String>,
    pub property_value: Option<String>,
    pub change_source: Option<String>,
    pub source_id: Option<String>,
}

impl Payload {
    /// That of an event; an empty one where there is none.
    pub fn of(event: &Event) -> Self {
        serde_json::from_str(&event.payload).unwrap_or_default()
    }
}

/// The public name of an event that apps can be told of.
pub fn public_name(kind: EventKind) -> Option<&'static str> {
    Some(match kind {
        EventKind::ThreadCreated => "conversation.creation",
        EventKind::MessageAdded => "conversation.newMessage",
        EventKind::ThreadChanged => "conversation.propertyChange",
        EventKind::ThreadArchived => "conversation.deletion",
        EventKind::ThreadPurged => "conversation.privacyDeletion",
        _ => return None,
    })
}

/// An app's subscriptions that are switched on, as of one revision of the directory. Of a type and property there is only one.
#[derive(Debug, Default)]
pub struct Matching(HashMap<(&'static str, Option<String>), Arc<Subscription>>);

impl Matching {
    /// Those of an app.
    pub fn new(directory: &Directory, app: AppId) -> Self {
        let known = [
            EventKind::ThreadCreated,
            EventKind::MessageAdded,
            EventKind::ThreadChanged,
            EventKind::ThreadArchived,
            EventKind::ThreadPurged,
        ];
        let active = directory.subscriptions(app).filter(|one| one.active);
        let of = active.filter_map(|one| {
            let name = known.into_iter().filter_map(public_name).find(|name| *name == one.event_type)?;
            Some(((name, one.property_name.clone()), one.clone()))
        });
        Self(of.collect())
    }

    /// The subscription that an event is for.
    pub fn find(&self, event: &Event) -> Option<&Arc<Subscription>> {
        let name = public_name(event.kind)?;
        let property = match event.kind {
            EventKind::ThreadChanged => Payload::of(event).property_name,
            _ => None,
        };
        self.0.get(&(name, property))
    }
}

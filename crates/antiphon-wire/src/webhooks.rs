//! Where an app is told of events, and of which.

use serde::{Serialize, Serializer};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::batch::Batched;
use crate::error::Problem;
use crate::id::{Id, LenientId};
use crate::lenient::{lenient, wire_enum};
use crate::timestamp::Timestamp;

/// Most subscriptions of an app.
pub const MAX_SUBSCRIPTIONS: usize = 1000;

/// How many requests may be under way to an app at once where nobody said: the most that may be asked for is a hundred.
pub const USUAL_CONCURRENCY: i64 = 10;

/// The end of the names of those events that tell of one property.
const PROPERTY_CHANGE: &str = ".propertyChange";

/// Properties whose changes `conversation.propertyChange` tells of.
pub const CONVERSATION_PROPERTIES: &[&str] = &["assignedTo", "status", "isArchived"];

/// What an app can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventType(&'static str);

impl EventType {
    /// Every type. Only those of conversations happen here; the others are taken so that whoever registers a whole list
    /// succeeds.
    pub const ALL: [&'static str; 48] = [
        "conversation.creation",
        "conversation.deletion",
        "conversation.privacyDeletion",
        "conversation.propertyChange",
        "conversation.newMessage",
        "contact.creation",
        "contact.deletion",
        "contact.privacyDeletion",
        "contact.propertyChange",
        "contact.merge",
        "contact.restore",
        "contact.associationChange",
        "company.creation",
        "company.deletion",
        "company.merge",
        "company.propertyChange",
        "company.restore",
        "company.associationChange",
        "deal.creation",
        "deal.deletion",
        "deal.merge",
        "deal.propertyChange",
        "deal.restore",
        "deal.associationChange",
        "ticket.creation",
        "ticket.deletion",
        "ticket.merge",
        "ticket.propertyChange",
        "ticket.restore",
        "ticket.associationChange",
        "line_item.creation",
        "line_item.deletion",
        "line_item.merge",
        "line_item.propertyChange",
        "line_item.restore",
        "line_item.associationChange",
        "object.creation",
        "object.deletion",
        "object.merge",
        "object.propertyChange",
        "object.restore",
        "object.associationChange",
        "product.creation",
        "product.deletion",
        "product.merge",
        "product.propertyChange",
        "product.restore",
        "event.completed",
    ];

    /// The type's name.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// Reads a name in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.eq_ignore_ascii_case(text)).map(Self)
    }

    /// Reads a name that a client sent for `name`.
    ///
    /// # Errors
    /// There is no such type.
    pub fn read(name: &str, text: &str) -> Result<Self, Problem> {
        Self::parse(text).ok_or_else(|| Problem::not_one_of(name, text, &Self::ALL))
    }

    /// Whether it tells of one property.
    pub fn is_property_change(self) -> bool {
        self.0.ends_with(PROPERTY_CHANGE)
    }

    /// What it tells of, as in `conversation`.
    pub fn group(self) -> &'static str {
        self.0.split_once('.').map_or(self.0, |(group, _)| group)
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl PartialSchema for EventType {
    fn schema() -> RefOr<Schema> {
        crate::schema::string().enum_values(Some(Self::ALL)).into()
    }
}

impl ToSchema for EventType {
    fn name() -> std::borrow::Cow<'static, str> {
        "EventType".into()
    }
}

wire_enum! {
    /// What an event can carry besides ids. An addition of ours.
    pub enum Expansion {
        /// The message it tells of.
        Message = "message",
        /// The thread.
        Thread = "thread",
        /// The contact of the thread.
        Contact = "contact",
    }
}

lenient! {
    /// Where an app shall be told.
    pub struct SettingsChange {
        /// Absolute https URL.
        #[schema(value_type = String, required = true, example = "https://bot.example.org/hooks")]
        pub target_url: Option<String> = "targetUrl",
        /// How much at once.
        pub throttling: Option<ThrottlingChange> = "throttling",
    }

    /// How much an app shall be told at once.
    pub struct ThrottlingChange {
        /// Most requests under way at once; 10 if absent.
        #[schema(minimum = 1, maximum = 100)]
        pub max_concurrent_requests: Option<i64> = "maxConcurrentRequests",
    }

    /// What an app shall be told of.
    pub struct SubscriptionCreate {
        /// The type of the events.
        #[schema(value_type = EventType, required = true)]
        pub event_type: Option<String> = "eventType",
        /// Whether it is told already; not if absent.
        pub active: Option<bool> = "active",
        /// The property, of types that tell of one.
        pub property_name: Option<String> = "propertyName",
        /// The kind of object, of types that tell of any kind.
        pub object_type_id: Option<String> = "objectTypeId",
        /// The event's name, of types that tell of named ones.
        pub event_type_name: Option<String> = "eventTypeName",
        /// What events carry besides ids: `message`, `thread`, `contact`. An addition of ours.
        #[schema(value_type = Vec<Expansion>, required = false)]
        pub expand: Vec<String> = "expand",
        /// Whether an event waits for the earlier ones of its thread, however often these have to be tried. An addition of ours.
        pub ordered: Option<bool> = "ordered",
    }

    /// What changes about a subscription.
    pub struct SubscriptionPatch {
        /// Whether the app is told.
        pub active: Option<bool> = "active",
        /// What events carry besides ids: replaces what they carried. An addition of ours.
        #[schema(value_type = Option<Vec<Expansion>>)]
        pub expand: Option<Vec<String>> = "expand",
        /// Whether an event waits for the earlier ones of its thread. An addition of ours.
        pub ordered: Option<bool> = "ordered",
    }

    /// Subscriptions to be switched on or off at once.
    pub struct SubscriptionBatchUpdate {
        /// Which. Absent is an error, empty is not.
        #[schema(value_type = Vec<SubscriptionSwitch>, required = true)]
        pub inputs: Option<Vec<SubscriptionSwitch>> = "inputs",
    }

    /// A subscription to be switched on or off.
    pub struct SubscriptionSwitch {
        /// Its id.
        #[schema(value_type = LenientId, required = true)]
        pub id: Option<LenientId> = "id",
        /// Whether the app is told.
        #[schema(value_type = bool, required = true)]
        pub active: Option<bool> = "active",
    }
}

/// Where an app is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookSettings)]
pub struct Settings {
    /// As it was given.
    pub target_url: String,
    /// How much at once.
    pub throttling: Throttling,
    /// When it was first set.
    pub created_at: Timestamp,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub updated_at: Option<Timestamp>,
}

/// How much an app is told at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Throttling {
    /// Most requests under way at once.
    pub max_concurrent_requests: i64,
}

/// What an app is told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Its id.
    pub id: Id,
    /// The type of the events.
    #[schema(value_type = EventType)]
    pub event_type: String,
    /// Whether the app is told.
    pub active: bool,
    /// The property.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub property_name: Option<String>,
    /// The kind of object.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub object_type_id: Option<String>,
    /// The event's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub event_type_name: Option<String>,
    /// What events carry besides ids. An addition of ours.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub expand: Vec<Expansion>,
    /// That an event waits for the earlier ones of its thread. An addition of ours.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub ordered: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub updated_at: Option<Timestamp>,
}

/// All subscriptions of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SubscriptionList {
    /// By id.
    pub results: Vec<Subscription>,
}

impl Batched for Subscription {
    const NAME: &'static str = "SubscriptionBatch";
    const MANY: &'static str = "subscriptions";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_known_once_and_in_any_case() {
        let all: std::collections::HashSet<_> = EventType::ALL.into_iter().collect();
        assert_eq!(all.len(), 48);
        for name in EventType::ALL {
            assert_eq!(EventType::parse(&name.to_uppercase()).map(EventType::as_str), Some(name));
        }
        for other in ["conversation", "conversation.", "conversation.merge", "", " conversation.creation"] {
            assert_eq!(EventType::parse(other), None, "{other}");
        }
        let types = || EventType::ALL.into_iter().filter_map(EventType::parse);
        assert_eq!(types().filter(|one| one.is_property_change()).count(), 8);
        assert_eq!(types().filter(|one| one.group() == "conversation").count(), 5);
    }
}

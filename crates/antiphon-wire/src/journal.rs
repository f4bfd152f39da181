//! The webhooks journal: what an app wants in it, how entries are found, and what the file of an entry holds.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::batch::Batched;
use crate::id::LenientId;
use crate::lenient::{lenient, wire_enum};
use crate::timestamp::Timestamp;

/// Most entries that one request names or gets.
pub const MAX_ENTRIES: usize = 100;

wire_enum! {
    /// What a subscription is about.
    pub enum SubscriptionType {
        /// Objects that are made, changed or removed.
        Object = "OBJECT",
        /// Objects that are tied to each other.
        Association = "ASSOCIATION",
        /// The app that is installed or removed.
        AppLifecycle = "APP_LIFECYCLE_EVENT",
        /// Objects that get on a list.
        ListMembership = "LIST_MEMBERSHIP",
        /// Objects that are erased for good.
        PrivacyDeletion = "GDPR_PRIVACY_DELETION",
    }

    /// What happens to an object.
    pub enum Action {
        /// It is made.
        Create = "CREATE",
        /// It is changed.
        Update = "UPDATE",
        /// It is removed, and may come back.
        Delete = "DELETE",
        /// It becomes one with another.
        Merge = "MERGE",
        /// It comes back.
        Restore = "RESTORE",
        /// It is tied to another.
        AssociationAdded = "ASSOCIATION_ADDED",
        /// It is no longer.
        AssociationRemoved = "ASSOCIATION_REMOVED",
        /// Nothing: that is how it is.
        Snapshot = "SNAPSHOT",
        /// The app may act in the portal.
        AppInstall = "APP_INSTALL",
        /// It may no longer.
        AppUninstall = "APP_UNINSTALL",
        /// It gets on a list.
        AddedToList = "ADDED_TO_LIST",
        /// It is taken off it.
        RemovedFromList = "REMOVED_FROM_LIST",
        /// It is erased for good.
        GdprDelete = "GDPR_DELETE",
    }

    /// How a condition compares.
    pub enum Operator {
        /// The same.
        Eq = "EQ",
        /// Another, or none.
        NEq = "N_EQ",
        /// Less.
        Lt = "LT",
        /// More.
        Gt = "GT",
        /// Not more.
        Lte = "LTE",
        /// Not less.
        Gte = "GTE",
        /// The value is in it.
        Contains = "CONTAINS",
        /// The value is its beginning.
        StartsWith = "STARTS_WITH",
        /// The value is its end.
        EndsWith = "ENDS_WITH",
        /// One of several.
        In = "IN",
        /// None of several.
        NotIn = "NOT_IN",
        /// There is no value.
        IsEmpty = "IS_EMPTY",
        /// There is one.
        IsNotEmpty = "IS_NOT_EMPTY",
    }

    /// What a condition is about.
    pub enum FilterType {
        /// A property of the object.
        Property = "CRM_OBJECT_PROPERTY",
    }

    /// How far a snapshot is.
    pub enum SnapshotStatusType {
        /// Nobody has begun.
        Pending = "PENDING",
        /// It is being made.
        InProgress = "IN_PROGRESS",
        /// It is in the journal.
        Success = "SUCCESS",
        /// There will be none.
        Failed = "FAILED",
        /// It was there, and is gone.
        Expired = "EXPIRED",
    }

    /// Why there will be no snapshot.
    pub enum SnapshotError {
        /// It took too long.
        Timeout = "TIMEOUT",
        /// There is no such object.
        Validation = "VALIDATION_ERROR",
        /// A bug of ours.
        Internal = "INTERNAL_ERROR",
        /// The app may not see it.
        Permission = "PERMISSION_DENIED",
    }
}

impl Operator {
    /// Whether it compares with several values.
    pub fn lists(self) -> bool {
        matches!(self, Self::In | Self::NotIn)
    }

    /// Whether it compares with nothing.
    pub fn alone(self) -> bool {
        matches!(self, Self::IsEmpty | Self::IsNotEmpty)
    }
}

lenient! {
    /// What an app wants in its journal. An empty list means all there are.
    pub struct SubscriptionUpsert {
        /// `OBJECT`, `ASSOCIATION`, `APP_LIFECYCLE_EVENT`, `LIST_MEMBERSHIP` or `GDPR_PRIVACY_DELETION`.
        pub subscription_type: Option<String> = "subscriptionType",
        /// The portal; not with `APP_LIFECYCLE_EVENT`.
        pub portal_id: Option<LenientId> = "portalId",
        /// The type of object, such as `0-11`; not with `APP_LIFECYCLE_EVENT` and `LIST_MEMBERSHIP`.
        pub object_type_id: Option<String> = "objectTypeId",
        /// `4-1909196` for installing, `4-1916193` for removing; only with `APP_LIFECYCLE_EVENT`.
        pub event_type_id: Option<String> = "eventTypeId",
        /// These objects.
        pub object_ids: Vec<LenientId> = "objectIds",
        /// These lists.
        pub list_ids: Vec<LenientId> = "listIds",
        /// These properties.
        pub properties: Vec<String> = "properties",
        /// What the objects may be tied to.
        pub associated_object_type_ids: Vec<String> = "associatedObjectTypeIds",
        /// These actions.
        pub actions: Vec<String> = "actions",
    }

    /// A filter for a subscription.
    pub struct FilterCreate {
        /// Which subscription.
        pub subscription_id: Option<LenientId> = "subscriptionId",
        /// The filter.
        pub filter: Option<FilterRequest> = "filter",
    }

    /// Conditions that must all hold.
    pub struct FilterRequest {
        /// The conditions.
        pub conditions: Vec<ConditionRequest> = "conditions",
    }

    /// What must hold of a property.
    pub struct ConditionRequest {
        /// `CRM_OBJECT_PROPERTY`, which it is if absent, too.
        pub filter_type: Option<String> = "filterType",
        /// The property's name.
        pub property: Option<String> = "property",
        /// How it is compared.
        pub operator: Option<String> = "operator",
        /// With what.
        pub value: Option<String> = "value",
        /// With which, for `IN` and `NOT_IN`.
        pub values: Vec<String> = "values",
    }

    /// Entries to be found by their offsets.
    pub struct EntriesRead {
        /// Up to 100 offsets.
        pub inputs: Option<Vec<String>> = "inputs",
    }

    /// Objects that are wanted in the journal as they are now.
    pub struct SnapshotsCreate {
        /// Up to 100 objects.
        pub snapshot_requests: Vec<SnapshotRequest> = "snapshotRequests",
    }

    /// One such object.
    pub struct SnapshotRequest {
        /// Its portal.
        pub portal_id: Option<LenientId> = "portalId",
        /// Its id.
        pub object_id: Option<LenientId> = "objectId",
        /// Its type, such as `0-11`.
        pub object_type_id: Option<String> = "objectTypeId",
        /// These properties; all there are if empty.
        pub properties: Vec<String> = "properties",
    }
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = JournalSubscription)]
pub struct Subscription {
    /// Its id.
    pub id: i64,
    /// The app whose journal it is.
    pub app_id: i64,
    /// What it is about.
    pub subscription_type: SubscriptionType,
    /// The portal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub portal_id: Option<i64>,
    /// The type of object; empty where there is none.
    pub object_type_id: String,
    /// Whether it is about installing or removing the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub event_type_id: Option<String>,
    /// These actions; all if empty.
    pub actions: Vec<Action>,
    /// These objects; all if empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub object_ids: Option<Vec<i64>>,
    /// These lists; all if empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub list_ids: Option<Vec<i64>>,
    /// These properties; all if empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub properties: Option<Vec<String>>,
    /// What the objects may be tied to; anything if empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub associated_object_type_ids: Option<Vec<String>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was made or changed.
    pub updated_at: Timestamp,
}

/// All subscriptions of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = JournalSubscriptions)]
pub struct Subscriptions {
    /// The subscriptions, by id.
    pub results: Vec<Subscription>,
}

/// A filter that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = JournalFilterMade)]
pub struct FilterMade {
    /// Its id.
    pub filter_id: i64,
}

/// A filter with its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = JournalFilterResponse)]
pub struct FilterResponse {
    /// Its id.
    pub id: i64,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// The filter.
    pub filter: Filter,
}

/// Conditions that must all hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = JournalFilter)]
pub struct Filter {
    /// The conditions.
    pub conditions: Vec<Condition>,
}

/// What must hold of a property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = JournalCondition)]
pub struct Condition {
    /// Always the same.
    pub filter_type: FilterType,
    /// The property's name.
    pub property: String,
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub value: Option<String>,
    /// With which.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub values: Option<Vec<String>>,
}

/// Where an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = JournalFetch)]
pub struct Fetch {
    /// The address of its file, which needs no header.
    pub url: String,
    /// When the address ends.
    pub expires_at: Timestamp,
    /// The entry's offset.
    pub current_offset: String,
}

impl Batched for Fetch {
    const NAME: &'static str = "JournalBatch";
    const MANY: &'static str = "offsets";
}

/// The file of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JournalFile {
    /// The entry's offset.
    pub offset: String,
    /// When it was written.
    pub published_at: Timestamp,
    /// What happened, in order.
    pub journal_events: Vec<JournalEvent>,
}

/// What happened to an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JournalEvent {
    /// What the subscription is about that wants it here.
    #[serde(rename = "type")]
    pub kind: SubscriptionType,
    /// The portal.
    pub portal_id: i64,
    /// When.
    pub occurred_at: Timestamp,
    /// What.
    pub action: Action,
    /// The type of object.
    pub object_type_id: String,
    /// The object.
    pub object_id: i64,
    /// Properties and their values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub property_changes: Option<BTreeMap<String, String>>,
}

/// Snapshots that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotsMade {
    /// One for each object, in the order asked for.
    pub snapshot_responses: Vec<SnapshotMade>,
}

/// A snapshot that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotMade {
    /// The portal.
    pub portal_id: i64,
    /// The object.
    pub object_id: i64,
    /// Its type.
    pub object_type_id: String,
    /// By which one asks how far it is.
    pub snapshot_status_id: String,
}

/// How far a snapshot is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotStatus {
    /// Its id.
    pub id: String,
    /// When it was asked for, in milliseconds since 1970.
    pub initiated_at: i64,
    /// How far it is.
    pub status: SnapshotStatusType,
    /// When it was done, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub completed_at: Option<i64>,
    /// Why there will be none, for machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error_code: Option<SnapshotError>,
    /// Why there will be none, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub message: Option<String>,
}

//! How an app's webhook fares, and what can be done about it: our own calls.

use serde::Serialize;
use utoipa::ToSchema;

use crate::id::Id;
use crate::lenient::lenient;
use crate::own::Event;
use crate::timestamp::Timestamp;

/// How an app's webhook stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookStatus {
    /// The app.
    pub app_id: Id,
    /// Its channel, where it was asked about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub channel_id: Option<Id>,
    /// Where it is told of events.
    pub target_url: String,
    /// Most requests under way at once.
    pub max_concurrent_requests: i64,
    /// How many of its subscriptions are switched on.
    pub active_subscriptions: i64,
    /// Since when nothing is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub paused_at: Option<Timestamp>,
    /// Why nothing is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub paused_why: Option<String>,
    /// How many events of the portal it has not come to.
    pub lag_events: i64,
    /// How long ago the first of them happened, in seconds.
    pub lag_seconds: i64,
    /// Events that it did not take and that are tried again; counted up to 10,000.
    pub waiting: i64,
    /// Events that it did not take in all the time they were tried; counted up to 10,000.
    pub given_up: i64,
    /// When a request was sent last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_attempt_at: Option<Timestamp>,
    /// When a request was taken last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_success_at: Option<Timestamp>,
}

/// A request that was sent to an app.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookAttempt {
    /// Counted per app, from 1.
    pub id: Id,
    /// When it was sent.
    pub at: Timestamp,
    /// What came of it.
    #[serde(flatten)]
    pub sent: WebhookTrial,
    /// What was in it.
    pub events: Vec<SentEvent>,
}

/// An event in a request.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SentEvent {
    /// The `eventId` in the request.
    pub event_id: Id,
    /// The subscription that it was sent for.
    pub subscription_id: Id,
    /// How often it had been sent before.
    pub attempt_number: i64,
    /// What happened. Only where a single request is read, and until it is past its retention.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub event: Option<Event>,
}

/// An event that an app has not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookDelivery {
    /// The `eventId` in its requests.
    pub event_id: Id,
    /// The subscription that it is sent for.
    pub subscription_id: Id,
    /// The thread that it is about.
    pub object_id: Id,
    /// How often it was sent.
    pub attempts: i64,
    /// When it was sent first.
    pub first_at: Timestamp,
    /// When it was sent last.
    pub last_at: Timestamp,
    /// When it is sent again; absent once it is given up, and while it waits for an earlier event of its thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub due_at: Option<Timestamp>,
    /// Why it was not taken.
    pub error: String,
}

/// What is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Resent {
    /// How many events are.
    pub resent: u64,
    /// How many are not, as they are past their retention, or nobody is subscribed to them any more.
    pub skipped: u64,
}

/// What came of a request to an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WebhookTrial {
    /// Where it was sent.
    pub url: String,
    /// Whether it was taken.
    pub succeeded: bool,
    /// What it was answered with, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub status: Option<i64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub millis: i64,
    /// The beginning of the answer's body.
    pub excerpt: String,
}

lenient! {
    /// That an app is to be left alone.
    pub struct WebhookPause {
        /// Why, for people.
        pub why: Option<String> = "why",
    }

    /// What is to be sent again.
    pub struct WebhookResend {
        /// Everything that failed since then.
        pub since: Option<String> = "since",
    }
}

//! What passes through a live stream beside events: how it ends, where it lost something, and what clients tell each other.

use serde::Serialize;
use utoipa::ToSchema;

use crate::id::{Id, LenientId};
use crate::lenient::lenient;

/// The stream ends here. It goes on behind `position` as soon as it is asked for again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CutOff {
    /// `cutOff`
    pub kind: &'static str,
    /// `slow`, `stopping` or `unauthorized`.
    pub reason: &'static str,
    /// Everything up to here was handed over.
    pub position: i64,
}

/// Events between the resume point and here are no longer kept: whoever keeps a copy reads it anew. The stream goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Resync {
    /// `resync`
    pub kind: &'static str,
    /// Always true.
    pub resync: bool,
    /// Where the stream goes on.
    pub position: i64,
    /// Position of the oldest event that is kept.
    pub oldest: i64,
    /// Position of the newest event.
    pub newest: i64,
}

/// Where a WebSocket is: everything up to there was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Standing {
    /// `position`
    pub kind: &'static str,
    /// Where to go on, should the connection end.
    pub position: i64,
}

/// What a client was told by another: passed on, never kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Passed {
    /// `typing` or `presence`
    pub kind: &'static str,
    /// The app whose token it came with.
    pub app_id: Id,
    /// For whom it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub actor_id: Option<String>,
    /// In which thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub thread_id: Option<Id>,
    /// As it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub state: Option<String>,
}

/// Why something was not passed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Refused {
    /// `refused`
    pub kind: &'static str,
    /// What to do.
    pub message: String,
}

lenient! {
    /// What a client says over its WebSocket, to be passed on to those who listen.
    pub struct Said {
        /// `typing` or `presence`.
        pub kind: Option<String> = "type",
        /// The thread it is about. Needed for `typing`.
        pub thread_id: Option<LenientId> = "threadId",
        /// Actor id of whoever types or is there.
        pub actor_id: Option<String> = "actorId",
        /// Anything short, such as `started` or `away`.
        pub state: Option<String> = "state",
    }
}

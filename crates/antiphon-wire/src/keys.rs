//! The keys with which the server signs, without what is secret about them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::id::Id;
use crate::lenient::lenient;
use crate::timestamp::Timestamp;

/// A signing key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SigningKey)]
pub struct Key {
    /// Its id: signatures name it.
    pub id: Id,
    /// Whether it is the one that signs now. A new one does a few seconds after it was made.
    pub signs: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when what it signed is good, once it is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ends_at: Option<Timestamp>,
}

/// The signing keys whose signatures are good, the newest last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SigningKeys)]
pub struct Keys {
    /// The keys.
    pub results: Vec<Key>,
}

lenient! {
    /// A signing key, to be replaced by a fresh one.
    pub struct KeyRotate {
        /// How long what the old one signed stays good, in seconds: 30 days if absent, and at most.
        pub overlap_seconds: Option<i64> = "overlapSeconds",
        /// Whether that ends at once instead.
        pub at_once: Option<bool> = "atOnce",
    }
}

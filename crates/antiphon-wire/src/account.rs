//! Channel accounts: connected mailboxes, chat flows and phone numbers.

use serde::Serialize;
use utoipa::ToSchema;

use crate::id::Id;
use crate::message::DeliveryIdentifier;
use crate::timestamp::Timestamp;

/// A channel account as every version prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelAccount {
    /// Its id.
    pub id: Id,
    /// What it is called.
    pub name: String,
    /// The channel it belongs to.
    pub channel_id: Id,
    /// The inbox it feeds.
    pub inbox_id: Id,
    /// Whether it is switched on.
    pub active: bool,
    /// Whether its credentials are valid.
    pub authorized: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether it is archived.
    pub archived: bool,
    /// When it was archived, as long as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub archived_at: Option<Timestamp>,
    /// Its own address, where the channel has addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub delivery_identifier: Option<DeliveryIdentifier>,
}

//! Events as the app gets them that brought a channel: one object each.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::id::Id;
use crate::timestamp::Timestamp;

/// What happened on a channel.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelEvent<'a> {
    /// As in `OUTGOING_CHANNEL_MESSAGE_CREATED`.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// Where it happened; a string here.
    pub portal_id: Id,
    /// On which channel.
    pub channel_id: Id,
    /// And on which account of it.
    pub channel_account_id: Id,
    /// The account's own address, where it is about the account and that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_account_delivery_identifier: Option<&'a RawValue>,
    /// Whether the account may be used, where it is about the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorized: Option<bool>,
    /// Whether anything can come and go on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// The same however often it is sent.
    pub event_id: String,
    /// When it happened.
    pub event_timestamp: Timestamp,
    /// The app's own names of the thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_integration_thread_ids: Option<Vec<String>>,
    /// What is to be carried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Box<RawValue>>,
}

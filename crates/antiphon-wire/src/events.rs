//! Events as an app's webhook gets them.

use serde::Serialize;
use serde_json::value::RawValue;

/// One event in the body of a request, its members in the order in which HubSpot sends them.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event<'a> {
    /// The same however often it is sent.
    pub event_id: i64,
    /// The subscription that it is sent for.
    pub subscription_id: i64,
    /// Where it happened.
    pub portal_id: i64,
    /// Whom it is sent to.
    pub app_id: i64,
    /// When it happened, in milliseconds.
    pub occurred_at: i64,
    /// As in `conversation.newMessage`.
    pub subscription_type: &'a str,
    /// How often it was sent before.
    pub attempt_number: i64,
    /// The thread.
    pub object_id: i64,
    /// `CREATED`, `NEW_MESSAGE` or `DELETED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_flag: Option<&'a str>,
    /// Through what it came about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_source: Option<&'a str>,
    /// Who or what it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_id: Option<&'a str>,
    /// Which property changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property_name: Option<&'a str>,
    /// What it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property_value: Option<&'a str>,
    /// The new message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<&'a str>,
    /// Its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_type: Option<&'a str>,
    /// The message itself, for those who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Box<RawValue>>,
    /// The thread as it is by now, for those who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<Box<RawValue>>,
    /// Whose thread it is, for those who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Box<RawValue>>,
}

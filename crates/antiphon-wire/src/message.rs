//! Messages: the six kinds of history entries, and the body that sends one.

use serde::Serialize;
use utoipa::ToSchema;

use crate::attachment::Attachment;
use crate::timestamp::Timestamp;

/// An entry of a thread's history, in the one shape that all versions print. Members that a kind does not have are absent.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    #[serde(rename = "type")]
    pub kind: MessageType,
    pub id: String,
    pub conversations_thread_id: String,
    pub created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Actor id.
    pub created_by: String,
    pub client: Client,
    pub senders: Vec<Sender>,
    pub recipients: Vec<Recipient>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rich_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachments: Option<Vec<Attachment>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncation_status: Option<TruncationStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_reply_to_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_status: Option<crate::thread::ThreadStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_inbox_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_inbox_id: Option<String>,
}

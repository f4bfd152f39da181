//! Threads.

use serde::Serialize;
use utoipa::ToSchema;

/// Whether a thread waits for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ThreadStatus {
    Open,
    Closed,
}

/// A thread as every version prints it. Lists are long, so it borrows and prints itself without an intermediate.
#[derive(Debug, Clone, Copy)]
pub struct Thread<'a> {
    pub id: i64,
    pub created_at: i64,
    pub status: ThreadStatus,
    pub inbox_id: i64,
    pub original_channel_id: i64,
    pub original_channel_account_id: i64,
    pub associated_contact_id: i64,
    pub spam: bool,
    pub archived: bool,
    pub assigned_to: Option<&'a str>,
    pub closed_at: Option<i64>,
    pub latest_message_timestamp: Option<i64>,
    pub latest_message_sent_timestamp: Option<i64>,
    pub latest_message_received_timestamp: Option<i64>,
    /// Printed inside `threadAssociations`; leave it out unless the request asked for the association.
    pub associated_ticket_id: Option<i64>,
}

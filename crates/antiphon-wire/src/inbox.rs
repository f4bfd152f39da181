//! Inboxes.

use serde::Serialize;
use utoipa::ToSchema;

use crate::id::Id;
use crate::lenient::wire_enum;
use crate::timestamp::Timestamp;

wire_enum! {
    /// What an inbox is.
    pub enum InboxType {
        /// A shared inbox.
        Inbox = "INBOX",
        /// A help desk.
        HelpDesk = "HELP_DESK",
    }
}

/// An inbox as every version prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Inbox {
    /// Its id.
    pub id: Id,
    /// What it is called.
    pub name: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: InboxType,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Whether it is archived.
    pub archived: bool,
    /// When it was archived, as long as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub archived_at: Option<Timestamp>,
}

//! Threads.

use utoipa::ToSchema;

use crate::error::Problem;
use crate::id::{Id, LenientId};
use crate::lenient::{lenient, wire_enum};
use crate::timestamp::{self, Timestamp};

wire_enum! {
    /// Whether a thread waits for somebody.
    pub enum ThreadStatus {
        /// It does.
        Open = "OPEN",
        /// It does not.
        Closed = "CLOSED",
    }

    /// What a request may ask to be told with a thread.
    pub enum Association {
        /// The ticket linked to it.
        Ticket = "TICKET",
    }
}

/// A thread as every version prints it. Lists are long, so it borrows and prints itself without an intermediate.
#[derive(Debug, Clone, Copy)]
pub struct Thread<'a> {
    /// Its id.
    pub id: i64,
    /// When it began.
    pub created_at: i64,
    /// Open or closed.
    pub status: ThreadStatus,
    /// The inbox that holds it now.
    pub inbox_id: i64,
    /// The channel of its first message.
    pub original_channel_id: i64,
    /// The channel account of its first message.
    pub original_channel_account_id: i64,
    /// The contact, or the visitor as long as it is no contact.
    pub associated_contact_id: i64,
    /// Whether it was marked as spam.
    pub spam: bool,
    /// Whether it is in the trash.
    pub archived: bool,
    /// Actor id of the assignee.
    pub assigned_to: Option<&'a str>,
    /// When it was closed, as long as it is.
    pub closed_at: Option<i64>,
    /// When the newest `MESSAGE` was made.
    pub latest_message_timestamp: Option<i64>,
    /// When the newest outgoing `MESSAGE` was made.
    pub latest_message_sent_timestamp: Option<i64>,
    /// When the newest incoming `MESSAGE` was made.
    pub latest_message_received_timestamp: Option<i64>,
    /// Printed inside `threadAssociations`; leave it out unless the request asked for the association.
    pub associated_ticket_id: Option<i64>,
}

impl Thread<'_> {
    /// Prints the thread as a JSON object.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"id\":");
        Id(self.id).write(out);
        moment(out, b",\"createdAt\":\"", Some(self.created_at));
        out.extend_from_slice(b",\"status\":\"");
        out.extend_from_slice(self.status.as_str().as_bytes());
        out.extend_from_slice(b"\",\"inboxId\":");
        Id(self.inbox_id).write(out);
        out.extend_from_slice(b",\"originalChannelId\":");
        Id(self.original_channel_id).write(out);
        out.extend_from_slice(b",\"originalChannelAccountId\":");
        Id(self.original_channel_account_id).write(out);
        out.extend_from_slice(b",\"associatedContactId\":");
        Id(self.associated_contact_id).write(out);
        if let Some(actor) = self.assigned_to {
            out.extend_from_slice(b",\"assignedTo\":");
            crate::page::string(out, actor);
        }
        out.extend_from_slice(if self.spam { b",\"spam\":true" } else { b",\"spam\":false" });
        out.extend_from_slice(if self.archived { b",\"archived\":true" } else { b",\"archived\":false" });
        moment(out, b",\"closedAt\":\"", self.closed_at);
        moment(out, b",\"latestMessageTimestamp\":\"", self.latest_message_timestamp);
        moment(out, b",\"latestMessageSentTimestamp\":\"", self.latest_message_sent_timestamp);
        moment(out, b",\"latestMessageReceivedTimestamp\":\"", self.latest_message_received_timestamp);
        if let Some(ticket) = self.associated_ticket_id {
            out.extend_from_slice(b",\"threadAssociations\":{\"associatedTicketId\":");
            Id(ticket).write(out);
            out.push(b'}');
        }
        out.push(b'}');
    }
}

/// Prints a key, given with everything up to the value's opening quote, and its moment.
fn moment(out: &mut Vec<u8>, key: &[u8], ms: Option<i64>) {
    if let Some(ms) = ms {
        out.extend_from_slice(key);
        timestamp::write(ms, out);
        out.push(b'"');
    }
}

/// How a [`Thread`] looks, for the API's description.
#[derive(Debug, ToSchema)]
#[schema(as = Thread, rename_all = "camelCase")]
pub struct ThreadSchema {
    /// Its id.
    pub id: Id,
    /// When it began.
    pub created_at: Timestamp,
    /// Open or closed.
    pub status: ThreadStatus,
    /// The inbox that holds it now.
    pub inbox_id: Id,
    /// The channel of its first message.
    pub original_channel_id: Id,
    /// The channel account of its first message.
    pub original_channel_account_id: Id,
    /// The contact, or the visitor as long as it is no contact.
    pub associated_contact_id: Id,
    /// Whether it was marked as spam.
    pub spam: bool,
    /// Whether it is in the trash.
    pub archived: bool,
    /// Actor id of the assignee.
    #[schema(nullable = false)]
    pub assigned_to: Option<String>,
    /// When it was closed, as long as it is.
    #[schema(nullable = false)]
    pub closed_at: Option<Timestamp>,
    /// When the newest `MESSAGE` was made.
    #[schema(nullable = false)]
    pub latest_message_timestamp: Option<Timestamp>,
    /// When the newest outgoing `MESSAGE` was made.
    #[schema(nullable = false)]
    pub latest_message_sent_timestamp: Option<Timestamp>,
    /// When the newest incoming `MESSAGE` was made.
    #[schema(nullable = false)]
    pub latest_message_received_timestamp: Option<Timestamp>,
    /// Only when asked for, and only if a ticket is linked.
    #[schema(nullable = false)]
    pub thread_associations: Option<ThreadAssociations>,
}

/// What is linked to a thread.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct ThreadAssociations {
    /// The ticket.
    #[schema(nullable = false)]
    pub associated_ticket_id: Option<Id>,
}

lenient! {
    /// What `PATCH` of a thread can change.
    pub struct ThreadPatch {
        /// `OPEN` or `CLOSED`, as sent; see [`ThreadPatch::status`].
        pub status: Option<String> = "status",
        /// Into the trash, or out of it.
        pub archived: Option<bool> = "archived",
    }

    /// Who shall look after a thread.
    #[schema(as = ThreadAssign)]
    pub struct Assign {
        /// Actor id, or an agent's number or email address.
        pub actor_id: Option<LenientId> = "actorId",
    }
}

impl ThreadPatch {
    /// The status asked for.
    ///
    /// # Errors
    /// It is no status.
    pub fn status(&self) -> Result<Option<ThreadStatus>, Problem> {
        self.status.as_deref().map(|text| ThreadStatus::read("status", text)).transpose()
    }

    /// Whether the body asks for anything at all.
    pub fn is_empty(&self) -> bool {
        self.status.is_none() && self.archived.is_none()
    }
}

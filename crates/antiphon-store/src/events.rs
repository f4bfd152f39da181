//! The spine: every change records what happened, in the same transaction.

use crate::{Millis, StoreError};

/// What kind of object an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ObjectKind {
    Thread = 1,
    Visitor = 2,
    Ticket = 3,
    File = 4,
    Directory = 5,
    App = 6,
    Account = 7,
}

impl ObjectKind {
    /// The kind that is stored as this number.
    pub(crate) fn stored(value: i64) -> Result<Self, StoreError> {
        use ObjectKind::*;
        let found = [Thread, Visitor, Ticket, File, Directory, App, Account]
            .into_iter()
            .find(|kind| *kind as i64 == value);
        found.ok_or_else(|| StoreError::damaged("an event's object", value))
    }
}

/// What happened. Kinds without a counterpart in the public contract are internal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum EventKind {
    /// `conversation.creation`
    ThreadCreated = 1,
    /// `conversation.newMessage`; the payload names the message and its kind.
    MessageAdded = 2,
    /// `conversation.propertyChange`; the payload names property and value.
    ThreadChanged = 3,
    /// `conversation.deletion`
    ThreadArchived = 4,
    /// `conversation.privacyDeletion`
    ThreadPurged = 5,
    /// Internal: an entry or a property that no public event reports.
    ThreadTouched = 6,
    /// Internal: a visitor or contact was made or changed.
    VisitorChanged = 7,
    /// Internal: a ticket was made or changed.
    TicketChanged = 8,
    /// Internal: a file was made or changed.
    FileChanged = 9,
    /// Internal: the portal's directory has a new revision.
    DirectoryChanged = 10,
    /// Internal: an app's webhook was paused, since its receiver takes nothing; the payload says why.
    WebhookPaused = 11,
    /// Internal, and told to the app whose channel it is: an account was connected. The payload says how it is.
    AccountCreated = 12,
    /// The same of an account that is otherwise now, archived or restored.
    AccountUpdated = 13,
    /// The same of an account that is gone for good.
    AccountPurged = 14,
    /// Internal: somebody has read a thread further; the payload says who, and up to which entry.
    ThreadRead = 15,
    /// Internal: agents are called in a note; the payload says who, and by whom.
    Mentioned = 16,
    /// Internal: ready-made words were made, changed or taken away; the payload says which.
    CannedReplyChanged = 17,
    /// Internal, and told to the app whose channel it is: a message that had failed is to be carried once more.
    MessageRetried = 18,
}

impl EventKind {
    /// Every kind, in the order of their numbers, which begin at 1.
    pub const ALL: [Self; 18] = [
        Self::ThreadCreated,
        Self::MessageAdded,
        Self::ThreadChanged,
        Self::ThreadArchived,
        Self::ThreadPurged,
        Self::ThreadTouched,
        Self::VisitorChanged,
        Self::TicketChanged,
        Self::FileChanged,
        Self::DirectoryChanged,
        Self::WebhookPaused,
        Self::AccountCreated,
        Self::AccountUpdated,
        Self::AccountPurged,
        Self::ThreadRead,
        Self::Mentioned,
        Self::CannedReplyChanged,
        Self::MessageRetried,
    ];

    /// The kind that is stored as this number.
    pub(crate) fn stored(value: i64) -> Result<Self, StoreError> {
        let found = Self::ALL.into_iter().find(|kind| *kind as i64 == value);
        found.ok_or_else(|| StoreError::damaged("an event's kind", value))
    }
}

/// An event to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub kind: EventKind,
    pub object: ObjectKind,
    /// The object's number; 0 for the directory.
    pub object_id: i64,
    pub occurred_at: Millis,
    /// A JSON object with the event's own members; empty for none.
    pub payload: String,
}

/// An event of the spine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Dense per portal, from 1.
    pub position: i64,
    pub kind: EventKind,
    pub object: ObjectKind,
    pub object_id: i64,
    /// The object's revision after the change.
    pub revision: i64,
    pub occurred_at: Millis,
    pub payload: String,
}

//! What is known of a person outside, handed out whole or taken away for good.

use serde::Serialize;
use utoipa::ToSchema;

use crate::id::Id;
use crate::lenient::wire_enum;
use crate::message::{DeliveryIdentifier, MessageSchema};
use crate::own::Contact;
use crate::thread::ThreadSchema;
use crate::timestamp::Timestamp;

wire_enum! {
    /// How far erasing a person is.
    pub enum ErasureState {
        /// The contact is gone for everybody; what was said is being erased.
        Running = "RUNNING",
        /// Nothing is left.
        Complete = "COMPLETE",
    }
}

/// That a person is erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Erasure {
    /// The contact that was.
    pub contact_id: Id,
    /// How far it is.
    pub state: ErasureState,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When nothing was left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub completed_at: Option<Timestamp>,
}

/// An address that a person is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The channel account on which it is theirs.
    pub channel_account_id: Id,
    /// The address.
    pub delivery_identifier: DeliveryIdentifier,
}

/// Everything that is known of a person. It is written while it is read, so it may be of any size.
#[derive(Debug, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonExport {
    /// Who it is.
    pub contact: Contact,
    /// The addresses that lead to them.
    pub identities: Vec<Identity>,
    /// What was said with them, the threads in the trash last.
    pub threads: Vec<ExportedThread>,
}

/// A thread with all that was said in it.
#[derive(Debug, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedThread {
    /// The thread.
    pub thread: ThreadSchema,
    /// Its history, the oldest first. Files are where their addresses lead, for a day.
    pub messages: Vec<MessageSchema>,
}

//! What people lay beside a thread: how far they have read it.

use crate::{MessageId, Millis, Position, StoredMessage, ThreadId};

/// A thread, and what somebody has beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskKey {
    pub thread: ThreadId,
    /// Actor id of whose it is: `A-71`, or `V-9`.
    pub who: String,
    /// An entry that is named.
    pub message: Option<MessageId>,
}

/// What is found there, locked with the thread.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Desk {
    /// The entry that was named and its place, if the thread has it.
    pub message: Option<(Position, StoredMessage)>,
    /// How far they have read the thread.
    pub read: Option<ReadMark>,
}

/// How far somebody has read a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMark {
    pub thread_id: ThreadId,
    /// `A-71`, or `V-9`.
    pub reader: String,
    /// The last entry that was read, and its place.
    pub message_id: MessageId,
    pub position: Position,
    pub at: Millis,
}

/// What is to become of something beside a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeskChange {
    /// Somebody has read so far. What was read further stays read.
    Read(ReadMark),
}

impl DeskChange {
    /// The thread that it lies beside.
    pub(crate) fn thread(&self) -> ThreadId {
        match self {
            Self::Read(mark) => mark.thread_id,
        }
    }
}

//! History: everything that was said and done in a thread, in order.

use crate::{MessageId, Millis, ThreadId, VisitorId};

/// What an entry of a thread's history is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum MessageKind {
    Message = 1,
    Comment = 2,
    WelcomeMessage = 3,
    Assignment = 4,
    ThreadStatusChange = 5,
    ThreadInboxChange = 6,
}

/// Which way a `MESSAGE` went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Direction {
    Incoming = 1,
    Outgoing = 2,
}

/// An entry's wire document: the JSON object exactly as the API prints it, except for what is only known when it is read.
///
/// Format 1: the bytes are the object up to and including its last key, `"archived":`. A reader completes it with
/// `true}` or `false}`, since an entry is archived exactly when its thread is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The number of the format. A store that holds one that is not known is not opened.
    pub format: u8,
    pub bytes: Vec<u8>,
}

impl Document {
    /// The newest format, and the only one so far.
    pub const FORMAT: u8 = 1;
}

/// An entry to be appended to a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    pub id: MessageId,
    pub thread_id: ThreadId,
    pub kind: MessageKind,
    /// `Some` exactly for [`MessageKind::Message`].
    pub direction: Option<Direction>,
    /// Later than every earlier entry of the thread.
    pub created_at: Millis,
    pub document: Document,
    /// The bodies before truncation, as the JSON object that `original-content` answers; `None` when nothing was cut.
    pub original: Option<Vec<u8>>,
    /// People named in this entry besides the thread's own visitor, so that erasing one finds it.
    pub people: Vec<VisitorId>,
    /// Files attached to this entry.
    pub files: Vec<i64>,
}

/// An entry that was read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    pub id: MessageId,
    pub kind: MessageKind,
    pub direction: Option<Direction>,
    pub document: Document,
    /// Whether the entry's thread is in the trash.
    pub archived: bool,
}

/// What `original-content` needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    pub message: StoredMessage,
    /// `None` when the message was not truncated: then its own bodies are the original.
    pub original: Option<Vec<u8>>,
}

/// A place in a thread's history: the sequence number of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub i64);

/// Which part of a thread's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Must match the thread's own state.
    pub archived: bool,
    /// Oldest first instead of newest first.
    pub ascending: bool,
    /// Strictly behind this entry, in the direction of the walk.
    pub after: Option<Position>,
    pub limit: usize,
}

/// How a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<P> {
    /// How many items were handed out.
    pub count: usize,
    /// Where the next page starts; `None` when nothing is left.
    pub next: Option<P>,
}

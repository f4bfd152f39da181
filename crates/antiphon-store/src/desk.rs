//! What people lay beside a thread: how far they have read it, what they have begun to write, and where they are called.

use crate::{Earlier, MessageId, MessageKind, Millis, Position, StoredMessage, ThreadId};

/// A thread, and what somebody has beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskKey {
    pub thread: ThreadId,
    /// Actor id of whose it is: `A-71`, or `V-9`.
    pub who: String,
    /// An entry that is named.
    pub message: Option<MessageId>,
    /// Whether what was said behind that entry is wanted: all that was ever said, where none is named.
    pub newer: bool,
    /// An agent who is writing: all drafts of the thread are wanted, and how many the agent has elsewhere.
    pub writer: Option<i64>,
    /// A key against doubles, of account 0.
    pub once: Option<String>,
}

impl DeskKey {
    /// No more than somebody's place at a thread.
    pub fn of(thread: ThreadId, who: impl Into<String>) -> Self {
        Self { thread, who: who.into(), message: None, newer: false, writer: None, once: None }
    }
}

/// What is found there, locked with the thread.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Desk {
    /// The entry that was named and its place, if the thread has it.
    pub message: Option<(Position, StoredMessage)>,
    /// How far they have read the thread.
    pub read: Option<ReadMark>,
    /// Messages and notes behind the entry that was named, newest first.
    pub newer: Vec<StoredMessage>,
    /// Whether there may be more behind it than those.
    pub more: bool,
    /// Who is writing in the thread, those first who wrote last.
    pub writing: Vec<Writing>,
    /// How many drafts the writer has in other threads, as far as that is counted.
    pub drafts: usize,
    /// What the key against doubles led to.
    pub earlier: Option<Earlier>,
}

/// Most messages and notes that are shown behind an entry.
pub(crate) const MOST_NEWER: i64 = 50;

/// Most of those who are writing in a thread that are shown.
pub(crate) const MOST_WRITING: i64 = 20;

/// How far an agent's drafts are counted.
pub(crate) const MOST_DRAFTS: i64 = 1_000;

/// How far what an agent has not seen is counted.
pub(crate) const MOST_UNSEEN: i64 = 1_000;

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

/// That an agent has a draft in a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writing {
    pub agent_id: i64,
    /// A message, or a note.
    pub kind: MessageKind,
    /// When they wrote last.
    pub touched_at: Millis,
}

/// What an agent has begun to write in a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDraft {
    pub thread_id: ThreadId,
    pub agent_id: i64,
    /// A message, or a note.
    pub kind: MessageKind,
    /// How it begins.
    pub preview: String,
    /// Everything that was written, as JSON. Lists leave it out.
    pub body: String,
    pub touched_at: Millis,
}

/// That an agent is called in a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calling {
    pub agent_id: i64,
    pub thread_id: ThreadId,
    /// The note, and its place.
    pub message_id: MessageId,
    pub position: Position,
    /// Actor id of who wrote it.
    pub caller: String,
    pub at: Millis,
    /// Whether the agent has read as far.
    pub seen: bool,
}

/// What is to become of something beside a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeskChange {
    /// Somebody has read so far. What was read further stays read, and where an agent is called in it, that is seen.
    Read(ReadMark),
    /// An agent has begun to write, or gone on.
    Draft(StoredDraft),
    /// An agent's draft is no more.
    DraftGone(ThreadId, i64),
    /// An agent is called.
    Called(Calling),
}

impl DeskChange {
    /// The thread that it lies beside.
    pub(crate) fn thread(&self) -> ThreadId {
        match self {
            Self::Read(mark) => mark.thread_id,
            Self::Draft(draft) => draft.thread_id,
            Self::DraftGone(thread, _) => *thread,
            Self::Called(calling) => calling.thread_id,
        }
    }
}

impl ReadMark {
    /// The agent who has read, if it is one.
    pub(crate) fn agent(&self) -> Option<i64> {
        self.reader.strip_prefix("A-")?.parse().ok()
    }
}

/// Ready-made words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CannedReply {
    pub id: i64,
    /// The agent whose they are, if they are somebody's.
    pub owner_id: Option<i64>,
    /// Whether everybody has them.
    pub shared: bool,
    pub name: String,
    /// What is typed to get them.
    pub shortcut: Option<String>,
    pub text: String,
    pub rich_text: String,
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// Ready-made words that are, or are to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CannedKey {
    pub id: Option<i64>,
    /// A shortcut that may be taken.
    pub shortcut: Option<String>,
}

/// Whose a shortcut is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortcut {
    /// Of the words.
    pub id: i64,
    pub owner_id: Option<i64>,
    pub shared: bool,
}

/// What is found of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CannedState {
    pub reply: Option<CannedReply>,
    /// Those that have the shortcut.
    pub same: Vec<Shortcut>,
    /// How many there are in the portal.
    pub count: usize,
}

/// Most ready-made words that have a shortcut and are looked at, and how far all are counted.
pub(crate) const MOST_SAME: i64 = 500;
pub(crate) const MOST_CANNED: i64 = 10_000;

/// What is to become of ready-made words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CannedChange {
    Put(CannedReply),
    Gone(i64),
}

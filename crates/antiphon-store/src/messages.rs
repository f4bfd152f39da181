//! History: everything that was said and done in a thread, in order.

use crate::{MessageId, Millis, StoreError, ThreadId, VisitorId};

/// Bits of a key that count a thread's entries.
const SEQUENCE_BITS: u32 = 24;

/// Most entries that a thread has room for.
pub(crate) const MOST_ENTRIES: i64 = 1 << SEQUENCE_BITS;

/// How many entries are looked at for incoming ones, from the last of those on.
pub(crate) const LOOKED_AT: i64 = 1000;

/// Where an entry is kept: behind its thread's earlier ones.
pub(crate) fn key(number: i64, sequence: i64) -> i64 {
    (number << SEQUENCE_BITS).wrapping_add(sequence)
}

/// The number of the thread whose entry has this key.
pub(crate) fn number(key: i64) -> i64 {
    key >> SEQUENCE_BITS
}

/// The place in its thread of an entry that has this key.
pub(crate) fn place(key: i64) -> Position {
    Position(key & (MOST_ENTRIES - 1))
}

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

impl MessageKind {
    /// The kind that is stored as this number.
    pub(crate) fn stored(value: i64) -> Result<Self, StoreError> {
        use MessageKind::*;
        let all = [Message, Comment, WelcomeMessage, Assignment, ThreadStatusChange, ThreadInboxChange];
        let found = all.into_iter().find(|kind| *kind as i64 == value);
        found.ok_or_else(|| StoreError::damaged("a message's kind", value))
    }
}

/// Which way a `MESSAGE` went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Direction {
    Incoming = 1,
    Outgoing = 2,
}

impl Direction {
    /// The direction that is stored as this number.
    pub(crate) fn stored(value: i64) -> Result<Self, StoreError> {
        let found = [Self::Incoming, Self::Outgoing].into_iter().find(|way| *way as i64 == value);
        found.ok_or_else(|| StoreError::damaged("a message's direction", value))
    }
}

/// An entry's wire document: the JSON object exactly as the API prints it, except for what is only known when it is read.
///
/// Format 1: the bytes are the object up to and including its last key, `"archived":`. A reader completes it with
/// `true}` or `false}`, since an entry is archived exactly when its thread is.
///
/// Format 2: in front of such an object stands where addresses in it are to be completed and signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The number of the format. A store that holds one that is not known is not opened.
    pub format: u8,
    pub bytes: Vec<u8>,
}

impl Document {
    /// The newest format.
    pub const FORMAT: u8 = 2;

    /// A document that was read back.
    pub(crate) fn stored(format: u8, bytes: Vec<u8>) -> Result<Self, StoreError> {
        if !(1..=Self::FORMAT).contains(&format) {
            return Err(StoreError::Format(format));
        }
        Ok(Self { format, bytes })
    }
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

impl HistoryQuery {
    /// Of a thread with so many entries, which it may answer: from the first of these sequence numbers on, before the second.
    pub(crate) fn range(&self, entries: i64) -> (i64, i64) {
        let after = self.after.map(|after| after.0.clamp(-1, entries));
        match self.ascending {
            true => (after.map_or(0, |after| after + 1), entries),
            false => (0, after.unwrap_or(entries)),
        }
    }

    /// How a page of so many entries out of that range ended. Sequences have no gaps, so their number tells which entry was
    /// the last and whether anything is left.
    pub(crate) fn page(&self, (from, to): (i64, i64), count: usize) -> Page<Position> {
        let last = if self.ascending { from + count as i64 - 1 } else { to - count as i64 };
        let more = count > 0 && if self.ascending { last + 1 < to } else { last > 0 };
        Page { count, next: more.then_some(Position(last)) }
    }
}

/// How a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<P> {
    /// How many items were handed out.
    pub count: usize,
    /// Where the next page starts; `None` when nothing is left.
    pub next: Option<P>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_thread_ends_where_the_next_begins() {
        for number_of in [1, 2, 3, 1 << 38] {
            assert_eq!(key(number_of, MOST_ENTRIES), key(number_of + 1, 0));
            assert_eq!(number(key(number_of, MOST_ENTRIES - 1)), number_of);
        }
    }
}

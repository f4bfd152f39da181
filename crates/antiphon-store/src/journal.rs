//! The journals of apps: entries, and snapshots that are to be put into them.

use crate::{Millis, PortalId};

/// An entry, without what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalEntry {
    /// Its place in the journal: later entries have higher numbers.
    pub id: i64,
    /// Its public offset.
    pub name: [u8; 16],
    pub published_at: Millis,
    /// The portal in which all of it happened.
    pub of: PortalId,
}

impl JournalEntry {
    /// How an entry says in a journal's rows in which portal it happened.
    pub(crate) fn stored(home: PortalId, of: PortalId) -> i64 {
        if of == home { 0 } else { of.0 }
    }

    /// Which portal that is.
    pub(crate) fn read(home: PortalId, stored: i64) -> PortalId {
        if stored == 0 { home } else { PortalId(stored) }
    }
}

/// Which entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalPlace {
    /// The oldest.
    Earliest,
    /// The newest.
    Latest,
    /// Those behind an entry.
    Behind(i64),
}

/// An entry to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    pub name: [u8; 16],
    /// The portal in which all of it happened.
    pub of: PortalId,
    pub published_at: Millis,
    /// The document, as it is handed out.
    pub doc: Vec<u8>,
}

/// What came of reading the spine: written at once, or not at all when somebody else has taken the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalProgress {
    pub epoch: i64,
    pub position: i64,
    pub entry: Option<NewEntry>,
}

/// What came of reading the spine of another portal than the app's own: an entry of its journal, and how far was read for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwayProgress {
    /// Of the cursor in the other portal, as it was claimed.
    pub epoch: i64,
    pub position: i64,
    pub entry: NewEntry,
}

/// A snapshot that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// In the order of time.
    pub id: [u8; 16],
    /// What is asked for: a JSON object.
    pub body: String,
    pub initiated_at: Millis,
    pub state: SnapshotState,
}

/// What became of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotState {
    Pending,
    Done {
        at: Millis,
    },
    Failed {
        at: Millis,
        code: String,
        /// For people.
        message: String,
    },
}

impl SnapshotState {
    /// As it is stored: a number, when it was done, code and message.
    pub(crate) fn stored(&self) -> (i64, Option<Millis>, Option<&str>, Option<&str>) {
        match self {
            Self::Pending => (1, None, None, None),
            Self::Done { at } => (2, Some(*at), None, None),
            Self::Failed { at, code, message } => (3, Some(*at), Some(code), Some(message)),
        }
    }

    /// What is stored so.
    pub(crate) fn read(
        status: i64,
        at: Option<Millis>,
        code: Option<String>,
        message: Option<String>,
    ) -> Self {
        let at = at.unwrap_or_default();
        match status {
            1 => Self::Pending,
            2 => Self::Done { at },
            _ => Self::Failed { at, code: code.unwrap_or_default(), message: message.unwrap_or_default() },
        }
    }
}

//! What a check of the store finds.

use std::fmt;

/// Something that is not as it was written. It displays as one sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub invariant: Invariant,
    /// What is wrong, and where.
    pub what: String,
    /// Whether it is in a data directory, rather than in PostgreSQL.
    pub embedded: bool,
}

/// What always holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invariant {
    /// The file is one that the engine has written.
    File,
    /// A thread has the entries that it counts, and every entry has a thread.
    Entries,
    /// Every document is complete.
    Documents,
    /// No document is in a format that is not known yet.
    Formats,
    /// Events are numbered from 1 without a gap, up to the portal's counter.
    Events,
    /// A portal holds what it is said to hold.
    Usage,
    /// No id or number is in use twice, or will be given out again.
    Ids,
}

impl Invariant {
    /// Its name, for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Entries => "entries",
            Self::Documents => "documents",
            Self::Formats => "formats",
            Self::Events => "events",
            Self::Usage => "usage",
            Self::Ids => "ids",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = match self.invariant {
            Invariant::Formats => "a newer antiphon wrote it, so upgrade this binary",
            _ if !self.embedded => {
                "stop the servers, keep a copy of the database, and put its newest backup into a new one"
            }
            _ => {
                "stop the server, keep a copy of its data directory, and put the newest backup into an empty one with \
                 `antiphon restore`"
            }
        };
        write!(f, "{}; {advice}", self.what)
    }
}

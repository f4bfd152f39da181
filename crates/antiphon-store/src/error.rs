//! What can go wrong below the rules.

use crate::Layout;

/// Why the store cannot answer. None of these is the caller's fault.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The queue to the writer is full, or the change waited past its deadline. It was not run.
    #[error("the store is busy")]
    Busy,
    /// Less than 5 % of the disk is free. Reads go on.
    #[error("the disk is nearly full")]
    DiskLow,
    /// The store is shutting down or cannot be written. The change was not made.
    #[error("the store cannot be written: {0}")]
    Unavailable(String),
    /// The change was being committed when the database was lost, and what became of it could not be found out: it may have
    /// been made.
    #[error("it is not known whether the store has made the change: {0}")]
    Unknown(String),
    /// The portal does not exist.
    #[error("no such portal")]
    NoPortal,
    /// A rule's changes broke a constraint of the store: a bug in the rule.
    #[error("the changes do not fit the store: {0}")]
    Conflict(String),
    /// What is stored cannot be understood.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// A message is stored in a format that is not known.
    #[error("a message is stored in format {0}, which a newer antiphon wrote; upgrade this binary")]
    Format(u8),
    /// The engine failed.
    #[error("the store failed: {0}")]
    Engine(String),
}

impl StoreError {
    /// A stored value is not one of those that are ever written.
    pub(crate) fn damaged(what: &str, value: i64) -> Self {
        Self::Damaged(format!("{what} is {value}"))
    }
}

/// Why a store cannot be opened. Each message is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{0} is in use by another antiphon process; stop that one or choose another --data-dir")]
    InUse(String),
    #[error("{0} was written by a newer antiphon (schema {1}, this one knows {2}); upgrade this binary")]
    Newer(String, i64, i64),
    #[error("{0} cannot be written ({1}); give antiphon a directory that it owns")]
    NotWritable(String, String),
    #[error("{0} is damaged ({1}); restore it with `antiphon restore`")]
    Damaged(String, String),
    #[error("{0} cannot be reached ({1}); start the database, or say where it is with --store")]
    Unreachable(String, String),
    #[error("{0} has {1} already and keeps them; make a new database for {2}")]
    LaidOut(String, Layout, Layout),
    #[error("{0} has moved to {1}; start antiphon with --store {1}")]
    Moved(String, String),
    #[error("{0} is being filled from {1}; run that `antiphon move` again, and it goes on where it stopped")]
    Unfinished(String, String),
    #[error("{0} holds a store already; name an empty place to move to")]
    NotEmpty(String),
    #[error("{0} is being served; stop every antiphon process on it, or move with --online")]
    Served(String),
    #[error(
        "{0} was sealed with a master key, and {1} is not there; put the key of the server that made it there, or name it \
         with ANTIPHON_SECRETS__KEY; `antiphon key replace` helps when it is lost"
    )]
    NoKey(String, String),
    #[error(
        "{0} was sealed with another master key than {1}; use that of the server that made it; `antiphon key replace` helps \
         when it is lost"
    )]
    OtherKey(String, String),
    #[error("the master key in {0} cannot be read ({1}); it is a file with 32 bytes in Base64")]
    BadKey(String, String),
    #[error("{0} cannot be opened: {1}")]
    Engine(String, String),
}

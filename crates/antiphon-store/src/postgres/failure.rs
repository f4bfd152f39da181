//! The engine's errors, translated in one place.

use tokio_postgres::error::SqlState;

use crate::{OpenError, StoreError};

/// What a step inside the engine fails with.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What the caller is told.
    Told(StoreError),
    /// Somebody else was quicker, or the server undid the transaction for the others' sake: to be tried again.
    Raced(String),
    /// The connection is gone, or the server takes no changes just now: nothing was committed.
    Lost(String),
}

pub(super) type Result<T> = std::result::Result<T, Failure>;

impl From<tokio_postgres::Error> for Failure {
    fn from(e: tokio_postgres::Error) -> Self {
        let Some(refused) = e.as_db_error() else { return Self::Lost(chain(&e)) };
        let why = format!("{} ({})", refused.message(), refused.code().code());
        // The first two characters are the class.
        match refused.code() {
            &SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE => Self::Raced(why),
            &SqlState::UNIQUE_VIOLATION => Self::Raced(why),
            &SqlState::READ_ONLY_SQL_TRANSACTION => Self::Lost(why),
            &SqlState::LOCK_NOT_AVAILABLE => Self::Told(StoreError::Busy),
            code => match code.code().get(..2) {
                Some("22" | "23" | "54") => Self::Told(StoreError::Conflict(why)),
                // Connections, resources (a full disk among them), operators, the system.
                Some("08" | "53" | "57" | "58" | "25") => Self::Lost(why),
                Some("XX") => Self::Told(StoreError::Damaged(why)),
                _ => Self::Told(StoreError::Engine(why)),
            },
        }
    }
}

impl Failure {
    /// Why the store at this place cannot be opened.
    pub(super) fn opening(self, url: &str) -> OpenError {
        match StoreError::from(self) {
            StoreError::Unavailable(why) => OpenError::Unreachable(url.to_owned(), why),
            StoreError::Engine(why) => OpenError::Engine(url.to_owned(), why),
            other => OpenError::Engine(url.to_owned(), other.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(e: StoreError) -> Self {
        Self::Told(e)
    }
}

impl From<Failure> for StoreError {
    fn from(e: Failure) -> Self {
        match e {
            Failure::Told(e) => e,
            Failure::Raced(why) => Self::Conflict(why),
            Failure::Lost(why) => Self::Unavailable(why),
        }
    }
}

/// An error with its causes, in one line.
pub(super) fn chain(e: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(e.source(), |cause| cause.source());
    std::iter::once(e.to_string()).chain(causes.map(ToString::to_string)).collect::<Vec<_>>().join(": ")
}

/// A rule asked for something that does not fit.
pub(super) fn conflict(why: impl Into<String>) -> Failure {
    Failure::Told(StoreError::Conflict(why.into()))
}

/// A stored value is not one of those that are ever written.
pub(super) fn damaged(what: &str, value: i64) -> Failure {
    Failure::Told(StoreError::damaged(what, value))
}

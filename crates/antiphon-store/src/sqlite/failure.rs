//! The engine's error codes, translated in one place.

use rusqlite::ErrorCode;

use crate::StoreError;

/// What a step inside the engine fails with: [`StoreError`], with `?` working on SQLite's own errors.
#[derive(Debug)]
pub(crate) struct Failure(pub StoreError);

pub(super) type Result<T> = std::result::Result<T, Failure>;

impl From<rusqlite::Error> for Failure {
    fn from(e: rusqlite::Error) -> Self {
        let why = e.to_string();
        Self(match e.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => StoreError::Conflict(why),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged(why),
            Some(
                ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked,
            ) => StoreError::Unavailable(why),
            _ => StoreError::Engine(why),
        })
    }
}

impl From<StoreError> for Failure {
    fn from(e: StoreError) -> Self {
        Self(e)
    }
}

impl From<Failure> for StoreError {
    fn from(e: Failure) -> Self {
        e.0
    }
}

/// A rule asked for something that does not fit.
pub(super) fn conflict(why: impl Into<String>) -> Failure {
    Failure(StoreError::Conflict(why.into()))
}

/// A stored value is not one of those that are ever written.
pub(super) fn damaged(what: &str, value: i64) -> Failure {
    Failure(StoreError::damaged(what, value))
}

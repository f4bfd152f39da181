//! Why something was not done: plain data, made by rules and doors, printed in one place (`middleware/error.rs`).

use antiphon_wire::error::Problem;

/// A refusal. Each variant is one row of the error catalogue.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// 400 `VALIDATION_ERROR`: everything that is wrong with the request, at once.
    Invalid(Vec<Problem>),
    /// 404 `OBJECT_NOT_FOUND` with the id as the client sent it.
    NotFound { id: String },
    /// 409 `CONFLICT`: it is there already, and to try again is no use. The text is for people.
    Conflict(String),
    /// 409 `CONFLICT` of a finer kind: somebody has to decide what is meant.
    Crossed(Crossed),
    /// 413 `PAYLOAD_TOO_LARGE`: more bytes than these.
    TooLarge(u64),
    /// 415 `UNSUPPORTED_MEDIA_TYPE`: this is no form.
    Unsupported(String),
    /// 403 `QUOTA_EXCEEDED`: the portal may not hold more.
    QuotaExceeded,
    /// 403 `FORBIDDEN`: the address is none that was given out, or no longer good.
    Forbidden,
    /// 401: nobody is signed in any more.
    SignedOut,
    /// 403 `FORBIDDEN`: this is for agents who are signed in.
    NoAgent,
    /// 403 `FORBIDDEN`: another page may have made the request.
    Foreign,
    /// 401, or 429: nobody was signed in.
    SignIn(SignInRefused),
    /// 400 in the words of the token endpoint, or 429.
    Token(TokenRefused),
    /// 401 `INVALID_AUTHENTICATION`: the session is none, or no longer good.
    NoSession,
    /// 429 `RATE_LIMITS`: too often; after so many seconds again.
    TooOften(i64),
    /// 503 `SERVICE_UNAVAILABLE` with `Retry-After: 1`.
    Unavailable,
    /// The same, because the writer has as much to do as it may.
    Busy,
    /// No answer at all: it is not known whether the change was made, and either answer could be a lie. The text is for the
    /// log.
    Unknown(String),
    /// 500 `INTERNAL_ERROR`. The text is for the log, never for the answer.
    Internal(String),
}

/// Why nobody was signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInRefused {
    /// The address or the password is wrong.
    Wrong,
    /// The password is right, and a code has to come with it.
    CodeNeeded,
    /// It was tried too often: nothing is tried for so many seconds.
    TooOften(i64),
}

/// What somebody has to know to decide: whom an answer would cross, or among what there is to choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Crossed {
    pub kind: &'static str,
    pub message: &'static str,
    pub context: Vec<(&'static str, Vec<String>)>,
}

/// Why no token is given, in both generations of words.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenRefused {
    pub status: &'static str,
    pub error: &'static str,
    pub message: String,
    /// After how many seconds it makes sense to ask again; 429 then.
    pub retry_after: Option<i64>,
}

impl Refusal {
    /// One problem with one parameter or field.
    pub fn invalid(name: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Problem::new(name, message)])
    }

    /// Nothing of that id is here for this caller.
    pub fn not_found(id: impl ToString) -> Self {
        Self::NotFound { id: id.to_string() }
    }
}

impl From<antiphon_store::StoreError> for Refusal {
    fn from(error: antiphon_store::StoreError) -> Self {
        use antiphon_store::StoreError::*;
        match error {
            Busy => Self::Busy,
            DiskLow | Unavailable(_) => Self::Unavailable,
            Unknown(_) => Self::Unknown(error.to_string()),
            // Tokens belong to portals that exist, so this is the operator's own call.
            NoPortal => {
                Self::invalid("portal", "Say which portal is meant; `antiphon portal list` names them")
            }
            Conflict(_) | Damaged(_) | Format(_) | Engine(_) => Self::Internal(error.to_string()),
        }
    }
}

/// What the store did, where breaking one of its constraints means that the client asked for something that is taken.
///
/// # Errors
/// `taken` in that case, otherwise what the store cannot do.
pub fn unless_taken<T>(
    done: Result<T, antiphon_store::StoreError>,
    taken: impl FnOnce() -> Refusal,
) -> Result<T, Refusal> {
    match done {
        Err(antiphon_store::StoreError::Conflict(_)) => Err(taken()),
        done => Ok(done?),
    }
}

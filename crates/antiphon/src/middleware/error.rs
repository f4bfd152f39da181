//! The one place that knows how a refusal is sent.

use antiphon_wire::error::{Envelope, Limit, Problem};
use antiphon_wire::oauth::Refused;
use http::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER};

use super::limits::{Limited, Policy};
use super::reply::{JSON, Reply};
use crate::call::Caller;
use crate::refusal::{Refusal, SignInRefused, TokenRefused};

const AUTH_FAILURE: HeaderName = HeaderName::from_static("x-hubspot-auth-failure");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// A refusal on its way out: the envelope but for the correlation id, the headers that go with it, and what only the
/// log may know.
#[derive(Debug)]
pub struct Failure {
    envelope: Box<Envelope>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<String>,
    unanswered: bool,
    /// What is said instead of the envelope.
    token: Option<Box<TokenRefused>>,
}

impl Failure {
    /// 401 with the header that clients look for.
    pub fn unauthenticated(envelope: Envelope) -> Self {
        Self::from(envelope).with(AUTH_FAILURE, HeaderValue::from_static("401 Unauthorized"))
    }

    /// 401 for no token or an unknown one.
    pub fn no_token() -> Self {
        Self::unauthenticated(Envelope::unauthenticated())
    }

    /// 405 with what is allowed.
    pub fn method(name: &str, allow: HeaderValue) -> Self {
        Self::from(Envelope::method_not_allowed(name)).with(ALLOW, allow)
    }

    /// 429.
    pub fn limited(limited: Limited, caller: &Caller) -> Self {
        let limit = match limited.policy {
            Policy::TenSecondlyRolling => Limit::TenSeconds,
            Policy::Daily => Limit::Daily,
            Policy::Secondly => Limit::Secondly,
        };
        Self::from(Envelope::rate_limited(limit, caller.app().0, caller.portal().0))
            .with(RETRY_AFTER, HeaderValue::from(limited.retry_after))
    }

    /// 503 with `Retry-After: 1`.
    pub fn unavailable() -> Self {
        Self::from(Envelope::unavailable()).with(RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// 500. The cause is logged.
    pub fn internal(cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..Self::from(Envelope::internal()) }
    }

    /// The end of the connection instead of an answer.
    pub fn unknown(cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), unanswered: true, ..Self::unavailable() }
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Prints the refusal, and logs what may not be printed.
    pub fn reply(self, correlation: &str) -> Reply {
        let Self { mut envelope, headers, cause, unanswered, token } = self;
        if let Some(cause) = cause {
            tracing::error!(correlation, cause, "a request failed");
        }
        envelope.correlation_id = correlation.to_owned();
        let body = match token.map(|token| *token) {
            None => serde_json::to_vec(&envelope),
            Some(TokenRefused { status, error, message, .. }) => serde_json::to_vec(&Refused {
                status,
                error_description: message.clone(),
                message,
                error,
                correlation_id: correlation.to_owned(),
            }),
        };
        let body = body.unwrap_or_default();
        Reply {
            status: envelope.http_status,
            content_type: Some(JSON),
            body: body.into(),
            headers,
            socket: None,
            unanswered,
        }
    }
}

impl From<Envelope> for Failure {
    fn from(envelope: Envelope) -> Self {
        Self {
            envelope: Box::new(envelope),
            headers: Vec::new(),
            cause: None,
            unanswered: false,
            token: None,
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid(problems) => Envelope::invalid(problems).into(),
            Refusal::NotFound { id } => Envelope::not_found(&id).into(),
            // Some clients try again on every 409 that does not say this.
            Refusal::Conflict(message) => {
                Self::from(Envelope::conflict(message)).with(SHOULD_RETRY, HeaderValue::from_static("false"))
            }
            Refusal::Crossed(crossed) => {
                let mut envelope = Envelope::conflict(crossed.message);
                envelope.sub_category = Some(crossed.kind.to_owned());
                let context = crossed.context.into_iter();
                envelope.context = context.map(|(name, values)| (name.to_owned(), values)).collect();
                Self::from(envelope).with(SHOULD_RETRY, HeaderValue::from_static("false"))
            }
            Refusal::TooLarge(most) => {
                Envelope::payload_too_large(usize::try_from(most).unwrap_or(usize::MAX)).into()
            }
            Refusal::Unsupported(media_type) => Envelope::unsupported_media_type(&media_type).into(),
            Refusal::Token(refused) => {
                let mut envelope = Envelope::invalid(vec![Problem::bare(refused.message.clone())]);
                let wait = refused.retry_after;
                envelope.http_status = wait.map_or(envelope.http_status, |_| 429);
                let failure = Self { token: Some(Box::new(refused)), ..Self::from(envelope) };
                match wait {
                    Some(wait) => failure.with(RETRY_AFTER, HeaderValue::from(wait)),
                    None => failure,
                }
            }
            Refusal::NoSession => Self::no_token(),
            Refusal::TooOften(seconds) => {
                Self::from(Envelope::too_often()).with(RETRY_AFTER, HeaderValue::from(seconds))
            }
            Refusal::Forbidden => Envelope::forbidden().into(),
            Refusal::SignedOut => Self::no_token(),
            Refusal::NoAgent => Envelope::no_agent().into(),
            Refusal::Foreign => Envelope::foreign().into(),
            Refusal::SignIn(SignInRefused::Wrong) => Self::unauthenticated(Envelope::wrong_password()),
            Refusal::SignIn(SignInRefused::CodeNeeded) => Self::unauthenticated(Envelope::code_needed()),
            Refusal::SignIn(SignInRefused::TooOften(wait)) => {
                Self::from(Envelope::tried_too_often(wait)).with(RETRY_AFTER, HeaderValue::from(wait))
            }
            Refusal::QuotaExceeded => Envelope::quota_exceeded().into(),
            Refusal::Unavailable | Refusal::Busy => Self::unavailable(),
            Refusal::Unknown(cause) => Self::unknown(cause),
            Refusal::Internal(cause) => Self::internal(cause),
        }
    }
}

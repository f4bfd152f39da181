//! Errors: the envelope every refusal is sent in, and the fixed texts that clients look for.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::lenient::wire_enum;

wire_enum! {
    /// The machine code of an error.
    pub enum Category {
        /// A bad parameter, a bad body, a broken rule.
        ValidationError = "VALIDATION_ERROR",
        /// No token, or none that is known.
        InvalidAuthentication = "INVALID_AUTHENTICATION",
        /// A token past its life.
        ExpiredAuthentication = "EXPIRED_AUTHENTICATION",
        /// The token lacks the scope.
        MissingScopes = "MISSING_SCOPES",
        /// The app may not act on the account.
        Banned = "BANNED",
        /// The portal may not hold more.
        QuotaExceeded = "QUOTA_EXCEEDED",
        /// An address that is no longer good.
        Forbidden = "FORBIDDEN",
        /// Nothing of that id, or no such route.
        ObjectNotFound = "OBJECT_NOT_FOUND",
        /// The route exists, with other methods.
        MethodNotAllowed = "METHOD_NOT_ALLOWED",
        /// It is there already.
        Conflict = "CONFLICT",
        /// The body is over its limit.
        PayloadTooLarge = "PAYLOAD_TOO_LARGE",
        /// A multipart or form body.
        UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE",
        /// Too many requests.
        RateLimits = "RATE_LIMITS",
        /// A bug.
        InternalError = "INTERNAL_ERROR",
        /// Starting, stopping, full, or without a disk.
        ServiceUnavailable = "SERVICE_UNAVAILABLE",
    }
}

impl Category {
    /// The HTTP status that goes with the category. A request line that is too long is the one exception: see
    /// [`Envelope::uri_too_long`].
    pub const fn status(self) -> u16 {
        match self {
            Self::ValidationError => 400,
            Self::InvalidAuthentication | Self::ExpiredAuthentication => 401,
            Self::MissingScopes | Self::Banned | Self::QuotaExceeded | Self::Forbidden => 403,
            Self::ObjectNotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict => 409,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::RateLimits => 429,
            Self::InternalError => 500,
            Self::ServiceUnavailable => 503,
        }
    }
}

/// Lists of strings by name.
pub type Context = BTreeMap<String, Vec<String>>;

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// What is wrong, for people.
    pub message: String,
    /// The parameter or field.
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub in_: Option<String>,
    /// A finer code, for machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub code: Option<String>,
    /// A finer category.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sub_category: Option<String>,
    /// What the message speaks of.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    pub context: Context,
}

/// The code of a problem that is nothing but an absent field.
const REQUIRED_FIELD: &str = "REQUIRED_FIELD";

impl Problem {
    /// A problem with one parameter or field.
    pub fn new(name: &str, message: impl Into<String>) -> Self {
        Self { message: message.into(), in_: Some(name.to_owned()), ..Self::default() }
    }

    /// A problem with the request as a whole.
    pub fn bare(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// A field that must be set and is not. Several of them are summed up in one message.
    pub fn required(name: &str) -> Self {
        Self::new(name, format!("Some required fields were not set: [{name}]")).code(REQUIRED_FIELD)
    }

    /// A value that is not in its list.
    pub fn not_one_of(name: &str, value: &str, allowed: &[&str]) -> Self {
        Self::new(
            name,
            format!("`{value}` is not a valid value of {name}; use one of {}", allowed.join(", ")),
        )
    }

    /// Adds a code.
    #[must_use]
    pub fn code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }

    /// Adds a finer category.
    #[must_use]
    pub fn sub_category(mut self, name: &str) -> Self {
        self.sub_category = Some(name.to_owned());
        self
    }

    /// Adds to the context.
    #[must_use]
    pub fn context(mut self, name: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.context.insert(name.to_owned(), values.into_iter().map(Into::into).collect());
        self
    }
}

/// What clients read to decide how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Too many requests within ten seconds.
    TenSeconds,
    /// The day's allowance is spent.
    Daily,
    /// Too many requests within a second.
    Secondly,
}

/// The body of every answer that is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Error)]
pub struct Envelope {
    /// The literal `error`.
    pub status: &'static str,
    /// What happened, for people.
    pub message: String,
    /// The request's own number; the same as in the headers of the answer. Filled in where the answer is sent.
    pub correlation_id: String,
    /// What happened, for machines.
    pub category: Category,
    /// A finer category.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sub_category: Option<String>,
    /// Everything that is wrong with the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<Problem>,
    /// What the message speaks of.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    pub context: Context,
    /// Where to read more.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    pub links: BTreeMap<String, String>,
    /// Which limit was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub policy_name: Option<&'static str>,
    /// `RATE_LIMIT` when a limit was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error_type: Option<&'static str>,
    /// Whose limit was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub group_name: Option<String>,
    /// The HTTP status it is sent with.
    #[serde(skip)]
    pub http_status: u16,
}

impl Envelope {
    /// An error of a category, with the category's status.
    pub fn new(category: Category, message: impl Into<String>) -> Self {
        Self {
            status: "error",
            message: message.into(),
            correlation_id: String::new(),
            category,
            sub_category: None,
            errors: Vec::new(),
            context: Context::new(),
            links: BTreeMap::new(),
            policy_name: None,
            error_type: None,
            group_name: None,
            http_status: category.status(),
        }
    }

    fn about(mut self, name: &str, value: &str) -> Self {
        self.context.insert(name.to_owned(), vec![value.to_owned()]);
        self
    }

    /// 400 with everything that is wrong. One problem speaks for itself; missing fields are listed in one sentence.
    pub fn invalid(problems: Vec<Problem>) -> Self {
        let message = match problems.as_slice() {
            [] => "Invalid request.".to_owned(),
            [only] => only.message.clone(),
            all if all.iter().all(|p| p.code.as_deref() == Some(REQUIRED_FIELD)) => {
                let names: Vec<_> = all.iter().filter_map(|p| p.in_.as_deref()).collect();
                format!("Some required fields were not set: [{}]", names.join(", "))
            }
            _ => "Multiple errors validating request.".to_owned(),
        };
        let mut envelope = Self::new(Category::ValidationError, message);
        // What a finer category speaks of is looked for where that stands.
        if let Some(fine) = problems.iter().find(|problem| problem.sub_category.is_some()) {
            (envelope.sub_category, envelope.context) = (fine.sub_category.clone(), fine.context.clone());
        } else if let [only] = problems.as_slice() {
            envelope.context = only.context.clone();
        }
        Self { errors: problems, ..envelope }
    }

    /// 401 for no token or an unknown one.
    pub fn unauthenticated() -> Self {
        let message =
            "Authentication credentials not found. Send a token as `Authorization: Bearer <token>`.";
        Self::new(Category::InvalidAuthentication, message)
    }

    /// 401 for a token that ended so many milliseconds ago.
    pub fn expired(ago_ms: i64) -> Self {
        let seconds = (ago_ms / 1000).max(1);
        let (number, unit) = match seconds {
            ..60 => (seconds, "second(s)"),
            60..3600 => (seconds / 60, "minute(s)"),
            3600..86_400 => (seconds / 3600, "hour(s)"),
            _ => (seconds / 86_400, "day(s)"),
        };
        let message = format!("The OAuth token used to make this call expired {number} {unit} ago.");
        Self::new(Category::ExpiredAuthentication, message)
    }

    /// 403 for a token without the scope; `docs` is the page that explains scopes.
    pub fn missing_scopes(scopes: &[&str], docs: &str) -> Self {
        let problem = Problem::bare("One or more of the following scopes are required.")
            .context("requiredGranularScopes", scopes.iter().copied());
        let message = "This app hasn't been granted all required scopes to make this call. Read more about required scopes behind the link.";
        Self {
            errors: vec![problem],
            links: BTreeMap::from([("scopes".to_owned(), docs.to_owned())]),
            ..Self::new(Category::MissingScopes, message)
        }
    }

    /// 403 for an app that is suspended or was removed.
    pub fn banned() -> Self {
        Self::new(Category::Banned, "This app is not allowed to act on this account.")
    }

    /// 403 for a token of another app than the one that is named.
    pub fn other_app(named: &str) -> Self {
        Self::new(Category::Forbidden, "The app that is named is not the app of this token or key.")
            .about("appId", named)
    }

    /// 403 for an address that is its own permission, and is altered or too old.
    pub fn forbidden() -> Self {
        Self::new(
            Category::Forbidden,
            "This address has expired, or was not given out like this. Ask for a new one.",
        )
    }

    /// 403 for a caller who is no agent that is signed in.
    pub fn no_agent() -> Self {
        Self::new(Category::Forbidden, "Only agents who are signed in can call this.")
    }

    /// 403 for an administrator who is signed in and names no app of the portal.
    pub fn no_app() -> Self {
        let message =
            "Only administrators can call this, and they have to name an app of this account as `appId`.";
        Self::new(Category::Forbidden, message)
    }

    /// 403 for a request by a session that another page may have made.
    pub fn foreign() -> Self {
        let message = "A request by a session has to come from a page of this server, and to carry the session's `csrf` value \
                       as `X-Antiphon-CSRF` unless it only reads.";
        Self::new(Category::Forbidden, message)
    }

    /// 401 for an address and a password that do not belong together.
    pub fn wrong_password() -> Self {
        Self::new(Category::InvalidAuthentication, "The address or the password is wrong.")
    }

    /// 401 for a password that needs a code beside it.
    pub fn code_needed() -> Self {
        Self::new(
            Category::InvalidAuthentication,
            "Send a code of the authenticator as well, or a recovery code.",
        )
        .about("totp", "required")
    }

    /// 429 for a password that was tried too often.
    pub fn tried_too_often(seconds: i64) -> Self {
        let message = format!("A wrong password was sent too often. Wait {seconds} seconds, and try again.");
        Self::new(Category::RateLimits, message)
    }

    /// 403 for a portal that is full.
    pub fn quota_exceeded() -> Self {
        Self::new(Category::QuotaExceeded, "This account has reached its storage quota.")
    }

    /// 404 for an id, as the client sent it.
    pub fn not_found(id: &str) -> Self {
        Self::new(Category::ObjectNotFound, "resource not found").about("id", id)
    }

    /// 404 for a path that leads nowhere.
    pub fn no_route(path: &str) -> Self {
        Self::new(Category::ObjectNotFound, "resource not found").about("path", path)
    }

    /// 405.
    pub fn method_not_allowed(method: &str) -> Self {
        Self::new(Category::MethodNotAllowed, format!("{method} is not allowed here."))
            .about("method", method)
    }

    /// 409 for what is there already.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Category::Conflict, message)
    }

    /// 413 for a body of more than so many bytes.
    pub fn payload_too_large(limit: usize) -> Self {
        Self::new(Category::PayloadTooLarge, format!("The request body is larger than {limit} bytes."))
    }

    /// 414.
    pub fn uri_too_long() -> Self {
        let envelope = Self::new(Category::ValidationError, "The request line is longer than 16384 bytes.");
        Self { http_status: 414, ..envelope }
    }

    /// 431 for headers of more than so many bytes.
    pub fn headers_too_large(limit: usize) -> Self {
        let message = format!("The request's headers are larger than {limit} bytes.");
        Self { http_status: 431, ..Self::new(Category::ValidationError, message) }
    }

    /// 415.
    pub fn unsupported_media_type(media_type: &str) -> Self {
        Self::new(Category::UnsupportedMediaType, "Send the body as application/json.")
            .about("contentType", media_type)
    }

    /// 429.
    pub fn rate_limited(limit: Limit, app: i64, account: i64) -> Self {
        let (policy, message, group) = match limit {
            Limit::TenSeconds => {
                ("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.", "ten-secondly")
            }
            Limit::Daily => ("DAILY", "You have reached your daily limit.", "daily"),
            Limit::Secondly => ("SECONDLY", "You have reached your secondly limit.", "secondly"),
        };
        Self {
            policy_name: Some(policy),
            error_type: Some("RATE_LIMIT"),
            group_name: Some(format!("publicapi:private_app-api-calls-{group}:{app}:{account}")),
            ..Self::new(Category::RateLimits, message)
        }
    }

    /// 429 for who comes too often without being an app.
    pub fn too_often() -> Self {
        Self {
            error_type: Some("RATE_LIMIT"),
            ..Self::new(Category::RateLimits, "Too often. Please wait a moment.")
        }
    }

    /// 500. What went wrong is for the log alone.
    pub fn internal() -> Self {
        Self::new(
            Category::InternalError,
            "Something went wrong on our side. The correlation id helps to find out what.",
        )
    }

    /// 503.
    pub fn unavailable() -> Self {
        Self::new(Category::ServiceUnavailable, "The server is busy or not ready. Please try again.")
    }
}

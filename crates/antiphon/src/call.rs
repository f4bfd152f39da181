//! One request on its way to a door, and the answer on its way back. No door sees a socket, a header map or a status line.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use antiphon_store::{AppId, Directory, PortalId, Token};
use antiphon_wire::query::Query;
use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use crate::app::App;
use crate::middleware::form::Form;
use crate::middleware::inflow::Inflow;
use crate::middleware::outflow::Outflow;
use crate::operation::Version;
use crate::realtime::socket::Upgrade;
use crate::refusal::Refusal;
use crate::sessions::SignedIn;
use crate::sessions::csrf::Site;

/// Who is calling: left here by the token check, already allowed to call this operation.
#[derive(Debug, Clone)]
pub struct Caller {
    pub token: Arc<Token>,
    /// The portal's directory at the revision of this request.
    pub directory: Arc<Directory>,
    /// Came over the control socket. The token is then made up, and portal 0 stands for none.
    pub operator: bool,
    /// The agent who is signed in, where it is one. The token is then made up, with what the agent's role may do, and app 0
    /// stands for none.
    pub agent: Option<SignedIn>,
}

impl Caller {
    /// The portal everything in this request happens in.
    pub fn portal(&self) -> PortalId {
        self.token.portal_id
    }

    /// The app on whose behalf it happens.
    pub fn app(&self) -> AppId {
        self.token.app_id
    }

    /// The agent who is signed in, for what only agents do.
    ///
    /// # Errors
    /// When it is none.
    pub fn signed_in(&self) -> Result<SignedIn, Refusal> {
        self.agent.ok_or(Refusal::NoAgent)
    }
}

/// Which part of some bytes is wanted, and whether at all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conditions {
    pub range: Option<String>,
    pub if_none_match: Option<String>,
    pub if_range: Option<String>,
}

impl Conditions {
    /// What the headers of a request say.
    pub fn of(headers: &http::HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self {
            range: text(http::header::RANGE),
            if_none_match: text(http::header::IF_NONE_MATCH),
            if_range: text(http::header::IF_RANGE),
        }
    }

    /// Whether the client has these very bytes already. The tag is quoted.
    pub fn knows(&self, etag: &str) -> bool {
        let named = |list: &str| {
            list.split(',')
                .map(str::trim)
                .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == etag)
        };
        self.if_none_match.as_deref().is_some_and(named)
    }
}

/// Headers by which browsers and apps say who they are.
#[derive(Debug, Clone, Default)]
pub struct Heads {
    /// Name and password of HTTP's own scheme.
    pub basic: Option<(String, String)>,
    pub cookie: String,
    /// What the browser calls itself.
    pub browser: String,
    /// From where the request comes, as far as proxies can be believed.
    pub address: Option<IpAddr>,
    /// From which page.
    pub site: Site,
    /// The query as it was sent.
    pub query: String,
    /// Whether JSON is wanted, and no page.
    pub json: bool,
    /// What stands behind `Authorization: Bearer`.
    pub bearer: String,
    /// The page that a browser says it is on.
    pub origin: Option<String>,
    /// The event that a browser saw last.
    pub last_event: Option<String>,
}

/// A request after routing, authentication and limits.
pub struct Call {
    pub app: Arc<App>,
    pub caller: Caller,
    /// The operation's id.
    pub operation: &'static str,
    pub version: Version,
    /// Values of the path's parameters, in order, percent-decoded once.
    pub path: Vec<String>,
    /// The path as it was called, without the query: page links repeat it.
    pub uri_path: String,
    /// Scheme and host the client used.
    pub origin: String,
    pub query: Query,
    /// What is said of the answer's bytes, where it is bytes.
    pub conditions: Conditions,
    /// In which form the answer is wanted, where the operation knows several.
    pub form: Form,
    /// What the doors that tokens come from need of the headers.
    pub heads: Heads,
    /// Whole body, inflated, within the operation's limit; empty where none is taken.
    pub body: Bytes,
    /// The body as it comes, where it is too much to be taken whole.
    pub inflow: Option<Inflow>,
}

impl Call {
    /// A parameter of the path, as it was sent.
    pub fn segment(&self, index: usize) -> &str {
        self.path.get(index).map_or("", String::as_str)
    }

    /// The body, read leniently.
    ///
    /// # Errors
    /// 400 with line and column when it cannot be read.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Refusal> {
        antiphon_wire::lenient::parse_body(&self.body).map_err(|problem| Refusal::Invalid(vec![problem]))
    }
}

/// What a door answers.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    /// JSON, already printed; empty for 204. Or a stream of events.
    pub body: Outflow,
    /// Path of what was created.
    pub location: Option<String>,
    /// What a WebSocket is opened with, and what is said on it.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub socket: Option<Upgrade>,
    /// The headers say what the body is; it is no JSON.
    pub bare: bool,
}

impl Answer {
    /// 200 with a body.
    pub fn ok(body: Vec<u8>) -> Self {
        Self { status: 200, body: body.into(), ..Self::default() }
    }

    /// 201 with a body and where the new object is.
    pub fn created(body: Vec<u8>, location: String) -> Self {
        Self { status: 201, body: body.into(), location: Some(location), ..Self::default() }
    }

    /// 204.
    pub fn none() -> Self {
        Self { status: 204, ..Self::default() }
    }

    /// Names what was made as a member of the collection that was called.
    pub fn at(self, call: &Call, id: impl std::fmt::Display) -> Self {
        let path = call.uri_path.trim_end_matches('/');
        Self { location: Some(format!("{path}/{id}")), ..self }
    }

    /// Any status with a value printed as JSON.
    pub fn json(status: u16, value: &impl serde::Serialize) -> Result<Self, Refusal> {
        let body = serde_json::to_vec(value).map_err(|e| Refusal::Internal(e.to_string()))?;
        Ok(Self { status, body: body.into(), ..Self::default() })
    }
}

/// What every door returns.
pub type Answered = Pin<Box<dyn Future<Output = Result<Answer, Refusal>> + Send>>;

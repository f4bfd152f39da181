//! The way out: what is common to every response.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, ORIGIN, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, Method, Response, StatusCode, request};

use super::correlation::Correlation;
use super::gzip;
use super::limits::{Allowance, WINDOW};
use super::outflow::Outflow;
use crate::app::App;
use crate::call::Answer;
use crate::realtime::socket::Upgrade;

/// The content type of every JSON body.
pub const JSON: &str = "application/json;charset=utf-8";

/// The content type of a stream.
const EVENTS: &str = "text/event-stream";

const CORRELATION: HeaderName = HeaderName::from_static("x-hubspot-correlation-id");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An answer before the common headers.
#[derive(Debug, Default)]
pub struct Reply {
    pub status: u16,
    pub content_type: Option<&'static str>,
    pub body: Outflow,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What goes on over the connection once this is sent.
    pub socket: Option<Upgrade>,
    /// Nothing of this may be sent: the connection is closed instead.
    pub unanswered: bool,
}

/// Marks a response that may not be sent.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("what became of the change is not known")]
pub struct Unanswered;

impl Reply {
    /// 200 with a body of some type.
    pub fn page(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            status: 200,
            content_type: Some(content_type),
            body: Outflow::Whole(body.into()),
            ..Self::default()
        }
    }

    /// 204 with a header.
    pub fn none(name: HeaderName, value: HeaderValue) -> Self {
        Self { status: 204, headers: vec![(name, value)], ..Self::default() }
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        let location = answer.location.and_then(|path| HeaderValue::try_from(path).ok());
        Self {
            status: answer.status,
            content_type: match answer.body {
                _ if answer.bare => None,
                Outflow::File(_) => None,
                Outflow::Stream(..) => Some(EVENTS),
                Outflow::Whole(_) => (!matches!(answer.status, 101 | 204)).then_some(JSON),
            },
            body: answer.body,
            headers: location.map(|path| (LOCATION, path)).into_iter().chain(answer.headers).collect(),
            socket: answer.socket,
            unanswered: false,
        }
    }
}

/// Puts the common headers on, and packs the body where the client asked for it.
pub fn finish(
    app: &App,
    head: &request::Parts,
    correlation: &Correlation,
    allowance: Option<Allowance>,
    reply: Reply,
) -> Response<Outflow> {
    let Reply { status, content_type, mut body, headers: extra, socket, unanswered } = reply;
    let mut headers = HeaderMap::with_capacity(16);
    if let Some(content_type) = content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        // A stream is never packed: whoever listens wants each piece at once.
        if let Outflow::Whole(bytes) = &mut body {
            if let Some(packed) = gzip::packed(&head.headers, bytes) {
                *bytes = packed;
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        }
    }
    headers.insert(CORRELATION, correlation.header());
    headers.insert(REQUEST_ID, correlation.header());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("Origin"));
    // What others wrote is in many answers: none is a script or a page because it looks like one.
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(allowance) = allowance {
        limit_headers(&mut headers, &allowance);
    }
    if let Some(origin) = head.headers.get(ORIGIN) {
        cors_headers(app, head, origin, &mut headers);
    }
    for (name, value) in extra {
        // What an answer says of its own keeping goes before what is said of all, and some say again what all say.
        if name == CACHE_CONTROL || name == X_CONTENT_TYPE_OPTIONS {
            headers.insert(name, value);
        } else {
            headers.append(name, value);
        }
    }
    if head.method == Method::HEAD {
        body = Outflow::default();
    }
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    if let Some(socket) = socket {
        response.extensions_mut().insert(socket);
    }
    if unanswered {
        response.extensions_mut().insert(Unanswered);
    }
    response
}

fn limit_headers(headers: &mut HeaderMap, allowance: &Allowance) {
    const fn named(name: &'static str) -> HeaderName {
        HeaderName::from_static(name)
    }
    for (name, value) in allowance.day.into_iter().flat_map(|(all, left)| {
        [
            (const { named("x-hubspot-ratelimit-daily") }, all),
            (const { named("x-hubspot-ratelimit-daily-remaining") }, left),
        ]
    }) {
        headers.insert(name, HeaderValue::from(value));
    }
    for (name, value) in [
        (const { named("x-hubspot-ratelimit-max") }, u64::from(allowance.max)),
        (const { named("x-hubspot-ratelimit-remaining") }, u64::from(allowance.remaining)),
        (const { named("x-hubspot-ratelimit-interval-milliseconds") }, WINDOW as u64),
        (const { named("x-hubspot-ratelimit-secondly") }, u64::from(allowance.secondly())),
        (const { named("x-hubspot-ratelimit-secondly-remaining") }, u64::from(allowance.secondly_remaining)),
    ] {
        headers.insert(name, HeaderValue::from(value));
    }
}

/// Only pages of origins on the list may read what is answered.
fn cors_headers(app: &App, head: &request::Parts, origin: &HeaderValue, headers: &mut HeaderMap) {
    if !app.config.server.origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()) {
        return;
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
    if head.method == Method::OPTIONS {
        let methods = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        let names = HeaderValue::from_static(
            "Authorization, Content-Type, Last-Event-ID, private-app, private-app-legacy",
        );
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
}

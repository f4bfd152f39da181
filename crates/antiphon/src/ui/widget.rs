//! The chat on websites: the loader that pages name, the page inside of its frame, and the files that page asks for.

use antiphon_wire::error::Envelope;
use antiphon_wire::id::{MAX_SAFE, parse_path_id};
use bytes::Bytes;
use http::request;
use http::{HeaderName, header};

use super::built::{self, Built};
use super::serve;
use crate::middleware::error::Failure;
use crate::middleware::reply::Reply;

const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Every website may load these, also one that asks for permission of everything it loads.
const HEADERS: [(HeaderName, &str); 2] =
    [(RESOURCE, "cross-origin"), (header::REFERRER_POLICY, "same-origin")];

/// `/{portalId}.js`: the same for every portal. The loader reads from its own address whose chat it is.
pub fn of_portal(head: &request::Parts, portal: &str) -> Result<Reply, Failure> {
    match parse_path_id(portal, MAX_SAFE) {
        Some(_) => loader(head),
        None => nothing(head),
    }
}

/// `/widget/loader.js`
pub fn loader(head: &request::Parts) -> Result<Reply, Failure> {
    file(head, "loader.js")
}

/// `/widget/loader.css`
pub fn styles(head: &request::Parts) -> Result<Reply, Failure> {
    file(head, "loader.css")
}

/// `/widget/assets/*`
pub fn asset(head: &request::Parts, path: &str) -> Result<Reply, Failure> {
    file(head, &format!("assets/{path}"))
}

/// The page inside of the frame, where it was built. Who may frame it is for the door to say that answers with it.
pub fn frame() -> Option<Bytes> {
    Built::Widget.file("frame.html").map(built::bytes)
}

fn file(head: &request::Parts, path: &str) -> Result<Reply, Failure> {
    serve::file(Built::Widget, path, &head.headers, &HEADERS).map_or_else(|| nothing(head), Ok)
}

fn nothing(head: &request::Parts) -> Result<Reply, Failure> {
    Err(Envelope::no_route(head.uri.path()).into())
}

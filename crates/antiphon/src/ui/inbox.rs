//! The agents' inbox: one page for every place in it, and the files that page asks for.

use antiphon_wire::error::Envelope;
use http::HeaderName;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_FRAME_OPTIONS};
use http::request;

use super::built::Built;
use super::{missing, serve};
use crate::middleware::error::Failure;
use crate::middleware::reply::Reply;

/// Scripts are ours alone, and nobody frames the inbox. Styles may be inline because letters are shown with theirs, in a frame
/// without an address, which is bound by what its page is bound by and by more; the same goes for pictures from elsewhere.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data: blob: https:; media-src 'self' data: blob: https:; font-src 'self' data:; connect-src 'self'; \
     frame-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

const HEADERS: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_FRAME_OPTIONS, "DENY"),
    // Not `no-referrer`: browsers then leave their origin out of what they post.
    (REFERRER_POLICY, "same-origin"),
    (PERMISSIONS, "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (OPENER, "same-origin"),
    (RESOURCE, "same-origin"),
];

/// `/inbox/*`: what has a dot in its last part is a file, everything else a place.
pub fn page(head: &request::Parts, path: &str) -> Result<Reply, Failure> {
    let is_file = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
    let name = if is_file { path } else { "index.html" };
    match serve::file(Built::Inbox, name, &head.headers, &HEADERS) {
        Some(reply) => Ok(reply),
        None if is_file => Err(Envelope::no_route(head.uri.path()).into()),
        None => Ok(missing().into()),
    }
}

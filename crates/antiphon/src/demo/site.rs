//! The shop's website: pages with the chat on them, as somebody has them who came from HubSpot and changed the host alone.

use antiphon_wire::error::Envelope;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue};

use crate::app::App;
use crate::identification::token::{LIFE, Said, Signed};
use crate::middleware::error::Failure;
use crate::middleware::origin;
use crate::middleware::reply::Reply;
use crate::pages::escaped;
use crate::refusal::Refusal;
use crate::routes::Visit;

use super::fill::{APP, PORTAL};

const HTML: &str = "text/html; charset=utf-8";

/// A website's own page would allow as much.
const HEADERS: [(HeaderName, &str); 3] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; object-src 'none'; base-uri 'none'; \
         frame-ancestors 'self'",
    ),
    (REFERRER_POLICY, "same-origin"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// Who is signed in on the page of the shop's customers.
const CUSTOMER: (&str, &str, &str) = ("Priya", "Raman", "priya@raman.example");

/// `/demo/*`, in the demo and nowhere else.
pub fn page(app: &App, visit: &Visit<'_>, path: &str) -> Result<Reply, Failure> {
    let nothing = || Envelope::no_route(visit.head.uri.path()).into();
    if !app.config.demo {
        return Err(nothing());
    }
    let (kind, text) = match path {
        "" => (HTML, filled(app, visit, include_str!("site/index.html"))?),
        "account" => (HTML, filled(app, visit, include_str!("site/account.html"))?),
        "site.css" => ("text/css; charset=utf-8", include_str!("site/site.css").to_owned()),
        "account.js" => ("text/javascript; charset=utf-8", include_str!("site/account.js").to_owned()),
        _ => return Err(nothing()),
    };
    let mut reply = Reply::page(kind, text);
    reply.headers = HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))).into();
    Ok(reply)
}

fn filled(app: &App, visit: &Visit<'_>, text: &str) -> Result<String, Refusal> {
    let origin = origin::of(app, visit.peer, visit.head);
    let host = origin.split_once("://").map_or(origin.as_str(), |(_, host)| host);
    let text = text.replace("{{host}}", &escaped(host)).replace("{{portal}}", &PORTAL.to_string());
    if !text.contains("{{token}}") {
        return Ok(text);
    }
    let (first, last, email) = CUSTOMER;
    let said = Said {
        email: email.into(),
        first_name: Some(first.into()),
        last_name: Some(last.into()),
        ..Said::default()
    };
    let (nonce, _) = uuid::Uuid::new_v4().as_u64_pair();
    let expires_at = app.store.now() + LIFE;
    let signed =
        Signed { portal: PORTAL, app: APP, expires_at, nonce: nonce.cast_signed(), said: Some(said) };
    let token = signed.token(&app.keys)?;
    Ok(text.replace("{{token}}", &token).replace("{{name}}", first).replace("{{email}}", email))
}

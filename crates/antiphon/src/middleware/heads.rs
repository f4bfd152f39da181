//! Headers by which browsers and apps say who they are, for the doors that tokens come from.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, COOKIE, HeaderName, ORIGIN, USER_AGENT};
use http::{HeaderMap, request};
use percent_encoding::percent_decode_str;

use super::{Peer, token};
use crate::call::Heads;
use crate::sessions::csrf;

/// What of a request's head these doors need. `reached` is under what the client reached us.
pub fn of(peer: &Peer, head: &request::Parts, reached: &str) -> Heads {
    let cookies = head.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    Heads {
        basic: head.headers.get(AUTHORIZATION).and_then(|value| basic(value.to_str().ok()?)),
        cookie: cookies.collect::<Vec<_>>().join("; "),
        query: head.uri.query().unwrap_or_default().to_owned(),
        json: wants_json(&head.headers),
        browser: text(&head.headers, USER_AGENT),
        address: peer.address,
        site: csrf::site(&head.headers, reached),
        bearer: token::bearer(&head.headers).unwrap_or_default().to_owned(),
        origin: Some(text(&head.headers, ORIGIN)).filter(|origin| !origin.is_empty()),
        last_event: Some(text(&head.headers, HeaderName::from_static("last-event-id")))
            .filter(|id| !id.is_empty()),
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// Browsers ask for pages, whatever else they take; those who name JSON and no page are programs.
fn wants_json(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT).into_iter().filter_map(|line| line.to_str().ok());
    let kinds: Vec<_> =
        lines.flat_map(|line| line.split(',')).filter_map(|one| one.split(';').next()).collect();
    let names = |wanted: &str| kinds.iter().any(|kind| kind.trim().eq_ignore_ascii_case(wanted));
    names("application/json") && !names("text/html")
}

/// Name and password, each of which a client may have encoded as in a form.
fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, sent) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(sent.trim()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some((plain(name), plain(password)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_name_json_and_browsers_name_pages() {
        for (accept, json) in [
            ("application/json", true),
            ("text/plain, Application/JSON;q=0.5", true),
            ("text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8", false),
            ("*/*", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
            assert_eq!(wants_json(&headers), json, "{accept}");
        }
        assert!(!wants_json(&HeaderMap::new()));
    }

    #[test]
    fn names_and_passwords() {
        let sent = |text: &str| basic(&format!("bAsic {}", STANDARD.encode(text)));
        assert_eq!(sent("a:b:c"), Some(("a".into(), "b:c".into())));
        assert_eq!(sent("a%3A:%20b"), Some(("a:".into(), " b".into())));
        assert_eq!(sent("a"), None);
        for value in ["Basic", "Basic ?", "Bearer YTpi", ""] {
            assert_eq!(basic(value), None, "{value}");
        }
    }
}

//! What a request has to bring besides the cookie, so that no other page can have made it: a value that only our own page was
//! told, and a browser that says where the request comes from.

use antiphon_store::{PortalId, SessionId};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::{HOST, ORIGIN};

use crate::keys::{Keys, Purpose};
use crate::refusal::Refusal;

/// The header with the value.
pub const HEADER: &str = "x-antiphon-csrf";

/// Where a browser says that a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Site {
    /// From a page of ours.
    Own,
    /// From another one.
    Other,
    /// It does not say: no browser, or somebody who typed the address.
    #[default]
    Unsaid,
}

/// Where a request comes from. `reached` is under what the client reached us.
pub fn site(headers: &HeaderMap, reached: &str) -> Site {
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    match text("sec-fetch-site") {
        Some("same-origin") => return Site::Own,
        // Typed, or from a bookmark.
        Some("none") => return Site::Unsaid,
        Some(_) => return Site::Other,
        None => {}
    }
    let Some(origin) = headers.get(ORIGIN) else { return Site::Unsaid };
    let Some((_, origin)) = origin.to_str().ok().and_then(|origin| origin.split_once("://")) else {
        return Site::Other;
    };
    let reached = reached.split_once("://").map(|(_, host)| host);
    let own = [reached, text(HOST.as_str())].into_iter().flatten();
    let same = |host: &str| bare(host).eq_ignore_ascii_case(bare(origin));
    if own.into_iter().any(same) { Site::Own } else { Site::Other }
}

/// A host without the port that goes without saying.
fn bare(host: &str) -> &str {
    host.strip_suffix(":443").or_else(|| host.strip_suffix(":80")).unwrap_or(host)
}

fn said(portal: PortalId, id: SessionId) -> Vec<u8> {
    [b"csrf\n", portal.0.to_be_bytes().as_slice(), &id.0].concat()
}

/// The value of a session. It stays while secrets turn, so that several pages hold the same.
///
/// # Errors
/// When the server has no key to sign with.
pub fn value(keys: &Keys, portal: PortalId, id: SessionId) -> Result<String, Refusal> {
    let signature = keys.sign(Purpose::Session, &said(portal, id))?;
    Ok(format!("{}.{}", signature.key, URL_SAFE_NO_PAD.encode(signature.mac)))
}

/// Whether a request brought the value of its session.
pub fn brought(keys: &Keys, headers: &HeaderMap, portal: PortalId, id: SessionId) -> bool {
    let sent = headers.get(HEADER).and_then(|value| value.to_str().ok());
    let parts = sent.and_then(|sent| {
        let (key, mac) = sent.trim().split_once('.')?;
        Some((key.parse().ok()?, URL_SAFE_NO_PAD.decode(mac).ok()?))
    });
    parts.is_some_and(|(key, mac)| keys.verify(Purpose::Session, &said(portal, id), key, &mac))
}

#[cfg(test)]
mod tests {
    use antiphon_store::SigningKey;

    use super::*;

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        all.iter()
            .map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap()))
            .collect::<HeaderMap>()
    }

    #[test]
    fn where_a_request_comes_from() {
        let us = "https://inbox.example";
        for (sent, expected) in [
            (&[][..], Site::Unsaid),
            (&[("origin", "https://inbox.example")], Site::Own),
            (&[("origin", "https://INBOX.example:443")], Site::Own),
            (&[("origin", "https://evil.example")], Site::Other),
            (&[("origin", "https://inbox.example.evil.example")], Site::Other),
            (&[("origin", "https://inbox.example:8443")], Site::Other),
            (&[("origin", "null")], Site::Other),
            (&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")], Site::Own),
            (&[("origin", "http://127.0.0.1:8081"), ("host", "127.0.0.1:8080")], Site::Other),
            (&[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:5173")], Site::Own),
            (&[("sec-fetch-site", "same-site"), ("origin", "https://inbox.example")], Site::Other),
            (&[("sec-fetch-site", "cross-site")], Site::Other),
            (&[("sec-fetch-site", "none")], Site::Unsaid),
        ] {
            assert_eq!(site(&headers(sent), us), expected, "{sent:?}");
        }
    }

    #[test]
    fn a_value_is_of_one_session() {
        let keys = Keys::new(&[SigningKey { id: 1, value: [7; 32], created_at: 0, ends_at: None }], 0);
        let (portal, id) = (PortalId(1), SessionId([1; 16]));
        let value = value(&keys, portal, id).unwrap();
        let with = |value: &str| headers(&[(HEADER, value)]);
        assert!(brought(&keys, &with(&value), portal, id));
        assert!(!brought(&keys, &with(&value), PortalId(2), id));
        assert!(!brought(&keys, &with(&value), portal, SessionId([2; 16])));
        for wrong in ["", "1", "1.", "x.y", &value[..value.len() - 2]] {
            assert!(!brought(&keys, &with(wrong), portal, id), "{wrong}");
        }
        assert!(!brought(&keys, &HeaderMap::new(), portal, id));
    }
}

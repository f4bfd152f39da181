//! In which form an answer is wanted that goes on: as a stream, or on a WebSocket.

use antiphon_wire::error::{Envelope, Problem};
use http::header::{
    ACCEPT, CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, Method, Version, request};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::error::Failure;

/// The protocol that is spoken on WebSockets.
pub const PROTOCOL: &str = "antiphon.v1";

/// A browser cannot set `Authorization` on a WebSocket: there, the token is offered as one more protocol.
const BEARER: &str = "bearer.";

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The form of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    Whole,
    /// Server-sent events, behind the last one that was seen.
    Stream {
        resume: Option<String>,
    },
    /// A WebSocket, opened by a response with these headers.
    Socket(Vec<(HeaderName, HeaderValue)>),
}

impl Form {
    /// What was asked for. With HEAD, a stream's head.
    ///
    /// # Errors
    /// 400 when a WebSocket was asked for in a way that cannot be understood.
    pub fn of(head: &request::Parts) -> Result<Self, Failure> {
        if head.version == Version::HTTP_11 && head.method == Method::GET && upgrades(&head.headers) {
            return socket(&head.headers).map_err(|problems| Envelope::invalid(problems).into());
        }
        if names(&head.headers, &ACCEPT).any(|accepted| {
            accepted
                .split(';')
                .next()
                .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream"))
        }) {
            let resume = head.headers.get(LAST_EVENT_ID).map(HeaderValue::as_bytes);
            let resume = resume.map(|id| String::from_utf8_lossy(id).trim().to_owned());
            return Ok(Self::Stream { resume: resume.filter(|id| !id.is_empty()) });
        }
        Ok(Self::Whole)
    }
}

/// The token among the protocols that a WebSocket offers.
pub fn token(headers: &HeaderMap) -> Option<&str> {
    if !upgrades(headers) {
        return None;
    }
    names(headers, &SEC_WEBSOCKET_PROTOCOL).find_map(|protocol| protocol.strip_prefix(BEARER))
}

fn upgrades(headers: &HeaderMap) -> bool {
    names(headers, &UPGRADE).any(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

fn socket(headers: &HeaderMap) -> Result<Form, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut wrong = |name: &str, message: &str| problems.push(Problem::new(name, message));
    if !names(headers, &CONNECTION).any(|option| option.eq_ignore_ascii_case("upgrade")) {
        wrong("Connection", "`Connection: Upgrade` is missing; a proxy may have taken it away");
    }
    if names(headers, &SEC_WEBSOCKET_VERSION).ne(["13"]) {
        wrong("Sec-WebSocket-Version", "WebSockets are spoken in version 13 only");
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
    // Sixteen bytes in base 64.
    if key.len() != 24 || !key.ends_with(b"==") {
        wrong("Sec-WebSocket-Key", "the key has to be sixteen bytes in base 64");
    }
    let mut offered = names(headers, &SEC_WEBSOCKET_PROTOCOL).peekable();
    let offers = offered.peek().is_some();
    if offers && !offered.any(|protocol| protocol == PROTOCOL) {
        wrong("Sec-WebSocket-Protocol", "the protocol spoken here is antiphon.v1; offer it");
    }
    let Ok(accept) = HeaderValue::try_from(derive_accept_key(key)) else { return Err(problems) };
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut answer = vec![
        (UPGRADE, HeaderValue::from_static("websocket")),
        (CONNECTION, HeaderValue::from_static("Upgrade")),
        (SEC_WEBSOCKET_ACCEPT, accept),
    ];
    if offers {
        answer.push((SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL)));
    }
    Ok(Form::Socket(answer))
}

/// The members of a header that is a list, in all its lines.
fn names<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &[(&'static str, &str)]) -> request::Parts {
        let mut head = http::Request::new(()).into_parts().0;
        for (name, value) in headers {
            head.headers.append(*name, value.parse().unwrap());
        }
        head
    }

    const KEY: (&str, &str) = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    const OPENING: [(&str, &str); 4] = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        KEY,
    ];

    #[test]
    fn streams_are_asked_for_by_type() {
        let stream = |resume: Option<&str>| Form::Stream { resume: resume.map(str::to_owned) };
        for (headers, form) in [
            (&[][..], Form::Whole),
            (&[("accept", "*/*")], Form::Whole),
            (&[("accept", "application/json, Text/Event-Stream;q=0.9")], stream(None)),
            (&[("accept", "text/event-stream"), ("last-event-id", " 7 ")], stream(Some("7"))),
            (&[("upgrade", "h2c"), ("connection", "upgrade")], Form::Whole),
        ] {
            assert_eq!(Form::of(&head(headers)).unwrap(), form, "{headers:?}");
        }
    }

    #[test]
    fn a_socket_is_opened_as_the_standard_has_it() {
        let Form::Socket(answer) = Form::of(&head(&OPENING)).unwrap() else { panic!("no socket") };
        assert!(answer.contains(&(SEC_WEBSOCKET_ACCEPT, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".parse().unwrap())));
        assert!(!answer.iter().any(|(name, _)| name == SEC_WEBSOCKET_PROTOCOL));
        let offered = ("sec-websocket-protocol", "antiphon.v1, bearer.pat-1");
        let offering = head(&[&OPENING[..], &[offered]].concat());
        let Form::Socket(answer) = Form::of(&offering).unwrap() else { panic!("no socket") };
        assert!(answer.contains(&(SEC_WEBSOCKET_PROTOCOL, PROTOCOL.parse().unwrap())));
        assert_eq!(token(&offering.headers), Some("pat-1"));
        assert_eq!(token(&head(&[offered]).headers), None, "it is a token on WebSockets only");
    }

    #[test]
    fn a_socket_that_is_opened_wrongly_is_refused() {
        for wrong in [
            ("connection", "close"),
            ("sec-websocket-version", "8"),
            ("sec-websocket-key", "short"),
            ("sec-websocket-protocol", "chat, bearer.pat-1"),
        ] {
            let mut headers: Vec<_> = OPENING.into_iter().filter(|(name, _)| *name != wrong.0).collect();
            headers.push(wrong);
            assert!(Form::of(&head(&headers)).is_err(), "{wrong:?}");
        }
    }
}

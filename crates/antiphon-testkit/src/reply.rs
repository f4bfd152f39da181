//! What a test gets back.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// What was answered.
    pub fn new(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self { status: status.as_u16(), headers, body }
    }

    /// An answer as it came over a socket, complete and in one piece.
    ///
    /// # Panics
    /// When it is none.
    pub fn read(answer: &str) -> Self {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer}"));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.parse::<HeaderName>().ok()?, value.trim().parse::<HeaderValue>().ok()?))
        };
        let headers: Option<HeaderMap> = lines.map(header).collect();
        let whole = status.zip(headers);
        let (status, headers) = whole.unwrap_or_else(|| panic!("no answer: {answer}"));
        Self { status, headers, body: Bytes::from(body.to_owned()) }
    }

    /// The same reply with its body unpacked, if it came packed.
    pub fn unpacked(&self) -> io::Result<Self> {
        let mut reply = self.clone();
        if self.header("content-encoding") == Some("gzip") && !self.body.is_empty() {
            let mut body = Vec::new();
            GzDecoder::new(&self.body[..]).read_to_end(&mut body)?;
            reply.body = body.into();
        }
        Ok(reply)
    }

    /// The body, which must be JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{} is no JSON ({e}): {}", self.status, self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The same reply, if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The cookies that are set, each with its attributes.
    pub fn cookies(&self) -> Vec<&str> {
        self.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()).collect()
    }

    /// The `in` of every problem, in order.
    pub fn problems(&self) -> Vec<String> {
        let body = self.json();
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["in"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

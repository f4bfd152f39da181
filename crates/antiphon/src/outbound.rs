//! The only door to the internet: what the server sends to addresses that others chose.
//!
//! It sends one request and tells what came of it. It never connects to an address it has not looked at, never follows a
//! redirect, never waits or reads longer than it may, and knows nothing of who asked. A connection is kept for the next request.
//!
//! Clients above hyper's rewrite URLs on their way. Here a URL leaves as it was signed.

mod address;
mod connect;
mod resolve;
mod target;

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio_rustls::rustls;

use crate::config;
use address::permits;
use connect::Connector;
pub use resolve::Lookup;
pub use target::{MAX_LENGTH, TargetUrl};

const USER_AGENT: &str = concat!("Antiphon-Webhooks/", env!("CARGO_PKG_VERSION"));

const ASKER: &str = concat!("Antiphon/", env!("CARGO_PKG_VERSION"));

const FETCHER: &str = concat!("Antiphon-Files/", env!("CARGO_PKG_VERSION"));

/// Most bytes of an answer's body that are read. Of a longer one the rest is not waited for.
const MOST_READ: usize = 16 << 10;

/// Most bytes of an answer's body that are kept.
const EXCERPT: usize = 1 << 10;

/// Most bytes of an answer's head.
const HEAD: usize = 64 << 10;

/// How long a connection waits for its next request. Shorter than most servers wait, so that they are not the ones who hang up
/// just when something is sent.
const IDLE: Duration = Duration::from_secs(4);

/// Connections to one receiver that are kept.
const KEPT: usize = 32;

/// The door.
pub struct Outbound {
    client: Client<Connector, Full<Bytes>>,
    config: config::Outbound,
}

/// What came of one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// From the beginning to the end of the answer, or until it was given up.
    pub took: Duration,
    pub outcome: Result<Answer, Failure>,
}

/// An answer that arrived whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// How long the receiver wants to be left alone, if it said so in a way that can be understood.
    pub retry_after: Option<Duration>,
    /// The beginning of its body as plain text, without control characters.
    pub excerpt: String,
}

/// Why there is no whole answer. Printed, each is a sentence for whoever chose the URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("The URL begins with http://, which the operator has to allow; use https://")]
    Plain,
    #[error("{0} has no public address; the operator can allow it")]
    Private(String),
    #[error("{0} has no address; check the name")]
    Unresolved(String),
    #[error("No connection could be made: {0}")]
    Unreachable(String),
    #[error("No secure connection could be made: {0}")]
    Tls(String),
    #[error("There was no complete answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    #[error("The connection was closed before the answer was complete")]
    Closed,
    #[error("What came back is no HTTP answer")]
    Garbled,
    #[error("The request cannot be made: {0}")]
    Unsendable(String),
}

impl Outbound {
    /// Opens the door.
    ///
    /// # Errors
    /// One sentence that says what to do.
    pub fn new(config: &config::Outbound) -> anyhow::Result<Self> {
        Self::asking(config, resolve::system())
    }

    /// The same, with names looked up elsewhere than this machine would.
    ///
    /// # Errors
    /// One sentence that says what to do.
    pub fn asking(config: &config::Outbound, lookup: Lookup) -> anyhow::Result<Self> {
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(KEPT)
            .http1_max_buf_size(HEAD)
            .build(Connector::new(config, lookup)?);
        Ok(Self { client, config: config.clone() })
    }

    /// Whether something may be sent there, as far as the URL alone tells.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, target: &TargetUrl) -> Result<(), Failure> {
        if !target.is_https() && !self.config.http {
            return Err(Failure::Plain);
        }
        self.check_address(target)
    }

    /// Whether a file may be fetched from there, as far as the URL alone tells: it may come unencrypted.
    ///
    /// # Errors
    /// Why not.
    pub fn check_address(&self, target: &TargetUrl) -> Result<(), Failure> {
        match target.address() {
            Some(address) if !permits(&self.config, target.host(), address) => {
                Err(Failure::Private(target.host().into()))
            }
            _ => Ok(()),
        }
    }

    /// Asks for what is there, and hands out the answer before its body has come: whoever takes it minds the time.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn fetch(&self, target: &TargetUrl) -> Result<Response<Incoming>, Failure> {
        self.check_address(target)?;
        let request = Request::builder().method(Method::GET).uri(target.uri());
        let request = request.header(header::USER_AGENT, FETCHER).header(header::ACCEPT, "*/*");
        let request =
            request.body(Full::default()).map_err(|error| Failure::Unsendable(error.to_string()))?;
        self.answered(request).await
    }

    /// Sends a request and reads the whole answer, up to so many bytes and within the time limit: its status and its body.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn ask(
        &self,
        method: Method,
        target: &TargetUrl,
        headers: &[(&'static str, String)],
        body: Bytes,
        most: usize,
    ) -> Result<(u16, Bytes), Failure> {
        let exchange = async {
            self.check(target)?;
            let mut request = Request::builder().method(method).uri(target.uri());
            for (name, value) in headers {
                request = request.header(*name, value);
            }
            let request = request
                .header(header::USER_AGENT, ASKER)
                .body(Full::new(body))
                .map_err(|error| Failure::Unsendable(error.to_string()))?;
            let (head, body) = self.answered(request).await?.into_parts();
            let read = Limited::new(body, most).collect().await;
            let body = read.map_err(|error| failure(&*error))?.to_bytes();
            Ok((head.status.as_u16(), body))
        };
        let limit = self.config.limit();
        tokio::time::timeout(limit, exchange).await.unwrap_or(Err(Failure::TimedOut(limit)))
    }

    /// Sends a request and reads the answer, all within the time limit.
    pub async fn send(
        &self,
        method: Method,
        target: &TargetUrl,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Attempt {
        let (began, limit) = (Instant::now(), self.config.limit());
        let exchange = self.exchange(method, target, headers, body);
        let outcome = tokio::time::timeout(limit, exchange).await.unwrap_or(Err(Failure::TimedOut(limit)));
        Attempt { took: began.elapsed(), outcome }
    }

    async fn exchange(
        &self,
        method: Method,
        target: &TargetUrl,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<Answer, Failure> {
        // Names are checked when they are resolved, which addresses never are.
        self.check(target)?;
        let mut request = Request::builder().method(method).uri(target.uri());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request
            .header(header::USER_AGENT, USER_AGENT)
            .body(Full::new(body))
            .map_err(|error| Failure::Unsendable(error.to_string()))?;
        let (head, mut body) = self.answered(request).await?.into_parts();
        let (mut read, mut beginning) = (0, Vec::new());
        while read <= MOST_READ
            && let Some(frame) = body.frame().await
        {
            if let Ok(data) = frame.map_err(|e| failure(&e))?.into_data() {
                read += data.len();
                let wanted = EXCERPT - beginning.len();
                beginning.extend_from_slice(&data[..data.len().min(wanted)]);
            }
        }
        let retry_after = retry_after(&head.headers);
        Ok(Answer { status: head.status.as_u16(), retry_after, excerpt: harmless(&beginning) })
    }

    /// The head of the answer. A receiver may close a kept connection at any time, also while a request is on its way: that says
    /// nothing about the receiver, and another connection is used.
    async fn answered(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Failure> {
        loop {
            let (answer, kept) = connect::noting_kept(self.client.request(request.clone())).await;
            match answer.map_err(|error| failure(&error)) {
                Err(Failure::Closed) if kept => {}
                answer => return answer,
            }
        }
    }
}

/// What an error of the client comes down to.
fn failure(error: &(dyn Error + 'static)) -> Failure {
    let mut cause = Some(error);
    let mut otherwise = Failure::Closed;
    while let Some(error) = cause {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return failure.clone();
        } else if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return Failure::Tls(harmless(error.to_string().as_bytes()));
        } else if let Some(error) = error.downcast_ref::<hyper::Error>()
            && error.is_parse()
        {
            return Failure::Garbled;
        } else if error.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect) {
            otherwise = Failure::Unreachable("the receiver does not answer".into());
        } else if let (Failure::Unreachable(why), Some(error)) =
            (&mut otherwise, error.downcast_ref::<io::Error>())
        {
            *why = error.kind().to_string();
        }
        // An input or output error hands out what its cause was caused by, not the cause itself.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source());
    }
    otherwise
}

/// `Retry-After` as a number of seconds or a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    date.timestamp().duration_since(now()).try_into().ok()
}

#[expect(clippy::disallowed_methods, reason = "receivers' dates are compared with the machine's own time")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Bytes of a stranger as text that can be stored and shown.
fn harmless(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(EXCERPT)]);
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_a_number_or_a_date() {
        let asked = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, value.parse().unwrap());
            retry_after(&headers)
        };
        for (value, seconds) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
            ("Wed, 21 Oct 2015 07:28:00 GMT", None),
        ] {
            assert_eq!(asked(value), seconds.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
        let later = now() + Duration::from_secs(3600);
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&later).unwrap();
        let left = asked(&date).unwrap().as_secs();
        assert!((3500..=3600).contains(&left), "{date}: {left}");
    }

    #[test]
    fn what_strangers_write_can_be_shown() {
        assert_eq!(harmless("Grüße\n\0\r\t\u{7f}\u{9b}31m".as_bytes()), "Grüße\n     31m");
        assert_eq!(harmless(b"\xff\xfe"), "\u{fffd}\u{fffd}");
        assert_eq!(harmless(&[b'x'; 5000]).len(), EXCERPT);
    }
}

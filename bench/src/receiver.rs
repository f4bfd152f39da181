//! A receiver of webhooks that does as little as it can: it counts the events of a request by their ids, notes when which
//! message arrived, and answers 200.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Result, ensure};
use memchr::memmem::find_iter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::load::confine;

/// Where the id of a message begins.
const MESSAGE: &[u8] = b"\"messageId\":\"";

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// A message that was told of, and when.
pub type Arrival = (u128, Instant);

/// A receiver; it lives as long as the process.
pub struct Receiver {
    pub address: SocketAddr,
    taken: Arc<Taken>,
}

#[derive(Default)]
struct Taken {
    events: AtomicU64,
    requests: AtomicU64,
    arrivals: Mutex<Vec<Arrival>>,
}

impl Receiver {
    /// Starts one, on a core of its own if it is given.
    pub fn start(core: Option<usize>) -> Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let (address, taken) = (listener.local_addr()?, Arc::new(Taken::default()));
        let kept = taken.clone();
        std::thread::Builder::new().name("receiver".into()).spawn(move || -> Result<()> {
            if let Some(core) = core {
                confine(None, &[core])?;
            }
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener)?;
                loop {
                    let (stream, _) = listener.accept().await?;
                    // A sender that hangs up ends its own connection and nothing else.
                    tokio::spawn(answer(stream, kept.clone()));
                }
            })
        })?;
        Ok(Self { address, taken })
    }

    /// Events and requests so far.
    pub fn taken(&self) -> (u64, u64) {
        (self.taken.events.load(Ordering::Relaxed), self.taken.requests.load(Ordering::Relaxed))
    }

    /// What arrived since this was asked last.
    pub fn arrivals(&self) -> Vec<Arrival> {
        std::mem::take(&mut self.taken.arrivals.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn answer(mut stream: TcpStream, taken: Arc<Taken>) -> Result<()> {
    stream.set_nodelay(true)?;
    let (mut buffer, mut filled) = (vec![0; 256 << 10], 0);
    loop {
        let whole = length(&buffer[..filled])?;
        if let Some((head, whole)) = whole.filter(|(_, whole)| *whole <= filled) {
            taken.note(&buffer[head..whole]);
            stream.write_all(ANSWER).await?;
            buffer.copy_within(whole..filled, 0);
            filled -= whole;
            continue;
        }
        let wanted = whole.map_or(0, |(_, whole)| whole);
        if buffer.len() < wanted.max(filled + 1) {
            buffer.resize(wanted.max(2 * filled), 0);
        }
        let read = stream.read(&mut buffer[filled..]).await?;
        ensure!(read > 0, "the sender hung up");
        filled += read;
    }
}

/// How long the head of a request is, and the whole of it; `None` while the head is not there.
fn length(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = request.parse(bytes)? else { return Ok(None) };
    let length = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let body = length.map_or(Ok(0), |header| {
        std::str::from_utf8(header.value)?.trim().parse::<usize>().map_err(anyhow::Error::from)
    })?;
    Ok(Some((head, head + body)))
}

/// The number of the message whose id stands at the beginning.
pub fn message(text: &[u8]) -> Option<u128> {
    let id = &text[..memchr::memchr(b'"', text)?];
    u128::from_str_radix(std::str::from_utf8(id).ok()?, 16).ok()
}

impl Taken {
    fn note(&self, body: &[u8]) {
        let at = Instant::now();
        self.events.fetch_add(find_iter(body, b"\"eventId\"").count() as u64, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        let messages = find_iter(body, MESSAGE).filter_map(|found| {
            let id = &body[found + MESSAGE.len()..];
            Some((message(id)?, at))
        });
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).extend(messages);
    }
}

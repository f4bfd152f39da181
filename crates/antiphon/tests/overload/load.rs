//! Load: as much as the server takes, or a given rate whatever the server does. Requests are printed once and answers are read
//! no further than needed, so that the load costs little beside the server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use antiphon_testkit::SEED_TOKEN;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// What came back.
#[derive(Default)]
pub struct Outcome {
    /// Latencies of what was accepted, sorted.
    pub accepted: Vec<Duration>,
    pub refused: usize,
    /// Anything that was neither accepted nor refused in the proper way.
    pub wrong: Vec<String>,
    pub took: Duration,
}

impl Outcome {
    pub fn p99(&self) -> Duration {
        self.accepted.get(self.accepted.len() * 99 / 100).copied().unwrap_or_default()
    }

    pub fn rate(&self) -> f64 {
        self.accepted.len() as f64 / self.took.as_secs_f64()
    }

    pub fn offered(&self) -> f64 {
        (self.accepted.len() + self.refused) as f64 / self.took.as_secs_f64()
    }
}

/// A request that posts a body, as it goes over the wire.
pub fn post(path: &str, body: &str) -> Arc<[u8]> {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SEED_TOKEN}\r\n");
    format!("{head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
        .into()
}

/// Sends on this many connections for a while. With a rate, a request leaves whenever one is due and a connection is free;
/// without, as soon as the one before it was answered.
pub async fn fire(
    address: SocketAddr,
    shots: &[Arc<[u8]>],
    connections: usize,
    rate: Option<f64>,
    lasting: Duration,
) -> Outcome {
    let due = Arc::new(AtomicU64::new(0));
    let start = Instant::now() + Duration::from_millis(500);
    let mut senders = JoinSet::new();
    for _ in 0..connections {
        let (due, shots) = (due.clone(), shots.to_vec());
        senders.spawn(async move {
            let mut outcome = Outcome::default();
            if let Err(error) = send(address, &shots, &due, rate, start, lasting, &mut outcome).await {
                outcome.wrong.push(error.to_string());
            }
            outcome
        });
    }
    let mut all = Outcome { took: lasting, ..Outcome::default() };
    while let Some(outcome) = senders.join_next().await {
        let outcome = outcome.unwrap();
        all.accepted.extend(outcome.accepted);
        all.refused += outcome.refused;
        all.wrong.extend(outcome.wrong);
    }
    all.accepted.sort_unstable();
    all
}

async fn send(
    address: SocketAddr,
    shots: &[Arc<[u8]>],
    due: &AtomicU64,
    rate: Option<f64>,
    start: Instant,
    lasting: Duration,
    outcome: &mut Outcome,
) -> io::Result<()> {
    let mut server = TcpStream::connect(address).await?;
    server.set_nodelay(true)?;
    let mut answer = Vec::with_capacity(8 << 10);
    tokio::time::sleep_until(start).await;
    loop {
        let number = due.fetch_add(1, Ordering::Relaxed);
        if let Some(rate) = rate {
            tokio::time::sleep_until(start + Duration::from_secs_f64(number as f64 / rate)).await;
        }
        if start.elapsed() >= lasting {
            return Ok(());
        }
        let sent = Instant::now();
        server.write_all(&shots[number as usize % shots.len()]).await?;
        let head = read(&mut server, &mut answer).await?;
        match head.get(9..12) {
            Some("201") => outcome.accepted.push(sent.elapsed()),
            Some("503") if head.contains("retry-after: 1\r\n") => outcome.refused += 1,
            _ => outcome.wrong.push(head),
        }
    }
}

/// Reads one answer to its end; what is worth looking at is its head, in lower case.
async fn read(server: &mut TcpStream, answer: &mut Vec<u8>) -> io::Result<String> {
    answer.clear();
    loop {
        if server.read_buf(answer).await? == 0 {
            return Err(io::Error::other("the server hung up"));
        }
        let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&answer[..end + 2]).to_lowercase();
        let length =
            head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        let missing = (end + 4 + length.unwrap_or(0usize)).saturating_sub(answer.len());
        let mut rest = vec![0; missing];
        server.read_exact(&mut rest).await?;
        return Ok(head);
    }
}

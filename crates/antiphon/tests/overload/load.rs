//! Load: as much as the server takes, or a given rate whatever the server does. Requests are printed once and answers are read
//! no further than needed, so that the load costs little beside the server.

use std::fmt;
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
    /// How long what was accepted took, from when it was due; sorted.
    pub accepted: Vec<Duration>,
    pub refused: Vec<Duration>,
    /// Anything that was neither accepted nor refused in the proper way.
    pub wrong: Vec<String>,
    pub took: Duration,
}

impl Outcome {
    pub fn p99(&self) -> Duration {
        p99(&self.accepted)
    }

    pub fn rate(&self) -> f64 {
        self.accepted.len() as f64 / self.took.as_secs_f64()
    }

    pub fn offered(&self) -> f64 {
        (self.accepted.len() + self.refused.len()) as f64 / self.took.as_secs_f64()
    }
}

fn p99(sorted: &[Duration]) -> Duration {
    sorted.get(sorted.len() * 99 / 100).copied().unwrap_or_default()
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (offered, rate, refused) = (self.offered(), self.rate(), self.refused.len());
        write!(f, "offered {offered:.0}/s: accepted {rate:.0}/s with p99 {:.1?}, ", self.p99())?;
        write!(f, "refused {refused} with p99 {:.1?}", p99(&self.refused))
    }
}

/// A request that reads, and takes its answer packed.
pub fn get(path: &str) -> Arc<[u8]> {
    let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SEED_TOKEN}\r\n");
    format!("{head}accept-encoding: gzip\r\n\r\n").into_bytes().into()
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
    let schedule: Arc<[Duration]> = schedule(rate, lasting).into();
    let start = Instant::now() + Duration::from_millis(500);
    let mut senders = JoinSet::new();
    for _ in 0..connections {
        let (due, shots, schedule) = (due.clone(), shots.to_vec(), schedule.clone());
        senders.spawn(async move {
            let mut outcome = Outcome::default();
            if let Err(error) = send(address, &shots, &due, &schedule, start, lasting, &mut outcome).await {
                outcome.wrong.push(error.to_string());
            }
            outcome
        });
    }
    let mut all = Outcome::default();
    while let Some(outcome) = senders.join_next().await {
        let outcome = outcome.unwrap();
        all.accepted.extend(outcome.accepted);
        all.refused.extend(outcome.refused);
        all.wrong.extend(outcome.wrong);
    }
    // Whatever could not be offered in time makes it longer.
    all.took = start.elapsed();
    all.accepted.sort_unstable();
    all.refused.sort_unstable();
    all
}

/// When requests are due: at random, as from many clients that know nothing of each other.
fn schedule(rate: Option<f64>, lasting: Duration) -> Vec<Duration> {
    let Some(rate) = rate else { return Vec::new() };
    let mut dice = fastrand::Rng::with_seed(1);
    let mut at = 0.0;
    let mut all = Vec::new();
    while at < lasting.as_secs_f64() {
        all.push(Duration::from_secs_f64(at));
        at -= (1.0 - dice.f64()).ln() / rate;
    }
    all
}

async fn send(
    address: SocketAddr,
    shots: &[Arc<[u8]>],
    due: &AtomicU64,
    schedule: &[Duration],
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
        let sent = if schedule.is_empty() {
            if start.elapsed() >= lasting {
                return Ok(());
            }
            Instant::now()
        } else {
            let Some(&at) = schedule.get(number as usize) else { return Ok(()) };
            tokio::time::sleep_until(start + at).await;
            start + at
        };
        server.write_all(&shots[number as usize % shots.len()]).await?;
        let head = read(&mut server, &mut answer).await?;
        match head {
            Head { status: 200 | 201, .. } => outcome.accepted.push(sent.elapsed()),
            Head { status: 503, retry_after: true } => outcome.refused.push(sent.elapsed()),
            head => outcome.wrong.push(format!("{head:?}")),
        }
    }
}

/// What an answer says about itself.
#[derive(Debug)]
struct Head {
    status: u16,
    retry_after: bool,
}

/// Reads one answer to its end; what is worth looking at is its head.
async fn read(server: &mut TcpStream, answer: &mut Vec<u8>) -> io::Result<Head> {
    answer.clear();
    loop {
        if server.read_buf(answer).await? == 0 {
            return Err(io::Error::other("the server hung up"));
        }
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response.parse(answer).map_err(io::Error::other)?;
        let httparse::Status::Complete(end) = parsed else { continue };
        let named = |name: &str| {
            response
                .headers
                .iter()
                .find(|header| header.name.eq_ignore_ascii_case(name))
                .map(|header| header.value)
        };
        let head = Head {
            status: response.code.unwrap_or_default(),
            retry_after: named("retry-after") == Some(b"1"),
        };
        let length = named("content-length").and_then(|value| str::from_utf8(value).ok()?.parse().ok());
        let missing = (end + length.unwrap_or(0)).saturating_sub(answer.len());
        answer.clear();
        server.take(missing as u64).read_to_end(answer).await?;
        return Ok(head);
    }
}

//! Closed-loop load over HTTP/1.1 with keep-alive: every connection asks, waits for the whole answer, and asks again.
//!
//! The generator shares its cores with what it measures, so it does as little as it can: requests are written from memory,
//! answers are counted and dropped. It only ever talks to this machine, for a bounded time and a bounded number of requests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Most requests of one run, whatever its time.
const MOST: u64 = 5_000_000;
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where requests come from.
#[derive(Clone)]
pub struct Requests(Arc<Write>);

/// Writes a request.
type Write = dyn Fn(&mut fastrand::Rng, &mut Vec<u8>) + Send + Sync;

impl Requests {
    /// One of these, drawn uniformly.
    pub fn any_of(requests: Vec<Vec<u8>>) -> Self {
        Self(Arc::new(move |dice, out| out.extend_from_slice(&requests[dice.usize(..requests.len())])))
    }

    /// Written afresh every time.
    pub fn made_by(write: impl Fn(&mut fastrand::Rng, &mut Vec<u8>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }

    /// A single one.
    pub fn one(&self, dice: &mut fastrand::Rng) -> Vec<u8> {
        let mut request = Vec::new();
        self.0(dice, &mut request);
        request
    }
}

/// A request as it goes over the wire.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut out = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n").into_bytes();
    for (name, value) in headers {
        out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if !body.is_empty() {
        out.extend_from_slice(
            format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()).as_bytes(),
        );
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out
}

/// What a run showed.
pub struct Outcome {
    pub answers: u64,
    pub elapsed: Duration,
    /// Microseconds, of every answer.
    latency: Histogram<u64>,
}

impl Outcome {
    /// Answers per second.
    pub fn rate(&self) -> f64 {
        self.answers as f64 / self.elapsed.as_secs_f64()
    }

    /// A quantile of the latency, in milliseconds.
    pub fn quantile(&self, q: f64) -> f64 {
        self.latency.value_at_quantile(q) as f64 / 1e6
    }
}

/// A load about to be put on a server.
#[derive(Clone)]
pub struct Load {
    pub address: SocketAddr,
    pub connections: usize,
    pub time: Duration,
    pub requests: Requests,
    /// The one core that generates it. Without: half as many threads as there are cores, wherever there is room.
    pub core: Option<usize>,
}

impl Load {
    /// Runs it to its end. Any answer other than a success ends it with an error: a rate of refusals says nothing.
    pub fn run(&self) -> Result<Outcome> {
        ensure!(self.address.ip().is_loopback(), "load goes to this machine only");
        let threads = self.core.map_or(generator_threads(), |_| 1).min(self.connections);
        let until = Instant::now() + self.time;
        let began = Instant::now();
        let parts = std::thread::scope(|scope| {
            let share = |n: usize| self.connections / threads + usize::from(n < self.connections % threads);
            let running: Vec<_> =
                (0..threads).map(|n| scope.spawn(move || self.part(share(n), until))).collect();
            running
                .into_iter()
                .map(|part| part.join().map_err(|_| anyhow::anyhow!("a generator thread panicked"))?)
                .collect::<Result<Vec<_>>>()
        })?;
        let mut latency = histogram()?;
        for part in &parts {
            latency.add(part)?;
        }
        Ok(Outcome { answers: latency.len(), elapsed: began.elapsed(), latency })
    }

    fn part(&self, connections: usize, until: Instant) -> Result<Histogram<u64>> {
        if let Some(core) = self.core {
            confine(None, &[core])?;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut clients = tokio::task::JoinSet::new();
            for _ in 0..connections {
                let (address, requests) = (self.address, self.requests.clone());
                let most = MOST / self.connections as u64;
                clients.spawn(async move {
                    Client::connect(address).await?.ask_until(until, most, &requests).await
                });
            }
            let mut latency = histogram()?;
            while let Some(client) = clients.join_next().await {
                latency.add(client??)?;
            }
            Ok(latency)
        })
    }
}

/// Half of the cores, so that server and generator divide the machine alike in every measurement.
pub fn generator_threads() -> usize {
    (cores() / 2).max(1)
}

/// The cores of this machine.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Lets a thread, this one unless its id is given, run on these cores only.
pub fn confine(thread: Option<i32>, cores: &[usize]) -> Result<()> {
    let mut set = rustix::thread::CpuSet::new();
    cores.iter().for_each(|core| set.set(*core));
    Ok(rustix::thread::sched_setaffinity(thread.and_then(rustix::process::Pid::from_raw), &set)?)
}

fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 120_000_000_000, 3)?)
}

/// One connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What the head of an answer says.
struct Head {
    status: u16,
    length: usize,
    body: Body,
}

#[derive(Clone, Copy)]
enum Body {
    Sized(usize),
    Chunked,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Result<Self> {
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("{address} cannot be reached"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 256 << 10] })
    }

    async fn ask_until(mut self, until: Instant, most: u64, requests: &Requests) -> Result<Histogram<u64>> {
        let mut latency = histogram()?;
        let mut dice = fastrand::Rng::new();
        let mut request = Vec::with_capacity(4096);
        for _ in 0..most {
            request.clear();
            requests.0(&mut dice, &mut request);
            let began = Instant::now();
            if began >= until {
                break;
            }
            let status = tokio::time::timeout(PATIENCE, self.ask(&request, None))
                .await
                .context("no answer in time")??;
            if !(200..300).contains(&status) {
                let line = request.split(|b| *b == b'\r').next().unwrap_or_default();
                bail!("{} was answered with {status}", String::from_utf8_lossy(line));
            }
            latency.saturating_record(began.elapsed().as_nanos() as u64);
        }
        Ok(latency)
    }

    /// Sends one request and reads its whole answer, keeping the body only if asked to.
    pub async fn ask(&mut self, request: &[u8], mut keep: Option<&mut Vec<u8>>) -> Result<u16> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        let head = loop {
            let n = self.stream.read(&mut self.buffer[filled..]).await?;
            ensure!(n > 0, "the connection was closed before the answer");
            filled += n;
            if let Some(head) = head(&self.buffer[..filled])? {
                break head;
            }
        };
        match head.body {
            Body::Sized(length) => {
                let mut left = length;
                let mut at = head.length;
                loop {
                    let here = (filled - at).min(left);
                    if let Some(keep) = &mut keep {
                        keep.extend_from_slice(&self.buffer[at..at + here]);
                    }
                    left -= here;
                    if left == 0 {
                        break;
                    }
                    at = 0;
                    filled = self.stream.read(&mut self.buffer).await?;
                    ensure!(filled > 0, "the connection was closed inside the answer");
                }
            }
            Body::Chunked => {
                let mut body = self.buffer[head.length..filled].to_vec();
                let mut at = 0;
                loop {
                    match httparse::parse_chunk_size(&body[at..])
                        .map_err(|_| anyhow::anyhow!("a chunk without a size"))?
                    {
                        httparse::Status::Complete((start, size))
                            if body.len() >= at + start + size as usize + 2 =>
                        {
                            let data = at + start..at + start + size as usize;
                            if let Some(keep) = &mut keep {
                                keep.extend_from_slice(&body[data.clone()]);
                            }
                            at = data.end + 2;
                            if size == 0 {
                                break;
                            }
                        }
                        _ => {
                            let n = self.stream.read(&mut self.buffer).await?;
                            ensure!(n > 0, "the connection was closed inside the answer");
                            body.extend_from_slice(&self.buffer[..n]);
                        }
                    }
                }
            }
        }
        Ok(head.status)
    }
}

fn head(bytes: &[u8]) -> Result<Option<Head>> {
    if memchr::memmem::find(bytes, b"\r\n\r\n").is_none() {
        return Ok(None);
    }
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes)? else { return Ok(None) };
    let status = response.code.unwrap_or(0);
    let mut body = Body::Sized(0);
    for header in response.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            body = Body::Sized(std::str::from_utf8(header.value)?.trim().parse()?);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") && status != 204 {
            body = Body::Chunked;
        }
    }
    Ok(Some(Head { status, length, body }))
}

/// One request outside any measurement: the body of its answer, which must be a success.
pub fn fetch(address: SocketAddr, request: &[u8]) -> Result<Vec<u8>> {
    let (status, body) = try_fetch(address, request)?;
    if !(200..300).contains(&status) {
        let line = request.split(|b| *b == b'\r').next().unwrap_or_default();
        bail!(
            "{} was answered with {status}: {}",
            String::from_utf8_lossy(line),
            String::from_utf8_lossy(&body)
        );
    }
    Ok(body)
}

/// One request outside any measurement, whatever its answer.
pub fn try_fetch(address: SocketAddr, request: &[u8]) -> Result<(u16, Vec<u8>)> {
    ensure!(address.ip().is_loopback(), "load goes to this machine only");
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut body = Vec::new();
        let ask = async { Client::connect(address).await?.ask(request, Some(&mut body)).await };
        let status = tokio::time::timeout(PATIENCE, ask).await.context("no answer in time")??;
        Ok((status, body))
    })
}

//! Live chat on web pages: how soon the other browser shows what was said, with many visitors at once.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use memchr::memmem;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::{BASE, ask, milliseconds, small};
use crate::Bench;
use crate::load::{Client, fetch, request};
use crate::report::{Line, Mark, Report, Unit, median};
use crate::seed::{ACCOUNT, AGENT, CHANNEL, PORTAL, TOKEN};
use crate::server::{Server, copy_dir};

const VISITORS: usize = 500;

/// Messages a second, each way.
const RATE: u32 = 100;

const WIDGET: &str = "/widget/v1";

/// Nothing is held up here: all come from one address.
const LIMITS: [(&str, &str); 6] = [
    ("ANTIPHON_WIDGET__SESSIONS_PER_MINUTE", "1000000"),
    ("ANTIPHON_WIDGET__REQUESTS_PER_MINUTE", "1000000"),
    ("ANTIPHON_WIDGET__REQUESTS_PER_MINUTE_OF_ADDRESS", "1000000"),
    ("ANTIPHON_WIDGET__MESSAGES_PER_MINUTE", "1000000"),
    ("ANTIPHON_WIDGET__MESSAGES_PER_MINUTE_OF_ADDRESS", "1000000"),
    ("ANTIPHON_WIDGET__THREADS_PER_HOUR_OF_ADDRESS", "1000000"),
];

/// A visitor with a thread and an open stream.
struct Visitor {
    session: String,
    thread: i64,
}

pub fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let recipe = small();
    let dir = copy_dir(&recipe.seeded(&bench.root)?, &bench.root.join("run/visitors"))?;
    let server = Server::antiphon_with(&bench.server, &dir, "sqlite:", &LIMITS)?;
    let settings = format!("/antiphon/v1/channel-accounts/{ACCOUNT}/chat");
    fetch(server.address, &ask("PUT", &settings, b"{}"))?;
    let before = server.memory()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (to_visitors, to_agents) = runtime.block_on(measured(server.address, bench))?;
    let memory = server.memory()?;
    for (whom, times) in [("a visitor's browser", to_visitors), ("an agent's browser", to_agents)] {
        let (mut p99, mut middle) = (Vec::new(), Vec::new());
        for mut round in times {
            middle.push(quantile(&mut round, 0.5));
            p99.push(quantile(&mut round, 0.99));
        }
        report.add(Line {
            what: format!("p99 from sending a message to the first byte at {whom}, {VISITORS} live visitors, {RATE}/s each way"),
            ours: milliseconds(median(p99.clone())),
            theirs: format!("{} median", milliseconds(median(middle))),
            figure: median(p99),
            unit: Unit::Milliseconds,
            goal: Some(Mark::AtMost(100.0)),
        });
    }
    report.add(Line {
        what: format!("resident memory with {VISITORS} live visitors"),
        ours: Unit::Megabytes.show(memory.resident),
        theirs: format!("{} without", Unit::Megabytes.show(before.resident)),
        figure: memory.resident,
        unit: Unit::Megabytes,
        goal: None,
    });
    server.stop()
}

type Rounds = Vec<Vec<f64>>;

async fn measured(address: SocketAddr, bench: &Bench) -> Result<(Rounds, Rounds)> {
    let mut client = Client::connect(address).await?;
    let mut visitors = Vec::with_capacity(VISITORS);
    for number in 0..VISITORS {
        visitors.push(Visitor::begin(&mut client, number).await?);
    }
    let visitors = Arc::new(visitors);
    let (tell, mut told) = mpsc::unbounded_channel();
    let (agents_tell, mut agents_told) = mpsc::unbounded_channel();
    for visitor in visitors.iter() {
        let stream = open(address, &format!("{WIDGET}/events"), &visitor.session).await?;
        tokio::spawn(listen(stream, b"\"id\":\"", tell.clone()));
    }
    let path = "/antiphon/v1/events?type=conversation.newMessage";
    let stream = open(address, path, TOKEN).await?;
    tokio::spawn(listen(stream, b"\"messageId\":\"", agents_tell));
    let (mut to_visitors, mut to_agents) = (Vec::new(), Vec::new());
    for round in 0..=bench.rounds {
        let answers = tokio::spawn(answers(address, visitors.clone(), bench.turn));
        let questions = tokio::spawn(questions(address, visitors.clone(), bench.turn));
        let (answers, questions) = (answers.await??, questions.await??);
        tokio::time::sleep(Duration::from_millis(500)).await;
        let (there, here) = (taken(&mut told), taken(&mut agents_told));
        // The first round warms up.
        if round > 0 {
            to_visitors.push(after(&answers, &there)?);
            to_agents.push(after(&questions, &here)?);
        }
    }
    Ok((to_visitors, to_agents))
}

impl Visitor {
    async fn begin(client: &mut Client, number: usize) -> Result<Self> {
        let body = json!({ "accountId": ACCOUNT }).to_string();
        let path = format!("{WIDGET}/{PORTAL}/sessions");
        let begun = answered(client, &request("POST", &path, &[], body.as_bytes())).await?;
        let session = begun["session"].as_str().context("no session")?.to_owned();
        let sent = answered(client, &said(&session, &format!("Question {number}"), None)).await?;
        Ok(Self { session, thread: sent["thread"]["id"].as_i64().context("no thread")? })
    }
}

/// A message of a visitor's.
fn said(session: &str, text: &str, thread: Option<i64>) -> Vec<u8> {
    let id = uuid::Uuid::new_v4().to_string();
    let body = json!({ "text": text, "clientId": id, "threadId": thread }).to_string();
    let bearer = format!("Bearer {session}");
    request("POST", &format!("{WIDGET}/messages"), &[("authorization", &bearer)], body.as_bytes())
}

async fn answered(client: &mut Client, request: &[u8]) -> Result<Value> {
    let mut body = Vec::new();
    let status = client.ask(request, Some(&mut body)).await?;
    ensure!(status == 201, "answered with {status}: {}", String::from_utf8_lossy(&body));
    Ok(serde_json::from_slice(&body)?)
}

/// When which message was begun to be sent.
type Sent = Vec<(u128, Instant)>;

/// Agents answer visitors, each at its own moment.
async fn answers(address: SocketAddr, visitors: Arc<Vec<Visitor>>, time: Duration) -> Result<Sent> {
    let write = move |number: usize| {
        let thread = visitors[number * 7 % visitors.len()].thread;
        let body = json!({ "type": "MESSAGE", "text": format!("Answer {number}"), "senderActorId": format!("A-{AGENT}"),
                           "channelId": CHANNEL.to_string(), "channelAccountId": ACCOUNT.to_string(), "recipients": [] });
        ask("POST", &format!("{BASE}/threads/{thread}/messages"), body.to_string().as_bytes())
    };
    steadily(address, time, write, |answer| answer["id"].as_str().map(str::to_owned)).await
}

/// Visitors ask on.
async fn questions(address: SocketAddr, visitors: Arc<Vec<Visitor>>, time: Duration) -> Result<Sent> {
    let write = move |number: usize| {
        let visitor = &visitors[number * 11 % visitors.len()];
        said(&visitor.session, &format!("Question {number}"), Some(visitor.thread))
    };
    steadily(address, time, write, |answer| answer["message"]["id"].as_str().map(str::to_owned)).await
}

async fn steadily(
    address: SocketAddr,
    time: Duration,
    write: impl Fn(usize) -> Vec<u8>,
    id: impl Fn(&Value) -> Option<String>,
) -> Result<Sent> {
    let mut client = Client::connect(address).await?;
    let (began, mut sent) = (Instant::now(), Vec::new());
    for number in 0..(time.as_secs_f64() * f64::from(RATE)) as usize {
        let due = began + Duration::from_secs(1) * number as u32 / RATE;
        tokio::time::sleep_until(due.into()).await;
        let at = Instant::now();
        let answer = answered(&mut client, &write(number)).await?;
        let id = id(&answer).context("an answer without an id")?;
        sent.push((u128::from_str_radix(&id, 16)?, at));
    }
    Ok(sent)
}

async fn open(address: SocketAddr, path: &str, token: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer), ("accept", "text/event-stream")];
    stream.write_all(&request("GET", path, &headers, b"")).await?;
    Ok(stream)
}

/// Tells which messages come on a stream, and when. What is told first of each is its id.
async fn listen(stream: TcpStream, mark: &'static [u8], tell: mpsc::UnboundedSender<(u128, Instant)>) {
    let mut rest: Vec<u8> = Vec::new();
    while stream.readable().await.is_ok() {
        let (now, mut buffer) = (Instant::now(), [0; 16 << 10]);
        match stream.try_read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => rest.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(_) => return,
        }
        let mut from = 0;
        while let Some(at) = memmem::find(&rest[from..], mark) {
            let start = from + at + mark.len();
            let Some(id) = rest.get(start..start + 32) else { break };
            if let Some(id) = std::str::from_utf8(id).ok().and_then(|id| u128::from_str_radix(id, 16).ok())
                && tell.send((id, now)).is_err()
            {
                return;
            }
            from = start + 32;
        }
        let keep = rest.len().saturating_sub(64).max(from);
        rest.drain(..keep);
    }
}

fn taken(told: &mut mpsc::UnboundedReceiver<(u128, Instant)>) -> HashMap<u128, Instant> {
    let mut all = HashMap::new();
    while let Ok((id, at)) = told.try_recv() {
        all.entry(id).or_insert(at);
    }
    all
}

/// How long each took, in milliseconds.
fn after(sent: &Sent, heard: &HashMap<u128, Instant>) -> Result<Vec<f64>> {
    sent.iter()
        .map(|(id, began)| {
            let at = heard.get(id).context("nobody heard of a message")?;
            Ok(at.saturating_duration_since(*began).as_secs_f64() * 1e3)
        })
        .collect()
}

fn quantile(times: &mut [f64], q: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get((times.len() as f64 * q) as usize).copied().unwrap_or(f64::NAN)
}

//! The live stream: how soon those who listen hear, what waiting costs, and what they cost those who send.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use antiphon_cluster::{Cluster, Options};
use antiphon_store::{Postgres, Settings};
use anyhow::{Context, Result, ensure};

use super::{BASE, ask, compared, milliseconds, rate, sample, sends, small};
use crate::Bench;
use crate::listen::{Heard, Listeners, allow_files};
use crate::load::{Client, fetch};
use crate::report::{Line, Mark, Report, Unit, median, progress};
use crate::seed;
use crate::server::{Server, copy_dir};

/// Messages a second.
const RATE: u32 = 1000;
/// Those who send them.
const SENDERS: usize = 16;
pub(super) const LISTENERS: usize = 1000;
/// How many of them each message reaches.
const REACHED: usize = 10;
const IDLE: usize = 10_000;

pub fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    allow_files(IDLE as u64 + 1000)?;
    let recipe = small();
    let server = bench.server(&recipe, "stream")?;
    told(bench, report, &server, &sample(&recipe.threads(), LISTENERS / REACHED), "")?;
    beside(bench, report, &server, &recipe.threads(), "")?;
    server.stop()?;
    postgres(bench, report)?;
    idle(bench, report)
}

/// The same on PostgreSQL, where events are numbered after they are committed.
fn postgres(bench: &Bench, report: &mut Report) -> Result<()> {
    let recipe = small();
    let cluster = Cluster::start(Options::durable().set("checkpoint_timeout", "1h"))?;
    let database = cluster.database()?;
    let directory = bench.root.join("run/stream-postgres");
    std::fs::create_dir_all(&directory)?;
    let store = Settings {
        postgres: Some(Postgres { writers: 1, ..Postgres::new(database.url()) }),
        durable: false,
        queue: 4096,
        ..Settings::new(&directory)
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(recipe.fill(store))?;
    database.rows("VACUUM ANALYZE")?;
    let server = Server::antiphon_on(&bench.server, &directory, &database.url())?;
    told(bench, report, &server, &sample(&recipe.threads(), LISTENERS / REACHED), " on PostgreSQL")?;
    beside(bench, report, &server, &recipe.threads(), "PostgreSQL: ")?;
    server.stop()
}

/// How soon those who listen hear of a message.
fn told(bench: &Bench, report: &mut Report, server: &Server, threads: &[i64], on: &str) -> Result<()> {
    let listeners = listeners(server.address, threads)?;
    let mut rounds = Vec::new();
    let mut sent = Vec::new();
    for round in 0..=bench.rounds {
        let said = send(server.address, threads, bench.turn)?;
        // The first round warms up.
        if round > 0 {
            rounds.push(said.len());
        }
        sent.push(said);
    }
    std::thread::sleep(Duration::from_millis(300));
    let mut heard: HashMap<u128, Vec<Instant>> = HashMap::new();
    for (id, at) in listeners.stop()? {
        heard.entry(id).or_default().push(at);
    }
    let (mut behind, mut whole) = (Vec::new(), Vec::new());
    let (mut middle, mut reached) = (Vec::new(), 0);
    for said in &sent[1..] {
        let (mut commits, mut all) = (Vec::new(), Vec::new());
        for &Said { id, began, answered } in said {
            let times = heard.get(&id).context("nobody heard of a message")?;
            ensure!(times.len() == REACHED, "{} heard of a message", times.len());
            reached += times.len();
            for at in times {
                commits.push(at.saturating_duration_since(answered).as_secs_f64() * 1e3);
                all.push(at.saturating_duration_since(began).as_secs_f64() * 1e3);
            }
        }
        middle.push(quantile(&mut all, 0.5));
        behind.push(quantile(&mut commits, 0.99));
        whole.push(quantile(&mut all, 0.99));
    }
    let seconds = bench.turn.as_secs_f64() * bench.rounds as f64;
    progress(&format!(
        "{:.0} messages/s and {:.0} events/s were told, median {} after they were begun to be sent",
        rounds.iter().sum::<usize>() as f64 / seconds,
        reached as f64 / seconds,
        milliseconds(median(middle)),
    ));
    let what = format!("{RATE} messages/s to {REACHED} of {LISTENERS} listeners{on}");
    report.add(Line {
        what: format!("p99 from a message's answer to the first byte at a listener, {what}"),
        ours: milliseconds(median(behind.clone())),
        theirs: format!("{} from its request, with its commit", milliseconds(median(whole))),
        figure: median(behind),
        unit: Unit::Milliseconds,
        goal: Some(Mark::AtMost(10.0)),
    });
    Ok(())
}

pub(super) fn listeners(address: SocketAddr, threads: &[i64]) -> Result<Listeners> {
    let query = |n: usize| format!("?type=conversation.newMessage&threadId={}", threads[n % threads.len()]);
    let listeners = Listeners::open(address, (0..LISTENERS).map(query).collect())?;
    listeners.wait_for(LISTENERS)?;
    Ok(listeners)
}

fn quantile(times: &mut [f64], q: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get((times.len() as f64 * q) as usize).copied().unwrap_or(f64::NAN)
}

/// A message that was sent.
struct Said {
    id: u128,
    began: Instant,
    answered: Instant,
}

/// Sends at a steady rate, whatever becomes of it.
fn send(address: SocketAddr, threads: &[i64], time: Duration) -> Result<Vec<Said>> {
    let requests: Vec<Vec<u8>> = threads
        .iter()
        .map(|thread| {
            let body = seed::send_body(*thread, *thread as u64);
            ask("POST", &format!("{BASE}/threads/{thread}/messages"), &body)
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let began = Instant::now();
        let all = (time.as_secs_f64() * f64::from(RATE)) as usize;
        let one = |sender: usize| {
            let requests = &requests;
            async move {
                let mut client = Client::connect(address).await?;
                let (mut said, mut body) = (Vec::new(), Vec::new());
                for number in (sender..all).step_by(SENDERS) {
                    // Each at its own moment, so that they do not come in crowds.
                    let due = began + Duration::from_secs(1) * number as u32 / RATE;
                    tokio::time::sleep_until(due.into()).await;
                    let began = Instant::now();
                    body.clear();
                    let status = client.ask(&requests[number % requests.len()], Some(&mut body)).await?;
                    let answered = Instant::now();
                    ensure!(status == 201, "a send was answered with {status}");
                    said.push(Said { id: id(&body)?, began, answered });
                }
                anyhow::Ok(said)
            }
        };
        let mut all = Vec::new();
        for said in futures_util::future::join_all((0..SENDERS).map(one)).await {
            all.extend(said?);
        }
        Ok(all)
    })
}

/// The id of the message in an answer, where it comes first.
fn id(body: &[u8]) -> Result<u128> {
    let at = memchr::memmem::find(body, b"\"id\":\"").context("an answer without an id")? + 6;
    let id = body.get(at..at + 32).context("an id that is cut")?;
    u128::from_str_radix(std::str::from_utf8(id)?, 16).context("an id that is none")
}

/// What listeners cost those who send: the same load with them and without.
fn beside(bench: &Bench, report: &mut Report, server: &Server, threads: &[i64], on: &str) -> Result<()> {
    let load = bench.load(server.address, 64, &sends(threads));
    let (mut with, mut without) = (Vec::new(), Vec::new());
    let heard = &sample(threads, LISTENERS / REACHED);
    load.run()?;
    for _ in 0..bench.rounds {
        without.push(load.run()?);
        let listeners = listeners(server.address, heard)?;
        with.push(load.run()?);
        listeners.stop()?;
    }
    report.add(compared(
        format!("{on}sends at 64 connections beside {LISTENERS} listeners, against none"),
        rate(&with),
        rate(&without),
        Some(Mark::AtLeast(0.90)),
    ));
    Ok(())
}

/// What it takes that many listen to whom nothing is told, and that something is told to all of them at once.
fn idle(bench: &Bench, report: &mut Report) -> Result<()> {
    let recipe = small();
    let dir = copy_dir(&recipe.seeded(&bench.root)?, &bench.root.join("run/stream-idle"))?;
    let connections = (IDLE + 100).to_string();
    let server = Server::antiphon_with(
        &bench.server,
        &dir,
        "sqlite:",
        &[("ANTIPHON_SERVER__CONNECTIONS", &connections)],
    )?;
    let before = server.memory()?;
    let listeners = Listeners::open(server.address, vec![String::new(); IDLE])?;
    listeners.wait_for(IDLE)?;
    // Until each has had a heartbeat.
    std::thread::sleep(Duration::from_secs(16));
    let waiting = server.memory()?;
    report.add(Line {
        what: format!("resident memory with {IDLE} idle listeners"),
        ours: Unit::Megabytes.show(waiting.resident),
        theirs: format!("{} without", Unit::Megabytes.show(before.resident)),
        figure: waiting.resident,
        unit: Unit::Megabytes,
        goal: Some(Mark::AtMost(300.0)),
    });
    let thread = recipe.threads()[0];
    let body = seed::send_body(thread, 1);
    let began = Instant::now();
    fetch(server.address, &ask("POST", &format!("{BASE}/threads/{thread}/messages"), &body))?;
    while listeners.heard.load(std::sync::atomic::Ordering::Relaxed) < IDLE as u64 {
        ensure!(began.elapsed() < Duration::from_secs(30), "not everybody heard");
        std::thread::sleep(Duration::from_micros(200));
    }
    let all = began.elapsed().as_secs_f64() * 1e3;
    report.add(Line {
        what: format!("one message until all of {IDLE} listeners have heard"),
        ours: milliseconds(all),
        theirs: format!("{} then", Unit::Megabytes.show(server.memory()?.resident)),
        figure: all,
        unit: Unit::Milliseconds,
        goal: None,
    });
    let _: Vec<Heard> = listeners.stop()?;
    server.stop()
}

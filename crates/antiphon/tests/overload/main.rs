//! Overload sheds, it does not fall over; and clients that are slow, silent or many keep nobody else waiting.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod load;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_testkit::{Connection, Disk, Home, Program, Running, SEED_TOKEN, seed};
use load::{fire, get, post};
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_setaffinity};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PREFIX: &str = "/conversations/v3/conversations";

const BINARY: &str = env!("CARGO_BIN_EXE_antiphon");

/// A seeded portal on the embedded engine: what is measured here is in front of the store.
async fn seeded() -> Home {
    let home = Home::embedded();
    seed(&home, 200).await.unwrap();
    home
}

/// The program on a seeded portal, without rate limits.
async fn serving(change: impl FnOnce(Program) -> Program) -> (Program, Running, Home) {
    let home = seeded().await;
    let program = change(home.program(BINARY)).env("ANTIPHON_LIMITS__ENABLED", "false");
    let running = program.start().await.unwrap();
    (program, running, home)
}

/// Where to comment: in each of the portal's threads.
async fn paths(program: &Program) -> Vec<String> {
    let mut server = Connection::open(program.address, SEED_TOKEN).await.unwrap();
    let threads = server.all(&format!("{PREFIX}/threads")).await.unwrap();
    threads
        .iter()
        .map(|thread| format!("{PREFIX}/threads/{}/messages", thread["id"].as_str().unwrap()))
        .collect()
}

/// How a server is brought to its limit and beyond.
struct Flood {
    /// As many as ask at once when its capacity is taken.
    clients: usize,
    /// As many as offer a given rate, so that none waits for a free connection.
    connections: usize,
    lasting: Duration,
    /// The part of its capacity that must be left.
    keeps: f64,
    /// By which metric it says why it sheds.
    reason: &'static str,
}

/// Four times what it can take: it takes about as much as before, whoever is accepted waits no longer than twice what they
/// waited at 80 %, everybody else hears 503, and nothing is left of it afterwards. Figures are compared with figures of the
/// same minute, and are taken again when the machine had something else to do in one half of it.
async fn sheds(program: &Program, running: &Running, shots: &[Arc<[u8]>], flood: Flood) {
    for attempt in 1.. {
        match flooded(program, running, shots, &flood).await {
            Ok(()) => return,
            Err(figures) if attempt < 5 => println!("attempt {attempt}: {figures}"),
            Err(figures) => panic!("{figures}"),
        }
    }
}

/// Floods the server once.
///
/// # Errors
///
/// The figure that is not as it should be. What depends on no clock panics.
async fn flooded(
    program: &Program,
    running: &Running,
    shots: &[Arc<[u8]>],
    flood: &Flood,
) -> Result<(), String> {
    let seconds = Duration::from_secs;
    let Flood { clients, connections, lasting, keeps, reason } = *flood;
    let capacity = fire(program.address, shots, clients, None, seconds(4)).await.rate();
    let busy = fire(program.address, shots, connections, Some(capacity * 0.8), seconds(10)).await;
    println!("capacity {capacity:.0}/s; {busy}");
    assert!(busy.wrong.is_empty(), "{:?}", busy.wrong.first());

    let overload = tokio::spawn({
        let (address, shots) = (program.address, shots.to_vec());
        async move { fire(address, &shots, connections, Some(capacity * 4.0), lasting).await }
    });
    let mut memory = Vec::new();
    let mut server = Connection::open(program.address, SEED_TOKEN).await.unwrap();
    let mut metrics = String::new();
    while !overload.is_finished() {
        tokio::time::sleep(seconds(1)).await;
        memory.push(running.memory_kib("RssAnon") / 1024);
        for page in ["/healthz", "/readyz", "/metrics"] {
            let reply = server.get(page).await.unwrap();
            assert_eq!(reply.status, 200, "{page} is not answered under overload");
            metrics = reply.text();
        }
    }
    let overload = overload.await.unwrap();
    println!("{overload}; memory {memory:?} MiB");
    assert!(overload.wrong.is_empty(), "{} such as {:?}", overload.wrong.len(), overload.wrong.first());
    // What is not synced yet is kept twice on the disk that is slow, and counts here.
    let most =
        |third: usize| *memory.chunks(memory.len().div_ceil(3)).nth(third).unwrap().iter().max().unwrap();
    assert!(most(2) <= 200 && most(2) <= most(1) + 20, "memory grows: {memory:?} MiB");
    let calm = fire(program.address, shots, 8, None, seconds(2)).await;
    let refused = calm.refused.len();
    assert!(calm.wrong.is_empty() && refused == 0, "it does not recover: {refused} refused");

    let is = |holds: bool, else_says: String| if holds { Ok(()) } else { Err(else_says) };
    is(overload.offered() > capacity * 3.5, "the generator could not offer enough".into())?;
    let shed = format!("antiphon_requests_shed_total{{reason=\"{reason}\"}} ");
    let shed = metrics.lines().find_map(|line| line.strip_prefix(&shed)?.parse().ok()).unwrap_or(0);
    let refused = overload.refused.len();
    is(refused > 0 && shed > refused / 2, format!("of {refused} refusals {shed} were for {reason}"))?;
    is(overload.rate() > capacity * keeps, "overload ate the capacity".into())?;
    let (accepted, at_ease) = (overload.p99(), busy.p99());
    is(accepted <= at_ease * 2, format!("accepted p99 {accepted:?}, at 80 % {at_ease:?}"))
}

/// The disk takes a fifth of a second for each sync, so that it is what limits the server: four times what it can take is then
/// little for the processor, which the load shares with the server, and the figures do not depend on the machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_times_what_the_disk_takes() {
    let home = seeded().await;
    let disk = Disk::new(&home.path().join("slow"), &home.data()).unwrap();
    let program =
        disk.program(BINARY, 0).env("POWERCUT_DELAY_US", "200000").env("ANTIPHON_LIMITS__ENABLED", "false");
    let running = program.start().await.unwrap();
    let body = json!({ "type": "COMMENT", "text": "x".repeat(600) }).to_string();
    let shots: Vec<_> = paths(&program).await.iter().map(|path| post(path, &body)).collect();
    let flood = Flood {
        clients: 400,
        connections: 2000,
        lasting: Duration::from_secs(20),
        keeps: 0.7,
        reason: "queue",
    };
    sheds(&program, &running, &shots, flood).await;
}

/// The server on a core of its own and the load on the others: the processor is what limits it.
async fn on_one_core() -> (Program, Running, Home) {
    let cores = std::thread::available_parallelism().unwrap().get();
    let mut others = CpuSet::new();
    (1.min(cores - 1)..cores).for_each(|core| others.set(core));
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let task: i32 = task.unwrap().file_name().to_str().unwrap().parse().unwrap();
        sched_setaffinity(Pid::from_raw(task), &others).unwrap();
    }
    serving(|program| program.through(&["taskset", "--cpu-list", "0"])).await
}

/// A comment as people write them, long enough that four times as many requests as the server can answer are not more than
/// it can refuse: a refusal has its price as well, however little is done for it.
fn rich() -> String {
    let paragraph = |n| {
        let link = format!("<a href=\"https://shop.example/orders/{n}\">order &amp; refund</a>");
        format!(
            "<p>Hello <b>number {n}</b>, your {link} is on its <i>way</i>.</p><ul><li>one</li><li>two</li></ul>"
        )
    };
    json!({ "type": "COMMENT", "richText": (0..48).map(paragraph).collect::<String>() }).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_times_the_sends_the_processor_takes_for_a_minute() {
    let (program, running, _home) = on_one_core().await;
    let body = rich();
    let shots: Vec<_> = paths(&program).await.iter().map(|path| post(path, &body)).collect();
    let flood =
        Flood { clients: 8, connections: 400, lasting: Duration::from_secs(60), keeps: 0.4, reason: "loop" };
    sheds(&program, &running, &shots, flood).await;
}

/// Pages are packed, as every official client asks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_times_the_reads_the_processor_takes() {
    let (program, running, _home) = on_one_core().await;
    let (body, paths) = (rich(), paths(&program).await);
    let threads = &paths[..5];
    let comments: Vec<_> = threads.iter().map(|path| post(path, &body)).collect();
    let mut written = 0;
    while written < 600 {
        let some = fire(program.address, &comments, 8, None, Duration::from_secs(2)).await;
        assert!(some.wrong.is_empty() && some.refused.is_empty(), "{:?}", some.wrong.first());
        written += some.accepted.len();
    }
    let shots: Vec<_> = threads.iter().map(|path| get(&format!("{path}?limit=100"))).collect();
    let flood =
        Flood { clients: 8, connections: 400, lasting: Duration::from_secs(20), keeps: 0.4, reason: "loop" };
    sheds(&program, &running, &shots, flood).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_connections_at_once() {
    let (program, _running, _home) = serving(|program| program).await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..1000 {
        let address = program.address;
        tasks.spawn(async move {
            let mut server = Connection::open(address, SEED_TOKEN).await?;
            // All are open when the first asks; that all ask at once is another matter.
            tokio::time::sleep(Duration::from_millis(500 + number)).await;
            let reply = server.get(&format!("{PREFIX}/threads?limit=1")).await?;
            io::Result::Ok(reply.status)
        });
    }
    while let Some(status) = tasks.join_next().await {
        assert_eq!(status.unwrap().unwrap(), 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_too_many_is_refused_at_once() {
    let (program, _running, _home) =
        serving(|program| program.env("ANTIPHON_SERVER__CONNECTIONS", "20")).await;
    let mut open = Vec::new();
    for _ in 0..20 {
        let mut server = Connection::open(program.address, SEED_TOKEN).await.unwrap();
        if server.get("/healthz").await.is_ok_and(|reply| reply.status == 200) {
            open.push(server);
        }
    }
    let since = Instant::now();
    let mut server = TcpStream::connect(program.address).await.unwrap();
    server.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    server.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.to_lowercase().contains("retry-after: 1"), "{answer}");
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    drop(open);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut server = Connection::open(program.address, SEED_TOKEN).await.unwrap();
    assert_eq!(server.get("/healthz").await.unwrap().status, 200, "the places are free again");
}

/// Opens a connection that says this and then nothing.
async fn stuck(program: &Program, words: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(program.address).await.unwrap();
    stream.write_all(words).await.unwrap();
    stream
}

/// How long until the server gives a connection up.
async fn given_up(mut stream: TcpStream) -> Duration {
    let since = Instant::now();
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "a stuck connection is kept forever");
    since.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_silent_and_half_open_clients_keep_nobody_waiting() {
    let (program, _running, _home) = serving(|program| {
        program.env("ANTIPHON_SERVER__IDLE_SECONDS", "3").env("ANTIPHON_SERVER__REQUEST_SECONDS", "3")
    })
    .await;
    let path = paths(&program).await.remove(0);
    let half_body = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SEED_TOKEN}\r\ncontent-length: 900\r\n\r\n{{\"type\":"
    );
    let mut silent = Vec::new();
    for words in [&b""[..], b"GET /healthz HTTP/1.1\r\nho", half_body.as_bytes()] {
        for _ in 0..200 {
            silent.push(stuck(&program, words).await);
        }
    }
    // A header that grows by a byte now and then never ends and never rests.
    let mut dripping = stuck(&program, b"GET /healthz HTTP/1.1\r\nx-drip: ").await;
    let drip = tokio::spawn(async move {
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(20) && dripping.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        since.elapsed()
    });

    let mut server = Connection::open(program.address, SEED_TOKEN).await.unwrap();
    let mut times = Vec::new();
    for _ in 0..500 {
        let since = Instant::now();
        assert_eq!(server.get(&format!("{PREFIX}/threads?limit=1")).await.unwrap().status, 200);
        times.push(since.elapsed());
    }
    times.sort_unstable();
    assert!(times[495] < Duration::from_millis(50), "p99 {:?}", times[495]);

    for stream in silent {
        given_up(stream).await;
    }
    assert!(drip.await.unwrap() < Duration::from_secs(10), "a header that drips is never cut off");
    let mut server = Connection::open(program.address, SEED_TOKEN).await.unwrap();
    assert_eq!(server.get("/healthz").await.unwrap().status, 200);
}

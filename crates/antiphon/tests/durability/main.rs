//! An acknowledged message is never lost and never doubled: not by a crash, not by a power cut, not by a full disk. The real
//! program runs in a process of its own; an oracle in this one judges it by what it has answered.
//!
//! What is about files and disks is about the embedded engine and stays there; `database.rs` is about the other one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod chats;
mod database;
mod files;
mod oracle;
mod small_disk;
mod stream;
mod told;
mod uses;
mod visitors;

use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_testkit::{Connection, Dial, Disk, Home, Program, SEED_TOKEN, seed};
use oracle::Oracle;
use small_disk::Filler;
use stream::{Place, flood, send};

const BINARY: &str = env!("CARGO_BIN_EXE_antiphon");
const SENDERS: usize = 16;
/// Threads that are written to at a time, and how often others take their place: histories stay short and quickly judged.
const PLACES: usize = 6;
const GROUPS: usize = 20;

/// Fills a home with one portal, and leaves it in peace.
async fn seeded(home: &Home) -> Vec<Place> {
    let seed = seed(home, PLACES * GROUPS).await.unwrap();
    let place = |(number, thread): (usize, String)| Place {
        thread,
        account: seed.account.clone(),
        agent: seed.agent.clone(),
        visitor: format!("visitor-{number}"),
    };
    seed.threads.into_iter().enumerate().map(place).collect()
}

/// The program without rate limits, which would end every stream.
fn unlimited(program: Program) -> Program {
    program.env("ANTIPHON_LIMITS__ENABLED", "false")
}

fn threads(places: &[Place]) -> Vec<String> {
    places.iter().map(|place| place.thread.clone()).collect()
}

async fn judge(program: &Program, oracle: &Oracle, places: &[Place]) -> Result<(), String> {
    let mut connection = Connection::open(program.address, SEED_TOKEN).await.map_err(|e| e.to_string())?;
    oracle.judge(&mut connection, &threads(places)).await
}

/// How long a server is left alone at most, in microseconds.
const SOON: u64 = 120_000;

/// Kills the server again and again in the middle of a stream of sends. `between` is what happens to the disk meanwhile.
async fn kills(
    program: &Program,
    (rounds, micros): (usize, u64),
    all: &[Place],
    between: impl Fn() -> std::io::Result<()>,
) -> Result<usize, String> {
    let oracle = Arc::new(Oracle::default());
    let mut server = program.start().await.map_err(|e| e.to_string())?;
    judge(program, &oracle, all).await?;
    for round in 0..rounds {
        let here = &all[round / 10 % GROUPS * PLACES..][..PLACES];
        let mut senders = flood(program.address, &oracle, here, SENDERS);
        tokio::time::sleep(Duration::from_micros(fastrand::u64(1_000..micros))).await;
        server.kill().map_err(|e| e.to_string())?;
        while senders.join_next().await.transpose().map_err(|e| e.to_string())?.is_some() {}
        between().map_err(|e| e.to_string())?;
        server = program.start().await.map_err(|e| e.to_string())?;
        judge(program, &oracle, here).await.map_err(|e| format!("after kill {round}: {e}"))?;
    }
    judge(program, &oracle, all).await?;
    Ok(oracle.count())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_kills_lose_nothing() {
    let home = Home::durable();
    let places = seeded(&home).await;
    let program = unlimited(home.program(BINARY));
    // It takes a moment until there are connections to a database.
    let micros = if home.database().is_some() { 3 * SOON } else { SOON };
    let acknowledged = kills(&program, (200, micros), &places, || Ok(())).await.unwrap();
    println!("{acknowledged} acknowledged messages survived 200 kills");
    assert!(acknowledged > 2_000, "only {acknowledged} messages were acknowledged");
}

/// A log so short that the power is often cut while it is written back.
async fn cuts(leak: u32) {
    let home = Home::embedded();
    let places = seeded(&home).await;
    let disk = Disk::new(&home.path().join("disk"), &home.data()).unwrap();
    let program = unlimited(disk.program(BINARY, leak)).env("ANTIPHON_WRITER__WAL_BYTES", "300000");
    let acknowledged = kills(&program, (40, SOON), &places, || disk.cut()).await.unwrap();
    let written_back = disk.read(Dial::OtherSyncs).unwrap();
    println!(
        "{acknowledged} acknowledged messages survived 40 power cuts and {written_back} syncs of the database"
    );
    assert!(written_back > 40, "the log was hardly ever written back");
    assert!(acknowledged > 200, "only {acknowledged} messages were acknowledged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_cuts_lose_nothing() {
    cuts(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_cuts_with_torn_writes_lose_nothing() {
    cuts(300).await;
}

/// The proof of the proof: without syncs the same test must fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_oracle_notices_when_nothing_is_synced() {
    let home = Home::embedded();
    let places = seeded(&home).await;
    let disk = Disk::new(&home.path().join("disk"), &home.data()).unwrap();
    let program = unlimited(disk.program(BINARY, 0)).env("ANTIPHON_UNSAFE_NO_SYNC", "1");
    let verdict = kills(&program, (10, SOON), &places, || disk.cut()).await.unwrap_err();
    println!("{verdict}");
    assert!(verdict.contains("lost"), "{verdict}");
}

/// Runs a command of the program to its end.
async fn command(arguments: &[&str]) {
    let mut command = std::process::Command::new(BINARY);
    command.args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_holds_what_was_acknowledged() {
    let home = Home::embedded();
    let places = seeded(&home).await;
    let (data, file, restored) = (home.data(), home.path().join("backup"), home.path().join("restored"));
    let [from, file, to] = [&data, &file, &restored].map(|path| path.to_str().unwrap());
    let program = unlimited(home.program(BINARY));
    let server = program.start().await.unwrap();
    let oracle = Arc::new(Oracle::default());
    let mut senders = flood(program.address, &oracle, &places[..PLACES], SENDERS);
    tokio::time::sleep(Duration::from_secs(1)).await;

    let begun = oracle.clock();
    command(&["backup", file, "--data-dir", from]).await;
    server.kill().unwrap();
    while senders.join_next().await.transpose().unwrap().is_some() {}

    let copy = oracle.of_a_copy(begun);
    println!("{} acknowledged messages belong into the backup", copy.count());
    assert!(copy.count() > 50 && copy.count() < oracle.count(), "nothing went on meanwhile");
    command(&["restore", file, "--data-dir", to]).await;
    // A backup has no key in it.
    std::fs::copy(data.join("secret.key"), restored.join("secret.key")).unwrap();
    let program = unlimited(Program::new(BINARY, &restored));
    let server = program.start().await.unwrap();
    judge(&program, &copy, &places).await.unwrap();
    drop(server);
}

#[tokio::test]
async fn one_sync_per_send_at_one_connection() {
    let home = Home::embedded();
    let places = seeded(&home).await;
    let disk = Disk::new(&home.path().join("disk"), &home.data()).unwrap();
    let program = unlimited(disk.program(BINARY, 0));
    let server = program.start().await.unwrap();
    let oracle = Oracle::default();
    let mut connection = Connection::open(program.address, SEED_TOKEN).await.unwrap();
    assert_eq!(send(&mut connection, &oracle, &places[0]).await.unwrap(), 201);
    for sent in 1..=50 {
        let before = disk.read(Dial::WalSyncs).unwrap();
        assert_eq!(send(&mut connection, &oracle, &places[sent % PLACES]).await.unwrap(), 201);
        assert_eq!(disk.read(Dial::WalSyncs).unwrap() - before, 1, "send {sent}");
    }
    drop(server);
}

/// Sends until it is answered like this.
async fn becomes(status: u16, connection: &mut Connection, oracle: &Oracle, place: &Place) {
    let since = Instant::now();
    while send(connection, oracle, place).await.unwrap() != status {
        assert!(since.elapsed() < Duration::from_secs(10), "sends never become {status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What takes the disk away, and what it does while it is gone.
async fn trouble(dial: Dial, bad: i64, good: i64) {
    let home = Home::embedded();
    let places = seeded(&home).await;
    let disk = Disk::new(&home.path().join("disk"), &home.data()).unwrap();
    let program = unlimited(disk.program(BINARY, 0));
    let server = program.start().await.unwrap();
    let oracle = Arc::new(Oracle::default());
    let mut connection = Connection::open(program.address, SEED_TOKEN).await.unwrap();
    for place in &places {
        assert_eq!(send(&mut connection, &oracle, place).await.unwrap(), 201);
    }

    let mut senders = flood(program.address, &oracle, &places, SENDERS);
    disk.turn(dial, bad).unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(send(&mut connection, &oracle, &places[0]).await.unwrap(), 503, "writes are refused");
    judge(&program, &oracle, &places[1..2]).await.expect("reads continue");

    disk.turn(dial, good).unwrap();
    becomes(201, &mut connection, &oracle, &places[0]).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.kill().unwrap();
    while senders.join_next().await.transpose().unwrap().is_some() {}
    disk.cut().unwrap();
    let server = program.start().await.unwrap();
    judge(&program, &oracle, &places).await.unwrap();
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_recovers() {
    trouble(Dial::Space, 100_000, i64::MAX).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_disk_refuses_and_recovers() {
    trouble(Dial::ReadOnly, 1, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_cannot_sync_refuses_and_recovers() {
    trouble(Dial::SyncError, 1, 0).await;
}

/// Somebody else takes more and more of the disk, until less than 5 % of it are free.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nearly_full_disk_is_left_alone() {
    let home = Home::embedded();
    let places = seeded(&home).await;
    let disk = Disk::new(&home.path().join("disk"), &home.data()).unwrap();
    let program = unlimited(disk.program(BINARY, 0));
    let server = program.start().await.unwrap();
    let oracle = Oracle::default();
    let mut connection = Connection::open(program.address, SEED_TOKEN).await.unwrap();
    for (taken, status) in [(940, 201), (955, 503), (945, 201), (1000, 503), (10, 201)] {
        disk.turn(Dial::Taken, taken).unwrap();
        becomes(status, &mut connection, &oracle, &places[0]).await;
        judge(&program, &oracle, &places[..2]).await.expect("reads continue");
        // What is known of the disk is good for a second. This answer has to stay.
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert_eq!(send(&mut connection, &oracle, &places[0]).await.unwrap(), status, "{taken} of 1000");
    }
    judge(&program, &oracle, &places).await.unwrap();
    assert!(server.stop().await.unwrap().success());
    if let Some(program) = small_disk::program(BINARY, &home.data(), &home.path().join("small")) {
        fill(&unlimited(program), &places).await;
    }
}

/// The same once more on a real small disk, where the machine allows mounting one: kernels count as they like.
async fn fill(program: &Program, places: &[Place]) {
    let server = program.start().await.unwrap();
    let oracle = Oracle::default();
    let mut connection = Connection::open(program.address, SEED_TOKEN).await.unwrap();
    becomes(201, &mut connection, &oracle, &places[0]).await;
    for free in [2 << 20, 0] {
        let filler = Filler::leaving(&server, &program.data_dir, free);
        becomes(503, &mut connection, &oracle, &places[0]).await;
        judge(program, &oracle, &places[..2]).await.expect("reads continue");
        filler.remove();
        becomes(201, &mut connection, &oracle, &places[0]).await;
    }
    judge(program, &oracle, places).await.unwrap();
    assert!(server.stop().await.unwrap().success());
}

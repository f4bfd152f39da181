//! A gigabyte up and down: how fast, beside a bare loop over the same HTTP stack, and how much memory that takes.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::token;
use crate::Bench;
use crate::limits;
use crate::load::{fetch, request};
use crate::report::{Line, Mark, Report, Unit, median, progress};
use crate::seed::Recipe;
use crate::server::{Server, copy_dir};

/// Bytes of a file.
const SIZE: usize = 1 << 30;

/// Bytes that are repeated in it.
const BLOCK: usize = 1 << 20;

/// What a file may take of memory while it goes up or down.
const MEMORY: f64 = 64.0;

/// Files are big: three of each are enough.
const ROUNDS: usize = 3;

/// How long one of them may take.
const PATIENCE: Duration = Duration::from_secs(120);

const BOUNDARY: &str = "a-gigabyte-that-is-not-in-it";

pub fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let recipe = Recipe::empty();
    progress("starting on an empty store (files)");
    let directory = copy_dir(&recipe.seeded(&bench.root)?, &bench.root.join("run/files"))?;
    let most = (2 * SIZE).to_string();
    let server = Server::antiphon_with(
        &bench.server,
        &directory,
        "sqlite:",
        &[("ANTIPHON_FILES__MAX_BYTES", &most), ("ANTIPHON_FILES__KEEP_DAYS", "0")],
    )?;
    let token = token(&server, &["files"])?;
    let bearer = format!("Bearer {token}");
    let aside = bench.root.join("run/bare-files");
    std::fs::create_dir_all(&aside)?;
    let bare = limits::files::serve(&aside)?;

    let (mut up, mut down, mut bare_up, mut bare_down) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut grown = 0.0_f64;
    // A small one first, so that everything that is made once is there.
    for (round, size) in std::iter::once(8 * BLOCK).chain([SIZE; ROUNDS]).enumerate() {
        let mut dice = fastrand::Rng::with_seed(round as u64);
        let block: Vec<u8> = std::iter::repeat_with(|| dice.u8(..)).take(BLOCK).collect();
        let (before, after) = form();
        let head = [
            ("authorization", bearer.as_str()),
            ("content-type", &format!("multipart/form-data; boundary={BOUNDARY}")),
            ("content-length", &(before.len() + size + after.len()).to_string()),
        ];
        let head = request("POST", "/files/v3/files", &head, b"");
        let ((took, answer), peak_up) = watched(&server, || {
            sent(server.address, &head, before.as_bytes(), &block, size, after.as_bytes())
        })?;
        let file: Value = serde_json::from_slice(&answer)?;
        let id = file["id"].as_str().context("a file without an id")?;
        let get = |path: &str| request("GET", path, &[("authorization", &bearer)], b"");
        let download = get(&format!("/files/v3/files/{id}/download"));
        let (got, peak_down) = watched(&server, || received(server.address, &download, &block, size))?;
        let erase = format!("/files/v3/files/{id}/gdpr-delete");
        fetch(server.address, &request("DELETE", &erase, &[("authorization", &bearer)], b""))?;

        let head = request("POST", "/", &[("content-length", &size.to_string())], b"");
        let (bare_took, _) = sent(bare, &head, b"", &block, size, b"")?;
        let bare_got = received(bare, &request("GET", "/", &[], b""), &block, size)?;
        if round > 0 {
            let rate = |took: Duration| size as f64 / took.as_secs_f64();
            up.push(rate(took));
            down.push(rate(got));
            bare_up.push(rate(bare_took));
            bare_down.push(rate(bare_got));
            grown = grown.max(peak_up).max(peak_down);
        }
    }
    server.stop()?;
    std::fs::remove_dir_all(&aside)?;
    for (what, ours, theirs) in [("up", up, bare_up), ("down", down, bare_down)] {
        let (ours, theirs) = (median(ours), median(theirs));
        let show = |rate: f64| format!("{:.0} MB/s", rate / 1e6);
        report.add(Line {
            what: format!("1 GiB {what}, against a bare loop that hashes and syncs"),
            ours: show(ours),
            theirs: show(theirs),
            figure: ours / theirs,
            unit: Unit::Percent,
            goal: Some(Mark::AtLeast(0.80)),
        });
    }
    report.add(Line {
        what: "anonymous memory that a file of 1 GiB takes while it goes up or down, at most".into(),
        ours: Unit::Megabytes.show(grown),
        theirs: "–".into(),
        figure: grown,
        unit: Unit::Megabytes,
        goal: Some(Mark::AtMost(MEMORY)),
    });
    Ok(())
}

/// What stands before the bytes of the file, and behind them.
fn form() -> (String, String) {
    let before = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"gigabyte.bin\"\r\n\
         content-type: application/octet-stream\r\n\r\n"
    );
    (before, format!("\r\n--{BOUNDARY}--\r\n"))
}

/// Does something, and says by how much the server's own memory was above what it had been before, at most.
fn watched<T>(server: &Server, work: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let before = server.memory()?.anonymous;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| -> Result<f64> {
            let mut most = before;
            while !done.load(Ordering::Relaxed) {
                most = most.max(server.memory()?.anonymous);
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(most)
        });
        let worked = work();
        done.store(true, Ordering::Relaxed);
        let most = watching.join().map_err(|_| anyhow::anyhow!("the watching thread panicked"))??;
        Ok((worked?, most - before))
    })
}

/// Sends a request with so many bytes of repeated blocks in its body: how long it took until the answer, and the answer.
fn sent(
    address: SocketAddr,
    head: &[u8],
    before: &[u8],
    block: &[u8],
    size: usize,
    after: &[u8],
) -> Result<(Duration, Vec<u8>)> {
    alone(async {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let began = Instant::now();
        stream.write_all(head).await?;
        stream.write_all(before).await?;
        for _ in 0..size / block.len() {
            stream.write_all(block).await?;
        }
        stream.write_all(after).await?;
        let (mut answer, length) = answered(&mut stream).await?;
        while answer.len() < length {
            ensure!(stream.read_buf(&mut answer).await? > 0, "the connection was closed inside the answer");
        }
        Ok((began.elapsed(), answer))
    })
}

/// Asks for a file, and how long it took until all of it was there.
fn received(address: SocketAddr, request: &[u8], block: &[u8], size: usize) -> Result<Duration> {
    alone(async {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let began = Instant::now();
        stream.write_all(request).await?;
        let (first, length) = answered(&mut stream).await?;
        ensure!(length == size, "{length} bytes came instead of {size}");
        let mut at = checked(&first, block, 0)?;
        let mut buffer = vec![0; 256 << 10];
        while at < size {
            let read = stream.read(&mut buffer).await?;
            ensure!(read > 0, "the connection was closed inside the file");
            at = checked(&buffer[..read], block, at)?;
        }
        Ok(began.elapsed())
    })
}

fn alone<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await.context("no answer in time")? })
}

/// Reads the head of an answer, which must be a success: what came of its body, and how long that is.
async fn answered(stream: &mut TcpStream) -> Result<(Vec<u8>, usize)> {
    let mut bytes = Vec::with_capacity(64 << 10);
    loop {
        ensure!(stream.read_buf(&mut bytes).await? > 0, "the connection was closed before the answer");
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(head) = response.parse(&bytes)? else { continue };
        let status = response.code.unwrap_or(0);
        let length = response.headers.iter().find(|one| one.name.eq_ignore_ascii_case("content-length"));
        let length = length.context("an answer without a length")?;
        let length = std::str::from_utf8(length.value)?.trim().parse()?;
        let body = bytes.split_off(head);
        ensure!((200..300).contains(&status), "{status}: {}", String::from_utf8_lossy(&body));
        return Ok((body, length));
    }
}

/// That some bytes are those which stand there in a file of repeated blocks; where the next ones do.
fn checked(mut bytes: &[u8], block: &[u8], mut at: usize) -> Result<usize> {
    while !bytes.is_empty() {
        let expected = &block[at % block.len()..];
        let here = expected.len().min(bytes.len());
        ensure!(bytes[..here] == expected[..here], "other bytes came than were sent, from {at} on");
        (at, bytes) = (at + here, &bytes[here..]);
    }
    Ok(at)
}

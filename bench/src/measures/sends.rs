//! Sends, each durable before its answer, beside a bare loop that commits the same rows (L1) and a bare append.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::{compared, large, milliseconds, quantile, rate, sends, small};
use crate::Bench;
use crate::limits::{database, disk, writes::Writer};
use crate::load::{Load, fetch};
use crate::report::{Line, Mark, Report, Unit, median, progress};
use crate::rivals::finish;
use crate::server::{Server, copy_dir};

pub fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let (few, many) = (small(), large());
    let requests = sends(&many.threads());
    let server = bench.server(&many, "sends")?;
    let bare = copy_dir(&many.seeded(&bench.root)?, &bench.root.join("run/bare"))?;
    let mut bare = Writer::open(&database(&bare)?)?;

    // How many a batch holds is the server's own doing, so it is asked before the bare loop starts.
    let load = |connections| bench.load(server.address, connections, &requests);
    let settled = batch_of(&server, &load(256))?;
    progress(&format!("256 connections make batches of {settled}"));
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for _ in 0..bench.rounds {
        ours.push(load(256).run()?);
        theirs.push(bare.run(settled, bench.turn)?);
    }
    report.add(compared(
        format!("sends at 256 connections, against L1 in batches of {settled}"),
        rate(&ours),
        median(theirs),
        Some(Mark::AtLeast(0.90)),
    ));

    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for _ in 0..bench.rounds {
        ours.push(load(1).run()?);
        theirs.push(bare.run(1, bench.turn)?);
    }
    report.add(compared(
        "sends at 1 connection, against L1 one by one",
        rate(&ours),
        median(theirs),
        Some(Mark::AtLeast(0.65)),
    ));
    syncs(bench, &server, &load(1), report)?;

    let mut ours = Vec::new();
    let mut appends = Vec::new();
    let mut beside = Vec::new();
    for _ in 0..bench.rounds {
        // Long enough to hold checkpoints.
        let turn = bench.turn * 2;
        ours.push(Load { time: turn, ..load(64) }.run()?);
        appends.push(disk::append_p99(&bench.root, bench.turn)?);
        // The same disk, as busy as sends make it.
        beside.push(std::thread::scope(|scope| {
            let sending = scope.spawn(|| Load { time: turn, ..load(64) }.run());
            let append = disk::append_p99(&bench.root, turn);
            sending.join().map_err(|_| anyhow::anyhow!("the sending thread panicked"))??;
            append
        })?);
    }
    let (p99, append, beside) = (quantile(&ours, 0.99), median(appends), median(beside));
    report.add(Line {
        what: "p99 of sends at 64 connections, against a bare synced append".into(),
        ours: milliseconds(p99),
        theirs: milliseconds(append),
        figure: p99 / append,
        unit: Unit::Times,
        goal: Some(Mark::AtMost(5.0)),
    });
    report.add(Line {
        what: "p99 of sends at 64 connections, against a synced append beside them".into(),
        ours: milliseconds(p99),
        theirs: milliseconds(beside),
        figure: p99 / beside,
        unit: Unit::Times,
        goal: None,
    });
    // 64 connections that wait for their answers cannot be answered faster, on average, than this many take.
    let bound = 64.0 / bare.run(32, bench.turn)? * 1000.0;
    report.add(Line {
        what: "p99 of sends at 64 connections, against the mean that L1's rate in batches of 32 allows"
            .into(),
        ours: milliseconds(p99),
        theirs: milliseconds(bound),
        figure: p99 / bound,
        unit: Unit::Times,
        goal: None,
    });
    drop(bare);

    let early = bench.server(&few, "sends")?;
    let mut before = Vec::new();
    let mut after = Vec::new();
    for _ in 0..bench.rounds {
        before.push(Load { address: early.address, ..load(64) }.run()?);
        after.push(load(64).run()?);
    }
    report.add(compared(
        "sends at 64 connections, 1 million against 10 thousand messages",
        rate(&after),
        rate(&before),
        Some(Mark::AtLeast(0.80)),
    ));
    early.stop()?;

    let memory = server.memory()?;
    report.add(Line {
        what: "anonymous memory after full load on 1 million messages".into(),
        ours: Unit::Megabytes.show(memory.anonymous),
        theirs: format!("{} resident with mapped pages", Unit::Megabytes.show(memory.resident)),
        figure: memory.anonymous,
        unit: Unit::Megabytes,
        goal: Some(Mark::AtMost(100.0)),
    });
    server.stop()
}

/// Sends per transaction under a load.
pub(super) fn batch_of(server: &Server, load: &Load) -> Result<usize> {
    Load { time: Duration::from_millis(500), ..load.clone() }.run()?;
    let (batches, changes) = (server.metric(BATCHES)?, server.metric(CHANGES)?);
    load.run()?;
    let (batches, changes) = (server.metric(BATCHES)? - batches, server.metric(CHANGES)? - changes);
    ensure!(batches > 0.0, "the server counted no batch");
    Ok((changes / batches).round().max(1.0) as usize)
}

const BATCHES: &str = "antiphon_writer_batches_total";
const CHANGES: &str = "antiphon_writer_changes_total";

/// Counts what the kernel was asked to sync while one connection sends.
fn syncs(bench: &Bench, server: &Server, load: &Load, report: &mut Report) -> Result<()> {
    const SENDS: usize = 500;
    let trace = std::env::temp_dir().join(format!("antiphon-syncs-{}", server.pid()));
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=fsync,fdatasync", "-o"]).arg(&trace);
    strace.args(["-p", &server.pid().to_string()]).stderr(Stdio::null());
    let mut tracer = match strace.spawn() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            progress("installing strace");
            let mut install = Command::new("apt-get");
            install.args(["install", "--yes", "strace"]);
            finish(install, &bench.root.join("strace.log"))
                .context("strace counts the syncs: install it, or be root for this run")?;
            strace.spawn()?
        }
        started => started?,
    };
    let lines = || std::fs::read_to_string(&trace).unwrap_or_default();
    // The tracer is there once it has seen a send's sync.
    let began = Instant::now();
    while !lines().contains("sync(") {
        ensure!(began.elapsed() < Duration::from_secs(10), "strace saw no sync within 10 s");
        Load { time: Duration::from_millis(50), ..load.clone() }.run()?;
    }
    // A quiet log is written back, and the next send starts it over, which takes a sync of its own for the log's header.
    // Starting from there, all sends fit into the log.
    let mut dice = fastrand::Rng::new();
    let began = Instant::now();
    let mut before = by_thread(&lines());
    loop {
        ensure!(began.elapsed() < Duration::from_secs(60), "the log did not start over within a minute");
        std::thread::sleep(Duration::from_secs(1));
        fetch(load.address, &load.requests.one(&mut dice))?;
        std::thread::sleep(Duration::from_millis(200));
        let after = by_thread(&lines());
        let writer = after.keys().max_by_key(|thread| after[*thread]).cloned().unwrap_or_default();
        let more = after.get(&writer).unwrap_or(&0) - before.get(&writer).unwrap_or(&0);
        before = after;
        if more == 2 {
            break;
        }
    }
    for _ in 0..SENDS {
        fetch(load.address, &load.requests.one(&mut dice))?;
    }
    std::thread::sleep(Duration::from_millis(200));
    let after = by_thread(&lines());
    rustix::process::kill_process(rustix::process::Pid::from_child(&tracer), rustix::process::Signal::INT)?;
    tracer.wait()?;
    std::fs::remove_file(&trace)?;
    // The writer is the thread that syncs most; the checkpointer syncs the database now and then, with nobody waiting.
    let grown = after.iter().map(|(thread, count)| count - before.get(thread).unwrap_or(&0));
    let (writer, all) = (grown.clone().max().unwrap_or(0), grown.sum::<usize>());
    report.add(Line {
        what: "syncs per send at 1 connection".into(),
        ours: format!("{writer} by the writer, {all} in all"),
        theirs: format!("{SENDS} sends"),
        figure: writer as f64 / SENDS as f64,
        unit: Unit::Count,
        goal: Some(Mark::Exactly(1.0)),
    });
    Ok(())
}

fn by_thread(trace: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in trace.lines().filter(|line| line.contains("sync(")) {
        *counts.entry(line.split_whitespace().next().unwrap_or_default().to_string()).or_default() += 1;
    }
    counts
}

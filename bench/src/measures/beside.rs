//! Whether readers notice a writer that runs flat out.

use anyhow::Result;

use super::{BASE, gets, large, milliseconds, quantile, rate, sample, sends};
use crate::Bench;
use crate::load::{Load, cores};
use crate::report::{Line, Mark, Report, Unit};
use crate::server::Server;

const READERS: usize = 16;
const WRITERS: usize = 64;

pub fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let recipe = large();
    let server = bench.server(&recipe, "beside")?;
    let paths = sample(&recipe.long_threads(), 1000)
        .into_iter()
        .map(|id| format!("{BASE}/threads/{id}/messages?limit=20"));
    let reads = bench.load(server.address, READERS, &gets(paths));
    let writes = bench.load(server.address, WRITERS, &sends(&recipe.threads()));
    Load { time: bench.turn, ..writes.clone() }.run()?;
    let (mut idle, mut busy, mut written) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        // Alone, reads get the cores that the writer leaves them otherwise, so that what is compared is waiting, not sharing.
        confine(&server, cores() - 1)?;
        idle.push(reads.run()?);
        confine(&server, cores())?;
        let (read, wrote) = std::thread::scope(|scope| {
            let writing = scope.spawn(|| writes.run());
            let read = reads.run();
            (read, writing.join())
        });
        busy.push(read?);
        written.push(wrote.map_err(|_| anyhow::anyhow!("the writing thread panicked"))??);
    }
    let (before, after) = (quantile(&idle, 0.99), quantile(&busy, 0.99));
    report.add(Line {
        what: format!(
            "p99 of history pages of 20 at {READERS} connections beside {:.0} sends/s, against idle",
            rate(&written)
        ),
        ours: milliseconds(after),
        theirs: milliseconds(before),
        figure: after / before,
        unit: Unit::Times,
        goal: Some(Mark::AtMost(2.0)),
    });
    server.stop()
}

/// Lets a server's threads run on the first so many cores.
fn confine(server: &Server, count: usize) -> Result<()> {
    let mut set = rustix::thread::CpuSet::new();
    (0..count.max(1)).for_each(|core| set.set(core));
    for task in std::fs::read_dir(format!("/proc/{}/task", server.pid()))? {
        let task: i32 = task?.file_name().to_string_lossy().parse()?;
        rustix::thread::sched_setaffinity(rustix::process::Pid::from_raw(task), &set)?;
    }
    Ok(())
}

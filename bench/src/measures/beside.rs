//! Whether readers notice a writer that runs flat out.

use anyhow::Result;

use super::{BASE, compared, gets, large, milliseconds, quantile, rate, sample, sends};
use crate::Bench;
use crate::load::{Load, confine, cores};
use crate::report::{Line, Mark, Report, Unit};
use crate::seed::Recipe;
use crate::server::Server;

const READERS: usize = 16;
const WRITERS: usize = 64;

/// The server's threads that write, as the kernel shortens their names.
const WRITING: [&str; 2] = ["antiphon-writer", "antiphon-checkp"];

pub fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let recipe = large();
    let division = Division::of(cores());
    let server = match &division {
        Some(division) => division.server(bench, &recipe)?,
        None => bench.server(&recipe, "beside")?,
    };
    let paths = sample(&recipe.long_threads(), 1000)
        .into_iter()
        .map(|id| format!("{BASE}/threads/{id}/messages?limit=20"));
    let core = |which: fn(&Division) -> usize| division.as_ref().map(which);
    let reads = Load { core: core(|d| d.reads), ..bench.load(server.address, READERS, &gets(paths)) };
    let writes =
        Load { core: core(|d| d.writer), ..bench.load(server.address, WRITERS, &sends(&recipe.threads())) };
    Load { time: bench.turn, ..writes.clone() }.run()?;
    let (mut idle, mut busy, mut written) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        idle.push(reads.run()?);
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
    report.add(compared(
        format!("history pages of 20 at {READERS} connections beside those sends, against idle"),
        rate(&busy),
        rate(&idle),
        None,
    ));
    server.stop()
}

/// Which cores do what, so that what is compared is waiting for the writer, not sharing a core with it.
struct Division {
    /// The event loops.
    loops: Vec<usize>,
    /// The writer and the generator that feeds it.
    writer: usize,
    /// The readers' generator.
    reads: usize,
}

impl Division {
    /// `None` on a machine with too few cores.
    fn of(cores: usize) -> Option<Self> {
        (cores > 2).then(|| Self { loops: (0..cores - 2).collect(), writer: cores - 2, reads: cores - 1 })
    }

    /// Starts a server that sees the cores of its event loops only, and moves its writer away from them.
    fn server(&self, bench: &Bench, recipe: &Recipe) -> Result<Server> {
        confine(None, &self.loops)?;
        let server = bench.server(recipe, "beside")?;
        confine(None, &(0..=self.reads).collect::<Vec<_>>())?;
        for task in std::fs::read_dir(format!("/proc/{}/task", server.pid()))? {
            let task = task?;
            let name = std::fs::read_to_string(task.path().join("comm"))?;
            if WRITING.contains(&name.trim_end()) {
                confine(Some(task.file_name().to_string_lossy().parse()?), &[self.writer])?;
            }
        }
        Ok(server)
    }
}

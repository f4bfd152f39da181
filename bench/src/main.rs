//! Measures Antiphon beside what this machine could do at best, and beside what else one could use: `cargo xtask bench`.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures by the machine's clock")]

mod limits;
mod listen;
mod load;
mod measures;
mod receiver;
mod report;
mod rivals;
mod seed;
mod server;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, ValueEnum};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the server and its limits side by side, prints medians and ratios, and writes docs/benchmarks.md.
#[derive(Debug, Parser)]
struct Options {
    /// Two minutes instead of ten; too short for figures to be quoted.
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// Also measures on 10 million messages.
    #[arg(long)]
    full: bool,
    /// Also runs Matrix Synapse and Prism, which are installed under target/bench.
    #[arg(long)]
    rivals: bool,
    /// Only this part; may be repeated. The document is not written then.
    #[arg(long)]
    only: Vec<Part>,
    /// Against Prism, only operations whose name has this in it, such as "POST /antiphon/v1/agents".
    #[arg(long)]
    operation: Option<String>,
    /// The server to measure.
    #[arg(long)]
    server: PathBuf,
    /// Where seeds, runs and rivals are kept.
    #[arg(long)]
    root: PathBuf,
    /// The document to write.
    #[arg(long)]
    document: PathBuf,
}

/// The parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Sends,
    Reads,
    Beside,
    /// Those who listen to what happens.
    Stream,
    /// Visitors of web pages.
    Visitors,
    /// Apps that are told of everything.
    Webhooks,
    /// Messages that apps publish on channels of their own.
    Channels,
    /// Big files.
    Files,
    Start,
    Flat,
    /// Everything on PostgreSQL.
    Postgres,
    Rivals,
    /// One of the rivals alone.
    Synapse,
    /// One of the rivals alone.
    Prism,
    /// The bare loop alone; only when named.
    Limits,
}

/// What every measurement needs to know.
pub struct Bench {
    pub server: PathBuf,
    pub root: PathBuf,
    /// How often each contestant has its turn.
    pub rounds: usize,
    /// How long one turn is.
    pub turn: Duration,
    pub full: bool,
    /// What the name of an operation has in it that is measured against Prism.
    pub operation: Option<String>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let (rounds, turn) =
        if options.quick { (3, Duration::from_millis(700)) } else { (5, Duration::from_secs(2)) };
    std::fs::create_dir_all(&options.root)?;
    let (server, root) = (options.server.canonicalize()?, options.root.canonicalize()?);
    let bench = Bench { server, root, rounds, turn, full: options.full, operation: options.operation };
    let wanted = |part: Part| {
        let named = options.only.contains(&part);
        match part {
            Part::Synapse | Part::Prism => options.rivals || named || options.only.contains(&Part::Rivals),
            _ => options.only.is_empty() || named,
        }
    };
    let mut report = report::Report::default();
    if wanted(Part::Start) {
        measures::start::run(&bench, &mut report)?;
    }
    if wanted(Part::Reads) {
        measures::reads::run(&bench, &mut report)?;
    }
    if wanted(Part::Flat) {
        measures::flat::run(&bench, &mut report)?;
    }
    if wanted(Part::Sends) {
        measures::sends::run(&bench, &mut report)?;
    }
    if wanted(Part::Beside) {
        measures::beside::run(&bench, &mut report)?;
    }
    if wanted(Part::Stream) {
        measures::stream::run(&bench, &mut report)?;
    }
    if wanted(Part::Visitors) {
        measures::visitors::run(&bench, &mut report)?;
    }
    if wanted(Part::Webhooks) {
        measures::webhooks::run(&bench, &mut report)?;
    }
    if wanted(Part::Channels) {
        measures::channels::run(&bench, &mut report)?;
    }
    if wanted(Part::Files) {
        measures::files::run(&bench, &mut report)?;
    }
    if wanted(Part::Postgres) {
        measures::postgres::run(&bench, &mut report)?;
    }
    if options.only.contains(&Part::Limits) {
        measures::limits::run(&bench, &mut report)?;
    }
    if wanted(Part::Synapse) {
        rivals::synapse(&bench, &mut report);
    }
    if wanted(Part::Prism) {
        rivals::prism(&bench, &mut report);
    }
    if options.only.is_empty() && !options.rivals {
        report.skip("the rivals, which --rivals adds");
    }
    println!("{}", report.table());
    if options.only.is_empty() {
        let extent = format!(
            "{} rounds of {:.1} s per contestant, interleaved{}",
            rounds,
            turn.as_secs_f64(),
            if options.full { ", --full" } else { "" }
        );
        report.save(&options.document, &extent)?;
    }
    Ok(())
}

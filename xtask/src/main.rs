//! What the project does with itself: `cargo xtask <task>`.

mod bench;

use clap::Parser;

#[derive(Debug, Parser)]
enum Task {
    /// Measures the server beside its limits and rivals, and writes docs/benchmarks.md.
    Bench(bench::Args),
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Bench(args) => bench::run(&args),
    }
}

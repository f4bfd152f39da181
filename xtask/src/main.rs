//! The chores of the project, as `cargo xtask <chore>`: a thin list, each chore in a file of its own.

mod bench;
mod browser;
mod demo;
mod deploy;
mod release;
mod run;
mod spec;
mod steps;
mod suite;
mod tidy;
mod ui;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The chores of the project")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Sets up what is needed and runs every check and test
    #[command(visible_alias = "ci")]
    Test(steps::Options),
    /// Builds the server and runs it on the demo portal
    Demo(demo::Options),
    /// Builds what people see: the inbox and the chat on websites
    Ui,
    /// Tries what people see in a real browser
    Browser(browser::Options),
    /// Measures the server beside its limits and rivals, and writes docs/benchmarks.md
    Bench(bench::Args),
    /// Checks what the compiler cannot: walls between the crates, the shape of files
    Tidy,
    /// Writes spec/openapi.json from the code
    Spec,
}

fn main() -> ExitCode {
    let done = match Cli::parse().chore {
        Chore::Test(options) => steps::run(&options),
        Chore::Demo(options) => demo::run(&options),
        Chore::Ui => ui::run(),
        Chore::Browser(options) => browser::run(&options),
        Chore::Bench(args) => bench::run(&args),
        Chore::Tidy => tidy::run(),
        Chore::Spec => spec::write(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

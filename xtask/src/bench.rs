//! `cargo xtask bench`: builds what is measured and what measures, both in release mode, and hands over.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// Everything behind `bench` goes to the benchmark: --quick, --full, --rivals, --only.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no folder above it")?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
    run_to_end(Command::new("cargo").current_dir(root).args([
        "build",
        "--release",
        "-p",
        "antiphon",
        "-p",
        "antiphon-bench",
    ]))?;
    let mut bench = Command::new(target.join("release/antiphon-bench"));
    bench.arg("--server").arg(target.join("release/antiphon"));
    bench.arg("--root").arg(target.join("bench"));
    bench.arg("--document").arg(root.join("docs/benchmarks.md"));
    run_to_end(bench.args(&args.rest))
}

fn run_to_end(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("{:?} cannot be run", command.get_program()))?;
    ensure!(status.success(), "{:?} failed", command.get_program());
    Ok(())
}

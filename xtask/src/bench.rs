//! `cargo xtask bench`: builds what is measured and what measures, both in release mode, and hands over.

use anyhow::Result;

use crate::run::{cargo, command, finish, root, target};

/// Everything behind `bench` goes to the benchmark: --quick, --full, --rivals, --only.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub fn run(args: &Args) -> Result<()> {
    finish(cargo(&["build", "--release", "--package", "antiphon", "--package", "antiphon-bench"]))?;
    let release = target().join("release");
    let mut bench = command(release.join("antiphon-bench"), &[]);
    bench.arg("--server").arg(release.join("antiphon"));
    bench.arg("--root").arg(target().join("bench"));
    bench.arg("--document").arg(root().join("docs/benchmarks.md"));
    bench.args(&args.rest);
    finish(bench)
}

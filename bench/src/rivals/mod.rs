//! What else one could use, installed from its registry under `target/bench` and run on this machine.

mod prism;
mod synapse;

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::Bench;
use crate::report::Report;

/// What cannot be installed or started is told in the report.
pub fn synapse(bench: &Bench, report: &mut Report) {
    if let Err(error) = synapse::run(bench, report) {
        report.skip(format!("Matrix Synapse: {error:#}"));
    }
}

/// What cannot be installed or started is told in the report.
pub fn prism(bench: &Bench, report: &mut Report) {
    if let Err(error) = prism::run(bench, report) {
        report.skip(format!("Prism: {error:#}"));
    }
}

/// Runs a command to its end; what it says goes to a file.
pub fn finish(mut command: Command, log: &Path) -> Result<()> {
    let output = std::fs::File::create(log)?;
    let status = command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).status();
    let status = status.with_context(|| format!("{:?} cannot be run", command.get_program()))?;
    ensure!(status.success(), "{:?} failed; see {}", command.get_program(), log.display());
    Ok(())
}

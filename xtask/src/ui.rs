//! `cargo xtask ui`: what people see, built into `ui/*/dist`, from where the program takes it.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::run::{command, finish, output, root};

/// The oldest Node that what builds the front end runs on.
const NODE: (u32, u32) = (20, 19);

/// Builds all packages.
pub fn run() -> Result<()> {
    install()?;
    finish(npm(&["run", "build", "--silent"]))
}

/// Builds them, and tries everything that needs no server: types, unit tests, and what is sent to browsers stays small.
pub fn test() -> Result<()> {
    install()?;
    for script in ["check", "test", "build", "size"] {
        finish(npm(&["run", script, "--silent"]))?;
    }
    Ok(())
}

/// Puts the dependencies where the lockfile wants them, if that has changed since.
pub fn install() -> Result<()> {
    node()?;
    let ui = root().join("ui");
    let wanted = fs::read(ui.join("package-lock.json")).context("ui/package-lock.json cannot be read")?;
    let mark = ui.join("node_modules").join(".antiphon-lock");
    if fs::read(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("installing what the front end is built with, once.");
    finish(npm(&["ci", "--loglevel=error", "--no-audit", "--no-fund"]))?;
    fs::write(mark, wanted)?;
    Ok(())
}

/// An npm command that runs in the workspace.
pub fn npm(arguments: &[&str]) -> Command {
    let mut npm = command("npm", arguments);
    npm.current_dir(root().join("ui")).env("NO_UPDATE_NOTIFIER", "1");
    npm
}

/// Says what to do where Node is not there, or too old.
fn node() -> Result<()> {
    let least = format!("{}.{}", NODE.0, NODE.1);
    let mut ask = command("node", &["--version"]);
    if ask.stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        bail!(
            "what people see is built with Node: install Node {least} or newer, with npm (https://nodejs.org)"
        );
    }
    let version = String::from_utf8(output(command("node", &["--version"]))?)?;
    let mut parts = version.trim().trim_start_matches('v').split('.').map(|part| part.parse().unwrap_or(0));
    if (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) < NODE {
        bail!("Node is {}, and the front end needs {least} or newer", version.trim());
    }
    Ok(())
}

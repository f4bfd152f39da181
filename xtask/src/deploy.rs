//! The files that run Antiphon elsewhere, each checked by a program that knows its kind. There is no container engine and no
//! cluster here: what can be said without one is said by linters, by schemas, by HAProxy and systemd themselves and by Helm's
//! own engine, which PyPI has as a library. That the program runs on an empty root, as it does in the image, is shown by the
//! release step.
//!
//! The tools are installed once, below `target/tools/deploy`, in the versions that `xtask/deploy` names; HAProxy, systemd and
//! ShellCheck are those of the machine, or Debian's.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::run::{command, finish, output, root, target, works};

/// The most that systemd may find a service exposed, of 100: some of it is having a network at all.
const MOST_EXPOSED: &str = "--threshold=15";

pub fn run() -> Result<()> {
    let home = tools()?;
    let python = |program: &str| home.join("venv/bin").join(program);
    finish(command(python("hadolint"), &["--failure-threshold", "info", "deploy/Containerfile"]))?;
    finish(command(python("yamllint"), &["--strict", "--config-file", "deploy/.yamllint", "deploy"]))?;
    let compose = ["--builtin-schema", "vendor.compose-spec", "deploy/compose.yaml"];
    finish(command(python("check-jsonschema"), &compose))?;
    let names = ["xtask/deploy/compose.py", "deploy/compose.yaml", "deploy/haproxy.cfg"];
    finish(command(python("python"), &names))?;
    let schema = ["--check-metaschema", "deploy/helm/antiphon/values.schema.json"];
    finish(command(python("check-jsonschema"), &schema))?;
    balancer()?;
    service(&home)?;
    scripts()?;
    let mut chart = command(python("python"), &["xtask/deploy/chart.py", "deploy/helm/antiphon", "node"]);
    chart.arg(home.join("monitor.js"));
    finish(chart)
}

/// HAProxy reads its own configuration.
fn balancer() -> Result<()> {
    debian("haproxy", &["-v"])?;
    finish(command("haproxy", &["-c", "-f", "deploy/haproxy.cfg"]))
}

/// Systemd reads the unit, and says how much the service could do if it were taken over.
fn service(home: &Path) -> Result<()> {
    debian("systemd-analyze", &["--version"])?;
    let unit = fs::read_to_string(root().join("deploy/antiphon.service"))?;
    // It insists that the program exists, and here it is not installed.
    let program = std::env::current_exe()?;
    let copy = home.join("antiphon.service");
    fs::write(&copy, unit.replace("/usr/local/bin/antiphon", &program.display().to_string()))?;
    let mut verify = command("systemd-analyze", &["verify", "--recursive-errors=no"]);
    verify.arg(&copy);
    finish(verify)?;
    let unit = ["security", "--offline=true", "--no-pager", MOST_EXPOSED, "deploy/antiphon.service"];
    // Seventy lines, of which the last one is the sum.
    let told = output(command("systemd-analyze", &unit))?;
    println!("{}", String::from_utf8_lossy(&told).trim_end().lines().last().unwrap_or_default());
    Ok(())
}

/// Every shell script, if there are any.
fn scripts() -> Result<()> {
    let files = fs::read_dir(root().join("deploy"))?.collect::<std::io::Result<Vec<_>>>()?;
    let is_script = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "sh");
    for script in files.iter().map(fs::DirEntry::path).filter(is_script) {
        debian("shellcheck", &["--version"])?;
        let mut check = command("shellcheck", &[]);
        check.arg(script);
        finish(check)?;
    }
    Ok(())
}

/// Sees that a program of Debian's is there.
fn debian(program: &str, arguments: &[&str]) -> Result<()> {
    if works(program, arguments) {
        return Ok(());
    }
    let package = if program == "systemd-analyze" { "systemd" } else { program };
    println!("{program} is not installed: asking Debian for {package}.");
    finish(command("apt-get", &["install", "--yes", "--no-install-recommends", package]))
        .with_context(|| format!("{program} checks a file: install {package}, or be root for this run"))
}

/// The tools from PyPI and npm, installed anew whenever their lists change.
fn tools() -> Result<PathBuf> {
    let home = target().join("tools/deploy");
    let source = root().join("xtask/deploy");
    let mut wanted = Vec::new();
    for list in ["requirements.txt", "package.json", "package-lock.json", "monitor.js"] {
        wanted.extend(fs::read(source.join(list))?);
    }
    let mark = home.join(".installed");
    if fs::read(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(home);
    }
    println!("installing the linters into {}, once.", home.display());
    fs::create_dir_all(&home)?;
    for list in ["requirements.txt", "package.json", "package-lock.json", "monitor.js"] {
        fs::copy(source.join(list), home.join(list))?;
    }
    let pip = ["install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"];
    let npm = ["ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"];
    for (program, arguments) in [
        (Path::new("python3"), &["-m", "venv", "--clear", "venv"][..]),
        (&home.join("venv/bin/pip"), &pip),
        (Path::new("npm"), &npm),
    ] {
        let mut step = command(program, arguments);
        step.current_dir(&home);
        finish(step)?;
    }
    fs::write(mark, wanted)?;
    Ok(home)
}

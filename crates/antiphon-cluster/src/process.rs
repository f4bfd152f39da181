//! PostgreSQL's processes: how they are started, whom they belong to, and signals for all of them at once.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, geteuid, kill_process};

/// What is started outlives the tests for a moment, and must not keep their caller's pipes and locks open.
const LET_GO: &str = "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec \"$@\"";

/// A program apart from the tests: in a process group of its own, with nothing of theirs open.
pub(crate) fn apart(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", LET_GO, "sh"]).arg(program);
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// A program of PostgreSQL's in a cluster's directory, which is given to whomever it runs as: the server refuses to be root.
pub(crate) fn server(program: &Path, home: &Path) -> Result<Command> {
    let mut command = apart(program);
    command.current_dir(home).env("LC_ALL", "C.UTF-8").env_remove("PGDATA");
    if geteuid().is_root() {
        let (user, group) = unprivileged()?;
        std::os::unix::fs::chown(home, Some(user), Some(group))?;
        command.uid(user).gid(group);
    }
    Ok(command)
}

fn unprivileged() -> Result<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd")?;
    let ids = |name: &str| {
        let mut fields =
            users.lines().map(|line| line.split(':')).find(|line| line.clone().next() == Some(name))?;
        Some((fields.nth(2)?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    ids("postgres").or_else(|| ids("nobody")).context("there is neither a user `postgres` nor `nobody`")
}

/// The processes a postmaster has started. Each is a group of its own, so only their parent tells.
pub(crate) fn children(parent: Pid) -> Result<Vec<Pid>> {
    let processes = fs::read_dir("/proc")?.flatten();
    let numbers =
        processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw));
    Ok(numbers.filter(|pid| state(*pid).is_some_and(|(_, of)| of == parent.as_raw_nonzero().get())).collect())
}

/// The state and the parent of a process.
fn state(pid: Pid) -> Option<(char, i32)> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

pub(crate) fn signal(pids: &[Pid], signal: Signal) {
    for pid in pids {
        // Whoever has ended meanwhile needs no signal.
        let _ = kill_process(*pid, signal);
    }
}

/// Waits until processes that are not our own children have ended.
pub(crate) fn gone(pids: &[Pid]) -> Result<()> {
    let began = Instant::now();
    while pids.iter().any(|pid| state(*pid).is_some_and(|(state, _)| state != 'Z')) {
        ensure!(began.elapsed() < Duration::from_secs(10), "processes of PostgreSQL did not end: {pids:?}");
        sleep(Duration::from_millis(2));
    }
    Ok(())
}

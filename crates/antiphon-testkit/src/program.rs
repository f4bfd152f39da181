//! The real program in a process of its own: started, killed, stopped.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Connection;

/// How the program is started. It can be started again and again on the same address.
#[derive(Debug, Clone)]
pub struct Program {
    binary: PathBuf,
    pub data_dir: PathBuf,
    pub address: SocketAddr,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    through: Vec<OsString>,
}

impl Program {
    /// `antiphon serve` of a binary on a data directory, on a port that was free a moment ago.
    pub fn new(binary: impl Into<PathBuf>, data_dir: impl Into<PathBuf>) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        Self {
            binary: binary.into(),
            data_dir: data_dir.into(),
            address: free.unwrap_or_else(|e| panic!("no free port: {e}")),
            arguments: Vec::new(),
            environment: Vec::new(),
            through: Vec::new(),
        }
    }

    /// With one more argument.
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With a variable in its environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Started by another command, which is given the program and its arguments as its last ones.
    pub fn through(mut self, command: &[&str]) -> Self {
        self.through = command.iter().map(OsString::from).collect();
        self
    }

    /// Starts it and returns once it is ready.
    pub async fn start(&self) -> io::Result<Running> {
        let mut running = self.spawn()?;
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            if let Some(status) = running.child.try_wait()? {
                return Err(io::Error::other(format!("it ended at once ({status}):\n{}", running.log())));
            }
            if let Ok(mut connection) = Connection::open(self.address, "").await
                && let Ok(reply) = connection.get("/healthz").await
                && reply.status == 200
            {
                return Ok(running);
            }
            if Instant::now() > deadline {
                return Err(io::Error::other(format!(
                    "it is not ready after two minutes:\n{}",
                    running.log()
                )));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Starts it without waiting for anything.
    pub fn spawn(&self) -> io::Result<Running> {
        let log = self.data_dir.with_extension("log");
        let output = OpenOptions::new().create(true).append(true).open(&log)?;
        let mut words = self.through.iter().cloned().chain([self.binary.clone().into_os_string()]);
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).arg("serve").arg("--listen").arg(self.address.to_string());
        command.arg("--data-dir").arg(&self.data_dir).args(&self.arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        Ok(Running { child: command.spawn()?, log })
    }
}

/// The program while it runs. Dropping it kills it.
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Kills it as a crash would: no handler, no farewell.
    pub fn kill(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(|_| ())
    }

    /// Asks it to stop and waits until it has.
    pub async fn stop(mut self) -> io::Result<ExitStatus> {
        kill_process(self.pid(), Signal::TERM)?;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// A figure of `/proc/<pid>/status`, in KiB: `VmRSS`, `RssAnon` …
    pub fn memory_kib(&self, name: &str) -> u64 {
        let path = format!("/proc/{}/status", self.pid().as_raw_nonzero());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or_default()
    }

    /// Everything it has printed, since the first start on this data directory.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies a directory of plain files; sockets are left out.
pub fn copy_dir(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_dir(&entry.path(), &target)?;
        } else if kind.is_file() {
            io::copy(&mut File::open(entry.path())?, &mut File::create(target)?)?;
        }
    }
    Ok(())
}

//! A server under measurement: started as a user starts it, asked over HTTP, watched through `/proc`.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::load::{request, try_fetch};

/// A process that answers HTTP on this machine, ended when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From starting the process to its first answer.
    pub first_answer: Duration,
}

impl Server {
    /// Starts Antiphon on a data directory.
    pub fn antiphon(binary: &Path, data_dir: &Path) -> Result<Self> {
        Self::antiphon_on(binary, data_dir, "sqlite:")
    }

    /// Starts Antiphon on a store, with a data directory for the rest.
    pub fn antiphon_on(binary: &Path, data_dir: &Path, store: &str) -> Result<Self> {
        Self::antiphon_with(binary, data_dir, store, &[])
    }

    /// The same, with further variables in its environment.
    pub fn antiphon_with(binary: &Path, data_dir: &Path, store: &str, more: &[(&str, &str)]) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(binary);
        command.arg("serve").arg("--listen").arg(address.to_string()).arg("--data-dir").arg(data_dir);
        command.arg("--store").arg(store);
        command.env("ANTIPHON_LIMITS__ENABLED", "false").env("ANTIPHON_LOG__FILTER", "warn");
        // A seed that is a few days old is measured whole.
        command.env("ANTIPHON_EVENTS__KEEP_DAYS", "36500").env("ANTIPHON_EVENTS__MOST_DAYS", "36500");
        command.envs(more.iter().copied());
        // Receivers of webhooks are on this machine too.
        command.env("ANTIPHON_OUTBOUND__ALLOW", "[\"127.0.0.1\"]").env("ANTIPHON_OUTBOUND__HTTP", "true");
        Self::start(command, address, "/healthz", &data_dir.with_extension("log"), Duration::from_secs(60))
    }

    /// Starts any server and waits until `path` is answered with a success.
    pub fn start(
        command: Command,
        address: SocketAddr,
        path: &str,
        log: &Path,
        patience: Duration,
    ) -> Result<Self> {
        Self::start_until(command, address, path, log, patience, |status| (200..300).contains(&status))
    }

    /// Starts any server and waits until it answers at all.
    pub fn start_answering(
        command: Command,
        address: SocketAddr,
        log: &Path,
        patience: Duration,
    ) -> Result<Self> {
        Self::start_until(command, address, "/", log, patience, |_| true)
    }

    fn start_until(
        mut command: Command,
        address: SocketAddr,
        path: &str,
        log: &Path,
        patience: Duration,
        good: impl Fn(u16) -> bool,
    ) -> Result<Self> {
        let output = std::fs::File::create(log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let began = Instant::now();
        let child = command.spawn().with_context(|| format!("{command:?} cannot be started"))?;
        let mut server = Self { child, address, first_answer: Duration::ZERO };
        let probe = request("GET", path, &[], b"");
        loop {
            if try_fetch(address, &probe).is_ok_and(|(status, _)| good(status)) {
                server.first_answer = began.elapsed();
                return Ok(server);
            }
            ensure!(server.child.try_wait()?.is_none(), "{command:?} ended at once; see {}", log.display());
            ensure!(
                began.elapsed() < patience,
                "{command:?} did not answer within {patience:?}; see {}",
                log.display()
            );
            std::thread::sleep(Duration::from_micros(500));
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident and anonymous memory, in MB.
    pub fn memory(&self) -> Result<Memory> {
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid()))?;
        let field = |name: &str| -> Result<f64> {
            let line = text
                .lines()
                .find(|line| line.starts_with(name))
                .with_context(|| format!("no {name} in smaps_rollup"))?;
            let kib: f64 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
            Ok(kib * 1024.0 / 1e6)
        };
        Ok(Memory { resident: field("Rss:")?, anonymous: field("Anonymous:")? })
    }

    /// A figure from `/metrics`, summed over its labels.
    pub fn metric(&self, name: &str) -> Result<f64> {
        let (_, text) = try_fetch(self.address, &request("GET", "/metrics", &[], b""))?;
        let text = String::from_utf8(text)?;
        let values = text.lines().filter_map(|line| {
            let (key, value) = line.rsplit_once(' ')?;
            (key == name || key.strip_prefix(name)?.starts_with('{')).then(|| value.parse::<f64>().ok())?
        });
        let values: Vec<f64> = values.collect();
        ensure!(!values.is_empty(), "/metrics has no {name}");
        Ok(values.iter().sum())
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(mut self) -> Result<()> {
        self.signal(rustix::process::Signal::TERM)?;
        let began = Instant::now();
        while self.child.try_wait()?.is_none() {
            ensure!(began.elapsed() < Duration::from_secs(60), "the server did not stop");
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Holds it still, or lets it go on.
    pub fn pause(&self, still: bool) -> Result<()> {
        use rustix::process::Signal;
        self.signal(if still { Signal::STOP } else { Signal::CONT })
    }

    fn signal(&self, signal: rustix::process::Signal) -> Result<()> {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.pid())?).context("no process")?;
        Ok(rustix::process::kill_process(pid, signal)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whatever could not be stopped gently is ended with the measurement; one that has gone is no error here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Memory of a process, in MB.
#[derive(Clone, Copy)]
pub struct Memory {
    pub resident: f64,
    pub anonymous: f64,
}

/// A port nobody listens on.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Copies a data directory, sharing blocks where the file system can.
pub fn copy_dir(from: &Path, to: &Path) -> Result<PathBuf> {
    if to.exists() {
        std::fs::remove_dir_all(to)?;
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let copy = to.join(entry.file_name());
            std::fs::copy(entry.path(), &copy)?;
            // What the copy left in memory would otherwise be written out by the first sync that is measured.
            std::fs::File::open(copy)?.sync_all()?;
        }
    }
    Ok(to.to_path_buf())
}

//! A cluster in a temporary directory: `data/`, its `log`, and `users`, which everybody who uses it holds a lock of.

use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::TcpListener;
use std::os::unix::fs::{OpenOptionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal};

use crate::process::{apart, children, gone, server, signal};
use crate::{Options, Row, install, sql};

/// A PostgreSQL of the tests' own, listening on 127.0.0.1 alone and trusting whoever asks. It ends, and its directory is
/// removed, when this is dropped or its process has died.
#[derive(Debug)]
pub struct Cluster {
    home: PathBuf,
    port: u16,
    users: Option<File>,
    own: Option<Own>,
}

/// What only the process has that started the cluster.
#[derive(Debug)]
struct Own {
    options: Options,
    watcher: Child,
    postmaster: Mutex<Option<Child>>,
}

/// A busy machine takes its time; a hung server is told of.
const PATIENCE: Duration = Duration::from_secs(60);
const USERS: &str = "users";

impl Cluster {
    /// Makes a cluster and starts it.
    pub fn start(options: Options) -> Result<Self> {
        Self::make(options, 0, initdb)
    }

    /// The same with a directory that somebody fills, kept for some seconds after its last user has gone.
    pub(crate) fn make(options: Options, grace: u32, fill: impl FnOnce(&Path) -> Result<()>) -> Result<Self> {
        install()?;
        let folder = tempfile::Builder::new().prefix("antiphon-postgres-").tempdir_in(place(&options))?;
        let home = folder.path().canonicalize()?;
        let users = File::create_new(home.join(USERS))?;
        users.lock_shared()?;
        let mut watch = apart("sh");
        watch.args(["-c", include_str!("watch.sh"), "antiphon-postgres"]).arg(&home).arg(grace.to_string());
        let watcher = watch.spawn().context("could not start the cluster's watcher")?;
        // From here on the directory is the watcher's to remove.
        let _ = folder.keep();
        let own = Own { options, watcher, postmaster: Mutex::new(None) };
        let mut cluster = Self { home, port: 0, users: Some(users), own: Some(own) };
        let options = cluster.options()?;
        fill(&cluster.home)?;
        install_tls(&cluster.home, options)?;
        // Another process may take a port that was free a moment ago.
        for _ in 0..5 {
            cluster.port = free_port()?;
            match cluster.start_again() {
                Err(_) if cluster.log_tail().contains("could not bind") => {
                    fs::write(cluster.home.join("log"), "")?
                }
                started => return started.map(|()| cluster),
            }
        }
        bail!("five ports in a row were taken")
    }

    /// From now on nobody's own, neither to stop nor to change.
    pub(crate) fn disowned(mut self) -> Self {
        self.own = None;
        self
    }

    /// A cluster that another process started, unless it is gone.
    pub(crate) fn join(home: &Path, port: u16) -> Result<Option<Self>> {
        let users = match File::open(home.join(USERS)) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        users.lock_shared()?;
        // Its watcher may have removed it while we waited.
        if !home.join(USERS).exists() {
            return Ok(None);
        }
        let cluster = Self { home: home.to_owned(), port, users: Some(users), own: None };
        match cluster.answers() {
            Ok(()) => Ok(Some(cluster)),
            Err(error) if cluster.users.as_ref().is_some_and(|users| users.try_lock().is_err()) => {
                Err(error.context(format!("the shared PostgreSQL has died:\n{}", cluster.log_tail())))
            }
            Err(_) => {
                // Left by a machine or a watcher that went down; nobody else uses it.
                fs::remove_dir_all(home)?;
                Ok(None)
            }
        }
    }

    /// Starts it on the same data and port, after [`stop`](Self::stop) or [`kill`](Self::kill), and returns once it answers.
    pub fn start_again(&self) -> Result<()> {
        let own = self.own()?;
        let mut postmaster = own.postmaster();
        ensure!(postmaster.is_none(), "this cluster runs already");
        let log = File::options().create(true).append(true).open(self.home.join("log"))?;
        let mut command = server(&install()?.join("postgres"), &self.home)?;
        command.arg("-D").arg(self.data()).args(own.options.arguments()).arg(format!("--port={}", self.port));
        let mut child = command.stdout(log.try_clone()?).stderr(log).spawn()?;
        let began = Instant::now();
        let started = loop {
            if let Some(status) = child.try_wait()? {
                bail!("PostgreSQL ended at once ({status}):\n{}", self.log_tail());
            }
            match self.answers() {
                Err(error) if began.elapsed() > PATIENCE => break Err(error),
                Err(_) => sleep(Duration::from_millis(10)),
                Ok(()) => break Ok(()),
            }
        };
        *postmaster = Some(child);
        started.with_context(|| format!("PostgreSQL is not ready after a minute:\n{}", self.log_tail()))
    }

    /// Ends it as an operator would: connections are closed, everything is written down.
    pub fn stop(&self) -> Result<()> {
        let mut postmaster = self.own()?.postmaster();
        let Some(mut child) = postmaster.take() else { return Ok(()) };
        signal(&[Pid::from_child(&child)], Signal::INT);
        let began = Instant::now();
        while child.try_wait()?.is_none() {
            if began.elapsed() > PATIENCE {
                *postmaster = Some(child);
                bail!("PostgreSQL did not stop within a minute:\n{}", self.log_tail());
            }
            sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Crashes it: all its processes are killed at once.
    pub fn kill(&self) -> Result<()> {
        let Some(mut child) = self.own()?.postmaster().take() else { return Ok(()) };
        let postmaster = Pid::from_child(&child);
        let children = halt(postmaster)?;
        signal(&children, Signal::KILL);
        signal(&[postmaster], Signal::KILL);
        child.wait()?;
        gone(&children)
    }

    /// Halts all its processes: it accepts connections and answers nothing.
    pub fn pause(&self) -> Result<()> {
        halt(self.postmaster()?)?;
        Ok(())
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn resume(&self) -> Result<()> {
        let postmaster = self.postmaster()?;
        signal(&children(postmaster)?, Signal::CONT);
        signal(&[postmaster], Signal::CONT);
        Ok(())
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// Runs SQL in the database `postgres`, for what concerns the whole cluster.
    pub fn rows(&self, sql: &str) -> Result<Vec<Row>> {
        sql::rows(self.port, "postgres", sql).map_err(|error| match self.answers() {
            Ok(()) => error,
            Err(_) => error.context(format!("the log of PostgreSQL ends:\n{}", self.log_tail())),
        })
    }

    /// Its log, all of it.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.home.join("log")).unwrap_or_default()).into_owned()
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    pub(crate) fn options(&self) -> Result<&Options> {
        Ok(&self.own()?.options)
    }

    /// Whether it is this very cluster that answers on its port.
    fn answers(&self) -> Result<()> {
        let shown = sql::rows(self.port, "postgres", "SHOW data_directory")?;
        let shown = shown.first().and_then(|row| row.first()?.as_deref()).unwrap_or_default();
        ensure!(Path::new(shown) == self.data(), "another cluster, {shown}, has port {}", self.port);
        Ok(())
    }

    fn own(&self) -> Result<&Own> {
        self.own.as_ref().context("this cluster is shared: it is not one test's to stop or change")
    }

    fn postmaster(&self) -> Result<Pid> {
        let own = self.own()?;
        let pid = own.postmaster().as_ref().map(Pid::from_child);
        pid.context("this cluster does not run")
    }
}

impl Own {
    fn postmaster(&self) -> MutexGuard<'_, Option<Child>> {
        self.postmaster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The watcher does the work, as it would if this process had died.
        drop(self.users.take());
        if let Some(own) = &mut self.own {
            let _ = own.watcher.wait();
            if let Some(child) = own.postmaster().as_mut() {
                let _ = child.wait();
            }
        }
    }
}

/// What is never synced may as well lie in memory, where a database's 300 files are made in a tenth of the time.
fn place(options: &Options) -> PathBuf {
    const MEMORY: &str = "/dev/shm";
    const ENOUGH: u64 = 4 << 30;
    match rustix::fs::statvfs(MEMORY) {
        Ok(memory) if !options.syncs() && memory.f_bavail * memory.f_frsize >= ENOUGH => MEMORY.into(),
        _ => std::env::temp_dir(),
    }
}

/// Halts a postmaster before its children, so that it starts no more of them, and tells who they are.
fn halt(postmaster: Pid) -> Result<Vec<Pid>> {
    signal(&[postmaster], Signal::STOP);
    let children = children(postmaster)?;
    signal(&children, Signal::STOP);
    Ok(children)
}

/// It sorts text as most installations do, not bytewise, so that a query which leans on the order of bytes is found out.
pub(crate) fn initdb(home: &Path) -> Result<()> {
    let mut command = server(&install()?.join("initdb"), home)?;
    command.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]);
    // What a crash of this server must not lose comes later.
    command
        .args(["--no-sync", "--locale-provider=icu", "--icu-locale=en-US", "--pgdata"])
        .arg(home.join("data"));
    finish(command)
}

/// The server reads a key only if it is its own and nobody else's.
fn install_tls(home: &Path, options: &Options) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::MetadataExt;
    let Some((certificate, key)) = &options.tls else { return Ok(()) };
    let owner = fs::metadata(home)?;
    for (name, pem) in [("server.crt", certificate), ("server.key", key)] {
        let path = home.join("data").join(name);
        File::options().write(true).create(true).truncate(true).mode(0o600).open(&path)?.write_all(pem)?;
        chown(&path, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(())
}

/// Runs a program to its end; its words are the error if it fails.
pub(crate) fn finish(mut command: Command) -> Result<()> {
    let output =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).output()?;
    let said = [output.stdout, output.stderr].concat();
    ensure!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&said));
    Ok(())
}

/// A port below those that outgoing connections are given, so that a cluster which is down finds its own again.
fn free_port() -> Result<u16> {
    for _ in 0..100 {
        let port = 15_000 + (dice() % 17_000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port found")
}

/// A number nobody else has.
pub(crate) fn dice() -> u64 {
    RandomState::new().build_hasher().finish()
}

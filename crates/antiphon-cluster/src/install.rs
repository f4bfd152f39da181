//! Where PostgreSQL's server programs are, and how they come to be there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail, ensure};

/// What a directory must hold to be ours.
const PROGRAMS: [&str; 5] = ["initdb", "postgres", "pg_ctl", "pg_basebackup", "pgbench"];
const DEBIAN: &str = "/usr/lib/postgresql";
/// Keeps Debian's package from making and starting a cluster of its own, on port 5432.
const NO_MAIN_CLUSTER: &str = "/etc/postgresql-common/createcluster.d/antiphon-tests.conf";

/// The directory of PostgreSQL's server programs: the newest Debian has installed, or else one of `PATH`. Where there is
/// none, Debian's package is installed first.
pub fn install() -> Result<&'static Path> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| find_or_install().map_err(|e| format!("{e:#}")));
    found.as_deref().map_err(|e| anyhow!("{e}"))
}

fn find_or_install() -> Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    let wanted =
        "install PostgreSQL's server programs (Debian: apt-get install postgresql), or put them in PATH";
    ensure!(Command::new("apt-get").arg("--version").stdout(Stdio::null()).status().is_ok(), "{wanted}");
    ensure!(rustix::process::geteuid().is_root(), "{wanted}; as root the tests do it themselves");
    let lock =
        File::create("/tmp/antiphon-postgres-install.lock").context("could not lock the installation")?;
    lock.lock()?;
    if let Some(found) = find() {
        return Ok(found);
    }
    debian().context(wanted)?;
    find().with_context(|| format!("the package is installed, and still {PROGRAMS:?} are not all there"))
}

fn find() -> Option<PathBuf> {
    let whole = |folder: &PathBuf| PROGRAMS.iter().all(|program| folder.join(program).is_file());
    let version = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let mut versions: Vec<PathBuf> =
        fs::read_dir(DEBIAN).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    versions.sort_by_key(version);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = versions.into_iter().rev().map(|folder| folder.join("bin"));
    debian.chain(std::env::split_paths(&path)).find(whole)
}

fn debian() -> Result<()> {
    let no_cluster = Path::new(NO_MAIN_CLUSTER);
    fs::create_dir_all(no_cluster.parent().unwrap_or(no_cluster))?;
    fs::write(no_cluster, "create_main_cluster = false\n")?;
    let installed =
        apt(&["update"]).and_then(|()| apt(&["install", "--no-install-recommends", "postgresql"]));
    // Only this installation does without a cluster, not the next one on this machine.
    fs::remove_file(no_cluster)?;
    installed
}

fn apt(words: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.args(["--yes", "--quiet", "--option", "DPkg::Lock::Timeout=300"]).args(words);
    let output = command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).output()?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!("apt-get {} failed ({}):\n{}", words.join(" "), output.status, String::from_utf8_lossy(&said));
    }
    Ok(())
}

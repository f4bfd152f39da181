//! One cluster for all tests of a checkout. Every test is a process of its own, so they find each other by a file.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow};

use crate::{Cluster, Options};

/// The next test of a run, or the next run of somebody at work, finds it still there.
const GRACE_SECONDS: u32 = 20;

/// The cluster that all processes of this checkout share, started by whoever comes first. It syncs nothing, has room for
/// 600 connections, and ends 20 seconds after its last user.
pub fn shared() -> Result<&'static Cluster> {
    static SHARED: OnceLock<Result<Cluster, String>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| find_or_start().map_err(|e| format!("{e:#}")));
    shared.as_ref().map_err(|e| anyhow!("{e}"))
}

fn find_or_start() -> Result<Cluster> {
    let options = Options::default().set("max_connections", "600").set("shared_buffers", "256MB");
    let mut key = DefaultHasher::new();
    (env!("CARGO_MANIFEST_DIR"), options.arguments()).hash(&mut key);
    let user = rustix::process::geteuid().as_raw();
    let path = std::env::temp_dir().join(format!("antiphon-postgres-of-{user}-{:016x}", key.finish()));
    // It says where the cluster is. Whoever reads or writes it holds it, so that one process at a time looks and starts.
    let mut file = File::options().create(true).truncate(false).read(true).write(true).open(&path);
    let file = file.as_mut().map_err(|e| anyhow!("could not open {}: {e}", path.display()))?;
    file.lock()?;
    let mut known = String::new();
    file.read_to_string(&mut known)?;
    if let Some((port, home)) = known.trim().split_once(' ')
        && let Some(cluster) = Cluster::join(Path::new(home), port.parse()?)?
    {
        return Ok(cluster);
    }
    let cluster = Cluster::make(options, GRACE_SECONDS, crate::cluster::initdb)?.disowned();
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{} {}", cluster.port(), cluster.home().display())
        .context("could not say where the cluster is")?;
    Ok(cluster)
}

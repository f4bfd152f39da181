//! A second server that follows the first, and takes its place.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::cluster::finish;
use crate::process::server;
use crate::{Cluster, install};

const PATIENCE: Duration = Duration::from_secs(30);

impl Cluster {
    /// A standby that streams from this cluster, with the same options, and answers reading questions.
    pub fn standby(&self) -> Result<Cluster> {
        Self::make(self.options()?.clone(), 0, |home| {
            let mut copy = server(&install()?.join("pg_basebackup"), home)?;
            copy.args([
                "--host=127.0.0.1",
                "--username=postgres",
                "--checkpoint=fast",
                "--wal-method=stream",
            ]);
            copy.args(["--write-recovery-conf", "--no-sync", "--pgdata"]).arg(home.join("data"));
            copy.arg(format!("--port={}", self.port()));
            finish(copy)
        })
    }

    /// Waits until a standby shows everything that is committed here now.
    pub fn wait_for(&self, standby: &Cluster) -> Result<()> {
        let here = self.rows("SELECT pg_current_wal_flush_lsn()")?;
        let here = here.first().and_then(|row| row.first()?.clone()).unwrap_or_default();
        let question = format!("SELECT pg_last_wal_replay_lsn() >= '{here}'");
        let began = Instant::now();
        while standby.rows(&question)? != [[Some("t".to_owned())]] {
            ensure!(began.elapsed() < PATIENCE, "the standby does not follow:\n{}", standby.log_tail());
            sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Makes a standby a server that can be written to, and returns once it is one.
    pub fn promote(&self) -> Result<()> {
        let done = self.rows("SELECT pg_promote(true, 30)")?;
        ensure!(done == [[Some("t".to_owned())]], "the standby was not promoted:\n{}", self.log_tail());
        Ok(())
    }
}

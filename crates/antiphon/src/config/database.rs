//! `[database]`

use std::time::Duration;

use anyhow::bail;
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub connections: usize,
    pub writers: usize,
    pub wait_seconds: u64,
}

impl Database {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.connections == 0 || self.writers == 0 {
            bail!("database.connections and database.writers must be positive numbers");
        }
        Ok(())
    }

    /// How long a start waits for a database that cannot be reached.
    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.wait_seconds)
    }
}

//! `[writer]`

use anyhow::bail;
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Writer {
    pub queue: usize,
    pub batch: usize,
    pub wal_bytes: u64,
}

impl Writer {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.queue == 0 || self.batch == 0 || self.wal_bytes == 0 {
            bail!("writer.queue, writer.batch and writer.wal_bytes must be positive numbers");
        }
        Ok(())
    }
}

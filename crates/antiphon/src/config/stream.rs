//! `[stream]`

use std::time::Duration;

use anyhow::bail;
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    pub listeners: usize,
    pub heartbeat_seconds: u64,
    pub behind: usize,
}

impl Stream {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.heartbeat_seconds == 0 || self.behind == 0 {
            bail!("stream.heartbeat_seconds and stream.behind must be positive numbers");
        }
        Ok(())
    }

    pub fn heartbeat(&self) -> Duration {
        Duration::from_secs(self.heartbeat_seconds)
    }
}

//! `[widget]`

use anyhow::bail;
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Widget {
    pub sessions_per_minute: u32,
    pub requests_per_minute: u32,
    pub requests_per_minute_of_address: u32,
    pub messages_per_minute: u32,
    pub messages_per_minute_of_address: u32,
    pub threads_per_hour: u32,
    pub threads_per_hour_of_address: u32,
    pub files_per_hour: u32,
    pub files_per_hour_of_address: u32,
    pub max_file_bytes: u64,
    pub streams: usize,
    pub streams_of_address: usize,
    pub streams_of_visitor: usize,
}

impl Widget {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let rates = [
            self.sessions_per_minute,
            self.requests_per_minute,
            self.requests_per_minute_of_address,
            self.messages_per_minute,
            self.messages_per_minute_of_address,
            self.threads_per_hour,
            self.threads_per_hour_of_address,
            self.files_per_hour,
            self.files_per_hour_of_address,
        ];
        let streams = [self.streams, self.streams_of_address, self.streams_of_visitor];
        if rates.contains(&0) || streams.contains(&0) || self.max_file_bytes == 0 {
            bail!("a limit of 0 in [widget] would refuse every visitor; write positive numbers");
        }
        Ok(())
    }
}

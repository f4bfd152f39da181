//! `[limits]`

use anyhow::bail;
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub enabled: bool,
    pub per_ten_seconds: u32,
    pub oauth_per_ten_seconds: u32,
    pub agent_per_ten_seconds: u32,
    pub passwords_per_minute: u32,
    pub per_day: u64,
}

impl Limits {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.enabled
            && [
                self.per_ten_seconds.into(),
                self.oauth_per_ten_seconds.into(),
                self.agent_per_ten_seconds.into(),
                self.passwords_per_minute.into(),
                self.per_day,
            ]
            .contains(&0)
        {
            bail!("limits of 0 would refuse every request; write positive numbers or limits.enabled = false");
        }
        Ok(())
    }
}

//! `[webhooks]`

use antiphon_store::Millis;
use anyhow::bail;
use serde::Deserialize;

use super::DAY;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    pub log_days: u32,
}

impl Webhooks {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.log_days == 0 {
            bail!("webhooks.log_days = 0 would forget every attempt at once; write a positive number");
        }
        Ok(())
    }

    /// How long an attempt is kept, and an event that was given up.
    pub fn log(&self) -> Millis {
        Millis::from(self.log_days) * DAY
    }
}

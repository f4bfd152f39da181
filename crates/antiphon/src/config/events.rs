//! `[events]`

use antiphon_store::Millis;
use anyhow::bail;
use serde::Deserialize;

use super::DAY;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    pub keep_days: u32,
    pub most_days: u32,
}

impl Events {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.keep_days < 2 {
            bail!(
                "events.keep_days = {} would forget events that are still tried again; write 2 or more",
                self.keep_days
            );
        }
        if self.most_days < self.keep_days {
            bail!(
                "events.most_days = {} is less than events.keep_days = {}; write as many or more",
                self.most_days,
                self.keep_days
            );
        }
        Ok(())
    }

    /// How long an event is kept that everybody has read.
    pub fn keep(&self) -> Millis {
        Millis::from(self.keep_days) * DAY
    }

    /// How long an event is kept that somebody has not read.
    pub fn most(&self) -> Millis {
        Millis::from(self.most_days) * DAY
    }
}

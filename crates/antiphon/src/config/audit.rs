//! `[audit]`

use antiphon_store::Millis;
use anyhow::bail;
use serde::Deserialize;

use super::DAY;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    pub keep_days: u32,
}

impl Audit {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.keep_days == 0 {
            bail!("audit.keep_days = 0 would forget at once who changed what; write 1 or more");
        }
        Ok(())
    }

    /// How long it is kept.
    pub fn keep(&self) -> Millis {
        Millis::from(self.keep_days) * DAY
    }
}

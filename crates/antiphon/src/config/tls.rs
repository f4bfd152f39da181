//! `[tls]`

use std::path::PathBuf;

use anyhow::bail;
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Tls {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.certificate.as_os_str().is_empty() != self.key.as_os_str().is_empty() {
            bail!("tls.certificate and tls.key belong together; set both or neither");
        }
        Ok(())
    }

    /// Whether connections are encrypted.
    pub fn enabled(&self) -> bool {
        !self.certificate.as_os_str().is_empty()
    }
}

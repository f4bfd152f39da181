//! `[secrets]`

use std::path::{Path, PathBuf};

use antiphon_store::{KeySource, MasterKey};
use anyhow::bail;
use serde::Deserialize;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    pub key: String,
    pub key_file: PathBuf,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").field("key_file", &self.key_file).finish_non_exhaustive()
    }
}

impl Secrets {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let file = !self.key_file.as_os_str().is_empty();
        if !self.key.is_empty() && file {
            bail!("secrets.key and secrets.key_file are one and the same key; set one of them");
        }
        if !self.key.is_empty() && MasterKey::parse(&self.key).is_none() {
            bail!(
                "secrets.key is no key; write 32 bytes in Base64, as `openssl rand -base64 32` prints them"
            );
        }
        Ok(())
    }

    /// Whether it is said where the master key is.
    pub fn given(&self) -> bool {
        !self.key.is_empty() || !self.key_file.as_os_str().is_empty()
    }

    /// Where the master key comes from.
    pub fn source(&self, data_dir: &Path) -> KeySource {
        match MasterKey::parse(&self.key) {
            Some(key) => KeySource::Given(key),
            None if self.key_file.as_os_str().is_empty() => KeySource::of(data_dir),
            None => KeySource::File(self.key_file.clone()),
        }
    }
}

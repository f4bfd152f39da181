//! `[files]`

use antiphon_store::Millis;
use anyhow::bail;
use serde::Deserialize;

use super::DAY;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    pub url: String,
    pub endpoint: String,
    pub region: String,
    pub access_key_id: String,
    pub secret_access_key: String,
    pub max_bytes: u64,
    pub keep_days: u32,
    pub uploads: usize,
    pub import_seconds: u64,
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files")
            .field("url", &self.url)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl Files {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if !(self.url.is_empty() || self.url.starts_with("file:///") || self.url.starts_with("s3://")) {
            bail!(
                "files.url = {:?} names no place; write \"file:///<directory>\" or \"s3://<bucket>/<prefix>\", or leave it empty",
                self.url
            );
        }
        if self.access_key_id.is_empty() != self.secret_access_key.is_empty() {
            bail!("of files.access_key_id and files.secret_access_key only one is given; write both or none");
        }
        for (name, value) in [
            ("max_bytes", self.max_bytes),
            ("uploads", self.uploads as u64),
            ("import_seconds", self.import_seconds),
        ] {
            if value == 0 {
                bail!("files.{name} = 0 would refuse every file; write a positive number");
            }
        }
        Ok(())
    }

    /// How long the bytes of a deleted file are kept.
    pub fn keep(&self) -> Millis {
        Millis::from(self.keep_days) * DAY
    }
}

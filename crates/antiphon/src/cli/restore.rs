//! `antiphon restore`

use std::path::PathBuf;

use antiphon_store::Store;
use anyhow::bail;
use clap::Args;
use serde_json::json;

use super::Common;

#[derive(Debug, Args)]
pub struct Restore {
    /// The file that `antiphon backup` wrote
    file: PathBuf,
}

impl Restore {
    pub fn run(self, common: &Common) -> anyhow::Result<()> {
        let config = common.load()?;
        if config.postgres().is_some() {
            bail!("a backup goes into a data directory; restore {} with `pg_restore`", config.place());
        }
        Store::restore(&self.file, &config.data_dir)?;
        let directory = config.data_dir.display().to_string();
        match common.json {
            true => println!("{}", json!({ "status": "restored", "dataDir": directory })),
            false => println!("{} was verified and is now in {directory}", self.file.display()),
        }
        Ok(())
    }
}

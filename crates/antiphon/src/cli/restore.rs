//! `antiphon restore`

use std::path::PathBuf;

use antiphon_store::Store;
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
        let settings = crate::serve::settings(&config);
        Store::restore(&self.file, &settings)?;
        let place = config.place();
        match common.json {
            true if config.postgres().is_some() => {
                println!("{}", json!({ "status": "restored", "store": place }));
            }
            true => println!("{}", json!({ "status": "restored", "dataDir": place })),
            false => println!("{} was verified and is now in {place}", self.file.display()),
        }
        if !common.json && settings.key.read()?.is_none() {
            println!(
                "put the master key of the server that was backed up into {}; `antiphon key replace` helps when it is lost",
                settings.key
            );
        }
        Ok(())
    }
}

//! `antiphon migrate`

use antiphon_store::Store;
use serde_json::json;

use super::{Common, block_on};
use crate::serve::settings;

pub fn run(common: &Common) -> anyhow::Result<()> {
    let config = common.load()?;
    // Opening migrates, under the directory's lock and after a snapshot.
    let store = Store::open(settings(&config))?;
    block_on(async {
        store.close().await;
        Ok(())
    })?;
    let directory = config.data_dir.display().to_string();
    match common.json {
        true => println!("{}", json!({ "status": "migrated", "dataDir": directory })),
        false => println!("{directory} has the schema of antiphon {}", env!("CARGO_PKG_VERSION")),
    }
    Ok(())
}

//! `antiphon migrate`

use antiphon_store::{Layout, Store};
use anyhow::bail;
use clap::Args;
use serde_json::json;

use super::{Common, block_on};
use crate::serve::settings;

#[derive(Debug, Args)]
pub struct Migrate {
    /// Distribute a new PostgreSQL database over the nodes of a Citus cluster, by portal
    #[arg(long, conflicts_with = "partitions")]
    citus: bool,
    /// Split the tables of a new PostgreSQL database into so many partitions, by portal
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    partitions: Option<u32>,
}

impl Migrate {
    pub fn run(self, common: &Common) -> anyhow::Result<()> {
        let config = common.load()?;
        let mut settings = settings(&config);
        let layout = if self.citus { Some(Layout::Citus) } else { self.partitions.map(Layout::Partitioned) };
        match (&mut settings.postgres, layout) {
            (Some(at), layout) => at.layout = layout,
            (None, None) => {}
            (None, Some(_)) => {
                bail!(
                    "--citus and --partitions lay out a PostgreSQL database; name one with --store postgres://…"
                )
            }
        }
        // Opening migrates: an embedded store under its directory's lock and after a snapshot.
        let store = Store::open(settings)?;
        block_on(async {
            store.close().await;
            Ok(())
        })?;
        let place = config.place();
        match common.json {
            true if config.postgres().is_some() => {
                println!("{}", json!({ "status": "migrated", "store": place }))
            }
            true => println!("{}", json!({ "status": "migrated", "dataDir": place })),
            false => println!("{place} has the schema of antiphon {}", env!("CARGO_PKG_VERSION")),
        }
        Ok(())
    }
}

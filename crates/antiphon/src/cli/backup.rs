//! `antiphon backup`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::operator::Operator;
use super::{Common, block_on};

#[derive(Debug, Args)]
pub struct Backup {
    /// Where to write the backup; the file must not exist yet
    file: PathBuf,
}

impl Backup {
    pub fn run(self, common: &Common) -> anyhow::Result<()> {
        let config = common.load()?;
        // The server may have another working directory.
        let file = std::path::absolute(&self.file)?;
        block_on(async {
            let operator = Operator::connect(&config).await?;
            let body = json!({ "file": file });
            let made = operator.call("POST", "/antiphon/v1/backups", None, Some(&body));
            let made = tokio::select! {
                made = made => made,
                never = operator.progress("/antiphon/v1/backups", common.json) => never,
            };
            operator.close().await;
            let made = made?;
            match common.json {
                true => println!("{made}"),
                false => println!("{} bytes are in {}", made["bytes"], file.display()),
            }
            Ok(())
        })
    }
}

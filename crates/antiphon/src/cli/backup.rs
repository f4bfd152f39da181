//! `antiphon backup`

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

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
                never = progress(&operator, common.json) => never,
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

/// Says how far it is, as long as somebody can see it.
async fn progress<T>(operator: &Operator, quiet: bool) -> anyhow::Result<T> {
    let visible = !quiet && std::io::stderr().is_terminal();
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let Ok(state) = operator.call("GET", "/antiphon/v1/backups", None, None).await else { continue };
        let (done, pages) = (state["done"].as_u64().unwrap_or(0), state["pages"].as_u64().unwrap_or(0));
        if visible && pages > 0 {
            eprint!("\r{:3} %", done * 100 / pages);
            std::io::stderr().flush().ok();
        }
    }
}

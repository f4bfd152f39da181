//! `antiphon move`

use std::io::{IsTerminal, Write};
use std::time::Duration;

use antiphon_store::{KeySource, Settings, Store};
use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Value, json};

use super::operator::Operator;
use super::{Common, block_on};
use crate::config::Config;
use crate::moves::{MoveMade, MoveProgress, place};

#[derive(Debug, Args)]
pub struct Move {
    /// Where the store is: sqlite:DIRECTORY or postgres://user:password@host/database
    #[arg(long, value_name = "URL", required_unless_present = "online")]
    from: Option<String>,
    /// Where it is to be, a place of either kind that is empty
    #[arg(long, value_name = "URL")]
    to: String,
    /// Have the running server move its store while it serves, and go on serving from there
    #[arg(long, conflicts_with = "from")]
    online: bool,
}

impl Move {
    pub fn run(self, common: &Common) -> anyhow::Result<()> {
        let mut shown = Shown { terminal: std::io::stderr().is_terminal(), json: common.json, last: None };
        let (config, target) = (common.load()?, place(&self.to)?);
        let mut key = config.secrets.source(&config.data_dir);
        let moved = match self.from {
            Some(from) => {
                let (from, to) = (place(&from)?, &target);
                if from.postgres.is_none() && !config.secrets.given() {
                    key = from.key.clone();
                }
                let told = |at| {
                    if let Ok(state) = serde_json::to_value(MoveProgress::of(Some(at))) {
                        shown.show(&state);
                    }
                };
                serde_json::to_value(MoveMade::of(&Store::move_to(&from, to, told)?))?
            }
            None => block_on(online(&config, self.to, &mut shown))?,
        };
        shown.end();
        let hint = carried(&key, &target)?;
        match common.json {
            true => {
                println!("{}", json!({ "status": "moved", "rows": moved["rows"], "tables": moved["tables"] }))
            }
            false => println!(
                "{} rows in {} tables were copied and are the same at both ends; start antiphon at the new place from now on",
                moved["rows"],
                moved["tables"].as_array().map_or(0, Vec::len)
            ),
        }
        if let Some(hint) = hint.filter(|_| !common.json) {
            println!("{hint}");
        }
        Ok(())
    }
}

/// Takes the master key along into a directory. To a database whoever serves it has to bring it.
fn carried(key: &KeySource, to: &Settings) -> anyhow::Result<Option<String>> {
    let (KeySource::File(from), Some(value)) = (key, key.read()?) else { return Ok(None) };
    match &to.key {
        KeySource::File(file) if to.postgres.is_none() => {
            if !file.exists() {
                value.write(file).with_context(|| {
                    format!(
                        "the master key could not be written; copy {} to {}",
                        from.display(),
                        file.display()
                    )
                })?;
            }
            Ok(None)
        }
        _ => Ok(Some(format!("its master key is in {}; every server there needs it", from.display()))),
    }
}

/// Has the running server move.
async fn online(config: &Config, to: String, shown: &mut Shown) -> anyhow::Result<Value> {
    let to = match to.strip_prefix("sqlite:") {
        // The server may have another working directory.
        Some(directory) => {
            let directory = std::path::absolute(directory).context("the directory cannot be named")?;
            format!("sqlite:{}", directory.display())
        }
        None => to,
    };
    let operator = Operator::connect(config).await?;
    if !operator.is_running() {
        operator.close().await;
        bail!("no server runs in {}; start it, or move with --from", config.data_dir.display());
    }
    let path = "/antiphon/v1/moves";
    let body = json!({ "to": to });
    let watch = async {
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            if let Ok(state) = operator.call("GET", path, None, None).await {
                shown.show(&state);
            }
        }
    };
    tokio::select! {
        made = operator.call("POST", path, None, Some(&body)) => made,
        never = watch => never,
    }
}

/// Progress on standard error: a line that is written over for people, a line per hundredth for programs.
struct Shown {
    terminal: bool,
    json: bool,
    last: Option<(String, u64)>,
}

impl Shown {
    fn show(&mut self, state: &Value) {
        let doing = state["doing"].as_str().unwrap_or_default();
        let (done, rows) = (state["done"].as_u64().unwrap_or(0), state["rows"].as_u64().unwrap_or(0));
        let share = (doing.to_owned(), done * 100 / rows.max(1));
        if doing == "nothing" || self.last.as_ref() == Some(&share) {
            return;
        }
        let said = match doing {
            "catchingUp" => format!("catching up with {rows} changes"),
            "cuttingOver" => "cutting over".to_owned(),
            _ => format!("{doing} {} % of {rows} rows", share.1),
        };
        match (self.json, self.terminal) {
            (true, _) => eprintln!("{}", json!({ "status": doing, "done": done, "rows": rows })),
            (false, true) => {
                eprint!("\r{said:60}");
                std::io::stderr().flush().ok();
            }
            (false, false) if share.1.is_multiple_of(10) => eprintln!("{said}"),
            (false, false) => {}
        }
        self.last = Some(share);
    }

    fn end(&self) {
        if self.terminal && !self.json && self.last.is_some() {
            eprintln!();
        }
    }
}

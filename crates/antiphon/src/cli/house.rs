//! `antiphon move`

use std::io::{IsTerminal, Write};
use std::path::Path;

use antiphon_store::{Moved, Moving, Postgres, Settings, Store};
use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};

use super::Common;

#[derive(Debug, Args)]
pub struct Move {
    /// Where the store is: sqlite:DIRECTORY or postgres://user:password@host/database
    #[arg(long, value_name = "URL")]
    from: String,
    /// Where it is to be, a place of either kind that is empty
    #[arg(long, value_name = "URL")]
    to: String,
}

impl Move {
    pub fn run(self, common: &Common) -> anyhow::Result<()> {
        let (from, to) = (place(&self.from)?, place(&self.to)?);
        let mut shown = Shown { terminal: std::io::stderr().is_terminal(), json: common.json, last: None };
        let moved = Store::move_to(&from, &to, |at| shown.show(at));
        shown.end();
        let moved = moved?;
        match common.json {
            true => println!("{}", report(&moved)),
            false => println!(
                "{} rows in {} tables are the same at both ends; start antiphon at the new place",
                moved.rows(),
                moved.tables.len()
            ),
        }
        Ok(())
    }
}

/// A place as `--store` names it.
///
/// # Errors
/// When it names none.
pub fn place(url: &str) -> anyhow::Result<Settings> {
    if let Some(directory) = url.strip_prefix("sqlite:").filter(|directory| !directory.is_empty()) {
        return Ok(Settings::new(Path::new(directory)));
    }
    if ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Ok(Settings { postgres: Some(Postgres::new(url)), ..Settings::new("") });
    }
    bail!(
        "{:?} is no place of a store; write sqlite:<directory> or postgres://<user>:<password>@<host>/<database>",
        url.split_once(':').map_or(url, |(scheme, _)| scheme)
    )
}

/// What was moved, for programs.
fn report(moved: &Moved) -> Value {
    let tables: Vec<Value> = moved
        .tables
        .iter()
        .map(|table| {
            json!({
                "portal": table.portal.0,
                "table": table.table,
                "rows": table.rows,
                "checksum": format!("{:016x}", table.checksum),
            })
        })
        .collect();
    json!({ "status": "moved", "rows": moved.rows(), "tables": tables })
}

/// Progress on standard error: a line that is written over for people, a line per step of a hundredth for programs.
struct Shown {
    terminal: bool,
    json: bool,
    last: Option<(&'static str, u64)>,
}

impl Shown {
    fn show(&mut self, at: Moving) {
        let (doing, done, all) = match at {
            Moving::Copying(done, all) => ("copying", done, all),
            Moving::Comparing(done, all) => ("comparing", done, all),
        };
        let share = (doing, done * 100 / all.max(1));
        if self.last == Some(share) {
            return;
        }
        self.last = Some(share);
        match (self.json, self.terminal) {
            (true, _) => eprintln!("{}", json!({ "status": doing, "done": done, "rows": all })),
            (false, true) => {
                eprint!("\r{doing:9} {:3} % of {all} rows", share.1);
                std::io::stderr().flush().ok();
            }
            (false, false) if share.1.is_multiple_of(10) => {
                eprintln!("{doing} {} % of {all} rows", share.1);
            }
            (false, false) => {}
        }
    }

    fn end(&self) {
        if self.terminal && !self.json && self.last.is_some() {
            eprintln!();
        }
    }
}

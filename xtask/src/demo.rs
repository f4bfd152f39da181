//! `cargo xtask demo`: the quickest way to a server with something in it.

use std::fs;

use anyhow::{Context, Result};
use clap::Args;

use crate::run::{cargo, command, finish, target};
use crate::ui;

#[derive(Args)]
pub struct Options {
    /// Throws the demo portal of an earlier run away first
    #[arg(long)]
    fresh: bool,
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1:8085")]
    listen: String,
}

pub fn run(options: &Options) -> Result<()> {
    ui::run()?;
    finish(cargo(&["build", "--release", "--package", "antiphon"]))?;
    let data = target().join("demo");
    if options.fresh && data.exists() {
        fs::remove_dir_all(&data).with_context(|| format!("could not remove {}", data.display()))?;
    }
    let server = target().join("release").join("antiphon");
    let mut serve = command(server, &["serve", "--demo", "--listen", &options.listen, "--data-dir"]);
    serve.arg(&data);
    println!("The demo portal lives in {}; `--fresh` starts it anew, Ctrl-C stops it.\n", data.display());
    finish(serve)
}

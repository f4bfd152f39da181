//! `antiphon key`

use std::path::PathBuf;

use antiphon_store::{KeySource, MasterKey, Store};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tokio::net::UnixStream;

use super::manage::{Task, body};
use super::{Common, block_on};
use crate::config::Config;
use crate::serve::settings;

const SHOWN: &[&str] = &["id", "signs", "createdAt", "endsAt"];

#[derive(Debug, Args)]
#[command(about = None, long_about = None)]
pub struct Keys {
    #[command(subcommand)]
    what: Key,
}

#[derive(Debug, Subcommand)]
enum Key {
    /// List the signing keys whose signatures are good
    List,
    /// Sign with a fresh key; what the old one signed stays good for 30 days
    Rotate {
        /// How long it stays good instead
        #[arg(long, value_name = "SECONDS")]
        overlap: Option<i64>,
        /// End at once what the old one signed: tokens of visitors, addresses of files, sessions
        #[arg(long, visible_alias = "now", conflicts_with = "overlap")]
        at_once: bool,
    },
    /// Replace the master key of a store that nobody serves
    ///
    /// Everything is sealed anew. Where the present key is lost, every app gets a fresh client secret, which is shown, and what
    /// the server signed is good no more.
    Replace {
        /// Where to write the new key [default: in place of the present one]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
}

impl Keys {
    pub fn run(self, common: &Common) -> anyhow::Result<()> {
        let path = "/antiphon/v1/keys";
        match self.what {
            Key::List => Task::get(path, SHOWN).run(common, None),
            Key::Rotate { overlap, at_once } => {
                let body = body([
                    ("overlapSeconds", overlap.map(Value::from)),
                    ("atOnce", at_once.then_some(json!(true))),
                ]);
                Task::send("POST", format!("{path}/rotate"), body, SHOWN).run(common, None)
            }
            Key::Replace { to } => replace(&common.load()?, to, common.json),
        }
    }
}

fn replace(config: &Config, to: Option<PathBuf>, as_json: bool) -> anyhow::Result<()> {
    if block_on(async { Ok(UnixStream::connect(config.socket()).await.is_ok()) })? {
        bail!("the server is running; stop every server of this store first");
    }
    let settings = settings(config);
    let present = match (&settings.key, &to) {
        (KeySource::File(path), _) => Some(path.clone()),
        (KeySource::Given(_), Some(_)) => None,
        (KeySource::Given(_), None) => {
            bail!(
                "the present key is configured; say with --to where to write the new one, and configure that then"
            )
        }
    };
    let new = MasterKey::fresh()?;
    let file = to.clone().or(present).unwrap_or_default();
    // It is on the disk before anything is sealed with it.
    let beside = match &to {
        Some(file) => file.clone(),
        None => file.with_extension("key.new"),
    };
    new.write(&beside)
        .with_context(|| format!("{} cannot be written; it must not exist yet", beside.display()))?;
    let resealed = Store::reseal(&settings, &new).inspect_err(|_| {
        // Nothing was sealed with it.
        std::fs::remove_file(&beside).ok();
    })?;
    if beside != file {
        std::fs::rename(&beside, &file).with_context(|| {
            format!("the new key stays in {}; put it into {}", beside.display(), file.display())
        })?;
    }
    let fresh: Vec<_> = resealed.iter().filter_map(|one| Some((one.app.0, one.fresh.as_deref()?))).collect();
    if as_json {
        let apps: Vec<Value> =
            fresh.iter().map(|(id, secret)| json!({ "id": id, "clientSecret": secret })).collect();
        println!("{}", json!({ "status": "replaced", "keyFile": file, "freshSecrets": apps }));
        return Ok(());
    }
    println!("{} secrets were sealed anew; the new master key is in {}", resealed.len(), file.display());
    if !fresh.is_empty() {
        println!("The secrets of these apps could not be opened; give them the fresh ones:");
        for (id, secret) in fresh {
            println!("{id:<12} {secret}");
        }
    }
    Ok(())
}

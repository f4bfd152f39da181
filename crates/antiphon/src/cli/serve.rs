//! `antiphon serve`

use clap::Args;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{Common, block_on};
use crate::config::{Config, Flags};
use crate::demo;
use crate::serve::{Server, settings};
use crate::sessions::setup;

#[derive(Debug, Args)]
pub struct Serve {
    /// Address to listen on [default: 127.0.0.1:8085]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Fill an empty store with the demo portal
    #[arg(long)]
    demo: bool,
}

impl Serve {
    pub fn run(self, common: &Common) -> anyhow::Result<()> {
        let demo = self.demo.then_some(true);
        let config = Config::load(&Flags { listen: self.listen, demo, ..common.flags() })?;
        config.log.start()?;
        block_on(async {
            // Listened for before anything else, so that no signal meets the system's default.
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            let started = async {
                let settings = settings(&config);
                if config.demo {
                    demo::prepare(&config, &settings).await?;
                }
                Server::start(config, settings).await
            };
            let server = tokio::select! {
                started = started => started?,
                _ = terminate.recv() => return Ok(()),
                _ = interrupt.recv() => return Ok(()),
            };
            let setup = setup::link(&server.app).await.unwrap_or_default();
            announce(&server, setup.as_deref(), common.json);
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("stopping; a second signal stops at once");
            tokio::select! {
                () = server.stop() => Ok(()),
                _ = terminate.recv() => std::process::exit(1),
                _ = interrupt.recv() => std::process::exit(1),
            }
        })
    }
}

fn announce(server: &Server, setup: Option<&str>, as_json: bool) {
    if as_json {
        let demo = server.app.config.demo;
        let tokens: &[&str] = if demo { &demo::TOKENS } else { &[] };
        let pid = std::process::id();
        let mut told = json!({ "status": "serving", "url": server.url, "pid": pid, "tokens": tokens });
        if demo {
            told["inbox"] = demo::inbox(&server.url).into();
            told["website"] = demo::website(&server.url).into();
        }
        if let Some(setup) = setup {
            told["setup"] = setup.into();
        }
        println!("{told}");
    } else {
        println!("Antiphon {} serves at {}", env!("CARGO_PKG_VERSION"), server.url);
        if server.app.config.demo {
            println!("{}", demo::welcome(&server.url));
        } else if let Some(setup) = setup {
            println!("Nobody can sign in yet. Make the first administrator within a day at\n  {setup}");
        }
    }
}

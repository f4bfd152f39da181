//! `[log]`

use std::io::IsTerminal;

use anyhow::{Context, bail};
use serde::Deserialize;
use tracing_subscriber::EnvFilter;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub filter: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

impl Log {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let Err(_) = self.filter.parse::<EnvFilter>() else { return Ok(()) };
        bail!(
            "log.filter = {:?} cannot be understood; write a level such as \"info\" or \"warn,antiphon=debug\"",
            self.filter
        )
    }

    /// Starts logging to standard error.
    ///
    /// # Errors
    /// When the process logs already.
    pub fn start(&self) -> anyhow::Result<()> {
        let log = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(&self.filter))
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr);
        match self.format {
            LogFormat::Text => log.try_init(),
            LogFormat::Json => log.json().flatten_event(true).try_init(),
        }
        .map_err(|error| anyhow::anyhow!(error))
        .context("logging cannot be started")
    }
}

//! The demo: a portal that is always the same, for trying things out and for tests from outside.
//!
//! [`prepare`] fills an empty store before the server starts. What it writes goes through the same doors and rules
//! as everything else; only the clock is set by hand. Ids, texts and order are fixed, times are offsets from the epoch.

mod attachments;
mod fill;
mod plan;
mod shop;
pub mod site;
mod texts;

use antiphon_store::{Millis, Settings, Store};
use anyhow::bail;

use crate::config::Config;
use crate::middleware::token;
use crate::refusal::Refusal;
use crate::serve::open;

/// Keys that everybody knows.
pub mod key {
    /// Every scope.
    pub const ALL: &str = "pat-demo-antiphon";
    /// `conversations.read` alone.
    pub const READ: &str = "pat-demo-readonly";
    /// Every scope in the second portal.
    pub const OTHER: &str = "pat-demo-other";
    pub const CLIENT_SECRET: &str = "secret-demo-antiphon";
    pub const DEVELOPER_KEY: &str = "key-demo-antiphon";
    /// With which the shop's agents sign in.
    pub const PASSWORD: &str = "demo-antiphon";
}

/// The agent as whom the printed link signs in.
pub const AGENT: &str = "mia@larkspur.example";

/// The tokens of the demo.
pub const TOKENS: [&str; 3] = [key::ALL, key::READ, key::OTHER];

/// Pins the moment from which all times of the demo are counted.
const EPOCH: &str = "ANTIPHON_DEMO_EPOCH";

/// Makes sure that the store holds the demo and nothing else.
///
/// # Errors
/// One sentence, when it holds anything else.
pub async fn prepare(config: &Config, settings: &Settings) -> anyhow::Result<()> {
    let (place, embedded) = (config.place(), config.postgres().is_none());
    let epoch = epoch(std::env::var(EPOCH).ok().as_deref())?;
    let other = if embedded { "an empty --data-dir" } else { "an empty database" };
    if embedded && !is_ours_or_empty(&config.data_dir) {
        bail!("{place} holds something other than the demo; give --demo {other}");
    }
    let store = open(config, settings).await?;
    let (empty, whole) = (store.portals(None, 1).await?.is_empty(), is_whole(&store).await?);
    let now = store.now();
    store.close().await;
    match (whole, empty) {
        (true, _) => Ok(()),
        (false, true) => {
            tracing::info!(place, "making the demo");
            fill::fill(config, settings.clone(), epoch.unwrap_or(now)).await
        }
        (false, false) => bail!(
            "{place} holds something other than the demo, or a demo that was interrupted while it was made; \
             give --demo {other}"
        ),
    }
}

/// Where the inbox opens by itself, signed in.
pub fn inbox(url: &str) -> String {
    format!("{url}/inbox/#demo={AGENT}:{}", key::PASSWORD)
}

/// Where the shop's website is, with its chat.
pub fn website(url: &str) -> String {
    format!("{url}/demo/")
}

/// What to say once the demo is served.
pub fn welcome(url: &str) -> String {
    let (inbox, website) = (inbox(url), website(url));
    let base = format!("{url}/conversations/v3/conversations");
    format!(
        "
The demo portal is ready.

  inbox       {inbox}
  website     {website}   (write in its chat, answer in the inbox)

  token       {}   (every scope)
              {}   (conversations.read alone)
              {}      (a second portal)

Try:

  curl -H 'Authorization: Bearer {}' '{base}/threads?limit=3'

  curl -H 'Authorization: Bearer {}' '{base}/threads/7/messages?limit=5'

  curl -H 'Authorization: Bearer {}' {url}/antiphon/v1/messages/incoming \\
    -H 'Content-Type: application/json' -d '{{ \"channelAccountId\": \"3\", \"sender\": {{ \"email\": \"you@example.org\" }}, \"subject\": \"Hello\", \"text\": \"Is anybody there?\" }}'
",
        key::ALL, key::READ, key::OTHER, key::ALL, key::READ, key::ALL,
    )
}

/// Whether the demo was made, and to its end: this token is the last thing it gets.
async fn is_whole(store: &Store) -> anyhow::Result<bool> {
    Ok(store.token_by_hash(&token::hash(key::READ)).await?.is_some())
}

/// Whether there is nothing in a directory, or a store, which is looked into later.
fn is_ours_or_empty(directory: &std::path::Path) -> bool {
    let Ok(mut entries) = std::fs::read_dir(directory) else { return true };
    let nothing = entries.next().is_none();
    nothing || directory.join("antiphon.db").is_file()
}

fn epoch(pinned: Option<&str>) -> anyhow::Result<Option<Millis>> {
    let Some(text) = pinned.filter(|text| !text.is_empty()) else { return Ok(None) };
    match antiphon_wire::timestamp::parse(text) {
        Some(at) if at + plan::OPENING > 0 => Ok(Some(at)),
        _ => bail!("{EPOCH} = {text:?} is no time after 1970; write it like 2026-10-06T08:00:00Z"),
    }
}

fn refused(refusal: Refusal) -> anyhow::Error {
    anyhow::anyhow!("the demo cannot be made: {refusal:?}")
}

#[cfg(test)]
mod tests;

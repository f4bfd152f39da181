//! Fills an empty store with the demo, through the doors that everybody passes, on a clock that is set by hand.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use antiphon_store::{AppId, Millis, PortalId, Settings, Store};
use anyhow::{Context, bail};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::Value;

use super::plan::{INCOMING, OPENING, Step, steps};
use super::shop::{self, App, Token};
use super::{key, texts};
use crate::app;
use crate::config::Config;
use crate::middleware::{Peer, handle};
use crate::operation::Scope;

/// When the old mailbox was given up, from the epoch.
const OLD_MAILBOX_UNTIL: Millis = OPENING + 21 * 24 * 3_600_000;

pub(super) const PORTAL: PortalId = PortalId(1);
pub(super) const APP: AppId = AppId(4410);
const OTHER_PORTAL: PortalId = PortalId(2);
const OTHER_APP: AppId = AppId(4411);

/// The way in: the whole program without a socket.
pub struct Script {
    app: Arc<app::App>,
    clock: Arc<AtomicI64>,
    epoch: Millis,
}

/// Fills the store of a configuration.
///
/// # Errors
/// When something refuses, which nothing should.
pub async fn fill(config: &Config, settings: Settings, epoch: Millis) -> anyhow::Result<()> {
    // Thousands of requests that nobody made are nothing for the log.
    let _quiet = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
    let clock = Arc::new(AtomicI64::new(epoch + OPENING));
    let hands = clock.clone();
    let settings = Settings {
        clock: Some(Arc::new(move || hands.load(Ordering::Relaxed))),
        counted_ids: true,
        // Nothing is promised to anybody before the end, and there everything is synced at once. Files of a database elsewhere
        // cannot be.
        durable: settings.postgres.is_some(),
        ..settings
    };
    let directory = settings.postgres.is_none().then(|| settings.data_dir.clone());
    let store = Store::open(settings)?;
    let app = Arc::new(app::App::new(store, config.clone(), String::from("http://localhost"))?);
    let script = Script { app, clock, epoch };
    let told = tell(&script).await;
    script.app.store.close().await;
    told?;
    directory.as_deref().map_or(Ok(()), sync)
}

async fn tell(script: &Script) -> anyhow::Result<()> {
    let store = &script.app.store;
    let (languages, spam) = texts::load()?;
    let everything = |secret| Token { secret, label: "Everything", scopes: shop::every_scope() };
    let app = App {
        id: APP,
        name: "Demo integration",
        client_secret: key::CLIENT_SECRET,
        developer_key: key::DEVELOPER_KEY,
    };
    shop::open_portal(store, PORTAL, "Larkspur Bikes", app).await?;
    shop::issue(store, PORTAL, APP, everything(key::ALL)).await?;
    shop::furnish(script, &languages).await?;

    let mut conversations: HashMap<usize, Open> = HashMap::new();
    let mut old_mailbox = true;
    for step in steps(&languages, &spam, shop::TICKETS_IN_ALL) {
        if old_mailbox && step.at >= OLD_MAILBOX_UNTIL {
            script.at(OLD_MAILBOX_UNTIL);
            shop::give_up_the_old_mailbox(script).await?;
            old_mailbox = false;
        }
        script.at(step.at);
        let open = conversations.entry(step.thread).or_default();
        let answer = script.call(key::ALL, step.verb, &open.path(&step), &step.body).await;
        open.learn(&step, &answer.with_context(|| format!("conversation {}", step.thread))?);
    }

    script.at(-1);
    let other = App {
        id: OTHER_APP,
        name: "Other integration",
        client_secret: "secret-demo-other",
        developer_key: "key-demo-other",
    };
    shop::open_portal(store, OTHER_PORTAL, "Quill & Feather", other).await?;
    shop::issue(store, OTHER_PORTAL, OTHER_APP, everything(key::OTHER)).await?;
    shop::furnish_the_other(script).await?;

    // Comes last: where it is known, the demo is whole.
    let reading =
        Token { secret: key::READ, label: "Reading only", scopes: vec![Scope::Read.name().to_owned()] };
    shop::issue(store, PORTAL, APP, reading).await
}

/// What is known of a conversation under way.
#[derive(Debug, Default)]
struct Open {
    thread: String,
    /// The latest outgoing message.
    message: String,
}

impl Open {
    fn path(&self, step: &Step) -> String {
        step.path.replace("{thread}", &self.thread).replace("{message}", &self.message)
    }

    fn learn(&mut self, step: &Step, answer: &Value) {
        if step.path == INCOMING {
            self.thread = answer["threadId"].as_str().unwrap_or_default().to_owned();
        } else if answer["direction"] == "OUTGOING" {
            self.message = answer["id"].as_str().unwrap_or_default().to_owned();
        }
    }
}

impl Script {
    /// Sets the clock, counted from the epoch.
    fn at(&self, at: Millis) {
        self.clock.store(self.epoch + at, Ordering::Relaxed);
    }

    /// Makes a call.
    ///
    /// # Errors
    /// What was refused.
    pub async fn call(&self, token: &str, verb: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let bytes = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = Request::builder()
            .method(verb)
            .uri(path)
            .header("host", "localhost")
            .header("authorization", format!("Bearer {token}"))
            .body(Full::new(bytes))?;
        let response = handle(&self.app, &Peer::default(), request).await;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            bail!("the demo cannot be made: {verb} {path} {body}: {}", String::from_utf8_lossy(&answer));
        }
        if answer.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&answer)?) }
    }
}

/// Sees to it that every file is on the disk.
fn sync(directory: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_file() {
            std::fs::File::open(&path)?.sync_all()?;
        }
    }
    Ok(std::fs::File::open(directory)?.sync_all()?)
}

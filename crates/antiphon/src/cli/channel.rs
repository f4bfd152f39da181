//! `antiphon channel`

use clap::Subcommand;
use serde_json::{Value, json};

use super::manage::{Task, body, text};

const LIST: &[&str] = &["id", "name", "webhookUrl", "createdAt"];
const ONE: &[&str] = &[
    "id",
    "name",
    "webhookUrl",
    "channelAccountConnectionRedirectUrl",
    "channelDescription",
    "channelLogoUrl",
    "capabilities",
    "createdAt",
];

#[derive(Debug, Subcommand)]
pub enum Channel {
    /// Make a channel for an app; `antiphon account create --channel <id>` connects accounts of it
    Create {
        name: String,
        /// Number of the app that serves it
        #[arg(long)]
        app: i64,
        /// Where the app is told of what happens
        #[arg(long, value_name = "URL")]
        webhook_url: Option<String>,
        /// The app's page on which connecting an account begins
        #[arg(long, value_name = "URL")]
        redirect_url: Option<String>,
        /// One line about it
        #[arg(long)]
        description: Option<String>,
        /// What can be said on it, as a JSON object
        #[arg(long, value_name = "JSON", default_value = "{}", value_parser = capabilities)]
        capabilities: Value,
    },
    /// List the channels of an app
    List {
        /// Number of the app
        #[arg(long)]
        app: i64,
    },
    /// Take a channel away: its accounts work no more, its threads stay readable
    Archive {
        id: i64,
        /// Number of the app
        #[arg(long)]
        app: i64,
    },
}

fn capabilities(given: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str::<serde_json::Map<_, _>>(given).map(Value::Object)
}

impl From<Channel> for Task {
    fn from(what: Channel) -> Self {
        let path = "/conversations/v3/custom-channels";
        match what {
            Channel::Create { name, app, webhook_url, redirect_url, description, capabilities } => {
                let body = body([
                    ("name", Some(json!(name))),
                    ("webhookUrl", text(webhook_url)),
                    ("channelAccountConnectionRedirectUrl", text(redirect_url)),
                    ("channelDescription", text(description)),
                    ("capabilities", Some(capabilities)),
                ]);
                Task::send("POST", format!("{path}?appId={app}"), body, ONE)
            }
            Channel::List { app } => Task::get(format!("{path}?appId={app}"), LIST),
            Channel::Archive { id, app } => {
                Task::delete(format!("{path}/{id}?appId={app}"), "The channel is archived.")
            }
        }
    }
}

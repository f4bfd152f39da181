//! `antiphon app`

use clap::{Args, Subcommand};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::manage::{Task, body, text};

const LIST: &[&str] = &["id", "name", "active", "createdAt"];
const ONE: &[&str] = &[
    "id",
    "name",
    "active",
    "avatar",
    "clientSecret",
    "oldClientSecretUntil",
    "developerKey",
    "oldDeveloperKeyUntil",
    "sharesKeyWith",
    "createdAt",
];

const OAUTH: &[&str] = &["appId", "clientId", "redirectUris", "scopes", "installed", "lastUsedAt"];
const INSTALLED: &[&str] = &["access_token", "refresh_token", "hub_id", "user_id", "scopes"];

#[derive(Debug, Subcommand)]
pub enum App {
    /// Make an app; its secrets are shown this once
    Create {
        name: String,
        /// The number it shall have [default: the next free one]
        #[arg(long)]
        id: Option<i64>,
        /// Absolute URL of a picture
        #[arg(long)]
        avatar: Option<String>,
        /// The developer key of another app, to share it [default: a fresh one]
        #[arg(long, value_name = "KEY")]
        developer_key: Option<String>,
        /// Number of the agent who makes it; clients that ask who did are told 0 without one
        #[arg(long, value_name = "ID")]
        user: Option<i64>,
    },
    /// List the apps
    List,
    /// Show an app, without its secrets
    Show { id: i64 },
    /// Replace an app's client secret by a fresh one, which is shown this once
    RotateSecret {
        id: i64,
        #[command(flatten)]
        old: Old,
    },
    /// Replace the developer key of an app, and of all apps that share it, by a fresh one, which is shown this once
    RotateKey {
        id: i64,
        #[command(flatten)]
        old: Old,
    },
    /// Show or change how an app may be installed: its client id, redirect URIs and scopes
    Oauth {
        id: i64,
        /// Where users may be sent back to; all of them, once for each
        #[arg(long = "redirect-uri", value_name = "URL")]
        redirect_uris: Vec<String>,
        /// What it may ask for; all of them, once for each
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
    },
    /// Install an app on an agent's behalf; its tokens are shown this once
    Install {
        id: i64,
        /// User id of the agent
        #[arg(long)]
        user: i64,
        /// What is granted [default: what the app may ask for]
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
    },
    /// Uninstall an app: the tokens that users granted it are refused
    Uninstall { id: i64 },
    /// Suspend an app: its tokens are refused
    Suspend { id: i64 },
    /// Let a suspended app act again
    Resume { id: i64 },
}

/// What becomes of the one that is replaced.
#[derive(Debug, Args)]
pub struct Old {
    /// How long the old one goes on working: 24h, 90m, at most 720h [default: 24h]
    #[arg(long, value_name = "TIME", conflicts_with = "now")]
    overlap: Option<SignedDuration>,
    /// End the old one at once
    #[arg(long, visible_alias = "at-once")]
    now: bool,
}

impl Old {
    fn body(self) -> Value {
        body([
            ("overlapSeconds", self.overlap.map(|time| json!(time.as_secs()))),
            ("atOnce", self.now.then_some(json!(true))),
        ])
    }
}

impl From<App> for Task {
    fn from(what: App) -> Self {
        let path = "/antiphon/v1/apps";
        let activate = |id: i64, active: bool| {
            Task::send("PATCH", format!("{path}/{id}"), json!({ "active": active }), ONE)
        };
        match what {
            App::Create { name, id, avatar, developer_key, user } => {
                let body = body([
                    ("name", Some(json!(name))),
                    ("id", id.map(Value::from)),
                    ("avatar", text(avatar)),
                    ("developerKey", text(developer_key)),
                    ("userId", user.map(Value::from)),
                ]);
                Task::send("POST", path, body, ONE)
            }
            App::List => Task::get(path, LIST),
            App::Show { id } => Task::get(format!("{path}/{id}"), ONE),
            App::RotateSecret { id, old } => {
                Task::send("POST", format!("{path}/{id}/client-secret/rotate"), old.body(), ONE)
            }
            App::RotateKey { id, old } => {
                Task::send("POST", format!("{path}/{id}/developer-key/rotate"), old.body(), ONE)
            }
            App::Oauth { id, redirect_uris, scopes } => {
                let path = format!("{path}/{id}/oauth");
                let some = |all: Vec<String>| Some(json!(all)).filter(|_| !all.is_empty());
                if redirect_uris.is_empty() && scopes.is_empty() {
                    return Task::get(path, OAUTH);
                }
                let body = body([("redirectUris", some(redirect_uris)), ("scopes", some(scopes))]);
                Task::send("PATCH", path, body, OAUTH)
            }
            App::Install { id, user, scopes } => {
                let body = body([
                    ("userId", Some(json!(user))),
                    ("scopes", Some(json!(scopes)).filter(|_| !scopes.is_empty())),
                ]);
                Task::send("POST", format!("{path}/{id}/install"), body, INSTALLED)
            }
            App::Uninstall { id } => {
                Task::delete(format!("{path}/{id}/install"), "The app is not installed any more.")
            }
            App::Suspend { id } => activate(id, false),
            App::Resume { id } => activate(id, true),
        }
    }
}

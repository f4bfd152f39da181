//! `antiphon app`

use clap::Subcommand;
use serde_json::{Value, json};

use super::manage::{Task, body, text};

const LIST: &[&str] = &["id", "name", "active", "createdAt"];
const ONE: &[&str] = &["id", "name", "active", "avatar", "clientSecret", "developerKey", "createdAt"];

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
    },
    /// List the apps
    List,
    /// Suspend an app: its tokens are refused
    Suspend { id: i64 },
    /// Let a suspended app act again
    Resume { id: i64 },
}

impl From<App> for Task {
    fn from(what: App) -> Self {
        let path = "/antiphon/v1/apps";
        let activate = |id: i64, active: bool| {
            Task::send("PATCH", format!("{path}/{id}"), json!({ "active": active }), ONE)
        };
        match what {
            App::Create { name, id, avatar } => {
                let body = body([
                    ("name", Some(json!(name))),
                    ("id", id.map(Value::from)),
                    ("avatar", text(avatar)),
                ]);
                Task::send("POST", path, body, ONE)
            }
            App::List => Task::get(path, LIST),
            App::Suspend { id } => activate(id, false),
            App::Resume { id } => activate(id, true),
        }
    }
}

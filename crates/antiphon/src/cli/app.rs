//! `antiphon app`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Common;
use super::manage::{Of, Task, body, text};

const LIST: &[&str] = &["id", "name", "active", "createdAt"];
const ONE: &[&str] = &["id", "name", "active", "avatar", "clientSecret", "developerKey", "createdAt"];

#[derive(Debug, Args)]
pub struct App {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Subcommand)]
enum What {
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

impl App {
    pub fn run(self, common: &Common) -> anyhow::Result<()> {
        let path = "/antiphon/v1/apps";
        let activate = |id: i64, active: bool| {
            Task::send("PATCH", format!("{path}/{id}"), json!({ "active": active }), ONE)
        };
        let task = match self.what {
            What::Create { name, id, avatar } => {
                let body = body([
                    ("name", Some(json!(name))),
                    ("id", id.map(Value::from)),
                    ("avatar", text(avatar)),
                ]);
                Task::send("POST", path, body, ONE)
            }
            What::List => Task::get(path, LIST),
            What::Suspend { id } => activate(id, false),
            What::Resume { id } => activate(id, true),
        };
        task.run(common, Some(&self.of))
    }
}

//! `antiphon agent`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Common;
use super::manage::{Of, Task, body, text};

const ONE: &[&str] = &["actorId", "name", "email", "active", "createdAt"];

#[derive(Debug, Args)]
pub struct Agent {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make an agent
    Create {
        name: String,
        #[arg(long)]
        email: Option<String>,
        /// The user id it shall have [default: the next free one]
        #[arg(long)]
        id: Option<i64>,
        /// Absolute URL of a picture
        #[arg(long)]
        avatar: Option<String>,
    },
    /// List the agents
    List,
    /// Change an agent
    Update {
        id: i64,
        /// The new name
        #[arg(long)]
        name: Option<String>,
        /// The new address; empty for none
        #[arg(long)]
        email: Option<String>,
    },
    /// Deactivate an agent: it stays in the history but can do nothing
    Deactivate { id: i64 },
    /// Let a deactivated agent act again
    Activate { id: i64 },
}

impl Agent {
    pub fn run(self, common: &Common) -> anyhow::Result<()> {
        let path = "/antiphon/v1/agents";
        let patch = |id: i64, body: Value| Task::send("PATCH", format!("{path}/{id}"), body, ONE);
        let task = match self.what {
            What::Create { name, email, id, avatar } => {
                let body = body([
                    ("name", Some(json!(name))),
                    ("email", text(email)),
                    ("id", id.map(Value::from)),
                    ("avatar", text(avatar)),
                ]);
                Task::send("POST", path, body, ONE)
            }
            What::List => Task::get(path, ONE),
            What::Update { id, name, email } => {
                patch(id, body([("name", text(name)), ("email", text(email))]))
            }
            What::Deactivate { id } => patch(id, json!({ "active": false })),
            What::Activate { id } => patch(id, json!({ "active": true })),
        };
        task.run(common, Some(&self.of))
    }
}

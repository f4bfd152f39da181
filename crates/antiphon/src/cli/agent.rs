//! `antiphon agent`

use clap::Subcommand;
use serde_json::{Value, json};

use super::manage::{Task, body, text};

const ONE: &[&str] = &["actorId", "name", "email", "active", "createdAt"];

#[derive(Debug, Subcommand)]
pub enum Agent {
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

impl From<Agent> for Task {
    fn from(what: Agent) -> Self {
        let path = "/antiphon/v1/agents";
        let patch = |id: i64, body: Value| Task::send("PATCH", format!("{path}/{id}"), body, ONE);
        match what {
            Agent::Create { name, email, id, avatar } => {
                let body = body([
                    ("name", Some(json!(name))),
                    ("email", text(email)),
                    ("id", id.map(Value::from)),
                    ("avatar", text(avatar)),
                ]);
                Task::send("POST", path, body, ONE)
            }
            Agent::List => Task::get(path, ONE),
            Agent::Update { id, name, email } => {
                patch(id, body([("name", text(name)), ("email", text(email))]))
            }
            Agent::Deactivate { id } => patch(id, json!({ "active": false })),
            Agent::Activate { id } => patch(id, json!({ "active": true })),
        }
    }
}

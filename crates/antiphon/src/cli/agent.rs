//! `antiphon agent`

use std::io::IsTerminal;

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
    /// Set the password with which an agent signs in; it is read from standard input
    Password {
        id: i64,
        /// Whether the agent can connect apps
        #[arg(long, default_value_t = true, action = clap::ArgAction::Set, value_name = "BOOL")]
        administrator: bool,
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
            Agent::Password { id, administrator } => {
                let body = json!({ "password": asked(), "administrator": administrator });
                let task = Task::send("PUT", format!("{path}/{id}/login"), body, &[]);
                Task {
                    done: "The agent can sign in with it; whoever was signed in has to do so again.",
                    ..task
                }
            }
            Agent::Deactivate { id } => patch(id, json!({ "active": false })),
            Agent::Activate { id } => patch(id, json!({ "active": true })),
        }
    }
}

/// The first line of what is typed or piped.
fn asked() -> String {
    if std::io::stdin().is_terminal() {
        eprint!("New password: ");
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).ok();
    line.trim_end_matches(['\r', '\n']).to_owned()
}

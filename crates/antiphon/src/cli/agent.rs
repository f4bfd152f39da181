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
    /// Make a link with which an agent chooses a password: one who exists, or one who is made
    Invite {
        /// The agent's number, if it exists
        id: Option<i64>,
        /// The name of one who is made
        #[arg(long, required_unless_present = "id")]
        name: Option<String>,
        /// The address of one who is made
        #[arg(long, required_unless_present = "id")]
        email: Option<String>,
        /// admin, agent or read-only [default: agent, or what it was]
        #[arg(long)]
        role: Option<String>,
    },
    /// Ask an agent for the password alone who has lost the authenticator
    ForgetAuthenticator { id: i64 },
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
            Agent::Invite { id, name, email, role } => {
                let role = role.map(|role| role.to_uppercase().replace('-', "_"));
                let body = body([
                    ("agentId", id.map(Value::from)),
                    ("name", text(name)),
                    ("email", text(email)),
                    ("role", text(role)),
                ]);
                Task::send(
                    "POST",
                    "/antiphon/v1/invitations",
                    body,
                    &["actorId", "name", "email", "role", "expiresAt", "url"],
                )
            }
            Agent::ForgetAuthenticator { id } => {
                let task = Task::send("DELETE", format!("{path}/{id}/totp"), Value::Null, &[]);
                Task { done: "The agent is asked for the password alone.", ..task }
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

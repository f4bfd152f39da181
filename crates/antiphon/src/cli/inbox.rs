//! `antiphon inbox`

use clap::Subcommand;
use serde_json::{Value, json};

use super::manage::{Task, body, text};

const LIST: &[&str] = &["id", "name", "type", "createdAt", "archivedAt"];
const ONE: &[&str] = &["id", "name", "type", "assignOnReply", "createdAt", "updatedAt", "archivedAt"];

#[derive(Debug, Subcommand)]
pub enum Inbox {
    /// Make an inbox
    Create {
        name: String,
        /// Make it a help desk
        #[arg(long)]
        help_desk: bool,
        /// Whether an answer on an unassigned thread assigns it to the sender [default: true]
        #[arg(long, value_name = "BOOLEAN")]
        assign_on_reply: Option<bool>,
    },
    /// List the inboxes
    List {
        /// Archived ones instead of live ones
        #[arg(long)]
        archived: bool,
    },
    /// Change an inbox
    Update {
        id: i64,
        /// The new name
        #[arg(long)]
        name: Option<String>,
        /// Whether an answer on an unassigned thread assigns it to the sender
        #[arg(long, value_name = "BOOLEAN")]
        assign_on_reply: Option<bool>,
    },
    /// Archive an inbox that no channel account feeds
    Archive { id: i64 },
    /// Restore an archived inbox
    Restore { id: i64 },
}

impl From<Inbox> for Task {
    fn from(what: Inbox) -> Self {
        let path = "/antiphon/v1/inboxes";
        match what {
            Inbox::Create { name, help_desk, assign_on_reply } => {
                let kind = if help_desk { "HELP_DESK" } else { "INBOX" };
                let body = body([
                    ("name", Some(json!(name))),
                    ("type", Some(json!(kind))),
                    ("assignOnReply", assign_on_reply.map(Value::from)),
                ]);
                Task::send("POST", path, body, ONE)
            }
            Inbox::List { archived } => Task::get(
                format!("/conversations/v3/conversations/inboxes?limit=500&archived={archived}"),
                LIST,
            ),
            Inbox::Update { id, name, assign_on_reply } => {
                let body = body([("name", text(name)), ("assignOnReply", assign_on_reply.map(Value::from))]);
                Task::send("PATCH", format!("{path}/{id}"), body, ONE)
            }
            Inbox::Archive { id } => Task::delete(format!("{path}/{id}"), "The inbox is archived."),
            Inbox::Restore { id } => {
                Task::send("PATCH", format!("{path}/{id}"), json!({ "archived": false }), ONE)
            }
        }
    }
}

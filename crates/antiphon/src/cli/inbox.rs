//! `antiphon inbox`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Common;
use super::manage::{Of, Task, body, text};

const LIST: &[&str] = &["id", "name", "type", "createdAt", "archivedAt"];
const ONE: &[&str] = &["id", "name", "type", "assignOnReply", "createdAt", "updatedAt", "archivedAt"];

#[derive(Debug, Args)]
pub struct Inbox {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Subcommand)]
enum What {
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

impl Inbox {
    pub fn run(self, common: &Common) -> anyhow::Result<()> {
        let path = "/antiphon/v1/inboxes";
        let task = match self.what {
            What::Create { name, help_desk, assign_on_reply } => {
                let kind = if help_desk { "HELP_DESK" } else { "INBOX" };
                let body = body([
                    ("name", Some(json!(name))),
                    ("type", Some(json!(kind))),
                    ("assignOnReply", assign_on_reply.map(Value::from)),
                ]);
                Task::send("POST", path, body, ONE)
            }
            What::List { archived } => Task::get(
                format!("/conversations/v3/conversations/inboxes?limit=500&archived={archived}"),
                LIST,
            ),
            What::Update { id, name, assign_on_reply } => {
                let body = body([("name", text(name)), ("assignOnReply", assign_on_reply.map(Value::from))]);
                Task::send("PATCH", format!("{path}/{id}"), body, ONE)
            }
            What::Archive { id } => Task::delete(format!("{path}/{id}"), "The inbox is archived."),
            What::Restore { id } => {
                Task::send("PATCH", format!("{path}/{id}"), json!({ "archived": false }), ONE)
            }
        };
        task.run(common, Some(&self.of))
    }
}

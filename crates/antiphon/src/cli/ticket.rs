//! `antiphon ticket`

use clap::{Args, Subcommand};
use serde_json::json;

use super::Common;
use super::manage::{Of, Task};

const ONE: &[&str] = &["id", "subject", "createdAt"];

#[derive(Debug, Args)]
pub struct Ticket {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a ticket
    Create { subject: String },
    /// List tickets, 500 at most
    List,
    /// Link a thread to a ticket
    Link { ticket: i64, thread: i64 },
    /// Unlink a thread from its ticket
    Unlink { thread: i64 },
}

impl Ticket {
    pub fn run(self, common: &Common) -> anyhow::Result<()> {
        let path = "/antiphon/v1/tickets";
        let link = |thread: i64| format!("/antiphon/v1/threads/{thread}/ticket");
        let task = match self.what {
            What::Create { subject } => Task::send("POST", path, json!({ "subject": subject }), ONE),
            What::List => Task::get(format!("{path}?limit=500"), ONE),
            What::Link { ticket, thread } => {
                let columns = &["id", "status", "threadAssociations.associatedTicketId"];
                Task::send("PUT", link(thread), json!({ "ticketId": ticket }), columns)
            }
            What::Unlink { thread } => Task::delete(link(thread), "The thread is linked to no ticket."),
        };
        task.run(common, Some(&self.of))
    }
}

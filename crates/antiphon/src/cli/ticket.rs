//! `antiphon ticket`

use clap::Subcommand;
use serde_json::json;

use super::manage::Task;

const ONE: &[&str] = &["id", "subject", "createdAt"];

#[derive(Debug, Subcommand)]
pub enum Ticket {
    /// Make a ticket
    Create { subject: String },
    /// List tickets, 500 at most
    List,
    /// Link a thread to a ticket
    Link { ticket: i64, thread: i64 },
    /// Unlink a thread from its ticket
    Unlink { thread: i64 },
}

impl From<Ticket> for Task {
    fn from(what: Ticket) -> Self {
        let path = "/antiphon/v1/tickets";
        let link = |thread: i64| format!("/antiphon/v1/threads/{thread}/ticket");
        match what {
            Ticket::Create { subject } => Task::send("POST", path, json!({ "subject": subject }), ONE),
            Ticket::List => Task::get(format!("{path}?limit=500"), ONE),
            Ticket::Link { ticket, thread } => {
                let columns = &["id", "status", "threadAssociations.associatedTicketId"];
                Task::send("PUT", link(thread), json!({ "ticketId": ticket }), columns)
            }
            Ticket::Unlink { thread } => Task::delete(link(thread), "The thread is linked to no ticket."),
        }
    }
}

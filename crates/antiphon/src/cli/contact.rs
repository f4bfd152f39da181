//! `antiphon contact`

use clap::Subcommand;

use super::manage::{Task, body, text};

const ONE: &[&str] = &["id", "actorId", "name", "email", "phone", "createdAt"];

#[derive(Debug, Subcommand)]
pub enum Contact {
    /// Make a contact
    Create {
        #[arg(long)]
        name: Option<String>,
        #[arg(long, required_unless_present = "phone")]
        email: Option<String>,
        /// With leading +
        #[arg(long)]
        phone: Option<String>,
    },
    /// List contacts, 500 at most
    List,
    /// Show a contact
    Show { id: i64 },
}

impl From<Contact> for Task {
    fn from(what: Contact) -> Self {
        let path = "/antiphon/v1/contacts";
        match what {
            Contact::Create { name, email, phone } => {
                let body = body([("name", text(name)), ("email", text(email)), ("phone", text(phone))]);
                Task::send("POST", path, body, ONE)
            }
            Contact::List => Task::get(format!("{path}?limit=500"), ONE),
            Contact::Show { id } => Task::get(format!("{path}/{id}"), ONE),
        }
    }
}

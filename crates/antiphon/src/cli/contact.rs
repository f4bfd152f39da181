//! `antiphon contact`

use clap::{Args, Subcommand};

use super::Common;
use super::manage::{Of, Task, body, text};

const ONE: &[&str] = &["id", "actorId", "name", "email", "phone", "createdAt"];

#[derive(Debug, Args)]
pub struct Contact {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Subcommand)]
enum What {
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

impl Contact {
    pub fn run(self, common: &Common) -> anyhow::Result<()> {
        let path = "/antiphon/v1/contacts";
        let task = match self.what {
            What::Create { name, email, phone } => {
                let body = body([("name", text(name)), ("email", text(email)), ("phone", text(phone))]);
                Task::send("POST", path, body, ONE)
            }
            What::List => Task::get(format!("{path}?limit=500"), ONE),
            What::Show { id } => Task::get(format!("{path}/{id}"), ONE),
        };
        task.run(common, Some(&self.of))
    }
}

//! `antiphon account`

use clap::Subcommand;
use serde_json::{Value, json};

use super::manage::{Task, body, text};

const LIST: &[&str] =
    &["id", "name", "channelId", "inboxId", "active", "authorized", "deliveryIdentifier.value", "archivedAt"];
const ONE: &[&str] = &[
    "id",
    "name",
    "channelId",
    "inboxId",
    "active",
    "authorized",
    "adapter",
    "deliveryIdentifier.type",
    "deliveryIdentifier.value",
    "welcomeMessage",
    "createdAt",
    "archivedAt",
];

#[derive(Debug, Subcommand)]
pub enum Account {
    /// Connect a channel account
    Create {
        name: String,
        /// Number of the channel: 1000 live chat, 1002 email, 1003 forms, 1009 SMS, …, or that of an app's channel
        #[arg(long)]
        channel: i64,
        /// The inbox it feeds
        #[arg(long)]
        inbox: i64,
        /// Its own address: an email address, or a phone number with leading +
        #[arg(long)]
        address: Option<String>,
        /// Its own address where the channel has addresses of its own kind: any text
        #[arg(long, conflicts_with = "address")]
        handle: Option<String>,
        /// Greeting that starts a chat
        #[arg(long)]
        welcome: Option<String>,
    },
    /// List the channel accounts
    List {
        /// Archived ones instead of live ones
        #[arg(long)]
        archived: bool,
    },
    /// Change a channel account
    Update {
        id: i64,
        /// The new name
        #[arg(long)]
        name: Option<String>,
        /// The inbox it feeds from now on
        #[arg(long)]
        inbox: Option<i64>,
        /// Whether it is switched on
        #[arg(long, value_name = "BOOLEAN")]
        active: Option<bool>,
        /// Greeting that starts a chat; empty for none
        #[arg(long)]
        welcome: Option<String>,
    },
    /// Archive a channel account
    Archive { id: i64 },
    /// Restore an archived channel account
    Restore { id: i64 },
    /// Remove an archived account of an app's channel for good; its conversations keep their history
    Purge { id: i64 },
}

impl From<Account> for Task {
    fn from(what: Account) -> Self {
        let path = "/antiphon/v1/channel-accounts";
        match what {
            Account::Create { name, channel, inbox, address, handle, welcome } => {
                let handle =
                    handle.map(|value| json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": value }));
                let body = body([
                    ("name", Some(json!(name))),
                    ("channelId", Some(json!(channel))),
                    ("inboxId", Some(json!(inbox))),
                    ("deliveryIdentifier", address.map(identifier).or(handle)),
                    ("welcomeMessage", text(welcome)),
                ]);
                Task::send("POST", path, body, ONE)
            }
            Account::List { archived } => Task::get(
                format!("/conversations/v3/conversations/channel-accounts?limit=500&archived={archived}"),
                LIST,
            ),
            Account::Update { id, name, inbox, active, welcome } => {
                let body = body([
                    ("name", text(name)),
                    ("inboxId", inbox.map(Value::from)),
                    ("active", active.map(Value::from)),
                    ("welcomeMessage", text(welcome)),
                ]);
                Task::send("PATCH", format!("{path}/{id}"), body, ONE)
            }
            Account::Archive { id } => {
                Task::delete(format!("{path}/{id}"), "The channel account is archived.")
            }
            Account::Purge { id } => Task::send("POST", format!("{path}/{id}/purge"), Value::Null, ONE),
            Account::Restore { id } => {
                Task::send("PATCH", format!("{path}/{id}"), json!({ "archived": false }), ONE)
            }
        }
    }
}

/// The kind of an address shows in how it looks.
fn identifier(address: String) -> Value {
    let kind = match address.as_str() {
        mail if mail.contains('@') => "HS_EMAIL_ADDRESS",
        phone if phone.starts_with('+') => "HS_PHONE_NUMBER",
        _ => "HS_SHORT_CODE",
    };
    json!({ "type": kind, "value": address })
}

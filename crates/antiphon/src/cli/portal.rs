//! `antiphon portal`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Common;
use super::manage::{Task, body, text};

const LIST: &[&str] = &["id", "name", "timeZone", "createdAt"];
const ONE: &[&str] = &[
    "id",
    "name",
    "timeZone",
    "currency",
    "accountType",
    "quota.messages",
    "quota.bytes",
    "usage.threads",
    "usage.messages",
    "usage.bytes",
    "createdAt",
];

#[derive(Debug, Args)]
pub struct Portal {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a portal
    Create {
        name: String,
        /// The number it shall have [default: the next free one]
        #[arg(long)]
        id: Option<i64>,
        #[command(flatten)]
        settings: Settings,
    },
    /// List the portals
    List,
    /// Show a portal and how much it holds
    Show { id: i64 },
    /// Change a portal
    Update {
        id: i64,
        /// The new name
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
}

#[derive(Debug, Args)]
struct Settings {
    /// IANA name, such as Europe/Lisbon
    #[arg(long)]
    time_zone: Option<String>,
    /// What clients are told that it reckons in, such as EUR
    #[arg(long)]
    currency: Option<String>,
    /// What clients are told that it is: STANDARD, SANDBOX, DEVELOPER_TEST or APP_DEVELOPER
    #[arg(long)]
    account_type: Option<String>,
    /// Most messages it may hold; sets both limits
    #[arg(long)]
    max_messages: Option<i64>,
    /// Most bytes of messages it may hold; sets both limits
    #[arg(long)]
    max_bytes: Option<i64>,
}

impl Settings {
    fn quota(&self) -> Option<Value> {
        let limits = self.max_messages.is_some() || self.max_bytes.is_some();
        limits.then(|| {
            body([
                ("messages", self.max_messages.map(Value::from)),
                ("bytes", self.max_bytes.map(Value::from)),
            ])
        })
    }
}

impl Portal {
    pub fn run(self, common: &Common) -> anyhow::Result<()> {
        let path = "/antiphon/v1/portals";
        let task = match self.what {
            What::Create { name, id, settings } => {
                let body = body([
                    ("id", id.map(Value::from)),
                    ("name", Some(json!(name))),
                    ("quota", settings.quota()),
                    ("timeZone", text(settings.time_zone)),
                    ("currency", text(settings.currency)),
                    ("accountType", text(settings.account_type)),
                ]);
                Task::send("POST", path, body, ONE)
            }
            What::List => Task::get(path, LIST),
            What::Show { id } => Task::get(format!("{path}/{id}"), ONE),
            What::Update { id, name, settings } => {
                let quota = settings.quota();
                let body = body([
                    ("name", text(name)),
                    ("quota", quota),
                    ("timeZone", text(settings.time_zone)),
                    ("currency", text(settings.currency)),
                    ("accountType", text(settings.account_type)),
                ]);
                Task::send("PATCH", format!("{path}/{id}"), body, ONE)
            }
        };
        task.run(common, None)
    }
}

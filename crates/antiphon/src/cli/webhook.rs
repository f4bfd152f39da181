//! `antiphon webhook`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::manage::{Task, body, text};

const STATUS: &[&str] = &[
    "appId",
    "targetUrl",
    "maxConcurrentRequests",
    "activeSubscriptions",
    "pausedAt",
    "pausedWhy",
    "lagEvents",
    "lagSeconds",
    "waiting",
    "givenUp",
    "lastAttemptAt",
    "lastSuccessAt",
];
const ATTEMPTS: &[&str] = &["id", "at", "succeeded", "status", "millis", "error"];
const ATTEMPT: &[&str] = &[
    "id",
    "at",
    "url",
    "succeeded",
    "status",
    "error",
    "millis",
    "excerpt",
    "events.eventId",
    "events.subscriptionId",
    "events.attemptNumber",
    "events.event.objectId",
];
const DELIVERIES: &[&str] = &["eventId", "objectId", "attempts", "firstAt", "lastAt", "dueAt", "error"];
const RESENT: &[&str] = &["resent", "skipped"];
const TRIAL: &[&str] = &["url", "succeeded", "status", "error", "millis", "excerpt"];

#[derive(Debug, Subcommand)]
pub enum Webhook {
    /// Show how an app's webhook stands: how far behind it is, and what it did not take
    Show { app: i64 },
    /// List the newest requests that were sent to an app
    Attempts {
        app: i64,
        /// Only those that were not taken
        #[arg(long)]
        failed: bool,
        /// Only those that were taken
        #[arg(long, conflicts_with = "failed")]
        succeeded: bool,
        /// Only those answered with this status
        #[arg(long)]
        status: Option<u16>,
        /// Only those sent then or later: 2026-10-06T08:14:02Z
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// How many, 500 at most
        #[arg(long, default_value_t = 50, value_name = "NUMBER")]
        most: u16,
    },
    /// Show a request that was sent to an app, with its events
    Attempt { app: i64, id: i64 },
    /// List the events that an app has not taken, and when they are tried again
    Deliveries {
        app: i64,
        /// Those that were given up instead
        #[arg(long)]
        given_up: bool,
    },
    /// Send events again, whether they were taken or not
    Resend {
        app: i64,
        #[command(flatten)]
        what: What,
    },
    /// Send all events again whose last attempt failed, given up or not
    ResendFailed {
        app: i64,
        /// Only those that failed then or later: 2026-10-06T08:14:02Z
        #[arg(long, value_name = "TIME")]
        since: String,
    },
    /// Send an app nothing until it is resumed; what happens meanwhile is kept for it
    Pause {
        app: i64,
        /// What others are told
        #[arg(long)]
        why: Option<String>,
    },
    /// Go on sending to an app that was paused
    Resume { app: i64 },
    /// Send a test event now, and say what came of it
    Test { app: i64 },
}

/// What is to be sent again.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct What {
    /// All events of a request
    #[arg(long, value_name = "NUMBER")]
    attempt: Option<i64>,
    /// One event, by the eventId in the request
    #[arg(long, value_name = "NUMBER")]
    event: Option<i64>,
}

impl From<Webhook> for Task {
    fn from(what: Webhook) -> Self {
        let path = |app: i64, rest: &str| format!("/antiphon/v1/apps/{app}/webhook{rest}");
        match what {
            Webhook::Show { app } => Task::get(path(app, ""), STATUS),
            Webhook::Attempts { app, failed, succeeded, status, since, most } => {
                let mut query = format!("/attempts?limit={most}");
                let only = (failed || succeeded).then(|| succeeded.to_string());
                let status = status.map(|status| status.to_string());
                for (name, value) in [("succeeded", only), ("status", status), ("since", since)] {
                    let value = value.map(|value| value.replace('+', "%2B"));
                    query.extend(value.map(|value| format!("&{name}={value}")));
                }
                Task::get(path(app, &query), ATTEMPTS).first_page()
            }
            Webhook::Attempt { app, id } => Task::get(path(app, &format!("/attempts/{id}")), ATTEMPT),
            Webhook::Deliveries { app, given_up } => {
                let state = if given_up { "givenUp" } else { "waiting" };
                Task::get(path(app, &format!("/deliveries?limit=500&state={state}")), DELIVERIES)
            }
            Webhook::Resend { app, what: What { attempt, event } } => {
                let what = match (attempt, event) {
                    (Some(id), _) => format!("/attempts/{id}/resend"),
                    (None, id) => format!("/events/{}/resend", id.unwrap_or_default()),
                };
                Task::send("POST", path(app, &what), Value::Null, RESENT)
            }
            Webhook::ResendFailed { app, since } => {
                Task::send("POST", path(app, "/resend"), json!({ "since": since }), RESENT)
            }
            Webhook::Pause { app, why } => {
                Task::send("POST", path(app, "/pause"), body([("why", text(why))]), STATUS)
            }
            Webhook::Resume { app } => Task::send("POST", path(app, "/resume"), Value::Null, STATUS),
            Webhook::Test { app } => Task::send("POST", path(app, "/test"), Value::Null, TRIAL),
        }
    }
}

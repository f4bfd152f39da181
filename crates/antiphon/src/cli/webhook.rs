//! `antiphon webhook`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::manage::{Task, body, text};

const STATUS: &[&str] = &[
    "appId",
    "channelId",
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

/// Whose webhook is meant.
#[derive(Debug, Args)]
pub struct Of {
    app: i64,
    /// What the app is told of this channel, which it brought, instead of what it subscribed to
    #[arg(long, value_name = "ID")]
    channel: Option<i64>,
}

impl Of {
    /// The path of something below a webhook, which may have a query of its own.
    fn path(&self, rest: &str) -> String {
        let Self { app, channel } = self;
        let joint = if rest.contains('?') { '&' } else { '?' };
        let channel = channel.map(|id| format!("{joint}channelId={id}")).unwrap_or_default();
        format!("/antiphon/v1/apps/{app}/webhook{rest}{channel}")
    }
}

#[derive(Debug, Subcommand)]
pub enum Webhook {
    /// Show how an app's webhook stands, or what it is told of a channel: how far behind it is, and what it did not take
    Show {
        #[command(flatten)]
        of: Of,
    },
    /// List the newest requests that were sent to an app
    Attempts {
        #[command(flatten)]
        of: Of,
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
    Attempt {
        #[command(flatten)]
        of: Of,
        id: i64,
    },
    /// List the events that an app has not taken, and when they are tried again
    Deliveries {
        #[command(flatten)]
        of: Of,
        /// Those that were given up instead
        #[arg(long)]
        given_up: bool,
    },
    /// Send events again, whether they were taken or not
    Resend {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        what: What,
    },
    /// Send all events again whose last attempt failed, given up or not
    ResendFailed {
        #[command(flatten)]
        of: Of,
        /// Only those that failed then or later: 2026-10-06T08:14:02Z
        #[arg(long, value_name = "TIME")]
        since: String,
    },
    /// Send an app nothing until it is resumed; what happens meanwhile is kept for it
    Pause {
        #[command(flatten)]
        of: Of,
        /// What others are told
        #[arg(long)]
        why: Option<String>,
    },
    /// Go on sending to an app that was paused
    Resume {
        #[command(flatten)]
        of: Of,
    },
    /// Send a test event now, and say what came of it
    Test {
        #[command(flatten)]
        of: Of,
    },
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
        match what {
            Webhook::Show { of } => Task::get(of.path(""), STATUS),
            Webhook::Attempts { of, failed, succeeded, status, since, most } => {
                let mut query = format!("/attempts?limit={most}");
                let only = (failed || succeeded).then(|| succeeded.to_string());
                let status = status.map(|status| status.to_string());
                for (name, value) in [("succeeded", only), ("status", status), ("since", since)] {
                    let value = value.map(|value| value.replace('+', "%2B"));
                    query.extend(value.map(|value| format!("&{name}={value}")));
                }
                Task::get(of.path(&query), ATTEMPTS).first_page()
            }
            Webhook::Attempt { of, id } => Task::get(of.path(&format!("/attempts/{id}")), ATTEMPT),
            Webhook::Deliveries { of, given_up } => {
                let state = if given_up { "givenUp" } else { "waiting" };
                Task::get(of.path(&format!("/deliveries?limit=500&state={state}")), DELIVERIES)
            }
            Webhook::Resend { of, what: What { attempt, event } } => {
                let what = match (attempt, event) {
                    (Some(id), _) => format!("/attempts/{id}/resend"),
                    (None, id) => format!("/events/{}/resend", id.unwrap_or_default()),
                };
                Task::send("POST", of.path(&what), Value::Null, RESENT)
            }
            Webhook::ResendFailed { of, since } => {
                Task::send("POST", of.path("/resend"), json!({ "since": since }), RESENT)
            }
            Webhook::Pause { of, why } => {
                Task::send("POST", of.path("/pause"), body([("why", text(why))]), STATUS)
            }
            Webhook::Resume { of } => Task::send("POST", of.path("/resume"), Value::Null, STATUS),
            Webhook::Test { of } => Task::send("POST", of.path("/test"), Value::Null, TRIAL),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_goes_along_whatever_else_is_asked() {
        for (channel, rest, path) in [
            (None, "", "/antiphon/v1/apps/7/webhook"),
            (None, "/attempts?limit=5", "/antiphon/v1/apps/7/webhook/attempts?limit=5"),
            (Some(1_000_000), "/test", "/antiphon/v1/apps/7/webhook/test?channelId=1000000"),
            (
                Some(1_000_000),
                "/attempts?limit=5",
                "/antiphon/v1/apps/7/webhook/attempts?limit=5&channelId=1000000",
            ),
        ] {
            assert_eq!(Of { app: 7, channel }.path(rest), path);
        }
    }
}

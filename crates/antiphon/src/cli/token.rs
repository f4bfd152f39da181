//! `antiphon token`

use clap::Subcommand;
use serde_json::{Value, json};

use super::manage::{Task, body, text};
use crate::operation::Scope;

const LIST: &[&str] =
    &["id", "label", "appId", "createdAt", "expiresAt", "revokedAt", "lastUsedAt", "scopes"];
const MADE: &[&str] =
    &["token", "id", "label", "appId", "scopes", "expiresAt", "app.clientSecret", "app.developerKey"];

#[derive(Debug, Subcommand)]
pub enum Token {
    /// Make a token; it is shown this once
    Create {
        /// What you will recognise it by
        label: String,
        /// What it opens [default: conversations.read and conversations.write]
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// Open everything within the portal
        #[arg(long, conflicts_with = "scopes")]
        all_scopes: bool,
        /// The app it acts for [default: a new one named like the token]
        #[arg(long)]
        app: Option<i64>,
        /// When it ends, such as 2027-01-01
        #[arg(long)]
        expires: Option<String>,
    },
    /// List the tokens, without what is secret about them
    List,
    /// Revoke a token
    Revoke { id: String },
    /// Replace a token by a fresh one; the old one lives on for seven days
    Rotate {
        id: String,
        /// End the old one at once
        #[arg(long, visible_alias = "now")]
        at_once: bool,
    },
}

impl From<Token> for Task {
    fn from(what: Token) -> Self {
        let path = "/antiphon/v1/tokens";
        match what {
            Token::Create { label, scopes, all_scopes, app, expires } => {
                let scopes = if all_scopes { every_scope() } else { scopes };
                let body = body([
                    ("label", Some(json!(label))),
                    ("scopes", Some(json!(scopes)).filter(|_| !scopes.is_empty())),
                    ("appId", app.map(Value::from)),
                    ("expiresAt", text(expires)),
                ]);
                Task::send("POST", path, body, MADE)
            }
            Token::List => Task::get(path, LIST),
            Token::Revoke { id } => Task::delete(format!("{path}/{id}"), "The token opens nothing any more."),
            Token::Rotate { id, at_once } => {
                Task::send("POST", format!("{path}/{id}/rotate"), json!({ "atOnce": at_once }), MADE)
            }
        }
    }
}

/// Every scope but the operator's, which reaches beyond the portal, and the one that only agents have who are signed in.
fn every_scope() -> Vec<String> {
    Scope::ALL
        .iter()
        .filter(|scope| !matches!(scope, Scope::Operator | Scope::Agent))
        .map(|scope| scope.name().to_owned())
        .collect()
}

//! What is sent to the token endpoint and its like: a form, JSON, or parameters in the query.

use antiphon_store::{App, Directory};
use antiphon_wire::query::Query;
use std::sync::Arc;

use super::throttle::Lock;
use crate::apps::secrets;
use crate::call::Call;
use crate::refusal::{Refusal, TokenRefused};

/// The fields of a request.
pub struct Fields {
    form: Query,
    json: serde_json::Map<String, serde_json::Value>,
    query: Option<Query>,
    basic: Option<(String, String)>,
}

impl Fields {
    /// Reads them; a body goes before the query, which counts only where it may.
    ///
    /// # Errors
    /// When a body begins like JSON and is none.
    pub fn read(call: &Call, in_query: bool) -> Result<Self, Refusal> {
        let begins = call.body.iter().find(|byte| !byte.is_ascii_whitespace());
        let json = match begins {
            Some(b'{') => {
                serde_json::from_slice(&call.body).map_err(|_| bad_request("The body is no JSON"))?
            }
            _ => serde_json::Map::new(),
        };
        let form = if begins == Some(&b'{') { &[][..] } else { &call.body };
        Ok(Self {
            form: Query::parse(form),
            json,
            query: in_query.then(|| call.query.clone()),
            basic: call.heads.basic.clone(),
        })
    }

    /// A field that was sent and is not empty.
    pub fn get(&self, name: &str) -> Option<String> {
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let sent = self.json.get(name).and_then(text).or_else(|| self.form.scalar(name).map(str::to_owned));
        let sent = sent.or_else(|| self.query.as_ref()?.scalar(name).map(str::to_owned));
        let sent = sent.or_else(|| match (name, &self.basic) {
            ("client_id", Some((id, _))) => Some(id.clone()),
            ("client_secret", Some((_, secret))) => Some(secret.clone()),
            _ => None,
        });
        sent.map(|sent| sent.trim().to_owned()).filter(|sent| !sent.is_empty())
    }

    /// The same, where it has to be there.
    ///
    /// # Errors
    /// When it is not.
    pub fn required(&self, name: &str) -> Result<String, Refusal> {
        self.get(name).ok_or_else(|| bad_request(&format!("missing {name}")))
    }

    /// The app that asks, and whether it has proved with its secret that it is this app.
    ///
    /// # Errors
    /// When there is no such app, or the secret is another one.
    pub async fn client(&self, call: &Call) -> Result<(App, Arc<Directory>, bool), Refusal> {
        if self.get("client_assertion").is_some() {
            let message = "client assertions are not supported; send client_secret";
            return Err(refused("BAD_CLIENT_SECRET", "invalid_client", message));
        }
        let unknown = || refused("BAD_CLIENT_ID", "invalid_client", "missing or unknown client id");
        let id = self.required("client_id")?;
        let app = super::app_of(&id).ok_or_else(unknown)?;
        let directory = call.app.store.directory_of_app(app).await?.ok_or_else(unknown)?;
        let known = directory.app(app).filter(|known| known.active).ok_or_else(unknown)?.clone();
        let proved = match self.get("client_secret") {
            None => false,
            Some(sent) if secrets::is_secret(&known, &sent, call.app.store.now()) => true,
            // Client ids are no secret: whoever has the right one is never kept out by what others try.
            Some(_) => {
                let (status, error) = ("BAD_CLIENT_SECRET", "invalid_client");
                return Err(match Lock::secret(directory.portal.id, app).begin(&call.app).await? {
                    Ok(()) => refused(status, error, "the client secret is wrong"),
                    Err(wait) => {
                        let message = format!("the client secret is wrong, too often; wait {wait} seconds");
                        Refusal::Token(TokenRefused { status, error, message, retry_after: Some(wait) })
                    }
                });
            }
        };
        Ok((known, directory, proved))
    }
}

/// A refusal of the token endpoint.
pub fn refused(status: &'static str, error: &'static str, message: &str) -> Refusal {
    Refusal::Token(TokenRefused { status, error, message: message.to_owned(), retry_after: None })
}

/// A field is missing, or cannot be read.
pub fn bad_request(message: &str) -> Refusal {
    refused("BAD_REQUEST", "invalid_request", message)
}

//! The issuer: what it says of itself, its keys, and the exchange of codes. What it says is kept for a while, and so is that it
//! says nothing, so that nobody can have us ask it all the time.

use std::sync::Arc;
use std::time::Duration;

use antiphon_store::Millis;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Method;
use jsonwebtoken::jwk::Jwk;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, Semaphore};

use super::claims::{Claims, Verified, Wrong, read};
use super::journey::Journey;
use super::ring;
use crate::app::App;
use crate::config;
use crate::config::Place;
use crate::outbound::{Outbound, TargetUrl};

/// What stays as it is in forms and in the name and secret of a client: not all issuers undo what is not needed.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How long what the issuer says of itself is believed.
const KEPT: Millis = 10 * 60 * 1000;

/// How soon it may be asked again for keys that were not among those.
const AGAIN: Millis = 30 * 1000;

/// How soon it may be asked again when it did not answer.
const PAUSE: Millis = 5 * 1000;

/// Most bytes of what it says.
const MOST: usize = 256 << 10;

/// Most keys that it has.
const MOST_KEYS: usize = 100;

/// Codes that are exchanged at once.
const AT_ONCE: usize = 8;

/// How long one waits for its turn.
const TURN: Duration = Duration::from_secs(5);

/// Why it is not known who somebody is. The texts are for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The issuer cannot be asked now, or not as it is configured.
    Away(String),
    /// It does not take the code, or its word is not good.
    Refused(String),
}

/// The way to the issuer.
pub struct Issuer {
    outbound: Outbound,
    known: Mutex<Option<(Millis, Told)>>,
    turns: Semaphore,
}

/// What came of asking it.
type Told = Result<Arc<Provider>, String>;

/// What the issuer says of itself.
#[derive(Debug, Deserialize)]
struct Discovered {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// The same, with its keys.
pub struct Provider {
    discovered: Discovered,
    keys: Vec<Jwk>,
}

/// Its keys, as it prints them. Of those that cannot be read none is used.
#[derive(Debug, Deserialize)]
struct Keys {
    keys: Vec<serde_json::Value>,
}

/// What it says of somebody beside its word.
#[derive(Debug, Deserialize)]
struct Said {
    sub: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    email_verified: Option<Verified>,
    #[serde(default)]
    name: Option<String>,
}

/// What it gives for a code.
#[derive(Debug, Deserialize)]
struct Given {
    id_token: String,
    #[serde(default)]
    access_token: Option<String>,
}

impl Issuer {
    /// The way to the issuer of a configuration, if it names one.
    ///
    /// # Errors
    /// One sentence that says what to do.
    pub fn new(config: &config::Config) -> anyhow::Result<Option<Self>> {
        if !config.oidc.is_on() {
            return Ok(None);
        }
        let target = TargetUrl::parse(&config.oidc.issuer).map_err(anyhow::Error::msg)?;
        let mut outbound = config.outbound.clone();
        outbound.http |= !target.is_https();
        if let Ok(place) = target.host().trim_matches(['[', ']']).parse::<Place>() {
            outbound.allow.push(place);
        }
        ring::install();
        let outbound = Outbound::new(&outbound)?;
        Ok(Some(Self { outbound, known: Mutex::default(), turns: Semaphore::new(AT_ONCE) }))
    }

    /// What the issuer says of itself.
    ///
    /// # Errors
    /// Why it cannot be asked, for the operator.
    pub async fn provider(&self, app: &App) -> Told {
        self.told(app, KEPT).await
    }

    /// The same, no older than this. Whoever waits for another's question takes the answer.
    async fn told(&self, app: &App, age: Millis) -> Told {
        let mut known = self.known.lock().await;
        if let Some((at, told)) = &*known
            && app.store.now() - at < if told.is_ok() { age } else { PAUSE }
        {
            return told.clone();
        }
        let told = self.asked(&app.config.oidc).await.map(Arc::new);
        *known = Some((app.store.now(), told.clone()));
        told
    }

    async fn asked(&self, config: &config::Oidc) -> Result<Provider, String> {
        let address = format!("{}/.well-known/openid-configuration", config.issuer.trim_end_matches('/'));
        let discovered: Discovered = self.get(&address, &[]).await?;
        if discovered.issuer != config.issuer {
            return Err(format!(
                "it calls itself {:?}, and is configured as {:?}",
                discovered.issuer, config.issuer
            ));
        }
        let page = TargetUrl::parse(&discovered.authorization_endpoint)
            .map_err(|why| format!("it names {:?}: {why}", discovered.authorization_endpoint))?;
        if !page.is_https() && config.issuer.starts_with("https://") {
            return Err(format!("it sends browsers to {:?}, which is not encrypted", page.as_str()));
        }
        let Keys { keys } = self.get(&discovered.jwks_uri, &[]).await?;
        if keys.len() > MOST_KEYS {
            return Err(format!("it has {} keys, which is more than anybody needs", keys.len()));
        }
        let keys = keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        Ok(Provider { discovered, keys })
    }

    /// Exchanges a code for what the issuer says of somebody.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn exchanged(
        &self,
        app: &App,
        code: &str,
        back: &str,
        journey: &Journey,
    ) -> Result<Claims, Fault> {
        let busy = || Fault::Away("too many are on their way".into());
        let _turn = tokio::time::timeout(TURN, self.turns.acquire()).await.map_err(|_| busy())?;
        let (config, mut provider) = (&app.config.oidc, self.provider(app).await.map_err(Fault::Away)?);
        let given = self.given(config, &provider.discovered, code, back, journey).await?;
        let mut claims = read(&given.id_token, &provider.keys, config, &journey.nonce);
        if claims == Err(Wrong::Key) {
            provider = self.told(app, AGAIN).await.map_err(Fault::Away)?;
            claims = read(&given.id_token, &provider.keys, config, &journey.nonce);
        }
        let claims = claims.map_err(|wrong| match wrong {
            Wrong::Key => Fault::Refused("its word is signed with a key that it does not publish".into()),
            Wrong::Word(why) => Fault::Refused(format!("its word is not good: {why}")),
        })?;
        // Many say only there what the address is.
        match (&claims.email, &provider.discovered.userinfo_endpoint, given.access_token) {
            (None, Some(address), Some(token)) => self.more(address, &token, claims).await,
            _ => Ok(claims),
        }
    }

    /// The same claims with what the issuer says elsewhere.
    async fn more(&self, address: &str, token: &str, claims: Claims) -> Result<Claims, Fault> {
        let bearer = [("authorization", format!("Bearer {token}"))];
        let said: Said = self.get(address, &bearer).await.map_err(Fault::Away)?;
        if said.sub != claims.sub {
            return Err(Fault::Refused("it speaks of somebody else at its userinfo_endpoint".into()));
        }
        Ok(Claims {
            email: said.email,
            email_verified: said.email_verified,
            name: claims.name.or(said.name),
            ..claims
        })
    }

    async fn given(
        &self,
        config: &config::Oidc,
        discovered: &Discovered,
        code: &str,
        back: &str,
        journey: &Journey,
    ) -> Result<Given, Fault> {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", back),
            ("code_verifier", &journey.verifier),
        ];
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        let methods = discovered.token_endpoint_auth_methods_supported.as_deref();
        let in_body = methods.is_some_and(|all| !all.iter().any(|one| one == "client_secret_basic"));
        if in_body || config.client_secret.is_empty() {
            fields.push(("client_id", &config.client_id));
            if !config.client_secret.is_empty() {
                fields.push(("client_secret", &config.client_secret));
            }
        } else {
            let pair = format!("{}:{}", escaped(&config.client_id), escaped(&config.client_secret));
            headers.push(("authorization", format!("Basic {}", STANDARD.encode(pair))));
        }
        let body = form(&fields);
        let (status, body) = self
            .ask(Method::POST, &discovered.token_endpoint, &headers, body.into())
            .await
            .map_err(Fault::Away)?;
        match status {
            200 => told(&discovered.token_endpoint, &body).map_err(Fault::Away),
            400 | 401 => Err(Fault::Refused(format!("it answers {status} {}", error(&body)))),
            _ => Err(Fault::Away(format!("{} answers {status}", discovered.token_endpoint))),
        }
    }

    async fn get<T: DeserializeOwned>(
        &self,
        address: &str,
        headers: &[(&'static str, String)],
    ) -> Result<T, String> {
        match self.ask(Method::GET, address, headers, Bytes::new()).await? {
            (200, body) => told(address, &body),
            (status, _) => Err(format!("{address} answers {status}")),
        }
    }

    async fn ask(
        &self,
        method: Method,
        address: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<(u16, Bytes), String> {
        let target = TargetUrl::parse(address).map_err(|why| format!("it names {address:?}: {why}"))?;
        let mut all = vec![("accept", "application/json".to_owned())];
        all.extend_from_slice(headers);
        let answer = self.outbound.ask(method, &target, &all, body, MOST).await;
        answer.map_err(|failure| format!("{}: {failure}", target.as_str()))
    }
}

fn told<T: DeserializeOwned>(address: &str, body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("{address} does not answer as it should: {error}"))
}

/// The name of an error, as the standard has them.
fn error(body: &[u8]) -> String {
    let read: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let name = read.as_ref().and_then(|body| body["error"].as_str()).unwrap_or("and does not say why");
    name.chars().filter(|c| !c.is_control()).take(100).collect()
}

impl Provider {
    /// Where a browser is sent to.
    pub fn authorization(&self, config: &config::Oidc, back: &str, journey: &Journey) -> String {
        let address = &self.discovered.authorization_endpoint;
        let challenge = journey.challenge();
        let fields = form(&[
            ("response_type", "code"),
            ("client_id", &config.client_id),
            ("redirect_uri", back),
            ("scope", "openid email profile"),
            ("state", &journey.state),
            ("nonce", &journey.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        format!("{address}{}{fields}", if address.contains('?') { '&' } else { '?' })
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    pairs.join("&")
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

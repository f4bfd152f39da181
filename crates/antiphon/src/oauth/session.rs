//! By which browsers are known in which somebody has signed in before, and what a form must carry so that nobody else can have
//! sent it.

use antiphon_store::{Actor, Directory, Login, Millis};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::call::Call;
use crate::keys::{Keys, Purpose};
use crate::refusal::Refusal;
use crate::sessions;

/// How long a form is good.
const LIFE: Millis = 8 * 60 * 60 * 1000;

/// How long a browser is known in which somebody signed in, and not longer than the key that signed it.
const KNOWN: Millis = 90 * 24 * 60 * 60 * 1000;

const BROWSER: &str = "antiphon_browser";
const FORM: &str = "antiphon_form";

/// A cookie, as it is set.
fn set(call: &Call, name: &str, value: &str, seconds: i64) -> String {
    let secure = if call.origin.starts_with("https://") { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

fn cookie<'c>(call: &'c Call, name: &str) -> Option<&'c str> {
    let all = call.heads.cookie.split(';').map(str::trim);
    all.filter_map(|cookie| cookie.split_once('=')).find(|(known, _)| *known == name).map(|(_, value)| value)
}

fn signed(keys: &Keys, of: &str, bytes: &[u8]) -> Result<String, Refusal> {
    let signature = keys.sign(Purpose::Session, &[of.as_bytes(), b"\n", bytes].concat())?;
    Ok(format!("{}.{}", signature.key, URL_SAFE_NO_PAD.encode(signature.mac)))
}

fn good(keys: &Keys, of: &str, bytes: &[u8], sent: &str) -> bool {
    let parts = sent
        .split_once('.')
        .and_then(|(key, mac)| Some((key.parse::<i64>().ok()?, URL_SAFE_NO_PAD.decode(mac).ok()?)));
    parts.is_some_and(|(key, mac)| {
        keys.verify(Purpose::Session, &[of.as_bytes(), b"\n", bytes].concat(), key, &mac)
    })
}

/// A browser in which an agent has signed in before.
#[derive(Debug, Clone)]
pub struct Browser {
    pub agent: i64,
    pub id: String,
}

/// The browser's cookie, by which it is known the next time. It lets nobody in.
///
/// # Errors
/// When the server has no key to sign with.
pub fn known(
    call: &Call,
    directory: &Directory,
    login: &Login,
    browser: Option<Browser>,
) -> Result<String, Refusal> {
    let same = browser.filter(|browser| browser.agent == login.agent_id);
    let id = same.map_or_else(|| Uuid::new_v4().to_string(), |browser| browser.id);
    let said = format!("{}.{}.{id}", directory.portal.id, login.agent_id);
    let signature = signed(&call.app.keys, "browser", said.as_bytes())?;
    Ok(set(call, BROWSER, &format!("{said}.{signature}"), KNOWN / 1000))
}

/// The browser that a request comes from, if it is known in a portal.
pub fn browser(call: &Call, directory: &Directory) -> Option<Browser> {
    let mut parts = cookie(call, BROWSER)?.splitn(4, '.');
    let (portal, agent, id, signature) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let said = format!("{portal}.{agent}.{id}");
    let own = portal == directory.portal.id.to_string()
        && good(&call.app.keys, "browser", said.as_bytes(), signature);
    Some(Browser { agent: agent.parse().ok().filter(|_| own)?, id: id.to_owned() })
}

/// Who is signed in to a portal.
///
/// # Errors
/// When the store does not answer.
pub async fn who(call: &Call, directory: &Directory) -> Result<Option<(Actor, Login)>, Refusal> {
    let Some(sent) = sessions::cookie::sent(&call.heads.cookie) else { return Ok(None) };
    if sent.portal != directory.portal.id {
        return Ok(None);
    }
    let found = sessions::found(&call.app.store, &sent).await?;
    let who = found.and_then(|(session, _)| {
        sessions::who(&session, directory, call.app.store.now())
            .map(|(agent, login)| (agent.clone(), login.clone()))
    });
    Ok(who)
}

/// What a form of this page carries, and the cookie that has to come back with it where there is none yet.
///
/// # Errors
/// When the server has no key to sign with.
pub fn form(call: &Call) -> Result<(String, Option<String>), Refusal> {
    let known = cookie(call, FORM).filter(|value| value.len() == 36).map(str::to_owned);
    let (value, new) = match known {
        Some(value) => (value, false),
        None => (Uuid::new_v4().to_string(), true),
    };
    let bytes = bound(call, &value);
    let field = signed(&call.app.keys, "form", &bytes)?;
    Ok((field, new.then(|| set(call, FORM, &value, LIFE / 1000))))
}

/// Whether a form was made for whoever sends it.
pub fn is_own(call: &Call, field: &str) -> bool {
    let Some(value) = cookie(call, FORM) else { return false };
    let bytes = bound(call, value);
    good(&call.app.keys, "form", &bytes, field)
}

/// A form belongs to the browser, and to the session that it shows.
fn bound(call: &Call, value: &str) -> Vec<u8> {
    let session = sessions::cookie::sent(&call.heads.cookie).map(|sent| (sent.portal.0, sent.id.0));
    let (portal, id) = session.unwrap_or_default();
    [value.as_bytes(), b"\n", &portal.to_be_bytes(), &id].concat()
}

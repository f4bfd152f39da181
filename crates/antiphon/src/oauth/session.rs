//! Who is signed in, in a cookie that the server has signed; and what a form must carry so that nobody else can have sent it.

use antiphon_store::{Actor, ActorKind, Directory, Login, Millis, PortalId};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::call::Call;
use crate::keys::{Keys, Purpose};
use crate::refusal::Refusal;

/// How long somebody stays signed in.
const LIFE: Millis = 8 * 60 * 60 * 1000;

/// How long a browser is known in which somebody signed in, and not longer than the key that signed it.
const KNOWN: Millis = 90 * 24 * 60 * 60 * 1000;

const BROWSER: &str = "antiphon_browser";
const SESSION: &str = "antiphon_session";
const FORM: &str = "antiphon_form";

/// A cookie, as it is set.
fn set(call: &Call, name: &str, value: &str, seconds: i64) -> String {
    let secure = if call.origin.starts_with("https://") { "; Secure" } else { "" };
    format!("{name}={value}; Path=/oauth; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
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

/// The cookie of somebody who has just signed in.
///
/// # Errors
/// When the server has no key to sign with.
pub fn begun(call: &Call, directory: &Directory, login: &Login) -> Result<String, Refusal> {
    let expires = call.app.store.now() + LIFE;
    let said = format!("{}.{}.{expires}.{}", directory.portal.id, login.agent_id, login.changed_at);
    let signature = signed(&call.app.keys, "session", said.as_bytes())?;
    Ok(set(call, SESSION, &format!("{said}.{signature}"), LIFE / 1000))
}

/// The cookie of somebody who signs out.
pub fn ended(call: &Call) -> String {
    set(call, SESSION, "", 0)
}

/// The portal that somebody says they are signed in to. Only [`who`] knows whether they are.
pub fn portal(call: &Call) -> Option<PortalId> {
    cookie(call, SESSION)?.split('.').next()?.parse().ok().map(PortalId)
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

/// Who is signed in to a portal, as long as nothing has changed about it.
pub fn who(call: &Call, directory: &Directory) -> Option<(Actor, Login)> {
    let sent = cookie(call, SESSION)?;
    let mut numbers = sent.splitn(5, '.');
    let mut next = || numbers.next()?.parse::<i64>().ok();
    let (portal, agent, expires, changed) = (next()?, next()?, next()?, next()?);
    let signature = numbers.next()?;
    let said = format!("{portal}.{agent}.{expires}.{changed}");
    let alive = good(&call.app.keys, "session", said.as_bytes(), signature)
        && portal == directory.portal.id.0
        && call.app.store.now() < expires;
    let actor = directory.actor(ActorKind::Agent, agent).filter(|actor| alive && actor.active)?;
    let login = directory.login(agent).filter(|login| login.changed_at == changed)?;
    Some((actor.clone(), login.clone()))
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
    let bytes = [value.as_bytes(), b"\n", cookie(call, SESSION).unwrap_or_default().as_bytes()].concat();
    let field = signed(&call.app.keys, "form", &bytes)?;
    Ok((field, new.then(|| set(call, FORM, &value, LIFE / 1000))))
}

/// Whether a form was made for whoever sends it.
pub fn is_own(call: &Call, field: &str) -> bool {
    let Some(value) = cookie(call, FORM) else { return false };
    let bytes = [value.as_bytes(), b"\n", cookie(call, SESSION).unwrap_or_default().as_bytes()].concat();
    good(&call.app.keys, "form", &bytes, field)
}

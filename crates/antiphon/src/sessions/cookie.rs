//! The cookie: which portal, which session, and a secret of which the server keeps a hash.

use antiphon_store::{Millis, PortalId, SessionId, TokenHash};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::oauth::hash;

const NAME: &str = "antiphon_session";

const ID: usize = 16;
const SECRET: usize = 32;

/// What a browser sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    pub portal: PortalId,
    pub id: SessionId,
    pub secret: TokenHash,
}

/// A secret that a browser is to send, and what is kept of it.
pub struct Fresh {
    text: String,
    pub hash: TokenHash,
}

/// A fresh secret of a session.
pub fn fresh(portal: PortalId, id: SessionId) -> Fresh {
    let chance = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
    let text = format!("{portal}.{}", URL_SAFE_NO_PAD.encode([id.0.as_slice(), &chance].concat()));
    let hash = hash(&text);
    Fresh { text, hash }
}

/// The session that the cookies of a request name. There may be others of the name, from other times or paths.
pub fn sent(cookies: &str) -> Option<Sent> {
    let named = cookies.split(';').filter_map(|cookie| cookie.trim().split_once('='));
    named.filter(|(name, _)| *name == NAME).find_map(|(_, value)| read(value))
}

fn read(value: &str) -> Option<Sent> {
    let (portal, bytes) = value.split_once('.')?;
    let portal = portal.parse().ok().filter(|portal| *portal > 0).map(PortalId)?;
    let bytes = URL_SAFE_NO_PAD.decode(bytes).ok().filter(|bytes| bytes.len() == ID + SECRET)?;
    Some(Sent { portal, id: SessionId(*bytes.first_chunk()?), secret: hash(value) })
}

/// The cookie as it is set: no script reads it, and no other page sends it but by leading here.
pub fn set(fresh: &Fresh, origin: &str, left: Millis) -> String {
    with(&fresh.text, origin, (left / 1000).max(0))
}

/// The cookie as it is taken away.
pub fn cleared(origin: &str) -> String {
    with("", origin, 0)
}

fn with(value: &str, origin: &str, seconds: i64) -> String {
    let secure = if origin.starts_with("https://") { "; Secure" } else { "" };
    format!("{NAME}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_names_its_session_and_nothing_else_is_one() {
        let (portal, id) = (PortalId(90_210), SessionId([7; 16]));
        let fresh = fresh(portal, id);
        let read = sent(&format!("a=b; {NAME}=old.kind; {NAME}={}; c", fresh.text)).unwrap();
        assert_eq!(read, Sent { portal, id, secret: fresh.hash });
        assert_ne!(super::fresh(portal, id).hash, fresh.hash);
        let (number, rest) = fresh.text.split_once('.').unwrap();
        for wrong in [
            String::new(),
            number.to_owned(),
            rest.to_owned(),
            format!("0.{rest}"),
            format!("-1.{rest}"),
            format!("x.{rest}"),
            format!("{number}.{rest}A"),
            format!("{number}.{}", &rest[..60]),
            format!("{number}.{rest}.1"),
        ] {
            assert_eq!(sent(&format!("{NAME}={wrong}")), None, "{wrong}");
        }
        assert_eq!(sent(&format!("other={}", fresh.text)), None);
    }

    #[test]
    fn its_attributes() {
        let fresh = fresh(PortalId(1), SessionId([7; 16]));
        let plain = set(&fresh, "http://127.0.0.1:8080", 60_000);
        assert!(plain.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=60"), "{plain}");
        assert!(set(&fresh, "https://inbox.example", 1).ends_with("; Max-Age=0; Secure"));
        assert!(cleared("http://x").starts_with("antiphon_session=; "));
    }
}

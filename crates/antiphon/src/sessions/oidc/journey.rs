//! What has to come back with a browser that was sent away: signed, in a cookie of its own, good for ten minutes.

use antiphon_store::Millis;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::keys::{Keys, Purpose};
use crate::refusal::Refusal;

const NAME: &str = "antiphon_oidc";

/// How long somebody may take to sign in there.
const LIFE: Millis = 10 * 60 * 1000;

/// Where whoever names no other place is sent in the end.
const HOME: &str = "/inbox/";

/// Somebody on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    pub state: String,
    /// What the issuer's word has to repeat.
    pub nonce: String,
    /// What the code has to be exchanged with.
    pub verifier: String,
    pub until: Millis,
    /// A path of ours.
    pub back: String,
}

impl Journey {
    /// One that begins now.
    pub fn begin(back: Option<&str>, now: Millis) -> Self {
        let chance = || Uuid::new_v4().simple().to_string();
        Self {
            state: chance(),
            nonce: chance(),
            verifier: format!("{}{}", chance(), chance()),
            until: now + LIFE,
            back: back.filter(|path| is_ours(path)).unwrap_or(HOME).to_owned(),
        }
    }

    /// What is said of the verifier before.
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()))
    }

    /// Whether this is the state that it began with.
    pub fn is(&self, state: &str) -> bool {
        bool::from(self.state.as_bytes().ct_eq(state.as_bytes()))
    }

    /// The cookie that it is kept in.
    ///
    /// # Errors
    /// When the server has no key to sign with.
    pub fn cookie(&self, keys: &Keys, secure: bool) -> Result<String, Refusal> {
        let back = URL_SAFE_NO_PAD.encode(&self.back);
        let said = format!("{}.{}.{}.{}.{back}", self.state, self.nonce, self.verifier, self.until);
        let signed = keys.sign(Purpose::Session, &bytes(&said))?;
        let mac = URL_SAFE_NO_PAD.encode(signed.mac);
        Ok(set(&format!("{said}.{}.{mac}", signed.key), LIFE / 1000, secure))
    }

    /// The cookie as it is taken away.
    pub fn ended(secure: bool) -> String {
        set("", 0, secure)
    }

    /// What a cookie says, if it was given out and is good.
    pub fn read(keys: &Keys, cookies: &str, now: Millis) -> Option<Self> {
        let mut named = cookies.split(';').filter_map(|cookie| cookie.trim().split_once('='));
        let (_, value) = named.find(|(name, _)| *name == NAME)?;
        let parts: Vec<&str> = value.split('.').collect();
        let [state, nonce, verifier, until, back, key, mac] = parts.as_slice() else { return None };
        let said = format!("{state}.{nonce}.{verifier}.{until}.{back}");
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        if !keys.verify(Purpose::Session, &bytes(&said), key.parse().ok()?, &mac) {
            return None;
        }
        let until = until.parse().ok().filter(|until| now < *until)?;
        let back = String::from_utf8(URL_SAFE_NO_PAD.decode(back).ok()?).ok()?;
        let owned = |text: &str| text.to_owned();
        Some(Self { state: owned(state), nonce: owned(nonce), verifier: owned(verifier), until, back })
    }
}

fn bytes(said: &str) -> Vec<u8> {
    [b"oidc\n", said.as_bytes()].concat()
}

fn set(value: &str, seconds: i64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{NAME}={value}; Path=/antiphon/v1/oidc; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

/// Whether a path leads to our own pages and nowhere else. Browsers take `%2e` for a dot.
fn is_ours(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic() && c != '\\';
    let climbs = |path: &str| path.to_ascii_lowercase().replace("%2e", ".").contains("..");
    (path == "/inbox" || path.starts_with("/inbox/"))
        && path.len() <= 500
        && path.chars().all(plain)
        && !path.contains("//")
        && !climbs(path)
}

#[cfg(test)]
mod tests {
    use antiphon_store::SigningKey;

    use super::*;

    #[test]
    fn who_was_sent_away_is_known_again_in_time_and_nobody_else_is() {
        let keys = Keys::new(&[SigningKey { id: 1, value: [7; 32], created_at: 0, ends_at: None }], 0);
        let now = 1_780_000_000_000;
        let journey = Journey::begin(Some("/inbox/all?x=1"), now);
        let cookie = journey.cookie(&keys, true).unwrap();
        assert!(
            cookie.ends_with("; Path=/antiphon/v1/oidc; HttpOnly; SameSite=Lax; Max-Age=600; Secure"),
            "{cookie}"
        );
        let sent = cookie.split(';').next().unwrap();
        assert_eq!(Journey::read(&keys, &format!("a=b; {sent}"), now), Some(journey.clone()));
        assert_eq!(Journey::read(&keys, sent, now + LIFE), None);
        let other = Keys::new(&[SigningKey { id: 1, value: [8; 32], created_at: 0, ends_at: None }], 0);
        assert_eq!(Journey::read(&other, sent, now), None);
        let forged = sent.replacen(&journey.state, &"0".repeat(32), 1);
        for wrong in [forged.as_str(), "antiphon_oidc=", "antiphon_oidc=a.b.c.d.e.f.g", ""] {
            assert_eq!(Journey::read(&keys, wrong, now), None, "{wrong}");
        }
        assert!(journey.is(&journey.state) && !journey.is("") && !journey.is(&journey.nonce));
    }

    #[test]
    fn nobody_is_sent_to_another_place_in_the_end() {
        for (sent, back) in [
            (Some("/inbox/threads/7"), "/inbox/threads/7"),
            (Some("/inbox"), "/inbox"),
            (None, HOME),
            (Some("https://evil.example"), HOME),
            (Some("//evil.example"), HOME),
            (Some("/inbox//evil.example"), HOME),
            (Some("/inbox/\\evil.example"), HOME),
            (Some("/inbox/../oauth/authorize"), HOME),
            (Some("/inbox/%2E%2e/oauth/authorize"), HOME),
            (Some("/inbox/.%2e/oauth/authorize"), HOME),
            (Some("/inboxes"), HOME),
            (Some("/oauth/authorize"), HOME),
            (Some("/inbox/\r\nset-cookie: a=b"), HOME),
        ] {
            assert_eq!(Journey::begin(sent, 0).back, back, "{sent:?}");
        }
    }

    #[test]
    fn a_challenge_is_that_of_the_standard() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        let journey = Journey { verifier, ..Journey::begin(None, 0) };
        assert_eq!(journey.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}

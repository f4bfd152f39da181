//! A visitor's session: signed by the server and kept by the widget alone. Good for an hour at a time, and for a day in all.

use antiphon_store::{AccountId, Directory, Millis, PortalId, StoreError};
use antiphon_wire::id::MAX_SAFE;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::settings;
use crate::app::App;
use crate::call::Caller;
use crate::identification::token::Said;
use crate::keys::{Keys, Purpose};
use crate::middleware::error::Failure;
use crate::middleware::token;

/// How long a session is good, and how long it can be gone on with after it was first begun.
pub const LIFE: Millis = 60 * 60 * 1000;
pub const LONGEST_LIFE: Millis = 24 * LIFE;

/// Most characters of a session. What an identification says of itself takes 512 at most.
const LONGEST: usize = 2_048;

const NUMBER: usize = size_of::<i64>();
const MAC: usize = 32;

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    #[serde(rename = "p")]
    portal: i64,
    #[serde(rename = "a")]
    account: i64,
    /// When it was first begun, and when it ends.
    #[serde(rename = "b")]
    pub begun_at: Millis,
    #[serde(rename = "x")]
    pub expires_at: Millis,
    #[serde(rename = "w")]
    pub who: Who,
    /// An address that the visitor gave and nobody has proved, until there is a thread to keep it with.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub said_email: Option<String>,
}

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Who {
    /// A browser, by the key that it keeps.
    #[serde(rename = "k")]
    Browser(String),
    /// Somebody whom a token identified.
    #[serde(rename = "i")]
    Identified(Identified),
}

/// Whom a token identified, and where it is said what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identified {
    #[serde(rename = "e")]
    pub email: String,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Said>,
    /// The row that says it, where that is too long: its end and its nonce.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub row: Option<(Millis, i64)>,
}

impl Session {
    /// Begins a session.
    pub fn begin(portal: PortalId, account: AccountId, who: Who, now: Millis) -> Self {
        let said_email = None;
        Self { portal: portal.0, account: account.0, begun_at: now, expires_at: now + LIFE, who, said_email }
    }

    /// The same, where what it goes by is as old as that: it does not last longer because it is asked for again.
    pub fn since(self, begun_at: Millis) -> Self {
        Self { begun_at, expires_at: self.expires_at.min(begun_at + LONGEST_LIFE), ..self }
    }

    /// The same for another hour, if it may go on.
    pub fn renewed(&self, now: Millis) -> Option<Self> {
        let end = self.begun_at + LONGEST_LIFE;
        (now < end).then(|| Self { expires_at: (now + LIFE).min(end), ..self.clone() })
    }

    /// The same, with an address that the visitor gave.
    pub fn having_said(&self, email: &str) -> Self {
        Self { said_email: Some(email.to_owned()), ..self.clone() }
    }

    pub fn account(&self) -> AccountId {
        AccountId(self.account)
    }

    pub fn portal(&self) -> PortalId {
        PortalId(self.portal)
    }

    /// Whom limits count, whatever becomes of the session.
    pub fn payer(&self) -> &str {
        match &self.who {
            Who::Browser(key) => key,
            Who::Identified(identified) => &identified.email,
        }
    }

    /// As the widget keeps it.
    ///
    /// # Errors
    /// When there is no key to sign with.
    pub fn printed(&self, keys: &Keys) -> Result<String, StoreError> {
        // Nothing in it can fail to be printed.
        let signed = serde_json::to_vec(self).unwrap_or_default();
        let signature = keys.sign(Purpose::Visit, &signed)?;
        Ok(URL_SAFE_NO_PAD.encode([&signature.key.to_be_bytes()[..], &signed, &signature.mac].concat()))
    }

    /// Reads one of ours, whether it has ended or not.
    pub fn read(text: &str, keys: &Keys) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (key, rest) = bytes.split_first_chunk::<NUMBER>()?;
        let (signed, mac) = rest.split_last_chunk::<MAC>()?;
        if !keys.verify(Purpose::Visit, signed, i64::from_be_bytes(*key), mac) {
            return None;
        }
        let session: Self = serde_json::from_slice(signed).ok()?;
        (session.portal <= MAX_SAFE).then_some(session)
    }
}

/// The visitor who calls: in the portal of the session, and allowed nothing but what visitors are.
pub async fn caller(app: &App, headers: &HeaderMap) -> Result<Caller, Failure> {
    let sent = token::bearer(headers).ok_or_else(Failure::no_token)?;
    let session = Session::read(sent, &app.keys).ok_or_else(Failure::no_token)?;
    if session.expires_at <= app.store.now() {
        return Err(Failure::no_token());
    }
    let directory = app.store.directory(session.portal()).await.map_err(crate::refusal::Refusal::from)?;
    let directory = directory.filter(|directory: &std::sync::Arc<Directory>| {
        settings::open(directory, session.account()).is_some()
    });
    directory.map(token::visitor).ok_or_else(Failure::no_token)
}

#[cfg(test)]
mod tests {
    use antiphon_store::SigningKey;

    use super::*;

    const NOW: Millis = 1_780_000_000_000;

    fn keys(byte: u8) -> Keys {
        Keys::new(&[SigningKey { id: 1, value: [byte; 32], created_at: 0, ends_at: None }], NOW)
    }

    fn session() -> Session {
        let said = Said { email: "Ineke@harbour.example".into(), ..Said::default() };
        let identified = Identified { email: said.email.clone(), said: Some(said), row: None };
        Session::begin(PortalId(7), AccountId(3), Who::Identified(identified), NOW)
    }

    #[test]
    fn a_session_is_known_again_and_no_bit_of_it_can_be_another() {
        let keys = keys(1);
        let browser = Session { who: Who::Browser("0".repeat(32)), ..session() };
        for session in [session(), browser] {
            let text = session.printed(&keys).unwrap();
            assert_eq!(Session::read(&text, &keys), Some(session));
            let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
            for bit in 0..bytes.len() * 8 {
                let mut other = bytes.clone();
                other[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(Session::read(&URL_SAFE_NO_PAD.encode(other), &keys), None, "bit {bit}");
            }
            assert_eq!(Session::read(&text, &self::keys(2)), None);
            // What was signed for something else is no session.
            let signature = keys.sign(Purpose::VisitorToken, &bytes[NUMBER..bytes.len() - MAC]).unwrap();
            let other = [&bytes[..bytes.len() - MAC], &signature.mac].concat();
            assert_eq!(Session::read(&URL_SAFE_NO_PAD.encode(other), &keys), None);
        }
        for other in ["", "x", "A===", "ä", &"A".repeat(LONGEST + 1)] {
            assert_eq!(Session::read(other, &keys), None);
        }
    }

    #[test]
    fn a_session_goes_on_for_an_hour_at_a_time_and_a_day_in_all() {
        let mut session = session();
        for hour in 1..24 {
            session = session.renewed(NOW + hour * LIFE - 1).unwrap();
            assert_eq!(session.expires_at, NOW + (hour + 1) * LIFE - 1, "{hour}");
        }
        let last = session.renewed(NOW + LONGEST_LIFE - 1).unwrap();
        assert_eq!(last.expires_at, NOW + LONGEST_LIFE);
        assert_eq!(last.renewed(NOW + LONGEST_LIFE), None);
    }
}

//! The token itself, as text for URLs: which key signed it, a version, whose it is, what it says where that has room, and the
//! signature.

use std::collections::BTreeMap;

use antiphon_store::{AppId, Millis, PortalId, StoreError};
use antiphon_wire::identification::VisitorTokenFlaw as Flaw;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::keys::{Keys, Purpose};

/// How long a token is good.
pub const LIFE: Millis = 12 * 60 * 60 * 1000;

/// Most characters of a token, as the contract has it.
pub const LONGEST: usize = 512;

/// How a token begins that says everything itself.
const WHOLE: u8 = 1;

/// How one begins that names a row; another form would begin with another number.
const NAMING: u8 = 2;

const NUMBER: usize = size_of::<i64>();
const MAC: usize = 32;

/// Key, version, account, app, end, and what tells tokens apart that were made in one moment.
const HEAD: usize = 1 + 5 * NUMBER;

/// Most bytes that address, names and context may take in a token that says everything itself.
pub const ROOM: usize = LONGEST / 4 * 3 - HEAD - MAC;

/// Whom a token identifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub portal: PortalId,
    /// The app that vouches for it.
    pub app: AppId,
    pub expires_at: Millis,
    pub said: Said,
}

/// What the app said of the visitor.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Said {
    #[serde(rename = "e")]
    pub email: String,
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(rename = "c", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, String>,
}

impl Said {
    /// As it stands in a token, or in its row.
    pub fn printed(&self) -> String {
        // Nothing in it can fail to be printed.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The whole name, if there is any.
    pub fn name(&self) -> Option<String> {
        let names =
            [&self.first_name, &self.last_name].map(|name| name.as_deref().unwrap_or_default().trim());
        Some(names.join(" ").trim().to_owned()).filter(|name| !name.is_empty())
    }

    /// What [`Self::printed`] printed.
    pub fn parse(printed: &[u8]) -> Option<Self> {
        serde_json::from_slice(printed).ok()
    }
}

impl Identity {
    /// Whether it is for this address, as it is compared.
    pub fn is_for(&self, email: &str) -> bool {
        self.said.email.to_lowercase() == email.trim().to_lowercase()
    }
}

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    pub portal: PortalId,
    pub app: AppId,
    pub expires_at: Millis,
    /// Tells it from others that say the same; with the end, the name of its row.
    pub nonce: i64,
    /// `None` where a row has it.
    pub said: Option<Said>,
}

impl Signed {
    /// Makes a token.
    ///
    /// # Errors
    /// When there is no key to sign with.
    pub fn token(&self, keys: &Keys) -> Result<String, StoreError> {
        let mut signed = vec![if self.said.is_some() { WHOLE } else { NAMING }];
        for number in [self.portal.0, self.app.0, self.expires_at, self.nonce] {
            signed.extend(number.to_be_bytes());
        }
        signed.extend(self.said.as_ref().map(Said::printed).unwrap_or_default().as_bytes());
        let signature = keys.sign(Purpose::VisitorToken, &signed)?;
        let token = [&signature.key.to_be_bytes()[..], &signed, &signature.mac].concat();
        Ok(URL_SAFE_NO_PAD.encode(token))
    }

    /// Reads a token that was given to somebody of an account.
    ///
    /// # Errors
    /// Why it identifies nobody.
    pub fn read(token: &str, portal: PortalId, now: Millis, keys: &Keys) -> Result<Self, Flaw> {
        let signed = Self::known(token, keys).ok_or(Flaw::Forged)?;
        match signed {
            _ if signed.portal != portal => Err(Flaw::Foreign),
            _ if signed.expires_at <= now => Err(Flaw::Expired),
            _ => Ok(signed),
        }
    }

    /// What a token of ours says, whosever it is.
    fn known(token: &str, keys: &Keys) -> Option<Self> {
        if token.len() > LONGEST {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (key, rest) = bytes.split_first_chunk::<NUMBER>()?;
        let (signed, mac) = rest.split_last_chunk::<MAC>()?;
        if !keys.verify(Purpose::VisitorToken, signed, i64::from_be_bytes(*key), mac) {
            return None;
        }
        let (&version, rest) = signed.split_first()?;
        let (numbers, said) = rest.split_at_checked(4 * NUMBER)?;
        let (numbers, _) = numbers.as_chunks::<NUMBER>();
        let [portal, app, expires_at, nonce] = *numbers else { return None };
        Some(Self {
            portal: PortalId(i64::from_be_bytes(portal)),
            app: AppId(i64::from_be_bytes(app)),
            expires_at: i64::from_be_bytes(expires_at),
            nonce: i64::from_be_bytes(nonce),
            said: match version {
                WHOLE => Some(Said::parse(said)?),
                NAMING if said.is_empty() => None,
                _ => return None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use antiphon_store::SigningKey;

    use super::*;

    const NOW: Millis = 1_780_000_000_000;
    const PORTAL: PortalId = PortalId(7);

    fn keys(of: &[(i64, u8)], now: Millis) -> Keys {
        let key = |&(id, byte)| SigningKey { id, value: [byte; 32], created_at: 0, ends_at: None };
        Keys::new(&of.iter().map(key).collect::<Vec<_>>(), now)
    }

    fn signed() -> Signed {
        let context = BTreeMap::from([("berth".to_owned(), "4 \u{2693}".to_owned())]);
        let said = Said {
            email: "Ineke@harbour.example".into(),
            first_name: Some("Ineke".into()),
            context,
            ..Said::default()
        };
        Signed { portal: PORTAL, app: AppId(4410), expires_at: NOW + LIFE, nonce: 3, said: Some(said) }
    }

    /// One of each form.
    fn both() -> [Signed; 2] {
        [signed(), Signed { said: None, ..signed() }]
    }

    #[test]
    fn a_token_says_what_was_said_until_its_end() {
        let keys = keys(&[(1, 1)], NOW);
        for signed in both() {
            let token = signed.token(&keys).unwrap();
            let read = |portal, now| Signed::read(&token, portal, now, &keys);
            assert_eq!(read(PORTAL, NOW), Ok(signed.clone()));
            assert_eq!(read(PORTAL, NOW + LIFE - 1), Ok(signed.clone()));
            assert_eq!(read(PORTAL, NOW + LIFE), Err(Flaw::Expired));
            assert_eq!(read(PortalId(8), NOW), Err(Flaw::Foreign));
            assert_ne!(Signed { nonce: 4, ..signed }.token(&keys).unwrap(), token);
        }
        let Signed { portal, app, expires_at, said, .. } = signed();
        let identity = Identity { portal, app, expires_at, said: said.unwrap() };
        assert!(identity.is_for(" INEKE@harbour.example ") && !identity.is_for("ineke@harbour.exampl"));
    }

    #[test]
    fn a_token_outlives_the_key_that_signs_next_but_not_its_own() {
        for signed in both() {
            let token = signed.token(&keys(&[(1, 1)], NOW)).unwrap();
            assert_eq!(Signed::read(&token, PORTAL, NOW, &keys(&[(1, 1), (2, 2)], NOW)), Ok(signed));
            for others in [&[(2, 2)][..], &[(1, 2)], &[]] {
                assert_eq!(Signed::read(&token, PORTAL, NOW, &keys(others, NOW)), Err(Flaw::Forged));
            }
        }
    }

    #[test]
    fn no_bit_of_a_token_can_be_another() {
        let keys = keys(&[(1, 1)], NOW);
        let read = |token: &str| Signed::read(token, PORTAL, NOW, &keys);
        for signed in both() {
            let token = signed.token(&keys).unwrap();
            let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
            for bit in 0..bytes.len() * 8 {
                let mut other = bytes.clone();
                other[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(read(&URL_SAFE_NO_PAD.encode(other)), Err(Flaw::Forged), "bit {bit}");
            }
            for end in 0..token.len() {
                assert_eq!(read(&token[..end]), Err(Flaw::Forged));
            }
            for other in [format!("{token}A"), format!("{token}="), "ä".into(), "A".repeat(513)] {
                assert_eq!(read(&other), Err(Flaw::Forged));
            }
            // What the server signed for something else is no token.
            let signature = keys.sign(Purpose::FileUrl, &bytes[NUMBER..bytes.len() - MAC]).unwrap();
            let other = [&bytes[..bytes.len() - MAC], &signature.mac].concat();
            assert_eq!(read(&URL_SAFE_NO_PAD.encode(other)), Err(Flaw::Forged));
        }
    }

    #[test]
    fn what_has_room_makes_no_longer_token_than_there_may_be() {
        let keys = keys(&[(i64::MAX, 1)], NOW);
        let token = |bytes: usize| {
            let empty = Said::default().printed().len();
            let said = Said { email: "e".repeat(bytes - empty), ..Said::default() };
            assert_eq!(said.printed().len(), bytes);
            Signed { said: Some(said), nonce: i64::MIN, ..signed() }.token(&keys).unwrap()
        };
        let longest = token(ROOM);
        assert_eq!(longest.len(), LONGEST);
        assert!(Signed::read(&longest, PORTAL, NOW, &keys).is_ok());
        let longer = token(ROOM + 1);
        assert!(longer.len() > LONGEST && Signed::read(&longer, PORTAL, NOW, &keys).is_err());
    }
}

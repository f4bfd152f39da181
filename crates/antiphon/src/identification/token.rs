//! The token itself: which key signed it, a version, what it says, and the signature, as text for URLs.

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

/// How a token begins; another form would begin with another number.
const VERSION: u8 = 1;

const NUMBER: usize = size_of::<i64>();
const MAC: usize = 32;

/// Key, version, account, app, end, and what tells tokens apart that were made in one moment.
const HEAD: usize = 1 + 5 * NUMBER;

/// Most bytes that address, names and context may take.
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
    /// As it stands in a token.
    pub fn printed(&self) -> Vec<u8> {
        // Nothing in it can fail to be printed.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Identity {
    /// Makes a token. `nonce` tells it from others that say the same.
    ///
    /// # Errors
    /// When there is no key to sign with.
    pub fn token(&self, nonce: i64, keys: &Keys) -> Result<String, StoreError> {
        let mut signed = vec![VERSION];
        for number in [self.portal.0, self.app.0, self.expires_at, nonce] {
            signed.extend(number.to_be_bytes());
        }
        signed.extend(self.said.printed());
        let signature = keys.sign(Purpose::VisitorToken, &signed)?;
        let token = [&signature.key.to_be_bytes()[..], &signed, &signature.mac].concat();
        Ok(URL_SAFE_NO_PAD.encode(token))
    }

    /// Reads a token that was given to somebody of an account.
    ///
    /// # Errors
    /// Why it identifies nobody.
    pub fn read(token: &str, portal: PortalId, now: Millis, keys: &Keys) -> Result<Self, Flaw> {
        if token.len() > LONGEST {
            return Err(Flaw::Forged);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Flaw::Forged)?;
        let (key, rest) = bytes.split_first_chunk::<NUMBER>().ok_or(Flaw::Forged)?;
        let (signed, mac) = rest.split_last_chunk::<MAC>().ok_or(Flaw::Forged)?;
        if !keys.verify(Purpose::VisitorToken, signed, i64::from_be_bytes(*key), mac) {
            return Err(Flaw::Forged);
        }
        let (&version, rest) = signed.split_first().ok_or(Flaw::Forged)?;
        let (numbers, said) = rest.split_at_checked(4 * NUMBER).ok_or(Flaw::Forged)?;
        let (numbers, _) = numbers.as_chunks::<NUMBER>();
        let &[of, app, expires_at, _] = numbers else { return Err(Flaw::Forged) };
        if version != VERSION {
            return Err(Flaw::Forged);
        }
        let identity = Self {
            portal: PortalId(i64::from_be_bytes(of)),
            app: AppId(i64::from_be_bytes(app)),
            expires_at: i64::from_be_bytes(expires_at),
            said: serde_json::from_slice(said).map_err(|_| Flaw::Forged)?,
        };
        match identity {
            _ if identity.portal != portal => Err(Flaw::Foreign),
            _ if identity.expires_at <= now => Err(Flaw::Expired),
            _ => Ok(identity),
        }
    }

    /// Whether it is for this address, as it is compared.
    pub fn is_for(&self, email: &str) -> bool {
        self.said.email.to_lowercase() == email.trim().to_lowercase()
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

    fn identity() -> Identity {
        let context = BTreeMap::from([("berth".to_owned(), "4 \u{2693}".to_owned())]);
        let said = Said {
            email: "Ineke@harbour.example".into(),
            first_name: Some("Ineke".into()),
            context,
            ..Said::default()
        };
        Identity { portal: PORTAL, app: AppId(4410), expires_at: NOW + LIFE, said }
    }

    #[test]
    fn a_token_says_what_was_said_until_its_end() {
        let keys = keys(&[(1, 1)], NOW);
        let token = identity().token(3, &keys).unwrap();
        assert_eq!(Identity::read(&token, PORTAL, NOW, &keys), Ok(identity()));
        assert_eq!(Identity::read(&token, PORTAL, NOW + LIFE - 1, &keys), Ok(identity()));
        assert_eq!(Identity::read(&token, PORTAL, NOW + LIFE, &keys), Err(Flaw::Expired));
        assert_eq!(Identity::read(&token, PortalId(8), NOW, &keys), Err(Flaw::Foreign));
        assert_ne!(identity().token(4, &keys).unwrap(), token);
        assert!(identity().is_for(" INEKE@harbour.example ") && !identity().is_for("ineke@harbour.exampl"));
    }

    #[test]
    fn a_token_outlives_the_key_that_signs_next_but_not_its_own() {
        let token = identity().token(3, &keys(&[(1, 1)], NOW)).unwrap();
        assert_eq!(Identity::read(&token, PORTAL, NOW, &keys(&[(1, 1), (2, 2)], NOW)), Ok(identity()));
        for others in [&[(2, 2)][..], &[(1, 2)], &[]] {
            assert_eq!(Identity::read(&token, PORTAL, NOW, &keys(others, NOW)), Err(Flaw::Forged));
        }
    }

    #[test]
    fn no_bit_of_a_token_can_be_another() {
        let keys = keys(&[(1, 1)], NOW);
        let token = identity().token(3, &keys).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            let other = URL_SAFE_NO_PAD.encode(other);
            assert_eq!(Identity::read(&other, PORTAL, NOW, &keys), Err(Flaw::Forged), "bit {bit}");
        }
        for end in 0..token.len() {
            assert_eq!(Identity::read(&token[..end], PORTAL, NOW, &keys), Err(Flaw::Forged));
        }
        for other in [format!("{token}A"), format!("{token}="), "ä".into(), "A".repeat(513)] {
            assert_eq!(Identity::read(&other, PORTAL, NOW, &keys), Err(Flaw::Forged));
        }
        // What the server signed for something else is no token.
        let signature = keys.sign(Purpose::FileUrl, &bytes[NUMBER..bytes.len() - MAC]).unwrap();
        let other = [&bytes[..bytes.len() - MAC], &signature.mac].concat();
        let other = URL_SAFE_NO_PAD.encode(other);
        assert_eq!(Identity::read(&other, PORTAL, NOW, &keys), Err(Flaw::Forged));
    }

    #[test]
    fn what_has_room_makes_no_longer_token_than_there_may_be() {
        let keys = keys(&[(i64::MAX, 1)], NOW);
        let said = |bytes: usize| {
            let empty = Said { email: String::new(), ..Said::default() }.printed().len();
            Said { email: "e".repeat(bytes - empty), ..Said::default() }
        };
        assert_eq!(said(ROOM).printed().len(), ROOM);
        let longest = Identity { said: said(ROOM), ..identity() }.token(i64::MIN, &keys).unwrap();
        assert_eq!(longest.len(), LONGEST);
        assert!(Identity::read(&longest, PORTAL, NOW, &keys).is_ok());
        let longer = Identity { said: said(ROOM + 1), ..identity() }.token(1, &keys).unwrap();
        assert!(longer.len() > LONGEST && Identity::read(&longer, PORTAL, NOW, &keys).is_err());
    }
}

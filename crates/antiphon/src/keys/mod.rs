//! The server's own keys: with which it signs what it gives out and later wants to know again, such as the tokens of visitors
//! and the addresses of files.
//!
//! A signature names its key, so keys are replaced without ending what is still alive. Nobody asks the database: each node
//! holds all keys, looks for new ones every other second, and signs with one only once every node has had time to find it.

pub mod list;
pub mod rotate;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use antiphon_store::{Millis, SigningKey, Store, StoreError};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::watch;

use crate::app::App;
use crate::serve::told;

/// How often a node looks for new keys.
const LOOK: Duration = Duration::from_secs(2);

/// How old a key is before anything is signed with it.
const KNOWN: Millis = 15_000;

/// How long what a replaced key signed stays good, unless something else is asked for. Nothing that is signed may live longer.
pub const OVERLAP: Millis = 30 * 24 * 60 * 60 * 1000;

/// What a signature is for. What was signed for one purpose is nothing for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    VisitorToken,
    FileUrl,
    Session,
    AccessToken,
    /// A visitor's session,
    Visit,
    /// and a file that a visitor uploaded.
    VisitorFile,
}

impl Purpose {
    const ALL: [Self; 6] =
        [Self::VisitorToken, Self::FileUrl, Self::Session, Self::AccessToken, Self::Visit, Self::VisitorFile];

    /// What makes its key another one than the others'.
    fn info(self) -> &'static [u8] {
        match self {
            Self::VisitorToken => b"antiphon visitor-token 1",
            Self::FileUrl => b"antiphon file-url 1",
            Self::Session => b"antiphon session 1",
            Self::AccessToken => b"antiphon access-token 1",
            Self::Visit => b"antiphon visit 1",
            Self::VisitorFile => b"antiphon visitor-file 1",
        }
    }
}

/// A signature, and the id of the key that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    pub key: i64,
    pub mac: [u8; 32],
}

/// The keys that are good now.
pub struct Keys(RwLock<Arc<Ring>>);

struct Ring {
    /// The key that signs; 0 where there is none.
    signing: i64,
    keys: Vec<Key>,
}

/// A signing key, as it signs for each purpose.
struct Key {
    id: i64,
    of: [Hmac<Sha256>; Purpose::ALL.len()],
}

impl Keys {
    /// With the keys that were found in a store.
    pub fn new(found: &[SigningKey], now: Millis) -> Self {
        Self(RwLock::new(Arc::new(Ring::new(found, now))))
    }

    /// Signs something.
    ///
    /// # Errors
    /// When there is no key, which a store that was opened always has.
    pub fn sign(&self, purpose: Purpose, bytes: &[u8]) -> Result<Signature, StoreError> {
        let ring = self.ring();
        let mac = ring.mac(ring.signing, purpose, bytes);
        let mac = mac.ok_or_else(|| StoreError::Damaged("there is no signing key".into()))?;
        Ok(Signature { key: ring.signing, mac: mac.finalize().into_bytes().into() })
    }

    /// Whether this key has signed this for this purpose. How long that takes says nothing of where they differ.
    pub fn verify(&self, purpose: Purpose, bytes: &[u8], key: i64, mac: &[u8]) -> bool {
        self.ring().mac(key, purpose, bytes).is_some_and(|made| made.verify_slice(mac).is_ok())
    }

    /// Reads the keys again.
    ///
    /// # Errors
    /// When the store does not answer; then the keys stay those that were known.
    pub async fn refresh(&self, store: &Store) -> Result<(), StoreError> {
        let ring = Arc::new(Ring::new(&store.signing_keys().await?, store.now()));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = ring;
        Ok(())
    }

    fn ring(&self) -> Arc<Ring> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Ring {
    fn new(found: &[SigningKey], now: Millis) -> Self {
        let good: Vec<&SigningKey> =
            found.iter().filter(|key| key.ends_at.is_none_or(|end| now < end)).collect();
        let keys = good.iter().filter_map(|key| Key::new(key)).collect();
        Self { signing: signing(&good, now).unwrap_or_default(), keys }
    }

    fn mac(&self, key: i64, purpose: Purpose, bytes: &[u8]) -> Option<Hmac<Sha256>> {
        let key = self.keys.iter().find(|known| known.id == key)?;
        Some(key.of[purpose as usize].clone().chain_update(bytes))
    }
}

/// The key that signs: the newest that all nodes know, or the oldest there is.
fn signing(good: &[&SigningKey], now: Millis) -> Option<i64> {
    let known = good.iter().rev().find(|key| key.created_at + KNOWN <= now);
    known.or(good.first()).map(|key| key.id)
}

impl Key {
    fn new(key: &SigningKey) -> Option<Self> {
        let source = Hkdf::<Sha256>::new(None, &key.value);
        let of = Purpose::ALL.map(|purpose| {
            let mut derived = [0; 32];
            source.expand(purpose.info(), &mut derived).ok()?;
            Hmac::<Sha256>::new_from_slice(&derived).ok()
        });
        let of: Vec<_> = of.into_iter().flatten().collect();
        Some(Self { id: key.id, of: of.try_into().ok()? })
    }
}

/// Keeps a node's keys up to date until it stops.
pub async fn follow(app: &App, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = told(&mut stop) => return,
        }
        if let Err(error) = app.keys.refresh(&app.store).await {
            tracing::debug!(%error, "signing keys could not be read; those that are known stay");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: i64, created_at: Millis, ends_at: Option<Millis>) -> SigningKey {
        SigningKey { id, value: [id as u8; 32], created_at, ends_at }
    }

    #[test]
    fn a_signature_is_good_for_its_purpose_and_its_bytes() {
        let keys = Keys::new(&[key(1, 0, None)], 0);
        let signed = keys.sign(Purpose::FileUrl, b"a file").unwrap();
        assert_eq!(signed.key, 1);
        assert!(keys.verify(Purpose::FileUrl, b"a file", 1, &signed.mac));
        for (purpose, bytes, id, mac) in [
            (Purpose::Session, &b"a file"[..], 1, &signed.mac[..]),
            (Purpose::FileUrl, b"a pile", 1, &signed.mac),
            (Purpose::FileUrl, b"a file", 2, &signed.mac),
            (Purpose::FileUrl, b"a file", 1, &signed.mac[..31]),
            (Purpose::FileUrl, b"a file", 1, b""),
        ] {
            assert!(!keys.verify(purpose, bytes, id, mac));
        }
        let other = Keys::new(&[SigningKey { value: [9; 32], ..key(1, 0, None) }], 0);
        assert!(!other.verify(Purpose::FileUrl, b"a file", 1, &signed.mac));
        assert!(Keys::new(&[], 0).sign(Purpose::FileUrl, b"").is_err());
    }

    #[test]
    fn a_new_key_signs_once_every_node_knows_it_and_an_old_one_verifies_until_it_ends() {
        let two = [key(1, 0, Some(90_000)), key(2, 50_000, None)];
        let (just, soon, end) =
            (Keys::new(&two, 50_000), Keys::new(&two, 50_000 + KNOWN), Keys::new(&two, 90_000));
        let old = just.sign(Purpose::VisitorToken, b"x").unwrap();
        let new = soon.sign(Purpose::VisitorToken, b"x").unwrap();
        assert_eq!((old.key, new.key), (1, 2));
        let good = |keys: &Keys, signed: Signature| {
            keys.verify(Purpose::VisitorToken, b"x", signed.key, &signed.mac)
        };
        assert!(good(&just, old) && good(&just, new) && good(&soon, old) && good(&soon, new));
        assert!(!good(&end, old) && good(&end, new));
        // The first key there is signs at once.
        assert_eq!(Keys::new(&[key(7, 5, None)], 5).sign(Purpose::Session, b"").unwrap().key, 7);
    }
}

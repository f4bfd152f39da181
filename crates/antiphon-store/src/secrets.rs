//! What is sealed before it is written, so that whoever reads the database, or a backup of it, reads no secret.
//!
//! The master key is kept outside the database and seals what is inside: the secrets of apps, and the keys with which the
//! server signs. The database keeps a check of it, so that nobody goes on with another one.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

use crate::{AppId, Millis, OpenError, PortalId, StoreError, Totp};

/// The master key's file in a data directory.
const FILE: &str = "secret.key";

/// What a sealed value begins with. No value that was ever stored in clear begins like this.
const MARK: &str = "sealed-1:";

const NONCE: usize = 24;

/// What the check of a master key belongs to.
const CHECK: &str = "check";

/// The key that seals.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey([u8; 32]);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey")
    }
}

impl MasterKey {
    /// A key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A fresh one.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn fresh() -> Result<Self, StoreError> {
        random().map(Self)
    }

    /// What [`Self::text`] made.
    pub fn parse(text: &str) -> Option<Self> {
        BASE64_STANDARD.decode(text.trim()).ok()?.try_into().ok().map(Self)
    }

    /// For a file or a variable: 32 bytes in Base64.
    pub fn text(&self) -> String {
        BASE64_STANDARD.encode(self.0)
    }

    /// Writes it to a file that only its owner reads.
    ///
    /// # Errors
    /// When there is one already, or none can be written.
    pub fn write(&self, to: &Path) -> std::io::Result<()> {
        let directory = to.parent().filter(|directory| !directory.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        std::fs::create_dir_all(directory)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
        writeln!(file, "{}", self.text())?;
        file.sync_all()?;
        File::open(directory)?.sync_all()
    }
}

/// Where the master key comes from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// From whoever opens the store.
    Given(MasterKey),
    /// From a file, which is made for a store that was never sealed.
    File(PathBuf),
}

impl KeySource {
    /// The file in a data directory.
    pub fn of(data_dir: &Path) -> Self {
        Self::File(data_dir.join(FILE))
    }

    /// The key, if it is there.
    ///
    /// # Errors
    /// When its file cannot be read, or holds none.
    pub fn read(&self) -> Result<Option<MasterKey>, OpenError> {
        let path = match self {
            Self::Given(key) => return Ok(Some(key.clone())),
            Self::File(path) => path,
        };
        let mut text = String::new();
        let bad = |why: String| OpenError::BadKey(path.display().to_string(), why);
        match File::open(path).and_then(|mut file| file.read_to_string(&mut text)) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(bad(e.to_string())),
            Ok(_) => MasterKey::parse(&text).map(Some).ok_or_else(|| bad("it holds no key".into())),
        }
    }

    /// Why a store with this check could not be opened with the key that is there now.
    pub(crate) fn flaw(&self, check: Option<&str>) -> Option<String> {
        match (self.read(), check) {
            (Err(e), _) => Some(e.to_string()),
            (Ok(None), _) => Some(format!("the master key in {self} is gone")),
            (Ok(Some(key)), Some(check)) if Seals::new(&key).open(CHECK, check).is_none() => {
                Some(format!("the master key in {self} is not the one that this store is sealed with"))
            }
            _ => None,
        }
    }

    /// What is wrong when neither owner nor group has to be asked to read the key.
    pub(crate) fn open_to_others(&self) -> Option<String> {
        let Self::File(path) = self else { return None };
        let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
        (mode & 0o007 != 0)
            .then(|| format!("everybody can get at the master key in {self} (mode {mode:04o})"))
    }

    /// A store's seals, and its check if it has none yet; then the key is made if need be.
    pub(crate) fn seals(
        &self,
        check: Option<&str>,
        store: &str,
    ) -> Result<(Seals, Option<String>), OpenError> {
        let engine = |e: StoreError| OpenError::Engine(store.to_owned(), e.to_string());
        match (check, self.read()?) {
            (Some(check), Some(key)) => {
                let seals = Seals::new(&key);
                match seals.open(CHECK, check) {
                    Some(_) => Ok((seals, None)),
                    None => Err(OpenError::OtherKey(store.to_owned(), self.to_string())),
                }
            }
            (Some(_), None) => Err(OpenError::NoKey(store.to_owned(), self.to_string())),
            (None, key) => {
                let key = match (key, self) {
                    (Some(key), _) => key,
                    (None, Self::Given(key)) => key.clone(),
                    (None, Self::File(path)) => {
                        let key = MasterKey::fresh().map_err(engine)?;
                        let failed = |e: std::io::Error| {
                            OpenError::NotWritable(path.display().to_string(), e.to_string())
                        };
                        key.write(path).map_err(failed)?;
                        key
                    }
                };
                let seals = Seals::new(&key);
                let check = seals.check().map_err(engine)?;
                Ok((seals, Some(check)))
            }
        }
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => f.write_str("the configured key"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Seals values, and opens them. Without a key it does neither.
#[derive(Clone, Default)]
pub(crate) struct Seals(Option<Arc<XChaCha20Poly1305>>);

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seals")
    }
}

impl Seals {
    pub(crate) fn new(key: &MasterKey) -> Self {
        Self(Some(Arc::new(XChaCha20Poly1305::new(&key.0.into()))))
    }

    /// What says later that a key is this one.
    pub(crate) fn check(&self) -> Result<String, StoreError> {
        self.seal(CHECK, CHECK.as_bytes())
    }

    /// Seals a value that belongs to something. Put elsewhere, it does not open.
    pub(crate) fn seal(&self, of: &str, value: &[u8]) -> Result<String, StoreError> {
        let failed = |why: &str| StoreError::Engine(format!("a secret cannot be sealed: {why}"));
        let cipher = self.0.as_ref().ok_or_else(|| failed("there is no master key"))?;
        let nonce: [u8; NONCE] = random()?;
        let payload = Payload { msg: value, aad: of.as_bytes() };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| failed("it is too long"))?;
        Ok(format!("{MARK}{}", BASE64_URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat())))
    }

    /// What [`Self::seal`] sealed for the same.
    pub(crate) fn open(&self, of: &str, sealed: &str) -> Option<Vec<u8>> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(sealed.strip_prefix(MARK)?).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: sealed, aad: of.as_bytes() };
        self.0.as_ref()?.decrypt(&XNonce::from(*nonce), payload).ok()
    }

    /// An app's client secret as it is stored.
    pub(crate) fn seal_secret(&self, app: AppId, secret: &str) -> Result<String, StoreError> {
        self.seal(&of_app(app), secret.as_bytes())
    }

    /// An app's client secret. One that is not sealed yet is as it stands.
    pub(crate) fn open_secret(&self, app: AppId, stored: String) -> Result<String, StoreError> {
        if !is_sealed(&stored) {
            return Ok(stored);
        }
        let opened = self.open(&of_app(app), &stored).and_then(|bytes| String::from_utf8(bytes).ok());
        opened.ok_or_else(|| {
            StoreError::Damaged(format!(
                "the client secret of app {} does not open; `antiphon key replace` gives it another",
                app.0
            ))
        })
    }

    /// What an authenticator shares, as it is stored.
    pub(crate) fn seal_totp(
        &self,
        of: (PortalId, i64),
        secret: Option<&Totp>,
    ) -> Result<Option<String>, StoreError> {
        secret.map(|secret| self.seal(&of_login(of), &secret.0)).transpose()
    }

    /// What an authenticator shares. One that does not open makes no codes that are right, and only recovery codes are left.
    pub(crate) fn open_totp(&self, of: (PortalId, i64), stored: Option<&str>) -> Option<Totp> {
        stored.map(|stored| Totp(self.open(&of_login(of), stored).unwrap_or_default()))
    }

    /// Whether what an authenticator shares opens.
    pub(crate) fn opens_totp(&self, of: (PortalId, i64), stored: &str) -> bool {
        self.open(&of_login(of), stored).is_some()
    }

    /// A signing key as it is stored.
    pub(crate) fn seal_key(&self, id: i64, key: &[u8; 32]) -> Result<String, StoreError> {
        self.seal(&of_key(id), key)
    }

    /// A signing key.
    pub(crate) fn open_key(&self, id: i64, stored: &str) -> Result<[u8; 32], StoreError> {
        let opened = self.open(&of_key(id), stored).and_then(|bytes| bytes.try_into().ok());
        opened.ok_or_else(|| {
            StoreError::Damaged(format!(
                "signing key {id} does not open; `antiphon key replace` makes another"
            ))
        })
    }
}

/// Whether a stored value is sealed.
pub(crate) fn is_sealed(stored: &str) -> bool {
    stored.starts_with(MARK)
}

fn of_app(app: AppId) -> String {
    format!("app/{}/client-secret", app.0)
}

fn of_login((portal, agent): (PortalId, i64)) -> String {
    format!("login/{portal}/{agent}/totp")
}

fn of_key(id: i64) -> String {
    format!("signing-key/{id}")
}

/// A key with which the server signs what it gives out.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    pub id: i64,
    pub value: [u8; 32],
    pub created_at: Millis,
    /// From when on it no longer verifies anything; `None` for the newest.
    pub ends_at: Option<Millis>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey {}", self.id)
    }
}

/// A signing key that was just made, and how it is stored.
pub(crate) fn fresh_key(seals: &Seals, id: i64) -> Result<([u8; 32], String), StoreError> {
    let value = random()?;
    let sealed = seals.seal_key(id, &value)?;
    Ok((value, sealed))
}

/// A signing key as it is stored: its id, the sealed key, when it was made and when it ends.
pub(crate) type StoredKey = (i64, String, Millis, Option<Millis>);

/// An app whose secret was sealed anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resealed {
    pub app: AppId,
    /// The fresh secret that it has been given, where the one it had does not open any more.
    pub fresh: Option<String>,
}

/// From one master key, or a lost one, to another.
pub(crate) struct Reseal {
    old: Seals,
    new: Seals,
}

impl Reseal {
    /// `check` is the store's.
    pub(crate) fn new(source: &KeySource, check: Option<&str>, new: &MasterKey) -> Result<Self, OpenError> {
        let old = source.read()?.map(|key| Seals::new(&key)).unwrap_or_default();
        let right = check.is_none_or(|check| old.open(CHECK, check).is_some());
        Ok(Self { old: if right { old } else { Seals::default() }, new: Seals::new(new) })
    }

    pub(crate) fn seals(&self) -> &Seals {
        &self.new
    }

    /// An app's secret and its former one, sealed anew. A former one that does not open goes.
    pub(crate) fn app(
        &self,
        app: AppId,
        secret: String,
        former: Option<String>,
    ) -> Result<(String, Option<String>, Resealed), StoreError> {
        let (secret, fresh) = match self.old.open_secret(app, secret) {
            Ok(secret) => (secret, None),
            Err(_) => {
                let fresh = uuid::Uuid::new_v4().to_string();
                (fresh.clone(), Some(fresh))
            }
        };
        let former = former.and_then(|former| self.old.open_secret(app, former).ok());
        let former = former.map(|former| self.new.seal_secret(app, &former)).transpose()?;
        Ok((self.new.seal_secret(app, &secret)?, former, Resealed { app, fresh }))
    }

    /// What an authenticator shares, sealed anew. One that does not open stays as it is, so that no password does alone.
    pub(crate) fn totp(
        &self,
        of: (PortalId, i64),
        stored: Option<String>,
    ) -> Result<Option<String>, StoreError> {
        let Some(stored) = stored else { return Ok(None) };
        match self.old.open(&of_login(of), &stored) {
            Some(secret) => self.new.seal(&of_login(of), &secret).map(Some),
            None => Ok(Some(stored)),
        }
    }

    /// A signing key, sealed anew if it still opens.
    pub(crate) fn key(&self, id: i64, stored: &str) -> Result<Option<String>, StoreError> {
        let opened = self.old.open_key(id, stored).ok();
        opened.map(|key| self.new.seal_key(id, &key)).transpose()
    }
}

fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|e| StoreError::Engine(format!("the system has no randomness: {e}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_where_it_belongs_and_with_its_key() {
        let key = MasterKey::fresh().unwrap();
        let seals = Seals::new(&key);
        let sealed = seals.seal_secret(AppId(7), "secret").unwrap();
        assert!(!sealed.contains("secret") && sealed != seals.seal_secret(AppId(7), "secret").unwrap());
        assert_eq!(seals.open_secret(AppId(7), sealed.clone()).unwrap(), "secret");
        assert!(seals.open_secret(AppId(8), sealed.clone()).is_err());
        let again = Seals::new(&MasterKey::parse(&key.text()).unwrap());
        assert_eq!(again.open_secret(AppId(7), sealed.clone()).unwrap(), "secret");
        let other = Seals::new(&MasterKey::fresh().unwrap());
        assert!(other.open_secret(AppId(7), sealed.clone()).is_err());
        let mut torn = sealed.clone();
        torn.pop();
        assert!(seals.open_secret(AppId(7), torn).is_err());
        assert_eq!(seals.open_secret(AppId(7), "in clear".into()).unwrap(), "in clear");
        assert!(Seals::default().seal_secret(AppId(7), "secret").is_err());
        assert!(Seals::default().open_secret(AppId(7), sealed).is_err());
    }

    #[test]
    fn a_key_is_made_once_and_only_for_what_was_never_sealed() {
        let dir = tempfile::tempdir().unwrap();
        let source = KeySource::of(dir.path());
        let (_, check) = source.seals(None, "store").unwrap();
        let path = dir.path().join(FILE);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let check = check.unwrap();
        assert!(source.seals(Some(&check), "store").unwrap().1.is_none());
        let other = KeySource::Given(MasterKey::fresh().unwrap());
        assert!(matches!(other.seals(Some(&check), "store"), Err(OpenError::OtherKey(..))));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(source.seals(Some(&check), "store"), Err(OpenError::NoKey(..))));
        assert!(!path.exists());
        std::fs::write(&path, "no key").unwrap();
        assert!(matches!(source.seals(Some(&check), "store"), Err(OpenError::BadKey(..))));
    }
}

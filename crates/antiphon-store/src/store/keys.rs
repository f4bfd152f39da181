//! The keys with which the server signs, and the master key that seals them.

use super::{Engine, Store};
use crate::*;

impl Store {
    /// The keys with which the server signs, as they were when the store was opened; the newest last.
    pub fn signing_keys_found(&self) -> Vec<SigningKey> {
        match &self.now_at().engine {
            Engine::Sqlite(engine) => engine.keys.clone(),
            Engine::Postgres(engine) => engine.keys.clone(),
        }
    }

    /// The keys with which the server signs, as they are now; the newest last.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        read!(self.signing_keys())
    }

    /// Makes a signing key. What the others signed is good until they end.
    pub async fn signing_key_rotate(&self, ends_at: Millis) -> Result<SigningKey, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.signing_key_rotate(ends_at))
    }

    /// Seals everything in a store that nobody serves with another master key. An app whose secret does not open with the one
    /// of the settings is given a fresh one, and what was signed with a key that does not open is good no more. Waits on the
    /// calling thread.
    pub fn reseal(settings: &Settings, new: &MasterKey) -> Result<Vec<Resealed>, OpenError> {
        match &settings.postgres {
            None => sqlite::secrets::reseal(settings, new),
            Some(at) => moving::wait(async { Ok(postgres::secrets::reseal(settings, at, new).await?) })
                .map_err(|e| match e {
                    MoveError::Open(e) => e,
                    e => OpenError::Engine(at.shown(), e.to_string()),
                }),
        }
    }
}

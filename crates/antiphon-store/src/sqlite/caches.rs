//! Directories, held in memory as they were last committed. The writer puts the one it has changed here before it answers,
//! so that what was revoked is refused from the next request on.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rusqlite::Connection;

use super::directory;
use super::failure::Result;
use crate::secrets::Seals;
use crate::{Directory, PortalId, Token, TokenHash};

pub(super) struct Caches {
    held: RwLock<Held>,
    seals: Seals,
}

#[derive(Default)]
struct Held {
    directories: HashMap<PortalId, Arc<Directory>>,
    /// Whose the tokens are that were asked for. That never changes; what became of a token, its directory knows.
    owners: HashMap<TokenHash, PortalId>,
}

impl Caches {
    pub(super) fn new(seals: Seals) -> Self {
        Self { held: RwLock::default(), seals }
    }

    pub(super) fn directory(&self, portal: PortalId) -> Option<Arc<Directory>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).directories.get(&portal).cloned()
    }

    /// A token that was asked for before.
    pub(super) fn token(&self, hash: &TokenHash) -> Option<Arc<Token>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.directories.get(held.owners.get(hash)?)?.tokens().get(hash).cloned()
    }

    /// Reads whose a token is, and its directory unless that is held.
    pub(super) fn load_token(&self, conn: &Connection, hash: &TokenHash) -> Result<Option<Arc<Token>>> {
        let Some(owner) = directory::portal_of_token(conn, hash)? else { return Ok(None) };
        let directory = match self.directory(owner) {
            Some(held) => Some(held),
            None => self.load(conn, owner)?,
        };
        self.held.write().unwrap_or_else(PoisonError::into_inner).owners.insert(*hash, owner);
        Ok(directory.and_then(|directory| directory.tokens().get(hash).cloned()))
    }

    /// Reads a directory that is not held yet.
    pub(super) fn load(&self, conn: &Connection, portal: PortalId) -> Result<Option<Arc<Directory>>> {
        Ok(directory::load(conn, &self.seals, portal)?.map(|directory| self.hold(Arc::new(directory))))
    }

    /// Holds a directory, and gives the one that is held now. A slow reader may come with an older revision than the one
    /// held: the newer one stays.
    pub(super) fn hold(&self, new: Arc<Directory>) -> Arc<Directory> {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        match held.directories.get(&new.portal.id) {
            Some(known) if known.revision >= new.revision => known.clone(),
            _ => {
                held.directories.insert(new.portal.id, new.clone());
                new
            }
        }
    }
}

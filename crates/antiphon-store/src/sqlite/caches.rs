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

impl Held {
    /// Holds a directory with others beside it than before, unless there is a newer one by now.
    fn instead(&mut self, known: &Arc<Directory>, whole: &Arc<Directory>) {
        if let Some(held) = self.directories.get_mut(&whole.portal.id)
            && Arc::ptr_eq(held, known)
        {
            *held = whole.clone();
        }
    }
}

impl Caches {
    pub(super) fn new(seals: Seals) -> Self {
        Self { held: RwLock::default(), seals }
    }

    /// A directory with all that belong beside it, as far as those are held.
    pub(super) fn directory(&self, portal: PortalId) -> Option<Arc<Directory>> {
        self.whole(portal).filter(|directory| directory.lacks().is_empty())
    }

    fn whole(&self, portal: PortalId) -> Option<Arc<Directory>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let known = held.directories.get(&portal)?.clone();
        let whole = known.lodging(|id| held.directories.get(&id).cloned());
        drop(held);
        if !Arc::ptr_eq(&known, &whole) {
            self.held.write().unwrap_or_else(PoisonError::into_inner).instead(&known, &whole);
        }
        Some(whole)
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

    /// Reads a directory that is not held yet, and those that belong beside it.
    pub(super) fn load(&self, conn: &Connection, portal: PortalId) -> Result<Option<Arc<Directory>>> {
        let directory = match self.whole(portal) {
            Some(held) => held,
            None => match directory::load(conn, &self.seals, portal)? {
                Some(directory) => self.hold(Arc::new(directory)),
                None => return Ok(None),
            },
        };
        for home in directory.lacks() {
            if let Some(home) = directory::load(conn, &self.seals, home)? {
                self.hold(Arc::new(home));
            }
        }
        Ok(self.whole(portal))
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

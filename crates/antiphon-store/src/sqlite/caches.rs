//! Directories and tokens, held in memory: the spine's first inside reader. The writer shows it every stretch of new
//! events before it answers, so that what was revoked is refused from the next request on.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rusqlite::Connection;

use super::failure::Result;
use super::{directory, events};
use crate::{Directory, PortalId, Token, TokenHash};

#[derive(Default)]
pub(super) struct Caches {
    held: RwLock<Held>,
}

#[derive(Default)]
struct Held {
    directories: HashMap<PortalId, Arc<Directory>>,
    /// Tokens of the directories held. None ever leaves: a revoked one stays, saying so.
    tokens: HashMap<TokenHash, Arc<Token>>,
}

impl Caches {
    pub(super) fn directory(&self, portal: PortalId) -> Option<Arc<Directory>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).directories.get(&portal).cloned()
    }

    pub(super) fn token(&self, hash: &TokenHash) -> Option<Arc<Token>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).tokens.get(hash).cloned()
    }

    /// Reads a directory that is not held yet.
    pub(super) fn load(&self, conn: &Connection, portal: PortalId) -> Result<Option<Arc<Directory>>> {
        Ok(directory::load(conn, portal)?.map(|directory| self.hold(Arc::new(directory))))
    }

    /// Reads the events between two positions; when one of them is a change of the directory, its new revision is held
    /// and returned.
    pub(super) fn follow(
        &self,
        conn: &Connection,
        portal: PortalId,
        after: i64,
        to: i64,
    ) -> Result<Option<Arc<Directory>>> {
        if !events::directory_changed(conn, portal, after, to)? {
            return Ok(None);
        }
        self.load(conn, portal)
    }

    /// Holds nothing of a portal any more: the next request reads it.
    pub(super) fn forget(&self, portal: PortalId) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.directories.remove(&portal);
        held.tokens.retain(|_, token| token.portal_id != portal);
    }

    /// A slow reader may come with an older revision than the one held: the newer one stays.
    fn hold(&self, new: Arc<Directory>) -> Arc<Directory> {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) =
            held.directories.get(&new.portal.id).filter(|known| known.revision >= new.revision)
        {
            return known.clone();
        }
        held.tokens.extend(new.tokens.iter().map(|token| (token.hash, token.clone())));
        held.directories.insert(new.portal.id, new.clone());
        new
    }
}

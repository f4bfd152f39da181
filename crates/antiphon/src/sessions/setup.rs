//! The first run: nobody can sign in yet.

use antiphon_store::{Store, StoreError};

/// A server that has more portals was set up by its operator.
const MOST_PORTALS: usize = 20;

/// Whether nobody can sign in anywhere.
///
/// # Errors
/// When the store does not answer.
pub async fn is_open(store: &Store) -> Result<bool, StoreError> {
    let portals = store.portals(None, MOST_PORTALS + 1).await?;
    for portal in portals.iter().take(MOST_PORTALS) {
        if store.directory(portal.id).await?.is_some_and(|directory| !directory.logins().is_empty()) {
            return Ok(false);
        }
    }
    Ok(portals.len() <= MOST_PORTALS)
}

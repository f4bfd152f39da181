//! Directories, held in memory, and believed only after asking: another node may have changed them a moment ago.
//!
//! Asking costs next to nothing, because one question serves everybody who waits: whoever comes while a question is under
//! way goes with the next one, and so each is told of everything that was acknowledged before it came.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use super::PATIENCE;
use super::connect::{Place, SOON, Session, answered};
use super::directory;
use super::failure::{Failure, Result};
use super::readers::rows;
use crate::{Directory, PortalId, StoreError, Token, TokenHash};

/// Who waits for a portal's directory.
type Asked = (PortalId, oneshot::Sender<std::result::Result<Option<Arc<Directory>>, StoreError>>);

pub(super) struct Caches {
    held: Arc<Held>,
    questions: mpsc::UnboundedSender<Asked>,
}

#[derive(Default)]
pub(super) struct Held {
    directories: RwLock<HashMap<PortalId, Arc<Directory>>>,
    /// Whose the tokens are that were asked for. That never changes; what became of a token, its directory knows.
    owners: RwLock<HashMap<TokenHash, PortalId>>,
}

impl Held {
    /// A directory as it was when somebody asked last.
    pub(super) fn directory(&self, portal: PortalId) -> Option<Arc<Directory>> {
        self.directories.read().unwrap_or_else(PoisonError::into_inner).get(&portal).cloned()
    }

    /// Holds a directory unless a newer one is held, or as new a one with newer ones beside it.
    pub(super) fn hold(&self, new: &Arc<Directory>) {
        let mut held = self.directories.write().unwrap_or_else(PoisonError::into_inner);
        match held.get(&new.portal.id) {
            Some(known) if known.revision > new.revision || known.is_as(new) => {}
            _ => drop(held.insert(new.portal.id, new.clone())),
        }
    }
}

impl Caches {
    /// Starts the task that asks. It ends with the caches.
    pub(super) fn start(place: Place) -> Self {
        let held = Arc::new(Held::default());
        let (questions, asked) = mpsc::unbounded_channel();
        tokio::spawn(ask(place, held.clone(), asked));
        Self { held, questions }
    }

    pub(super) fn held(&self) -> &Arc<Held> {
        &self.held
    }

    /// The directory as of now.
    pub(super) async fn directory(&self, portal: PortalId) -> Result<Option<Arc<Directory>>> {
        let (answer, answered) = oneshot::channel();
        let closed = || Failure::Told(StoreError::Unavailable("it is closed".into()));
        self.questions.send((portal, answer)).map_err(|_| closed())?;
        Ok(answered.await.map_err(|_| closed())??)
    }

    /// The token and its directory as of now, if it was asked for before.
    pub(super) async fn token(&self, hash: &TokenHash) -> Result<Option<(Arc<Token>, Arc<Directory>)>> {
        let owner = self.held.owners.read().unwrap_or_else(PoisonError::into_inner).get(hash).copied();
        let Some(owner) = owner else { return Ok(None) };
        let directory = self.directory(owner).await?;
        Ok(directory.and_then(|directory| Some((directory.tokens().get(hash)?.clone(), directory))))
    }

    /// Remembers whose a token is.
    pub(super) fn own(&self, hash: TokenHash, owner: PortalId) {
        self.held.owners.write().unwrap_or_else(PoisonError::into_inner).insert(hash, owner);
    }
}

/// Asks for everybody, one question at a time, on a connection of its own.
async fn ask(place: Place, held: Arc<Held>, mut asked: mpsc::UnboundedReceiver<Asked>) {
    let (mut session, mut waiting): (Option<Session>, Vec<Asked>) = (None, Vec::new());
    while asked.recv_many(&mut waiting, 10_000).await > 0 {
        let begun = Instant::now();
        let mut found = answered(PATIENCE, answer(&place, &mut session, &held, &waiting)).await;
        if matches!(found, Err(Failure::Lost(_))) && begun.elapsed() < SOON {
            // The connection may have been lost long before anybody asked.
            session = None;
            found = answered(PATIENCE, answer(&place, &mut session, &held, &waiting)).await;
        }
        if found.is_err() {
            session = None;
        }
        let found = found.map_err(StoreError::from);
        for (portal, whom) in waiting.drain(..) {
            // Whoever asked may have gone away.
            let _ = whom.send(found.clone().map(|found| found.get(&portal).cloned()));
        }
    }
}

async fn answer(
    place: &Place,
    session: &mut Option<Session>,
    held: &Held,
    waiting: &[Asked],
) -> Result<HashMap<PortalId, Arc<Directory>>> {
    let session = match session {
        Some(session) => session,
        None => session.insert(place.connect().await?),
    };
    let asked: BTreeSet<PortalId> = waiting.iter().map(|(portal, _)| *portal).collect();
    let beside = asked
        .iter()
        .filter_map(|portal| held.directory(*portal))
        .flat_map(|known| known.beside().collect::<Vec<_>>());
    let mut wanted: BTreeSet<PortalId> = asked.iter().copied().chain(beside).collect();
    let mut found = HashMap::with_capacity(wanted.len());
    while !wanted.is_empty() {
        current(session, held, &wanted, &mut found).await?;
        // Somebody was let in from a portal that nobody has asked for yet.
        let lacked = asked
            .iter()
            .filter_map(|portal| found.get(portal))
            .flat_map(|one: &Arc<Directory>| one.beside().collect::<Vec<_>>());
        let lacked: BTreeSet<PortalId> =
            lacked.filter(|id| !found.contains_key(id) && !wanted.contains(id)).collect();
        wanted = lacked;
    }
    let whole: Vec<_> = asked
        .iter()
        .filter_map(|portal| Some(found.get(portal)?.lodging(|id| found.get(&id).cloned())))
        .collect();
    for directory in whole {
        held.hold(&directory);
        found.insert(directory.portal.id, directory);
    }
    Ok(found)
}

/// Reads directories as of now.
async fn current(
    session: &Session,
    held: &Held,
    wanted: &BTreeSet<PortalId>,
    found: &mut HashMap<PortalId, Arc<Directory>>,
) -> Result<()> {
    let ids: Vec<i64> = wanted.iter().map(|portal| portal.0).collect();
    for row in rows(&session.client, "SELECT id, revision FROM portals WHERE id = ANY($1)", &[&ids]).await? {
        let (portal, revision): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let portal = PortalId(portal);
        let directory = match held.directory(portal) {
            Some(known) if known.revision >= revision => Some(known),
            known => whole(session, portal, known).await?,
        };
        if let Some(directory) = directory {
            held.hold(&directory);
            found.insert(portal, directory);
        }
    }
    Ok(())
}

/// A directory at one revision, as of now.
async fn whole(
    session: &Session,
    portal: PortalId,
    known: Option<Arc<Directory>>,
) -> Result<Option<Arc<Directory>>> {
    let client = &session.client;
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let read = directory::refresh(session, portal, known).await;
    client.batch_execute("ROLLBACK").await?;
    read
}

//! What those who serve one store say to each other, and nobody keeps.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::store::Engine;
use crate::{PortalId, Store};

/// Longest word, in bytes.
pub const LONGEST_WORD: usize = 6_000;

/// How many words wait for one who does not listen just now. Older ones are forgotten.
pub(crate) const KEPT: usize = 1_024;

/// Something that another node said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub portal: PortalId,
    pub text: Arc<str>,
}

/// Hears what the other nodes say.
pub struct Words(pub(crate) Option<broadcast::Receiver<Word>>);

impl Words {
    /// The next word. Where there are no other nodes, none ever comes.
    pub async fn next(&mut self) -> Word {
        if let Some(words) = &mut self.0 {
            loop {
                match words.recv().await {
                    Ok(word) => return word,
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => break,
                }
            }
        }
        std::future::pending().await
    }
}

impl Store {
    /// Says something to the other nodes that serve the store: at most [`LONGEST_WORD`] bytes. Nobody keeps it, and whoever is
    /// cut off does not hear it.
    pub fn say(&self, portal: PortalId, word: &str) {
        match &self.now_at().engine {
            Engine::Sqlite(_) => {}
            Engine::Postgres(engine) => engine.say(portal, word),
        }
    }

    /// What the other nodes say from now on.
    pub fn words(&self) -> Words {
        match &self.now_at().engine {
            Engine::Sqlite(_) => Words(None),
            Engine::Postgres(engine) => Words(Some(engine.words())),
        }
    }
}

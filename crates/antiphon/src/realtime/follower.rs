//! A visitor who listens: in the present alone. What was before, a visitor reads from their own few threads: no visitor's coming
//! back costs more because much happened in the portal meanwhile.

use std::future::poll_fn;
use std::sync::Arc;

use antiphon_store::{PortalId, ThreadId};

use super::filter::{ChatKey, Filter};
use super::hub::{Note, Over, Seat};
use super::{Counted, Way};
use crate::app::App;
use crate::refusal::Refusal;

/// One who listens to the threads of a key.
pub struct Follower {
    seat: Seat,
    /// Everything up to here was there before.
    pub since: i64,
    _counted: Counted,
}

impl Follower {
    /// Begins to listen. What is in the store of their threads by the time they are named to [`Self::follow`] was before; what
    /// comes after that is heard.
    ///
    /// # Errors
    /// When too many listen, the server stops, or the store cannot be asked.
    pub async fn new(app: &Arc<App>, portal: PortalId, key: ChatKey) -> Result<Self, Refusal> {
        let counted = Counted::new(app, Way::Visitor)?;
        let newest = app.store.event_position(portal).await?;
        let seat = app.realtime.join_here(app, portal, &Filter::of_visitor(key), newest);
        let seat = seat.ok_or(Refusal::Unavailable)?;
        let since = seat.position().unwrap_or(newest);
        Ok(Self { seat, since, _counted: counted })
    }

    /// Hears of these threads from now on.
    pub fn follow(&self, threads: &[ThreadId]) {
        self.seat.follow(threads);
    }

    /// The next thing, or why there is none. Nothing is lost when it is given up.
    pub async fn next(&self) -> Result<Note, Over> {
        poll_fn(|context| self.seat.poll(context)).await
    }

    /// How far everything was heard, if nothing waits to be.
    pub fn position(&self) -> Option<i64> {
        self.seat.position()
    }
}

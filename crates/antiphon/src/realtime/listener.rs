//! One who listens: in the past alone, in the present at the portal's hub, with nothing missing and nothing twice between.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use antiphon_store::StoreError;
use antiphon_wire::live;

use super::filter::Filter;
use super::hub::{Joined, Note, Over, Seat};
use super::print::Printed;
use super::spine::{self, PAGE};
use super::{Counted, Pass, Way, sees};
use crate::app::App;
use crate::call::Caller;
use crate::refusal::Refusal;

/// How long one waits before it asks again what the store could not answer.
const AGAIN: Duration = Duration::from_millis(500);

pub struct Listener {
    app: Arc<App>,
    caller: Caller,
    filter: Arc<Filter>,
    /// Everything up to here was handed over.
    at: i64,
    /// Nothing was left behind `reached` a moment ago.
    all_read: bool,
    /// What was read of the past and not handed over yet, and how far that goes.
    past: VecDeque<Printed>,
    positions: VecDeque<i64>,
    reached: i64,
    seat: Option<Seat>,
    _counted: Counted,
}

impl Listener {
    /// Begins behind a position; without, or beyond the newest event, at now.
    ///
    /// # Errors
    /// When too many listen, or the store cannot be asked.
    pub async fn new(
        app: &Arc<App>,
        caller: &Caller,
        filter: Arc<Filter>,
        way: Way,
        after: Option<i64>,
    ) -> Result<Self, Refusal> {
        let counted = Counted::new(app, way)?;
        let newest = app.store.event_position(caller.portal()).await?;
        let at = after.map_or(newest, |after| after.min(newest));
        Ok(Self {
            app: app.clone(),
            caller: caller.clone(),
            filter,
            at,
            all_read: at == newest,
            past: VecDeque::new(),
            positions: VecDeque::new(),
            reached: at,
            seat: None,
            _counted: counted,
        })
    }

    /// The next thing, or why there is none. Nothing is lost when it is given up.
    pub async fn next(&mut self) -> Result<Note, Over> {
        loop {
            if let (Some(printed), Some(position)) = (self.past.pop_front(), self.positions.pop_front()) {
                self.at = position;
                return Ok(Note::At(position, printed));
            }
            self.at = self.at.max(self.reached);
            if let Some(seat) = &self.seat {
                let note = poll_fn(|context| seat.poll(context)).await?;
                match &note {
                    Note::At(position, _) => self.at = *position,
                    Note::Lost(resync) => self.at = resync.position,
                    Note::Passed(_) => {}
                }
                return Ok(note);
            }
            match self.app.realtime.join(&self.app, &self.caller, &self.filter, self.at, self.all_read) {
                Joined::Seat(seat) => self.seat = Some(seat),
                Joined::Closed => return Err(Over::Stopping),
                // In a box of its own, so that those who have arrived need no room for it.
                Joined::Behind => match Box::pin(self.catch_up()).await {
                    Ok(Some(lost)) => return Ok(lost),
                    Ok(None) => {}
                    Err(Some(over)) => return Err(over),
                    Err(None) => tokio::time::sleep(AGAIN).await,
                },
            }
        }
    }

    /// What is there already of what comes next.
    pub async fn ready(&mut self) -> Option<Note> {
        if self.seat.is_none() && self.past.is_empty() {
            return None;
        }
        let mut next = std::pin::pin!(self.next());
        poll_fn(|context| match next.as_mut().poll(context) {
            std::task::Poll::Ready(Ok(note)) => std::task::Poll::Ready(Some(note)),
            _ => std::task::Poll::Ready(None),
        })
        .await
    }

    /// Everything up to here was handed over: where one can go on.
    pub fn position(&self) -> i64 {
        if !self.past.is_empty() {
            return self.at;
        }
        let at = self.at.max(self.reached);
        self.seat.as_ref().and_then(Seat::position).map_or(at, |position| at.max(position))
    }

    /// The number of its place at the hub.
    pub fn chair(&self) -> Option<u64> {
        self.seat.as_ref().map(|seat| seat.chair.id)
    }

    /// Reads a piece of the past; what is lost of it, if anything is. The error says why it is over, unless it is only the store
    /// that cannot answer.
    async fn catch_up(&mut self) -> Result<Option<Note>, Option<Over>> {
        let away = |error: StoreError| {
            tracing::debug!(%error, "a listener's past cannot be read; it is tried again");
            None
        };
        let (store, portal) = (&self.app.store, self.caller.portal());
        if let Some(pass) = Pass::of(&self.caller)
            && sees(&self.app, &pass).await.map_err(away)? != Some(self.filter.visible)
        {
            return Err(Some(Over::Unauthorized));
        }
        let piece = spine::read(store, portal, &self.filter, self.at, PAGE).await.map_err(away)?;
        // Nothing is kept of what there was.
        let gone = piece.end
            && piece.reached == self.at
            && store.event_position(portal).await.map_err(away)? > self.at
            && store.event_oldest(portal).await.map_err(away)?.is_none();
        if piece.lost || gone {
            let resync = lost(store, portal).await.map_err(away)?;
            self.reached = resync.position;
            self.at = resync.position;
            self.all_read = true;
            return Ok(Some(Note::Lost(resync)));
        }
        self.reached = piece.reached;
        self.all_read = piece.end;
        self.positions.extend(piece.events.iter().map(|event| event.position));
        self.past.extend(piece.events.into_iter().map(Printed::event));
        Ok(None)
    }
}

/// What to say to whoever asks for what is no longer kept: it goes on at now.
pub async fn lost(
    store: &antiphon_store::Store,
    portal: antiphon_store::PortalId,
) -> Result<live::Resync, StoreError> {
    let newest = store.event_position(portal).await?;
    let oldest = store.event_oldest(portal).await?.unwrap_or(newest + 1);
    Ok(live::Resync { kind: "resync", resync: true, position: newest, oldest, newest })
}

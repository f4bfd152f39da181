//! What is read and written on behalf of apps: how far readers are, what they did not deliver, journals.

use super::{Engine, Store};
use crate::cursors::Which;
use crate::*;

impl Store {
    /// The apps on whose behalf the spine is read, by id, and in which portals.
    pub async fn told(&self, reader: Reader) -> Result<Vec<Told>, StoreError> {
        read!(self.told(reader.which()))
    }

    /// The channels of which their apps are told, each under the number of [`AppId::of_channel`].
    pub async fn told_channels(&self) -> Result<Vec<Told>, StoreError> {
        let mut all = Vec::new();
        for Told { portal, app } in read!(self.told(Which::CHANNELS))? {
            if let Some(directory) = self.directory(portal).await? {
                all.extend(directory.told_channels(app).map(|app| Told { portal, app }));
            }
        }
        Ok(all)
    }

    /// Where a reader stands; `None` when nothing is read for the app.
    pub async fn cursor(
        &self,
        portal: PortalId,
        reader: Reader,
        app: AppId,
    ) -> Result<Option<Cursor>, StoreError> {
        read!(self.cursor(portal, reader, app))
    }

    /// Takes a cursor: whoever had it before writes nothing more. `None` when nothing is read for the app.
    pub async fn cursor_take(
        &self,
        portal: PortalId,
        reader: Reader,
        app: AppId,
    ) -> Result<Option<Cursor>, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.cursor_take(portal, reader, app))
    }

    /// Begins a reader of an app that is not at home in a portal: everything up to a position is done with. Where there is one,
    /// it stays.
    pub async fn cursor_begin(
        &self,
        portal: PortalId,
        reader: Reader,
        app: AppId,
        position: i64,
    ) -> Result<(), StoreError> {
        let directory = self.directory(portal).await?.ok_or(StoreError::NoPortal)?;
        let epoch = Cursor::begins_away(directory.revision, directory.home(app).revision);
        let (house, _inside) = self.enter().await?;
        write!(house.cursor_begin(portal, reader, app, Cursor { position, epoch, next_entry: 1 }))
    }

    /// Ends a reader, and drops what waits.
    pub async fn cursor_end(&self, portal: PortalId, reader: Reader, app: AppId) -> Result<(), StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.cursor_end(portal, reader, app))
    }

    /// The position behind which everything is that happened at a moment or later.
    pub async fn event_position_at(&self, portal: PortalId, at: Millis) -> Result<i64, StoreError> {
        let (mut low, mut high) = (0, self.event_position(portal).await?);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.events_after(portal, middle, 1).await?.first() {
                Some(event) if event.occurred_at < at => low = event.position,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// Writes what came of delivering; `false`, and nothing is written, when somebody else has taken the cursor.
    pub async fn progress(&self, portal: PortalId, app: AppId, done: Progress) -> Result<bool, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.progress(portal, app, done))
    }

    /// Deliveries that are due, those first that have been for longest.
    pub async fn deliveries_due(
        &self,
        portal: PortalId,
        app: AppId,
        now: Millis,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        read!(self.deliveries_due(portal, app, now, limit))
    }

    /// Deliveries behind a place, in the order of their events.
    pub async fn deliveries(
        &self,
        portal: PortalId,
        app: AppId,
        state: DeliveryState,
        after: Option<(i64, SubscriptionId)>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        read!(self.deliveries(portal, app, state, after, limit))
    }

    /// How many deliveries an app has; of each kind, no more than so many are counted.
    pub async fn deliveries_count(
        &self,
        portal: PortalId,
        app: AppId,
        most: usize,
    ) -> Result<Undelivered, StoreError> {
        read!(self.deliveries_count(portal, app, most))
    }

    /// Notes deliveries that somebody wants made.
    pub async fn deliveries_put(
        &self,
        portal: PortalId,
        app: AppId,
        deliveries: Vec<Delivery>,
    ) -> Result<(), StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.deliveries_put(portal, app, deliveries))
    }

    /// Makes all deliveries due that failed since a moment, given up or not; how many those are.
    pub async fn deliveries_again(
        &self,
        portal: PortalId,
        app: AppId,
        since: Millis,
        now: Millis,
    ) -> Result<u64, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.deliveries_again(portal, app, since, now))
    }

    /// Requests that were sent to an app, the newest first.
    pub async fn attempts(
        &self,
        portal: PortalId,
        app: AppId,
        query: &AttemptQuery,
    ) -> Result<AttemptPage, StoreError> {
        read!(self.attempts(portal, app, query))
    }

    /// A request that was sent to an app.
    pub async fn attempt_by_id(
        &self,
        portal: PortalId,
        app: AppId,
        id: i64,
    ) -> Result<Option<Attempt>, StoreError> {
        read!(self.attempt_by_id(portal, app, id))
    }

    /// Forgets attempts, and deliveries that were given up, from before a moment, at most so many of each; how many there were.
    pub async fn deliveries_purge(
        &self,
        portal: PortalId,
        app: AppId,
        before: Millis,
        limit: usize,
    ) -> Result<u64, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.deliveries_purge(portal, app, before, limit))
    }

    /// Entries of an app's journal that are not older than `since`, in order: of all portals, or of one.
    pub async fn journal_entries(
        &self,
        portal: PortalId,
        app: AppId,
        (since, of): (Millis, Option<PortalId>),
        place: JournalPlace,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        read!(self.journal_entries(portal, app, (since, of), place, limit))
    }

    /// The entry of this name, unless it is older than `since`.
    pub async fn journal_entry(
        &self,
        portal: PortalId,
        app: AppId,
        name: [u8; 16],
        since: Millis,
    ) -> Result<Option<JournalEntry>, StoreError> {
        read!(self.journal_entry(portal, app, name, since))
    }

    /// What an entry says, unless it is older than `since`.
    pub async fn journal_file(
        &self,
        portal: PortalId,
        app: AppId,
        name: [u8; 16],
        since: Millis,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        read!(self.journal_file(portal, app, name, since))
    }

    /// Writes an entry, if there is one, and moves the cursor on; `false`, and nothing is written, when somebody else has
    /// taken the cursor.
    pub async fn journal_append(
        &self,
        portal: PortalId,
        app: AppId,
        done: JournalProgress,
    ) -> Result<bool, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.journal_append(portal, app, done))
    }

    /// How far another portal was read for an app's journal: where the entries end, or where the cursor there stands, which was
    /// just taken. Whoever had it before writes nothing more.
    pub async fn journal_claim(
        &self,
        portal: PortalId,
        app: AppId,
        of: PortalId,
        cursor: Cursor,
    ) -> Result<i64, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.journal_claim(portal, app, of, cursor))
    }

    /// Writes an entry of what happened in another portal, and notes how far that was read; `false`, and nothing is written,
    /// when somebody else has claimed that.
    pub async fn journal_append_away(
        &self,
        portal: PortalId,
        app: AppId,
        done: AwayProgress,
    ) -> Result<bool, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.journal_append_away(portal, app, done))
    }

    /// Forgets entries of an app from before a moment, and snapshots that were asked for as long again before it, at most so
    /// many of each; how many there were.
    pub async fn journal_purge(
        &self,
        portal: PortalId,
        app: AppId,
        before: Millis,
        limit: usize,
    ) -> Result<u64, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.journal_purge(portal, app, before, limit))
    }

    /// Notes snapshots that somebody wants made.
    pub async fn snapshots_put(
        &self,
        portal: PortalId,
        app: AppId,
        snapshots: Vec<Snapshot>,
    ) -> Result<(), StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.snapshots_put(portal, app, snapshots))
    }

    /// The apps that wait for snapshots, by id.
    pub async fn snapshots_waiting(&self) -> Result<Vec<Told>, StoreError> {
        read!(self.snapshots_waiting())
    }

    /// Snapshots of an app that are not made yet, those first that have waited for longest.
    pub async fn snapshots_pending(
        &self,
        portal: PortalId,
        app: AppId,
        limit: usize,
    ) -> Result<Vec<Snapshot>, StoreError> {
        read!(self.snapshots_pending(portal, app, limit))
    }

    /// A snapshot.
    pub async fn snapshot_by_id(
        &self,
        portal: PortalId,
        app: AppId,
        id: [u8; 16],
    ) -> Result<Option<Snapshot>, StoreError> {
        read!(self.snapshot_by_id(portal, app, id))
    }

    /// Writes what became of snapshots, and the entries that have them; `false`, and nothing is written, when one of them was not
    /// pending any more.
    pub async fn snapshots_done(
        &self,
        portal: PortalId,
        app: AppId,
        done: Vec<Snapshot>,
        entries: Vec<NewEntry>,
    ) -> Result<bool, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.snapshots_done(portal, app, done, entries))
    }
}

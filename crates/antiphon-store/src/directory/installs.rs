//! Which apps are let into a portal, and where those are at home that come from elsewhere.
//!
//! An app is set up in the one portal that it belongs to. In the directory of another one that lets it in there is a row that
//! says so, and the directory of its home is held beside: what the app is, what it wants to be told and which channels it
//! brought is read there, whoever asks here.

use std::sync::Arc;

use imbl::OrdMap;

use super::{Directory, Install};
use crate::{AppId, PortalId};

impl Directory {
    /// How an app was let in last.
    pub fn install(&self, app: AppId) -> Option<&Install> {
        self.installs.get(&app).map(Arc::as_ref)
    }

    /// The apps that were ever let in.
    pub fn installs(&self) -> impl Iterator<Item = &Install> {
        self.installs.iter().map(Arc::as_ref)
    }

    /// Whether an app is installed here: somebody let it in, or it is one of the portal's own that nobody can be asked for.
    pub fn is_installed(&self, app: AppId) -> bool {
        self.is_let_in(app)
            || self.own_app(app).is_some() && self.client(app).is_none_or(|one| one.redirect_uris.is_empty())
    }

    fn is_let_in(&self, app: AppId) -> bool {
        self.install(app).is_some_and(|one| one.uninstalled_at.is_none())
    }

    /// The directory of the portal that an app belongs to, if it was ever let in; else this one. So it is with what stands for
    /// a channel.
    pub fn home(&self, app: AppId) -> &Self {
        if let Some(channel) = app.channel() {
            return self.home_of_channel(channel);
        }
        if self.own_app(app).is_some() {
            return self;
        }
        self.install(app).and_then(|one| self.homes.get(&one.home)).map_or(self, |home| home)
    }

    /// The directory of the portal that a channel belongs to, if its app was ever let in; else this one.
    pub(super) fn home_of_channel(&self, id: i64) -> &Self {
        let from =
            |home: &&Arc<Self>| home.own_channel(id).is_some_and(|one| self.install(one.app_id).is_some());
        if self.own_channel(id).is_some() {
            return self;
        }
        self.homes.values().find(from).map_or(self, |home| home)
    }

    /// The living channels of apps from elsewhere that are let in.
    pub fn guests_channels(&self) -> impl Iterator<Item = &super::Channel> {
        let guests = self.installs().filter(|one| one.home != self.portal.id && one.uninstalled_at.is_none());
        guests.flat_map(|one| self.channels_of(one.app_id))
    }

    /// Whether this is the same revision, of this directory and of those beside it.
    pub fn is_as(&self, other: &Self) -> bool {
        let beside = |one: &Self| -> Vec<_> { one.homes.values().map(|home| home.revision).collect() };
        self.revision == other.revision && (self.homes.is_empty() || beside(self) == beside(other))
    }

    /// The portals of which this directory lacks theirs.
    pub(crate) fn lacks(&self) -> Vec<PortalId> {
        self.guests_homes.iter().filter(|id| !self.homes.contains_key(*id)).copied().collect()
    }

    /// The portals whose directories are held beside this one.
    pub(crate) fn beside(&self) -> impl Iterator<Item = PortalId> {
        self.guests_homes.iter().copied()
    }

    /// The same with the newest directories beside it that are held.
    pub(crate) fn lodging(self: &Arc<Self>, held: impl Fn(PortalId) -> Option<Arc<Self>>) -> Arc<Self> {
        if self.guests_homes.is_empty() {
            return self.clone();
        }
        let newer = self.guests_homes.iter().filter_map(|id| {
            let home = held(*id)?;
            let known = self.homes.get(id).is_some_and(|known| known.revision >= home.revision);
            (!known).then(|| (*id, home.alone()))
        });
        let newer: Vec<_> = newer.collect();
        if newer.is_empty() {
            return self.clone();
        }
        let mut directory = Self::clone(self);
        directory.homes.extend(newer);
        Arc::new(directory)
    }

    /// The same without any beside it.
    fn alone(self: Arc<Self>) -> Arc<Self> {
        if self.homes.is_empty() {
            return self;
        }
        let mut alone = Self::clone(&self);
        alone.homes = OrdMap::new();
        Arc::new(alone)
    }
}

//! Which subscription of an app an event is for.

use std::sync::Arc;

use antiphon_store::{AppId, Directory, EventKind, Install, Millis, Subscription, SubscriptionId};

use super::channel;
use super::spine::Occurrence;

/// The public name of an event that apps can be told of.
pub fn public_name(kind: EventKind) -> Option<&'static str> {
    Some(match kind {
        EventKind::ThreadCreated => "conversation.creation",
        EventKind::MessageAdded => "conversation.newMessage",
        EventKind::ThreadChanged => "conversation.propertyChange",
        EventKind::ThreadArchived => "conversation.deletion",
        EventKind::ThreadPurged => "conversation.privacyDeletion",
        _ => return None,
    })
}

/// Whether an app may know of conversations: it was granted that here, or, where it is at home and nobody has to be asked, it
/// may ask for it.
pub fn may_read(directory: &Directory, app: AppId) -> bool {
    let reads = |scopes: &[String]| scopes.iter().any(|scope| scope == "conversations.read");
    let client = directory.client(app);
    if directory.own_app(app).is_some() && client.is_none_or(|client| client.redirect_uris.is_empty()) {
        return client.is_none_or(|client| client.scopes.is_empty() || reads(&client.scopes));
    }
    directory.install(app).is_some_and(|one| reads(&one.scopes))
}

/// How an app, or whoever brought a channel, is let in where it is not at home.
pub fn away(directory: &Directory, app: AppId) -> Option<&Install> {
    let owner = app.channel().map_or(Some(app), |channel| Some(directory.channel(channel)?.app_id))?;
    directory.install(owner).filter(|one| one.home != directory.portal.id)
}

/// An app's subscriptions that are switched on, as of one revision of the directory. Of a type and property there is only one.
#[derive(Debug, Default)]
pub struct Matching {
    all: Vec<(EventKind, Arc<Subscription>)>,
    /// The channel that all must be about.
    channel: Option<String>,
    /// Since when the app is installed, where it is not at home: positions of its home say nothing there.
    since: Option<Millis>,
}

impl Matching {
    /// Those of an app.
    pub fn new(directory: &Directory, app: AppId) -> Self {
        let since = away(directory, app).map(|install| install.installed_at);
        if let Some(channel) = app.channel() {
            return Self { all: channel::subscriptions(app), channel: Some(channel.to_string()), since };
        }
        let known = [
            EventKind::ThreadCreated,
            EventKind::MessageAdded,
            EventKind::ThreadChanged,
            EventKind::ThreadArchived,
            EventKind::ThreadPurged,
        ];
        let active = directory.subscriptions(app).filter(|one| one.active && may_read(directory, app));
        let of = active.filter_map(|one| {
            let kind = known.into_iter().find(|kind| public_name(*kind) == Some(&one.event_type))?;
            Some((kind, one.clone()))
        });
        Self { all: of.collect(), channel: None, since }
    }

    /// The subscription that an event is for: one that was switched on before it happened.
    pub fn find(&self, event: &Occurrence) -> Option<&Arc<Subscription>> {
        if !self.all.iter().any(|(kind, _)| *kind == event.kind)
            || (self.channel.is_some() && self.channel != event.payload().channel_id)
        {
            return None;
        }
        let property = match event.kind {
            EventKind::ThreadChanged => event.payload().property_name.as_ref(),
            _ => None,
        };
        // They are a handful.
        let happened = |one: &Subscription| match self.since {
            None => one.since < event.position,
            Some(since) => since.max(one.since_at) <= event.occurred_at,
        };
        let wanted = |(kind, one): &&(EventKind, Arc<Subscription>)| {
            *kind == event.kind && one.property_name.as_ref() == property && happened(one)
        };
        self.all.iter().find(wanted).map(|(_, one)| one)
    }

    /// The ids of all subscriptions.
    pub fn ids(&self) -> impl Iterator<Item = SubscriptionId> {
        self.all.iter().map(|(_, one)| one.id)
    }

    /// A subscription by its id.
    pub fn subscription(&self, id: SubscriptionId) -> Option<&Arc<Subscription>> {
        self.all.iter().find(|(_, one)| one.id == id).map(|(_, one)| one)
    }
}

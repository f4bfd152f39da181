//! A channel of which its app is told no more: what still waits to be handed over has failed, and somebody has to say so.
//!
//! That a channel is closing is noted in the change that closes it, so that whoever tells apps finds it whatever happens next.
//! They give up what waits, and then the note goes.

use antiphon_store::{
    App, AppId, Channel, Client, Directory, DirectoryChange, Install, Millis, Moment, State, StoreError,
    Told, Webhook,
};

use crate::app::App as Server;
use crate::directory;
use crate::refusal::Refusal;
use crate::webhooks::target;

/// How long it takes at most until everybody knows that a channel is closed: whatever was being sent on it is recorded by then.
pub const GRACE: Millis = 60_000;

/// Why the app that brought a channel is told nothing of it, if that is so.
pub fn silent(directory: &Directory, channel: &Channel) -> Option<&'static str> {
    let is_archived = directory.channel(channel.id).is_none_or(|known| known.archived_at.is_some());
    match channel {
        _ if directory.tells(channel.id) => None,
        _ if is_archived => Some("The channel was archived"),
        Channel { webhook_url: None, .. } => Some("The channel has no webhookUrl"),
        _ if directory.app(channel.app_id).is_some_and(|app| app.active) => {
            Some("The app that brought the channel is not installed")
        }
        _ => Some("The app that brought the channel is suspended"),
    }
}

/// What goes with changes of a directory that close channels, or open them again.
pub fn noted(current: &Directory, wanted: &[DirectoryChange], now: Millis) -> Vec<DirectoryChange> {
    let mut channels = Vec::new();
    for change in wanted {
        match change {
            DirectoryChange::Channel(channel) => channels.push(channel.id),
            DirectoryChange::App(App { id, .. })
            | DirectoryChange::Install(Install { app_id: id, .. })
            | DirectoryChange::Client(Client { app_id: id, .. }) => {
                channels.extend(current.channels_of(*id).map(|one| one.id));
            }
            _ => {}
        }
    }
    if channels.is_empty() {
        return Vec::new();
    }
    let mut after = current.clone();
    wanted.iter().for_each(|change| after.put(change.clone()));
    let noted = |channel| {
        let key = AppId::of_channel(channel);
        match (current.tells(channel), after.tells(channel)) {
            (true, false) => {
                let (_, webhook) = target::of(current, key)?;
                // Whether it is paused is remembered where it is at home.
                let paused = webhook.paused.filter(|_| current.home(key).portal.id == current.portal.id);
                Some(Webhook { closing_at: Some(now), paused, ..webhook })
            }
            (_, true) => Some(ended(after.webhook(key)?, now)).filter(|_| after.is_closing(key)),
            (false, false) => None,
        }
    };
    channels.into_iter().filter_map(noted).map(DirectoryChange::Webhook).collect()
}

/// The settings of a channel that is not closing any more.
fn ended(known: &Webhook, now: Millis) -> Webhook {
    Webhook {
        closing_at: None,
        // But for a pause, nothing is to be remembered of it.
        deleted_at: known.paused.is_none().then_some(now),
        ..known.clone()
    }
}

/// Since when a channel is closing, and why nobody is told of it; `None` while its app is.
pub fn since(directory: &Directory, key: AppId) -> Option<(Millis, &'static str)> {
    let closing_at = directory.webhook(key)?.closing_at?;
    Some((closing_at, silent(directory, directory.channel(key.channel()?)?)?))
}

/// Forgets that a channel is closing: nothing waits any more.
pub async fn end(app: &Server, Told { portal, app: key }: Told) -> Result<(), StoreError> {
    let rule = move |state: &State, moment: &mut Moment| {
        let here = state.directory.is_closing_here(key);
        let closing =
            since(&state.directory, key).filter(|_| here).and_then(|_| state.directory.webhook(key));
        let ended = closing.map(|known| DirectoryChange::Webhook(ended(known, moment.now)));
        Ok::<_, Refusal>(ended.into_iter().collect())
    };
    if let Err(refusal) = directory::change_of(&app.store, portal, None, rule).await? {
        tracing::warn!(?refusal, "a channel is not closed yet");
    }
    Ok(())
}

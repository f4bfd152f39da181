//! Where an app is told: of what it subscribed to, and of the channels that it brought.

use antiphon_store::{App, AppId, Directory, Webhook};

/// Most requests at once on behalf of a channel.
const MOST_AT_ONCE: i64 = 10;

/// An app and how it is told. What it is told of a channel is kept under [`AppId::of_channel`]; of the settings that are stored
/// under that only the pause counts, all else is the channel's.
pub fn of(directory: &Directory, key: AppId) -> Option<(&App, Webhook)> {
    let stored = directory.webhook(key);
    let Some(channel) = key.channel() else { return directory.app(key).zip(stored.cloned()) };
    let channel = directory.channel(channel).filter(|one| one.archived_at.is_none())?;
    let webhook = Webhook {
        app_id: key,
        target_url: channel.webhook_url.clone()?,
        max_concurrent: MOST_AT_ONCE,
        created_at: channel.created_at,
        updated_at: None,
        paused: stored.and_then(|stored| stored.paused.clone()),
        closing_at: stored.and_then(|stored| stored.closing_at),
        deleted_at: None,
    };
    directory.app(channel.app_id).map(|app| (app, webhook))
}

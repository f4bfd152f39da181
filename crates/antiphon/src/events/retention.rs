//! What is remembered for a while only: the events of the spine, and the log of what apps were sent because of them.

use std::time::Duration;

use antiphon_store::{AppId, Directory, Millis, PARTED, PortalId, Reader, Told};
use futures_util::TryStreamExt;

use crate::app::App;
use crate::custom_channels::closing;
use crate::custom_channels::overdue::{self, Forgotten};
use crate::{journal, portals};

/// How many portals are looked up at a time, and how many rows of a log are forgotten at a time.
const CHUNK: usize = 100;

/// How long others have the writer to themselves between two steps. There may be millions to forget.
const PAUSE: Duration = Duration::from_millis(10);

/// Why a message has failed that waited for too long, or for nobody.
const TOO_OLD: &str = "It waited for longer than events are kept";
const REMOVED: &str = "The app that brought the channel is told of it no more";

/// Forgets what is too old at `now`, over all portals, and answers how much that was. Harmless to repeat and to interrupt.
pub async fn run(app: &App, now: Millis) -> anyhow::Result<u64> {
    let (mut forgotten, mut portals) = (0, portals::all(&app.store));
    while let Some(portal) = portals.try_next().await? {
        let Some(directory) = app.store.directory(portal.id).await? else {
            forgotten += events(app, portal.id, now).await?;
            continue;
        };
        let own = [false, true].into_iter().flat_map(|archived| directory.channels(archived).iter());
        let brought = guests(&directory).flat_map(|guest| brought(&directory, guest));
        let channels: Vec<_> = own.map(|one| AppId::of_channel(one.id)).chain(brought).collect();
        // What tells of a message that waits is not forgotten before the message has failed.
        let gone = Forgotten {
            read: now - app.config.events.keep(),
            all: now - app.config.events.most(),
            why: TOO_OLD,
        };
        for key in &channels {
            overdue::give_up(app, Told { portal: portal.id, app: *key }, gone).await?;
        }
        forgotten += events(app, portal.id, now).await?;
        let apps = directory.apps().iter().map(|one| one.id).chain(guests(&directory));
        for key in apps.chain(channels) {
            forgotten += log(app, portal.id, key, now).await?;
        }
        for guest in guests(&directory) {
            part(app, &directory, guest, now).await?;
        }
    }
    Ok(forgotten)
}

/// The apps from elsewhere that were ever let in.
fn guests(directory: &Directory) -> impl Iterator<Item = AppId> {
    directory.installs().filter(|one| one.home != directory.portal.id).map(|one| one.app_id)
}

/// The channels that a guest brought, living or archived.
fn brought(directory: &Directory, guest: AppId) -> impl Iterator<Item = AppId> {
    let archived = directory.home(guest).channels(true).iter().filter(move |one| one.app_id == guest);
    directory.channels_of(guest).chain(archived.map(AsRef::as_ref)).map(|one| AppId::of_channel(one.id))
}

/// Ends readers of a guest that wants nothing any more: what it asks for at home, its home's changes say, and those end nothing
/// here.
async fn part(app: &App, directory: &Directory, guest: AppId, now: Millis) -> anyhow::Result<()> {
    let (store, portal) = (&app.store, directory.portal.id);
    let parted = directory.install(guest).and_then(|one| one.uninstalled_at);
    // After that nobody comes who would give up what waits.
    let long_gone = parted.is_some_and(|at| at + PARTED <= now);
    for key in brought(directory, guest).chain([guest]) {
        if (long_gone || !directory.reads(Reader::Webhooks, key))
            && store.cursor(portal, Reader::Webhooks, key).await?.is_some()
        {
            let (told, all) = (Told { portal, app: key }, Millis::MAX);
            overdue::give_up(app, told, Forgotten { read: all, all, why: REMOVED }).await?;
            if directory.is_closing_here(key) {
                closing::end(app, told).await?;
            }
            store.cursor_end(portal, Reader::Webhooks, key).await?;
        }
    }
    let wanted = journal::write::wants(directory, guest).unwrap_or(true);
    if !(wanted || parted.is_some() && !long_gone)
        && store.cursor(portal, Reader::Journal, guest).await?.is_some()
    {
        store.cursor_end(portal, Reader::Journal, guest).await?;
    }
    Ok(())
}

async fn events(app: &App, portal: PortalId, now: Millis) -> anyhow::Result<u64> {
    let config = &app.config.events;
    let mut forgotten = 0;
    loop {
        match app.store.events_purge(portal, now - config.keep(), now - config.most()).await? {
            0 => return Ok(forgotten),
            some => forgotten += some,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn log(app: &App, portal: PortalId, id: AppId, now: Millis) -> anyhow::Result<u64> {
    let mut forgotten = 0;
    loop {
        match app.store.deliveries_purge(portal, id, now - app.config.webhooks.log(), CHUNK).await? {
            0 => return Ok(forgotten),
            some => forgotten += some,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

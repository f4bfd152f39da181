//! What is remembered for a while only: the events of the spine, and the log of what apps were sent because of them.

use std::time::Duration;

use antiphon_store::{AppId, Millis, PARTED, PortalId, Reader};
use futures_util::TryStreamExt;

use crate::app::App;
use crate::{journal, portals};

/// How many portals are looked up at a time, and how many rows of a log are forgotten at a time.
const CHUNK: usize = 100;

/// How long others have the writer to themselves between two steps. There may be millions to forget.
const PAUSE: Duration = Duration::from_millis(10);

/// Forgets what is too old at `now`, over all portals, and answers how much that was. Harmless to repeat and to interrupt.
pub async fn run(app: &App, now: Millis) -> anyhow::Result<u64> {
    let (mut forgotten, mut portals) = (0, portals::all(&app.store));
    while let Some(portal) = portals.try_next().await? {
        forgotten += events(app, portal.id, now).await?;
        let Some(directory) = app.store.directory(portal.id).await? else { continue };
        let channels = [false, true].into_iter().flat_map(|archived| directory.channels(archived).iter());
        let channels = channels.map(|one| AppId::of_channel(one.id));
        for key in directory.apps().iter().map(|one| one.id).chain(channels) {
            forgotten += log(app, portal.id, key, now).await?;
        }
        let guests = directory.installs().filter(|one| one.home != portal.id).map(|one| one.app_id);
        for guest in guests {
            let channels = directory.home(guest).channels_of(guest).map(|one| AppId::of_channel(one.id));
            for key in channels.chain([guest]) {
                forgotten += log(app, portal.id, key, now).await?;
                // What it asks for at home, its home's changes say, and those end nothing here.
                if !directory.reads(Reader::Webhooks, key)
                    && app.store.cursor(portal.id, Reader::Webhooks, key).await?.is_some()
                {
                    app.store.cursor_end(portal.id, Reader::Webhooks, key).await?;
                }
            }
            let parted = directory.install(guest).and_then(|one| one.uninstalled_at);
            let reads = journal::write::wants(&directory, guest).unwrap_or(true)
                || parted.is_some_and(|at| now < at + PARTED);
            if !reads && app.store.cursor(portal.id, Reader::Journal, guest).await?.is_some() {
                app.store.cursor_end(portal.id, Reader::Journal, guest).await?;
            }
        }
    }
    Ok(forgotten)
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

//! What nobody needs any more: files whose time has come, bytes that no file has, objects that no row ever came to know, and what
//! is left of erased files and of tasks. Harmless to repeat and to interrupt.

use std::convert::Infallible;
use std::time::Duration;

use antiphon_store::{FileTidy, Millis, Moment, PortalId, Sha, State};
use futures_util::{StreamExt, TryStreamExt};

use super::{delete, serve};
use crate::app::App;
use crate::portals;

const HOUR: Millis = 60 * 60 * 1000;
const DAY: Millis = 24 * HOUR;

/// How long bytes wait after the last file that had them: so long a backup of the database that knows them is good.
const TOMBSTONE: Millis = DAY;

/// How long something may be on its way before it is nobody's. By the machine's time, as it is kept with the objects.
const ON_ITS_WAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a message that was being written may still come to name an erased file.
const LATECOMERS: Millis = HOUR;

/// How long tasks are kept.
const TASKS: Millis = 7 * DAY;

const CHUNK: usize = 100;

/// Sweeps all portals; how much that was.
pub async fn run(app: &App, now: Millis) -> anyhow::Result<u64> {
    let (mut done, mut portals) = (0, portals::all(&app.store));
    while let Some(portal) = portals.try_next().await? {
        done += portal_of(app, portal.id, now).await?;
    }
    Ok(done)
}

async fn portal_of(app: &App, portal: PortalId, now: Millis) -> anyhow::Result<u64> {
    let mut done = expire(app, portal, now).await?;
    for file in app.store.files_erased(portal, CHUNK).await? {
        done += delete::forget(app, portal, file).await.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
    }
    let what = FileTidy {
        now,
        archived_before: now - app.config.files.keep(),
        erased_before: now - LATECOMERS,
        tasks_before: now - TASKS,
        limit: CHUNK,
    };
    loop {
        let tidied = app.store.files_tidy(portal, what).await?;
        done += tidied;
        if tidied < CHUNK as u64 {
            break;
        }
    }
    done += erase(app, portal, now - TOMBSTONE, None).await?;
    Ok(done + strays(app, portal).await?)
}

/// Deletes files whose time has come.
async fn expire(app: &App, portal: PortalId, now: Millis) -> anyhow::Result<u64> {
    let mut done = 0;
    loop {
        let due = app.store.files_expired(portal, now, CHUNK).await?;
        if due.is_empty() {
            return Ok(done);
        }
        for file in due {
            let rule = move |state: &State, moment: &mut Moment| {
                Ok::<_, Infallible>(delete::archive(state, "", moment).unwrap_or_default())
            };
            let Ok(_) = app.store.change(portal, delete::of(file), rule).await?;
            done += 1;
        }
    }
}

/// Erases bytes that have belonged to no file since a moment, or only these.
pub async fn erase(app: &App, portal: PortalId, before: Millis, only: Option<Sha>) -> anyhow::Result<u64> {
    let mut done = 0;
    loop {
        let doomed = app.store.blobs_doom(portal, before, only, CHUNK).await?;
        let mut gone = Vec::with_capacity(doomed.len());
        for blob in doomed {
            for small in serve::all_derived(&blob.object) {
                app.kept.erase(&small).await?;
            }
            app.kept.erase(&blob.object).await?;
            gone.push(blob.object);
        }
        let count = gone.len();
        if count > 0 {
            app.store.blobs_forget(portal, gone).await?;
        }
        done += count as u64;
        if count < CHUNK {
            return Ok(done);
        }
    }
}

/// Erases objects that no row knows: an upload that was broken off, or a machine that stopped between bytes and row.
async fn strays(app: &App, portal: PortalId) -> anyhow::Result<u64> {
    let mut done = app.kept.abandon(portal, ON_ITS_WAY).await;
    let mut old = app.kept.older(portal, ON_ITS_WAY).chunks(CHUNK);
    while let Some(chunk) = old.next().await {
        let objects = chunk.into_iter().collect::<anyhow::Result<Vec<String>>>()?;
        let bytes_of = |object: &str| object.split('.').next().unwrap_or_default().to_owned();
        let names: Vec<String> = objects.iter().map(|object| bytes_of(object)).collect();
        let known = app.store.objects_known(portal, &names).await?;
        for object in objects {
            if !known.contains(&bytes_of(&object)) {
                app.kept.erase(&object).await?;
                done += 1;
            }
        }
    }
    Ok(done)
}

/// Bytes that files have and that are not there, or not as they were: each as a sentence.
pub async fn missing(app: &App) -> anyhow::Result<Vec<String>> {
    let (mut missing, mut portals) = (Vec::new(), portals::all(&app.store));
    while let Some(portal) = portals.try_next().await? {
        let mut after = None;
        loop {
            let blobs = app.store.blobs(portal.id, after, CHUNK).await?;
            let Some(last) = blobs.last() else { break };
            after = Some(last.sha);
            for blob in blobs.iter().filter(|blob| blob.tombstone_at.is_none()) {
                let found = app.kept.length(&blob.object).await?;
                if found != Some(blob.size.unsigned_abs()) && missing.len() < CHUNK {
                    let how = found.map_or("are missing".into(), |found| format!("are {found} long"));
                    missing.push(format!(
                        "the {} bytes of object {} of portal {} {how}; bring the directory or bucket of the files back \
                         from its backup",
                        blob.size, blob.object, portal.id
                    ));
                }
            }
        }
    }
    Ok(missing)
}

//! Out of the trash, for good. Purging hides a thread at once and erases its history in small steps afterwards.

use std::convert::Infallible;

use antiphon_store::{Changes, Millis, Moment, PortalId, State, Target};
use futures_util::TryStreamExt;

use crate::app::App;
use crate::events::kinds;
use crate::portals;

/// How long a thread waits in the trash.
pub const TRASH: Millis = 30 * 24 * 60 * 60 * 1000;

/// How many threads of a portal are looked up at a time.
const CHUNK: usize = 100;

/// Purges everything whose time in the trash is over at `now`, over all portals, and answers how many threads that were.
/// Harmless to repeat and to interrupt: what is left is found again.
pub async fn run(app: &App, now: Millis) -> anyhow::Result<u64> {
    let (mut purged, mut portals) = (0, portals::all(&app.store));
    while let Some(portal) = portals.try_next().await? {
        purged += run_portal(app, portal.id, now).await?;
    }
    Ok(purged)
}

async fn run_portal(app: &App, portal: PortalId, now: Millis) -> anyhow::Result<u64> {
    let mut purged = 0;
    loop {
        // The store looks before a moment; what is over exactly now is due too.
        let due = app.store.purge_due(portal, now - TRASH + 1, CHUNK).await?;
        let before = purged;
        for thread in due {
            let rule = move |state: &State, moment: &mut Moment| purge_thread(state, now, moment);
            let applied = app.store.change(portal, Target::Thread(thread), rule).await?;
            let Ok(applied) = applied;
            purged += applied.changes.purged.len() as u64;
        }
        if purged == before {
            break;
        }
    }
    while app.store.purge_step(portal).await? {}
    Ok(purged)
}

/// The thread may have been restored since it was looked up.
fn purge_thread(state: &State, now: Millis, moment: &mut Moment) -> Result<Changes, Infallible> {
    let mut changes = Changes::default();
    if let Some(thread) = &state.thread
        && thread.archived_at.is_some_and(|at| at <= now - TRASH)
    {
        changes.purged.push(thread.id);
        changes.events.push(kinds::thread_purged(thread.id, moment.now));
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, events};

    #[test]
    fn thirty_days_and_not_one_millisecond_less() {
        let mut state = testing::state();
        let now = testing::NOW + TRASH;
        for (archived_at, purged) in
            [(None, false), (Some(testing::NOW + 1), false), (Some(testing::NOW), true)]
        {
            state.thread.as_mut().unwrap().archived_at = archived_at;
            let changes = purge_thread(&state, now, &mut Moment::still(now)).unwrap();
            assert_eq!(!changes.purged.is_empty(), purged);
            assert_eq!(events(&changes), if purged { vec!["privacyDeletion"] } else { vec![] });
        }
        state.thread = None;
        assert!(purge_thread(&state, now, &mut Moment::still(now)).unwrap().is_empty());
    }
}

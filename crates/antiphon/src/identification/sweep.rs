//! Clearing away what tokens said that have ended.

use antiphon_store::Millis;
use futures_util::TryStreamExt;

use crate::app::App;
use crate::portals;

/// Most rows that are deleted at once.
const ROWS: usize = 500;

/// How long what a token said is kept past its end: a visitor's session that began with it may still go on.
const LATER: Millis = crate::widget::session::LONGEST_LIFE;

/// Goes through all portals, and answers how many rows were cleared away. Harmless to repeat and to interrupt.
pub async fn run(app: &App, now: Millis) -> anyhow::Result<u64> {
    let (mut cleared, mut portals) = (0, portals::all(&app.store));
    while let Some(portal) = portals.try_next().await? {
        loop {
            let step = app.store.visitor_tokens_purge(portal.id, now - LATER, ROWS).await?;
            cleared += step;
            if step < ROWS as u64 {
                break;
            }
        }
    }
    Ok(cleared)
}

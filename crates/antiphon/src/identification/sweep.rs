//! Clearing away what tokens said that have ended.

use antiphon_store::Millis;

use crate::app::App;

/// How many portals are looked up at a time.
const CHUNK: usize = 100;

/// Most rows that are deleted at once.
const ROWS: usize = 500;

/// Goes through all portals, and answers how many rows were cleared away. Harmless to repeat and to interrupt.
pub async fn run(app: &App, now: Millis) -> anyhow::Result<u64> {
    let (mut cleared, mut after) = (0, None);
    loop {
        let portals = app.store.portals(after, CHUNK).await?;
        let Some(last) = portals.last() else { return Ok(cleared) };
        after = Some(last.id);
        for portal in portals {
            loop {
                let step = app.store.visitor_tokens_purge(portal.id, now, ROWS).await?;
                cleared += step;
                if step < ROWS as u64 {
                    break;
                }
            }
        }
    }
}

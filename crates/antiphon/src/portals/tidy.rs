//! Clearing away what nodes leave behind that have ended.

use crate::app::App;

/// How many portals are looked up at a time.
const CHUNK: usize = 100;

/// Goes through all portals, and answers how many rows were cleared away. Harmless to repeat and to interrupt.
pub async fn run(app: &App) -> anyhow::Result<u64> {
    let (mut cleared, mut after) = (0, None);
    loop {
        let portals = app.store.portals(after, CHUNK).await?;
        let Some(last) = portals.last() else { return Ok(cleared) };
        after = Some(last.id);
        for portal in portals {
            cleared += app.store.tidy(portal.id).await?;
        }
    }
}

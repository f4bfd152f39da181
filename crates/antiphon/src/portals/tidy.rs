//! Clearing away what nodes leave behind that have ended.

use futures_util::TryStreamExt;

use crate::app::App;
use crate::portals;

/// Goes through all portals, and answers how many rows were cleared away. Harmless to repeat and to interrupt.
pub async fn run(app: &App) -> anyhow::Result<u64> {
    let (mut cleared, mut portals) = (0, portals::all(&app.store));
    while let Some(portal) = portals.try_next().await? {
        cleared += app.store.tidy(portal.id).await?;
    }
    Ok(cleared)
}

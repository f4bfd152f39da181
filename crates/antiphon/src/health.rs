//! Whether the server lives, and whether it can take work.

use crate::app::App;
use crate::middleware::correlation::Correlation;
use crate::middleware::error::Failure;
use crate::middleware::reply::{JSON, Reply};

/// 200 as soon as somebody can ask.
pub fn healthz(_: &App) -> Reply {
    Reply::page(JSON, r#"{"status":"ok"}"#)
}

/// 503 while stopping, and while the store takes no changes: for want of disk, or of its database.
pub async fn readyz(app: &App) -> Reply {
    if app.stopping() || !app.store.is_ready().await {
        return Failure::unavailable().reply(Correlation::new().as_str());
    }
    Reply::page(JSON, r#"{"status":"ready"}"#)
}

//! Whether the server lives, and whether it can take work.

use crate::app::App;
use crate::middleware::correlation::Correlation;
use crate::middleware::error::Failure;
use crate::middleware::reply::{JSON, Reply};

/// 200 as soon as somebody can ask.
pub fn healthz(_: &App) -> Reply {
    Reply::page(JSON, r#"{"status":"ok"}"#)
}

/// 503 while stopping, and while the disk takes no more writes.
pub fn readyz(app: &App) -> Reply {
    if app.stopping() || app.store.status().disk_low {
        return Failure::unavailable().reply(Correlation::new().as_str());
    }
    Reply::page(JSON, r#"{"status":"ready"}"#)
}

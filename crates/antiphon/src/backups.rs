//! Backups and the state of the store: what the operator asks of a running server.

use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;

use antiphon_wire::error::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// Where to write a backup.
#[derive(Debug, Deserialize, ToSchema)]
pub struct BackupRequest {
    /// Absolute path on the server's machine; the file must not exist yet.
    #[schema(value_type = String)]
    file: Option<PathBuf>,
}

/// A backup that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct BackupMade {
    #[schema(value_type = String)]
    file: PathBuf,
    bytes: u64,
}

/// How far the running backup is, in pages of the database.
#[derive(Debug, Serialize, ToSchema)]
pub struct BackupProgress {
    done: u64,
    pages: u64,
}

/// The figures of the store.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoreFigures {
    version: String,
    database_bytes: u64,
    wal_bytes: u64,
    queue_depth: u64,
    batches: u64,
    changes: u64,
    events: u64,
    disk_low: bool,
}

/// Writes a backup and answers when it is complete. Only over the control socket: the path is the server's.
pub async fn make(call: Call) -> Result<Answer, Refusal> {
    if !call.caller.operator {
        return Err(Refusal::invalid(
            "file",
            "Backups are made on the server's machine, with `antiphon backup`",
        ));
    }
    let request: BackupRequest = call.json()?;
    let file = request.file.ok_or_else(|| Refusal::Invalid(vec![Problem::required("file")]))?;
    if !file.is_absolute() || file.exists() {
        let message = format!("{} must be an absolute path at which nothing exists yet", file.display());
        return Err(Refusal::invalid("file", message));
    }
    let app = call.app.clone();
    let progress = move |done, pages| {
        app.backup.0.store(done, Relaxed);
        app.backup.1.store(pages, Relaxed);
    };
    call.app.store.backup(&file, progress).await.map_err(|error| {
        Refusal::invalid("file", format!("{} could not be written: {error}", file.display()))
    })?;
    let bytes = std::fs::metadata(&file).map_or(0, |file| file.len());
    Answer::json(201, &BackupMade { file, bytes })
}

/// How far it is.
pub async fn progress(call: Call) -> Result<Answer, Refusal> {
    let (done, pages) = &call.app.backup;
    Answer::json(200, &BackupProgress { done: done.load(Relaxed), pages: pages.load(Relaxed) })
}

/// The state of the store.
pub async fn status(call: Call) -> Result<Answer, Refusal> {
    let status = call.app.store.status();
    Answer::json(
        200,
        &StoreFigures {
            version: env!("CARGO_PKG_VERSION").into(),
            database_bytes: status.database_bytes,
            wal_bytes: status.wal_bytes,
            queue_depth: status.queue_depth,
            batches: status.batches,
            changes: status.changes,
            events: status.events,
            disk_low: status.disk_low,
        },
    )
}

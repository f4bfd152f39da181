//! Backups, checks and the state of the store: what the operator asks of a running server.

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use antiphon_store::PortalId;
use antiphon_wire::error::Problem;
use antiphon_wire::message as wire;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::audit::{self, On};
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// How far long work is: steps done, and steps in all.
#[derive(Debug, Default)]
pub struct Progress(AtomicU64, AtomicU64);

impl Progress {
    fn tell(&self, done: u64, all: u64) {
        self.0.store(done, Relaxed);
        self.1.store(all, Relaxed);
    }

    fn told(&self) -> Result<Answer, Refusal> {
        Answer::json(200, &ProgressMade { done: self.0.load(Relaxed), pages: self.1.load(Relaxed) })
    }
}

/// Where to write a backup.
#[derive(Debug, Deserialize, ToSchema)]
pub struct BackupRequest {
    /// Absolute path on the server's machine; the file must not exist yet.
    #[schema(value_type = String)]
    file: Option<PathBuf>,
}

/// How thoroughly to check.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CheckRequest {
    /// Whether every index is compared with its table and every message is read as its clients would.
    #[schema(nullable = false)]
    deep: Option<bool>,
}

/// What a check found.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckMade {
    /// Empty when everything is as it was written.
    findings: Vec<Found>,
}

/// Something that is not as it was written.
#[derive(Debug, Serialize, ToSchema)]
pub struct Found {
    /// What does not hold: `file`, `entries`, `documents`, `formats`, `events`, `usage`, `ids` or `bytes`.
    check: &'static str,
    /// What is wrong where, and what to do.
    message: String,
}

/// A backup that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct BackupMade {
    #[schema(value_type = String)]
    file: PathBuf,
    bytes: u64,
}

/// How far the running backup or check is, in pages of the database.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgressMade {
    done: u64,
    pages: u64,
}

/// The figures of the store.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoreFigures {
    version: String,
    /// The place of the database, where it is not the embedded one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    database: Option<String>,
    /// Of the embedded database alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    database_bytes: Option<u64>,
    /// Of the embedded database alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    wal_bytes: Option<u64>,
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
    let asked = On::some("BACKUP", json!({ "file": file.display().to_string() }));
    audit::note(&call, PortalId::SERVER, asked).await?;
    let app = call.app.clone();
    let progress = move |done, pages| app.backup.tell(done, pages);
    call.app.store.backup(&file, progress).await.map_err(|error| {
        Refusal::invalid("file", format!("{} could not be written: {error}", file.display()))
    })?;
    let bytes = std::fs::metadata(&file).map_or(0, |file| file.len());
    Answer::json(201, &BackupMade { file, bytes })
}

/// How far it is.
pub async fn progress(call: Call) -> Result<Answer, Refusal> {
    call.app.backup.told()
}

/// Reads the whole store, and tells what is wrong with it.
pub async fn check(call: Call) -> Result<Answer, Refusal> {
    let deep = call.json::<CheckRequest>()?.deep.unwrap_or_default();
    let sound = if deep { wire::is_sound } else { wire::is_complete };
    let app = call.app.clone();
    let progress = move |done, pages| app.check.tell(done, pages);
    let findings = call.app.store.check(deep, sound, progress).await?;
    let found = |finding: &antiphon_store::Finding| Found {
        check: finding.invariant.name(),
        message: finding.to_string(),
    };
    let mut findings: Vec<Found> = findings.iter().map(found).collect();
    let missing = crate::files::sweep::missing(&call.app).await;
    let missing =
        missing.unwrap_or_else(|error| vec![format!("the place of the files does not answer: {error:#}")]);
    findings.extend(missing.into_iter().map(|message| Found { check: "bytes", message }));
    Answer::json(200, &CheckMade { findings })
}

/// How far it is.
pub async fn check_progress(call: Call) -> Result<Answer, Refusal> {
    call.app.check.told()
}

/// The state of the store.
pub async fn status(call: Call) -> Result<Answer, Refusal> {
    let status = call.app.store.status();
    Answer::json(
        200,
        &StoreFigures {
            version: env!("CARGO_PKG_VERSION").into(),
            database: call.app.store.database(),
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

//! Moving the store to another place, what the operator asks of a running server.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use antiphon_store::{Moved, Moving, PortalId, Postgres, Settings};
use antiphon_wire::error::Problem;
use anyhow::bail;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::audit::{self, On};
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// How far the latest move is.
#[derive(Debug, Default)]
pub struct Progress(Mutex<Option<Moving>>);

/// Where to move.
#[derive(Debug, Deserialize, ToSchema)]
pub struct MoveRequest {
    /// The new place, which must be empty: `sqlite:` with an absolute path on the server's machine, or `postgres://…`.
    #[schema(value_type = String)]
    to: Option<String>,
}

/// A store that was moved.
#[derive(Debug, Serialize, ToSchema)]
pub struct MoveMade {
    /// Rows that were copied, before those that were changed meanwhile.
    rows: u64,
    tables: Vec<MovedTable>,
}

/// A table of a portal, as it was compared at both ends.
#[derive(Debug, Serialize, ToSchema)]
pub struct MovedTable {
    portal: i64,
    table: &'static str,
    rows: u64,
    checksum: String,
}

/// How far the running move is.
#[derive(Debug, Serialize, ToSchema)]
pub struct MoveProgress {
    /// `nothing`, `copying`, `comparing`, `catchingUp` with what was changed meanwhile, or `cuttingOver`.
    doing: &'static str,
    /// Rows that are done; of `catchingUp`, none.
    done: u64,
    /// Rows in all; of `catchingUp`, those that are left.
    rows: u64,
}

impl MoveMade {
    /// What became of a move.
    pub fn of(moved: &Moved) -> Self {
        let table = |table: &antiphon_store::MovedTable| MovedTable {
            portal: table.portal.0,
            table: table.table,
            rows: table.rows,
            checksum: format!("{:016x}", table.checksum),
        };
        Self { rows: moved.rows(), tables: moved.tables.iter().map(table).collect() }
    }
}

impl MoveProgress {
    /// What a move is at.
    pub fn of(at: Option<Moving>) -> Self {
        let (doing, done, rows) = match at {
            None => ("nothing", 0, 0),
            Some(Moving::Copying(done, all)) => ("copying", done, all),
            Some(Moving::Comparing(done, all)) => ("comparing", done, all),
            Some(Moving::CatchingUp(left)) => ("catchingUp", 0, left),
            Some(Moving::CuttingOver) => ("cuttingOver", 0, 0),
        };
        Self { doing, done, rows }
    }
}

impl Progress {
    fn tell(&self, at: Option<Moving>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

/// How a store at a place is opened that is named as `--store` names it.
///
/// # Errors
/// When it names none.
pub fn place(url: &str) -> anyhow::Result<Settings> {
    if let Some(directory) = url.strip_prefix("sqlite:").filter(|directory| !directory.is_empty()) {
        return Ok(Settings::new(Path::new(directory)));
    }
    if ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Ok(Settings { postgres: Some(Postgres::new(url)), ..Settings::new("") });
    }
    bail!(
        "{:?} is no place of a store; write sqlite:<directory> or postgres://<user>:<password>@<host>/<database>",
        Postgres::new(url).shown()
    )
}

/// Moves the store while it serves, and answers once it serves from the new place. Only over the control socket.
pub async fn make(call: Call) -> Result<Answer, Refusal> {
    if !call.caller.operator {
        return Err(Refusal::invalid("to", "Stores are moved on the server's machine, with `antiphon move`"));
    }
    let request: MoveRequest = call.json()?;
    let url = request.to.ok_or_else(|| Refusal::Invalid(vec![Problem::required("to")]))?;
    let mut to = place(&url).map_err(|error| Refusal::invalid("to", error.to_string()))?;
    if to.postgres.is_none() && !to.data_dir.is_absolute() {
        return Err(Refusal::invalid("to", "The directory must be an absolute path"));
    }
    if let Some(at) = &mut to.postgres {
        let database = &call.app.config.database;
        (at.connections, at.writers) = (database.connections, database.writers);
    }
    // Without the password of a database.
    let place = to.postgres.as_ref().map_or_else(|| url.clone(), Postgres::shown);
    audit::note(&call, PortalId::SERVER, On::some("STORE", json!({ "place": place }))).await?;
    let app = call.app.clone();
    let progress = move |at| app.moving.tell(Some(at));
    let moved = call.app.store.move_online(to, progress).await;
    call.app.moving.tell(None);
    let moved = moved.map_err(|error| Refusal::invalid("to", error.to_string()))?;
    Answer::json(201, &MoveMade::of(&moved))
}

/// How far it is.
pub async fn progress(call: Call) -> Result<Answer, Refusal> {
    let at = *call.app.moving.0.lock().unwrap_or_else(PoisonError::into_inner);
    Answer::json(200, &MoveProgress::of(at))
}

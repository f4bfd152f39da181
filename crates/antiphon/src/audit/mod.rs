//! Who changed what in a portal's settings, and from where. Whatever changes a directory is noted in the transaction that
//! changes it: what it was and what it is, without secrets. Administrators read it, and it is forgotten after a while.
//!
//! What changes no directory is noted before it is done, so that nothing is done of which nobody knows: it may have failed. What
//! concerns the server as a whole stands under no portal, for the operator.

pub mod list;
mod said;

use antiphon_store::{AppId, Audited, Directory, DirectoryChange, Millis, Moment, PortalId};
use futures_util::TryStreamExt;
use serde_json::{Value, json};

use crate::app::App;
use crate::call::Call;
use crate::portals;
use crate::refusal::Refusal;

/// Most changes of one act that are told.
const MOST: usize = 20;

/// Most rows that are deleted at once.
const ROWS: usize = 500;

/// Who does something.
#[derive(Debug, Clone)]
pub struct Doer {
    /// `A-71`, `I-4410` or `operator`.
    pub actor: String,
    pub action: &'static str,
    pub address: String,
}

impl Doer {
    /// Whoever calls.
    pub fn of(call: &Call) -> Self {
        let caller = &call.caller;
        let actor = match caller.agent {
            Some(agent) => agent.actor_id(),
            None if caller.operator => "operator".to_owned(),
            None => format!("I-{}", caller.app()),
        };
        let address = call.heads.address.map(|address| address.to_string()).unwrap_or_default();
        Self { actor, action: call.operation, address }
    }

    /// An app that has proved to be one.
    pub fn app(call: &Call, app: AppId) -> Self {
        Self { actor: format!("I-{app}"), ..Self::of(call) }
    }

    /// What is kept of what is done to a directory, if it is anything.
    pub fn noted(
        &self,
        current: &Directory,
        changes: &[DirectoryChange],
        moment: &Moment,
    ) -> Option<Audited> {
        if changes.is_empty() {
            return None;
        }
        let said: Vec<_> = changes.iter().take(MOST).map(|change| said::of(current, change)).collect();
        Some(self.entry(Value::Array(said).to_string(), moment))
    }

    /// The same of an act that changes no directory.
    pub fn did(&self, moment: &Moment) -> Audited {
        self.entry("[]".into(), moment)
    }

    /// The same, of something that is in no directory.
    pub fn acted(&self, on: &On<'_>, at: Millis) -> Audited {
        let mut said = json!({ "object": on.object });
        if let Some(id) = &on.id {
            said["id"] = json!(id);
        }
        if !on.wanted.is_null() {
            said["after"] = on.wanted.clone();
        }
        self.entry_at(json!([said]).to_string(), at)
    }

    fn entry(&self, said: String, moment: &Moment) -> Audited {
        self.entry_at(said, moment.now)
    }

    fn entry_at(&self, said: String, at: Millis) -> Audited {
        Audited {
            id: [0; 16],
            at,
            actor: self.actor.clone(),
            action: self.action.to_owned(),
            address: self.address.clone(),
            said,
        }
    }
}

/// What something is done to that is in no directory.
#[derive(Debug, Clone, Default)]
pub struct On<'a> {
    /// What kind of thing it is, as `CONTACT`.
    pub object: &'a str,
    pub id: Option<String>,
    /// What is asked for, as an object without secrets; null where nothing is to be said of it.
    pub wanted: Value,
}

impl<'a> On<'a> {
    /// Of one that has an id.
    pub fn one(object: &'a str, id: impl ToString) -> Self {
        Self { object, id: Some(id.to_string()), wanted: Value::Null }
    }

    /// Of one that has none, or none yet.
    pub fn some(object: &'a str, wanted: Value) -> Self {
        Self { object, id: None, wanted }
    }
}

/// Notes what is about to be done in a portal, or with the server as a whole under [`PortalId::SERVER`].
///
/// # Errors
/// When it cannot be noted; then it is not to be done.
pub async fn note(call: &Call, portal: PortalId, on: On<'_>) -> Result<(), Refusal> {
    let store = &call.app.store;
    Ok(store.audit_put(portal, Doer::of(call).acted(&on, store.now())).await?)
}

/// Forgets what is too old, in all portals and of the server; how much that was. Harmless to repeat and to interrupt.
pub async fn sweep(app: &App, now: Millis) -> anyhow::Result<u64> {
    let before = now - app.config.audit.keep();
    let mut forgotten = sweep_of(app, PortalId::SERVER, before).await?;
    let mut portals = portals::all(&app.store);
    while let Some(portal) = portals.try_next().await? {
        forgotten += sweep_of(app, portal.id, before).await?;
    }
    Ok(forgotten)
}

async fn sweep_of(app: &App, portal: PortalId, before: Millis) -> anyhow::Result<u64> {
    let mut forgotten = 0;
    loop {
        let step = app.store.audit_purge(portal, before, ROWS).await?;
        forgotten += step;
        if step < ROWS as u64 {
            return Ok(forgotten);
        }
    }
}

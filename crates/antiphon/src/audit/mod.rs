//! Who changed what in a portal's settings, and from where. Whatever changes a directory is noted in the transaction that
//! changes it: what it was and what it is, without secrets. Administrators read it, and it is forgotten after a while.

pub mod list;
mod said;

use antiphon_store::{AppId, Audited, Directory, DirectoryChange, Millis, Moment};
use futures_util::TryStreamExt;

use crate::app::App;
use crate::call::Call;
use crate::portals;

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
        Some(self.entry(serde_json::Value::Array(said).to_string(), moment))
    }

    /// The same of an act that changes no directory.
    pub fn did(&self, moment: &Moment) -> Audited {
        self.entry("[]".into(), moment)
    }

    fn entry(&self, said: String, moment: &Moment) -> Audited {
        Audited {
            id: [0; 16],
            at: moment.now,
            actor: self.actor.clone(),
            action: self.action.to_owned(),
            address: self.address.clone(),
            said,
        }
    }
}

/// Forgets what is too old, in all portals; how much that was. Harmless to repeat and to interrupt.
pub async fn sweep(app: &App, now: Millis) -> anyhow::Result<u64> {
    let (mut forgotten, mut portals) = (0, portals::all(&app.store));
    let before = now - app.config.audit.keep();
    while let Some(portal) = portals.try_next().await? {
        loop {
            let step = app.store.audit_purge(portal.id, before, ROWS).await?;
            forgotten += step;
            if step < ROWS as u64 {
                break;
            }
        }
    }
    Ok(forgotten)
}

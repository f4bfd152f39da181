//! What was done, for administrators.

use antiphon_store::{AuditQuery, Audited, PortalId};
use antiphon_wire::session as wire;
use antiphon_wire::timestamp::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::refusal::Refusal;

const USUAL: i64 = 50;
const MOST: i64 = 500;

/// Longest name of an actor or an operation.
const LONGEST: usize = 100;

/// `GET /audit`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    page(&call, call.caller.portal()).await
}

/// `GET /audit/server`
pub async fn of_server(call: Call) -> Result<Answer, Refusal> {
    page(&call, PortalId::SERVER).await
}

async fn page(call: &Call, portal: PortalId) -> Result<Answer, Refusal> {
    let mut checks = Checks::default();
    let limit = checks.take(call.query.int("limit")).flatten().unwrap_or(USUAL).clamp(1, MOST);
    let before = match call.query.scalar("after") {
        None => None,
        Some(sent) => {
            let id = Uuid::try_parse(sent).ok().filter(|_| sent.len() == 32);
            if id.is_none() {
                checks.wrong("after", "after is no cursor of this list");
            }
            id.map(Uuid::into_bytes)
        }
    };
    let mut text = |name: &str| {
        let sent = call.query.scalar(name).filter(|sent| !sent.is_empty());
        if sent.is_some_and(|sent| sent.len() > LONGEST) {
            checks.wrong(name, format!("{name} is longer than {LONGEST} bytes"));
        }
        sent.map(str::to_owned)
    };
    let (actor, action) = (text("actor"), text("action"));
    checks.done()?;
    // One more than the page holds, to see whether there are any.
    let limit = usize::try_from(limit).unwrap_or(1);
    let query = AuditQuery { actor, action, before, limit: limit + 1 };
    let mut found = call.app.store.audit(portal, &query).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| Uuid::from_bytes(last.id).simple().to_string());
    let results = found.into_iter().map(shown).collect();
    let paging = next.map(|after| wire::AuditPaging { next: wire::AuditNext { after } });
    Answer::json(200, &wire::AuditPage { results, paging })
}

fn shown(one: Audited) -> wire::AuditEntry {
    wire::AuditEntry {
        id: Uuid::from_bytes(one.id).simple().to_string(),
        at: Timestamp(one.at),
        actor: one.actor,
        action: one.action,
        address: Some(one.address).filter(|address| !address.is_empty()),
        changes: serde_json::from_str::<Vec<Box<RawValue>>>(&one.said).unwrap_or_default(),
    }
}

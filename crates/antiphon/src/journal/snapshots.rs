//! Objects that an app wants in its journal as they are now.

use antiphon_store::{Snapshot, SnapshotState};
use antiphon_wire::id::MAX_INT32;
use antiphon_wire::journal::{
    self as wire, Action, JournalEvent, SnapshotError, SnapshotStatusType, SubscriptionType,
};
use antiphon_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::objects::{Objects, known_type};
use super::print::selected;
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::refusal::Refusal;

/// Most objects of one request.
const MOST: usize = 100;

/// What is asked for, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub portal: i64,
    pub object: i64,
    pub of: String,
    #[serde(default)]
    pub properties: Vec<String>,
}

/// `POST /crm`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let call = super::at_home(call).await?;
    let app = call.caller.app();
    let asked = read(call.json()?)?;
    let now = call.app.store.now();
    let (mut rows, mut made) = (Vec::new(), Vec::new());
    for (place, one) in asked.into_iter().enumerate() {
        let body = serde_json::to_string(&one).map_err(|e| Refusal::Internal(e.to_string()))?;
        // In the order of time, so that the oldest can be found, and of the request.
        let (seconds, nanos) = (now.div_euclid(1000), now.rem_euclid(1000) * 1_000_000);
        let seconds = u64::try_from(seconds).unwrap_or_default();
        let time = uuid::Timestamp::from_unix_time(seconds, nanos as u32, place as u128, 12);
        let id = Uuid::new_v7(time).into_bytes();
        rows.push(Snapshot { id, body, initiated_at: now, state: SnapshotState::Pending });
        made.push(wire::SnapshotMade {
            portal_id: one.portal,
            object_id: one.object,
            object_type_id: one.of,
            snapshot_status_id: super::shown_uuid(id),
        });
    }
    call.app.store.snapshots_put(call.caller.portal(), app, rows).await?;
    Answer::json(200, &wire::SnapshotsMade { snapshot_responses: made })
}

/// `GET /status/{statusId}`
pub async fn status(call: Call) -> Result<Answer, Refusal> {
    let of = super::restricted(&call)?;
    let call = super::at_home(call).await?;
    let sent = call.segment(0);
    let id = super::uuid(sent).ok_or_else(|| Refusal::not_found(sent))?;
    let found = call.app.store.snapshot_by_id(call.caller.portal(), call.caller.app(), id).await?;
    let snapshot = found.ok_or_else(|| Refusal::not_found(sent))?;
    if of.is_some_and(|of| asked(&snapshot).is_ok_and(|asked| asked.portal != of.0)) {
        return Err(Refusal::not_found(sent));
    }
    let kept_since = call.app.store.now() - super::KEPT;
    let (status, completed_at, error_code, message) = match snapshot.state {
        SnapshotState::Pending => (SnapshotStatusType::Pending, None, None, None),
        SnapshotState::Done { at } if at < kept_since => (SnapshotStatusType::Expired, Some(at), None, None),
        SnapshotState::Done { at } => (SnapshotStatusType::Success, Some(at), None, None),
        SnapshotState::Failed { at, code, message } => {
            let code = SnapshotError::parse(&code).unwrap_or(SnapshotError::Internal);
            (SnapshotStatusType::Failed, Some(at), Some(code), Some(message))
        }
    };
    let initiated_at = snapshot.initiated_at;
    let id = super::shown_uuid(snapshot.id);
    Answer::json(200, &wire::SnapshotStatus { id, initiated_at, status, completed_at, error_code, message })
}

fn read(body: wire::SnapshotsCreate) -> Result<Vec<Asked>, Refusal> {
    let mut checks = Checks::default();
    if !(1..=MOST).contains(&body.snapshot_requests.len()) {
        checks.wrong("snapshotRequests", format!("There must be 1 to {MOST} snapshotRequests"));
    }
    let mut asked = Vec::new();
    for one in body.snapshot_requests.into_iter().take(MOST) {
        asked.push(Asked {
            portal: checks.required_id("portalId", one.portal_id, MAX_INT32),
            object: checks.required_id("objectId", one.object_id, i64::MAX),
            of: checks.required_name("objectTypeId", one.object_type_id),
            properties: one.properties,
        });
    }
    checks.done()?;
    Ok(asked)
}

/// What a snapshot is of.
///
/// # Errors
/// When it is not what was written.
pub fn asked(snapshot: &Snapshot) -> Result<Asked, Refusal> {
    serde_json::from_str(&snapshot.body).map_err(|e| Refusal::Internal(format!("a snapshot: {e}")))
}

/// Makes a snapshot of an object in a portal where the app may know of it or not: what becomes of it, and the event that has
/// it.
///
/// # Errors
/// When the store cannot be asked.
pub async fn made(
    (snapshot, asked): (Snapshot, Asked),
    active: bool,
    objects: &mut Objects<'_>,
    now: i64,
) -> Result<(Snapshot, Option<JournalEvent>), Refusal> {
    let failed = |code: SnapshotError, message: &str| {
        let state =
            SnapshotState::Failed { at: now, code: code.as_str().into(), message: message.to_owned() };
        Ok((Snapshot { state, ..snapshot.clone() }, None))
    };
    if !active {
        return failed(SnapshotError::Permission, "The app is not installed in this account");
    }
    let Some(of) = known_type(&asked.of) else {
        return failed(SnapshotError::Validation, "There are no snapshots of this type of object");
    };
    let Some(properties) = objects.get(of, asked.object).await? else {
        return failed(SnapshotError::Validation, "There is no such object");
    };
    let event = JournalEvent {
        kind: SubscriptionType::Object,
        portal_id: asked.portal,
        occurred_at: Timestamp(now),
        action: Action::Snapshot,
        object_type_id: asked.of,
        object_id: asked.object,
        property_changes: Some(selected(properties, &asked.properties)),
    };
    Ok((Snapshot { state: SnapshotState::Done { at: now }, ..snapshot }, Some(event)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_portal_object_and_type() {
        for (body, fine) in [
            (r#"{ "snapshotRequests": [{ "portalId": 1, "objectId": "5", "objectTypeId": "0-11" }] }"#, true),
            (
                r#"{ "snapshotRequests": { "portalId": 1, "objectId": 5, "objectTypeId": "0-11", "properties": ["status"] } }"#,
                true,
            ),
            (r#"{ "snapshotRequests": [{ "objectId": 5, "objectTypeId": "0-11" }] }"#, false),
            (r#"{ "snapshotRequests": [{ "portalId": 1, "objectTypeId": "0-11" }] }"#, false),
            (r#"{ "snapshotRequests": [{ "portalId": 1, "objectId": 5 }] }"#, false),
            (r#"{ "snapshotRequests": [] }"#, false),
            ("{}", false),
        ] {
            assert_eq!(read(serde_json::from_str(body).unwrap()).is_ok(), fine, "{body}");
        }
        let one = r#"{ "portalId": 1, "objectId": 5, "objectTypeId": "0-11" }"#;
        let many = format!(r#"{{ "snapshotRequests": [{}] }}"#, vec![one; MOST + 1].join(","));
        assert!(read(serde_json::from_str(&many).unwrap()).is_err());
    }
}

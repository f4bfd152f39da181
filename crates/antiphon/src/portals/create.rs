//! Making a portal.

use antiphon_store::{PortalId, Quota};
use antiphon_wire::id::MAX_INT32;
use antiphon_wire::own::PortalCreate;

use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::refusal::Refusal;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Draft {
    id: Option<PortalId>,
    name: String,
    time_zone: String,
    quota: Quota,
}

/// `POST /portals`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let Draft { id, name, time_zone, quota } = read(call.json()?)?;
    let made = call.app.store.portal_create(id, name, time_zone, quota).await?;
    let portal = made.ok_or_else(|| Refusal::invalid("id", "A portal with this id exists already"))?;
    Answer::json(201, &super::shown(&portal, None)).map(|answer| answer.at(&call, portal.id))
}

fn read(body: PortalCreate) -> Result<Draft, Refusal> {
    let mut checks = Checks::default();
    let draft = Draft {
        id: checks.id("id", body.id, MAX_INT32).map(PortalId),
        name: checks.required_name("name", body.name),
        time_zone: super::time_zone(&mut checks, body.time_zone).unwrap_or_else(|| "UTC".to_owned()),
        quota: super::quota(&mut checks, body.quota).unwrap_or_default(),
    };
    checks.done()?;
    Ok(draft)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_is_told_at_once() {
        let body = br#"{ "id": "seven", "timeZone": "Mars/Olympus", "quota": { "messages": -1 } }"#;
        let Err(Refusal::Invalid(problems)) = read(serde_json::from_slice(body).unwrap()) else { panic!() };
        let fields: Vec<_> = problems.iter().filter_map(|problem| problem.in_.as_deref()).collect();
        assert_eq!(fields, ["id", "name", "timeZone", "quota"]);
    }

    #[test]
    fn a_name_is_enough() {
        let draft = read(serde_json::from_str(r#"{ "name": " Larkspur " }"#).unwrap()).unwrap();
        let expected =
            Draft { id: None, name: "Larkspur".into(), time_zone: "UTC".into(), quota: Quota::default() };
        assert_eq!(draft, expected);
    }
}

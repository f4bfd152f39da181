//! Making a portal.

use antiphon_store::{PortalId, Profile, Quota};
use antiphon_wire::id::MAX_INT32;
use antiphon_wire::own::PortalCreate;
use serde_json::json;

use crate::audit::{self, On};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::refusal::Refusal;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Draft {
    id: Option<PortalId>,
    name: String,
    profile: Profile,
    quota: Quota,
}

/// `POST /portals`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let Draft { id, name, profile, quota } = read(call.json()?)?;
    // There is no portal yet in which it could be noted.
    let asked = On { id: id.map(|id| id.to_string()), ..On::some("PORTAL", json!({ "name": name })) };
    audit::note(&call, PortalId::SERVER, asked).await?;
    let made = call.app.store.portal_create(id, name, profile, quota).await?;
    let portal = made.ok_or_else(|| Refusal::invalid("id", "A portal with this id exists already"))?;
    Answer::json(201, &super::shown(&portal, None)).map(|answer| answer.at(&call, portal.id))
}

fn read(body: PortalCreate) -> Result<Draft, Refusal> {
    let (mut checks, usual) = (Checks::default(), Profile::from("UTC"));
    let draft = Draft {
        id: checks.id("id", body.id, MAX_INT32).map(PortalId),
        name: checks.required_name("name", body.name),
        profile: Profile {
            time_zone: super::time_zone(&mut checks, body.time_zone).unwrap_or(usual.time_zone),
            currency: super::currency(&mut checks, body.currency).unwrap_or(usual.currency),
            account_type: super::account_type(&mut checks, body.account_type).unwrap_or(usual.account_type),
        },
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
        let body = br#"{ "id": "seven", "timeZone": "Mars/Olympus", "currency": "Euro", "accountType": "Free", "quota": { "messages": -1 } }"#;
        let Err(Refusal::Invalid(problems)) = read(serde_json::from_slice(body).unwrap()) else { panic!() };
        let fields: Vec<_> = problems.iter().filter_map(|problem| problem.in_.as_deref()).collect();
        assert_eq!(fields, ["id", "name", "timeZone", "currency", "accountType", "quota"]);
    }

    #[test]
    fn a_name_is_enough() {
        let draft = read(serde_json::from_str(r#"{ "name": " Larkspur " }"#).unwrap()).unwrap();
        let expected =
            Draft { id: None, name: "Larkspur".into(), profile: "UTC".into(), quota: Quota::default() };
        assert_eq!(draft, expected);
    }
}

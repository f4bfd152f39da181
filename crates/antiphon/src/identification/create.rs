//! Making a token.

use antiphon_store::Millis;
use antiphon_wire::identification::{VisitorToken, VisitorTokenCreate};

use super::token::{Identity, LIFE, ROOM, Said};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::refusal::Refusal;

/// `POST /tokens/create`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let said = read(call.json()?)?;
    let now: Millis = call.app.store.now();
    let (portal, app) = (call.caller.portal(), call.caller.app());
    let identity = Identity { portal, app, expires_at: now + LIFE, said };
    let (nonce, _) = uuid::Uuid::new_v4().as_u64_pair();
    let token = identity.token(nonce.cast_signed(), &call.app.keys)?;
    Answer::json(200, &VisitorToken { token })
}

/// What is said of the visitor: all of it has to go into the token.
fn read(body: VisitorTokenCreate) -> Result<Said, Refusal> {
    let mut checks = Checks::default();
    let filled = |name: Option<String>| name.filter(|text| !text.trim().is_empty());
    if body.email.as_ref().is_none_or(|email| email.trim().is_empty()) {
        checks.missing("email");
    }
    let said = Said {
        email: checks.email("email", filled(body.email)).unwrap_or_default(),
        first_name: checks.name("firstName", filled(body.first_name)),
        last_name: checks.name("lastName", filled(body.last_name)),
        context: body.context.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
    };
    let size = said.printed().len();
    if size > ROOM {
        let field = if said.context.is_empty() { "email" } else { "hsCustomerAgentContext" };
        let why =
            format!("Address, names and context take {size} bytes as JSON; a token has room for {ROOM}");
        checks.wrong(field, why);
    }
    checks.done()?;
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn read(body: &str) -> Result<Said, Refusal> {
        super::read(serde_json::from_str(body).unwrap())
    }

    #[test]
    fn everything_but_the_address_may_be_absent() {
        for (body, wrong) in [
            ("{}", "email"),
            (r#"{ "email": " " }"#, "email"),
            (r#"{ "email": "harbour" }"#, "email"),
            (r#"{ "email": null, "firstName": "Ineke" }"#, "email"),
        ] {
            assert_eq!(testing::named(&read(body).unwrap_err()), [wrong], "{body}");
        }
        let said =
            read(r#"{ "email": " Ineke@harbour.example ", "lastName": "", "firstName": null }"#).unwrap();
        assert_eq!(said, Said { email: "Ineke@harbour.example".into(), ..Said::default() });
        let said = r#"{ "email": "i@h.example", "hsCustomerAgentContext": { "berth": "4", "boat": null } }"#;
        assert_eq!(
            read(said).unwrap().context.into_iter().collect::<Vec<_>>(),
            [("berth".into(), "4".into())]
        );
    }

    #[test]
    fn what_has_no_room_is_refused_and_not_cut() {
        let body = |length: usize| {
            let context = serde_json::json!({ "cart": "x".repeat(length) });
            serde_json::json!({ "email": "i@h.example", "hsCustomerAgentContext": context }).to_string()
        };
        let fixed = read(&body(0)).unwrap().printed().len();
        assert!(read(&body(ROOM - fixed)).is_ok());
        let refused = read(&body(ROOM - fixed + 1)).unwrap_err();
        assert_eq!(testing::named(&refused), ["hsCustomerAgentContext"]);
    }
}

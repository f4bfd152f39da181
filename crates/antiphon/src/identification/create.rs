//! Making a token.

use antiphon_store::Millis;
use antiphon_wire::identification::{VisitorToken, VisitorTokenCreate};

use super::token::{LIFE, ROOM, Said, Signed};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::refusal::Refusal;

/// Most bytes of address, names and context as JSON.
pub const MOST: usize = 16 << 10;

/// Most members of a context.
pub const MEMBERS: usize = 100;

/// Longest name of a member, and longest value, in characters.
pub const LONGEST_MEMBER: usize = 255;
pub const LONGEST_VALUE: usize = 8_000;

const CONTEXT: &str = "hsCustomerAgentContext";

/// `POST /tokens/create`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let said = read(call.json()?)?;
    let (store, printed) = (&call.app.store, said.printed());
    let now: Millis = store.now();
    let (nonce, _) = uuid::Uuid::new_v4().as_u64_pair();
    let mut signed = Signed {
        portal: call.caller.portal(),
        app: call.caller.app(),
        expires_at: now + LIFE,
        nonce: nonce.cast_signed(),
        said: Some(said),
    };
    if printed.len() > ROOM {
        store.visitor_token_put(signed.portal, signed.expires_at, signed.nonce, printed).await?;
        signed.said = None;
    }
    let token = signed.token(&call.app.keys)?;
    Answer::json(200, &VisitorToken { token })
}

/// What is said of the visitor.
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
    let long = |(name, value): (&String, &String)| {
        name.chars().count() > LONGEST_MEMBER || value.chars().count() > LONGEST_VALUE
    };
    if said.context.len() > MEMBERS {
        checks.wrong(CONTEXT, format!("{CONTEXT} must have at most {MEMBERS} members"));
    } else if said.context.iter().any(long) {
        let why = format!(
            "Members of {CONTEXT} must have names of at most {LONGEST_MEMBER} characters and values of at most {LONGEST_VALUE}"
        );
        checks.wrong(CONTEXT, why);
    } else if said.printed().len() > MOST {
        let why = format!(
            "Address, names and context take {} bytes as JSON; they may take {MOST}",
            said.printed().len()
        );
        checks.wrong(CONTEXT, why);
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
    fn a_context_has_bounds_and_is_not_cut() {
        let body = |members: &[(String, usize)]| {
            let member = |(name, length): &(String, usize)| (name.clone(), "ä".repeat(*length).into());
            let context: serde_json::Map<_, _> = members.iter().map(member).collect();
            serde_json::json!({ "email": "i@h.example", "hsCustomerAgentContext": context }).to_string()
        };
        let many = |count: usize, length: usize| -> Vec<_> {
            (0..count).map(|n| (format!("{n:03}"), length)).collect()
        };
        let fixed = read(&body(&many(100, 0))).unwrap().printed().len();
        let most = (MOST - fixed) / 200;
        for (members, fine) in [
            (many(100, 1), true),
            (many(101, 1), false),
            (many(100, most), true),
            (many(100, most + 1), false),
            (many(1, LONGEST_VALUE), true),
            (many(1, LONGEST_VALUE + 1), false),
            (vec![("n".repeat(LONGEST_MEMBER), 1)], true),
            (vec![("n".repeat(LONGEST_MEMBER + 1), 1)], false),
        ] {
            match read(&body(&members)) {
                Ok(said) => assert!(fine && said.context.len() == members.len()),
                Err(refused) => {
                    assert!(!fine, "{} of {:?}", members.len(), members[0]);
                    assert_eq!(testing::named(&refused), ["hsCustomerAgentContext"]);
                }
            }
        }
    }
}

//! Making a contact.

use antiphon_store::{Changes, Moment, State, Target, Visitor};
use antiphon_wire::error::Problem;
use antiphon_wire::own::ContactRequest;

use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::events::kinds;
use crate::refusal::{Refusal, unless_taken};

/// What is asked for. The target is the contact that has one of the addresses.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub avatar: Option<String>,
}

/// `POST /contacts`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let draft = read(call.json()?)?;
    let target = Target::Contact { email: draft.email.clone(), phone: draft.phone.clone() };
    let rule = move |state: &State, moment: &mut Moment| make(state, &draft, moment);
    let done = call.app.store.change(call.caller.portal(), target, rule).await;
    let applied = unless_taken(done, super::taken)??;
    let made = applied.changes.visitors.first();
    let made = made.ok_or_else(|| Refusal::Internal("no contact came of it".into()))?;
    Answer::json(201, &super::shown(made)).map(|answer| answer.at(&call, made.id))
}

fn read(body: ContactRequest) -> Result<Draft, Refusal> {
    let mut checks = Checks::default();
    let unreachable = body.email.is_none() && body.phone.is_none();
    let draft = Draft {
        name: checks.name("name", body.name),
        email: checks.email("email", body.email),
        phone: checks.phone("phone", body.phone),
        avatar: checks.url("avatar", body.avatar),
    };
    if unreachable {
        checks.wrong("email", "A contact needs an email address or a phone number");
    }
    checks.done()?;
    Ok(draft)
}

/// The rule.
pub fn make(state: &State, draft: &Draft, moment: &mut Moment) -> Result<Changes, Refusal> {
    if let Some(other) = state.contact.as_ref().or(state.visitor.as_ref()) {
        let field = if draft.email.is_some() && other.email.is_some() { "email" } else { "phone" };
        let message = format!("Contact {} has this address already", other.id);
        return Err(Refusal::Invalid(vec![
            Problem::new(field, message).context("id", [other.id.to_string()]),
        ]));
    }
    let contact = Visitor {
        id: moment.visitor_id(),
        contact: true,
        name: draft.name.clone(),
        email: draft.email.clone(),
        phone: draft.phone.clone(),
        avatar: draft.avatar.clone(),
        created_at: moment.now,
        updated_at: moment.now,
    };
    let events = vec![kinds::visitor_changed(None, &contact, moment.now)];
    Ok(Changes { visitors: vec![contact], events, ..Changes::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn an_address_has_one_owner() {
        let draft = Draft { email: Some("ines@example.net".into()), ..Draft::default() };
        let free = State { visitor: None, ..testing::state() };
        let made = make(&free, &draft, &mut Moment::still(testing::NOW)).unwrap();
        assert!(made.visitors[0].contact);
        assert_eq!(made.events.len(), 1);
        let refused = make(&testing::state(), &draft, &mut Moment::still(testing::NOW)).unwrap_err();
        assert_eq!(testing::status(&refused), 400);
    }

    #[test]
    fn a_contact_can_be_reached() {
        for (body, fine) in [
            (r#"{ "email": "ines@example.net" }"#, true),
            (r#"{ "phone": "+447700900101", "name": "Ines" }"#, true),
            (r#"{ "name": "Ines" }"#, false),
            (r#"{ "email": "ines" }"#, false),
            (r#"{ "phone": "0770" }"#, false),
        ] {
            assert_eq!(read(serde_json::from_str(body).unwrap()).is_ok(), fine, "{body}");
        }
    }
}

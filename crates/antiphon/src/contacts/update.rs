//! Changing a contact, or making one of a visitor by giving it an address.

use antiphon_store::{Changes, Moment, State, Target, Visitor, VisitorId};
use antiphon_wire::own::ContactRequest;

use crate::call::{Answer, Call};
use crate::checks::{self, Checks};
use crate::events::kinds;
use crate::refusal::{Refusal, unless_taken};

/// What is to become of a contact. What is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    pub name: checks::Edit,
    pub email: checks::Edit,
    pub phone: checks::Edit,
    pub avatar: checks::Edit,
}

/// `PATCH /contacts/{contactId}`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let id = super::contact_id(&call)?;
    let edit = read(call.json()?)?;
    let (store, portal) = (&call.app.store, call.caller.portal());
    super::known(store, portal, id).await?.ok_or_else(|| Refusal::not_found(id))?;
    if let Some(Some(email)) = &edit.email {
        let owners = store.contacts_by_emails(portal, std::slice::from_ref(email)).await?;
        if owners.iter().any(|owner| owner.id != id) {
            return Err(super::taken());
        }
    }
    let rule = move |state: &State, moment: &mut Moment| edited(state, id, &edit, moment);
    let applied = unless_taken(store.change(portal, Target::Erasure(id), rule).await, super::taken)??;
    let visitor = applied.changes.visitors.first().or(applied.state.visitor.as_ref());
    Answer::json(200, &super::shown(visitor.ok_or_else(|| Refusal::not_found(id))?))
}

fn read(body: ContactRequest) -> Result<Edit, Refusal> {
    let mut checks = Checks::default();
    let edit = Edit {
        name: checks.edited_name("name", body.name),
        email: checks.edited_email("email", body.email),
        phone: checks.edited_phone("phone", body.phone),
        avatar: checks.edited_url("avatar", body.avatar),
    };
    checks.done()?;
    Ok(edit)
}

/// The rule. Once a contact, always a contact.
fn edited(state: &State, id: VisitorId, edit: &Edit, moment: &mut Moment) -> Result<Changes, Refusal> {
    let before = state.visitor.as_ref().filter(|_| state.erasure.is_none());
    let before = before.ok_or_else(|| Refusal::not_found(id))?;
    let mut after = Visitor {
        name: edit.name.clone().unwrap_or_else(|| before.name.clone()),
        email: edit.email.clone().unwrap_or_else(|| before.email.clone()),
        phone: edit.phone.clone().unwrap_or_else(|| before.phone.clone()),
        avatar: edit.avatar.clone().unwrap_or_else(|| before.avatar.clone()),
        ..before.clone()
    };
    after.contact |= after.email.is_some() || after.phone.is_some();
    if after == *before {
        return Ok(Changes::default());
    }
    after.updated_at = moment.now;
    let events = vec![kinds::visitor_changed(Some(before), &after, moment.now)];
    Ok(Changes { visitors: vec![after], events, ..Changes::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_visitor_with_an_address_is_a_contact_and_nothing_happens_twice() {
        let mut state = testing::state();
        if let Some(visitor) = &mut state.visitor {
            (visitor.contact, visitor.email) = (false, None);
        }
        let edit = Edit { email: Some(Some("ines@example.net".into())), ..Edit::default() };
        let changes = edited(&state, VisitorId(20), &edit, &mut Moment::still(testing::NOW)).unwrap();
        assert!(changes.visitors[0].contact);
        assert_eq!(changes.visitors[0].updated_at, testing::NOW);
        state.visitor = changes.visitors.first().cloned();
        assert!(edited(&state, VisitorId(20), &edit, &mut Moment::still(testing::NOW)).unwrap().is_empty());
        state.visitor = None;
        assert!(edited(&state, VisitorId(20), &edit, &mut Moment::still(testing::NOW)).is_err());
    }
}

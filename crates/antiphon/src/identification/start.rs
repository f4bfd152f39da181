//! What becomes of the contact when a visitor who is identified begins to chat. Until then nothing does: a token may be made
//! for many who never write.

use antiphon_store::{Moment, Visitor};

use super::token::Said;

/// The rule: the contact to be written, if any has to be. One that is not there yet is made; one without a name gets the
/// token's; a name that is there stays.
pub fn contact(known: Option<&Visitor>, said: &Said, moment: &mut Moment) -> Option<Visitor> {
    let name = said.name();
    match known {
        Some(known) if known.name.is_some() || name.is_none() => None,
        Some(known) => Some(Visitor { name, updated_at: moment.now, ..known.clone() }),
        None => Some(Visitor {
            id: moment.visitor_id(),
            contact: true,
            name,
            email: Some(said.email.clone()),
            phone: None,
            avatar: None,
            created_at: moment.now,
            updated_at: moment.now,
        }),
    }
}

#[cfg(test)]
mod tests {
    use antiphon_store::VisitorId;

    use super::*;
    use crate::testing::NOW;

    fn said(first: Option<&str>, last: Option<&str>) -> Said {
        Said {
            email: "ineke@harbour.example".into(),
            first_name: first.map(str::to_owned),
            last_name: last.map(str::to_owned),
            ..Said::default()
        }
    }

    #[test]
    fn names_are_written_where_there_is_none() {
        let moment = &mut Moment::still(NOW);
        for (first, last, name) in [
            (Some("Ineke"), Some("Vos"), Some("Ineke Vos")),
            (Some("Ineke"), None, Some("Ineke")),
            (None, Some("Vos"), Some("Vos")),
            (Some(" "), Some("Vos"), Some("Vos")),
            (None, None, None),
        ] {
            let said = said(first, last);
            let made = contact(None, &said, moment).unwrap();
            assert!(made.contact && made.email.as_deref() == Some("ineke@harbour.example"));
            assert_eq!(made.name.as_deref(), name);
            let nameless = Visitor { name: None, id: VisitorId(3), updated_at: 1, created_at: 1, ..made };
            let named = contact(Some(&nameless), &said, moment);
            assert_eq!(named.as_ref().and_then(|one| one.name.as_deref()), name);
            assert!(named.is_none_or(
                |one| one == Visitor { name: one.name.clone(), updated_at: NOW, ..nameless.clone() }
            ));
            let known = Visitor { name: Some("I. Vos".into()), ..nameless };
            assert_eq!(contact(Some(&known), &said, moment), None, "a name that is there stays");
        }
    }
}

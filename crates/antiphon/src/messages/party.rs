//! People as our own calls name them: by an address, by an email address, or as a contact.

use antiphon_store::{Account, PortalId, Store, Visitor, VisitorId};
use antiphon_wire::error::Problem;
use antiphon_wire::id::MAX_SAFE;
use antiphon_wire::message::{DeliveryIdentifier, DeliveryIdentifierType as Kind};
use antiphon_wire::own::Person;

use super::channel;
use super::receive::Party;
use crate::contacts;
use crate::refusal::Refusal;

/// Somebody on an account, and the contact if one was named. What is wrong is added to `problems`.
pub async fn find(
    store: &Store,
    portal: PortalId,
    account: Option<&Account>,
    field: &str,
    person: Option<&Person>,
    problems: &mut Vec<Problem>,
) -> Result<Option<(Party, Option<VisitorId>)>, Refusal> {
    let Some(person) = person else {
        problems.push(Problem::required(field));
        return Ok(None);
    };
    let contact = match &person.contact_id {
        None => None,
        Some(sent) => {
            let id = sent.parse(MAX_SAFE).map(VisitorId);
            let found = match id {
                Some(id) => contacts::known(store, portal, id).await?,
                None => None,
            };
            if found.is_none() {
                problems.push(Problem::new(field, format!("Contact {sent} does not exist in this account")));
                return Ok(None);
            }
            found
        }
    };
    match address(account.map(|account| account.channel_id), field, person, contact.as_ref()) {
        Ok(identifier) => {
            let name = person.name.clone().filter(|name| !name.trim().is_empty());
            let name = name.or_else(|| contact.as_ref().and_then(|contact| contact.name.clone()));
            let party = Party { identifier: channel::stored(&identifier), name };
            Ok(Some((party, contact.map(|contact| contact.id))))
        }
        Err(problem) => {
            problems.push(problem);
            Ok(None)
        }
    }
}

/// The address as sent; else the one of the contact that fits the channel. On a channel with ids of its own, where a contact
/// has none yet, its number makes one.
fn address(
    channel: Option<i64>,
    field: &str,
    person: &Person,
    contact: Option<&Visitor>,
) -> Result<DeliveryIdentifier, Problem> {
    let fits = |kind| channel.is_none_or(|channel| channel::fits(channel, kind));
    let identifier = match (&person.identifier, &person.email) {
        (Some(sent), _) => sent.identifier(field)?,
        (None, Some(email)) => {
            let email = email.trim();
            if !Kind::Email.accepts(email) {
                return Err(Problem::new(field, format!("`{email}` is not an email address")));
            }
            DeliveryIdentifier { kind: Kind::Email, value: email.to_owned() }
        }
        (None, None) => {
            let Some(contact) = contact else {
                return Err(Problem::new(
                    field,
                    format!("{field} needs an identifier, an email or a contactId"),
                ));
            };
            let opaque = format!("contact-{}", contact.id);
            let known = [
                (Kind::Email, contact.email.clone()),
                (Kind::Phone, contact.phone.clone()),
                (Kind::Opaque, Some(opaque)),
            ];
            let known = known
                .into_iter()
                .filter(|(kind, _)| fits(*kind))
                .find_map(|(kind, value)| Some((kind, value?)));
            let Some((kind, value)) = known else {
                return Err(Problem::new(
                    field,
                    format!("Contact {} has no address on this channel", contact.id),
                ));
            };
            DeliveryIdentifier { kind, value }
        }
    };
    if !fits(identifier.kind) {
        let kind = identifier.kind.as_str();
        return Err(Problem::new(field, format!("An address of type {kind} does not exist on this channel")));
    }
    Ok(identifier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ines;

    fn told(channel: i64, person: &str, contact: Option<&Visitor>) -> String {
        let person = serde_json::from_str(person).unwrap();
        address(Some(channel), "sender", &person, contact).map_or("refused".to_owned(), |found| found.value)
    }

    #[test]
    fn from_whatever_was_named_to_an_address() {
        let ines = ines();
        for (channel, person, contact, value) in [
            (1002, r#"{ "email": "a@b.example" }"#, None, "a@b.example"),
            (1002, r#"{ "email": "nobody" }"#, None, "refused"),
            (1000, r#"{ "email": "a@b.example" }"#, None, "refused"),
            (1002, r#"{ "contactId": 20 }"#, Some(&ines), "ines@example.net"),
            (1000, r#"{ "contactId": 20 }"#, Some(&ines), "contact-20"),
            (1007, r#"{ "contactId": 20 }"#, Some(&ines), "refused"),
            (1002, r#"{ "name": "Ines" }"#, None, "refused"),
            (
                1000,
                r#"{ "identifier": { "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": "tab-7" } }"#,
                None,
                "tab-7",
            ),
        ] {
            assert_eq!(told(channel, person, contact), value, "{channel} {person}");
        }
    }
}

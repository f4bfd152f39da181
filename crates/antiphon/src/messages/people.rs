//! Who is behind an address.

use antiphon_store::{ActorKind, Directory, Identifier, PortalId, Store, VisitorId};
use antiphon_wire::message::{DeliveryIdentifier, Direction, Message};
use sha2::{Digest, Sha256};

use super::channel;
use crate::refusal::Refusal;
use crate::threads::assign::actor_id;

/// The contacts behind some addresses, looked up at the door.
#[derive(Debug, Clone, Default)]
pub struct People {
    contacts: Vec<(String, VisitorId)>,
}

impl People {
    /// Looks up the contacts behind these email addresses.
    pub async fn find(store: &Store, portal: PortalId, emails: &[String]) -> Result<Self, Refusal> {
        if emails.is_empty() {
            return Ok(Self::default());
        }
        let found = store.contacts_by_emails(portal, emails).await?;
        let contact = |one: antiphon_store::Visitor| Some((one.email?.to_lowercase(), one.id));
        Ok(Self { contacts: found.into_iter().filter_map(contact).collect() })
    }

    /// The actor behind an email address, if it is a contact's or an agent's.
    pub fn actor(&self, directory: &Directory, email: &str) -> Option<String> {
        let email = email.to_lowercase();
        let contact = self.contacts.iter().find(|(address, _)| *address == email);
        contact.map(|(_, id)| format!("V-{id}")).or_else(|| {
            let agent = directory.actors_at(ActorKind::Agent, &email).next();
            agent.map(|agent| actor_id((agent.kind, agent.id)))
        })
    }
}

/// The number under which messages are found that name an address of nobody who is known: below zero, where no visitor's is.
/// Two addresses hardly have the same one; whoever looks compares them.
pub fn number_of(address: &Identifier) -> VisitorId {
    let digest = Sha256::digest(address.key());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    VisitorId(i64::from_be_bytes(bytes) | i64::MIN)
}

/// Those whom the index of people must name beside a thread's visitor and the account's own address: visitors by their
/// numbers, and addresses that are nobody's by theirs. An only recipient without a number is whom the thread is with.
pub fn named(message: &Message, known: VisitorId, own: Option<&Identifier>) -> Vec<VisitorId> {
    let senders = message.senders.iter().map(|one| (&one.actor_id, one.delivery_identifier.as_ref()));
    let answered = message.recipients.len() == 1 && message.direction == Some(Direction::Outgoing);
    let recipients = message.recipients.iter().filter(|one| !answered || one.actor_id.is_some());
    let recipients = recipients.map(|one| (&one.actor_id, Some(&one.delivery_identifier)));
    let own = own.map(Identifier::key);
    let number = |(actor, address): (&Option<String>, Option<&DeliveryIdentifier>)| match actor {
        Some(actor) => actor.strip_prefix("V-")?.parse().ok().map(VisitorId),
        None => {
            let address = channel::stored(address?);
            (own.as_ref() != Some(&address.key())).then(|| number_of(&address))
        }
    };
    let mut all: Vec<_> = senders.chain(recipients).filter_map(number).filter(|id| *id != known).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use antiphon_wire::message::{
        Client, ClientType, DeliveryIdentifierType as Kind, MessageType, Recipient,
    };

    use super::*;

    #[test]
    fn the_index_names_whoever_is_not_known_from_the_thread() {
        let client = Client { client_type: ClientType::System, integration_app_id: None };
        let mut message = Message::new(MessageType::Message, "x".into(), 1, 1, "S-hubspot".into(), client);
        let recipient = |actor: Option<&str>, value: &str| Recipient {
            actor_id: actor.map(str::to_owned),
            name: None,
            recipient_field: None,
            delivery_identifier: DeliveryIdentifier { kind: Kind::Email, value: value.into() },
        };
        message.recipients = vec![
            recipient(Some("V-20"), "ines@example.net"),
            recipient(Some("V-21"), "theo@example.net"),
            recipient(Some("A-71"), "ada@example.com"),
            recipient(None, "Desk@example.com"),
            recipient(None, "Stranger@example.org"),
            recipient(None, "stranger@example.org"),
        ];
        let address = |value: &str| Identifier { kind: "HS_EMAIL_ADDRESS".into(), value: value.into() };
        let all = named(&message, VisitorId(20), Some(&address("desk@example.com")));
        let stranger = number_of(&address("STRANGER@example.org"));
        assert_eq!(all, [stranger, VisitorId(21)], "however an address is written, it has one number");
        assert!(stranger.0 < 0);
        message.recipients.truncate(4);
        message.recipients.drain(..3);
        assert_eq!(named(&message, VisitorId(20), None).len(), 1);
        message.direction = Some(Direction::Outgoing);
        assert_eq!(
            named(&message, VisitorId(20), None),
            [],
            "whoever is answered is whom the thread is with"
        );
        assert_ne!(stranger, number_of(&address("stranger@example.com")));
    }
}

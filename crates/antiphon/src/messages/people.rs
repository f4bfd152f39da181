//! Who is behind an address.

use antiphon_store::{ActorKind, Directory, PortalId, Store, VisitorId};

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

/// The visitors among some actor ids, save one who is known anyway: those that the index of people must name.
pub fn visitors<'a>(actors: impl Iterator<Item = Option<&'a str>>, known: VisitorId) -> Vec<VisitorId> {
    let number = |actor: &str| actor.strip_prefix("V-")?.parse().ok().map(VisitorId);
    let mut all: Vec<_> = actors.flatten().filter_map(number).filter(|id| *id != known).collect();
    all.sort_unstable();
    all.dedup();
    all
}

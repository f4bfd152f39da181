//! What objects look like in the journal: properties by name, as they are at present.

use std::collections::{BTreeMap, HashMap};

use antiphon_store::{KnownThread, PortalId, Store, StoreError, ThreadId, Visitor, VisitorId};
use antiphon_wire::timestamp;

use crate::threads::status_shown;

/// Types of objects.
pub const CONTACT: &str = "0-1";
pub const CONVERSATION: &str = "0-11";

/// Properties by name. What an object does not have is absent.
pub type Properties = BTreeMap<String, String>;

/// Objects that were looked up, each once.
pub struct Objects<'a> {
    store: &'a Store,
    portal: PortalId,
    known: HashMap<(&'static str, i64), Option<Properties>>,
}

impl<'a> Objects<'a> {
    pub fn new(store: &'a Store, portal: PortalId) -> Self {
        Self { store, portal, known: HashMap::new() }
    }

    /// The properties of an object; `None` when it is gone.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn get(&mut self, of: &'static str, id: i64) -> Result<Option<&Properties>, StoreError> {
        if !self.known.contains_key(&(of, id)) {
            let found = match of {
                CONVERSATION => {
                    let found = self.store.thread_by_id(self.portal, ThreadId(id)).await?;
                    found.map(|thread| conversation(&thread))
                }
                CONTACT => {
                    let found = self.store.visitors_by_ids(self.portal, &[VisitorId(id)]).await?;
                    found.first().filter(|visitor| visitor.contact).map(contact)
                }
                _ => None,
            };
            self.known.insert((of, id), found);
        }
        Ok(self.known.get(&(of, id)).and_then(Option::as_ref))
    }
}

/// The type of object that a name stands for, if it is one of ours.
pub fn known_type(name: &str) -> Option<&'static str> {
    [CONTACT, CONVERSATION].into_iter().find(|known| *known == name)
}

fn conversation(thread: &KnownThread) -> Properties {
    let mut properties = Properties::from([
        ("status".to_owned(), status_shown(thread.status).as_str().to_owned()),
        ("assignedTo".to_owned(), thread.assigned_to.clone().unwrap_or_default()),
        ("inboxId".to_owned(), thread.inbox_id.to_string()),
        ("originalChannelId".to_owned(), thread.channel_id.to_string()),
        ("originalChannelAccountId".to_owned(), thread.account_id.to_string()),
        ("associatedContactId".to_owned(), thread.visitor_id.to_string()),
        ("archived".to_owned(), thread.is_archived().to_string()),
        ("spam".to_owned(), thread.spam.to_string()),
        ("createdAt".to_owned(), moment(thread.created_at)),
    ]);
    let mut may = |name: &str, value: Option<String>| {
        properties.extend(value.map(|value| (name.to_owned(), value)));
    };
    may("associatedTicketId", thread.ticket_id.map(|id| id.to_string()));
    may("closedAt", thread.closed_at.map(moment));
    may("latestMessageId", thread.latest_message_id.map(|id| id.to_string()));
    may("latestMessageTimestamp", thread.latest_message_at.map(moment));
    properties
}

fn contact(contact: &Visitor) -> Properties {
    let texts = [
        ("name", &contact.name),
        ("email", &contact.email),
        ("phone", &contact.phone),
        ("avatar", &contact.avatar),
    ];
    let texts = texts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    let moments = [("createdAt", contact.created_at), ("updatedAt", contact.updated_at)];
    texts.chain(moments.map(|(name, at)| (name.to_owned(), moment(at)))).collect()
}

fn moment(at: i64) -> String {
    String::from_utf8_lossy(&timestamp::format(at)).into_owned()
}

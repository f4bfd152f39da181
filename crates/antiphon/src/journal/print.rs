//! From an event of the spine to an event of the journal, if a subscription wants it. Pure, but for what [`Objects`] looks up.

use std::collections::BTreeMap;

use antiphon_store::{AppId, Event, EventKind, Millis, PortalId, StoreError};
use antiphon_wire::journal::{Action, JournalEvent, SubscriptionType};
use antiphon_wire::timestamp::Timestamp;
use serde::Deserialize;

use super::objects::{CONTACT, CONVERSATION, Objects, Properties};
use super::wanted::{INSTALLED, Known, REMOVED};

/// What happened, in the journal's words.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Happened {
    kind: SubscriptionType,
    of: &'static str,
    id: i64,
    action: Action,
    changes: Changes,
    at: Millis,
    position: i64,
}

/// Which properties have other values.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Changes {
    /// The action says it all.
    None,
    /// Every property there is, as it is now.
    All,
    /// These, as they are now.
    Now(Vec<String>),
    /// This one, as it became then.
    Then(&'static str, String),
}

/// The members of payloads that matter here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Payload {
    message_id: Option<String>,
    property_name: Option<String>,
    property_value: Option<String>,
    /// Of a contact: whether it was made.
    contact: Option<String>,
    properties: Vec<String>,
    /// Of the directory: apps by id, and whether they may act.
    apps: BTreeMap<AppId, bool>,
}

impl Happened {
    /// What an event tells an app; `None` when it is nothing for a journal.
    fn of(event: &Event, app: AppId) -> Option<Self> {
        use SubscriptionType::{AppLifecycle, Object, PrivacyDeletion};
        let payload: Payload = serde_json::from_str(&event.payload).unwrap_or_default();
        let (kind, of, action, changes) = match event.kind {
            EventKind::ThreadCreated => (Object, CONVERSATION, Action::Create, Changes::All),
            EventKind::MessageAdded => {
                let id = payload.message_id.unwrap_or_default();
                (Object, CONVERSATION, Action::Update, Changes::Then("latestMessageId", id))
            }
            EventKind::ThreadChanged => {
                let value = payload.property_value.unwrap_or_default();
                match payload.property_name.as_deref() {
                    Some("isArchived") => (Object, CONVERSATION, Action::Restore, Changes::None),
                    Some("status") => (Object, CONVERSATION, Action::Update, Changes::Then("status", value)),
                    Some("assignedTo") => {
                        (Object, CONVERSATION, Action::Update, Changes::Then("assignedTo", value))
                    }
                    _ => return None,
                }
            }
            EventKind::ThreadArchived => (Object, CONVERSATION, Action::Delete, Changes::None),
            EventKind::ThreadPurged => (PrivacyDeletion, CONVERSATION, Action::GdprDelete, Changes::None),
            EventKind::VisitorChanged => match payload.contact.as_deref() {
                Some("created") => (Object, CONTACT, Action::Create, Changes::All),
                Some("changed") => (Object, CONTACT, Action::Update, Changes::Now(payload.properties)),
                Some("erased") => (PrivacyDeletion, CONTACT, Action::GdprDelete, Changes::None),
                _ => return None,
            },
            EventKind::DirectoryChanged => match payload.apps.get(&app)? {
                true => (AppLifecycle, INSTALLED, Action::AppInstall, Changes::None),
                false => (AppLifecycle, REMOVED, Action::AppUninstall, Changes::None),
            },
            // What only concerns this server.
            _ => return None,
        };
        let id = if kind == AppLifecycle { app.0 } else { event.object_id };
        Some(Self { kind, of, id, action, changes, at: event.occurred_at, position: event.position })
    }

    /// Whether a subscription is about this, its filters aside.
    fn meant(&self, known: &Known, portal: PortalId, away: bool) -> bool {
        let wanted = &known.wanted;
        // Positions of the app's own portal say nothing elsewhere.
        let since = if away { known.row.created_at <= self.at } else { wanted.since < self.position };
        let names = &wanted.properties;
        let changed = match &self.changes {
            Changes::None | Changes::All => true,
            Changes::Now(changed) => changed.iter().any(|name| names.is_empty() || names.contains(name)),
            Changes::Then(name, _) => names.is_empty() || names.iter().any(|wanted| wanted == name),
        };
        wanted.kind == self.kind
            && wanted.of == self.of
            && known.concerns(portal)
            && since
            && (wanted.objects.is_empty() || wanted.objects.contains(&self.id))
            && (wanted.actions.is_empty() || wanted.actions.contains(&self.action))
            && changed
    }

    /// Whether one has to look at the object.
    fn looks(&self, known: &Known) -> bool {
        !known.filters.is_empty() || matches!(self.changes, Changes::All | Changes::Now(_))
    }

    /// The event as it stands in the file, unless the filters are against it.
    fn printed(self, known: &Known, portal: PortalId, now: Option<&Properties>) -> Option<JournalEvent> {
        let none = Properties::new();
        let now = now.unwrap_or(&none);
        if !known.filters.is_empty() && !known.filters.iter().any(|filter| filter.holds(now)) {
            return None;
        }
        let names = &known.wanted.properties;
        let wanted = |name: &String| names.is_empty() || names.contains(name);
        let property_changes = match self.changes {
            Changes::None => None,
            Changes::All => Some(selected(now, names)),
            Changes::Now(changed) => {
                let value = |name: String| (name.clone(), now.get(&name).cloned().unwrap_or_default());
                Some(changed.into_iter().filter(wanted).map(value).collect())
            }
            Changes::Then(name, value) => Some(Properties::from([(name.to_owned(), value)])),
        };
        Some(JournalEvent {
            kind: self.kind,
            portal_id: portal.0,
            occurred_at: Timestamp(self.at),
            action: self.action,
            object_type_id: self.of.to_owned(),
            object_id: self.id,
            property_changes,
        })
    }
}

/// The properties of these names, or all.
pub fn selected(properties: &Properties, names: &[String]) -> Properties {
    let wanted = properties.iter().filter(|(name, _)| names.is_empty() || names.contains(name));
    wanted.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Whose journal it is about, and what happened where.
#[derive(Debug, Clone, Copy)]
pub struct Whose {
    pub portal: PortalId,
    pub app: AppId,
    /// Whether the app is not at home in the portal.
    pub away: bool,
    /// Whether it may know what happens.
    pub active: bool,
}

/// What of an event goes into the journal of an app that subscribed to these. One that may not act at present is only told
/// that.
///
/// # Errors
/// When the store cannot be asked.
pub async fn event(
    event: &Event,
    Whose { portal, app, away, active }: Whose,
    known: &[Known],
    objects: &mut Objects<'_>,
) -> Result<Option<JournalEvent>, StoreError> {
    let Some(happened) = Happened::of(event, app) else { return Ok(None) };
    if !active && happened.kind != SubscriptionType::AppLifecycle {
        return Ok(None);
    }
    let Some(meant) = known.iter().find(|known| happened.meant(known, portal, away)) else { return Ok(None) };
    let now = match happened.looks(meant) {
        true => objects.get(happened.of, happened.id).await?,
        false => None,
    };
    Ok(happened.printed(meant, portal, now))
}

#[cfg(test)]
mod tests {
    use antiphon_store::{JournalSubscription, MessageId, MessageKind, ObjectKind, SubscriptionId, ThreadId};
    use antiphon_wire::journal::Operator;

    use super::*;
    use crate::events::kinds::{self, Source};
    use crate::journal::filters::{Condition, Filter};
    use crate::journal::wanted::Wanted;

    const AT: Millis = 1000;
    const APP: AppId = AppId(4410);

    fn known(kind: SubscriptionType, of: &str) -> Known {
        let wanted = Wanted {
            kind,
            portal: Some(1),
            of: of.into(),
            objects: Vec::new(),
            lists: Vec::new(),
            properties: Vec::new(),
            associated: Vec::new(),
            actions: Vec::new(),
            since: 8,
        };
        let row = JournalSubscription {
            id: SubscriptionId(3),
            app_id: APP,
            body: String::new(),
            filters: String::new(),
            created_at: AT,
            updated_at: AT,
            deleted_at: None,
        };
        Known { row, wanted, filters: Vec::new() }
    }

    fn conversations() -> Known {
        known(SubscriptionType::Object, CONVERSATION)
    }

    fn happened(new: antiphon_store::NewEvent) -> Option<Happened> {
        let event = Event {
            position: 9,
            kind: new.kind,
            object: new.object,
            object_id: new.object_id,
            revision: 1,
            occurred_at: new.occurred_at,
            payload: new.payload,
        };
        Happened::of(&event, APP)
    }

    fn changed(name: &str, value: &str) -> Option<Happened> {
        happened(kinds::property_changed(ThreadId(7), AT, Source::Server, name, value))
    }

    #[test]
    fn every_event_that_has_a_counterpart_is_translated() {
        let thread = ThreadId(7);
        let message = kinds::message_added(thread, AT, MessageId([0xab; 16]), MessageKind::Message);
        for (event, action, changes) in [
            (happened(kinds::thread_created(thread, AT, Source::Server)), Action::Create, Changes::All),
            (happened(message), Action::Update, Changes::Then("latestMessageId", "ab".repeat(16))),
            (changed("status", "CLOSED"), Action::Update, Changes::Then("status", "CLOSED".into())),
            (changed("assignedTo", ""), Action::Update, Changes::Then("assignedTo", String::new())),
            (changed("isArchived", "false"), Action::Restore, Changes::None),
            (happened(kinds::thread_archived(thread, AT, Source::Server)), Action::Delete, Changes::None),
            (happened(kinds::thread_purged(thread, AT)), Action::GdprDelete, Changes::None),
        ] {
            let event = event.unwrap();
            assert_eq!((event.of, event.id, event.action), (CONVERSATION, 7, action));
            assert_eq!(event.changes, changes);
            assert_eq!(event.kind == SubscriptionType::PrivacyDeletion, action == Action::GdprDelete);
        }
        assert_eq!(happened(kinds::property_touched(thread, AT, "inboxId")), None);
        assert_eq!(happened(kinds::ticket_changed(antiphon_store::TicketId(1), AT)), None);
        assert_eq!(changed("somethingNew", "x"), None);
        let garbled = antiphon_store::NewEvent { payload: "[1".into(), ..kinds::directory_changed(AT) };
        assert_eq!(garbled.object, ObjectKind::Directory);
        assert_eq!(happened(garbled), None);
    }

    #[test]
    fn contacts_and_apps() {
        let visitor = antiphon_store::Visitor { contact: false, ..crate::testing::ines() };
        let ines = crate::testing::ines();
        assert_eq!(happened(kinds::visitor_changed(None, &visitor, AT)), None);
        let made = happened(kinds::visitor_changed(Some(&visitor), &ines, AT)).unwrap();
        assert_eq!((made.of, made.id, made.action), (CONTACT, 20, Action::Create));
        let renamed = antiphon_store::Visitor { name: None, ..ines.clone() };
        let renamed = happened(kinds::visitor_changed(Some(&ines), &renamed, AT)).unwrap();
        assert_eq!((renamed.action, renamed.changes), (Action::Update, Changes::Now(vec!["name".into()])));

        let erased = happened(kinds::contact_erased(ines.id, AT)).unwrap();
        assert_eq!((erased.kind, erased.of, erased.id), (SubscriptionType::PrivacyDeletion, CONTACT, 20));
        assert_eq!((erased.action, erased.changes), (Action::GdprDelete, Changes::None));

        for (apps, action) in [
            (&[(APP, true)][..], Some(Action::AppInstall)),
            (&[(AppId(9), true), (APP, false)], Some(Action::AppUninstall)),
            (&[(AppId(9), true)], None),
            (&[], None),
        ] {
            let event = happened(kinds::apps_changed(AT, apps));
            assert_eq!(event.map(|event| (event.id, event.action)), action.map(|action| (APP.0, action)));
        }
    }

    #[test]
    fn subscriptions_take_what_they_ask_for() {
        let closed = changed("status", "CLOSED").unwrap();
        let takes = |change: fn(&mut Known)| {
            let mut known = conversations();
            change(&mut known);
            closed.meant(&known, PortalId(1), false)
        };
        assert!(takes(|_| {}));
        assert!(takes(|known| known.wanted.objects = vec![6, 7]));
        assert!(!takes(|known| known.wanted.objects = vec![6]));
        assert!(takes(|known| known.wanted.properties = vec!["status".into()]));
        assert!(!takes(|known| known.wanted.properties = vec!["assignedTo".into()]));
        assert!(takes(|known| known.wanted.actions = vec![Action::Update]));
        assert!(!takes(|known| known.wanted.actions = vec![Action::Create]));
        assert!(!takes(|known| known.wanted.of = CONTACT.into()));
        assert!(!takes(|known| known.wanted.kind = SubscriptionType::PrivacyDeletion));
        assert!(!takes(|known| known.wanted.since = 9), "what was before does not count");
    }

    #[test]
    fn values_are_those_of_then_or_of_now() {
        let now = Properties::from([("status".into(), "OPEN".into()), ("spam".into(), "false".into())]);
        let made = happened(kinds::thread_created(ThreadId(7), AT, Source::Server)).unwrap();
        let printed = |happened: &Happened, known: &Known| {
            happened.clone().printed(known, PortalId(1), Some(&now)).map(|event| event.property_changes)
        };
        let mut known = conversations();
        assert_eq!(printed(&made, &known), Some(Some(now.clone())));
        known.wanted.properties = vec!["spam".into()];
        assert_eq!(printed(&made, &known).unwrap().unwrap().len(), 1);
        let closed = changed("status", "CLOSED").unwrap();
        assert_eq!(printed(&closed, &conversations()).unwrap().unwrap()["status"], "CLOSED");
        let gone = happened(kinds::thread_archived(ThreadId(7), AT, Source::Server)).unwrap();
        assert_eq!(printed(&gone, &conversations()), Some(None));

        let condition = |value: &str| Filter {
            id: 1,
            at: 1,
            conditions: vec![Condition {
                property: "status".into(),
                operator: Operator::Eq,
                value: Some(value.into()),
                values: Vec::new(),
            }],
        };
        let mut known = conversations();
        known.filters = vec![condition("CLOSED")];
        assert_eq!(printed(&closed, &known), None);
        known.filters.push(condition("OPEN"));
        assert!(printed(&closed, &known).is_some(), "one of several is enough");
    }
}

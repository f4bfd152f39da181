//! Everything that can happen, one function each. No rule writes an event by hand, so payloads are decided once.

use std::collections::BTreeMap;

use antiphon_store::{
    Account, AccountId, AppId, Channel, Directory, EventKind, MessageId, MessageKind, Millis, NewEvent,
    ObjectKind, ThreadId, TicketId, Visitor, VisitorId,
};
use serde_json::json;

use crate::accounts;
use crate::actors::acting::actor;

/// Through what a thread changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An agent with this id did it by hand.
    Agent(i64),
    /// An app did it through the API.
    App(AppId),
    /// The server did it by itself, or in consequence of something else.
    Server,
}

impl Source {
    /// The members that tell it. Nothing in them is to be escaped.
    fn members(self) -> String {
        match self {
            Self::Agent(id) => format!(r#""changeSource":"CRM_UI","sourceId":"userId:{id}""#),
            Self::App(app) => format!(r#""changeSource":"INTEGRATION","sourceId":"{app}""#),
            Self::Server => r#""changeSource":"AUTOMATION_PLATFORM""#.to_owned(),
        }
    }
}

/// A thread exists.
pub fn thread_created(thread: ThreadId, at: Millis, by: Source) -> NewEvent {
    on_thread(EventKind::ThreadCreated, thread, at, format!("{{{}}}", by.members()))
}

/// Something was said or noted: a message, a comment or a greeting.
pub fn message_added(thread: ThreadId, at: Millis, id: MessageId, kind: MessageKind) -> NewEvent {
    on_thread(EventKind::MessageAdded, thread, at, entry(id, kind))
}

/// A visitor said something in a browser, which gave it an id by which it is known again there.
pub fn message_said(thread: ThreadId, at: Millis, id: MessageId, client_id: &str) -> NewEvent {
    let payload = json!({ "messageId": id.to_string(), "messageType": "MESSAGE", "clientId": client_id });
    on_thread(EventKind::MessageAdded, thread, at, payload.to_string())
}

/// The same, where the app whose channel it is has to carry it to the visitor.
pub fn message_to_carry(
    thread: ThreadId,
    at: Millis,
    id: MessageId,
    channel: &Channel,
    account: AccountId,
) -> NewEvent {
    let (app, channel) = (channel.app_id, channel.id);
    let payload = format!(
        r#"{{"messageId":"{id}","messageType":"MESSAGE","appId":{app},"channelId":"{channel}","channelAccountId":"{account}"}}"#
    );
    on_thread(EventKind::MessageAdded, thread, at, payload)
}

/// A public property of a thread has another value; "" stands for none.
pub fn property_changed(thread: ThreadId, at: Millis, by: Source, name: &str, value: &str) -> NewEvent {
    let (source, name, value) = (by.members(), json!(name), json!(value));
    let payload = format!(r#"{{{source},"propertyName":{name},"propertyValue":{value}}}"#);
    on_thread(EventKind::ThreadChanged, thread, at, payload)
}

/// A thread went to the trash.
pub fn thread_archived(thread: ThreadId, at: Millis, by: Source) -> NewEvent {
    on_thread(EventKind::ThreadArchived, thread, at, format!("{{{}}}", by.members()))
}

/// A thread is gone for good.
pub fn thread_purged(thread: ThreadId, at: Millis) -> NewEvent {
    on_thread(EventKind::ThreadPurged, thread, at, String::new())
}

/// An entry was added or rewritten that the public contract does not report.
pub fn entry_touched(thread: ThreadId, at: Millis, id: MessageId, kind: MessageKind) -> NewEvent {
    on_thread(EventKind::ThreadTouched, thread, at, entry(id, kind))
}

/// A property changed that the public contract does not report.
pub fn property_touched(thread: ThreadId, at: Millis, name: &str) -> NewEvent {
    on_thread(EventKind::ThreadTouched, thread, at, json!({ "propertyName": name }).to_string())
}

/// Somebody has read a thread further than before.
pub fn thread_read(thread: ThreadId, at: Millis, reader: &str, up_to: MessageId) -> NewEvent {
    let payload = json!({ "reader": reader, "messageId": up_to.to_string() });
    on_thread(EventKind::ThreadRead, thread, at, payload.to_string())
}

/// Agents are called in a note.
pub fn mentioned(thread: ThreadId, at: Millis, id: MessageId, agents: &[i64], by: &str) -> NewEvent {
    let agents: Vec<_> = agents.iter().copied().map(actor).collect();
    let payload = json!({ "messageId": id.to_string(), "actorIds": agents, "by": by });
    on_thread(EventKind::Mentioned, thread, at, payload.to_string())
}

/// A message that had failed is to be carried once more by the app whose channel it is, if it is an app's.
pub fn message_retried(
    thread: ThreadId,
    at: Millis,
    id: MessageId,
    carrier: Option<(&Channel, AccountId)>,
) -> NewEvent {
    let event = match carrier {
        Some((channel, account)) => message_to_carry(thread, at, id, channel, account),
        None => message_added(thread, at, id, MessageKind::Message),
    };
    NewEvent { kind: EventKind::MessageRetried, ..event }
}

/// Ready-made words were made, changed or taken away.
pub fn canned_reply_changed(id: i64, at: Millis) -> NewEvent {
    let event = internal(EventKind::CannedReplyChanged, ObjectKind::Directory, 0, at);
    NewEvent { payload: json!({ "cannedReplyId": id.to_string() }).to_string(), ..event }
}

/// A visitor or contact was made or changed. Of a contact the event says which properties, not what they are.
pub fn visitor_changed(before: Option<&Visitor>, after: &Visitor, at: Millis) -> NewEvent {
    let was = before.filter(|before| before.contact);
    let of = |one: &Visitor| [&one.name, &one.email, &one.phone, &one.avatar].map(Clone::clone);
    let values = (was.map(of).unwrap_or_default(), of(after));
    let names = ["name", "email", "phone", "avatar"].into_iter().enumerate();
    let changed: Vec<_> = names.filter(|(n, _)| values.0[*n] != values.1[*n]).map(|(_, name)| name).collect();
    let payload = match (after.contact, was) {
        (false, _) => String::new(),
        (true, None) => json!({ "contact": "created" }).to_string(),
        (true, Some(_)) => json!({ "contact": "changed", "properties": changed }).to_string(),
    };
    let event = internal(EventKind::VisitorChanged, ObjectKind::Visitor, after.id.0, at);
    NewEvent { payload, ..event }
}

/// A contact is gone for good: nothing is known of it any more.
pub fn contact_erased(contact: VisitorId, at: Millis) -> NewEvent {
    let event = internal(EventKind::VisitorChanged, ObjectKind::Visitor, contact.0, at);
    NewEvent { payload: json!({ "contact": "erased" }).to_string(), ..event }
}

/// A ticket was made or changed.
pub fn ticket_changed(ticket: TicketId, at: Millis) -> NewEvent {
    internal(EventKind::TicketChanged, ObjectKind::Ticket, ticket.0, at)
}

/// A file was made or changed.
pub fn file_changed(file: i64, at: Millis) -> NewEvent {
    internal(EventKind::FileChanged, ObjectKind::File, file, at)
}

/// An account was connected, or is otherwise now, on a channel that an app brought: the payload is all that the app is told
/// of it, since by then it may be another again. Nobody is told of other accounts.
pub fn account_changed(
    directory: &Directory,
    before: Option<&Account>,
    after: &Account,
    at: Millis,
) -> Option<NewEvent> {
    let kind = before.map_or(EventKind::AccountCreated, |_| EventKind::AccountUpdated);
    on_account(kind, directory, after, at)
}

/// The same of an account that is removed for good.
pub fn account_purged(directory: &Directory, known: &Account, at: Millis) -> Option<NewEvent> {
    on_account(EventKind::AccountPurged, directory, known, at)
}

fn on_account(kind: EventKind, directory: &Directory, known: &Account, at: Millis) -> Option<NewEvent> {
    let channel = directory.channel(known.channel_id)?;
    let mut payload = json!({
        "appId": channel.app_id.0,
        "channelId": channel.id.to_string(),
        "channelAccountId": known.id.to_string(),
        "authorized": known.authorized,
        "active": accounts::is_active(directory, known),
    });
    if let Some(identifier) = &known.identifier {
        payload["deliveryIdentifier"] = json!({ "type": identifier.kind, "value": identifier.value });
    }
    let event = internal(kind, ObjectKind::Account, known.id.0, at);
    Some(NewEvent { payload: payload.to_string(), ..event })
}

/// The portal's directory has a new revision.
pub fn directory_changed(at: Millis) -> NewEvent {
    internal(EventKind::DirectoryChanged, ObjectKind::Directory, 0, at)
}

/// The same, where apps were made, or may act from now on, or may no longer.
pub fn apps_changed(at: Millis, apps: &[(AppId, bool)]) -> NewEvent {
    let payload = match apps {
        [] => String::new(),
        apps => {
            let apps: BTreeMap<_, _> = apps.iter().map(|(app, acts)| (app.to_string(), *acts)).collect();
            json!({ "apps": apps }).to_string()
        }
    };
    NewEvent { payload, ..directory_changed(at) }
}

fn on_thread(kind: EventKind, thread: ThreadId, occurred_at: Millis, payload: String) -> NewEvent {
    NewEvent { kind, object: ObjectKind::Thread, object_id: thread.0, occurred_at, payload }
}

fn internal(kind: EventKind, object: ObjectKind, object_id: i64, occurred_at: Millis) -> NewEvent {
    NewEvent { kind, object, object_id, occurred_at, payload: String::new() }
}

/// Neither an id nor a kind has anything to escape.
fn entry(id: MessageId, kind: MessageKind) -> String {
    format!(r#"{{"messageId":"{id}","messageType":"{}"}}"#, kind_name(kind))
}

fn kind_name(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Message => "MESSAGE",
        MessageKind::Comment => "COMMENT",
        MessageKind::WelcomeMessage => "WELCOME_MESSAGE",
        MessageKind::Assignment => "ASSIGNMENT",
        MessageKind::ThreadStatusChange => "THREAD_STATUS_CHANGE",
        MessageKind::ThreadInboxChange => "THREAD_INBOX_CHANGE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_json_with_the_event_s_own_members() {
        let id = MessageId([0xab; 16]);
        let added = message_added(ThreadId(7), 5, id, MessageKind::WelcomeMessage);
        assert_eq!(added.payload, format!(r#"{{"messageId":"{id}","messageType":"WELCOME_MESSAGE"}}"#));
        let said: serde_json::Value =
            serde_json::from_str(&message_said(ThreadId(7), 5, id, "\"").payload).unwrap();
        assert_eq!(said, json!({ "messageId": id.to_string(), "messageType": "MESSAGE", "clientId": "\"" }));
        let changed = property_changed(ThreadId(7), 5, Source::App(AppId(4410)), "assignedTo", "");
        assert_eq!(
            changed.payload,
            r#"{"changeSource":"INTEGRATION","sourceId":"4410","propertyName":"assignedTo","propertyValue":""}"#
        );
        assert!(thread_purged(ThreadId(7), 5).payload.is_empty());
    }

    #[test]
    fn what_happens_to_a_thread_tells_through_what() {
        for (by, told) in [
            (Source::Agent(12), r#"{"changeSource":"CRM_UI","sourceId":"userId:12"}"#),
            (Source::App(AppId(4711)), r#"{"changeSource":"INTEGRATION","sourceId":"4711"}"#),
            (Source::Server, r#"{"changeSource":"AUTOMATION_PLATFORM"}"#),
        ] {
            assert_eq!(thread_created(ThreadId(7), 5, by).payload, told);
            assert_eq!(thread_archived(ThreadId(7), 5, by).payload, told);
        }
    }
}

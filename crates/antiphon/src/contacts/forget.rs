//! Where a person is to be forgotten: in threads of their own, in those of others, in chats, in journals and in tokens. Each of these is
//! looked through in pieces, and may be looked through again.

use antiphon_store::{
    AppId, Changes, HistoryQuery, Identifier, KnownThread, Moment, PortalId, Replacement, State, Target,
    ThreadId, ThreadQuery, ThreadSort, VisitorId,
};
use antiphon_wire::attachment::Attachment;
use antiphon_wire::message::{self as wire, DeliveryIdentifier, DeliveryIdentifierType as Kind, Direction};
use antiphon_wire::timestamp::Timestamp;
use serde_json::Value;

use super::erase::Known;
use crate::app::App;
use crate::events::kinds;
use crate::files::delete;
use crate::journal::objects::CONTACT;
use crate::messages::{self, channel, people};
use crate::refusal::Refusal;
use crate::widget::say::Beginning;

/// How many threads, entries or tokens are looked at together.
const CHUNK: usize = 100;

/// The same of entries of a journal, which may be large.
const ENTRIES: usize = 10;

/// What stands in the place of an address that was erased.
const ERASED: &str = "erased";

/// Threads of somebody that there are, in the trash or not.
fn of(visitor: VisitorId, archived: bool) -> ThreadQuery {
    ThreadQuery {
        archived,
        status: None,
        inboxes: Vec::new(),
        visitor: Some(visitor),
        ticket: None,
        latest_message_from: None,
        sort: ThreadSort::Id,
        descending: false,
        after: None,
        limit: CHUNK,
    }
}

/// Purges somebody's threads, with the files that they sent.
pub(super) async fn threads(app: &App, portal: PortalId, visitor: VisitorId) -> Result<(), Refusal> {
    loop {
        let mut all = Vec::new();
        for archived in [false, true] {
            let mut sink = |thread: &KnownThread| all.push(thread.id);
            app.store.threads(portal, &of(visitor, archived), &mut sink).await?;
        }
        if all.is_empty() {
            break;
        }
        for thread in all {
            files(app, portal, thread).await?;
            let rule =
                move |state: &State, moment: &mut Moment| Ok::<_, Refusal>(purged(state, visitor, moment));
            app.store.change(portal, Target::Thread(thread), rule).await??;
        }
    }
    while app.store.purge_step(portal).await? {}
    Ok(())
}

/// The rule: a thread is gone, if it is still theirs.
fn purged(state: &State, visitor: VisitorId, moment: &mut Moment) -> Changes {
    let mut changes = Changes::default();
    if let Some(thread) = state.thread.as_ref().filter(|thread| thread.visitor_id == visitor) {
        changes.purged.push(thread.id);
        changes.events.push(kinds::thread_purged(thread.id, moment.now));
    }
    changes
}

/// Erases the files that came in with a thread.
async fn files(app: &App, portal: PortalId, thread: ThreadId) -> Result<(), Refusal> {
    for archived in [false, true] {
        let mut after = None;
        loop {
            let query = HistoryQuery { archived, ascending: true, after, limit: CHUNK };
            let mut found = Vec::new();
            let mut sink = |document: &[u8]| {
                let message = wire::read(document);
                let message = message.filter(|one| one.direction == Some(Direction::Incoming));
                found.extend(message.iter().flat_map(sent));
            };
            let page = app.store.history(portal, thread, &query, &mut sink).await?;
            for file in found {
                erase_file(app, portal, file).await?;
            }
            match page.and_then(|page| page.next) {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(())
}

/// The files that a message carries.
fn sent(message: &wire::Message) -> Vec<i64> {
    let file = |attachment: &Attachment| match attachment {
        Attachment::File { file_id, .. } => file_id.parse().ok(),
        Attachment::MessageHeader { file_id, .. } => *file_id,
        _ => None,
    };
    message.attachments.iter().flatten().filter_map(file).collect()
}

async fn erase_file(app: &App, portal: PortalId, file: i64) -> Result<(), Refusal> {
    match delete::erase_file(app, portal, file, "").await {
        // It is erased already; but messages may still name it.
        Err(Refusal::NotFound { .. }) => delete::forget(app, portal, file).await.map(drop),
        done => done,
    }
}

/// Takes somebody out of others' threads, where messages came from them or went to them.
pub(super) async fn mentions(
    app: &App,
    portal: PortalId,
    visitor: VisitorId,
    known: &Known,
) -> Result<(), Refusal> {
    let addresses: Vec<Identifier> = known.addresses().collect();
    let keys: Vec<String> = addresses.iter().map(Identifier::key).collect();
    let names = addresses.iter().map(people::number_of).chain([visitor]);
    for name in names {
        let mut after = 0;
        loop {
            let page = app.store.person_mentions(portal, name, after, CHUNK).await?;
            let Some(last) = page.last() else { break };
            after = last.place;
            for mention in page {
                let stored = app.store.message_by_id(portal, mention.thread, mention.message).await?;
                let message = stored.and_then(|stored| wire::read(&stored.document.bytes));
                let own = message.filter(|message| {
                    message.direction == Some(Direction::Incoming) && is_sender(message, visitor)
                });
                for file in own.iter().flat_map(sent) {
                    erase_file(app, portal, file).await?;
                }
                let keys = keys.clone();
                let rule = move |state: &State, moment: &mut Moment| {
                    Ok::<_, Refusal>(without(state, visitor, &keys, moment))
                };
                let target = Target::Message(mention.thread, mention.message);
                app.store.change(portal, target, rule).await??;
            }
        }
    }
    Ok(())
}

fn is_sender(message: &wire::Message, visitor: VisitorId) -> bool {
    let actor = format!("V-{visitor}");
    message.senders.iter().any(|sender| sender.actor_id.as_ref() == Some(&actor))
}

/// The rule: a message without somebody's name and addresses. That there was somebody stays to be seen.
fn without(state: &State, visitor: VisitorId, keys: &[String], moment: &mut Moment) -> Changes {
    let mut changes = Changes::default();
    let (Some(thread), Some(stored)) = (&state.thread, &state.message) else { return changes };
    let Some(mut message) = wire::read(&stored.document.bytes) else { return changes };
    let before = message.clone();
    let actor = format!("V-{visitor}");
    let is_theirs = |id: &Option<String>, address: Option<&DeliveryIdentifier>| {
        id.as_ref() == Some(&actor) || address.is_some_and(|one| keys.contains(&channel::stored(one).key()))
    };
    for sender in &mut message.senders {
        if is_theirs(&sender.actor_id, sender.delivery_identifier.as_ref()) {
            sender.name = None;
            sender.delivery_identifier = None;
        }
    }
    for recipient in &mut message.recipients {
        if is_theirs(&recipient.actor_id, Some(&recipient.delivery_identifier)) {
            recipient.name = None;
            recipient.delivery_identifier =
                DeliveryIdentifier { kind: Kind::Opaque, value: ERASED.to_owned() };
        }
    }
    if message != before {
        message.updated_at = Some(Timestamp(moment.now.max(message.created_at.0)));
        let document = messages::document(&message);
        changes.replaced.push(Replacement { thread_id: thread.id, message_id: stored.id, document });
        changes.events.push(kinds::entry_touched(thread.id, moment.now, stored.id, stored.kind));
    }
    changes
}

/// Takes what somebody was called out of the journals of all apps that may have been told.
pub(super) async fn journals(app: &App, portal: PortalId, contact: VisitorId) -> Result<(), Refusal> {
    let Some(directory) = app.store.directory(portal).await? else { return Ok(()) };
    let guests = directory.installs().map(|one| (one.home, one.app_id));
    let mut all: Vec<(PortalId, AppId)> =
        directory.apps().iter().map(|one| (portal, one.id)).chain(guests).collect();
    all.sort_unstable_by_key(|(home, app)| (home.0, app.0));
    all.dedup();
    for (home, owner) in all {
        let mut after = 0;
        loop {
            let page = app.store.journal_docs(home, owner, after, ENTRIES).await?;
            let Some(last) = page.last() else { break };
            after = last.0;
            for (id, doc) in page {
                if let Some(doc) = nameless(&doc, portal, contact) {
                    app.store.journal_rewrite(home, owner, id, doc).await?;
                }
            }
        }
    }
    Ok(())
}

/// The file of an entry without what a contact was called; `None` where it says nothing of that.
fn nameless(doc: &[u8], portal: PortalId, contact: VisitorId) -> Option<Vec<u8>> {
    memchr::memmem::find(doc, format!("\"objectId\":{contact},").as_bytes())?;
    let mut file: Value = serde_json::from_slice(doc).ok()?;
    let mut found = false;
    for event in file.get_mut("journalEvents")?.as_array_mut()? {
        let is_theirs = event["objectTypeId"] == CONTACT
            && event["portalId"] == portal.0
            && event["objectId"] == contact.0;
        let changes = event.get_mut("propertyChanges").filter(|_| is_theirs);
        if let Some(changes) = changes.and_then(Value::as_object_mut).filter(|changes| !changes.is_empty()) {
            changes.clear();
            found = true;
        }
    }
    found.then(|| serde_json::to_vec(&file).ok()).flatten()
}

/// Clears away what tokens say that were given out for somebody.
pub(super) async fn tokens(app: &App, portal: PortalId, known: &Known) -> Result<(), Refusal> {
    let emails = known.emails();
    if emails.is_empty() {
        return Ok(());
    }
    let mut after = (i64::MIN, i64::MIN);
    loop {
        let page = app.store.visitor_tokens_said(portal, after, CHUNK).await?;
        let Some((ends_at, nonce, _)) = page.last() else { return Ok(()) };
        after = (*ends_at, *nonce);
        for (ends_at, nonce, said) in page {
            let said = said.to_lowercase();
            if emails.iter().any(|email| said.contains(email.as_str())) {
                app.store.visitor_token_end(portal, ends_at, nonce).await?;
            }
        }
    }
}

/// Takes addresses out of chats in which somebody said them who proved nothing: the chats are whoever's they are.
pub(super) async fn chats(app: &App, portal: PortalId, known: &Known) -> Result<(), Refusal> {
    for email in known.emails() {
        let mut after = ThreadId(0);
        loop {
            let page = app.store.chats_said(portal, &email, after, CHUNK).await?;
            let Some(last) = page.last() else { break };
            after = last.thread_id;
            for chat in page {
                let left = Beginning { email: None, ..Beginning::parse(chat.said.as_deref()) };
                app.store.chat_unsay(portal, chat.thread_id, &email, left.printed()).await?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_keeps_that_something_happened_and_not_to_whom() {
        let file = |events: &str| format!(r#"{{"offset":"x","journalEvents":[{events}]}}"#);
        let event = |portal: i64, of: &str, id: i64| {
            format!(
                r#"{{"portalId":{portal},"objectTypeId":"{of}","objectId":{id},"propertyChanges":{{"name":"Ines"}}}}"#
            )
        };
        for (events, found) in [
            (event(1, CONTACT, 20), true),
            (event(2, CONTACT, 20), false),
            (event(1, CONTACT, 2), false),
            (event(1, CONTACT, 200), false),
            (event(1, "0-11", 20), false),
            (r#"{"portalId":1,"objectTypeId":"0-1","objectId":20,"action":"DELETE"}"#.into(), false),
            ("[".into(), false),
        ] {
            let left = nameless(file(&events).as_bytes(), PortalId(1), VisitorId(20));
            assert_eq!(left.is_some(), found, "{events}");
            let again = left.map(|left| nameless(&left, PortalId(1), VisitorId(20)));
            assert_eq!(again.flatten(), None, "nothing is left to be done");
        }
        let both = file(&format!("{},{}", event(1, CONTACT, 20), event(1, CONTACT, 21)));
        let left = String::from_utf8(nameless(both.as_bytes(), PortalId(1), VisitorId(20)).unwrap()).unwrap();
        assert_eq!((left.matches("Ines").count(), left.matches("objectId").count()), (1, 2));
    }
}

//! From a target to the state its rule sees.

use super::batch::Batch;
use super::failure::Result;
use super::{canned, desk, erasures, files, messages, threads, visitors};
use crate::visitors::phone_key;
use crate::{
    AccountId, ConversationKey, Earlier, MessageId, PortalId, State, StoreError, Target, Thread, ThreadId,
    Visitor,
};
use rusqlite::{OptionalExtension, params};

pub(super) fn state(batch: &mut Batch<'_>, portal: PortalId, target: &Target) -> Result<State> {
    batch.lodge(portal)?;
    let memory = batch.portal(portal)?;
    let mut state = State {
        directory: memory.directory.clone(),
        usage: memory.counters.usage,
        thread: None,
        threads: Vec::new(),
        visitor: None,
        contact: None,
        erasure: None,
        ticket: None,
        message: None,
        replied: None,
        earlier: None,
        files: None,
        desk: None,
        canned: None,
        named: None,
        bound: None,
    };
    match target {
        Target::Thread(id) => state.thread = batch.thread(portal, *id)?.cloned(),
        Target::Message(thread, id) => {
            state.thread = batch.thread(portal, *thread)?.cloned();
            if let Some(thread) = &state.thread {
                state.message =
                    messages::in_thread(batch.conn, portal, thread, *id)?.map(|(_, message)| message);
            }
        }
        Target::Threads(ids) => {
            let mut ids = ids.clone();
            ids.sort_unstable();
            ids.dedup();
            for id in ids {
                state.threads.extend(batch.thread(portal, id)?.cloned());
            }
        }
        Target::Conversation(key) => conversation(batch, portal, key, &mut state)?,
        Target::Visitor(id) => state.visitor = batch.visitor(portal, *id)?,
        Target::Erasure(id) => {
            state.visitor = batch.visitor(portal, *id)?;
            state.erasure = erasures::by_id(batch.conn, portal, *id)?;
        }
        Target::Contact { email, phone } => {
            state.contact = contact(batch, portal, email.as_deref(), phone.as_deref())?;
            state.visitor = state.contact.clone();
        }
        Target::Ticket { ticket, thread } => {
            if let Some(id) = ticket {
                state.ticket = visitors::ticket_by_id(batch.conn, portal, *id)?;
            }
            if let Some(id) = thread {
                state.thread = batch.thread(portal, *id)?.cloned();
            }
        }
        Target::File(key) => state.files = Some(Box::new(files::state(batch.conn, portal, key)?)),
        Target::Desk(key) => {
            state.thread = batch.thread(portal, key.thread)?.cloned();
            if let Some(thread) = &state.thread {
                let earlier = match &key.once {
                    Some(once) => earlier(batch, portal, AccountId(0), once)?,
                    None => None,
                };
                state.desk = Some(Box::new(desk::state(batch.conn, portal, thread, key, earlier)?));
            }
        }
        Target::Canned(key) => state.canned = Some(Box::new(canned::state(batch.conn, portal, key)?)),
        Target::Directory => {}
    }
    Ok(state)
}

fn contact(
    batch: &Batch<'_>,
    portal: PortalId,
    email: Option<&str>,
    phone: Option<&str>,
) -> Result<Option<Visitor>> {
    if let Some(email) = email
        && let Some(contact) = visitors::contact_by_email(batch.conn, portal, email)?
    {
        return Ok(Some(contact));
    }
    phone.map_or(Ok(None), |phone| visitors::contact_by_phone(batch.conn, portal, phone))
}

fn conversation(
    batch: &mut Batch<'_>,
    portal: PortalId,
    key: &ConversationKey,
    state: &mut State,
) -> Result<()> {
    if let (Some(account), Some(identifier)) = (key.account_id, &key.identifier) {
        state.bound = batch.bound(portal, account, identifier)?;
    }
    if let Some(id) = key.visitor.or(state.bound) {
        state.visitor = batch.visitor(portal, id)?;
    }
    if let Some(identifier) = &key.identifier {
        let value = Some(identifier.value.as_str());
        state.contact = match identifier.kind.as_str() {
            "HS_EMAIL_ADDRESS" => contact(batch, portal, value, None)?,
            "HS_PHONE_NUMBER" => contact(batch, portal, None, Some(&phone_key(&identifier.value)))?,
            _ => None,
        };
    }
    state.earlier = match (key.account_id, &key.idempotency_key) {
        (Some(account), Some(key)) => earlier(batch, portal, account, key)?,
        _ => None,
    };
    state.replied = replied(batch, portal, key)?;
    state.named = match (key.account_id, &key.thread_key) {
        (Some(account), Some(name)) => bound(batch, portal, account, name)?.map(|thread| thread.id),
        _ => None,
    };
    state.thread = thread(batch, portal, key, state)?;
    Ok(())
}

/// The thread of the message replied to, if that came over the same account.
fn replied(batch: &mut Batch<'_>, portal: PortalId, key: &ConversationKey) -> Result<Option<ThreadId>> {
    let (Some(account), Some(message)) = (key.account_id, key.in_reply_to) else { return Ok(None) };
    let Some(number) = messages::thread_number(batch.conn, portal, message)? else { return Ok(None) };
    let Some(id) = threads::id_of_number(batch.conn, portal, number)? else { return Ok(None) };
    Ok(batch.thread(portal, id)?.filter(|thread| thread.account_id == account).map(|thread| thread.id))
}

/// What an idempotency key led to, as long as that thread is there.
fn earlier(
    batch: &mut Batch<'_>,
    portal: PortalId,
    account: AccountId,
    key: &str,
) -> Result<Option<Earlier>> {
    let sql = "SELECT thread_id, message_id FROM idempotency_keys WHERE portal_id = ?1 AND account_id = ?2 AND key = ?3";
    let found = batch
        .conn
        .prepare_cached(sql)?
        .query_row(params![portal.0, account.0, key], |row| {
            Ok(Earlier { thread_id: ThreadId(row.get(0)?), message_id: MessageId(row.get(1)?) })
        })
        .optional()?;
    match found {
        Some(found) if batch.thread(portal, found.thread_id)?.is_some() => Ok(Some(found)),
        _ => Ok(None),
    }
}

/// The live thread to which a name leads.
fn bound(batch: &mut Batch<'_>, portal: PortalId, account: AccountId, name: &str) -> Result<Option<Thread>> {
    let Some(id) = batch.named(portal, account, name)? else { return Ok(None) };
    Ok(batch.thread(portal, id)?.filter(|thread| !thread.is_archived()).cloned())
}

/// The live thread a conversation goes on in.
fn thread(
    batch: &mut Batch<'_>,
    portal: PortalId,
    key: &ConversationKey,
    state: &State,
) -> Result<Option<Thread>> {
    let live = |batch: &mut Batch<'_>, id: ThreadId| -> Result<Option<Thread>> {
        Ok(batch.thread(portal, id)?.filter(|thread| !thread.is_archived()).cloned())
    };
    if let Some(earlier) = &state.earlier
        && let Some(thread) = live(batch, earlier.thread_id)?
    {
        return Ok(Some(thread));
    }
    let Some(account) = key.account_id else { return Ok(None) };
    if let Some(id) = key.thread
        && let Some(thread) = live(batch, id)?.filter(|thread| thread.account_id == account)
    {
        return Ok(Some(thread));
    }
    if let Some(id) = state.replied
        && let Some(thread) = live(batch, id)?
    {
        return Ok(Some(thread));
    }
    if key.thread_key.is_some() && !key.parties_first {
        let found = match (state.named, &key.parties, state.bound) {
            (Some(id), ..) => Some(id),
            (None, Some(_), Some(visitor)) if !key.new_thread => {
                threads::newest_nameless(batch.conn, portal, visitor, account)?
            }
            _ => None,
        };
        return found.map_or(Ok(None), |id| live(batch, id));
    }
    if key.new_thread {
        return Ok(None);
    }
    if let Some(parties) = &key.parties {
        return bound(batch, portal, account, parties);
    }
    let Some(visitor) = state.visitor.as_ref().or(state.contact.as_ref()) else { return Ok(None) };
    match threads::newest_live(batch.conn, portal, visitor.id, account)? {
        Some(id) => live(batch, id)?
            .map(Some)
            .ok_or_else(|| StoreError::Damaged(format!("thread {id} is in an index only")).into()),
        None => Ok(None),
    }
}

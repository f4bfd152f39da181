//! From changes to rows. Everything here happens inside the batch's transaction.

use std::sync::Arc;

use rusqlite::params;

use super::batch::Batch;
use super::failure::{Result, conflict};
use super::{
    audit, canned, chats, cursors, desk, directory, erasures, events, files, messages, resolve, visitors,
};
use crate::{
    Applied, Changes, DirectoryChange, EventKind, Millis, Moment, NewEvent, ObjectKind, PortalId, State,
    StoreError, Target, Thread, ThreadId,
};

/// Runs a rule on its target and does what it wants.
pub(super) fn change<R>(
    batch: &mut Batch<'_>,
    portal: PortalId,
    target: &Target,
    rule: &mut impl FnMut(&State, &mut Moment) -> std::result::Result<Changes, R>,
) -> Result<std::result::Result<Applied, R>> {
    let state = resolve::state(batch, portal, target)?;
    let (now, message_ids, server) = (batch.now, batch.message_ids, batch.pending.server);
    let mut moment = batch.portal(portal)?.moment(now, &server, message_ids);
    match rule(&state, &mut moment) {
        Ok(changes) => apply(batch, portal, changes, &moment, state).map(Ok),
        Err(refusal) => Ok(Err(refusal)),
    }
}

/// Revisions of what this change wrote, for its events.
type Revisions = Vec<(ObjectKind, i64, i64)>;

fn apply(
    batch: &mut Batch<'_>,
    portal: PortalId,
    mut changes: Changes,
    moment: &Moment,
    state: State,
) -> Result<Applied> {
    if changes.is_empty() {
        return Ok(Applied { changes, state });
    }
    if changes.rows() > Changes::MOST_ROWS {
        return Err(conflict(format!("a change writes at most {} rows", Changes::MOST_ROWS)));
    }
    batch.written = true;
    let mut server = batch.pending.server;
    batch.portal(portal)?.spend(moment, &mut server);
    batch.pending.server = server;
    let mut revisions = Revisions::new();
    write_directory(batch, portal, &mut changes, moment.now, &mut revisions)?;
    if !changes.audit.is_empty() {
        let revision = batch.portal(portal)?.directory.revision;
        crate::audit::name(&mut changes.audit, moment.now, revision);
        audit::write(batch.conn, portal, &changes.audit)?;
    }
    write_people(batch, portal, &changes, moment.now, &mut revisions)?;
    write_threads(batch, portal, &mut changes, &mut revisions)?;
    for new in &changes.replaced {
        let conn = batch.conn;
        let grown = messages::replace(conn, portal, stored(batch, portal, new.thread_id)?, new)?;
        batch.portal(portal)?.counters.usage.bytes += grown;
    }
    for change in &changes.desk {
        stored(batch, portal, change.thread())?;
    }
    desk::write(batch.conn, portal, &changes.desk)?;
    canned::write(batch.conn, portal, &changes.canned)?;
    for id in &changes.purged {
        purge(batch, portal, *id, &mut revisions)?;
    }
    write_keys(batch, portal, &changes)?;
    write_events(batch, portal, &changes.events, &revisions)?;
    Ok(Applied { changes, state })
}

fn write_directory(
    batch: &mut Batch<'_>,
    portal: PortalId,
    changes: &mut Changes,
    now: Millis,
    revisions: &mut Revisions,
) -> Result<()> {
    if changes.directory.is_empty() {
        return Ok(());
    }
    let (conn, seals) = (batch.conn, batch.seals());
    let memory = batch.portal(portal)?;
    let (before, position) = (memory.directory.clone(), memory.counters.event_position);
    let directory = Arc::make_mut(&mut memory.directory);
    let (mut highest_app, mut highest_channel) = (0, 0);
    for change in &changes.directory {
        directory::apply(conn, seals, directory, change)?;
        // An id that a rule chose itself is never given out again.
        let counters = &mut memory.counters;
        match change {
            DirectoryChange::Inbox(inbox) => raise(&mut counters.next_inbox, inbox.id.0),
            DirectoryChange::Account(account) => raise(&mut counters.next_account, account.id.0),
            DirectoryChange::Actor(actor) => raise(&mut counters.next_actor, actor.id),
            DirectoryChange::App(app) => highest_app = highest_app.max(app.id.0),
            DirectoryChange::Subscription(one) => raise(&mut counters.next_subscription, one.id.0),
            DirectoryChange::JournalSubscription(one) => raise(&mut counters.next_subscription, one.id.0),
            DirectoryChange::Grant(grant) => raise(&mut counters.next_subscription, grant.id),
            DirectoryChange::Tag(tag) => raise(&mut counters.next_subscription, tag.id.0),
            DirectoryChange::View(view) => raise(&mut counters.next_subscription, view.id.0),
            DirectoryChange::Channel(channel) => highest_channel = highest_channel.max(channel.id),
            DirectoryChange::Portal(_)
            | DirectoryChange::AccountPurged(..)
            | DirectoryChange::Token(_)
            | DirectoryChange::Webhook(_)
            | DirectoryChange::StagingToken(_)
            | DirectoryChange::Login(_)
            | DirectoryChange::Client(_)
            | DirectoryChange::Install(_) => {}
        }
    }
    batch.lodge(portal)?;
    let memory = batch.portal(portal)?;
    cursors::switch(conn, &before, &memory.directory, &changes.directory, position)?;
    let directory = Arc::make_mut(&mut memory.directory);
    directory.revision += 1;
    directory::write_revision(conn, directory)?;
    revisions.push((ObjectKind::Directory, 0, directory.revision));
    raise(&mut batch.pending.server.next_app, highest_app);
    raise(&mut batch.pending.server.next_channel, highest_channel);
    // Whoever follows the spine lives on this event, whether or not the rule thought of it.
    if !changes.events.iter().any(|event| event.kind == EventKind::DirectoryChanged) {
        changes.events.push(NewEvent {
            kind: EventKind::DirectoryChanged,
            object: ObjectKind::Directory,
            object_id: 0,
            occurred_at: now,
            payload: String::new(),
        });
    }
    Ok(())
}

fn raise(next: &mut i64, used: i64) {
    *next = (*next).max(used + 1);
}

fn write_people(
    batch: &mut Batch<'_>,
    portal: PortalId,
    changes: &Changes,
    now: Millis,
    revisions: &mut Revisions,
) -> Result<()> {
    let conn = batch.conn;
    files::write(conn, portal, changes)?;
    for visitor in &changes.visitors {
        revisions.push((ObjectKind::Visitor, visitor.id.0, batch.visitor_put(portal, visitor)?));
    }
    for ticket in &changes.tickets {
        revisions.push((ObjectKind::Ticket, ticket.id.0, visitors::put_ticket(conn, portal, ticket)?));
    }
    for file in &changes.files {
        revisions.push((ObjectKind::File, file.id, files::put(conn, portal, file, now)?));
    }
    for (account, identifier, visitor) in &changes.identities {
        batch.bind(portal, *account, identifier, *visitor)?;
    }
    for visitor in &changes.unbound {
        batch.unbind(portal, *visitor)?;
    }
    erasures::write(conn, portal, &changes.erasures)?;
    let counters = &mut batch.portal(portal)?.counters;
    changes.visitors.iter().for_each(|visitor| raise(&mut counters.next_visitor, visitor.id.0));
    changes.tickets.iter().for_each(|ticket| raise(&mut counters.next_ticket, ticket.id.0));
    changes.files.iter().for_each(|file| raise(&mut counters.next_file, file.id));
    changes.folders.iter().for_each(|folder| raise(&mut counters.next_file, folder.id));
    Ok(())
}

/// Threads with their new entries, so that each row is written once.
fn write_threads(
    batch: &mut Batch<'_>,
    portal: PortalId,
    changes: &mut Changes,
    revisions: &mut Revisions,
) -> Result<()> {
    let conn = batch.conn;
    let asked = changes.threads.len();
    for thread in &mut changes.threads {
        match thread.number {
            0 => {
                thread.number = batch.pending.server.next_number;
                batch.pending.server.next_number += 1;
                (thread.entries, thread.revision) = (0, 1);
            }
            _ => {
                let stored = stored(batch, portal, thread.id)?;
                if stored.number != thread.number {
                    return Err(conflict(format!("thread {} has another number", thread.id)));
                }
                (thread.entries, thread.revision) = (stored.entries, stored.revision + 1);
            }
        }
    }
    if !changes.messages.is_empty() {
        let mut insert = conn.prepare_cached(messages::INSERT)?;
        for message in &changes.messages {
            let at = match changes.threads.iter().position(|thread| thread.id == message.thread_id) {
                Some(at) => at,
                None => {
                    let mut thread = stored(batch, portal, message.thread_id)?.clone();
                    thread.revision += 1;
                    changes.threads.push(thread);
                    changes.threads.len() - 1
                }
            };
            messages::append(&mut insert, conn, portal, &mut changes.threads[at], message)?;
        }
    }
    let usage = &mut batch.portal(portal)?.counters;
    usage.usage.messages += changes.messages.len() as i64;
    usage.usage.bytes +=
        changes.messages.iter().map(|message| message.document.bytes.len() as i64).sum::<i64>();
    for thread in &changes.threads {
        revisions.push((ObjectKind::Thread, thread.id.0, thread.revision));
        if thread.revision == 1 {
            let counters = &mut batch.portal(portal)?.counters;
            raise(&mut counters.next_thread, thread.id.0);
            counters.usage.threads += 1;
            batch.thread_new(portal, thread.clone())?;
        } else {
            batch.thread_set(portal, thread.clone())?;
        }
    }
    changes.threads.truncate(asked);
    Ok(())
}

fn stored<'b>(batch: &'b mut Batch<'_>, portal: PortalId, id: ThreadId) -> Result<&'b Thread> {
    batch.thread(portal, id)?.ok_or_else(|| conflict(format!("there is no thread {id}")))
}

/// Takes a thread out of every list and look-up at once. Its entries are erased in the background.
fn purge(batch: &mut Batch<'_>, portal: PortalId, id: ThreadId, revisions: &mut Revisions) -> Result<()> {
    let Some(thread) = batch.thread(portal, id)? else { return Ok(()) };
    let (number, revision) = (thread.number, thread.revision + 1);
    batch.thread_remove(portal, id);
    batch.conn.prepare_cached("DELETE FROM threads WHERE number = ?1")?.execute([number])?;
    batch.conn.prepare_cached("INSERT INTO purges VALUES (?1, ?2, ?3)")?.execute([number, portal.0, id.0])?;
    batch.portal(portal)?.counters.usage.threads -= 1;
    revisions.retain(|(kind, object, _)| (*kind, *object) != (ObjectKind::Thread, id.0));
    revisions.push((ObjectKind::Thread, id.0, revision));
    Ok(())
}

fn write_keys(batch: &mut Batch<'_>, portal: PortalId, changes: &Changes) -> Result<()> {
    for (account, key, thread) in &changes.thread_keys {
        batch.name(portal, *account, key, *thread)?;
    }
    for chat in &changes.chats {
        chats::put(batch.conn, portal, chat)?;
    }
    for (account, key, earlier) in &changes.idempotency_keys {
        batch
            .conn
            .prepare_cached("INSERT OR REPLACE INTO idempotency_keys VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![portal.0, account.0, key, earlier.thread_id.0, earlier.message_id.0])?;
    }
    Ok(())
}

/// Records events behind those of earlier changes.
fn write_events(
    batch: &mut Batch<'_>,
    portal: PortalId,
    new: &[NewEvent],
    revisions: &Revisions,
) -> Result<()> {
    let conn = batch.conn;
    let mut position = batch.portal(portal)?.counters.event_position;
    if !new.is_empty() {
        let mut insert = conn.prepare_cached(events::INSERT)?;
        for event in new {
            position += 1;
            let revision = match revisions.iter().find(|r| (r.0, r.1) == (event.object, event.object_id)) {
                Some((_, _, revision)) => *revision,
                None => revision(batch, portal, event)?,
            };
            events::append(&mut insert, portal, position, revision, event)?;
        }
    }
    batch.portal(portal)?.counters.event_position = position;
    Ok(())
}

/// The revision of an object that an event is about and the change did not write.
fn revision(batch: &mut Batch<'_>, portal: PortalId, event: &NewEvent) -> Result<i64> {
    let sql = match event.object {
        ObjectKind::Thread => {
            return Ok(batch.thread(portal, ThreadId(event.object_id))?.map_or(0, |thread| thread.revision));
        }
        ObjectKind::Directory | ObjectKind::App | ObjectKind::Account => {
            return Ok(batch.portal(portal)?.directory.revision);
        }
        ObjectKind::Visitor => "SELECT max(revision) FROM visitors WHERE portal_id = ?1 AND id = ?2",
        ObjectKind::Ticket => "SELECT max(revision) FROM tickets WHERE portal_id = ?1 AND id = ?2",
        ObjectKind::File => "SELECT max(revision) FROM files WHERE portal_id = ?1 AND id = ?2",
    };
    let found = batch.conn.prepare_cached(sql)?.query_row([portal.0, event.object_id], |row| row.get(0));
    Ok(found.map(|revision: Option<i64>| revision.unwrap_or_default())?)
}

/// A rule that panicked: its change is a bug, the others go on.
pub(super) fn panicked() -> StoreError {
    StoreError::Conflict("the rule panicked".into())
}

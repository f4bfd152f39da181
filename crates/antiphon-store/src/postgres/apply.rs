//! From changes to rows. What is rare is written at once; what every message brings is gathered, and written for the whole
//! batch with one statement a table when it is committed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::batch::Batch;
use super::failure::{Failure, Result, conflict};
use super::readers::{execute, row};
use super::{audit, canned, chats, cursors, desk, directory, erasures, files, people};
use crate::messages::{MOST_ENTRIES, key};
use crate::{
    Changes, ConversationKey, DirectoryChange, Earlier, EventKind, Kind, Millis, NewEvent, NewMessage,
    ObjectKind, Thread, ThreadId, Usage,
};

/// Ids of threads stay below this: they are the upper part of their entries' keys.
const MOST_THREADS: i64 = i64::MAX / MOST_ENTRIES;

/// What waits for the commit.
#[derive(Default)]
pub(super) struct Writes {
    /// Whether something was written that does not wait.
    pub begun: bool,
    /// New entries with their keys.
    pub messages: Vec<(i64, NewMessage)>,
    pub made: BTreeSet<ThreadId>,
    pub changed: BTreeSet<ThreadId>,
    /// Threads in which something was said, and nothing else changed.
    pub continued: BTreeSet<ThreadId>,
    /// Threads that are new in the lists sorted by newest message.
    pub placed: BTreeSet<ThreadId>,
    /// Threads that stand elsewhere in those lists.
    pub moved: BTreeSet<ThreadId>,
    /// Threads whose tags are other ones, or that stand elsewhere in the lists of their tags.
    pub tagged: BTreeSet<ThreadId>,
    /// How many threads more of each kind there are, or fewer.
    pub counts: BTreeMap<Kind, i64>,
    pub idempotency_keys: Vec<(i64, String, Earlier)>,
    /// Threads that are gone, and whose idempotency keys are taken over.
    pub gone: Vec<i64>,
    /// Events with the revisions of their objects, where the batch has them.
    pub events: Vec<(Option<i64>, NewEvent)>,
    pub held: Usage,
}

impl Writes {
    pub(super) fn is_empty(&self) -> bool {
        !self.begun
            && self.messages.is_empty()
            && self.made.is_empty()
            && self.changed.is_empty()
            && self.continued.is_empty()
            && self.idempotency_keys.is_empty()
            && self.events.is_empty()
    }
}

/// Revisions of what a change wrote, for its events.
type Revisions = BTreeMap<(u8, i64), i64>;

impl Batch<'_> {
    /// Does what a rule wants. Everything that it touches is locked. After an error the transaction is of no use.
    pub(super) async fn apply(&mut self, mut changes: Changes, now: Millis) -> Result<Changes> {
        if changes.rows() > Changes::MOST_ROWS {
            return Err(conflict(format!("a change writes at most {} rows", Changes::MOST_ROWS)));
        }
        let mut revisions = Revisions::new();
        self.write_directory(&mut changes, now, &mut revisions).await?;
        crate::audit::name(&mut changes.audit, now, self.directory.revision);
        audit::write(&self.session.client, self.portal, &changes.audit).await?;
        self.writes.begun |= !changes.audit.is_empty();
        self.write_people(&changes, now, &mut revisions).await?;
        self.write_threads(&mut changes, &mut revisions)?;
        self.replace(&changes).await?;
        if !changes.desk.is_empty() {
            for change in &changes.desk {
                self.stored(change.thread())?;
            }
            desk::write(&self.session.client, self.portal, &changes.desk).await?;
            self.writes.begun = true;
        }
        if !changes.canned.is_empty() {
            canned::write(&self.session.client, self.portal, &changes.canned).await?;
            self.writes.begun = true;
        }
        for id in &changes.purged {
            self.purge(*id, &mut revisions).await?;
        }
        self.write_keys(&changes).await?;
        for event in &changes.events {
            let written = revisions.get(&(event.object as u8, event.object_id)).copied();
            let known = written.or_else(|| match event.object {
                ObjectKind::Thread => self.found.threads.get(&ThreadId(event.object_id)).map(|t| t.revision),
                ObjectKind::Directory | ObjectKind::App | ObjectKind::Account => {
                    Some(self.directory.revision)
                }
                ObjectKind::Visitor | ObjectKind::Ticket | ObjectKind::File => None,
            });
            self.writes.events.push((known, event.clone()));
        }
        Ok(changes)
    }

    async fn write_directory(
        &mut self,
        changes: &mut Changes,
        now: Millis,
        revisions: &mut Revisions,
    ) -> Result<()> {
        if changes.directory.is_empty() {
            return Ok(());
        }
        self.writes.begun = true;
        let (session, portal, revision) = (&self.session, self.portal, self.directory.revision + 1);
        let client = &session.client;
        let before = self.directory.clone();
        for change in &changes.directory {
            directory::write(session, portal, revision, change).await?;
            // An id that a rule chose itself is never given out again.
            match change {
                DirectoryChange::Inbox(inbox) => raise(&mut self.ids.inbox, inbox.id.0),
                DirectoryChange::Account(account) => raise(&mut self.ids.account, account.id.0),
                DirectoryChange::Actor(actor) => raise(&mut self.ids.actor, actor.id),
                DirectoryChange::App(app) => raise(&mut self.ids.app, app.id.0),
                DirectoryChange::Subscription(one) => raise(&mut self.ids.subscription, one.id.0),
                DirectoryChange::JournalSubscription(one) => raise(&mut self.ids.subscription, one.id.0),
                DirectoryChange::Grant(grant) => raise(&mut self.ids.subscription, grant.id),
                DirectoryChange::Tag(tag) => raise(&mut self.ids.subscription, tag.id.0),
                DirectoryChange::View(view) => raise(&mut self.ids.subscription, view.id.0),
                DirectoryChange::Channel(channel) => raise(&mut self.ids.channel, channel.id),
                DirectoryChange::Portal(_)
                | DirectoryChange::AccountPurged(..)
                | DirectoryChange::Token(_)
                | DirectoryChange::Webhook(_)
                | DirectoryChange::StagingToken(_)
                | DirectoryChange::Login(_)
                | DirectoryChange::Client(_)
                | DirectoryChange::Install(_) => {}
            }
            Arc::make_mut(&mut self.directory).put(change.clone());
        }
        self.directory = directory::lodging(session, &self.directory, |_| None).await?;
        cursors::switch(client, &before, &self.directory, &changes.directory).await?;
        for sql in [
            "UPDATE portals SET revision = $2 WHERE id = $1",
            "UPDATE counters SET directory = $2 WHERE portal_id = $1",
        ] {
            execute(client, sql, &[&portal.0, &revision]).await?;
        }
        Arc::make_mut(&mut self.directory).revision = revision;
        revisions.insert((ObjectKind::Directory as u8, 0), revision);
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

    async fn write_people(
        &mut self,
        changes: &Changes,
        now: Millis,
        revisions: &mut Revisions,
    ) -> Result<()> {
        let (client, portal) = (&self.session.client, self.portal);
        if changes.needs_files() {
            files::write(client, portal, changes).await?;
            self.writes.begun = true;
        }
        for visitor in &changes.visitors {
            let revision = people::put_visitor(client, portal, visitor).await?;
            revisions.insert((ObjectKind::Visitor as u8, visitor.id.0), revision);
            raise(&mut self.ids.visitor, visitor.id.0);
            self.found.see(visitor.clone());
        }
        for ticket in &changes.tickets {
            let revision = people::put_ticket(client, portal, ticket).await?;
            revisions.insert((ObjectKind::Ticket as u8, ticket.id.0), revision);
            raise(&mut self.ids.ticket, ticket.id.0);
            self.found.tickets.insert(ticket.id, ticket.clone());
        }
        for file in &changes.files {
            let revision = files::put(client, portal, file, now).await?;
            revisions.insert((ObjectKind::File as u8, file.id), revision);
            raise(&mut self.ids.file, file.id);
        }
        changes.folders.iter().for_each(|folder| raise(&mut self.ids.file, folder.id));
        for (account, identifier, visitor) in &changes.identities {
            let key = people::bind(client, portal, *account, identifier, *visitor).await?;
            self.found.identities.insert((*account, identifier.kind.clone(), key), *visitor);
        }
        for visitor in &changes.unbound {
            erasures::unbind(client, portal, *visitor).await?;
            self.found.identities.retain(|_, whose| whose != visitor);
            self.writes.begun = true;
        }
        if !changes.erasures.is_empty() {
            erasures::write(client, portal, &changes.erasures).await?;
            self.writes.begun = true;
        }
        let rare = (&changes.visitors, &changes.tickets, &changes.files, &changes.identities);
        self.writes.begun |=
            !(rare.0.is_empty() && rare.1.is_empty() && rare.2.is_empty() && rare.3.is_empty());
        Ok(())
    }

    /// Threads with their new entries.
    fn write_threads(&mut self, changes: &mut Changes, revisions: &mut Revisions) -> Result<()> {
        let asked = changes.threads.len();
        for thread in &mut changes.threads {
            if thread.number == 0 {
                thread.number = thread.id.0;
                if !(1..MOST_THREADS).contains(&thread.id.0) {
                    return Err(conflict("the thread's id has no place in a key"));
                }
                (thread.entries, thread.revision) = (0, 1);
            } else {
                let stored = self.stored(thread.id)?;
                if stored.number != thread.number {
                    return Err(conflict(format!("thread {} has another number", thread.id)));
                }
                (thread.entries, thread.revision) = (stored.entries, stored.revision + 1);
            }
        }
        for message in &changes.messages {
            let at = match changes.threads.iter().position(|thread| thread.id == message.thread_id) {
                Some(at) => at,
                None => {
                    let mut thread = self.stored(message.thread_id)?.clone();
                    thread.revision += 1;
                    changes.threads.push(thread);
                    changes.threads.len() - 1
                }
            };
            let thread = &mut changes.threads[at];
            if thread.entries >= MOST_ENTRIES {
                return Err(conflict("the thread is full"));
            }
            let key = key(thread.number, thread.entries);
            thread.entries += 1;
            thread.latest_entry_at = thread.latest_entry_at.max(message.created_at);
            self.tally(Usage { threads: 0, messages: 1, bytes: message.document.bytes.len() as i64 });
            self.writes.messages.push((key, message.clone()));
        }
        for thread in &changes.threads {
            revisions.insert((ObjectKind::Thread as u8, thread.id.0), thread.revision);
            if thread.revision == 1 {
                raise(&mut self.ids.thread, thread.id.0);
                self.tally(Usage { threads: 1, messages: 0, bytes: 0 });
                self.writes.made.insert(thread.id);
            } else if !self.writes.made.contains(&thread.id) && !self.writes.changed.contains(&thread.id) {
                let continues = self.found.threads.get(&thread.id).is_some_and(|old| continues(old, thread));
                if continues {
                    self.writes.continued.insert(thread.id);
                } else {
                    self.writes.continued.remove(&thread.id);
                    self.writes.changed.insert(thread.id);
                }
            }
            self.settle(thread.clone());
        }
        changes.threads.truncate(asked);
        Ok(())
    }

    /// Puts a thread where those behind it in the batch look for it.
    fn settle(&mut self, thread: Thread) {
        let place = |t: &Thread| (t.status, t.visitor_id, t.latest_message_at);
        let before = self.found.threads.get(&thread.id);
        let recounted = before.is_none_or(|before| !before.same_kind(&thread));
        let moved = recounted || before.map(place) != Some(place(&thread));
        if before.is_none() {
            self.writes.placed.insert(thread.id);
        } else if moved && !self.writes.placed.contains(&thread.id) {
            self.writes.moved.insert(thread.id);
        }
        let tags = |t: &Thread| !t.tags.is_empty();
        if moved && (tags(&thread) || before.is_some_and(tags)) {
            self.writes.tagged.insert(thread.id);
        }
        if recounted {
            count(&mut self.writes.counts, before, Some(&thread));
        }
        let newest = self.found.newest.get(&(thread.visitor_id, thread.account_id)).copied();
        if !thread.is_archived() && newest.is_none_or(|newest| newest < thread.id) {
            self.found.newest.insert((thread.visitor_id, thread.account_id), thread.id);
        }
        if before.is_none() {
            self.found.nameless.insert((thread.visitor_id, thread.account_id), thread.id);
        }
        self.found.threads.insert(thread.id, thread);
    }

    fn tally(&mut self, more: Usage) {
        for usage in [&mut self.usage, &mut self.writes.held] {
            usage.threads += more.threads;
            usage.messages += more.messages;
            usage.bytes += more.bytes;
        }
    }

    fn stored(&self, id: ThreadId) -> Result<&Thread> {
        self.found.threads.get(&id).ok_or_else(|| conflict(format!("there is no thread {id}")))
    }

    async fn replace(&mut self, changes: &Changes) -> Result<()> {
        for new in &changes.replaced {
            let thread = self.stored(new.thread_id)?.id;
            let missing = || conflict(format!("there is no entry {} in thread {thread}", new.message_id));
            if self.writes.messages.iter().any(|(_, message)| message.id == new.message_id) {
                return Err(Failure::Raced("an entry is replaced in the batch that wrote it".into()));
            }
            let sql = "UPDATE messages new SET format = $3, doc = $4, holes = NULL FROM messages old \
                       WHERE new.portal_id = $1 AND new.id = $2 AND old.portal_id = $1 AND old.id = $2 \
                       AND new.key >> 24 = $5 RETURNING length(old.doc)::bigint";
            let (id, doc) = (new.message_id.0.as_slice(), new.document.bytes.as_slice());
            let format = i16::from(new.document.format);
            let values = &[
                &self.portal.0 as &(dyn tokio_postgres::types::ToSql + Sync),
                &id,
                &format,
                &doc,
                &thread.0,
            ];
            let old = row(&self.session.client, sql, values).await?.ok_or_else(missing)?;
            let shrunk: i64 = old.try_get(0)?;
            self.writes.begun = true;
            self.tally(Usage { threads: 0, messages: 0, bytes: doc.len() as i64 - shrunk });
        }
        Ok(())
    }

    /// Takes a thread out of every list and look-up at once. Its entries are erased in the background.
    async fn purge(&mut self, id: ThreadId, revisions: &mut Revisions) -> Result<()> {
        let Some(thread) = self.found.threads.remove(&id) else { return Ok(()) };
        if self.writes.made.contains(&id) {
            return Err(Failure::Raced("a thread is purged in the batch that made it".into()));
        }
        let client = &self.session.client;
        for sql in [
            "DELETE FROM threads WHERE portal_id = $1 AND id = $2",
            "DELETE FROM thread_places WHERE portal_id = $1 AND id = $2",
            "DELETE FROM thread_tags WHERE portal_id = $1 AND thread_id = $2",
            "INSERT INTO purges (portal_id, thread_id) VALUES ($1, $2)",
        ] {
            execute(client, sql, &[&self.portal.0, &id.0]).await?;
        }
        self.writes.begun = true;
        for gone in [
            &mut self.writes.changed,
            &mut self.writes.continued,
            &mut self.writes.placed,
            &mut self.writes.moved,
            &mut self.writes.tagged,
        ] {
            gone.remove(&id);
        }
        count(&mut self.writes.counts, Some(&thread), None);
        self.tally(Usage { threads: -1, messages: 0, bytes: 0 });
        revisions.insert((ObjectKind::Thread as u8, id.0), thread.revision + 1);
        Ok(())
    }

    async fn write_keys(&mut self, changes: &Changes) -> Result<()> {
        for (account, key, thread) in &changes.thread_keys {
            if ConversationKey::is_name(key) {
                self.found.nameless.retain(|_, id| id != thread);
            }
            people::bind_thread(&self.session.client, self.portal, *account, key, *thread).await?;
            self.writes.begun = true;
            self.found.thread_keys.insert((*account, key.clone()), *thread);
        }
        for chat in &changes.chats {
            chats::put(&self.session.client, self.portal, chat).await?;
            self.writes.begun = true;
        }
        for (account, key, earlier) in &changes.idempotency_keys {
            self.writes.idempotency_keys.push((account.0, key.clone(), earlier.clone()));
            let before = self.found.earlier.insert((*account, key.clone()), earlier.clone());
            let gone = before.filter(|before| !self.found.threads.contains_key(&before.thread_id));
            self.writes.gone.extend(gone.map(|gone| gone.thread_id.0));
        }
        Ok(())
    }
}

/// Notes that a thread is of other kinds from now on.
fn count(counts: &mut BTreeMap<Kind, i64>, before: Option<&Thread>, after: Option<&Thread>) {
    for (thread, n) in [(before, -1), (after, 1)] {
        for kind in thread.into_iter().flat_map(Thread::kinds) {
            *counts.entry(kind).or_default() += n;
        }
    }
}

/// Whether two states of a thread differ in nothing but what is said in it: see [`commit::CONTINUED`](super::commit).
fn continues(old: &Thread, new: &Thread) -> bool {
    let said = |thread: &Thread| Thread {
        latest_message_at: None,
        latest_sent_at: None,
        latest_received_at: None,
        latest_message_id: None,
        latest_entry_at: 0,
        entries: 0,
        revision: 0,
        preview: None,
        ..thread.clone()
    };
    said(old) == said(new)
}

fn raise(next: &mut i64, used: i64) {
    *next = (*next).max(used + 1);
}

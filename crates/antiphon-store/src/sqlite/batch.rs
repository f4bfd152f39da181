//! A transaction being filled: what the changes in it have done so far, in the file and in memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use rusqlite::Connection;

use super::failure::{Result, conflict};
use super::known::{Committing, Known};
use super::memory::{Memory, PortalMemory, ServerCounters};
use super::names::Names;
use super::{threads, visitors};
use crate::changes::MessageIds;
use crate::secrets::Seals;
use crate::{AccountId, Identifier, Millis, PortalId, Thread, ThreadId, Visitor, VisitorId};

/// What is known but not committed. Dropped with the transaction.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub server: ServerCounters,
    pub portals: HashMap<PortalId, PortalMemory>,
    /// Threads met in this batch. A row is read once and, unless an index depends on it, written once at the end.
    threads: HashMap<(PortalId, ThreadId), Slot>,
    /// Threads taken out in this batch.
    removed: Vec<(PortalId, ThreadId)>,
    /// Names that were read or written in this batch.
    pub names: Names,
}

impl Pending {
    /// Shows what was committed to whoever reads threads from memory.
    pub(super) fn publish(&mut self, commit: &Committing<'_>) {
        for (portal, id) in self.removed.drain(..) {
            commit.remove(portal, id);
        }
        for ((portal, _), slot) in self.threads.drain().filter(|(_, slot)| slot.changed) {
            commit.put(portal, slot.thread);
        }
    }
}

#[derive(Debug, Clone)]
struct Slot {
    thread: Thread,
    changed: bool,
    unwritten: bool,
    /// Whether who looks after it, or whether it is spam, is among what is not written.
    turned: bool,
}

pub(super) struct Batch<'a> {
    pub conn: &'a Connection,
    pub now: Millis,
    pub message_ids: &'a MessageIds,
    committed: &'a Memory,
    known: &'a Known,
    pub pending: Pending,
    /// Whether the change being run has written anything: only then is there something to undo.
    pub written: bool,
}

/// To whom an address leads that was taken from somebody: what is remembered is only ever added to.
const NOBODY: VisitorId = VisitorId(0);

impl<'a> Batch<'a> {
    pub(super) fn new(
        conn: &'a Connection,
        committed: &'a Memory,
        known: &'a Known,
        message_ids: &'a MessageIds,
    ) -> Self {
        let pending = Pending {
            server: committed.server,
            portals: HashMap::new(),
            threads: HashMap::new(),
            removed: Vec::new(),
            names: Names::default(),
        };
        Self { conn, now: 0, message_ids, committed, known, pending, written: false }
    }

    pub(super) fn seals(&self) -> &'a Seals {
        &self.committed.seals
    }

    /// A portal as this batch leaves it.
    pub(super) fn portal(&mut self, id: PortalId) -> Result<&mut PortalMemory> {
        match self.pending.portals.entry(id) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(match self.committed.portals.get(&id) {
                Some(known) => known.clone(),
                None => Memory::load_portal(self.conn, &self.committed.seals, id)?,
            })),
        }
    }

    /// Has those directories beside a portal's that belong there, as this batch leaves them.
    pub(super) fn lodge(&mut self, id: PortalId) -> Result<()> {
        let beside: Vec<_> = self.portal(id)?.directory.beside().collect();
        if beside.is_empty() {
            return Ok(());
        }
        let mut homes = HashMap::with_capacity(beside.len());
        for home in beside {
            homes.insert(home, self.portal(home)?.directory.clone());
        }
        let memory = self.portal(id)?;
        memory.directory = memory.directory.lodging(|home| homes.get(&home).cloned());
        Ok(())
    }

    /// A thread as this batch leaves it.
    pub(super) fn thread(&mut self, portal: PortalId, id: ThreadId) -> Result<Option<&Thread>> {
        Ok(match self.pending.threads.entry((portal, id)) {
            Entry::Occupied(known) => Some(&known.into_mut().thread),
            Entry::Vacant(place) => {
                if self.pending.removed.contains(&(portal, id)) {
                    return Ok(None);
                }
                // What is held in memory is what was committed last, since only the writer commits.
                let thread = match self.known.reading().held(portal, id) {
                    Some(held) => Some(Thread::clone(&held)),
                    None => threads::by_id(self.conn, portal, id)?,
                };
                thread.map(|thread| {
                    &place.insert(Slot { thread, changed: false, unwritten: false, turned: false }).thread
                })
            }
        })
    }

    /// Adds a thread that is new.
    pub(super) fn thread_new(&mut self, portal: PortalId, thread: Thread) -> Result<()> {
        self.written = true;
        threads::put(self.conn, portal, &thread, true)?;
        self.pending
            .threads
            .insert((portal, thread.id), Slot { thread, changed: true, unwritten: false, turned: false });
        Ok(())
    }

    /// Replaces a thread. What other changes may look for in an index is written at once.
    pub(super) fn thread_set(&mut self, portal: PortalId, thread: Thread) -> Result<()> {
        self.written = true;
        let slot =
            self.pending.threads.get_mut(&(portal, thread.id)).ok_or_else(|| conflict("no such thread"))?;
        let place = |thread: &Thread| {
            (
                thread.inbox_id,
                thread.status,
                thread.archived_at,
                thread.visitor_id,
                thread.account_id,
                thread.ticket_id,
                thread.snoozed_until,
            )
        };
        let moved = place(&slot.thread) != place(&thread) || slot.thread.tags != thread.tags;
        if moved {
            threads::put(self.conn, portal, &thread, false)?;
        }
        let turned =
            slot.turned || slot.thread.spam != thread.spam || slot.thread.assigned_to != thread.assigned_to;
        *slot = Slot { thread, changed: true, unwritten: !moved, turned: !moved && turned };
        Ok(())
    }

    /// Takes a thread out. Its row is the caller's to delete.
    pub(super) fn thread_remove(&mut self, portal: PortalId, id: ThreadId) {
        self.written = true;
        self.pending.threads.remove(&(portal, id));
        self.pending.removed.push((portal, id));
    }

    /// Where a name leads, if that is in memory.
    fn held<T>(&self, of: impl Fn(&Names) -> Option<T>) -> Option<T> {
        of(&self.pending.names).or_else(|| self.committed.names.find(of))
    }

    /// To whom an address on an account is bound.
    pub(super) fn bound(
        &mut self,
        portal: PortalId,
        account: AccountId,
        identifier: &Identifier,
    ) -> Result<Option<VisitorId>> {
        let name = (portal, account, identifier.key());
        if let Some(id) = self.held(|names| names.addresses.get(&name).copied()) {
            return Ok(Some(id).filter(|id| *id != NOBODY));
        }
        let found = visitors::bound(self.conn, portal, account, identifier)?;
        self.pending.names.addresses.extend(found.map(|id| (name, id)));
        Ok(found)
    }

    /// Binds an address on an account to a visitor.
    pub(super) fn bind(
        &mut self,
        portal: PortalId,
        account: AccountId,
        identifier: &Identifier,
        visitor: VisitorId,
    ) -> Result<()> {
        visitors::bind(self.conn, portal, account, identifier, visitor)?;
        self.pending.names.addresses.insert((portal, account, identifier.key()), visitor);
        Ok(())
    }

    /// Notes that an address on an account leads to nobody any more.
    pub(super) fn free(&mut self, portal: PortalId, account: AccountId, identifier: &Identifier) {
        self.pending.names.addresses.insert((portal, account, identifier.key()), NOBODY);
    }

    /// A visitor by its number.
    pub(super) fn visitor(&mut self, portal: PortalId, id: VisitorId) -> Result<Option<Visitor>> {
        if let Some(held) = self.held(|names| names.visitors.get(&(portal, id)).cloned()) {
            return Ok(Some(Visitor::clone(&held)));
        }
        let found = visitors::by_id(self.conn, portal, id)?;
        self.pending.names.visitors.extend(found.clone().map(|found| ((portal, id), Arc::new(found))));
        Ok(found)
    }

    /// Writes a visitor; its new revision.
    pub(super) fn visitor_put(&mut self, portal: PortalId, visitor: &Visitor) -> Result<i64> {
        let (revision, created_at) = visitors::put(self.conn, portal, visitor)?;
        let written = Arc::new(Visitor { created_at, ..visitor.clone() });
        self.pending.names.visitors.insert((portal, visitor.id), written);
        Ok(revision)
    }

    /// The thread to which a name on an account leads; it may be gone.
    pub(super) fn named(
        &mut self,
        portal: PortalId,
        account: AccountId,
        name: &str,
    ) -> Result<Option<ThreadId>> {
        let name = (portal, account, name.to_owned());
        if let Some(id) = self.held(|names| names.threads.get(&name).copied()) {
            return Ok(Some(id));
        }
        let found = threads::by_key(self.conn, portal, account, &name.2)?;
        self.pending.names.threads.extend(found.map(|id| (name, id)));
        Ok(found)
    }

    /// Lets a name on an account lead to a thread.
    pub(super) fn name(
        &mut self,
        portal: PortalId,
        account: AccountId,
        name: &str,
        thread: ThreadId,
    ) -> Result<()> {
        threads::put_key(self.conn, portal, account, name, thread)?;
        self.pending.names.threads.insert((portal, account, name.to_owned()), thread);
        Ok(())
    }

    /// Writes what was put off.
    pub(super) fn flush(&mut self) -> Result<()> {
        for ((portal, _), slot) in self.pending.threads.iter().filter(|(_, slot)| slot.unwritten) {
            if slot.turned {
                threads::turn(self.conn, &slot.thread)?;
            }
            threads::touch(self.conn, *portal, &slot.thread)?;
        }
        for (id, portal) in &self.pending.portals {
            if self.committed.portals.get(id).map(|known| known.counters) != Some(portal.counters) {
                portal.counters.save(self.conn, *id)?;
            }
        }
        let (server, committed) = (self.pending.server, self.committed.server);
        if server != (ServerCounters { next_number: server.next_number, ..committed }) {
            server.save(self.conn)?;
        }
        Ok(())
    }
}

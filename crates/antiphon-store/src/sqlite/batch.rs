//! A transaction being filled: what the changes in it have done so far, in the file and in memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::Connection;

use super::failure::{Result, conflict};
use super::known::{Committing, Known};
use super::memory::{Memory, PortalMemory, ServerCounters};
use super::threads;
use crate::changes::MessageIds;
use crate::secrets::Seals;
use crate::{Millis, PortalId, Thread, ThreadId};

/// What is known but not committed. Dropped with the transaction.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub server: ServerCounters,
    pub portals: HashMap<PortalId, PortalMemory>,
    /// Threads met in this batch. A row is read once and, unless an index depends on it, written once at the end.
    threads: HashMap<(PortalId, ThreadId), Slot>,
    /// Threads taken out in this batch.
    removed: Vec<(PortalId, ThreadId)>,
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
                thread.map(|thread| &place.insert(Slot { thread, changed: false, unwritten: false }).thread)
            }
        })
    }

    /// Adds a thread that is new.
    pub(super) fn thread_new(&mut self, portal: PortalId, thread: Thread) -> Result<()> {
        self.written = true;
        threads::put(self.conn, portal, &thread, true)?;
        self.pending.threads.insert((portal, thread.id), Slot { thread, changed: true, unwritten: false });
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
            )
        };
        let moved = place(&slot.thread) != place(&thread);
        if moved {
            threads::put(self.conn, portal, &thread, false)?;
        }
        *slot = Slot { thread, changed: true, unwritten: !moved };
        Ok(())
    }

    /// Takes a thread out. Its row is the caller's to delete.
    pub(super) fn thread_remove(&mut self, portal: PortalId, id: ThreadId) {
        self.written = true;
        self.pending.threads.remove(&(portal, id));
        self.pending.removed.push((portal, id));
    }

    /// Writes what was put off.
    pub(super) fn flush(&mut self) -> Result<()> {
        for slot in self.pending.threads.values_mut().filter(|slot| slot.unwritten) {
            threads::touch(self.conn, &slot.thread)?;
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

//! What the writer knows without asking the file: each portal's counters and directory.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::directory;
use super::failure::Result;
use super::names::Remembered;
use crate::changes::MessageIds;
use crate::secrets::Seals;
use crate::{Directory, Millis, Moment, PortalId, StoreError, Usage};

/// A portal's counters: the next id of each kind, how much it holds, and where its events and its clock stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counters {
    pub next_thread: i64,
    pub next_visitor: i64,
    pub next_ticket: i64,
    pub next_file: i64,
    pub next_inbox: i64,
    pub next_account: i64,
    pub next_actor: i64,
    pub next_subscription: i64,
    pub usage: Usage,
    pub event_position: i64,
    pub latest_now: Millis,
}

impl Counters {
    /// Those of a portal that holds nothing yet.
    pub(super) const FRESH: Self = Self {
        next_thread: 1,
        next_visitor: 1,
        next_ticket: 1,
        next_file: 1,
        next_inbox: 1,
        next_account: 1,
        next_actor: 1,
        next_subscription: 1,
        usage: Usage { threads: 0, messages: 0, bytes: 0 },
        event_position: 0,
        latest_now: 0,
    };

    pub(super) fn load(conn: &Connection, portal: PortalId) -> Result<Option<Self>> {
        let sql = "SELECT next_thread, next_visitor, next_ticket, next_file, next_inbox, next_account, next_actor, \
                   threads, messages, bytes, event_position, latest_now, next_subscription FROM counters WHERE portal_id = ?1";
        let found = conn.prepare_cached(sql)?.query_row([portal.0], |row| {
            Ok(Self {
                next_thread: row.get(0)?,
                next_visitor: row.get(1)?,
                next_ticket: row.get(2)?,
                next_file: row.get(3)?,
                next_inbox: row.get(4)?,
                next_account: row.get(5)?,
                next_actor: row.get(6)?,
                usage: Usage { threads: row.get(7)?, messages: row.get(8)?, bytes: row.get(9)? },
                event_position: row.get(10)?,
                latest_now: row.get(11)?,
                next_subscription: row.get(12)?,
            })
        });
        Ok(found.optional()?)
    }

    pub(super) fn save(&self, conn: &Connection, portal: PortalId) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO counters VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
        conn.prepare_cached(sql)?.execute([
            portal.0,
            self.next_thread,
            self.next_visitor,
            self.next_ticket,
            self.next_file,
            self.next_inbox,
            self.next_account,
            self.next_actor,
            self.usage.threads,
            self.usage.messages,
            self.usage.bytes,
            self.event_position,
            self.latest_now,
            self.next_subscription,
        ])?;
        Ok(())
    }
}

/// A portal as the writer knows it.
#[derive(Debug, Clone)]
pub(super) struct PortalMemory {
    pub counters: Counters,
    pub directory: Arc<Directory>,
    /// Position of the portal's newest event that is committed.
    pub recorded: i64,
}

/// Counters of the whole server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServerCounters {
    pub next_portal: i64,
    pub next_app: i64,
    pub next_channel: i64,
    /// Not stored: threads and purges know the highest.
    pub next_number: i64,
}

impl ServerCounters {
    pub(super) fn load(conn: &Connection) -> Result<Self> {
        let highest = "SELECT max(coalesce((SELECT max(number) FROM threads), 0), \
                       coalesce((SELECT max(number) FROM purges), 0))";
        let highest: i64 = conn.query_row(highest, [], |row| row.get(0))?;
        let sql = "SELECT next_portal, next_app, next_channel FROM server WHERE only_row = 1";
        Ok(conn.query_row(sql, [], |row| {
            let (next_portal, next_app, next_channel) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Self { next_portal, next_app, next_channel, next_number: highest + 1 })
        })?)
    }

    pub(super) fn save(&self, conn: &Connection) -> Result<()> {
        let sql = "UPDATE server SET next_portal = ?1, next_app = ?2, next_channel = ?3 WHERE only_row = 1";
        conn.prepare_cached(sql)?.execute([self.next_portal, self.next_app, self.next_channel])?;
        Ok(())
    }
}

/// Everything that is committed, or, inside a batch, what will be.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    pub server: ServerCounters,
    pub portals: HashMap<PortalId, PortalMemory>,
    pub names: Remembered,
    pub seals: Seals,
}

impl Memory {
    pub(super) fn load_portal(conn: &Connection, seals: &Seals, portal: PortalId) -> Result<PortalMemory> {
        let directory = directory::load(conn, seals, portal)?.ok_or(StoreError::NoPortal)?;
        let counters =
            Counters::load(conn, portal)?.ok_or(StoreError::Damaged("a portal has no counters".into()))?;
        Ok(PortalMemory { counters, directory: Arc::new(directory), recorded: counters.event_position })
    }
}

impl PortalMemory {
    /// The moment a rule runs in.
    pub(super) fn moment(&self, now: Millis, server: &ServerCounters, message_ids: &MessageIds) -> Moment {
        let counters = &self.counters;
        Moment {
            now: now.max(counters.latest_now),
            next_thread: counters.next_thread,
            next_visitor: counters.next_visitor,
            next_ticket: counters.next_ticket,
            next_file: counters.next_file,
            next_inbox: counters.next_inbox,
            next_account: counters.next_account,
            next_actor: counters.next_actor,
            next_subscription: counters.next_subscription,
            next_app: server.next_app,
            next_channel: server.next_channel,
            message_ids: message_ids.clone(),
        }
    }

    /// Spends the ids that a moment gave out.
    pub(super) fn spend(&mut self, moment: &Moment, server: &mut ServerCounters) {
        let counters = &mut self.counters;
        counters.latest_now = moment.now;
        counters.next_thread = moment.next_thread;
        counters.next_visitor = moment.next_visitor;
        counters.next_ticket = moment.next_ticket;
        counters.next_file = moment.next_file;
        counters.next_inbox = moment.next_inbox;
        counters.next_account = moment.next_account;
        counters.next_actor = moment.next_actor;
        counters.next_subscription = moment.next_subscription;
        server.next_app = moment.next_app;
        server.next_channel = moment.next_channel;
    }
}

//! Whether the rows are as they were written: what must hold between them. The files are PostgreSQL's own affair.

use std::collections::BTreeMap;

use deadpool_postgres::ClientWrapper;

use super::batch::tally;
use super::failure::Result;
use super::readers::{row, rows};
use crate::messages::key;
use crate::{Document, Finding, Invariant, PortalId, Usage};

/// More findings than this tell nobody more.
const MOST: usize = 100;

/// Threads looked at together, and messages read at once.
const THREADS: i64 = 500;
const MESSAGES: i64 = 200;

/// Everything that is wrong, up to a bound, in one view of the database. `sound` judges documents of the known format; `step`
/// hears how many messages are seen and how many there are. The connection is of no use to anybody else.
pub(super) async fn findings(
    client: ClientWrapper,
    sound: fn(&[u8]) -> bool,
    step: impl Fn(u64, u64) + Send,
) -> Result<Vec<Finding>> {
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let patient = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
    client.batch_execute(patient).await?;
    let mut walk = Walk { client, sound, step, seen: 0, all: 0, findings: Vec::new() };
    let mut portals = Vec::new();
    for row in rows(&walk.client, "SELECT id FROM portals ORDER BY id", &[]).await? {
        let portal = PortalId(row.try_get(0)?);
        let counted = tally(&walk.client, portal).await?.0;
        walk.all += counted.messages;
        portals.push((portal, counted));
    }
    for (portal, counted) in portals {
        walk.ids(portal).await?;
        walk.events(portal).await?;
        let held = walk.entries(portal).await?;
        if counted != held {
            let told = |usage: Usage| {
                format!("{} threads, {} messages and {} bytes", usage.threads, usage.messages, usage.bytes)
            };
            let what = format!("portal {portal} counts {} and has {}", told(counted), told(held));
            walk.add(Invariant::Usage, what);
        }
    }
    Ok(walk.findings)
}

struct Walk<S> {
    client: ClientWrapper,
    sound: fn(&[u8]) -> bool,
    step: S,
    seen: i64,
    all: i64,
    findings: Vec<Finding>,
}

/// A thread while its entries go by.
#[derive(Default)]
struct Thread {
    /// How many it says it has; none while it is being erased, since its entries go from the first one on.
    counted: Option<i64>,
    there: i64,
    strange: i64,
    newer: i64,
    torn: i64,
}

impl<S: Fn(u64, u64) + Send> Walk<S> {
    fn add(&mut self, invariant: Invariant, what: String) {
        if self.findings.len() < MOST {
            self.findings.push(Finding { invariant, what, embedded: false });
        }
    }

    /// Ids that were used must lie behind the counters, and a thread that is being erased must not be there any more.
    async fn ids(&mut self, portal: PortalId) -> Result<()> {
        for (counter, table) in [
            ("next_thread", "threads"),
            ("next_visitor", "visitors"),
            ("next_ticket", "tickets"),
            ("next_file", "files"),
            ("next_inbox", "inboxes"),
            ("next_account", "accounts"),
            ("next_actor", "actors"),
        ] {
            let sql = format!(
                "SELECT 1 FROM counters WHERE portal_id = $1 \
                 AND {counter} <= (SELECT max(id) FROM {table} WHERE portal_id = $1)"
            );
            if row(&self.client, &sql, &[&portal.0]).await?.is_some() {
                let what = format!("portal {portal} would give out ids of its {table} again");
                self.add(Invariant::Ids, what);
            }
        }
        let both = "SELECT id FROM threads t JOIN purges p ON p.portal_id = $1 AND p.thread_id = t.id \
                    WHERE t.portal_id = $1 LIMIT 100";
        for row in rows(&self.client, both, &[&portal.0]).await? {
            let id: i64 = row.try_get(0)?;
            let what = format!("thread {id} of portal {portal} has the number of one that is being erased");
            self.add(Invariant::Ids, what);
        }
        Ok(())
    }

    /// Events that have no position yet are none of these.
    async fn events(&mut self, portal: PortalId) -> Result<()> {
        let sql = "SELECT (SELECT event_position FROM counters WHERE portal_id = $1), count(*), \
                   coalesce(min(position), 1), coalesce(max(position), 0) FROM events WHERE portal_id = $1";
        let Some(row) = row(&self.client, sql, &[&portal.0]).await? else { return Ok(()) };
        let counter: Option<i64> = row.try_get(0)?;
        let (count, first, last): (i64, i64, i64) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let what = match counter {
            None => format!("portal {portal} has no counters"),
            Some(_) if (first, last) != (1, count) => {
                format!("the {count} events of portal {portal} are not those from 1 to {last}")
            }
            Some(counter) if counter != last => {
                format!("portal {portal} counts {counter} events and has {last}")
            }
            Some(_) => return Ok(()),
        };
        self.add(Invariant::Events, what);
        Ok(())
    }

    /// Walks through every thread, also those that are being erased, and whatever lies between; what the portal holds.
    async fn entries(&mut self, portal: PortalId) -> Result<Usage> {
        let sql = "SELECT id, entries FROM threads WHERE portal_id = $1 AND id > $2 UNION ALL \
                   SELECT thread_id, NULL FROM purges WHERE portal_id = $1 AND thread_id > $2 ORDER BY 1 LIMIT $3";
        let (mut held, mut stray, mut after) = (Usage::default(), 0, 0);
        loop {
            let mut threads = BTreeMap::new();
            for row in rows(&self.client, sql, &[&portal.0, &after, &THREADS]).await? {
                let counted: Option<i64> = row.try_get(1)?;
                held.threads += i64::from(counted.is_some());
                threads.insert(row.try_get::<_, i64>(0)?, Thread { counted, ..Thread::default() });
            }
            let last = threads.last_key_value().map(|(id, _)| *id);
            let end = last.map_or(i64::MAX, |last| key(last + 1, 0));
            stray += self.messages(portal, (key(after + 1, 0), end), &mut threads, &mut held).await?;
            threads.into_iter().for_each(|(id, thread)| self.judge(portal, id, &thread));
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
        if stray > 0 {
            self.add(Invariant::Entries, format!("{stray} entries of portal {portal} belong to no thread"));
        }
        Ok(held)
    }

    /// Reads the messages of a range into their threads; how many have none.
    async fn messages(
        &mut self,
        portal: PortalId,
        (mut from, end): (i64, i64),
        threads: &mut BTreeMap<i64, Thread>,
        held: &mut Usage,
    ) -> Result<i64> {
        let sql = "SELECT key, format, doc FROM messages WHERE portal_id = $1 AND key >= $2 AND key < $3 \
                   ORDER BY key LIMIT $4";
        let mut stray = 0;
        loop {
            let found = rows(&self.client, sql, &[&portal.0, &from, &end, &MESSAGES]).await?;
            for row in &found {
                let (found, format): (i64, i16) = (row.try_get(0)?, row.try_get(1)?);
                let document: &[u8] = row.try_get(2)?;
                from = found + 1;
                self.seen += 1;
                let id = found >> 24;
                let Some(thread) = threads.get_mut(&id) else {
                    stray += 1;
                    continue;
                };
                thread.strange += i64::from(thread.counted.is_some() && found != key(id, thread.there));
                match format == i16::from(Document::FORMAT) {
                    true => thread.torn += i64::from(!(self.sound)(document)),
                    false => thread.newer += 1,
                }
                thread.there += 1;
                held.messages += 1;
                held.bytes += document.len() as i64;
            }
            let [seen, all] = [self.seen, self.all].map(|count| u64::try_from(count).unwrap_or_default());
            (self.step)(seen, all.max(seen));
            if found.len() < MESSAGES as usize {
                return Ok(stray);
            }
        }
    }

    fn judge(&mut self, portal: PortalId, id: i64, found: &Thread) {
        let thread = format!("thread {id} of portal {portal}");
        let Thread { counted, there, strange, newer, torn } = *found;
        if let Some(counted) = counted.filter(|counted| *counted != there) {
            self.add(Invariant::Entries, format!("{thread} counts {counted} entries and has {there}"));
        } else if strange > 0 {
            self.add(Invariant::Entries, format!("{strange} entries of {thread} are out of place"));
        }
        if torn > 0 {
            self.add(Invariant::Documents, format!("{torn} entries of {thread} cannot be read"));
        }
        if newer > 0 {
            let what = format!("{newer} entries of {thread} are in a format that is not known");
            self.add(Invariant::Formats, what);
        }
    }
}

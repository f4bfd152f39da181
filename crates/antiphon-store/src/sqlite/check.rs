//! Whether the file holds what was written into it: what SQLite can tell, and then what holds between our rows.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};

use rusqlite::{Connection, Row};

use super::failure::{Failure, Result};
use super::secrets;
use crate::check::{COUNTED, Entries, Findings, MOST};
use crate::messages::key;
use crate::secrets::Seals;
use crate::{Document, Finding, Invariant, KeySource, Kind, StoreError, Usage};

/// Steps of the engine between two reports of progress.
const STRIDE: i32 = 4096;

/// Everything that is wrong, up to a bound. `deep` compares every index with its table as well; `sound` judges documents of
/// the known format; `sealed` is what seals, where that is to be looked at; `step` hears how much is done and how much there is,
/// and says whether to go on. The connection is of no use to anybody else.
pub(super) fn findings(
    mut conn: Connection,
    deep: bool,
    sound: fn(&[u8]) -> bool,
    sealed: Option<(&Seals, &KeySource)>,
    step: impl Fn(u64, u64) -> bool + Send + 'static,
) -> Result<Vec<Finding>> {
    let walk = Arc::new(Walk::new(conn.query_row("PRAGMA page_count", [], |row| row.get(0))?));
    let seen = walk.clone();
    let report = move || {
        seen.stride();
        !step(seen.done.load(Relaxed), seen.pages * 2)
    };
    conn.progress_handler(STRIDE, Some(report))?;
    let view = conn.unchecked_transaction()?;
    let mut findings = Findings { found: Vec::new(), embedded: true };
    match file(&view, deep, &mut findings) {
        Err(Failure(StoreError::Damaged(why))) => findings.add(Invariant::File, why),
        other => other?,
    }
    walk.in_file.store(false, Relaxed);
    // Whatever else a damaged file says means nothing.
    if findings.found.is_empty() {
        ids(&view, &mut findings)?;
        events(&view, &mut findings)?;
        let held = entries(&view, sound, &walk, &mut findings)?;
        usage(&view, &held, &mut findings)?;
        counts(&view, &mut findings)?;
        if let Some((seals, source)) = sealed {
            findings.sealed(seals, source, &secrets::sealed(&view)?);
        }
    }
    view.finish()?;
    Ok(findings.found)
}

/// How far it is. The file is half of the work, and its pages are the measure.
struct Walk {
    pages: u64,
    done: AtomicU64,
    in_file: AtomicBool,
}

impl Walk {
    fn new(pages: i64) -> Self {
        let pages = u64::try_from(pages).unwrap_or_default();
        Self { pages, done: AtomicU64::new(0), in_file: AtomicBool::new(true) }
    }

    /// SQLite visits a page per step, and then the rows on them, of which there are more.
    fn stride(&self) {
        if self.in_file.load(Relaxed) {
            let next = self.done.load(Relaxed) + u64::from(STRIDE.unsigned_abs());
            self.done.store(next.min(self.pages), Relaxed);
        }
    }

    fn entries(&self, seen: i64, all: i64) {
        let share = seen as f64 / all.max(1) as f64;
        self.done.store(self.pages + (self.pages as f64 * share) as u64, Relaxed);
    }
}

fn file(view: &Connection, deep: bool, findings: &mut Findings) -> Result<()> {
    let pragma = if deep { "integrity_check" } else { "quick_check" };
    each(view, &format!("PRAGMA {pragma}({MOST})"), |row| {
        let line: String = row.get(0)?;
        if line != "ok" {
            findings.add(Invariant::File, format!("the database file is damaged ({line})"));
        }
        Ok(())
    })
}

/// Ids that were used must lie behind the counters, and a thread must not share its number with one that is being erased:
/// its entries would be erased as well.
fn ids(view: &Connection, findings: &mut Findings) -> Result<()> {
    for (counter, table) in COUNTED {
        let sql = format!(
            "SELECT portal_id FROM counters c WHERE {counter} <= (SELECT max(id) FROM {table} t WHERE t.portal_id = c.portal_id)"
        );
        each(view, &sql, |row| {
            findings.id_again(row.get(0)?, table);
            Ok(())
        })?;
    }
    let shared = "SELECT portal_id, id FROM threads WHERE number IN (SELECT number FROM purges)";
    each(view, shared, |row| {
        let (portal, id): (i64, i64) = (row.get(0)?, row.get(1)?);
        let what = format!("thread {id} of portal {portal} has the number of one that is being erased");
        findings.add(Invariant::Ids, what);
        Ok(())
    })
}

fn events(view: &Connection, findings: &mut Findings) -> Result<()> {
    let sql = "SELECT p.id, c.event_position, count(e.position), coalesce(min(e.position), 1), coalesce(max(e.position), 0) \
               FROM portals p LEFT JOIN counters c ON c.portal_id = p.id \
               LEFT JOIN events e ON e.portal_id = p.id GROUP BY p.id";
    each(view, sql, |row| {
        findings.events(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        Ok(())
    })
}

/// Walks through every thread, also those that are being erased; what each portal holds.
fn entries(
    view: &Connection,
    sound: fn(&[u8]) -> bool,
    walk: &Walk,
    findings: &mut Findings,
) -> Result<HashMap<i64, Usage>> {
    let all: i64 = view.query_row("SELECT count(*) FROM messages", [], |row| row.get(0))?;
    let mut entries = view.prepare(
        "SELECT key, portal_id, format, doc FROM messages WHERE key >= ?1 AND key < ?2 ORDER BY key",
    )?;
    let mut held: HashMap<i64, Usage> = HashMap::new();
    let mut seen = 0;
    // The entries of a thread that is being erased go from the first one on, so there is no telling how many are left.
    let threads = "SELECT number, portal_id, id, entries FROM threads \
                   UNION ALL SELECT number, portal_id, thread_id, NULL FROM purges";
    each(view, threads, |row| {
        let (number, portal, id): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let counted: Option<i64> = row.get(3)?;
        let usage = held.entry(portal).or_default();
        usage.threads += i64::from(counted.is_some());
        let mut found = Entries::default();
        let mut rows = entries.query([key(number, 0), key(number + 1, 0)])?;
        while let Some(row) = rows.next()? {
            let document = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
            let in_place = counted.is_none() || row.get::<_, i64>(0)? == key(number, found.there);
            found.strange += i64::from(!in_place || row.get::<_, i64>(1)? != portal);
            match row.get::<_, u8>(2)? <= Document::FORMAT {
                true => found.torn += i64::from(!sound(document)),
                false => found.newer += 1,
            }
            usage.bytes += document.len() as i64;
            found.there += 1;
        }
        usage.messages += found.there;
        seen += found.there;
        findings.thread(portal, id, counted, &found);
        walk.entries(seen, all);
        Ok(())
    })?;
    if all > seen {
        findings.add(Invariant::Entries, format!("{} entries belong to no thread", all - seen));
    }
    Ok(held)
}

fn usage(view: &Connection, held: &HashMap<i64, Usage>, findings: &mut Findings) -> Result<()> {
    each(view, "SELECT portal_id, threads, messages, bytes FROM counters", |row| {
        let portal: i64 = row.get(0)?;
        let counted = Usage { threads: row.get(1)?, messages: row.get(2)?, bytes: row.get(3)? };
        findings.usage(portal, counted, held.get(&portal).copied().unwrap_or_default());
        Ok(())
    })
}

/// Kinds of threads, and how many of each are kept and how many there are.
const COUNTS: &str = "WITH there AS (SELECT portal_id, 0 AS tag_id, state, inbox_id, account_id, \
     coalesce(assigned_to, '') AS assigned_to, count(*) AS n FROM threads GROUP BY 1, 3, 4, 5, 6 UNION ALL \
     SELECT portal_id, value, state, inbox_id, account_id, coalesce(assigned_to, ''), count(*) \
     FROM threads, json_each(threads.tags) GROUP BY 1, 2, 3, 4, 5, 6) \
     SELECT portal_id, tag_id, state, inbox_id, account_id, assigned_to, coalesce(c.n, 0), coalesce(there.n, 0) \
     FROM there FULL JOIN thread_counts c USING (portal_id, tag_id, state, inbox_id, account_id, assigned_to) \
     WHERE coalesce(c.n, 0) <> coalesce(there.n, 0)";

/// Portals, and how many threads are not where lists of their tags look for them.
const UNTAGGED: &str = "WITH there AS (SELECT portal_id, threads.id AS id, value AS tag_id, inbox_id, account_id, state, \
     coalesce(assigned_to, '') AS assigned_to, latest_at FROM threads, json_each(threads.tags)) \
     SELECT coalesce(t.portal_id, there.portal_id), count(*) FROM there FULL JOIN thread_tags t \
     ON t.portal_id = there.portal_id AND t.thread_id = there.id AND t.tag_id = there.tag_id \
     WHERE (t.inbox_id, t.account_id, t.state, t.assigned_to, t.latest_at) \
     IS NOT (there.inbox_id, there.account_id, there.state, there.assigned_to, there.latest_at) GROUP BY 1";

fn counts(view: &Connection, findings: &mut Findings) -> Result<()> {
    each(view, COUNTS, |row| {
        let assigned_to: String = row.get(5)?;
        let kind = Kind::of(row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, &assigned_to)?;
        findings.count(row.get(0)?, &kind, row.get(6)?, row.get(7)?);
        Ok(())
    })?;
    each(view, UNTAGGED, |row| {
        findings.untagged(row.get(0)?, row.get(1)?);
        Ok(())
    })
}

/// Hands every row of a query to `take`.
fn each(view: &Connection, sql: &str, mut take: impl FnMut(&Row<'_>) -> Result<()>) -> Result<()> {
    let mut query = view.prepare(sql)?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        take(row)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

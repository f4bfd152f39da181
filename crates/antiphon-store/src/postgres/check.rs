//! Whether the database holds what was written into it, portal by portal, as it is at one moment.

use std::collections::HashMap;

use deadpool_postgres::ClientWrapper;
use futures_util::{TryStreamExt, pin_mut};

use super::batch::standing;
use super::connect::Place;
use super::failure::Result;
use super::moving::End;
use super::readers::{row, rows};
use super::secrets;
use crate::check::{COUNTED, Entries, Findings};
use crate::messages::{key, number};
use crate::{Document, Finding, Invariant, KeySource, PortalId, Usage};

/// Threads whose entries are read at once. The entries themselves come one by one.
const THREADS: usize = 1_000;

/// Threads in order of their ids. Of those that are being erased there is no telling how many entries are left.
const NEXT: &str = "SELECT id, entries FROM threads WHERE portal_id = $1 AND id > $2 \
     UNION ALL SELECT thread_id, NULL FROM purges WHERE portal_id = $1 AND thread_id > $2 ORDER BY 1 LIMIT $3";

const ENTRIES: &str =
    "SELECT key, format, doc FROM messages WHERE portal_id = $1 AND key >= $2 AND key < $3 ORDER BY key";

const EVENTS: &str = "SELECT (SELECT event_position FROM counters WHERE portal_id = $1), count(*), \
     coalesce(min(position), 1), coalesce(max(position), 0) FROM events WHERE portal_id = $1";

/// A thread shares its entries with one that is being erased if both have its id.
const SHARED: &str = "SELECT t.id FROM threads t JOIN purges p ON p.portal_id = t.portal_id AND p.thread_id = t.id \
     WHERE t.portal_id = $1";

/// What a thread waits for, from its row.
const STATE: &str = "(CASE WHEN population > 1 THEN 4 WHEN spam THEN 3 WHEN population = 1 THEN 2 \
     WHEN snoozed_until IS NOT NULL THEN 1 ELSE 0 END)::smallint AS state, coalesce(assigned_to, '') AS assigned_to";

/// Threads that lists do not find where they are, and places of threads that are not there.
fn misplaced() -> String {
    format!(
        "SELECT count(*) FROM (SELECT id, inbox_id, population, visitor_id, latest_message_at, account_id, {STATE}, \
         coalesce(latest_message_at, created_at) AS latest_at FROM threads WHERE portal_id = $1) t \
         FULL JOIN (SELECT id, inbox_id, population, visitor_id, latest_message_at, account_id, state, assigned_to, latest_at \
         FROM thread_places WHERE portal_id = $1) p ON p.id = t.id WHERE (t.inbox_id, t.population, t.visitor_id, \
         t.latest_message_at, t.account_id, t.state, t.assigned_to, t.latest_at) IS DISTINCT FROM (p.inbox_id, p.population, \
         p.visitor_id, p.latest_message_at, p.account_id, p.state, p.assigned_to, p.latest_at)"
    )
}

/// Threads with each of their tags.
fn tagged() -> String {
    format!(
        "SELECT id, tag::bigint AS tag_id, inbox_id, account_id, {STATE}, coalesce(latest_message_at, created_at) AS latest_at \
         FROM threads CROSS JOIN LATERAL json_array_elements_text(tags::json) AS tag WHERE portal_id = $1 AND tags IS NOT NULL"
    )
}

/// Threads that lists of their tags do not find where they are.
fn untagged() -> String {
    let tagged = tagged();
    format!(
        "SELECT count(*) FROM ({tagged}) t FULL JOIN (SELECT thread_id, tag_id, inbox_id, account_id, state, assigned_to, \
         latest_at FROM thread_tags WHERE portal_id = $1) p ON p.thread_id = t.id AND p.tag_id = t.tag_id \
         WHERE (t.inbox_id, t.account_id, t.state, t.assigned_to, t.latest_at) \
         IS DISTINCT FROM (p.inbox_id, p.account_id, p.state, p.assigned_to, p.latest_at)"
    )
}

/// Kinds of threads, and how many of each are kept and how many there are.
fn counts() -> String {
    let (tagged, kind) = (tagged(), "state, inbox_id, account_id, assigned_to");
    format!(
        "SELECT tag_id, state::bigint, inbox_id, account_id, assigned_to, sum(kept)::bigint, sum(there)::bigint FROM \
         (SELECT tag_id, {kind}, n AS kept, 0::bigint AS there FROM thread_counts WHERE portal_id = $1 UNION ALL \
         SELECT 0::bigint, {kind}, 0::bigint, count(*) FROM (SELECT inbox_id, account_id, {STATE} FROM threads \
         WHERE portal_id = $1) every GROUP BY {kind} UNION ALL \
         SELECT tag_id, {kind}, 0::bigint, count(*) FROM ({tagged}) tagged GROUP BY tag_id, {kind}) sides \
         GROUP BY tag_id, {kind} HAVING sum(kept) <> sum(there)"
    )
}

/// Everything that is wrong, up to a bound. `sound` judges documents of the known format; `progress` hears entries seen and
/// entries in all.
pub(super) async fn findings(
    place: &Place,
    source: &KeySource,
    sound: fn(&[u8]) -> bool,
    progress: impl Fn(u64, u64),
) -> Result<Vec<Finding>> {
    let view = End::snapshot(place).await?;
    let client = &view.session.client;
    let (portals, mut all, mut seen) = (view.portals().await?, 0, 0);
    for portal in &portals {
        all += standing(client, PortalId(*portal)).await?.map_or(0, |standing| standing.usage.messages);
    }
    let told = |seen: i64| {
        let count = |n: i64| u64::try_from(n).unwrap_or_default();
        progress(count(seen.min(all)), count(all));
    };
    let mut findings = Findings { found: Vec::new(), embedded: false };
    for portal in portals {
        ids(client, portal, &mut findings).await?;
        if let Some(row) = row(client, EVENTS, &[&portal]).await? {
            let (counter, count) = (row.try_get(0)?, row.try_get(1)?);
            findings.events(portal, counter, count, row.try_get(2)?, row.try_get(3)?);
        }
        let held = entries(client, portal, sound, &mut |there| told(seen + there), &mut findings).await?;
        seen += held.messages;
        let usage = standing(client, PortalId(portal)).await?.map(|standing| standing.usage);
        findings.usage(portal, usage.unwrap_or_default(), held);
        work(client, portal, &mut findings).await?;
    }
    findings.sealed(&place.seals, source, &secrets::sealed(client).await?);
    Ok(findings.found)
}

/// Whether lists find threads, and whether as many are counted as there are.
async fn work(client: &ClientWrapper, portal: i64, findings: &mut Findings) -> Result<()> {
    if let Some(row) = row(client, &misplaced(), &[&portal]).await?
        && let count @ 1.. = row.try_get::<_, i64>(0)?
    {
        let what = format!("{count} threads of portal {portal} are not where lists look for them");
        findings.add(Invariant::Entries, what);
    }
    if let Some(row) = row(client, &untagged(), &[&portal]).await?
        && let count @ 1.. = row.try_get::<_, i64>(0)?
    {
        findings.untagged(portal, count);
    }
    for row in rows(client, &counts(), &[&portal]).await? {
        findings.count(portal, &super::work::kind(&row)?, row.try_get(5)?, row.try_get(6)?);
    }
    Ok(())
}

async fn ids(client: &ClientWrapper, portal: i64, findings: &mut Findings) -> Result<()> {
    for (counter, table) in COUNTED {
        let sql = format!(
            "SELECT 1 FROM counters WHERE portal_id = $1 AND {counter} <= (SELECT max(id) FROM {table} WHERE portal_id = $1)"
        );
        if row(client, &sql, &[&portal]).await?.is_some() {
            findings.id_again(portal, table);
        }
    }
    for row in rows(client, SHARED, &[&portal]).await? {
        let id: i64 = row.try_get(0)?;
        let what = format!("thread {id} of portal {portal} has the number of one that is being erased");
        findings.add(Invariant::Ids, what);
    }
    Ok(())
}

/// Walks through every entry, also those that are being erased; what the portal holds.
async fn entries(
    client: &ClientWrapper,
    portal: i64,
    sound: fn(&[u8]) -> bool,
    told: &mut impl FnMut(i64),
    findings: &mut Findings,
) -> Result<Usage> {
    let (mut held, mut strays) = (Usage::default(), 0);
    let (mut from, mut last) = (i64::MIN, i64::MIN);
    loop {
        let page = rows(client, NEXT, &[&portal, &last, &(THREADS as i64)]).await?;
        let mut threads: HashMap<i64, (Option<i64>, Entries)> = HashMap::with_capacity(page.len());
        for row in &page {
            last = row.try_get(0)?;
            let counted: Option<i64> = row.try_get(1)?;
            held.threads += i64::from(counted.is_some());
            threads.insert(last, (counted, Entries::default()));
        }
        // Every key is in one of the ranges, also those of no thread.
        let end = if page.len() < THREADS { i64::MAX } else { key(last + 1, 0) };
        let statement = client.prepare_cached(ENTRIES).await?;
        let answer = client.query_raw(&statement, [portal, from, end]).await?;
        pin_mut!(answer);
        while let Some(row) = answer.try_next().await? {
            let (at, format, document): (i64, i16, &[u8]) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            held.bytes += document.len() as i64;
            held.messages += 1;
            let Some((counted, found)) = threads.get_mut(&number(at)) else {
                strays += 1;
                continue;
            };
            let in_place = counted.is_none() || at == key(number(at), found.there);
            found.strange += i64::from(!in_place);
            match format <= i16::from(Document::FORMAT) {
                true => found.torn += i64::from(!sound(document)),
                false => found.newer += 1,
            }
            found.there += 1;
        }
        told(held.messages);
        for row in &page {
            let id: i64 = row.try_get(0)?;
            if let Some((counted, found)) = threads.get(&id) {
                findings.thread(portal, id, *counted, found);
            }
        }
        if page.len() < THREADS {
            break;
        }
        from = end;
    }
    if strays > 0 {
        findings.add(Invariant::Entries, format!("{strays} entries belong to no thread of portal {portal}"));
    }
    Ok(held)
}

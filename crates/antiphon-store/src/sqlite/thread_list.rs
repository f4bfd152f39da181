//! Lists of threads: every filter is a few ranges of an index that ends in the id, merged as they are read. Only indexes
//! are walked; the threads themselves come from memory where they can.

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator;
use rusqlite::{CachedStatement, Connection, Rows};

use super::failure::Result;
use super::known::Reading;
use crate::threads::lists::{EXAMINED, Filling, Range, Sink, few, page_of, ranges, start, unsorted};
use crate::{Directory, KnownThread, Page, PortalId, ThreadId, ThreadPosition, ThreadQuery, ThreadSort};

/// The statement for one range. `nth` keeps apart the statements that are open at the same time.
fn statement(range: Range, sort: ThreadSort, descending: bool, nth: usize) -> String {
    let latest = sort == ThreadSort::LatestMessage;
    let (index, owner) = match (range, latest) {
        (Range::Population(_), _) => ("threads_by_population", "population = ?3"),
        (Range::Inbox(..), false) => ("threads_by_inbox", "inbox_id = ?2 AND population = ?3"),
        (Range::Inbox(..), true) => ("threads_by_inbox_latest", "inbox_id = ?2 AND population = ?3"),
        (Range::Visitor(..), _) => ("threads_by_visitor", "visitor_id = ?2 AND population = ?3"),
        (Range::Ticket(_), _) => ("threads_by_ticket", "ticket_id = ?2"),
    };
    let (place, order) = match (latest, descending) {
        (false, false) => ("id > ?5", "id"),
        (false, true) => ("id < ?5", "id DESC"),
        // One bound a side: of two, SQLite may start at the farther one.
        (true, false) => ("(latest_message_at, id) > (?4, ?5)", "latest_message_at, id"),
        (true, true) => (
            "(latest_message_at, id) < (?4, ?5) AND latest_message_at >= ?6",
            "latest_message_at DESC, id DESC",
        ),
    };
    let columns = if latest { "id, latest_message_at" } else { "id" };
    format!(
        "SELECT {columns} FROM threads INDEXED BY {index} WHERE portal_id = ?1 AND {owner} AND {place} ORDER BY {order} --{nth}"
    )
}

/// Opens a range behind a position.
fn bind(sql: &mut CachedStatement<'_>, portal: PortalId, range: Range, query: &ThreadQuery) -> Result<()> {
    let (owner, population) = match range {
        Range::Population(p) => (0, p),
        Range::Inbox(id, p) => (id.0, p),
        Range::Visitor(id, p) => (id, p),
        Range::Ticket(id) => (id, 0),
    };
    let (after, least) = start(query);
    sql.raw_bind_parameter(1, portal.0)?;
    let after_id = after.id.0;
    // A parameter that a statement does not name is not one of its own.
    for (at, value) in [(2, owner), (3, population), (4, after.key), (5, after_id), (6, least)] {
        if at <= sql.parameter_count() {
            sql.raw_bind_parameter(at, value)?;
        }
    }
    Ok(())
}

/// One page.
pub(super) fn page(
    conn: &Connection,
    known: &Reading<'_>,
    directory: &Directory,
    query: &ThreadQuery,
    sink: &mut Sink<'_>,
) -> Result<Page<ThreadPosition>> {
    let portal = directory.portal.id;
    if let Some(few) = few(query)
        && let Some(places) = places(conn, known, portal, &few, query)?
    {
        let (places, page) = page_of(query, places, |place| *place);
        for place in &places {
            if let Some(thread) = known.thread(conn, portal, place.id)? {
                sink(&thread);
            }
        }
        return Ok(page);
    }
    merged(conn, known, portal, &ranges(query, directory), query, sink)
}

/// Reads ranges side by side, always taking the thread that comes first.
fn merged(
    conn: &Connection,
    known: &Reading<'_>,
    portal: PortalId,
    ranges: &[Range],
    query: &ThreadQuery,
    sink: &mut Sink<'_>,
) -> Result<Page<ThreadPosition>> {
    let mut open = Vec::with_capacity(ranges.len());
    for (nth, range) in ranges.iter().enumerate() {
        let mut sql = conn.prepare_cached(&statement(*range, query.sort, query.descending, nth))?;
        bind(&mut sql, portal, *range, query)?;
        open.push(sql);
    }
    let mut ranges: Vec<Rows<'_>> = open.iter_mut().map(|sql| sql.raw_query()).collect();
    let mut heads = Vec::with_capacity(ranges.len());
    for rows in &mut ranges {
        heads.push(advance(query, rows)?);
    }
    let mut page = Filling::new(query, sink, EXAMINED);
    while let Some((at, head)) = first(&heads, query.descending) {
        let thread = known.thread(conn, portal, head.id)?;
        if let Some(page) = page.take(head, thread.as_deref()) {
            return Ok(page);
        }
        heads[at] = advance(query, &mut ranges[at])?;
    }
    Ok(page.end())
}

/// Steps a range and tells where it stands now.
fn advance(query: &ThreadQuery, rows: &mut Rows<'_>) -> Result<Option<ThreadPosition>> {
    rows.advance()?;
    let Some(row) = rows.get() else { return Ok(None) };
    let id: i64 = row.get(0)?;
    let key = match query.sort {
        ThreadSort::Id => id,
        ThreadSort::LatestMessage => row.get(1)?,
    };
    Ok(Some(ThreadPosition { key, id: ThreadId(id) }))
}

/// The range whose thread comes first. There are few, so they are simply compared.
fn first(heads: &[Option<ThreadPosition>], descending: bool) -> Option<(usize, ThreadPosition)> {
    let waiting = heads.iter().enumerate().filter_map(|(at, head)| head.map(|head| (at, head)));
    let order = |(_, head): &(usize, ThreadPosition)| (head.key, head.id);
    if descending { waiting.max_by_key(order) } else { waiting.min_by_key(order) }
}

/// Where the threads of a few ranges that match are in the order of their newest message. `None` when there are so many
/// that walking that order finds them sooner.
fn places(
    conn: &Connection,
    known: &Reading<'_>,
    portal: PortalId,
    few: &[Range],
    query: &ThreadQuery,
) -> Result<Option<Vec<ThreadPosition>>> {
    let mut places = Vec::new();
    let mut note = |thread: &KnownThread| {
        places.extend(thread.latest_message_at.map(|key| ThreadPosition { key, id: thread.id }));
    };
    let page = merged(conn, known, portal, few, &unsorted(query), &mut note)?;
    Ok(page.next.is_none().then_some(places))
}

//! Lists of threads: every filter is a few ranges of an index that ends in the id, merged as they are read. Only indexes
//! are walked; the threads themselves come from memory where they can.

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator;
use rusqlite::{CachedStatement, Connection, Rows};

use super::failure::Result;
use super::known::Reading;
use super::threads::population;
use crate::{
    Directory, InboxId, KnownThread, Page, PortalId, ThreadId, ThreadPosition, ThreadQuery, ThreadSort,
    ThreadStatus, TicketId,
};

/// Where threads go as they are read.
type Sink<'a> = dyn FnMut(&KnownThread) + Send + 'a;

/// Most rows that a filter no index serves may look at for one page.
pub(super) const EXAMINED: usize = 20_000;

/// One range of an index, in the order that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Range {
    Population(i64),
    Inbox(InboxId, i64),
    Visitor(i64, i64),
    Ticket(i64),
}

/// The ranges a query is made of, where it looks into these inboxes. What they let through is filtered by [`admits`].
fn ranges(query: &ThreadQuery, inboxes: &[InboxId]) -> Vec<Range> {
    let populations: Vec<i64> = [ThreadStatus::Open, ThreadStatus::Closed]
        .into_iter()
        .filter(|status| query.status.is_none_or(|wanted| wanted == *status))
        .map(|status| population(query.archived, status))
        .collect();
    let latest = query.sort == ThreadSort::LatestMessage;
    if let (Some(ticket), false) = (query.ticket, latest) {
        return vec![Range::Ticket(ticket.0)];
    }
    if let Some(visitor) = query.visitor {
        return populations.into_iter().map(|p| Range::Visitor(visitor.0, p)).collect();
    }
    if query.inboxes.is_empty() && !latest {
        return populations.into_iter().map(Range::Population).collect();
    }
    inboxes.iter().flat_map(|id| populations.iter().map(|p| Range::Inbox(*id, *p))).collect()
}

/// The inboxes a query may have to look into, each once.
fn inboxes(directory: &Directory, query: &ThreadQuery) -> Vec<InboxId> {
    if query.inboxes.is_empty() {
        let all = || [false, true].into_iter().flat_map(|archived| directory.inboxes(archived).iter());
        return match query.sort {
            ThreadSort::Id => Vec::new(),
            ThreadSort::LatestMessage => all().map(|inbox| inbox.id).collect(),
        };
    }
    let mut wanted = query.inboxes.clone();
    wanted.sort_unstable();
    wanted.dedup();
    wanted.retain(|id| directory.inbox(*id).is_some());
    wanted
}

/// The statement for one range. `nth` keeps apart the statements that are open at the same time.
fn statement(range: Range, sort: ThreadSort, descending: bool, nth: usize) -> String {
    let latest = sort == ThreadSort::LatestMessage;
    let (index, owner) = match (range, latest) {
        (Range::Population(_), _) => ("threads_by_population", "population = ?3"),
        (Range::Inbox(..), false) => ("threads_by_inbox", "inbox_id = ?2 AND population = ?3"),
        (Range::Inbox(..), true) => ("threads_by_inbox_latest", "inbox_id = ?2 AND population = ?3"),
        (Range::Visitor(..), false) => ("threads_by_visitor", "visitor_id = ?2 AND population = ?3"),
        (Range::Visitor(..), true) => ("threads_by_visitor_latest", "visitor_id = ?2 AND population = ?3"),
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
    let least = query.latest_message_from.unwrap_or(i64::MIN);
    let behind = |key, id| ThreadPosition { key, id: ThreadId(id) };
    let after = match query.descending {
        true => query.after.unwrap_or(behind(i64::MAX, i64::MAX)),
        false => match query.after {
            Some(after) if after.key >= least => after,
            _ if query.sort == ThreadSort::LatestMessage => behind(least, 0),
            after => after.unwrap_or(behind(0, 0)),
        },
    };
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

/// What the ranges do not already see to.
fn admits(query: &ThreadQuery, thread: &KnownThread) -> bool {
    thread.is_archived() == query.archived
        && query.status.is_none_or(|status| status == thread.status)
        && (query.inboxes.is_empty() || query.inboxes.contains(&thread.inbox_id))
        && query.visitor.is_none_or(|visitor| visitor == thread.visitor_id)
        && query.ticket.is_none_or(|ticket| Some(ticket) == thread.ticket_id)
        && query.latest_message_from.is_none_or(|from| thread.latest_message_at.is_some_and(|at| at >= from))
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
    if let (Some(ticket), ThreadSort::LatestMessage) = (query.ticket, query.sort)
        && let Some(places) = places_of_ticket(conn, known, portal, ticket, query)?
    {
        return sorted(conn, known, portal, query, places, sink);
    }
    merged(conn, known, portal, &ranges(query, &inboxes(directory, query)), query, sink)
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
    let (mut count, mut examined, mut last) = (0, 0, None);
    while let Some((at, head)) = first(&heads, query.descending) {
        if let Some(thread) = known.thread(conn, portal, head.id)? {
            if !admits(query, &thread) {
                last = if count < query.limit { Some(head) } else { last };
            } else if count == query.limit {
                return Ok(Page { count, next: last });
            } else {
                sink(&thread);
                (count, last) = (count + 1, Some(head));
            }
        }
        examined += 1;
        if examined == EXAMINED {
            return Ok(Page { count, next: last });
        }
        heads[at] = advance(query, &mut ranges[at])?;
    }
    Ok(Page { count, next: None })
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

/// Where the threads of a ticket that match are in the order of their newest message. `None` when there are so many
/// that walking that order finds them sooner.
fn places_of_ticket(
    conn: &Connection,
    known: &Reading<'_>,
    portal: PortalId,
    ticket: TicketId,
    query: &ThreadQuery,
) -> Result<Option<Vec<ThreadPosition>>> {
    let by_id = ThreadQuery {
        sort: ThreadSort::Id,
        descending: false,
        after: None,
        limit: EXAMINED,
        ..query.clone()
    };
    let mut places = Vec::new();
    let mut note = |thread: &KnownThread| {
        places.extend(thread.latest_message_at.map(|key| ThreadPosition { key, id: thread.id }));
    };
    let page = merged(conn, known, portal, &[Range::Ticket(ticket.0)], &by_id, &mut note)?;
    Ok(page.next.is_none().then_some(places))
}

/// One page out of places that are all known.
fn sorted(
    conn: &Connection,
    known: &Reading<'_>,
    portal: PortalId,
    query: &ThreadQuery,
    mut places: Vec<ThreadPosition>,
    sink: &mut Sink<'_>,
) -> Result<Page<ThreadPosition>> {
    let order = |place: &ThreadPosition| (place.key, place.id);
    places.sort_unstable_by_key(order);
    if query.descending {
        places.reverse();
    }
    if let Some(after) = query.after {
        places.retain(|place| {
            if query.descending { order(place) < order(&after) } else { order(place) > order(&after) }
        });
    }
    let more = places.len() > query.limit;
    places.truncate(query.limit);
    for place in &places {
        if let Some(thread) = known.thread(conn, portal, place.id)? {
            sink(&thread);
        }
    }
    Ok(Page { count: places.len(), next: if more { places.last().copied() } else { None } })
}

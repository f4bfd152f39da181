//! Lists of threads: one statement per page merges ranges of an index as it reads them. Only a filter that no index serves
//! makes it look at more, in chunks that grow.

use deadpool_postgres::ClientWrapper;

use super::failure::Result;
use super::readers::{Values, rows};
use super::threads::{self, COLUMNS};
use crate::threads::lists::{EXAMINED, Filling, Range, Sink, few, page_of, ranges, start, unsorted};
use crate::{Directory, KnownThread, Page, PortalId, Thread, ThreadPosition, ThreadQuery, ThreadSort};

/// Most ranges that are merged as they are read: planning more takes too long. Of more than these, each is read as far as all
/// of the page could come from it.
const MERGED: usize = 16;

/// How much further each chunk reaches than the one before.
const GROWTH: usize = 4;

/// One page.
pub(super) async fn page(
    client: &ClientWrapper,
    directory: &Directory,
    query: &ThreadQuery,
    sink: &mut Sink<'_>,
) -> Result<Page<ThreadPosition>> {
    let portal = directory.portal.id;
    if let Some(few) = few(query) {
        // Unless there are so many of them that walking in the order of their newest message finds them sooner.
        let mut found = Vec::new();
        let mut note = |thread: &KnownThread| {
            found.extend(thread.latest_message_at.is_some().then(|| Thread::clone(thread)));
        };
        if merged(client, portal, &few, &unsorted(query), &mut note).await?.next.is_none() {
            let (found, page) = page_of(query, found, |thread| place(query, thread));
            for thread in found {
                sink(&thread.into());
            }
            return Ok(page);
        }
    }
    merged(client, portal, &ranges(query, directory), query, sink).await
}

/// Where a thread stands in a list.
fn place(query: &ThreadQuery, thread: &Thread) -> ThreadPosition {
    let key = match query.sort {
        ThreadSort::Id => thread.id.0,
        // Ranges of this order have no thread without a message.
        ThreadSort::LatestMessage => thread.latest_message_at.unwrap_or_default(),
    };
    ThreadPosition { key, id: thread.id }
}

/// Reads ranges side by side.
async fn merged(
    client: &ClientWrapper,
    portal: PortalId,
    ranges: &[Range],
    query: &ThreadQuery,
    sink: &mut Sink<'_>,
) -> Result<Page<ThreadPosition>> {
    let Some(first) = ranges.first() else { return Ok(Page { count: 0, next: None }) };
    let (sql, parameters) = statement(*first, ranges.len(), query.sort, query.descending);
    let (ones, twos): (Vec<i64>, Vec<i64>) = ranges.iter().map(|range| numbers(*range)).unzip();
    let (mut after, least) = start(query);
    let mut chunk = query.limit.saturating_add(1);
    let most = if ranges.len() > MERGED { chunk.max(EXAMINED / ranges.len()) } else { EXAMINED };
    let mut page = Filling::new(query, sink, most);
    loop {
        let limit = chunk.min(page.left());
        let (most, id) = (limit as i64, after.id.0);
        let values: Values<'_> = &[&portal.0, &most, &id, &ones, &twos, &after.key, &least];
        let found = rows(client, &sql, &values[..parameters]).await?;
        for row in &found {
            let thread = KnownThread::from(threads::thread(row)?);
            after = place(query, &thread);
            if let Some(page) = page.take(after, Some(&thread)) {
                return Ok(page);
            }
        }
        if found.len() < limit {
            return Ok(page.end());
        }
        chunk = limit.saturating_mul(GROWTH);
    }
}

/// What tells a range from the others of its kind.
fn numbers(range: Range) -> (i64, i64) {
    match range {
        Range::Population(population) => (population, 0),
        Range::Inbox(id, population) => (id.0, population),
        Range::Visitor(id, population) => (id, population),
        Range::Ticket(id) => (id, 0),
    }
}

/// The statement for so many ranges of a kind, and how many parameters it has: the portal, the limit, the id behind which it
/// goes on, the first and the second numbers of the ranges, the time behind which it goes on, and the least time.
fn statement(range: Range, count: usize, sort: ThreadSort, descending: bool) -> (String, usize) {
    let latest = sort == ThreadSort::LatestMessage;
    let (one, two) = match range {
        Range::Population(_) => ("population", None),
        Range::Inbox(..) => ("inbox_id", Some("population")),
        Range::Visitor(..) => ("visitor_id", Some("population")),
        Range::Ticket(_) => ("ticket_id", None),
    };
    let (behind, order) = match (latest, descending) {
        (false, false) => ("id > $3", "id"),
        (false, true) => ("id < $3", "id DESC"),
        (true, false) => ("(latest_message_at, id) > ($6, $3)", "latest_message_at, id"),
        (true, true) => (
            "(latest_message_at, id) < ($6, $3) AND latest_message_at >= $7",
            "latest_message_at DESC, id DESC",
        ),
    };
    let (columns, table) =
        if latest { ("id, latest_message_at", "thread_places") } else { (COLUMNS, "threads") };
    let range = |first: &str, second: &str| {
        let two = two.map(|two| format!(" AND {two} = {second}")).unwrap_or_default();
        format!(
            "(SELECT {columns} FROM {table} WHERE portal_id = $1 AND {one} = {first}{two} AND {behind} \
             ORDER BY {order} LIMIT $2)"
        )
    };
    let ranges = if count <= MERGED {
        // Few texts serve any number of ranges: those past the end of the list are NULL, and cost nothing.
        let nth = |n| range(&format!("($4::bigint[])[{n}]"), &format!("($5::bigint[])[{n}]"));
        (1..=count.next_power_of_two()).map(nth).collect::<Vec<_>>().join(" UNION ALL ")
    } else {
        let each = range("r.one", "r.two");
        format!(
            "SELECT each.* FROM unnest($4::bigint[], $5::bigint[]) AS r (one, two) CROSS JOIN LATERAL {each} AS each"
        )
    };
    let merged = format!("SELECT {columns} FROM ({ranges}) AS merged ORDER BY {order} LIMIT $2");
    if !latest {
        return (merged, if two.is_some() { 5 } else { 4 });
    }
    // Looked up one by one, so that no plan reads the table of threads to join it.
    let order = if descending {
        "place.latest_message_at DESC, place.id DESC"
    } else {
        "place.latest_message_at, place.id"
    };
    let sql = format!(
        "SELECT found.* FROM ({merged}) AS place CROSS JOIN LATERAL (SELECT {COLUMNS} FROM threads \
         WHERE portal_id = $1 AND id = place.id LIMIT 1) AS found ORDER BY {order}"
    );
    (sql, if descending { 7 } else { 6 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InboxId;

    #[test]
    fn few_texts_serve_any_number_of_ranges() {
        let inboxes = Range::Inbox(InboxId(1), 0);
        let text = |count| statement(inboxes, count, ThreadSort::LatestMessage, true).0;
        assert_eq!(text(3), text(4));
        assert_ne!(text(4), text(5));
        assert_eq!(text(MERGED + 1), text(5 * MERGED));
        let texts: std::collections::BTreeSet<String> = (1..=1000).map(text).collect();
        assert_eq!(texts.len(), 6);
    }

    #[test]
    fn a_statement_names_its_parameters_and_no_others() {
        for range in
            [Range::Population(0), Range::Inbox(InboxId(1), 0), Range::Visitor(1, 0), Range::Ticket(1)]
        {
            for sort in [ThreadSort::Id, ThreadSort::LatestMessage] {
                let keyed = matches!(range, Range::Inbox(..) | Range::Visitor(..));
                for descending in [false, true].into_iter().filter(|_| keyed || sort == ThreadSort::Id) {
                    let (sql, parameters) = statement(range, 2, sort, descending);
                    for n in 1..9 {
                        assert_eq!(sql.contains(&format!("${n}")), n <= parameters, "{sql}");
                    }
                }
            }
        }
    }
}

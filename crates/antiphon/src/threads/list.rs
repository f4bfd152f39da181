//! A page of threads: filters, sorts and cursors, and which of them go together.

use antiphon_store::{InboxId, KnownThread, ThreadPosition, ThreadQuery, ThreadSort, TicketId, VisitorId};
use antiphon_wire::cursor::{self, Cursor};
use antiphon_wire::error::Problem;
use antiphon_wire::id::{MAX_INT32, MAX_SAFE};
use antiphon_wire::page::{Link, Page};
use antiphon_wire::query::Query;
use antiphon_wire::thread::{Association, ThreadStatus};

use super::{print_known, status_stored};
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// Items of a page when nothing is asked for, and at most.
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 500;

/// `GET /threads`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let (query, with_ticket) = asked(&call.query)?;
    let mut out = Vec::with_capacity(query.limit.min(100) * 512);
    let mut page = Page::open(&mut out);
    let mut sink = |thread: &KnownThread| page.item(|out| print_known(thread, with_ticket, out));
    let next = call.app.store.threads(call.caller.portal(), &query, &mut sink).await?.next;
    let sort = cursor_sort(query.sort);
    let cursor =
        next.map(|at| Cursor::Threads { sort, descending: query.descending, key: at.key, id: at.id.0 });
    let link = Link { origin: &call.origin, path: &call.uri_path, query: &call.query };
    page.close(cursor.as_ref().map(|cursor| (cursor, &link)), None);
    Ok(Answer::ok(out))
}

fn asked(query: &Query) -> Result<(ThreadQuery, bool), Refusal> {
    let mut query = Asked::new(query);
    let inboxes = query.keep(|query| query.ids("inboxId", MAX_INT32)).unwrap_or_default();
    let visitor = query.keep(|query| query.id("associatedContactId", MAX_SAFE)).flatten();
    let ticket = query.keep(|query| query.id("associatedTicketId", MAX_SAFE)).flatten();
    let latest = query.keep(|query| query.timestamp("latestMessageTimestampAfter")).flatten();
    let archived = query.flag("archived").unwrap_or(false);
    let with_ticket = query.association();
    let status = query.keep(|query| {
        query.scalar("threadStatus").map(|text| ThreadStatus::read("threadStatus", text)).transpose()
    });
    // Both are asked for by name, so that an id that cannot be read is one problem and not two.
    if query.has("associatedContactId") && query.has("inboxId") {
        let why = "associatedContactId and inboxId cannot be used together";
        query.problem("associatedContactId", why);
        query.problem("inboxId", why);
    }
    let (key, minus) = query.sort().map_or(("id", false), |sent| match sent.strip_prefix('-') {
        Some(key) => (key, true),
        None => (sent, false),
    });
    let sort = match key {
        "id" => ThreadSort::Id,
        "latestMessageTimestamp" | "latestMessageTimestampAfter" => ThreadSort::LatestMessage,
        other => {
            let why = format!("`{other}` is not a sort key here; use id or latestMessageTimestamp");
            query.problem("sort", why);
            ThreadSort::Id
        }
    };
    if sort == ThreadSort::LatestMessage && !query.has("latestMessageTimestampAfter") {
        let why = "latestMessageTimestampAfter is required when sorting by latestMessageTimestamp";
        query.problem("latestMessageTimestampAfter", why);
    }
    // Only the threads of one contact can be read backwards.
    let descending = minus && visitor.is_some();
    let after = query.after(|cursor| match cursor {
        Cursor::Threads { sort: by, descending: way, key, id }
            if by == cursor_sort(sort) && way == descending =>
        {
            Some(ThreadPosition { key, id: antiphon_store::ThreadId(id) })
        }
        _ => None,
    });
    let limit = query.limit();
    query.done()?;
    let query = ThreadQuery {
        archived,
        status: status.flatten().map(status_stored),
        inboxes: inboxes.into_iter().map(InboxId).collect(),
        visitor: visitor.map(VisitorId),
        ticket: ticket.map(TicketId),
        latest_message_from: latest,
        sort,
        descending,
        after,
        limit,
    };
    Ok((query, with_ticket))
}

fn cursor_sort(sort: ThreadSort) -> cursor::ThreadSort {
    match sort {
        ThreadSort::Id => cursor::ThreadSort::Id,
        ThreadSort::LatestMessage => cursor::ThreadSort::LatestMessage,
    }
}

/// A query string being read: what cannot be understood is collected, so that the client hears of everything at once.
pub(crate) struct Asked<'q> {
    query: &'q Query,
    problems: Vec<Problem>,
}

impl<'q> Asked<'q> {
    pub(crate) fn new(query: &'q Query) -> Self {
        Self { query, problems: Vec::new() }
    }

    /// What could be read, or nothing.
    pub(crate) fn keep<T>(&mut self, read: impl FnOnce(&'q Query) -> Result<T, Problem>) -> Option<T> {
        read(self.query).map_err(|problem| self.problems.push(problem)).ok()
    }

    /// A truth value.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        self.keep(|query| query.flag(name)).flatten()
    }

    /// Whether tickets were asked for.
    pub(crate) fn association(&mut self) -> bool {
        let mut asked = false;
        for text in self.query.list("association") {
            asked |= self.keep(|_| Association::read("association", text)).is_some();
        }
        asked
    }

    /// The one sort key that counts.
    pub(crate) fn sort(&self) -> Option<&'q str> {
        self.query.list("sort").first().copied()
    }

    /// How many items a page has.
    pub(crate) fn limit(&mut self) -> usize {
        self.keep(|query| query.limit("limit", DEFAULT_LIMIT, MAX_LIMIT)).unwrap_or(DEFAULT_LIMIT)
    }

    /// The place that a cursor of this list and order marks.
    pub(crate) fn after<T>(&mut self, place: impl FnOnce(Cursor) -> Option<T>) -> Option<T> {
        let text = self.query.scalar("after")?;
        let found = Cursor::decode(text).and_then(place);
        if found.is_none() {
            self.problem("after", "The cursor is not one of this list in this order");
        }
        found
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Option<&'q str> {
        self.query.scalar(name)
    }

    /// The members of a list.
    pub(crate) fn list(&self, name: &str) -> Vec<&'q str> {
        self.query.list(name)
    }

    /// Whether a parameter was given at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.query.scalar(name).is_some() || !self.query.list(name).is_empty()
    }

    pub(crate) fn problem(&mut self, name: &str, why: impl Into<String>) {
        self.problems.push(Problem::new(name, why));
    }

    /// Nothing more is asked.
    pub(crate) fn done(self) -> Result<(), Refusal> {
        if self.problems.is_empty() { Ok(()) } else { Err(Refusal::Invalid(self.problems)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<ThreadQuery, Vec<String>> {
        match asked(&Query::parse(query.as_bytes())) {
            Ok((query, _)) => Ok(query),
            Err(Refusal::Invalid(problems)) => {
                Err(problems.into_iter().filter_map(|problem| problem.in_).collect())
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_asked() {
        let query = read("property=id&unknown=7&after=&limit=").unwrap();
        assert_eq!(
            (query.sort, query.descending, query.limit, query.archived),
            (ThreadSort::Id, false, 100, false)
        );
        assert!(query.inboxes.is_empty() && query.after.is_none());
    }

    #[test]
    fn filters() {
        let query = read("inboxId=1%2C2&inboxId=3&threadStatus=open&archived=True&limit=9999").unwrap();
        assert_eq!(query.inboxes, [InboxId(1), InboxId(2), InboxId(3)]);
        assert_eq!(query.status, Some(antiphon_store::ThreadStatus::Open));
        assert_eq!((query.archived, query.limit), (true, 500));
        let query =
            read("associatedContactId=5&associatedTicketId=6&latestMessageTimestampAfter=1000").unwrap();
        assert_eq!((query.visitor, query.ticket), (Some(VisitorId(5)), Some(TicketId(6))));
        assert_eq!((query.latest_message_from, query.sort), (Some(1000), ThreadSort::Id));
        assert!(asked(&Query::parse(b"association=ticket")).unwrap().1);
        assert!(!asked(&Query::parse(b"")).unwrap().1);
    }

    #[test]
    fn orders() {
        let latest = "latestMessageTimestampAfter=2026-10-06";
        for (query, sort, descending) in [
            ("sort=id".to_owned(), ThreadSort::Id, false),
            ("sort=-id".to_owned(), ThreadSort::Id, false),
            ("sort=-id&associatedContactId=5".to_owned(), ThreadSort::Id, true),
            (format!("sort=latestMessageTimestamp&{latest}"), ThreadSort::LatestMessage, false),
            (format!("sort=-latestMessageTimestamp&{latest}"), ThreadSort::LatestMessage, false),
            (
                format!("sort=-latestMessageTimestampAfter&{latest}&associatedContactId=5"),
                ThreadSort::LatestMessage,
                true,
            ),
            ("sort=id,createdAt".to_owned(), ThreadSort::Id, false),
        ] {
            let read = read(&query).unwrap();
            assert_eq!((read.sort, read.descending), (sort, descending), "{query}");
        }
    }

    #[test]
    fn what_is_refused() {
        for (query, names) in [
            ("associatedContactId=5&inboxId=1", vec!["associatedContactId", "inboxId"]),
            ("associatedContactId=5&inboxId[0]=1", vec!["associatedContactId", "inboxId"]),
            ("sort=latestMessageTimestamp", vec!["latestMessageTimestampAfter"]),
            ("sort=-latestMessageTimestamp&associatedContactId=5", vec!["latestMessageTimestampAfter"]),
            ("sort=createdAt", vec!["sort"]),
            ("sort=ID", vec!["sort"]),
            ("threadStatus=PENDING", vec!["threadStatus"]),
            ("association=DEAL", vec!["association"]),
            ("archived=maybe", vec!["archived"]),
            ("limit=0", vec!["limit"]),
            ("limit=-3", vec!["limit"]),
            ("limit=ten", vec!["limit"]),
            ("after=nonsense", vec!["after"]),
            ("inboxId=x&threadStatus=y&limit=0&sort=z", vec!["inboxId", "threadStatus", "sort", "limit"]),
        ] {
            assert_eq!(read(query), Err(names.into_iter().map(str::to_owned).collect()), "{query}");
        }
    }

    #[test]
    fn a_cursor_belongs_to_one_list_and_order() {
        let at = |sort, descending| Cursor::Threads { sort, descending, key: 7, id: 7 }.encode();
        let by_id = at(cursor::ThreadSort::Id, false);
        let position = read(&format!("after={by_id}")).unwrap().after;
        assert_eq!(position, Some(ThreadPosition { key: 7, id: antiphon_store::ThreadId(7) }));
        for cursor in [
            at(cursor::ThreadSort::LatestMessage, false),
            at(cursor::ThreadSort::Id, true),
            Cursor::Messages { ascending: false, position: 7 }.encode(),
        ] {
            assert_eq!(read(&format!("after={cursor}")), Err(vec!["after".to_owned()]));
        }
    }
}

//! Lists of threads, whichever engine reads them: every filter is a few ranges of an index that ends in the sort's key.

use crate::threads::population;
use crate::{
    Directory, InboxId, KnownThread, Millis, Page, ThreadId, ThreadPosition, ThreadQuery, ThreadSort,
    ThreadStatus,
};

/// Where threads go as they are read.
pub(crate) type Sink<'a> = dyn FnMut(&KnownThread) + Send + 'a;

/// Most rows that a filter no index serves may look at for one page.
pub(crate) const EXAMINED: usize = 20_000;

/// One range of an index, in the order that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Range {
    Population(i64),
    Inbox(InboxId, i64),
    Visitor(i64, i64),
    Ticket(i64),
}

/// The ranges a query is made of; all of one kind. What they let through is filtered as the page is filled.
pub(crate) fn ranges(query: &ThreadQuery, directory: &Directory) -> Vec<Range> {
    let populations: Vec<i64> = populations(query).collect();
    let latest = query.sort == ThreadSort::LatestMessage;
    if let (Some(ticket), false) = (query.ticket, latest) {
        return vec![Range::Ticket(ticket.0)];
    }
    if let (Some(visitor), false) = (query.visitor, latest) {
        return populations.into_iter().map(|p| Range::Visitor(visitor.0, p)).collect();
    }
    if query.inboxes.is_empty() && !latest {
        return populations.into_iter().map(Range::Population).collect();
    }
    inboxes(query, directory)
        .iter()
        .flat_map(|id| populations.iter().map(|p| Range::Inbox(*id, *p)))
        .collect()
}

fn populations(query: &ThreadQuery) -> impl Iterator<Item = i64> {
    let wanted = [ThreadStatus::Open, ThreadStatus::Closed].into_iter();
    let wanted = wanted.filter(|status| query.status.is_none_or(|wanted| wanted == *status));
    wanted.map(|status| population(query.archived, status))
}

/// The ranges of a ticket's or a visitor's threads, where those are to be sorted by their newest message: no index does, as there
/// are few.
pub(crate) fn few(query: &ThreadQuery) -> Option<Vec<Range>> {
    if query.sort != ThreadSort::LatestMessage {
        return None;
    }
    match (query.ticket, query.visitor) {
        (Some(ticket), _) => Some(vec![Range::Ticket(ticket.0)]),
        (None, Some(visitor)) => Some(populations(query).map(|p| Range::Visitor(visitor.0, p)).collect()),
        (None, None) => None,
    }
}

/// The inboxes a query may have to look into, each once.
fn inboxes(query: &ThreadQuery, directory: &Directory) -> Vec<InboxId> {
    if query.inboxes.is_empty() {
        let all = [false, true].into_iter().flat_map(|archived| directory.inboxes(archived).iter());
        return all.map(|inbox| inbox.id).collect();
    }
    let mut wanted = query.inboxes.clone();
    wanted.sort_unstable();
    wanted.dedup();
    wanted.retain(|id| directory.inbox(*id).is_some());
    wanted
}

/// Behind which place a walk begins, and the least `latest_message_at` it may meet.
pub(crate) fn start(query: &ThreadQuery) -> (ThreadPosition, Millis) {
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
    (after, least)
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

/// A page that is being filled with what the ranges let through, in order.
pub(crate) struct Filling<'a> {
    query: &'a ThreadQuery,
    sink: &'a mut Sink<'a>,
    count: usize,
    left: usize,
    last: Option<ThreadPosition>,
}

impl<'a> Filling<'a> {
    /// An empty page, for which so many may be looked at.
    pub(crate) fn new(query: &'a ThreadQuery, sink: &'a mut Sink<'a>, most: usize) -> Self {
        Self { query, sink, count: 0, left: most, last: None }
    }

    /// Takes what is at the next place: nothing, if it is gone. The page, once it is full or enough was looked at.
    pub(crate) fn take(
        &mut self,
        place: ThreadPosition,
        thread: Option<&KnownThread>,
    ) -> Option<Page<ThreadPosition>> {
        let full = self.count == self.query.limit;
        let over = Page { count: self.count, next: self.last };
        match thread.map(|thread| (thread, admits(self.query, thread))) {
            Some((_, true)) if full => return Some(over),
            Some((thread, true)) => {
                (self.sink)(thread);
                self.count += 1;
                self.last = Some(place);
            }
            Some((_, false)) if !full => self.last = Some(place),
            _ => {}
        }
        self.left -= 1;
        (self.left == 0).then_some(Page { count: self.count, next: self.last })
    }

    /// How many more may be looked at.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// The page, when the ranges have come to their end.
    pub(crate) fn end(self) -> Page<ThreadPosition> {
        Page { count: self.count, next: None }
    }
}

/// The same threads in any order, as many as may be looked at.
pub(crate) fn unsorted(query: &ThreadQuery) -> ThreadQuery {
    ThreadQuery { sort: ThreadSort::Id, descending: false, after: None, limit: EXAMINED, ..query.clone() }
}

/// One page out of all the threads that match, or what stands for them.
pub(crate) fn page_of<T>(
    query: &ThreadQuery,
    mut all: Vec<T>,
    place: impl Fn(&T) -> ThreadPosition,
) -> (Vec<T>, Page<ThreadPosition>) {
    let order = |place: ThreadPosition| (place.key, place.id);
    all.sort_unstable_by_key(|one| order(place(one)));
    if query.descending {
        all.reverse();
    }
    if let Some(after) = query.after.map(order) {
        let behind = |at| if query.descending { at < after } else { at > after };
        all.retain(|one| behind(order(place(one))));
    }
    let more = all.len() > query.limit;
    all.truncate(query.limit);
    let next = if more { all.last().map(place) } else { None };
    let count = all.len();
    (all, Page { count, next })
}

//! Threads: one conversation with one visitor.

pub(crate) mod lists;
pub(crate) mod work;

use crate::{AccountId, InboxId, MessageId, Millis, TagId, ThreadId, TicketId, VisitorId};

/// Whether a conversation still waits for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ThreadStatus {
    Open,
    Closed,
}

impl ThreadStatus {
    /// The status of the threads of a population.
    pub(crate) fn of(population: i64) -> Self {
        if population & 1 == 0 { Self::Open } else { Self::Closed }
    }
}

/// Most names of a thread that are told.
pub(crate) const MOST_NAMES: i64 = 100;

/// Among how many of a visitor's newest threads on an account one without a name is looked for.
pub(crate) const MOST_NAMELESS: i64 = 100;

/// The set of lists that threads of a kind are in: 2 × archived + closed.
pub(crate) fn population(archived: bool, status: ThreadStatus) -> i64 {
    i64::from(archived) * 2 + i64::from(status == ThreadStatus::Closed)
}

/// A thread as the store keeps it. `created_at`, `number` and the original channel never change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    pub id: ThreadId,
    /// The engine's own key for this thread: history is clustered by it. 0 until the thread is stored.
    pub number: i64,
    pub inbox_id: InboxId,
    pub channel_id: i64,
    pub account_id: AccountId,
    /// The contact, or the visitor as long as it is no contact.
    pub visitor_id: VisitorId,
    pub status: ThreadStatus,
    pub spam: bool,
    /// Actor id of the assignee, such as `A-71`.
    pub assigned_to: Option<String>,
    pub ticket_id: Option<TicketId>,
    /// Subject of the first email, without repeated reply prefixes.
    pub subject: Option<String>,
    /// Until when nobody is to answer; `None` unless it is snoozed.
    pub snoozed_until: Option<Millis>,
    /// In ascending order.
    pub tags: Vec<TagId>,
    /// How the newest `MESSAGE` begins.
    pub preview: Option<String>,
    pub created_at: Millis,
    pub closed_at: Option<Millis>,
    /// When the thread went to the trash; `None` while it is live.
    pub archived_at: Option<Millis>,
    /// `created_at` of the newest `MESSAGE` of either direction.
    pub latest_message_at: Option<Millis>,
    /// `created_at` of the newest outgoing `MESSAGE`.
    pub latest_sent_at: Option<Millis>,
    /// `created_at` of the newest incoming `MESSAGE`.
    pub latest_received_at: Option<Millis>,
    /// The newest `MESSAGE` of either direction.
    pub latest_message_id: Option<MessageId>,
    /// `created_at` of the newest history entry of any kind; the next one must be later.
    pub latest_entry_at: Millis,
    /// How many history entries the thread has had; the next one gets this sequence number. Kept by the store.
    pub entries: i64,
    /// Raised by the store with every write of this row.
    pub revision: i64,
}

impl Thread {
    /// Whether the thread is in the trash.
    pub fn is_archived(&self) -> bool {
        self.archived_at.is_some()
    }

    /// The same thread, borrowed in the form in which lists hand it out.
    pub fn view(&self) -> ThreadView<'_> {
        ThreadView {
            id: self.id,
            inbox_id: self.inbox_id,
            channel_id: self.channel_id,
            account_id: self.account_id,
            visitor_id: self.visitor_id,
            status: self.status,
            spam: self.spam,
            archived: self.is_archived(),
            assigned_to: self.assigned_to.as_deref(),
            ticket_id: self.ticket_id,
            created_at: self.created_at,
            closed_at: self.closed_at,
            latest_message_at: self.latest_message_at,
            latest_sent_at: self.latest_sent_at,
            latest_received_at: self.latest_received_at,
        }
    }
}

/// A thread as it is held in memory, with room for what a reader makes of it: the same thread is printed once and read often.
#[derive(Debug)]
pub struct KnownThread {
    thread: Thread,
    printed: std::sync::OnceLock<Box<[u8]>>,
}

impl KnownThread {
    /// What `print` once made of this thread. There is one such print, so every caller must want the same.
    pub fn printed(&self, print: impl FnOnce(ThreadView<'_>, &mut Vec<u8>)) -> &[u8] {
        self.printed.get_or_init(|| {
            let mut out = Vec::with_capacity(512);
            print(self.thread.view(), &mut out);
            out.into_boxed_slice()
        })
    }
}

impl From<Thread> for KnownThread {
    fn from(thread: Thread) -> Self {
        Self { thread, printed: std::sync::OnceLock::new() }
    }
}

impl std::ops::Deref for KnownThread {
    type Target = Thread;

    fn deref(&self) -> &Thread {
        &self.thread
    }
}

/// What a reader sees of a thread: exactly what the API prints, borrowed from the row being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadView<'a> {
    pub id: ThreadId,
    pub inbox_id: InboxId,
    pub channel_id: i64,
    pub account_id: AccountId,
    pub visitor_id: VisitorId,
    pub status: ThreadStatus,
    pub spam: bool,
    pub archived: bool,
    pub assigned_to: Option<&'a str>,
    pub ticket_id: Option<TicketId>,
    pub created_at: Millis,
    pub closed_at: Option<Millis>,
    pub latest_message_at: Option<Millis>,
    pub latest_sent_at: Option<Millis>,
    pub latest_received_at: Option<Millis>,
}

/// The key by which a list of threads is ordered; ties are broken by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ThreadSort {
    Id,
    /// Threads without any `MESSAGE` are left out.
    LatestMessage,
}

/// Which threads, in which order, from where on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadQuery {
    /// `true`: only threads in the trash; `false`: only live ones.
    pub archived: bool,
    pub status: Option<ThreadStatus>,
    /// Any of these; empty means all.
    pub inboxes: Vec<InboxId>,
    pub visitor: Option<VisitorId>,
    pub ticket: Option<TicketId>,
    /// Inclusive lower bound of `latest_message_at`; threads without one are left out.
    pub latest_message_from: Option<Millis>,
    pub sort: ThreadSort,
    pub descending: bool,
    /// Strictly behind this position, in the direction of the walk.
    pub after: Option<ThreadPosition>,
    pub limit: usize,
}

/// A place in a list of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadPosition {
    /// The sort key: `latest_message_at` for [`ThreadSort::LatestMessage`], otherwise the id again.
    pub key: i64,
    pub id: ThreadId,
}

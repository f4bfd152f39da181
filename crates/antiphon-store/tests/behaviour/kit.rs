//! A portal to try things in, and rules as short as rules can be.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use antiphon_cluster::Database;
use antiphon_store::*;

use crate::plans;

/// What rules here refuse with.
#[derive(Debug, PartialEq, Eq)]
pub struct No;

pub const INBOX: InboxId = InboxId(1);
pub const ACCOUNT: AccountId = AccountId(1);
pub const NOON: Millis = 1_780_000_000_000;

/// A store in a directory, or in a database, that goes with it.
pub struct Kit {
    pub store: Store,
    pub portal: PortalId,
    pub clock: Arc<AtomicI64>,
    pub dir: tempfile::TempDir,
    /// Where tables are in parts, everything the store asks is looked at.
    watch: Option<plans::Watch>,
    pub database: Option<Database>,
}

/// The engine under test, as `ANTIPHON_TEST_STORE` names it: `sqlite` (also when it names none), `postgres`, or `partitioned`,
/// which is PostgreSQL with its tables in parts by portal.
pub fn layout() -> Option<Layout> {
    match std::env::var("ANTIPHON_TEST_STORE").as_deref() {
        Err(_) | Ok("sqlite") => None,
        Ok("postgres") => Some(Layout::Plain),
        Ok("partitioned") => Some(Layout::Partitioned(4)),
        Ok(other) => panic!("ANTIPHON_TEST_STORE={other} names no engine"),
    }
}

/// A fresh database, if the engine under test has databases.
pub fn database() -> Option<Database> {
    layout().map(|_| antiphon_cluster::shared().unwrap().database().unwrap())
}

/// Settings of a test: small limits, a clock that stands still until it is moved.
pub fn settings(dir: &tempfile::TempDir, clock: &Arc<AtomicI64>, database: Option<&Database>) -> Settings {
    let clock = clock.clone();
    let url = |database: &Database| match layout() {
        Some(Layout::Partitioned(_)) => plans::url(database, &["enable_seqscan=off"]),
        _ => database.url(),
    };
    // One writer has one queue, so that tests can tell what is committed together.
    let postgres =
        database.map(|database| Postgres { writers: 1, layout: layout(), ..Postgres::new(url(database)) });
    Settings {
        postgres,
        clock: Some(Arc::new(move || clock.load(Ordering::Relaxed))),
        key: KeySource::Given(MasterKey::new([7; 32])),
        ..Settings::new(dir.path())
    }
}

impl Kit {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A store with one portal, one inbox and one account.
    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::at(database(), change).await
    }

    /// A store in a directory, whichever engine is under test.
    pub async fn embedded() -> Self {
        Self::at(None, |_| {}).await
    }

    async fn at(database: Option<Database>, change: impl FnOnce(&mut Settings)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(NOON));
        let mut settings = settings(&dir, &clock, database.as_ref());
        change(&mut settings);
        let parted = matches!(layout(), Some(Layout::Partitioned(_)));
        if parted {
            plans::listen();
        }
        let store = open(settings);
        let watch = database.as_ref().filter(|_| parted).map(plans::Watch::over);
        let portal = portal(&store, "First").await;
        Self { store, portal, clock, dir, watch, database }
    }

    /// Closes the store and opens it again.
    pub async fn reopen(self) -> Self {
        self.store.close().await;
        let Self { store, portal, clock, dir, watch, database } = self;
        drop(store);
        let store = open(settings(&dir, &clock, database.as_ref()));
        Self { store, portal, clock, dir, watch, database }
    }

    pub async fn apply(&self, target: Target, changes: Changes) -> Applied {
        apply(&self.store, self.portal, target, changes).await.unwrap()
    }

    /// A new thread of a visitor, without entries.
    pub async fn thread(&self, visitor: i64) -> Thread {
        thread(&self.store, self.portal, move |thread| thread.visitor_id = VisitorId(visitor)).await
    }

    pub async fn say(&self, thread: ThreadId, text: &str) -> MessageId {
        say(&self.store, self.portal, thread, text).await.unwrap()
    }

    pub async fn read(&self, thread: ThreadId) -> Thread {
        Thread::clone(&self.store.thread_by_id(self.portal, thread).await.unwrap().unwrap())
    }

    /// Texts of a whole history, read in pages.
    pub async fn texts(&self, thread: ThreadId, ascending: bool, limit: usize) -> Vec<String> {
        let mut query = HistoryQuery { archived: false, ascending, after: None, limit };
        let mut texts = Vec::new();
        loop {
            let mut sink = |doc: &[u8]| texts.push(String::from_utf8(doc.to_vec()).unwrap());
            let page = self.store.history(self.portal, thread, &query, &mut sink).await.unwrap().unwrap();
            assert!(page.count == limit || page.next.is_none());
            query.after = page.next;
            if query.after.is_none() {
                return texts;
            }
        }
    }
}

pub async fn portal(store: &Store, name: &str) -> PortalId {
    let portal =
        store.portal_create(None, name.into(), "UTC".into(), Quota::default()).await.unwrap().unwrap();
    let directory = vec![DirectoryChange::Inbox(inbox(INBOX)), DirectoryChange::Account(account())];
    apply(store, portal.id, Target::Directory, Changes { directory, ..Changes::default() }).await.unwrap();
    portal.id
}

pub fn inbox(id: InboxId) -> Inbox {
    Inbox {
        id,
        name: format!("Inbox {id}"),
        kind: InboxKind::Inbox,
        assign_on_reply: true,
        created_at: NOON,
        updated_at: NOON,
        archived_at: None,
    }
}

pub fn account() -> Account {
    Account {
        id: ACCOUNT,
        channel_id: 1000,
        inbox_id: INBOX,
        name: "Chat".into(),
        active: true,
        authorized: true,
        identifier: Some(Identifier { kind: "HS_EMAIL_ADDRESS".into(), value: "help@example.org".into() }),
        adapter: Adapter::Stored,
        welcome: Some("Hello!".into()),
        chat: Some("{}".into()),
        created_at: NOON,
        archived_at: None,
    }
}

/// Does what it is told, whatever the state is.
pub async fn apply(
    store: &Store,
    portal: PortalId,
    target: Target,
    changes: Changes,
) -> Result<Applied, StoreError> {
    let done = store.change(portal, target, move |_, _| Ok::<_, No>(changes.clone())).await?;
    Ok(done.unwrap())
}

/// A thread made as the caller likes it.
pub async fn thread(store: &Store, portal: PortalId, shape: impl Fn(&mut Thread) + Send + 'static) -> Thread {
    let made = store.change(portal, Target::Directory, move |_, moment| {
        let mut thread = blank(moment);
        shape(&mut thread);
        Ok::<_, No>(Changes { threads: vec![thread], ..Changes::default() })
    });
    made.await.unwrap().unwrap().changes.threads.remove(0)
}

pub fn blank(moment: &mut Moment) -> Thread {
    Thread {
        id: moment.thread_id(),
        number: 0,
        inbox_id: INBOX,
        channel_id: 1000,
        account_id: ACCOUNT,
        visitor_id: VisitorId(1),
        status: ThreadStatus::Open,
        spam: false,
        assigned_to: None,
        ticket_id: None,
        subject: None,
        snoozed_until: None,
        tags: Vec::new(),
        preview: None,
        created_at: moment.now,
        closed_at: None,
        archived_at: None,
        latest_message_at: None,
        latest_sent_at: None,
        latest_received_at: None,
        latest_message_id: None,
        latest_entry_at: moment.now,
        entries: 0,
        revision: 0,
    }
}

/// An outgoing message on a thread.
pub fn message(thread: &Thread, moment: &mut Moment, text: &str) -> NewMessage {
    let created_at = moment.now.max(thread.latest_entry_at + 1);
    NewMessage {
        id: moment.message_id(created_at),
        thread_id: thread.id,
        kind: MessageKind::Message,
        direction: Some(Direction::Outgoing),
        created_at,
        document: Document { format: 1, bytes: text.as_bytes().to_vec() },
        original: None,
        people: Vec::new(),
        files: Vec::new(),
    }
}

/// The rule of sending: appends a message and moves the thread's timestamps.
pub fn send(text: String) -> impl FnMut(&State, &mut Moment) -> Result<Changes, No> + Send + 'static {
    move |state, moment| {
        let mut thread = state.thread.clone().ok_or(No)?;
        let message = message(&thread, moment, &text);
        thread.latest_message_at = Some(message.created_at);
        thread.latest_sent_at = Some(message.created_at);
        thread.latest_message_id = Some(message.id);
        thread.latest_entry_at = message.created_at;
        let event = NewEvent {
            kind: EventKind::MessageAdded,
            object: ObjectKind::Thread,
            object_id: thread.id.0,
            occurred_at: message.created_at,
            payload: format!("{{\"messageId\":\"{}\"}}", message.id),
        };
        Ok(Changes {
            threads: vec![thread],
            messages: vec![message],
            events: vec![event],
            ..Changes::default()
        })
    }
}

pub async fn say(
    store: &Store,
    portal: PortalId,
    thread: ThreadId,
    text: &str,
) -> Result<MessageId, StoreError> {
    let sent = store.change(portal, Target::Thread(thread), send(text.into())).await?;
    Ok(sent.unwrap().changes.messages[0].id)
}

/// The engine under test.
pub fn open(settings: Settings) -> Store {
    Store::open(settings).unwrap()
}

/// A rule that keeps the writer busy, so that whatever is asked meanwhile waits in the queue.
pub struct Busy {
    go: std::sync::mpsc::Sender<()>,
    rule: tokio::task::JoinHandle<()>,
}

impl Busy {
    /// Returns once the writer is inside the rule.
    pub async fn begin(store: &Store, portal: PortalId) -> Self {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let (begun, beginning) = tokio::sync::oneshot::channel();
        let store = store.clone();
        let mut begun = Some(begun);
        let rule = tokio::spawn(async move {
            let rule = move |_: &State, _: &mut Moment| {
                if let Some(begun) = begun.take() {
                    begun.send(()).unwrap();
                    let _ = wait.recv();
                }
                Err::<Changes, _>(No)
            };
            store.change(portal, Target::Directory, rule).await.unwrap().unwrap_err();
        });
        beginning.await.unwrap();
        Self { go, rule }
    }

    pub async fn end(self) {
        self.go.send(()).unwrap();
        self.rule.await.unwrap();
    }
}

/// Waits until so much is in the queue.
pub async fn queued(store: &Store, depth: u64) {
    while store.status().queue_depth < depth {
        tokio::task::yield_now().await;
    }
}

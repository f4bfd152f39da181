//! A cluster of its own behind a line that can be cut, a store on it, and senders that never pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use antiphon_cluster::{Cluster, Database, Options, Proxy};
use antiphon_store::*;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::judge::{Judge, Tally};

/// Nothing may take longer to be answered, whatever happens.
pub const LONGEST: Duration = Duration::from_secs(40);

/// How soon it goes on when the trouble is over.
pub const RECOVERED: Duration = Duration::from_secs(6);

pub const PORTAL: PortalId = PortalId(1);

/// What rules here refuse with.
#[derive(Debug)]
pub struct No;

pub struct Scene {
    pub store: Store,
    pub proxy: Arc<Proxy>,
    pub database: Database,
    pub judge: Arc<Judge>,
    pub cluster: Cluster,
    number: Arc<AtomicU64>,
}

/// Runs scenes that mostly wait beside each other.
macro_rules! side_by_side {
    ($($scene:expr),+ $(,)?) => {{
        let scenes = [$(tokio::spawn(async { $scene.await })),+];
        for scene in scenes {
            scene.await.unwrap();
        }
    }};
}
pub(crate) use side_by_side;

pub fn settings(url: String, shape: impl FnOnce(&mut Postgres)) -> Settings {
    let mut postgres = Postgres { connections: 4, writers: 2, ..Postgres::new(url) };
    shape(&mut postgres);
    // The directory is for files; this store has none.
    let key = KeySource::Given(MasterKey::new([7; 32]));
    Settings { postgres: Some(postgres), key, ..Settings::new(std::env::temp_dir()) }
}

/// Small clusters: many stand side by side.
pub fn small(options: Options) -> Options {
    options.set("max_connections", "40").set("shared_buffers", "16MB").set("max_wal_senders", "4")
}

impl Scene {
    pub async fn new() -> Self {
        Self::on(small(Options::default()), |_| {}).await
    }

    pub async fn on(options: Options, shape: impl FnOnce(&mut Postgres)) -> Self {
        let cluster = Cluster::start(options).unwrap();
        let database = cluster.database().unwrap();
        let proxy = Arc::new(cluster.proxy().unwrap());
        let store = Store::open(settings(proxy.url(&database), shape)).unwrap();
        let portal = store.portal_create(None, "Any".into(), "UTC".into(), Quota::default()).await;
        assert_eq!(portal.unwrap().unwrap().id, PORTAL);
        let threads = "INSERT INTO threads (portal_id, id, inbox_id, population, channel_id, account_id, visitor_id, spam, \
                       created_at, latest_entry_at, entries, revision) \
                       SELECT 1, t, 1, 0, 1000, 1, 1, false, 0, 0, 0, 1 FROM generate_series(1, 8) t";
        database.rows(threads).unwrap();
        Self { store, proxy, database, judge: Arc::default(), cluster, number: Arc::default() }
    }

    /// The same store through another URL.
    pub fn reopened(&mut self, url: String, shape: impl FnOnce(&mut Postgres)) {
        self.store = Store::open(settings(url, shape)).unwrap();
    }

    pub fn sender(&self) -> Sender {
        Sender { store: self.store.clone(), judge: self.judge.clone(), number: self.number.clone() }
    }

    /// Sends one message.
    pub async fn send(&self, thread: i64) -> Result<(), StoreError> {
        self.sender().send(thread).await
    }

    /// Sends until it is acknowledged.
    pub async fn recovers(&self, thread: i64, within: Duration) {
        let begun = Instant::now();
        while let Err(e) = self.send(thread).await {
            assert!(begun.elapsed() < within, "after {:?} still {e}", begun.elapsed());
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Reads something that is there.
    pub async fn read(&self) -> Result<(), StoreError> {
        let query = HistoryQuery { archived: false, ascending: false, after: None, limit: 1 };
        let directory = self.store.directory(PORTAL).await?;
        assert!(directory.is_some());
        let page = self.store.history(PORTAL, ThreadId(1), &query, &mut |_| {}).await?;
        assert!(page.is_some());
        Ok(())
    }

    pub async fn reads_recover(&self, within: Duration) {
        let begun = Instant::now();
        while let Err(e) = self.read().await {
            assert!(begun.elapsed() < within, "after {:?} still {e}", begun.elapsed());
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Senders that send without pause, two to a thread.
    pub fn flood(&self, threads: i64) -> Flood {
        let go_on = Arc::new(AtomicBool::new(true));
        let mut senders = JoinSet::new();
        for n in 0..threads * 2 {
            let (sender, go_on) = (self.sender(), go_on.clone());
            senders.spawn(async move {
                while go_on.load(Ordering::Relaxed) {
                    if sender.send(n % threads + 1).await.is_err() {
                        sleep(Duration::from_millis(10)).await;
                    }
                }
            });
        }
        Flood { senders, go_on, begun: Instant::now(), judge: self.judge.clone() }
    }

    /// Everything is as was told, in this very database.
    pub async fn sound(&self) {
        self.judge.judge(&self.database.url()).await.unwrap();
    }

    /// One value of one row.
    pub fn ask(&self, sql: &str) -> String {
        self.database.rows(sql).unwrap()[0][0].clone().unwrap_or_default()
    }

    /// Waits until a question is answered with a number above zero.
    pub async fn until(&self, sql: &str) {
        let begun = Instant::now();
        while self.ask(sql) == "0" {
            assert!(begun.elapsed() < Duration::from_secs(10), "never: {sql}");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// One who sends.
#[derive(Clone)]
pub struct Sender {
    store: Store,
    judge: Arc<Judge>,
    number: Arc<AtomicU64>,
}

impl Sender {
    pub async fn send(&self, thread: i64) -> Result<(), StoreError> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let text = format!("proof {number} {}", "x".repeat(fastrand::usize(..500)));
        self.judge.sending(ThreadId(thread), &text);
        let sent = self.store.change(PORTAL, Target::Thread(ThreadId(thread)), message(text.clone()));
        let answer = timeout(LONGEST, sent).await.expect("it hangs");
        self.judge.answered(&text, &answer);
        answer.map(|rule| drop(rule.unwrap()))
    }
}

pub struct Flood {
    senders: JoinSet<()>,
    go_on: Arc<AtomicBool>,
    begun: Instant,
    judge: Arc<Judge>,
}

impl Flood {
    /// Lets all come to an end.
    pub async fn end(mut self) -> Tally {
        self.go_on.store(false, Ordering::Relaxed);
        while let Some(ended) = self.senders.join_next().await {
            ended.unwrap();
        }
        let tally = self.judge.tally(self.begun);
        println!("{tally:?}");
        tally
    }
}

/// The rule of sending: appends a message, moves the thread's timestamps, records an event.
fn message(text: String) -> impl FnMut(&State, &mut Moment) -> Result<Changes, No> + Send + 'static {
    move |state, moment| {
        let mut thread = state.thread.clone().ok_or(No)?;
        let created_at = moment.now.max(thread.latest_entry_at + 1);
        let message = NewMessage {
            id: moment.message_id(created_at),
            thread_id: thread.id,
            kind: MessageKind::Message,
            direction: Some(Direction::Outgoing),
            created_at,
            document: Document { format: 1, bytes: text.clone().into_bytes() },
            original: None,
            people: Vec::new(),
            files: Vec::new(),
        };
        thread.latest_message_at = Some(created_at);
        thread.latest_message_id = Some(message.id);
        thread.latest_entry_at = created_at;
        let event = NewEvent {
            kind: EventKind::MessageAdded,
            object: ObjectKind::Thread,
            object_id: thread.id.0,
            occurred_at: created_at,
            payload: text.clone(),
        };
        Ok(Changes {
            threads: vec![thread],
            messages: vec![message],
            events: vec![event],
            ..Changes::default()
        })
    }
}

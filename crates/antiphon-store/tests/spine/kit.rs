//! A database with portals, nodes that share it, and writers that hold on to their transactions.

use std::collections::HashMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use antiphon_cluster::Database;
use antiphon_store::*;
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};
use tokio::time::sleep;
use tokio_postgres::{Client, NoTls};

/// What tells a process of this test that it is a node.
const NODE: &str = "ANTIPHON_TEST_NODE";

/// How soon somebody else numbers what a node was to.
pub const TAKEN_OVER: Duration = Duration::from_secs(2);

/// A database in which portals 1 to 16, one for each bucket, have threads 1 to 6.
pub struct Bed {
    pub database: Database,
    pub sql: Client,
}

pub fn settings(url: String) -> Settings {
    let postgres = Postgres { connections: 4, writers: 1, ..Postgres::new(url) };
    // The directory is for files; this store has none.
    Settings { postgres: Some(postgres), ..Settings::new(std::env::temp_dir()) }
}

impl Bed {
    pub async fn new() -> Self {
        let database = antiphon_cluster::shared().unwrap().database().unwrap();
        let store = Store::open(settings(database.url())).unwrap();
        for _ in 0..16 {
            let made = store.portal_create(None, "Any".into(), "UTC".into(), Quota::default()).await;
            made.unwrap().unwrap();
        }
        store.close().await;
        let sql = connect(&database).await;
        let threads = "INSERT INTO threads (portal_id, id, inbox_id, population, channel_id, account_id, visitor_id, spam, \
                       created_at, latest_entry_at, entries, revision) \
                       SELECT p.id, t, 1, 0, 1000, 1, 1, false, 0, 0, 0, 1 FROM portals p, generate_series(1, 6) t";
        sql.execute(threads, &[]).await.unwrap();
        Self { database, sql }
    }

    /// A node in this process.
    pub fn node(&self) -> Store {
        Store::open(settings(self.database.url())).unwrap()
    }

    pub async fn connect(&self) -> Client {
        connect(&self.database).await
    }

    pub async fn published(&self, portal: i64) -> i64 {
        let sql = "SELECT event_position FROM counters WHERE portal_id = $1";
        self.sql.query_one(sql, &[&portal]).await.unwrap().get(0)
    }

    /// How many buckets each node holds, the fewest first.
    pub async fn shares(&self) -> Vec<i64> {
        let sql = "SELECT count(*) FROM leases WHERE name LIKE 'bucket/%' AND until > clock_timestamp() \
                   GROUP BY holder ORDER BY 1";
        self.sql.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// Waits until the buckets are shared like this.
    pub async fn shared(&self, shares: &[i64]) {
        let begun = Instant::now();
        while self.shares().await != shares {
            let now = self.shares().await;
            assert!(begun.elapsed() < Duration::from_secs(10), "{now:?} instead of {shares:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Leaves an event in each portal and tells nobody; how long it takes until all have positions.
    pub async fn all_numbered(&self) -> Duration {
        let mut wanted = HashMap::new();
        for portal in 1..=16 {
            wanted.insert(portal, self.published(portal).await + 1);
        }
        for portal in 1..=16 {
            write(&self.sql, portal, &[1]).await;
        }
        let begun = Instant::now();
        while !wanted.is_empty() {
            for portal in 1..=16 {
                let position = self.published(portal).await;
                wanted.retain(|waits, wanted| *waits != portal || position < *wanted);
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{wanted:?} were not numbered");
            sleep(Duration::from_millis(5)).await;
        }
        begun.elapsed()
    }

    /// Every event there is, after everything was found in order.
    pub async fn sound(&self, portal: i64) -> Vec<(i64, i64)> {
        let sql = "SELECT position, object_id, revision FROM events WHERE portal_id = $1 ORDER BY position";
        let rows = self.sql.query(sql, &[&portal]).await.unwrap();
        let events: Vec<(i64, i64, i64)> =
            rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
        assert_eq!(self.published(portal).await, events.len() as i64);
        in_order(&events);
        let sql = "SELECT count(*) FROM unnumbered_events WHERE portal_id = $1";
        assert_eq!(self.sql.query_one(sql, &[&portal]).await.unwrap().get::<_, i64>(0), 0);
        events.into_iter().map(|(_, thread, revision)| (thread, revision)).skip(1).collect()
    }
}

/// Positions are dense from 1, and each object's revisions never go back.
pub fn in_order(events: &[(i64, i64, i64)]) {
    let mut revisions = HashMap::new();
    for ((position, object, revision), place) in events.iter().zip(1..) {
        assert_eq!(*position, place);
        let before = revisions.insert(*object, *revision).unwrap_or(0);
        assert!(
            before <= *revision,
            "object {object}: revision {revision} at {position} comes after {before}"
        );
    }
}

async fn connect(database: &Database) -> Client {
    let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Locks threads in the order given, and makes a new revision of each.
pub async fn lock(sql: &Client, portal: i64, threads: &[i64]) -> Vec<(i64, i64)> {
    let mut locked = Vec::new();
    for thread in threads {
        let update =
            "UPDATE threads SET revision = revision + 1 WHERE portal_id = $1 AND id = $2 RETURNING revision";
        locked.push((*thread, sql.query_one(update, &[&portal, thread]).await.unwrap().get(0)));
    }
    locked
}

/// Leaves one event for each revision, as a committer does.
pub async fn leave(sql: &Client, portal: i64, revisions: &[(i64, i64)]) {
    let (threads, revisions): (Vec<i64>, Vec<i64>) = revisions.iter().copied().unzip();
    let batch = uuid::Uuid::new_v4().as_u64_pair().0 as i64;
    let insert = "INSERT INTO unnumbered_events \
                  SELECT $1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, $2, place - 1, 2, 1, thread, revision, 0, '' \
                  FROM unnest($3::bigint[], $4::bigint[]) WITH ORDINALITY AS e (thread, revision, place)";
    sql.execute(insert, &[&portal, &batch, &threads, &revisions]).await.unwrap();
}

/// A whole transaction.
pub async fn write(sql: &Client, portal: i64, threads: &[i64]) -> Vec<(i64, i64)> {
    sql.batch_execute("BEGIN").await.unwrap();
    let written = lock(sql, portal, threads).await;
    leave(sql, portal, &written).await;
    sql.batch_execute("COMMIT").await.unwrap();
    written
}

/// A node in a process of its own. It goes with this, whatever state it is in.
pub struct Process(Child);

impl Process {
    /// Starts this test once more, which then calls [`node`].
    pub fn start(test: &str, url: String) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([test, "--exact", "--nocapture"]).env(NODE, url);
        Self(command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap())
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Lets it end as a node ends that is told to.
    pub fn end(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Either may fail because it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Is a node until the test lets it end, if this process was started for that.
pub async fn node() -> bool {
    let Ok(url) = std::env::var(NODE) else { return false };
    set_parent_process_death_signal(Some(Signal::KILL)).unwrap();
    let store = Store::open(settings(url)).unwrap();
    let ended = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    ended.await.unwrap().unwrap();
    store.close().await;
    true
}

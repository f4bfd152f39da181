//! How fast changes are, next to a bare loop over the same rows:
//! `inserts <page size> [messages] [seconds] [senders] [log in MiB]`.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use antiphon_store::*;
use rusqlite::{Connection, params};

const THREADS: i64 = 20_000;
const BODY: usize = 1_200;

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<i64>());
    let page_size = args.next().transpose()?.unwrap_or(8192);
    let messages = args.next().transpose()?.unwrap_or(1_000_000);
    let seconds = args.next().transpose()?.unwrap_or(10) as u64;
    let senders = args.next().transpose()?.unwrap_or(256);
    let log = args.next().transpose()?.unwrap_or(64) << 20;
    let dir = std::env::temp_dir().join(format!("antiphon-inserts-{page_size}-{messages}"));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir)?;
    let file = dir.join("antiphon.db");
    let conn = Connection::open(&file)?;
    conn.pragma_update(None, "page_size", page_size)?;
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    drop(conn);

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).enable_all().build()?;
    runtime.block_on(set_up(&dir))?;
    fill(&file, messages)?;
    println!("page size {page_size}, {messages} messages present");
    for _ in 0..2 {
        let batch = runtime.block_on(through_the_store(&dir, seconds, senders, log as u64))?;
        bare(&file, batch, seconds, log)?;
    }
    append(&dir, seconds)?;
    runtime.block_on(reads(&dir))?;
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

fn refused<E>(_: E) -> Error {
    "refused".into()
}

async fn set_up(dir: &Path) -> Result<(), Error> {
    let store = Store::open(Settings::new(dir))?;
    let portal = store.portal_create(None, "Bench".into(), "UTC".into(), Quota::default()).await?;
    let portal = portal.ok_or("no portal")?.id;
    let inboxes = |_: &State, moment: &mut Moment| {
        let inbox = |moment: &mut Moment| Inbox {
            id: moment.inbox_id(),
            name: "Inbox".into(),
            kind: InboxKind::Inbox,
            assign_on_reply: true,
            created_at: moment.now,
            updated_at: moment.now,
            archived_at: None,
        };
        let directory = (0..3).map(|_| DirectoryChange::Inbox(inbox(moment))).collect();
        Ok::<_, ()>(Changes { directory, ..Changes::default() })
    };
    store.change(portal, Target::Directory, inboxes).await?.map_err(refused)?;
    for first in (0..THREADS).step_by(200) {
        let rule = move |_: &State, moment: &mut Moment| {
            let threads = (first..first + 200).map(|n| thread(moment, n)).collect();
            Ok::<_, ()>(Changes { threads, ..Changes::default() })
        };
        store.change(portal, Target::Directory, rule).await?.map_err(refused)?;
    }
    store.close().await;
    Ok(())
}

fn thread(moment: &mut Moment, n: i64) -> Thread {
    Thread {
        id: moment.thread_id(),
        number: 0,
        inbox_id: InboxId(1 + n % 3),
        channel_id: 1000,
        account_id: AccountId(1),
        visitor_id: VisitorId(1 + n / 2),
        status: ThreadStatus::Open,
        spam: false,
        assigned_to: Some("A-71".into()),
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

/// Histories of equal length, written behind the store's back.
fn fill(file: &Path, messages: i64) -> Result<(), Error> {
    let conn = Connection::open(file)?;
    conn.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -500000; BEGIN")?;
    let each = messages / THREADS;
    let body = "x".repeat(BODY);
    {
        let mut insert = conn.prepare("INSERT INTO messages VALUES (?1, 1, ?2, 1, 2, ?3, 1, ?4, NULL)")?;
        for number in 1..=THREADS {
            for sequence in 0..each {
                let at = sequence * THREADS + number;
                let mut id = [7; 16];
                id[..8].copy_from_slice(&at.to_be_bytes());
                insert.execute(params![number << 24 | sequence, id, at, body.as_bytes()])?;
            }
        }
    }
    conn.execute("UPDATE threads SET entries = ?1, latest_message_at = number", [each])?;
    conn.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

fn next(state: &mut u64) -> i64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state % THREADS as u64) as i64 + 1
}

fn send(body: &str) -> impl FnMut(&State, &mut Moment) -> Result<Changes, ()> + Send + 'static {
    let bytes = body.as_bytes().to_vec();
    move |state, moment| {
        let mut thread = state.thread.clone().ok_or(())?;
        let at = moment.now.max(thread.latest_entry_at + 1);
        let id = moment.message_id(at);
        thread.latest_message_at = Some(at);
        thread.latest_sent_at = Some(at);
        thread.latest_message_id = Some(id);
        thread.latest_entry_at = at;
        Ok(Changes {
            events: vec![NewEvent {
                kind: EventKind::MessageAdded,
                object: ObjectKind::Thread,
                object_id: thread.id.0,
                occurred_at: at,
                payload: format!("{{\"messageId\":\"{id}\",\"messageType\":\"MESSAGE\"}}"),
            }],
            messages: vec![NewMessage {
                id,
                thread_id: thread.id,
                kind: MessageKind::Message,
                direction: Some(Direction::Outgoing),
                created_at: at,
                document: Document { format: 1, bytes: bytes.clone() },
                original: None,
                people: Vec::new(),
                files: Vec::new(),
            }],
            threads: vec![thread],
            ..Changes::default()
        })
    }
}

async fn through_the_store(dir: &Path, seconds: u64, senders: i64, limit: u64) -> Result<u64, Error> {
    let settings = Settings { wal_bytes: limit, ..Settings::new(dir) };
    let store = Store::open(settings)?;
    let (portal, body) = (PortalId(1), "x".repeat(BODY));
    let before = store.status();
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut tasks = Vec::new();
    for n in 0..senders {
        let (store, body) = (store.clone(), body.clone());
        tasks.push(tokio::spawn(async move {
            let mut state = 0x9e37_79b9_7f4a_7c15 ^ (n as u64 + 1);
            let mut times = Vec::new();
            while Instant::now() < end {
                let begun = Instant::now();
                let target = Target::Thread(ThreadId(next(&mut state)));
                if let Ok(Ok(_)) = store.change(portal, target, send(&body)).await {
                    times.push(begun.elapsed());
                }
            }
            times
        }));
    }
    let mut longest = 0;
    while Instant::now() < end {
        longest = longest.max(store.status().wal_bytes.unwrap_or_default());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await?);
    }
    let after = store.status();
    let (changes, batches) = (after.changes - before.changes, after.batches - before.batches);
    times.sort_unstable();
    let part = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "  store {:>7.0}/s  {:.0} a batch  p50 {:.1?} p99 {:.1?} longest {:.1?}  log {:.2} × its limit",
        changes as f64 / seconds as f64,
        changes as f64 / batches as f64,
        part(0.5),
        part(0.99),
        part(1.0),
        longest as f64 / limit as f64,
    );
    store.close().await;
    Ok(changes / batches)
}

#[expect(clippy::disallowed_methods, reason = "the bare loop has no store to ask")]
/// The same rows without rules, queue or answers.
fn bare(file: &Path, batch: u64, seconds: u64, log: i64) -> Result<(), Error> {
    let conn = Connection::open(file)?;
    let page: i64 = conn.pragma_query_value(None, "page_size", |row| row.get(0))?;
    conn.execute_batch(&format!(
        "PRAGMA synchronous = FULL; PRAGMA cache_size = -16384; PRAGMA mmap_size = 274877906944; \
         PRAGMA wal_autocheckpoint = {}",
        log / page
    ))?;
    let body = "x".repeat(BODY);
    let mut entries: Vec<i64> = vec![0; THREADS as usize + 1];
    {
        let mut sql = conn.prepare("SELECT number, entries FROM threads")?;
        let mut rows = sql.query([])?;
        while let Some(row) = rows.next()? {
            entries[row.get::<_, i64>(0)? as usize] = row.get(1)?;
        }
    }
    let mut position: i64 = conn.query_row("SELECT max(position) FROM events", [], |row| row.get(0))?;
    let mut insert = conn.prepare(
        "INSERT INTO messages (key, portal_id, id, kind, direction, created_at, format, doc) \
         VALUES (?1, 1, ?2, 1, 2, ?3, 1, ?4)",
    )?;
    let mut touch = conn.prepare(
        "UPDATE threads SET latest_message_at = ?2, latest_sent_at = ?2, latest_message_id = ?3, \
         latest_entry_at = ?2, entries = ?4, revision = revision + 1 WHERE number = ?1",
    )?;
    let mut event = conn.prepare("INSERT INTO events VALUES (1, ?1, 2, 1, ?2, 1, ?3, ?4)")?;
    let mut count = conn.prepare(
        "UPDATE counters SET messages = messages + ?1, bytes = bytes + ?2, event_position = ?3 WHERE portal_id = 1",
    )?;
    let (mut begin, mut commit) = (conn.prepare("BEGIN IMMEDIATE")?, conn.prepare("COMMIT")?);
    let mut state = std::process::id() as u64 | 1;
    let done = AtomicU64::new(0);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(seconds) {
        begin.execute([])?;
        for _ in 0..batch {
            let number = next(&mut state);
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis() as i64;
            let mut id = [0; 16];
            id[..8].copy_from_slice(&(now << 16).to_be_bytes());
            id[8..].copy_from_slice(&(position << 8).to_be_bytes());
            insert.execute(params![number << 24 | entries[number as usize], id, now, body.as_bytes()])?;
            entries[number as usize] += 1;
            touch.execute(params![number, now, id, entries[number as usize]])?;
            position += 1;
            let payload = "{\"messageId\":\"0199f2dd0b5e7cc2a8e1f4417730aa91\",\"messageType\":\"MESSAGE\"}";
            event.execute(params![position, number, now, payload])?;
        }
        count.execute(params![batch as i64, batch as i64 * BODY as i64, position])?;
        commit.execute([])?;
        done.fetch_add(batch, Ordering::Relaxed);
    }
    let rate = done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64();
    println!("  bare  {rate:>7.0}/s  {batch} a batch");
    Ok(())
}

/// What the disk does with 4 KiB and a sync.
fn append(dir: &Path, seconds: u64) -> Result<(), Error> {
    use std::io::Write;
    let mut file = std::fs::File::create(dir.join("append"))?;
    let (begun, mut times) = (Instant::now(), Vec::new());
    while begun.elapsed() < Duration::from_secs(seconds) {
        let one = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(one.elapsed());
    }
    times.sort_unstable();
    println!("  append p50 {:.1?} p99 {:.1?}", times[times.len() / 2], times[times.len() * 99 / 100]);
    Ok(())
}

async fn reads(dir: &Path) -> Result<(), Error> {
    let store = Store::open(Settings::new(dir))?;
    for limit in [20, 100] {
        let (mut state, mut bytes) = (7, 0);
        let begun = Instant::now();
        for _ in 0..20_000 {
            let query = HistoryQuery { archived: false, ascending: false, after: None, limit };
            let thread = ThreadId(next(&mut state));
            store.history(PortalId(1), thread, &query, &mut |doc: &[u8]| bytes += doc.len()).await?;
        }
        println!("  history pages of {limit}: {:.0}/s on one core", 20_000.0 / begun.elapsed().as_secs_f64());
    }
    for (name, sort, from) in [("id", ThreadSort::Id, None), ("latest", ThreadSort::LatestMessage, Some(0))] {
        let query = ThreadQuery {
            archived: false,
            status: None,
            inboxes: Vec::new(),
            visitor: None,
            ticket: None,
            latest_message_from: from,
            sort,
            descending: false,
            after: Some(ThreadPosition { key: THREADS / 2, id: ThreadId(THREADS / 2) }),
            limit: 100,
        };
        let begun = Instant::now();
        let mut count = 0;
        for _ in 0..5_000 {
            store.threads(PortalId(1), &query, &mut |_| count += 1).await?;
        }
        println!("  lists of 100 by {name}: {:.0}/s on one core", 5_000.0 / begun.elapsed().as_secs_f64());
    }
    let begun = Instant::now();
    for n in 0..200_000 {
        store.thread_by_id(PortalId(1), ThreadId(n % THREADS + 1)).await?;
    }
    println!("  one thread: {:.0}/s on one core", 200_000.0 / begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    let readers: Vec<_> = (0..4)
        .map(|first| {
            let store = store.clone();
            std::thread::spawn(move || -> Result<(), String> {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().build().map_err(|e| e.to_string())?;
                for n in first..200_000 {
                    let id = ThreadId(n % THREADS + 1);
                    runtime.block_on(store.thread_by_id(PortalId(1), id)).map_err(|e| e.to_string())?;
                }
                Ok(())
            })
        })
        .collect();
    for reader in readers {
        reader.join().map_err(refused)??;
    }
    println!("  one thread: {:.0}/s on four cores", 800_000.0 / begun.elapsed().as_secs_f64());
    store.close().await;
    Ok(())
}

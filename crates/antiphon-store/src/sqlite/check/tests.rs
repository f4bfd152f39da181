//! Each invariant is broken on a real file, and named.

use super::*;
use crate::*;

/// A store with two portals: in the first, thread 1 with three entries, thread 2 with one, and a purged one of 200 entries,
/// of which some are erased.
async fn filled() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(Settings::new(dir.path())).unwrap();
    for name in ["First", "Second"] {
        store.portal_create(None, name.into(), "UTC".into(), Quota::default()).await.unwrap().unwrap();
    }
    change(&store, |moment| {
        let old_secret = Some(Replaced { value: "former".into(), until: i64::MAX });
        let app = App {
            id: moment.app_id(),
            name: "Shop".into(),
            avatar: None,
            client_secret: "secret".into(),
            developer_key: "key".into(),
            user_id: None,
            old_secret,
            old_key: None,
            active: true,
            created_at: 1,
        };
        Changes { directory: vec![DirectoryChange::App(app)], ..Changes::default() }
    })
    .await;
    for entries in [3, 1, 200] {
        change(&store, move |moment| thread(moment, entries)).await;
    }
    change(&store, |_| Changes { purged: vec![ThreadId(3)], ..Changes::default() }).await;
    assert!(store.purge_step(PortalId(1)).await.unwrap());
    (dir, store)
}

async fn change(store: &Store, changes: impl Fn(&mut Moment) -> Changes + Send + 'static) {
    let rule = move |_: &State, moment: &mut Moment| Ok::<_, ()>(changes(moment));
    store.change(PortalId(1), Target::Directory, rule).await.unwrap().unwrap();
}

fn thread(moment: &mut Moment, entries: i64) -> Changes {
    let now = moment.now;
    let thread = Thread {
        id: moment.thread_id(),
        number: 0,
        inbox_id: InboxId(1),
        channel_id: 1000,
        account_id: AccountId(1),
        visitor_id: VisitorId(1),
        status: ThreadStatus::Open,
        spam: false,
        assigned_to: None,
        ticket_id: None,
        subject: None,
        snoozed_until: None,
        tags: Vec::new(),
        preview: None,
        created_at: now,
        closed_at: None,
        archived_at: None,
        latest_message_at: None,
        latest_sent_at: None,
        latest_received_at: None,
        latest_message_id: None,
        latest_entry_at: now,
        entries: 0,
        revision: 0,
    };
    let entry = |n| NewMessage {
        id: moment.message_id(now + n),
        thread_id: thread.id,
        kind: MessageKind::Comment,
        direction: None,
        created_at: now + n,
        document: Document { format: 1, bytes: b"whole".to_vec() },
        original: None,
        people: Vec::new(),
        files: Vec::new(),
    };
    let event = NewEvent {
        kind: EventKind::ThreadCreated,
        object: ObjectKind::Thread,
        object_id: thread.id.0,
        occurred_at: now,
        payload: String::new(),
    };
    Changes {
        messages: (0..entries).map(entry).collect(),
        threads: vec![thread],
        events: vec![event],
        ..Changes::default()
    }
}

async fn checked(store: &Store, deep: bool) -> Vec<String> {
    let (told, all) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (last, total) = (told.clone(), all.clone());
    let progress = move |done, of| {
        assert!(last.swap(done, Relaxed) <= done && done <= of);
        total.store(of, Relaxed);
    };
    let findings = store.check(deep, |document| document == b"whole", progress).await.unwrap();
    findings.iter().map(|finding| format!("{}: {finding}", finding.invariant.name())).collect()
}

#[tokio::test]
async fn a_sound_store_is_found_sound_while_it_serves() {
    let (_dir, store) = filled().await;
    for deep in [false, true] {
        assert_eq!(checked(&store, deep).await, Vec::<String>::new());
    }
    while store.purge_step(PortalId(1)).await.unwrap() {}
    assert_eq!(checked(&store, true).await, Vec::<String>::new());
}

const RESTORE: &str = "stop the server, keep a copy of its data directory, and put the newest backup into an empty one with \
                       `antiphon restore`";

const RESEAL: &str = "stop every server and run `antiphon key replace`, which seals everything anew, and makes another where \
                      something does not open";

#[tokio::test]
async fn each_damage_is_one_sentence_that_says_what_to_do() {
    let first = "UPDATE messages SET";
    let at = "WHERE key = (SELECT min(key) FROM messages)";
    for (damage, name, what) in [
        (
            "DELETE FROM messages WHERE key = (SELECT min(key) FROM messages)",
            "entries",
            "thread 1 of portal 1 counts 3 entries and has 2",
        ),
        (
            "UPDATE threads SET entries = 7 WHERE id = 2",
            "entries",
            "thread 2 of portal 1 counts 7 entries and has 1",
        ),
        (
            &format!("{first} portal_id = 2 {at}"),
            "entries",
            "1 entries of thread 1 of portal 1 are out of place",
        ),
        (
            &format!("{first} key = key + 9 {at}"),
            "entries",
            "3 entries of thread 1 of portal 1 are out of place",
        ),
        ("DELETE FROM threads WHERE id = 2", "entries", "1 entries belong to no thread"),
        (
            &format!("{first} doc = x'77686f6c' {at}"),
            "documents",
            "1 entries of thread 1 of portal 1 cannot be read",
        ),
        (
            &format!("{first} format = 9 {at}"),
            "formats",
            "1 entries of thread 1 of portal 1 are in a format that is not known",
        ),
        (
            "DELETE FROM events WHERE portal_id = 1 AND position = 2",
            "events",
            "the 4 events of portal 1 are not those from 1 to 5",
        ),
        (
            "DELETE FROM events WHERE portal_id = 1 AND position IN (1, 3)",
            "events",
            "the 3 events of portal 1 are not those from 2 to 5",
        ),
        (
            "DELETE FROM events WHERE portal_id = 1 AND position = 5",
            "events",
            "portal 1 counts 5 events and has 4",
        ),
        (
            "UPDATE counters SET event_position = 9 WHERE portal_id = 1",
            "events",
            "portal 1 counts 9 events and has 5",
        ),
        ("DELETE FROM counters WHERE portal_id = 2", "events", "portal 2 has no counters"),
        (
            "UPDATE counters SET messages = 5 WHERE portal_id = 1",
            "usage",
            "portal 1 counts 2 threads, 5 messages and 420 bytes and has 2 threads, 84 messages and 420 bytes",
        ),
        ("UPDATE counters SET threads = 0 WHERE portal_id = 1", "usage", "portal 1 counts 0 threads"),
        (
            "UPDATE counters SET bytes = 1 WHERE portal_id = 1",
            "usage",
            "portal 1 counts 2 threads, 84 messages and 1 bytes",
        ),
        (
            "UPDATE thread_counts SET n = n + 1",
            "counts",
            "portal 1 counts 3 threads as Open in inbox 1 on account 1 of nobody and has 2",
        ),
        (
            "DELETE FROM thread_counts",
            "counts",
            "portal 1 counts 0 threads as Open in inbox 1 on account 1 of nobody and has 2",
        ),
        (
            "UPDATE threads SET tags = '[5]'; UPDATE thread_counts SET n = 7 WHERE tag_id = 5",
            "counts",
            "portal 1 counts 7 threads with tag 5 as Open in inbox 1 on account 1 of nobody and has 2",
        ),
        (
            "UPDATE threads SET tags = '[5]'; UPDATE thread_tags SET latest_at = 7 WHERE thread_id = 1",
            "counts",
            "1 threads of portal 1 are not where lists of their tags look for them",
        ),
        (
            "UPDATE counters SET next_thread = 2 WHERE portal_id = 1",
            "ids",
            "portal 1 would give out ids of its threads again",
        ),
        (
            "UPDATE purges SET number = 2",
            "ids",
            "thread 2 of portal 1 has the number of one that is being erased",
        ),
        (
            "UPDATE apps SET client_secret = 'secret'",
            "sealed",
            "the client secret of app 1 is stored in clear",
        ),
        (
            "UPDATE apps SET old_secret = 'former'",
            "sealed",
            "the former client secret of app 1 is stored in clear",
        ),
        (
            "UPDATE apps SET client_secret = substr(client_secret, 1, 40)",
            "sealed",
            "the client secret of app 1 does not open",
        ),
        (
            "UPDATE apps SET old_secret = (SELECT value FROM signing_keys)",
            "sealed",
            "the former client secret of app 1 does not open",
        ),
    ] {
        let (dir, store) = filled().await;
        store.close().await;
        drop(store);
        let file = dir.path().join(super::super::DATABASE);
        rusqlite::Connection::open(&file).unwrap().execute_batch(damage).unwrap();
        let store = Store::open(Settings::new(dir.path())).unwrap();
        let found = checked(&store, false).await;
        let advice = match name {
            "formats" => "a newer antiphon wrote it, so upgrade this binary",
            "sealed" => RESEAL,
            _ => RESTORE,
        };
        let told = |line: &String| {
            line.starts_with(&format!("{name}: {what}")) && line.ends_with(&format!("; {advice}"))
        };
        assert!(found.iter().any(told), "{damage}: {found:#?}");
    }
}

#[tokio::test]
async fn a_file_that_was_overwritten_is_found_damaged() {
    let (dir, store) = filled().await;
    store.close().await;
    drop(store);
    let file = dir.path().join(super::super::DATABASE);
    let page: i64 = rusqlite::Connection::open(&file)
        .unwrap()
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'messages_by_id'", [], |row| row.get(0))
        .unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let from = (page as usize - 1) * 4096;
    // An index that names other entries than there are: only comparing it with its table tells.
    let at = bytes[from + 2000..from + 4096].iter().position(|byte| *byte > 8).unwrap() + from + 2000;
    bytes[at..at + 4].copy_from_slice(&[0xee; 4]);
    std::fs::write(&file, &bytes).unwrap();
    let store = Store::open(Settings::new(dir.path())).unwrap();
    let found = checked(&store, true).await;
    assert!(found.iter().any(|line| line.starts_with("file: the database file is damaged (")), "{found:#?}");
    assert!(found.iter().all(|line| line.ends_with(RESTORE)), "{found:#?}");
    store.close().await;
    drop(store);
    bytes[from..from + 100].fill(0x5a);
    std::fs::write(&file, &bytes).unwrap();
    let store = Store::open(Settings::new(dir.path())).unwrap();
    let found = checked(&store, false).await;
    assert!(found.iter().any(|line| line.starts_with("file: ")), "{found:#?}");
}

#[tokio::test]
async fn a_key_that_is_not_as_it_was_is_found_before_the_next_start_fails() {
    use std::os::unix::fs::PermissionsExt;

    let (dir, store) = filled().await;
    let file = dir.path().join("secret.key");
    let own = std::fs::read(&file).unwrap();
    let place = file.display().to_string();
    let back = "put the store's own key there before the next start, which fails without it";
    std::fs::remove_file(&file).unwrap();
    assert_eq!(checked(&store, false).await, [format!("key: the master key in {place} is gone; {back}")]);
    MasterKey::fresh().unwrap().write(&file).unwrap();
    let found = checked(&store, false).await;
    assert_eq!(
        found,
        [format!("key: the master key in {place} is not the one that this store is sealed with; {back}")]
    );
    std::fs::write(&file, "no key").unwrap();
    let found = checked(&store, false).await;
    assert!(found.len() == 1 && found[0].starts_with("key: the master key in ") && found[0].ends_with(back));
    std::fs::write(&file, own).unwrap();
    for (mode, fine) in [(0o600, true), (0o640, true), (0o604, false), (0o646, false), (0o400, true)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let found = checked(&store, false).await;
        let told = format!(
            "keyFile: everybody can get at the master key in {place} (mode {mode:04o}); take that away"
        );
        assert!(
            found.len() == usize::from(!fine) && found.iter().all(|line| line.starts_with(&told)),
            "{found:?}"
        );
    }
    let database = dir.path().join(super::super::DATABASE);
    let damage = "UPDATE signing_keys SET value = substr(value, 1, 40)";
    rusqlite::Connection::open(&database).unwrap().execute_batch(damage).unwrap();
    assert_eq!(checked(&store, false).await, [format!("sealed: signing key 1 does not open; {RESEAL}")]);
}

//! Journals of apps: entries behind a cursor that somebody has taken, and snapshots.

use antiphon_store::*;

use crate::kit::*;

const APP: AppId = AppId(7);
const OTHER: AppId = AppId(8);

/// The portal that a kit makes first.
const HOME: PortalId = PortalId(1);

async fn direct(kit: &Kit, directory: Vec<DirectoryChange>) {
    kit.apply(Target::Directory, Changes { directory, ..Changes::default() }).await;
}

fn app(id: AppId, active: bool) -> DirectoryChange {
    DirectoryChange::App(App {
        id,
        name: "Bridge".into(),
        avatar: None,
        client_secret: "secret".into(),
        developer_key: "key".into(),
        user_id: None,
        old_secret: None,
        old_key: None,
        active,
        created_at: NOON,
    })
}

fn subscription(app_id: AppId, deleted_at: Option<Millis>) -> DirectoryChange {
    DirectoryChange::JournalSubscription(JournalSubscription {
        id: SubscriptionId(app_id.0),
        app_id,
        body: "{}".into(),
        filters: "[]".into(),
        created_at: NOON,
        updated_at: NOON,
        deleted_at,
    })
}

async fn kit() -> Kit {
    let kit = Kit::new().await;
    direct(&kit, vec![app(APP, true), app(OTHER, true), subscription(APP, None), subscription(OTHER, None)])
        .await;
    kit
}

async fn take(kit: &Kit, app: AppId) -> Cursor {
    kit.store.cursor_take(kit.portal, Reader::Journal, app).await.unwrap().unwrap()
}

fn entry(name: u8) -> NewEntry {
    NewEntry { name: [name; 16], of: HOME, published_at: NOON + i64::from(name), doc: vec![name; 3000] }
}

async fn append(kit: &Kit, app: AppId, epoch: i64, position: i64, entry: Option<NewEntry>) -> bool {
    let done = JournalProgress { epoch, position, entry };
    kit.store.journal_append(kit.portal, app, done).await.unwrap()
}

async fn names(kit: &Kit, app: AppId, since: Millis, place: JournalPlace, limit: usize) -> Vec<u8> {
    let found = kit.store.journal_entries(kit.portal, app, (since, None), place, limit).await.unwrap();
    assert!(found.windows(2).all(|pair| pair[0].id < pair[1].id));
    found.iter().map(|entry| entry.name[0]).collect()
}

#[tokio::test]
async fn an_entry_is_written_with_its_cursor_by_whoever_has_it() {
    let kit = kit().await;
    let old = take(&kit, APP).await;
    let new = take(&kit, APP).await;
    assert!(!append(&kit, APP, old.epoch, 90, Some(entry(1))).await);
    assert_eq!(names(&kit, APP, 0, JournalPlace::Earliest, 9).await, [0_u8; 0]);
    assert!(append(&kit, APP, new.epoch, 90, Some(entry(1))).await);
    assert!(append(&kit, APP, new.epoch, 95, None).await);
    assert!(append(&kit, APP, new.epoch, 99, Some(entry(2))).await);
    let other = take(&kit, OTHER).await;
    assert!(append(&kit, OTHER, other.epoch, 50, Some(entry(3))).await);
    let kit = kit.reopen().await;
    assert_eq!(take(&kit, APP).await.position, 99);
    assert_eq!(take(&kit, OTHER).await.position, 50);
    assert_eq!(names(&kit, APP, 0, JournalPlace::Earliest, 9).await, [1, 2]);
    let file = async |app, name: u8| kit.store.journal_file(kit.portal, app, [name; 16], NOON).await.unwrap();
    assert_eq!(file(APP, 2).await, Some(vec![2; 3000]));
    assert_eq!((file(APP, 3).await, file(OTHER, 1).await), (None, None), "another app's are another's");
    // The journal of an app that ends its last subscription stays, and goes on when it subscribes again.
    direct(&kit, vec![subscription(APP, Some(NOON))]).await;
    assert!(!append(&kit, APP, new.epoch, 120, Some(entry(4))).await);
    direct(&kit, vec![subscription(APP, None)]).await;
    let again = take(&kit, APP).await;
    assert!(append(&kit, APP, again.epoch, 120, Some(entry(5))).await);
    assert_eq!(names(&kit, APP, 0, JournalPlace::Earliest, 9).await, [1, 2, 5]);
    // One that may not act is still read for: it is told so.
    direct(&kit, vec![app(APP, false)]).await;
    assert!(append(&kit, APP, again.epoch, 130, None).await);
    assert_eq!(kit.store.told(Reader::Journal).await.unwrap().len(), 2);
}

#[tokio::test]
async fn entries_are_found_in_order_from_either_end_and_behind_another() {
    let kit = kit().await;
    let cursor = take(&kit, APP).await;
    for name in 1..=5 {
        assert!(append(&kit, APP, cursor.epoch, 90, Some(entry(name))).await);
    }
    let known =
        async |name: u8, since| kit.store.journal_entry(kit.portal, APP, [name; 16], since).await.unwrap();
    let third = known(3, NOON + 3).await.unwrap();
    assert_eq!(third.published_at, NOON + 3);
    assert_eq!((known(3, NOON + 4).await, known(9, 0).await), (None, None));
    for (since, place, limit, found) in [
        (0, JournalPlace::Earliest, 2, &[1, 2][..]),
        (0, JournalPlace::Latest, 2, &[4, 5]),
        (0, JournalPlace::Latest, 9, &[1, 2, 3, 4, 5]),
        (0, JournalPlace::Behind(third.id), 9, &[4, 5]),
        (0, JournalPlace::Behind(third.id), 1, &[4]),
        (NOON + 2, JournalPlace::Earliest, 2, &[2, 3]),
        (NOON + 5, JournalPlace::Latest, 9, &[5]),
        (NOON + 6, JournalPlace::Earliest, 9, &[]),
    ] {
        assert_eq!(names(&kit, APP, since, place, limit).await, found, "{since} {place:?} {limit}");
    }
    let stranger = portal(&kit.store, "Second").await;
    let found = kit.store.journal_entries(stranger, APP, (0, None), JournalPlace::Earliest, 9).await.unwrap();
    assert_eq!(found, []);
    assert_eq!(kit.store.journal_file(stranger, APP, [1; 16], 0).await.unwrap(), None);

    let purge = async |before, limit| kit.store.journal_purge(kit.portal, APP, before, limit).await.unwrap();
    assert_eq!(purge(NOON + 4, 2).await, 2);
    assert_eq!(purge(NOON + 4, 2).await, 1);
    assert_eq!(purge(NOON + 4, 2).await, 0);
    assert_eq!(names(&kit, APP, 0, JournalPlace::Earliest, 9).await, [4, 5]);
    assert_eq!(purge(NOON + 9, 9).await, 2);
    assert!(append(&kit, APP, cursor.epoch, 90, Some(entry(6))).await);
    assert_eq!(names(&kit, APP, 0, JournalPlace::Earliest, 9).await, [6]);
}

#[tokio::test]
async fn what_happened_elsewhere_is_written_once_whatever_becomes_of_the_cursor_there() {
    let kit = kit().await;
    take(&kit, APP).await;
    let away = portal(&kit.store, "Second").await;
    let other = portal(&kit.store, "Third").await;
    kit.store.cursor_begin(away, Reader::Journal, APP, 40).await.unwrap();
    let taken = async || {
        let cursor = kit.store.cursor_take(away, Reader::Journal, APP).await.unwrap().unwrap();
        (cursor, kit.store.journal_claim(kit.portal, APP, away, cursor).await.unwrap())
    };
    let write = async |epoch, position, name| {
        let entry = NewEntry { of: away, ..entry(name) };
        let done = AwayProgress { epoch, position, entry };
        kit.store.journal_append_away(kit.portal, APP, done).await.unwrap()
    };
    let (old, from) = taken().await;
    assert_eq!((old.position, from), (40, 40));
    assert!(write(old.epoch, 50, 1).await);
    // The node dies before the cursor there has followed.
    let (new, from) = taken().await;
    assert_eq!((new.position, from), (40, 50), "it is known where the entries end");
    assert!(!write(old.epoch, 60, 2).await, "whoever had it before writes nothing");
    assert!(write(new.epoch, 60, 3).await);
    let moved = JournalProgress { epoch: new.epoch, position: 60, entry: None };
    assert!(kit.store.journal_append(away, APP, moved).await.unwrap());
    // A cursor that begins anew begins behind.
    kit.store.cursor_end(away, Reader::Journal, APP).await.unwrap();
    kit.store.cursor_begin(away, Reader::Journal, APP, 70).await.unwrap();
    assert!(write(new.epoch, 65, 4).await, "nobody has claimed it yet");
    let (again, from) = taken().await;
    assert_eq!(from, 70);
    assert!(!write(new.epoch, 80, 5).await);
    assert!(write(again.epoch, 80, 6).await);

    let home = take(&kit, APP).await;
    assert!(append(&kit, APP, home.epoch, 9, Some(NewEntry { of: kit.portal, ..entry(7) })).await);
    let of = async |of| {
        let found =
            kit.store.journal_entries(kit.portal, APP, (0, of), JournalPlace::Earliest, 9).await.unwrap();
        found.iter().map(|one| (one.id, one.name[0], one.of)).collect::<Vec<_>>()
    };
    let all = [(1, 1, away), (2, 3, away), (3, 4, away), (4, 6, away), (5, 7, kit.portal)];
    assert_eq!(of(None).await, all, "one after the other, whichever portal they are of");
    assert_eq!(of(Some(away)).await, all[..4]);
    assert_eq!(of(Some(kit.portal)).await, all[4..]);
    assert_eq!(of(Some(other)).await, []);
}

fn snapshot(id: u8) -> Snapshot {
    let body = format!(r#"{{"number":{id}}}"#);
    Snapshot { id: [id; 16], body, initiated_at: NOON, state: SnapshotState::Pending }
}

#[tokio::test]
async fn snapshots_are_made_once_and_with_their_entry() {
    let kit = kit().await;
    let waiting = async || kit.store.snapshots_waiting().await.unwrap();
    let pending = async || {
        let found = kit.store.snapshots_pending(kit.portal, APP, 9).await.unwrap();
        found.into_iter().map(|one| one.id[0]).collect::<Vec<_>>()
    };
    assert_eq!(waiting().await, []);
    kit.store.snapshots_put(kit.portal, APP, vec![snapshot(2), snapshot(1)]).await.unwrap();
    kit.store.snapshots_put(kit.portal, APP, vec![snapshot(3)]).await.unwrap();
    let told = Told { portal: kit.portal, app: APP };
    assert_eq!((waiting().await, pending().await), (vec![told], vec![1, 2, 3]));
    // What is subscribed to meanwhile changes nothing of that.
    direct(&kit, vec![subscription(APP, Some(NOON))]).await;
    assert_eq!(waiting().await, [told]);
    assert_eq!(kit.store.told(Reader::Journal).await.unwrap(), [Told { app: OTHER, ..told }]);

    let failed =
        SnapshotState::Failed { at: NOON + 1, code: "TIMEOUT".into(), message: "It took too long".into() };
    let one = Snapshot { state: SnapshotState::Done { at: NOON + 1 }, ..snapshot(1) };
    let two = Snapshot { state: failed, ..snapshot(2) };
    let done = async |done: Vec<Snapshot>, entry: Option<NewEntry>| {
        kit.store.snapshots_done(kit.portal, APP, done, entry.into_iter().collect()).await.unwrap()
    };
    assert!(done(vec![one.clone(), two.clone()], Some(entry(1))).await);
    assert!(!done(vec![one.clone()], Some(entry(2))).await, "it was made before");
    let three = Snapshot { state: SnapshotState::Done { at: NOON + 2 }, ..snapshot(3) };
    assert!(!done(vec![three.clone(), two.clone()], Some(entry(2))).await);
    assert_eq!((pending().await, waiting().await), (vec![3], vec![told]));
    assert_eq!(names(&kit, APP, 0, JournalPlace::Earliest, 9).await, [1]);
    assert!(done(vec![three.clone()], None).await);
    assert_eq!((pending().await, waiting().await), (vec![], vec![]));
    for known in [one, two, three] {
        let found = kit.store.snapshot_by_id(kit.portal, APP, known.id).await.unwrap();
        assert_eq!(found, Some(known));
    }
    assert_eq!(kit.store.snapshot_by_id(kit.portal, OTHER, [1; 16]).await.unwrap(), None);
    // They outlast the entries once more.
    let day = 24 * 60 * 60 * 1000;
    kit.clock.store(NOON + 10 * day, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(kit.store.journal_purge(kit.portal, APP, NOON + 5 * day, 9).await.unwrap(), 1);
    assert_eq!(kit.store.journal_purge(kit.portal, APP, NOON + 6 * day, 9).await.unwrap(), 3);
}

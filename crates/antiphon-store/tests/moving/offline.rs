use antiphon_store::*;

use crate::fill::{Place, fill};
use crate::kit::*;
use crate::seen::{seen, sessions};

/// Moves while nobody serves, on a thread of its own as the command does.
async fn go(from: &Place, to: &Place) -> Result<Moved, MoveError> {
    let (from, to) = (from.settings(), to.settings());
    tokio::task::spawn_blocking(move || Store::move_to(&from, &to, |_| {})).await.unwrap()
}

/// What a key is answered with by a rule that is shown it.
async fn earlier(store: &Store, portal: PortalId, key: &str) -> (Option<ThreadId>, Option<Earlier>) {
    let key = ConversationKey {
        account_id: Some(ACCOUNT),
        thread_key: Some(key.replace("once", "key")),
        idempotency_key: Some(key.into()),
        ..ConversationKey::default()
    };
    let seen = store.change(portal, Target::Conversation(key), |_, _| Ok::<_, No>(Changes::default()));
    let state = seen.await.unwrap().unwrap().state;
    (state.thread.map(|thread| thread.id), state.earlier)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_the_same_wherever_it_is_moved() {
    let places = [
        Place::directory(),
        Place::database(),
        Place::database(),
        Place::directory(),
        Place::directory(),
        Place::database(),
    ];
    let store = places[0].open();
    let portals = fill(&store).await;
    let mut before = seen(&store).await;
    let signed_in = sessions(&store).await;
    assert!(signed_in.iter().all(|of_portal| of_portal.len() == 2));
    let mut keys = Vec::new();
    for portal in &portals {
        keys.push(earlier(&store, *portal, "once 3").await);
        assert!(keys.iter().all(|(thread, earlier)| thread.is_some() && earlier.is_some()));
    }
    store.close().await;
    drop(store);
    for (n, pair) in places.windows(2).enumerate() {
        let moved = go(&pair[0], &pair[1]).await.unwrap();
        assert!(moved.rows() > 300, "{moved:?}");
        for table in [
            "portals",
            "counters",
            "apps",
            "tokens",
            "inboxes",
            "accounts",
            "actors",
            "visitors",
            "identities",
            "tickets",
            "files",
            "folders",
            "blobs",
            "file_tasks",
            "threads",
            "purges",
            "thread_keys",
            "chats",
            "idempotency_keys",
            "messages",
            "originals",
            "mentions",
            "events",
            "logins",
            "sessions",
            "audit",
        ] {
            let rows: u64 = moved.tables.iter().filter(|t| t.table == table).map(|t| t.rows).sum();
            assert!(rows >= 1, "nothing in {table} was moved");
        }
        assert!(matches!(Store::open(pair[0].settings()), Err(OpenError::Moved(..))));
        let store = pair[1].open();
        let after = seen(&store).await;
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before, after, "move {n}");
        }
        assert_eq!(before.len(), after.len());
        assert_eq!(sessions(&store).await, signed_in, "nobody who is signed in notices");
        for (portal, key) in portals.iter().zip(&keys) {
            assert_eq!(&earlier(&store, *portal, "once 3").await, key);
        }
        // Life goes on: ids, entries and events continue, and what was being erased is erased.
        for portal in &portals {
            let made = thread(&store, *portal, |_| {}).await;
            assert_eq!(made.id.0, 8 + n as i64);
            for id in [ThreadId(2), made.id] {
                say(&store, *portal, id, "{\"goes\":\"on\",\"archived\":").await.unwrap();
            }
        }
        if n == 2 {
            for portal in &portals {
                while store.purge_step(*portal).await.unwrap() {}
                purge_again(&store, *portal).await;
            }
        }
        before = seen(&store).await;
        store.close().await;
    }
}

/// One more thread that is being erased, for the next move.
async fn purge_again(store: &Store, portal: PortalId) {
    let gone = ThreadId(5);
    let changes = Changes { purged: vec![gone], ..Changes::default() };
    apply(store, portal, Target::Thread(gone), changes).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_move_goes_on() {
    for (from, to) in [(Place::directory(), Place::database()), (Place::database(), Place::directory())] {
        let store = from.open();
        fill(&store).await;
        let before = seen(&store).await;
        store.close().await;
        drop(store);
        // However far it comes, it goes on from there.
        for stop in [1, 2, 4] {
            let (a, b) = (from.settings(), to.settings());
            let stopped = tokio::task::spawn_blocking(move || {
                let mut steps = 0;
                Store::move_to(&a, &b, |_| {
                    steps += 1;
                    assert!(steps <= stop, "the move is interrupted here");
                })
            });
            assert!(stopped.await.is_err());
            let opened = Store::open(to.settings());
            assert!(matches!(opened, Err(OpenError::Unfinished(..))), "it is not all there yet");
        }
        let other = Place::directory();
        other.open().close().await;
        assert!(matches!(go(&other, &to).await, Err(MoveError::Open(OpenError::Unfinished(..)))));
        go(&from, &to).await.unwrap();
        let store = to.open();
        assert_eq!(before, seen(&store).await);
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_use_or_not_empty_is_refused() {
    for from in [Place::directory(), Place::database()] {
        let store = from.open();
        portal(&store, "First").await;
        let to = Place::database();
        // A node shows that it is there a moment after it has started.
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let mut refused = go(&from, &to).await;
        assert!(matches!(&refused, Err(MoveError::Open(OpenError::Served(_)))), "{refused:?}");
        store.close().await;
        drop(store);
        for to in [Place::directory(), Place::database()] {
            let store = to.open();
            portal(&store, "Taken").await;
            store.close().await;
            drop(store);
            refused = go(&from, &to).await;
            assert!(matches!(&refused, Err(MoveError::Open(OpenError::NotEmpty(_)))), "{refused:?}");
        }
    }
    let nothing = Place::directory();
    assert!(go(&nothing, &Place::database()).await.is_err());
    assert!(!nothing.dir.path().join("antiphon.db").exists());
}

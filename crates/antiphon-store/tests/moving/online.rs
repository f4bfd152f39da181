//! Stores that move while they serve.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use antiphon_store::*;

use crate::fill::{Place, fill};
use crate::kit::*;

/// Those who write meanwhile, and what they were told is written.
struct Load {
    stop: Arc<AtomicBool>,
    talkers: Vec<tokio::task::JoinHandle<(PortalId, ThreadId, Vec<String>)>>,
    others: Vec<tokio::task::JoinHandle<i64>>,
    longest: Arc<AtomicU64>,
}

impl Load {
    async fn begin(store: &Store, portals: &[PortalId]) -> Self {
        let (stop, longest) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (mut talkers, mut others) = (Vec::new(), Vec::new());
        for portal in portals.iter().copied() {
            for _ in 0..2 {
                let (store, stop, longest) = (store.clone(), stop.clone(), longest.clone());
                let id = thread(&store, portal, |_| {}).await.id;
                talkers.push(tokio::spawn(async move {
                    let mut said = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let text = format!("{{\"n\":{},\"archived\":", said.len());
                        let begun = Instant::now();
                        say(&store, portal, id, &text).await.unwrap();
                        longest.fetch_max(begun.elapsed().as_millis() as u64, Ordering::Relaxed);
                        said.push(text);
                    }
                    (portal, id, said)
                }));
            }
            let (store, stop) = (store.clone(), stop.clone());
            others.push(tokio::spawn(async move {
                let mut turns = 0;
                while !stop.load(Ordering::Relaxed) {
                    everything_else(&store, portal, turns).await;
                    turns += 1;
                }
                turns
            }));
        }
        Self { stop, talkers, others, longest }
    }

    /// Everything that was acknowledged is there, in order, and nothing else.
    async fn end(self, store: &Store) {
        self.stop.store(true, Ordering::Relaxed);
        for other in self.others {
            assert!(other.await.unwrap() > 3);
        }
        for talker in self.talkers {
            let (portal, id, said) = talker.await.unwrap();
            assert!(said.len() > 20, "{}", said.len());
            let mut texts = Vec::new();
            let query = HistoryQuery { archived: false, ascending: true, after: None, limit: 1_000_000 };
            let mut sink = |doc: &[u8]| texts.push(String::from_utf8(doc.to_vec()).unwrap());
            store.history(portal, id, &query, &mut sink).await.unwrap().unwrap();
            assert_eq!(texts, said);
        }
    }
}

/// A new thread with keys, mentions and a document that is replaced; a contact who takes another's address; a directory that
/// changes; threads that are archived, purged and erased.
async fn everything_else(store: &Store, portal: PortalId, turn: i64) {
    let made = thread(store, portal, |thread| thread.visitor_id = VisitorId(2)).await;
    let told = store.change(portal, Target::Thread(made.id), move |state, moment| {
        let mut thread = state.thread.clone().ok_or(No)?;
        let mut new = message(&thread, moment, "{\"first\":1,\"archived\":");
        (new.people, new.files) = (vec![VisitorId(2)], vec![1]);
        new.original = Some(b"{}".to_vec());
        (thread.latest_message_at, thread.latest_message_id) = (Some(new.created_at), Some(new.id));
        let earlier = Earlier { thread_id: thread.id, message_id: new.id };
        Ok::<_, No>(Changes {
            thread_keys: vec![(ACCOUNT, format!("load {turn}"), thread.id)],
            idempotency_keys: vec![(ACCOUNT, format!("load {turn}"), earlier)],
            threads: vec![thread],
            messages: vec![new],
            ..Changes::default()
        })
    });
    let message_id = told.await.unwrap().unwrap().changes.messages[0].id;
    let document = Document { format: 1, bytes: format!("{{\"turn\":{turn},\"archived\":").into_bytes() };
    let replaced = vec![Replacement { thread_id: made.id, message_id, document }];
    let target = Target::Message(made.id, message_id);
    apply(store, portal, target, Changes { replaced, ..Changes::default() }).await.unwrap();
    for position in [Position(0), Position(turn + 1)] {
        let mark =
            ReadMark { thread_id: made.id, reader: "A-7".into(), message_id, position, at: NOON + turn };
        let draft = StoredDraft {
            thread_id: made.id,
            agent_id: 7,
            kind: MessageKind::Message,
            preview: format!("turn {turn}"),
            body: "{}".into(),
            touched_at: NOON + turn,
        };
        let gone = DeskChange::DraftGone(made.id, 7);
        let desk = match position {
            Position(0) => vec![DeskChange::Read(mark), gone],
            _ => vec![DeskChange::Read(mark), DeskChange::Draft(draft)],
        };
        apply(store, portal, Target::Thread(made.id), Changes { desk, ..Changes::default() }).await.unwrap();
    }
    // The address goes from one contact to the other and back.
    for (id, email) in [(2, None), (3, Some("zoe@example.org")), (3, None), (2, Some("zoe@example.org"))] {
        let changed = store.change(portal, Target::Visitor(VisitorId(id)), move |state, _| {
            let visitor = Visitor { email: email.map(Into::into), ..state.visitor.clone().ok_or(No)? };
            Ok::<_, No>(Changes { visitors: vec![visitor], ..Changes::default() })
        });
        changed.await.unwrap().unwrap();
    }
    // What a token says is kept, and goes at its end.
    let said = format!("{{\"turn\":{turn}}}");
    store.visitor_token_put(portal, NOON + turn, turn, said.clone()).await.unwrap();
    assert!(store.visitor_tokens_purge(portal, NOON + turn - 1, 10).await.unwrap() <= 4);
    assert_eq!(store.visitor_token(portal, NOON + turn, turn).await.unwrap(), Some(said));
    assert_eq!(store.visitor_token(portal, NOON + turn - 1, turn - 1).await.unwrap(), None);
    // What is done is noted, with the change or by itself, in the portal and of the server.
    let act = |owner: PortalId| Audited {
        id: [0; 16],
        at: NOON,
        actor: format!("A-{owner}"),
        action: "turn".into(),
        address: String::new(),
        said: turn.to_string(),
    };
    let audit = vec![act(portal)];
    apply(store, portal, Target::Directory, Changes { audit, ..Changes::default() }).await.unwrap();
    store.audit_put(PortalId::SERVER, act(portal)).await.unwrap();
    let renamed = Inbox { name: format!("Inbox of turn {turn}"), ..inbox(INBOX) };
    let directory = vec![DirectoryChange::Inbox(renamed)];
    apply(store, portal, Target::Directory, Changes { directory, ..Changes::default() }).await.unwrap();
    if turn % 2 == 1 {
        let target = Target::Thread(made.id);
        let archive = store.change(portal, target.clone(), |state, moment| {
            let archived = Thread { archived_at: Some(moment.now), ..state.thread.clone().ok_or(No)? };
            Ok::<_, No>(Changes { threads: vec![archived], ..Changes::default() })
        });
        archive.await.unwrap().unwrap();
        apply(store, portal, target, Changes { purged: vec![made.id], ..Changes::default() }).await.unwrap();
        store.purge_step(portal).await.unwrap();
    }
}

async fn moves(from: Place, to: Place) {
    let store = from.open();
    let portals = fill(&store).await;
    for n in 0..300 {
        say(&store, portals[n % 2], ThreadId(1), &format!("{{\"n\":{n},\"archived\":")).await.unwrap();
    }
    if from.database.is_some() {
        // The node shows itself.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let load = Load::begin(&store, &portals).await;
    let waiting = {
        let (store, portal) = (store.clone(), portal(&store, "Silent").await);
        let position = store.event_position(portal).await.unwrap();
        (portal, tokio::spawn(async move { store.events_wait(portal, position).await }))
    };
    let rounds = Arc::new(AtomicI64::new(0));
    let counted = rounds.clone();
    let progress = move |at| {
        if matches!(at, Moving::CatchingUp(_) | Moving::CuttingOver) {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    };
    let moved = store.move_online(to.settings(), progress).await.unwrap();
    assert!(moved.rows() > 500 && rounds.load(Ordering::Relaxed) >= 2);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let longest = load.longest.load(Ordering::Relaxed);
    load.end(&store).await;
    assert!(longest < 5_000, "somebody waited {longest} ms");

    // Whoever waited for an event waits at the new place.
    let (silent, waiter) = waiting;
    thread(&store, silent, |_| {}).await;
    let directory = vec![DirectoryChange::Inbox(inbox(INBOX))];
    apply(&store, silent, Target::Directory, Changes { directory, ..Changes::default() }).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), waiter).await.unwrap().unwrap().unwrap();

    let findings = store.check(true, |_| true, |_, _| {}).await.unwrap();
    assert_eq!(findings, []);
    store.close().await;
    drop(store);
    assert!(matches!(Store::open(from.settings()), Err(OpenError::Moved(..))));
    let store = to.open();
    for portal in &portals {
        // Every turn that came to its end has left its notes.
        let inbox = store.directory(*portal).await.unwrap().unwrap().inbox(INBOX).unwrap().name.clone();
        let turns: i64 = inbox.rsplit(' ').next().unwrap().parse().unwrap();
        for owner in [*portal, PortalId::SERVER] {
            let actor = Some(format!("A-{portal}"));
            let query =
                AuditQuery { actor, action: Some("turn".into()), limit: 100_000, ..AuditQuery::default() };
            let acts = store.audit(owner, &query).await.unwrap();
            let told: std::collections::BTreeSet<i64> =
                acts.iter().map(|act| act.said.parse().unwrap()).collect();
            assert!((0..=turns).all(|turn| told.contains(&turn)), "{owner}: {turns}, {}", told.len());
        }
    }
    for portal in portals {
        let events = store.events_after(portal, 0, 1_000_000).await.unwrap();
        let first = events[0].position;
        assert!(first > 1, "those that were forgotten are not brought back");
        assert!(events.iter().zip(first..).all(|(event, position)| event.position == position));
        assert_eq!(store.event_position(portal).await.unwrap(), events.last().unwrap().position);
        let contacts = store.contacts_by_emails(portal, &["zoe@example.org".into()]).await.unwrap();
        assert_eq!(contacts.iter().map(|contact| contact.id).collect::<Vec<_>>(), [VisitorId(2)]);
        while store.purge_step(portal).await.unwrap() {}
    }
    assert_eq!(store.check(true, |_| true, |_, _| {}).await.unwrap(), []);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_moves_into_a_database_while_it_serves() {
    moves(Place::directory(), Place::database()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_moves_into_a_directory_while_it_serves() {
    moves(Place::database(), Place::directory()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_moves_between_places_of_one_kind_while_it_serves() {
    moves(Place::directory(), Place::directory()).await;
    moves(Place::database(), Place::database()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_is_given_up_leaves_the_store_where_it_is() {
    for from in [Place::directory(), Place::database()] {
        let store = from.open();
        let portals = fill(&store).await;
        assert!(store.move_online(from.settings(), |_| {}).await.is_err(), "nothing moves to where it is");
        for to in [Place::directory(), Place::database()] {
            let given_up = store.move_online(to.settings(), |at| {
                assert!(!matches!(at, Moving::CuttingOver), "the move is given up here");
            });
            assert!(given_up.await.is_err());
            say(&store, portals[0], ThreadId(1), "{\"goes\":\"on\",\"archived\":").await.unwrap();
            assert!(matches!(Store::open(to.settings()), Err(OpenError::Unfinished(..))));
        }
        let to = Place::database();
        for last in [false, true] {
            let moved = store.move_online(to.settings(), move |at| {
                assert!(last || !matches!(at, Moving::CatchingUp(_)), "the move is given up here");
            });
            assert_eq!(moved.await.is_ok(), last);
        }
        say(&store, portals[0], ThreadId(1), "{\"goes\":\"on\",\"archived\":").await.unwrap();
        assert_eq!(store.check(true, |_| true, |_, _| {}).await.unwrap(), []);
        store.close().await;
    }
}

//! No request's work grows with its portal: pages looked at are counted where there are 1,000 threads and where there are
//! 100,000, side by side in the same tables, so that their indexes are as high.

use std::sync::Arc;

use antiphon_cluster::Database;
use antiphon_store::*;

use crate::{kit, plans};

const SMALL: (PortalId, i64) = (PortalId(1), 1_000);
const LARGE: (PortalId, i64) = (PortalId(2), 100_000);

/// A page more or less is where an index happened to be split.
const SLACK: i64 = 3;

/// Most rows that a filter no index serves may look at for a page.
const EXAMINED: i64 = 20_000;

/// Every population and inbox; visitor 1 has 40 threads, ticket 1 has 8, and thread 480 has 40 entries, whatever the size.
const FILL: &str = include_str!("fill.sql");

struct Bed {
    store: Store,
    small: i64,
    _database: Database,
    _dir: tempfile::TempDir,
}

impl Bed {
    async fn new() -> Self {
        Self::of(SMALL.1).await
    }

    /// Where there are so many threads in the small portal.
    async fn of(small: i64) -> Self {
        plans::listen();
        let database = antiphon_cluster::shared().unwrap().database().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let at = Postgres { writers: 1, ..Postgres::new(plans::url(&database, &[])) };
        let settings =
            Settings { postgres: Some(at), clock: Some(Arc::new(|| kit::NOON)), ..Settings::new(dir.path()) };
        let store = Store::open(settings).unwrap();
        for (portal, size) in [(SMALL.0, small), LARGE] {
            assert_eq!(kit::portal(&store, "Any").await, portal);
            let directory = [2, 3].map(|id| DirectoryChange::Inbox(kit::inbox(InboxId(id)))).to_vec();
            let changes = Changes { directory, ..Changes::default() };
            kit::apply(&store, portal, Target::Directory, changes).await.unwrap();
            let fill = FILL.replace("$PORTAL", &portal.to_string()).replace("$SIZE", &size.to_string());
            database.rows(&fill).unwrap();
        }
        database.rows("VACUUM (ANALYZE)").unwrap();
        Self { store, small, _database: database, _dir: dir }
    }

    /// Pages that a portal's question looks at, when it is asked the second time.
    async fn pages(&self, portal: PortalId, ask: impl AsyncFn(&Store, PortalId)) -> (i64, String) {
        ask(&self.store, portal).await;
        plans::heard();
        ask(&self.store, portal).await;
        let plans: Vec<_> = plans::heard().into_iter().filter(|plan| asked(plan.sql())).collect();
        assert!(!plans.is_empty());
        let sql: Vec<&str> = plans.iter().map(|plan| plan.sql()).collect();
        (plans.iter().map(plans::Plan::pages).sum(), sql.join("\n"))
    }

    async fn flat(&self, what: &str, ask: impl AsyncFn(&Store, PortalId)) {
        let ((few, _), (many, sql)) = (self.pages(SMALL.0, &ask).await, self.pages(LARGE.0, &ask).await);
        assert!(
            many * 10 <= few * 12 + SLACK * 10,
            "{what} looks at {few} pages beside {} threads and at {many} beside {}:\n{sql}",
            self.small,
            LARGE.1
        );
    }
}

/// Whether somebody asked for this: a node looks after leases, directories and the numbering meanwhile.
fn asked(sql: &str) -> bool {
    let own = [
        "leases",
        "id FROM portals",
        ", revision FROM portals",
        "counters",
        "unnumbered_events u",
        "INTO events",
        "SELECT stamp",
        "SELECT set_config",
    ];
    !own.iter().any(|table| sql.contains(table))
}

fn every_query() -> Vec<ThreadQuery> {
    let (nobody, mut all) = (1_000_000_007, Vec::new());
    let statuses = [None, Some(ThreadStatus::Open), Some(ThreadStatus::Closed)];
    for inboxes in [vec![], vec![InboxId(2)], vec![InboxId(1), InboxId(3)]] {
        for (visitor, ticket) in [
            (None, None),
            (Some(1), None),
            (None, Some(1)),
            (Some(1), Some(1)),
            (Some(nobody), None),
            (None, Some(nobody)),
        ] {
            for latest_message_from in [None, Some(0), Some(i64::MAX)] {
                for status in statuses {
                    for bits in 0..16 {
                        let on = |bit: i32| bits >> bit & 1 == 1;
                        // In the middle of a list, by whichever key.
                        let middle = if on(0) { 50_000 } else { 500 };
                        all.push(ThreadQuery {
                            archived: on(1),
                            status,
                            inboxes: inboxes.clone(),
                            visitor: visitor.map(VisitorId),
                            ticket: ticket.map(TicketId),
                            latest_message_from,
                            sort: if on(0) { ThreadSort::LatestMessage } else { ThreadSort::Id },
                            descending: on(2),
                            after: on(3).then_some(ThreadPosition { key: middle, id: ThreadId(500) }),
                            limit: 20,
                        });
                    }
                }
            }
        }
    }
    all
}

#[tokio::test]
async fn no_list_of_threads_looks_at_more_pages_where_there_are_more_threads() {
    let bed = Bed::new().await;
    let mut grows = false;
    for query in every_query() {
        let ask = async |store: &Store, portal| {
            store.threads(portal, &query, &mut |_| {}).await.unwrap();
        };
        // The contract's exception: this filter has no index in the order of ids.
        let exempt = query.sort == ThreadSort::Id && query.latest_message_from.is_some();
        if exempt && query.visitor.is_none() && query.ticket.is_none() {
            let ((few, _), (pages, sql)) = (bed.pages(SMALL.0, &ask).await, bed.pages(LARGE.0, &ask).await);
            assert!(pages < 2 * EXAMINED, "{query:?} looks at {pages} pages:\n{sql}");
            grows |= pages > 10 * few;
        } else {
            bed.flat(&format!("{query:?}"), ask).await;
        }
    }
    assert!(grows, "what has to grow does, or this would not see what must not");
    bed.store.close().await;
}

/// Every filter of the lists that agents see, from the beginning and from the middle.
fn every_work_query() -> Vec<WorkQuery> {
    let mut all = Vec::new();
    let states = [vec![WorkState::Open], vec![WorkState::Closed, WorkState::Spam], vec![]];
    for states in states {
        for inboxes in [vec![], vec![InboxId(2)], vec![InboxId(1), InboxId(3)], vec![InboxId(99)]] {
            for whose in [Whose::Anybodys, Whose::Nobodys, Whose::Of("A-1".into()), Whose::Of("A-9".into())] {
                for (tag, visitor) in [
                    (None, None),
                    (Some(1), None),
                    (Some(2), None),
                    (Some(9), None),
                    (None, Some(1)),
                    (Some(1), Some(1)),
                ] {
                    for after in [None, Some(ThreadPosition { key: 50_000, id: ThreadId(500) })] {
                        all.push(WorkQuery {
                            states: states.clone(),
                            inboxes: inboxes.clone(),
                            accounts: Vec::new(),
                            whose: whose.clone(),
                            tag: tag.map(TagId),
                            visitor: visitor.map(VisitorId),
                            after,
                            limit: 10,
                        });
                    }
                }
            }
        }
    }
    all
}

#[tokio::test]
async fn no_list_of_an_agent_looks_at_more_pages_where_there_are_more_threads() {
    // In both there are more threads of each kind than a page holds.
    let bed = Bed::of(20_000).await;
    for query in every_work_query() {
        let ask = async |store: &Store, portal| {
            store.work(portal, &query, &mut |_| {}).await.unwrap();
        };
        if query.visitor.is_none() {
            bed.flat(&format!("{query:?}"), ask).await;
            continue;
        }
        // All of the visitor's 40 threads are looked at, and may lie on two pages in turns.
        let (pages, sql) = bed.pages(LARGE.0, ask).await;
        assert!(pages < 50, "{query:?} looks at {pages} pages:\n{sql}");
    }
    bed.flat("counts", async |store, portal| {
        let tags = [None, Some(TagId(1)), Some(TagId(2))];
        let counts = store.thread_counts(portal, &tags).await.unwrap();
        let size = if portal == SMALL.0 { bed.small } else { LARGE.1 };
        let sum = |tag| counts.iter().filter(|(kind, _)| kind.tag == tag).map(|(_, n)| n).sum::<i64>();
        assert_eq!((sum(None), sum(Some(TagId(1)))), (size, 40));
    })
    .await;
    bed.flat("what is to be woken", async |store, portal| {
        assert_eq!(store.snooze_due(portal, 1_000_900, 20).await.unwrap().len(), 20);
    })
    .await;
    bed.store.close().await;
}

#[tokio::test]
async fn no_log_of_an_app_looks_at_more_pages_where_there_is_more_in_it() {
    let bed = Bed::new().await;
    let mut grows = false;
    for app in [1, 2].map(AppId) {
        for state in [DeliveryState::Waiting, DeliveryState::GivenUp] {
            bed.flat(&format!("{state:?}"), async |store, portal| {
                assert_eq!(store.deliveries(portal, app, state, None, 20).await.unwrap().len(), 20);
            })
            .await;
        }
        for succeeded in [None, Some(true), Some(false)] {
            for before in [None, Some(500)] {
                for (status, since) in [(None, None), (Some(404), None), (None, Some(i64::MAX))] {
                    let query = AttemptQuery { before, succeeded, status, since, limit: 20 };
                    let ask = async |store: &Store, portal| {
                        drop(store.attempts(portal, app, &query).await.unwrap())
                    };
                    if status.is_none() && since.is_none() {
                        bed.flat(&format!("{query:?}"), ask).await;
                        continue;
                    }
                    // No index serves it.
                    let ((few, _), (pages, sql)) =
                        (bed.pages(SMALL.0, &ask).await, bed.pages(LARGE.0, &ask).await);
                    assert!(pages < 2 * EXAMINED, "{query:?} looks at {pages} pages:\n{sql}");
                    grows |= pages > 10 * few;
                }
            }
        }
    }
    assert!(grows, "what has to grow does, or this would not see what must not");
    bed.store.close().await;
}

/// Every order of files, or of folders, with every condition; and whether an index serves it.
fn every_file_list(files: bool) -> Vec<(FileList, bool)> {
    use FileCondition as C;
    use FileField as F;
    let mut orders = vec![(FileSort::Id, F::Id), (FileSort::Name, F::Name), (FileSort::Path, F::Name)];
    orders.extend([(FileSort::CreatedAt, F::CreatedAt), (FileSort::UpdatedAt, F::UpdatedAt)]);
    let mut conditions = vec![
        C::OneOf(F::Id, vec![5, 600]),
        C::OneOf(F::Folder, vec![1_000_000_007]),
        C::Named("nobody".into()),
        C::Within(1_000_000_007),
        C::AtLeast(F::CreatedAt, i64::MAX),
        C::AtMost(F::UpdatedAt, -1),
    ];
    if files {
        let sizes = [(FileSort::Size, F::Size), (FileSort::Width, F::Width), (FileSort::Height, F::Height)];
        orders.extend([(FileSort::ExpiresAt, F::ExpiresAt)].into_iter().chain(sizes));
        conditions.extend([F::ExpiresAt, F::Size, F::Width, F::Height].map(|field| C::AtMost(field, -1)));
        conditions.extend([
            C::Text(F::Extension, "none".into()),
            C::StartsWith(F::MediaType, vec!["image/".into()]),
            C::StartsElse(F::MediaType, vec!["text/".into()]),
            C::Flag(F::Usable, true),
            C::NoneOf(F::Access, vec![3]),
        ]);
    }
    let mut all = Vec::new();
    for (sort, by) in orders {
        for (descending, after) in [(false, false), (true, false), (false, true)] {
            let number = if sort == FileSort::Path { 1 } else { 500 };
            let after = after.then(|| FileSpot { number, name: "500.txt".into(), id: 500 });
            let list = FileList { sort, descending, after, limit: 20, ..FileList::default() };
            all.push((list.clone(), true));
            for condition in &conditions {
                let served = match condition {
                    C::OneOf(F::Id, _) => sort != FileSort::Path,
                    C::AtLeast(field, _) | C::AtMost(field, _) => *field == by,
                    _ => false,
                };
                // What looks at so much does so whatever the way, and in any other order as by id.
                let looked_through = [FileSort::Id, FileSort::Path].contains(&sort);
                if served || looked_through && !descending && list.after.is_none() {
                    all.push((FileList { conditions: vec![condition.clone()], ..list.clone() }, served));
                }
            }
        }
    }
    all
}

#[tokio::test]
async fn no_list_of_files_or_folders_looks_at_more_pages_where_there_are_more() {
    let bed = Bed::new().await;
    let mut grows = false;
    for of_files in [true, false] {
        for (list, served) in every_file_list(of_files) {
            let ask = async |store: &Store, portal| match of_files {
                true => drop(store.files(portal, &list).await.unwrap()),
                false => drop(store.folders(portal, &list).await.unwrap()),
            };
            if served {
                bed.flat(&format!("{list:?}"), ask).await;
                continue;
            }
            // Each row may be on a page of its own, and each of the two folders it is in behind an index.
            let (pages, sql) = bed.pages(LARGE.0, &ask).await;
            assert!(pages < 10 * EXAMINED, "{list:?} looks at {pages} pages:\n{sql}");
            grows |= pages > 500;
        }
    }
    assert!(grows, "what has to grow does, or this would not see what must not");
    bed.store.close().await;
}

#[tokio::test]
async fn no_visitor_and_no_desk_looks_at_more_pages_where_there_are_more() {
    let bed = Bed::new().await;
    for (key, most) in [("key 1", 30), ("key 500", 1), ("nobody", 0)] {
        bed.flat(&format!("the chats of {key}"), async |store, portal| {
            let found = store.chats_of_visitor(portal, kit::ACCOUNT, key, 30).await.unwrap();
            assert_eq!(found.len(), most);
        })
        .await;
    }
    let threads = [5, 50, 500, 1_000_000_007].map(ThreadId);
    bed.flat("chats by their threads", async |store, portal| {
        assert_eq!(store.chats_by_threads(portal, &threads).await.unwrap().len(), 3);
    })
    .await;
    bed.flat("an entry's place", async |store, portal| {
        let mut id = [0; 16];
        (id[6], id[7], id[15]) = (1, 224, 39);
        assert!(store.position_of(portal, ThreadId(480), MessageId(id)).await.unwrap().is_some());
    })
    .await;
    bed.flat("how far somebody has read", async |store, portal| {
        assert_eq!(store.reads_of(portal, "A-1", &threads).await.unwrap().len(), 3);
        assert_eq!(store.reads_on(portal, ThreadId(480), 20).await.unwrap().len(), 1);
    })
    .await;
    for (agent, most) in [(1, 20), (2, 20), (3, 0)] {
        bed.flat(&format!("the drafts of {agent}"), async |store, portal| {
            assert_eq!(store.drafts(portal, agent, 20).await.unwrap().len(), most);
            assert_eq!(store.draft(portal, ThreadId(5), agent).await.unwrap().is_some(), agent == 1);
        })
        .await;
    }
    bed.flat("a chat that goes on", async |store, portal| {
        let key = ConversationKey {
            account_id: Some(kit::ACCOUNT),
            thread: Some(ThreadId(480)),
            idempotency_key: Some(ConversationKey::ours("chat key 480 once")),
            new_thread: true,
            ..ConversationKey::default()
        };
        let seen = |state: &State, _: &mut Moment| {
            assert!(state.thread.is_some());
            let chat = Chat {
                thread_id: ThreadId(480),
                account_id: kit::ACCOUNT,
                visitor_key: "key 480".into(),
                said: None,
                said_of: None,
            };
            Ok::<_, kit::No>(Changes { chats: vec![chat], ..Changes::default() })
        };
        store.change(portal, Target::Conversation(key), seen).await.unwrap().unwrap();
    })
    .await;
    bed.store.close().await;
}

#[tokio::test]
async fn who_is_signed_in_and_what_was_done_is_found_wherever_there_is_more() {
    let bed = Bed::new().await;
    let id = |n: u8| {
        let mut id = [0; 16];
        id[15] = n;
        SessionId(id)
    };
    bed.flat("a session", async |store, portal| {
        assert!(store.session_by_id(portal, id(7)).await.unwrap().is_some());
    })
    .await;
    bed.flat("sessions of an agent", async |store, portal| {
        assert_eq!(store.sessions_of(portal, 1).await.unwrap().len(), 20);
    })
    .await;
    bed.flat("a secret that turns", async |store, portal| {
        let (secret, next) = (TokenHash([0; 32]), TokenHash([1; 32]));
        let _ = store.session_offer(portal, id(7), secret, (next, 1), 0).await.unwrap();
        let turned = SessionTurn { at: 1, old_until: 2, ends_at: 3 };
        let _ = store.session_turn(portal, id(7), next, turned).await.unwrap();
    })
    .await;
    bed.flat("sessions that have ended", async |store, portal| {
        let _ = store.sessions_purge(portal, 5, 5).await.unwrap();
    })
    .await;
    bed.flat("a session that ends", async |store, portal| {
        store.session_end(portal, 1, id(9)).await.unwrap();
    })
    .await;
    for actor in [None, Some("A-1"), Some("A-9")] {
        for action in [None, Some("inboxes"), Some("nothing")] {
            for before in [None, Some([0; 16])] {
                let (actor, action) = (actor.map(str::to_owned), action.map(str::to_owned));
                let query = AuditQuery { actor, action, before, limit: 20 };
                let ask = async |store: &Store, portal| drop(store.audit(portal, &query).await.unwrap());
                bed.flat(&format!("{query:?}"), ask).await;
            }
        }
    }
    bed.flat("what was done long ago", async |store, portal| {
        store.audit_purge(portal, 3, 5).await.unwrap();
    })
    .await;
    bed.flat("chats in which an address was said", async |store, portal| {
        let found = store.chats_said(portal, "V500@example.org", ThreadId(0), 5).await.unwrap();
        assert_eq!(found.len(), 1);
    })
    .await;
    bed.store.close().await;
}

#[tokio::test]
async fn no_other_question_and_no_change_looks_at_more_pages_either() {
    let bed = Bed::new().await;
    for (archived, ascending) in [(false, true), (false, false)] {
        let query = HistoryQuery { archived, ascending, after: None, limit: 20 };
        bed.flat("a history", async |store, portal| {
            let page = store.history(portal, ThreadId(480), &query, &mut |_| {}).await.unwrap().unwrap();
            assert_eq!(page.count, 20);
        })
        .await;
    }
    for contacts in [true, false] {
        for email in [None, Some("v77@example.org".to_owned())] {
            for after in [None, Some(VisitorId(400))] {
                let query = VisitorQuery { contacts, email: email.clone(), after, limit: 20 };
                let ask = async |store: &Store, portal| drop(store.visitors(portal, &query).await.unwrap());
                bed.flat(&format!("{query:?}"), ask).await;
            }
        }
    }
    let emails = ["v77@example.org".to_owned(), "V88@example.org".to_owned()];
    bed.flat("contacts by their addresses", async |store, portal| {
        assert_eq!(store.contacts_by_emails(portal, &emails).await.unwrap().len(), 2);
    })
    .await;
    let addresses = [1, 2].map(|nth| Identifier { kind: "HS_PHONE_NUMBER".into(), value: format!("+{nth}") });
    bed.flat("visitors by their addresses", async |store, portal| {
        assert_eq!(store.visitors_by_addresses(portal, AccountId(1), &addresses).await.unwrap(), []);
    })
    .await;
    bed.flat("a thread", async |store, portal| {
        assert!(store.thread_by_id(portal, ThreadId(500)).await.unwrap().is_some());
    })
    .await;
    bed.flat("what was received last", async |store, portal| {
        assert_eq!(store.latest_incoming(portal, ThreadId(480), 5).await.unwrap().len(), 5);
    })
    .await;
    let some = [VisitorId(5), VisitorId(50), VisitorId(500)];
    bed.flat("some visitors", async |store, portal| {
        assert_eq!(store.visitors_by_ids(portal, &some).await.unwrap().len(), 3);
    })
    .await;
    bed.flat("tickets", async |store, portal| {
        assert_eq!(store.tickets(portal, Some(TicketId(300)), 20).await.unwrap().len(), 20);
    })
    .await;
    bed.flat("files", async |store, portal| {
        assert_eq!(store.files_by_ids(portal, &[3, 500]).await.unwrap().len(), 2);
        assert!(store.file_by_url(portal, "https://example.org/500").await.unwrap().is_some());
    })
    .await;
    bed.flat("what is due to be purged", async |store, portal| {
        assert_eq!(store.purge_due(portal, 900, 20).await.unwrap().len(), 20);
    })
    .await;
    bed.flat("how much there is", async |store, portal| {
        store.usage(portal).await.unwrap();
    })
    .await;
    bed.flat("a message sent", async |store, portal| {
        kit::say(store, portal, ThreadId(480), "hello").await.unwrap();
    })
    .await;
    bed.flat("a conversation found by an address", async |store, portal| {
        for n in [72, 73, 74, 75, 76, 77, 84] {
            let identifier =
                Some(Identifier { kind: "HS_EMAIL_ADDRESS".into(), value: format!("v{n}@example.org") });
            let key =
                ConversationKey { account_id: Some(kit::ACCOUNT), identifier, ..ConversationKey::default() };
            let seen = |state: &State, _: &mut Moment| {
                assert!(state.contact.is_some() && state.thread.is_some());
                Ok::<_, kit::No>(Changes::default())
            };
            store.change(portal, Target::Conversation(key), seen).await.unwrap().unwrap();
        }
    })
    .await;
    bed.flat("events", async |store, portal| {
        assert_eq!(store.events_after(portal, 500, 20).await.unwrap().len(), 20);
    })
    .await;
    bed.store.close().await;
}

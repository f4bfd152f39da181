use antiphon_store::*;
use proptest::prelude::*;

use crate::kit::*;

fn everything() -> ThreadQuery {
    ThreadQuery {
        archived: false,
        status: None,
        inboxes: Vec::new(),
        visitor: None,
        ticket: None,
        latest_message_from: None,
        sort: ThreadSort::Id,
        descending: false,
        after: None,
        limit: 100,
    }
}

/// A whole list, read in pages that have to be full and never empty.
async fn walk(store: &Store, portal: PortalId, query: &ThreadQuery) -> Vec<ThreadId> {
    let mut query = query.clone();
    let mut ids = Vec::new();
    loop {
        let before = ids.len();
        let page =
            store.threads(portal, &query, &mut |thread: &KnownThread| ids.push(thread.id)).await.unwrap();
        assert_eq!(page.count, ids.len() - before);
        assert!(before == 0 || page.count > 0, "a cursor led to an empty page");
        match page.next {
            Some(next) => {
                assert_eq!(page.count, query.limit);
                query.after = Some(next);
            }
            None => return ids,
        }
    }
}

/// What the contract says the list is, said naively.
fn expected(threads: &[Thread], query: &ThreadQuery) -> Vec<ThreadId> {
    let latest = query.sort == ThreadSort::LatestMessage;
    let mut found: Vec<&Thread> = threads
        .iter()
        .filter(|t| t.is_archived() == query.archived)
        .filter(|t| query.status.is_none_or(|status| t.status == status))
        .filter(|t| query.inboxes.is_empty() || query.inboxes.contains(&t.inbox_id))
        .filter(|t| query.visitor.is_none_or(|visitor| t.visitor_id == visitor))
        .filter(|t| query.ticket.is_none_or(|ticket| t.ticket_id == Some(ticket)))
        .filter(|t| {
            query.latest_message_from.is_none_or(|from| t.latest_message_at.is_some_and(|at| at >= from))
        })
        .filter(|t| !latest || t.latest_message_at.is_some())
        .collect();
    found.sort_by_key(|t| (if latest { t.latest_message_at } else { None }, t.id));
    if query.descending {
        found.reverse();
    }
    found.iter().map(|t| t.id).collect()
}

fn shape() -> impl Strategy<Value = Thread> {
    (1..4i64, any::<bool>(), any::<bool>(), 1..4i64, option(1..3i64), option(0..6i64)).prop_map(
        |(inbox, closed, archived, visitor, ticket, latest)| Thread {
            inbox_id: InboxId(inbox),
            status: if closed { ThreadStatus::Closed } else { ThreadStatus::Open },
            archived_at: archived.then_some(NOON),
            visitor_id: VisitorId(visitor),
            ticket_id: ticket.map(TicketId),
            latest_message_at: latest.map(|latest| NOON + latest),
            ..blank(&mut Moment::still(NOON))
        },
    )
}

fn option<T: std::fmt::Debug + Clone>(some: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(some)
}

/// Every combination of filters, sorts and directions.
fn queries(limit: usize) -> Vec<ThreadQuery> {
    let inboxes = [vec![], vec![1], vec![2, 1, 2], vec![99], vec![3, 99]];
    let mut all = Vec::new();
    for bits in 0..32 {
        for inboxes in &inboxes {
            for status in [None, Some(ThreadStatus::Open), Some(ThreadStatus::Closed)] {
                all.push(ThreadQuery {
                    archived: bits & 1 != 0,
                    status,
                    inboxes: inboxes.iter().copied().map(InboxId).collect(),
                    visitor: (bits & 2 != 0).then_some(VisitorId(2)),
                    ticket: (bits & 4 != 0).then_some(TicketId(1)),
                    latest_message_from: (bits & 8 != 0).then_some(NOON + 2),
                    sort: if bits & 16 != 0 { ThreadSort::LatestMessage } else { ThreadSort::Id },
                    limit,
                    ..everything()
                });
            }
        }
    }
    let descending: Vec<_> =
        all.iter().map(|query| ThreadQuery { descending: true, ..query.clone() }).collect();
    all.extend(descending);
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn every_combination_agrees_with_the_naive_list(
        shapes in proptest::collection::vec(shape(), 0..60),
        limit in 1..9usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let kit = Kit::new().await;
            let more = (2..4).map(|id| DirectoryChange::Inbox(inbox(InboxId(id)))).collect();
            kit.apply(Target::Directory, Changes { directory: more, ..Changes::default() }).await;
            let made = kit.store.change(kit.portal, Target::Directory, move |_, moment| {
                let threads = shapes.iter().map(|shape| Thread { id: moment.thread_id(), ..shape.clone() }).collect();
                Ok::<_, No>(Changes { threads, ..Changes::default() })
            });
            let threads = made.await.unwrap().unwrap().changes.threads;
            for query in queries(limit) {
                assert_eq!(walk(&kit.store, kit.portal, &query).await, expected(&threads, &query), "{query:?}");
            }
        });
    }
}

#[tokio::test]
async fn many_inboxes_make_one_list() {
    let kit = Kit::new().await;
    let more = (2..=40).map(|id| DirectoryChange::Inbox(inbox(InboxId(id)))).collect();
    kit.apply(Target::Directory, Changes { directory: more, ..Changes::default() }).await;
    let made = kit.store.change(kit.portal, Target::Directory, |_, moment| {
        let shape = |n: i64, blank: Thread| Thread {
            inbox_id: InboxId(1 + n * 7 % 40),
            status: if n % 3 == 0 { ThreadStatus::Closed } else { ThreadStatus::Open },
            latest_message_at: (n % 5 > 0).then_some(NOON + n * 13 % 17),
            ..blank
        };
        let threads = (0..150).map(|n| shape(n, blank(moment))).collect();
        Ok::<_, No>(Changes { threads, ..Changes::default() })
    });
    let threads = made.await.unwrap().unwrap().changes.threads;
    let some: Vec<InboxId> = (3..=30).map(InboxId).collect();
    for sort in [ThreadSort::Id, ThreadSort::LatestMessage] {
        for (descending, inboxes) in [(true, &vec![]), (false, &vec![]), (true, &some), (false, &some)] {
            for latest_message_from in [None, Some(NOON + 5)] {
                let inboxes = inboxes.clone();
                let limit = 7;
                let query =
                    ThreadQuery { sort, descending, inboxes, latest_message_from, limit, ..everything() };
                assert_eq!(
                    walk(&kit.store, kit.portal, &query).await,
                    expected(&threads, &query),
                    "{query:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_view_is_the_thread() {
    let kit = Kit::new().await;
    let made = thread(&kit.store, kit.portal, |thread| {
        thread.assigned_to = Some("A-71".into());
        thread.ticket_id = Some(TicketId(3));
        thread.status = ThreadStatus::Closed;
        thread.closed_at = Some(NOON + 1);
        thread.latest_message_at = Some(NOON + 2);
        thread.latest_sent_at = Some(NOON + 3);
        thread.latest_received_at = Some(NOON + 4);
        thread.spam = true;
        thread.subject = Some("Help".into());
        thread.latest_message_id = Some(MessageId([3; 16]));
    })
    .await;
    let mut seen = 0;
    let mut sink = |view: &KnownThread| {
        assert_eq!(view.view(), made.view());
        seen += 1;
    };
    kit.store.threads(kit.portal, &everything(), &mut sink).await.unwrap();
    assert_eq!(seen, 1);
    assert_eq!(kit.read(made.id).await, made);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_by_id_meets_everything_once_while_others_write() {
    let kit = Kit::new().await;
    let mut first = Vec::new();
    for n in 0..120 {
        first.push(kit.thread(n % 5).await.id);
    }
    let (store, portal, ids) = (kit.store.clone(), kit.portal, first.clone());
    let writer = tokio::spawn(async move {
        for n in 0..150 {
            say(&store, portal, ids[n * 7 % ids.len()], "again").await.unwrap();
            thread(&store, portal, |_| {}).await;
        }
    });
    let mut walks = 0;
    while !writer.is_finished() {
        let ids = walk(&kit.store, kit.portal, &ThreadQuery { limit: 9, ..everything() }).await;
        assert!(ids.is_sorted() && ids.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(ids[..first.len()], first);
        walks += 1;
        // By newest message a thread may be met again, but none is passed over.
        let said = ThreadQuery { sort: ThreadSort::LatestMessage, limit: 9, ..everything() };
        let before = walk(&kit.store, kit.portal, &ThreadQuery { limit: 500, ..said.clone() }).await;
        let met = walk(&kit.store, kit.portal, &said).await;
        assert!(before.iter().all(|id| met.contains(id)));
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
    assert!(walks > 0);
}

#[tokio::test]
async fn a_filter_without_an_index_gives_short_pages() {
    let kit = Kit::new().await;
    for _ in 0..42 {
        let many = kit.store.change(kit.portal, Target::Directory, |_, moment| {
            Ok::<_, No>(Changes { threads: (0..500).map(|_| blank(moment)).collect(), ..Changes::default() })
        });
        many.await.unwrap().unwrap();
    }
    let last = kit.thread(1).await;
    kit.say(last.id, "the only message").await;
    let mut query = ThreadQuery { latest_message_from: Some(0), ..everything() };
    let mut seen = Vec::new();
    let page =
        kit.store.threads(kit.portal, &query, &mut |view: &KnownThread| seen.push(view.id)).await.unwrap();
    assert_eq!(page.count, 0);
    assert!(page.next.is_some(), "there is more to look at");
    query.after = page.next;
    let page =
        kit.store.threads(kit.portal, &query, &mut |view: &KnownThread| seen.push(view.id)).await.unwrap();
    assert_eq!((page.count, page.next), (1, None));
    assert_eq!(seen, [last.id]);
}

//! Lists as agents see them, and how many threads they have: said naively, and compared after every kind of change.

use std::collections::BTreeMap;

use antiphon_store::*;
use proptest::prelude::*;

use crate::kit::*;

/// What becomes of a thread.
#[derive(Debug, Clone)]
enum Step {
    Make(i64, i64),
    Say(usize),
    Assign(usize, Option<i64>),
    Close(usize, bool),
    Spam(usize, bool),
    Archive(usize, bool),
    Snooze(usize, Option<i64>),
    Relocate(usize, i64),
    Tag(usize, Vec<i64>),
    Purge(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let at = || 0..12usize;
    prop_oneof![
        3 => (1..3i64, 1..3i64).prop_map(|(inbox, account)| Step::Make(inbox, account)),
        3 => at().prop_map(Step::Say),
        1 => (at(), proptest::option::of(1..3i64)).prop_map(|(at, to)| Step::Assign(at, to)),
        1 => (at(), any::<bool>()).prop_map(|(at, closed)| Step::Close(at, closed)),
        1 => (at(), any::<bool>()).prop_map(|(at, spam)| Step::Spam(at, spam)),
        1 => (at(), any::<bool>()).prop_map(|(at, archived)| Step::Archive(at, archived)),
        1 => (at(), proptest::option::of(0..9i64)).prop_map(|(at, until)| Step::Snooze(at, until)),
        1 => (at(), 1..4i64).prop_map(|(at, inbox)| Step::Relocate(at, inbox)),
        2 => (at(), proptest::sample::subsequence(vec![1, 2, 3], 0..=3)).prop_map(|(at, tags)| Step::Tag(at, tags)),
        1 => at().prop_map(Step::Purge),
    ]
}

impl Step {
    fn applied(&self, thread: &mut Thread) {
        match self {
            Self::Assign(_, to) => thread.assigned_to = to.map(|to| format!("A-{to}")),
            Self::Close(_, closed) => {
                thread.status = if *closed { ThreadStatus::Closed } else { ThreadStatus::Open };
            }
            Self::Spam(_, spam) => thread.spam = *spam,
            Self::Archive(_, archived) => thread.archived_at = archived.then_some(NOON),
            Self::Snooze(_, until) => thread.snoozed_until = until.map(|until| NOON + until),
            Self::Relocate(_, inbox) => thread.inbox_id = InboxId(*inbox),
            Self::Tag(_, tags) => thread.tags = tags.iter().copied().map(TagId).collect(),
            Self::Make(..) | Self::Say(_) | Self::Purge(_) => {}
        }
    }

    async fn run(&self, kit: &Kit, ids: &mut Vec<ThreadId>) {
        let at = match self {
            Self::Make(inbox, account) => {
                let (inbox, account) = (InboxId(*inbox), AccountId(*account));
                let made = thread(&kit.store, kit.portal, move |thread| {
                    (thread.inbox_id, thread.account_id) = (inbox, account);
                });
                ids.push(made.await.id);
                return;
            }
            Self::Say(at)
            | Self::Assign(at, _)
            | Self::Close(at, _)
            | Self::Spam(at, _)
            | Self::Archive(at, _)
            | Self::Snooze(at, _)
            | Self::Relocate(at, _)
            | Self::Tag(at, _)
            | Self::Purge(at) => *at,
        };
        if ids.is_empty() {
            return;
        }
        let at = at % ids.len();
        let id = ids[at];
        match self {
            Self::Say(_) => drop(kit.say(id, "word").await),
            Self::Purge(_) => {
                kit.apply(Target::Thread(id), Changes { purged: vec![id], ..Changes::default() }).await;
                ids.remove(at);
            }
            _ => {
                let mut thread = kit.read(id).await;
                self.applied(&mut thread);
                kit.apply(Target::Thread(id), Changes { threads: vec![thread], ..Changes::default() }).await;
            }
        }
    }
}

/// A whole list, read in pages that have to be full.
async fn walk(store: &Store, portal: PortalId, query: &WorkQuery) -> Vec<ThreadId> {
    let mut query = query.clone();
    let mut ids = Vec::new();
    loop {
        let before = ids.len();
        let page = store.work(portal, &query, &mut |thread: &KnownThread| ids.push(thread.id)).await.unwrap();
        assert_eq!(page.count, ids.len() - before);
        match page.next {
            Some(next) => {
                assert_eq!(page.count, query.limit);
                query.after = Some(next);
            }
            None => return ids,
        }
    }
}

fn expected(threads: &[Thread], query: &WorkQuery) -> Vec<ThreadId> {
    let mut found: Vec<&Thread> = threads
        .iter()
        .filter(|t| query.states.is_empty() || query.states.contains(&t.state()))
        .filter(|t| query.inboxes.is_empty() || query.inboxes.contains(&t.inbox_id))
        .filter(|t| query.accounts.is_empty() || query.accounts.contains(&t.account_id))
        .filter(|t| match &query.whose {
            Whose::Anybodys => true,
            Whose::Nobodys => t.assigned_to.is_none(),
            Whose::Of(actor) => t.assigned_to.as_ref() == Some(actor),
        })
        .filter(|t| query.tag.is_none_or(|tag| t.tags.contains(&tag)))
        .filter(|t| query.visitor.is_none_or(|visitor| t.visitor_id == visitor))
        .collect();
    found.sort_by_key(|t| std::cmp::Reverse((t.latest_message_at.unwrap_or(t.created_at), t.id)));
    found.iter().map(|t| t.id).collect()
}

fn queries(limit: usize) -> Vec<WorkQuery> {
    let mut all = Vec::new();
    for states in [vec![], vec![WorkState::Open], vec![WorkState::Closed, WorkState::Spam, WorkState::Closed]]
    {
        for inboxes in [vec![], vec![1], vec![3, 2, 3]] {
            for whose in [Whose::Anybodys, Whose::Nobodys, Whose::Of("A-1".into()), Whose::Of("A-9".into())] {
                for (tag, visitor) in [(None, None), (Some(2), None), (None, Some(1)), (Some(1), Some(1))] {
                    for accounts in [vec![], vec![AccountId(2)]] {
                        all.push(WorkQuery {
                            states: states.clone(),
                            inboxes: inboxes.iter().copied().map(InboxId).collect(),
                            accounts,
                            whose: whose.clone(),
                            tag: tag.map(TagId),
                            visitor: visitor.map(VisitorId),
                            after: None,
                            limit,
                        });
                    }
                }
            }
        }
    }
    all
}

/// Holds lists and counts against the threads that there are.
async fn agree(kit: &Kit, ids: &[ThreadId], limit: usize) {
    let mut threads = Vec::new();
    for id in ids {
        threads.push(kit.read(*id).await);
    }
    for query in queries(limit) {
        assert_eq!(walk(&kit.store, kit.portal, &query).await, expected(&threads, &query), "{query:?}");
    }
    let tags: Vec<Option<TagId>> = [None].into_iter().chain((1..4).map(|tag| Some(TagId(tag)))).collect();
    let mut there: BTreeMap<Kind, i64> = BTreeMap::new();
    for thread in &threads {
        for tag in [None].into_iter().chain(thread.tags.iter().copied().map(Some)) {
            *there.entry(Kind { tag, ..thread.kind() }).or_default() += 1;
        }
    }
    let kept: BTreeMap<Kind, i64> =
        kit.store.thread_counts(kit.portal, &tags).await.unwrap().into_iter().collect();
    assert_eq!(kept, there);
    let snoozed = |t: &&Thread| t.snoozed_until.is_some_and(|until| until <= NOON + 4);
    let mut due: Vec<ThreadId> = threads.iter().filter(snoozed).map(|t| t.id).collect();
    let mut found = kit.store.snooze_due(kit.portal, NOON + 4, 100).await.unwrap();
    due.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, due);
    assert_eq!(kit.store.check(false, |_| true, |_, _| ()).await.unwrap(), []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn lists_and_counts_are_what_the_threads_make_them(
        steps in proptest::collection::vec(step(), 1..60),
        limit in 1..5usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let kit = Kit::new().await;
            let more = (2..4).map(|id| DirectoryChange::Inbox(inbox(InboxId(id)))).collect();
            kit.apply(Target::Directory, Changes { directory: more, ..Changes::default() }).await;
            let mut ids = Vec::new();
            for step in &steps {
                step.run(&kit, &mut ids).await;
            }
            agree(&kit, &ids, limit).await;
            while kit.store.purge_step(kit.portal).await.unwrap() {}
            let kit = kit.reopen().await;
            agree(&kit, &ids, limit).await;
        });
    }
}

/// Writers that change threads at once change the same counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_are_counted_one_by_one() {
    let kit = Kit::new().await;
    let mut ids = Vec::new();
    for _ in 0..24 {
        ids.push(kit.thread(1).await.id);
    }
    let mut writers = tokio::task::JoinSet::new();
    for (n, id) in ids.iter().copied().enumerate() {
        let (store, portal) = (kit.store.clone(), kit.portal);
        writers.spawn(async move {
            for turn in 0..12 {
                let rule = move |state: &State, _: &mut Moment| {
                    let mut thread = state.thread.clone().ok_or(No)?;
                    thread.assigned_to = (turn % 3 > 0).then(|| format!("A-{}", 1 + turn % 3));
                    thread.tags = if (turn + n) % 2 == 0 { vec![TagId(1), TagId(2)] } else { vec![TagId(2)] };
                    thread.spam = turn % 5 == 4;
                    Ok::<_, No>(Changes { threads: vec![thread], ..Changes::default() })
                };
                store.change(portal, Target::Thread(id), rule).await.unwrap().unwrap();
            }
        });
    }
    writers.join_all().await;
    agree(&kit, &ids, 5).await;
    // Parts of the count that ended writers left are put together, and add up to the same.
    kit.store.tidy(kit.portal).await.unwrap();
    agree(&kit, &ids, 5).await;
}

#[tokio::test]
async fn tags_and_views_are_kept_and_views_can_go() {
    let kit = Kit::new().await;
    let tag = Tag { id: TagId(7), name: "VIP".into(), color: 3, created_at: NOON, archived_at: Some(NOON) };
    let view = View {
        id: ViewId(8),
        name: "Mine".into(),
        shared: true,
        owner: Some(71),
        position: 4,
        inboxes: vec![InboxId(1), InboxId(2)],
        accounts: vec![ACCOUNT],
        states: vec![WorkState::Open, WorkState::Archived],
        whose: ViewWhose::Mine,
        tag: Some(tag.id),
        created_at: NOON,
        deleted_at: None,
    };
    let others = [ViewWhose::Anybodys, ViewWhose::Nobodys, ViewWhose::Of("A-5".into())];
    let others = others.into_iter().zip(9..).map(|(whose, id)| View {
        id: ViewId(id),
        whose,
        inboxes: Vec::new(),
        accounts: Vec::new(),
        states: Vec::new(),
        tag: None,
        owner: None,
        ..view.clone()
    });
    let views: Vec<View> = [view.clone()].into_iter().chain(others).collect();
    let mut directory: Vec<_> = views.iter().cloned().map(DirectoryChange::View).collect();
    directory.push(DirectoryChange::Tag(tag.clone()));
    kit.apply(Target::Directory, Changes { directory, ..Changes::default() }).await;
    let next = kit.store.change(kit.portal, Target::Directory, |_, moment| {
        let id = TagId(moment.subscription_id().0);
        let tag = Tag { id, name: "New".into(), color: 0, created_at: NOON, archived_at: None };
        Ok::<_, No>(Changes { directory: vec![DirectoryChange::Tag(tag)], ..Changes::default() })
    });
    next.await.unwrap().unwrap();
    let kit = kit.reopen().await;
    let known = kit.store.directory(kit.portal).await.unwrap().unwrap();
    assert_eq!(known.tags().get(&tag.id).map(|tag| Tag::clone(tag)), Some(tag));
    assert!(known.tags().get(&TagId(12)).is_some(), "ids that were chosen are not given again");
    assert_eq!(known.views().iter().map(|view| View::clone(view)).collect::<Vec<_>>(), views);
    let gone = View { deleted_at: Some(NOON), ..views[0].clone() };
    let directory = vec![DirectoryChange::View(gone)];
    kit.apply(Target::Directory, Changes { directory, ..Changes::default() }).await;
    let sweep = Sweep { gone_before: NOON + 1, tried_before: 0, limit: 10 };
    assert_eq!(kit.store.sweep(kit.portal, sweep).await.unwrap(), 1);
    let kit = kit.reopen().await;
    let known = kit.store.directory(kit.portal).await.unwrap().unwrap();
    assert_eq!(known.views().len(), 3);
}

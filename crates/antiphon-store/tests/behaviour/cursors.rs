use antiphon_store::*;

use crate::kit::*;

const APP: AppId = AppId(7);

fn app(active: bool) -> DirectoryChange {
    DirectoryChange::App(App {
        id: APP,
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

fn webhook(deleted_at: Option<Millis>) -> DirectoryChange {
    DirectoryChange::Webhook(Webhook {
        app_id: APP,
        target_url: "https://example.org/hook".into(),
        max_concurrent: 10,
        created_at: NOON,
        updated_at: None,
        paused: None,
        closing_at: None,
        deleted_at,
    })
}

fn subscription(id: i64, active: bool) -> DirectoryChange {
    DirectoryChange::Subscription(Subscription {
        id: SubscriptionId(id),
        app_id: APP,
        event_type: "conversation.creation".into(),
        property_name: None,
        object_type_id: None,
        event_type_name: None,
        active,
        expand: Expand::default(),
        ordered: false,
        created_at: NOON,
        updated_at: None,
        deleted_at: None,
        since: 0,
        since_at: 0,
    })
}

fn journal(deleted_at: Option<Millis>) -> DirectoryChange {
    DirectoryChange::JournalSubscription(JournalSubscription {
        id: SubscriptionId(50),
        app_id: APP,
        body: "{}".into(),
        filters: "[]".into(),
        created_at: NOON,
        updated_at: NOON,
        deleted_at,
    })
}

/// An app that is told of events.
pub fn told() -> Vec<DirectoryChange> {
    vec![app(true), webhook(None), subscription(1, true)]
}

async fn direct(kit: &Kit, directory: Vec<DirectoryChange>) {
    kit.apply(Target::Directory, Changes { directory, ..Changes::default() }).await;
}

async fn take(kit: &Kit) -> Option<Cursor> {
    kit.store.cursor_take(kit.portal, Reader::Webhooks, APP).await.unwrap()
}

async fn write(kit: &Kit, done: Progress) -> bool {
    kit.store.progress(kit.portal, APP, done).await.unwrap()
}

async fn listed(kit: &Kit, state: DeliveryState) -> Vec<(i64, i64)> {
    let found = kit.store.deliveries(kit.portal, APP, state, None, 100).await.unwrap();
    found.iter().map(|one| (one.position, one.subscription_id.0)).collect()
}

fn failed(position: i64, due_at: Option<Millis>) -> Delivery {
    Delivery {
        position,
        subscription_id: SubscriptionId(1),
        object_id: 40 + position,
        attempts: 2,
        first_at: NOON,
        last_at: NOON + position,
        due_at,
        loose: false,
        error: "It answered 500".into(),
    }
}

fn attempt(id: i64, succeeded: bool) -> Attempt {
    Attempt {
        id,
        at: NOON + id,
        url: "https://example.org/hook".into(),
        succeeded,
        status: (!succeeded).then_some(500),
        error: (!succeeded).then(|| "It answered 500".into()),
        millis: 12,
        excerpt: "é".into(),
        events: "[[3,1,0]]".into(),
    }
}

#[tokio::test]
async fn a_reader_begins_where_the_spine_stood_and_ends_with_its_last_subscription() {
    let kit = Kit::new().await;
    kit.thread(1).await;
    direct(&kit, vec![app(true), webhook(None)]).await;
    assert_eq!((take(&kit).await, kit.store.told(Reader::Webhooks).await.unwrap()), (None, vec![]));
    let before = kit.store.event_position(kit.portal).await.unwrap();
    direct(&kit, vec![subscription(1, true)]).await;
    let told = Told { portal: kit.portal, app: APP };
    assert_eq!(kit.store.told(Reader::Webhooks).await.unwrap(), [told]);
    assert_eq!(kit.store.told(Reader::Journal).await.unwrap(), []);
    let begun = take(&kit).await.unwrap();
    assert_eq!((begun.position, begun.next_entry), (before, 1));
    assert_eq!(take(&kit).await.unwrap(), Cursor { epoch: begun.epoch + 1, ..begun });
    // Another subscription changes nothing of that.
    kit.thread(1).await;
    direct(&kit, vec![subscription(2, true), journal(None)]).await;
    assert_eq!(take(&kit).await.unwrap().position, before);
    assert_eq!(kit.store.told(Reader::Journal).await.unwrap(), [told]);
    for (off, on) in [
        (vec![subscription(1, false), subscription(2, false)], vec![subscription(2, true)]),
        (vec![webhook(Some(NOON))], vec![webhook(None)]),
        (vec![app(false)], vec![app(true)]),
    ] {
        direct(&kit, off).await;
        assert_eq!((take(&kit).await, kit.store.told(Reader::Webhooks).await.unwrap()), (None, vec![]));
        let before = kit.store.event_position(kit.portal).await.unwrap();
        direct(&kit, on).await;
        let again = take(&kit).await.unwrap();
        assert_eq!(again.position, before);
        assert_ne!(again.epoch, begun.epoch + 2, "nobody takes itself for the one of before");
    }
    direct(&kit, vec![journal(Some(NOON))]).await;
    assert_eq!(kit.store.cursor_take(kit.portal, Reader::Journal, APP).await.unwrap(), None);
}

#[tokio::test]
async fn a_cursor_that_was_dropped_and_made_again_is_another_however_the_clock_stands() {
    let kit = Kit::new().await;
    direct(&kit, told()).await;
    let mut earlier = Vec::new();
    for _ in 0..3 {
        // Each is taken as often as the one before.
        take(&kit).await.unwrap();
        let old = take(&kit).await.unwrap();
        earlier.push(old.epoch);
        let now = kit.store.now();
        direct(&kit, vec![subscription(1, false)]).await;
        direct(&kit, vec![subscription(1, true)]).await;
        assert_eq!(kit.store.now(), now, "the clock stands still");
        take(&kit).await.unwrap();
        let new = take(&kit).await.unwrap();
        for epoch in &earlier {
            let late = Progress {
                epoch: *epoch,
                position: 99,
                next_entry: 9,
                failed: vec![failed(3, Some(NOON))],
                ..Progress::default()
            };
            assert!(!write(&kit, late).await);
        }
        assert_eq!(listed(&kit, DeliveryState::Waiting).await, []);
        let seen = kit.store.cursor(kit.portal, Reader::Webhooks, APP).await.unwrap();
        assert_eq!(seen, Some(new));
        let done =
            Progress { epoch: new.epoch, position: new.position, next_entry: 1, ..Progress::default() };
        assert!(write(&kit, done).await);
    }
}

#[tokio::test]
async fn a_channel_has_a_reader_of_its_own_as_long_as_somebody_is_told_of_it() {
    let kit = Kit::new().await;
    const KEY: i64 = 1_000_007;
    let key = AppId::of_channel(KEY);
    assert_eq!((key.channel(), APP.channel()), (Some(KEY), None));
    let channel = |url: Option<&str>, archived_at| {
        DirectoryChange::Channel(Channel {
            id: KEY,
            app_id: APP,
            name: "Harbour SMS".into(),
            webhook_url: url.map(str::to_owned),
            redirect_url: None,
            description: None,
            logo_url: None,
            capabilities: "{}".into(),
            created_at: NOON,
            archived_at,
        })
    };
    let take = async || kit.store.cursor_take(kit.portal, Reader::Webhooks, key).await.unwrap();
    let told = async || kit.store.told_channels().await.unwrap();
    let url = Some("https://sms.example/events");
    direct(&kit, vec![app(true), channel(None, None)]).await;
    assert_eq!((take().await, told().await), (None, vec![]));
    let before = kit.store.event_position(kit.portal).await.unwrap();
    direct(&kit, vec![channel(url, None)]).await;
    assert_eq!(take().await.unwrap().position, before);
    assert_eq!(told().await, [Told { portal: kit.portal, app: key }]);
    // Of its own the app is told of nothing yet, and then of both.
    assert_eq!(kit.store.told(Reader::Webhooks).await.unwrap(), []);
    direct(&kit, vec![webhook(None), subscription(1, true)]).await;
    assert_eq!(kit.store.told(Reader::Webhooks).await.unwrap(), [Told { portal: kit.portal, app: APP }]);
    assert_eq!(told().await.len(), 1);
    // What waits for it goes with it; what waits for the app stays.
    for owner in [APP, key] {
        let row = vec![failed(3, Some(NOON))];
        kit.store.deliveries_put(kit.portal, owner, row).await.unwrap();
    }
    let waiting = async |owner| {
        kit.store.deliveries(kit.portal, owner, DeliveryState::Waiting, None, 9).await.unwrap().len()
    };
    for (off, on) in [
        (vec![channel(None, None)], vec![channel(url, None)]),
        (vec![app(false)], vec![app(true)]),
        (vec![channel(url, Some(NOON))], vec![]),
    ] {
        direct(&kit, off).await;
        assert_eq!((take().await, told().await, waiting(key).await), (None, vec![], 0));
        direct(&kit, on).await;
    }
    assert_eq!(take().await, None);
    // While it is closing it is read for, with all that waits, until that is over.
    let closing = |closing_at, deleted_at| {
        let DirectoryChange::Webhook(webhook) = webhook(deleted_at) else { unreachable!() };
        DirectoryChange::Webhook(Webhook { app_id: key, closing_at, ..webhook })
    };
    for gone in [channel(None, None), channel(url, Some(NOON)), app(false)] {
        direct(&kit, vec![app(true), channel(url, None)]).await;
        let begun = take().await.unwrap();
        kit.store.deliveries_put(kit.portal, key, vec![failed(3, Some(NOON))]).await.unwrap();
        direct(&kit, vec![gone, closing(Some(NOON), None)]).await;
        let read = take().await.unwrap();
        assert_eq!((read.position, read.epoch), (begun.position, begun.epoch + 1));
        assert_eq!((told().await.len(), waiting(key).await), (1, 1));
        direct(&kit, vec![closing(None, Some(NOON))]).await;
        assert_eq!((take().await, told().await, waiting(key).await), (None, vec![], 0));
    }
}

#[tokio::test]
async fn progress_is_written_whole_by_whoever_has_the_cursor() {
    let kit = Kit::new().await;
    direct(&kit, told()).await;
    let old = take(&kit).await.unwrap();
    let new = take(&kit).await.unwrap();
    let done = |epoch| Progress {
        epoch,
        position: 5,
        next_entry: 3,
        attempts: vec![attempt(1, false), attempt(2, true)],
        failed: vec![failed(3, Some(NOON + 60_000)), failed(4, Some(NOON + 50_000)), failed(2, None)],
        done: vec![],
    };
    assert!(!write(&kit, done(old.epoch)).await);
    assert_eq!(
        kit.store
            .attempts(kit.portal, APP, &AttemptQuery { limit: 9, ..AttemptQuery::default() })
            .await
            .unwrap(),
        AttemptPage::default()
    );
    assert_eq!(listed(&kit, DeliveryState::Waiting).await, []);
    assert!(write(&kit, done(new.epoch)).await);
    let kit = kit.reopen().await;
    let now = take(&kit).await.unwrap();
    assert_eq!(now, Cursor { position: 5, epoch: new.epoch + 1, next_entry: 3 });
    let seen = |reader| kit.store.cursor(kit.portal, reader, APP);
    assert_eq!(
        (seen(Reader::Webhooks).await.unwrap(), seen(Reader::Journal).await.unwrap()),
        (Some(now), None)
    );
    let due = async |now| kit.store.deliveries_due(kit.portal, APP, now, 10).await.unwrap();
    assert_eq!(due(NOON + 49_999).await, []);
    assert_eq!(due(NOON + 60_000).await, [failed(4, Some(NOON + 50_000)), failed(3, Some(NOON + 60_000))]);
    assert_eq!(listed(&kit, DeliveryState::Waiting).await, [(3, 1), (4, 1)]);
    assert_eq!(listed(&kit, DeliveryState::GivenUp).await, [(2, 1)]);

    // What failed again is replaced, what was taken goes.
    let later = Delivery { attempts: 3, ..failed(3, Some(NOON + 90_000)) };
    let more = Progress {
        epoch: now.epoch,
        position: 6,
        next_entry: 3,
        failed: vec![later.clone()],
        done: vec![(4, SubscriptionId(1)), (4, SubscriptionId(2))],
        ..Progress::default()
    };
    assert!(write(&kit, more).await);
    assert_eq!(due(i64::MAX).await, [later]);
    let page = |after| kit.store.deliveries(kit.portal, APP, DeliveryState::Waiting, after, 1);
    assert_eq!(page(None).await.unwrap().len(), 1);
    assert_eq!(page(Some((3, SubscriptionId(1)))).await.unwrap(), []);
}

#[tokio::test]
async fn progress_whose_writer_heard_no_answer_is_written_again() {
    let kit = Kit::new().await;
    direct(&kit, told()).await;
    let epoch = take(&kit).await.unwrap().epoch;
    let done = Progress {
        epoch,
        position: 5,
        next_entry: 2,
        attempts: vec![attempt(1, false)],
        // What was found out twice in the meantime counts as it was found out last.
        failed: vec![failed(3, Some(NOON + 60_000)), failed(3, Some(NOON + 90_000))],
        done: vec![(2, SubscriptionId(1))],
    };
    assert!(write(&kit, done.clone()).await);
    let later = Progress { next_entry: 3, attempts: vec![attempt(1, false), attempt(2, true)], ..done };
    assert!(write(&kit, later).await);
    let query = AttemptQuery { limit: 9, ..AttemptQuery::default() };
    let attempts = kit.store.attempts(kit.portal, APP, &query).await.unwrap().attempts;
    assert_eq!(attempts, [attempt(2, true), attempt(1, false)]);
    let due = kit.store.deliveries_due(kit.portal, APP, i64::MAX, 9).await.unwrap();
    assert_eq!(due, [failed(3, Some(NOON + 90_000))]);
}

#[tokio::test]
async fn attempts_are_listed_and_deliveries_made_due_again() {
    let kit = Kit::new().await;
    let other = portal(&kit.store, "Second").await;
    direct(&kit, told()).await;
    let epoch = take(&kit).await.unwrap().epoch;
    let attempts: Vec<_> = (1..=4).map(|id| attempt(id, id % 2 == 0)).collect();
    let failed = vec![failed(3, Some(NOON + 60_000)), failed(4, None), failed(9, None)];
    let done =
        Progress { epoch, position: 9, next_entry: 5, attempts: attempts.clone(), failed, done: vec![] };
    assert!(write(&kit, done).await);
    let asked = async |query: AttemptQuery| -> Vec<i64> {
        let query = AttemptQuery { limit: query.limit.max(2), ..query };
        kit.store.attempts(kit.portal, APP, &query).await.unwrap().attempts.iter().map(|one| one.id).collect()
    };
    let all = AttemptQuery::default();
    assert_eq!(asked(all).await, [4, 3]);
    assert_eq!(asked(AttemptQuery { before: Some(3), ..all }).await, [2, 1]);
    assert_eq!(asked(AttemptQuery { succeeded: Some(false), ..all }).await, [3, 1]);
    assert_eq!(asked(AttemptQuery { since: Some(NOON + 4), ..all }).await, [4]);
    assert_eq!(asked(AttemptQuery { status: Some(500), ..all }).await, [3, 1]);
    assert!(asked(AttemptQuery { status: Some(404), ..all }).await.is_empty());
    let by_id = |portal, id| kit.store.attempt_by_id(portal, APP, id);
    assert_eq!(by_id(kit.portal, 3).await.unwrap().as_ref(), Some(&attempts[2]));
    assert_eq!((by_id(kit.portal, 5).await.unwrap(), by_id(other, 3).await.unwrap()), (None, None));

    let count = |most| kit.store.deliveries_count(kit.portal, APP, most);
    assert_eq!(count(9).await.unwrap(), Undelivered { waiting: 1, given_up: 2 });
    assert_eq!(count(1).await.unwrap(), Undelivered { waiting: 1, given_up: 1 });
    assert_eq!(kit.store.deliveries_count(other, APP, 9).await.unwrap(), Undelivered::default());
    let again = |since| kit.store.deliveries_again(kit.portal, APP, since, NOON + 7);
    assert_eq!(again(NOON + 4).await.unwrap(), 2);
    let due = async || kit.store.deliveries_due(kit.portal, APP, NOON + 7, 10).await.unwrap();
    assert_eq!(due().await.iter().map(|one| one.position).collect::<Vec<_>>(), [4, 9]);
    // They were given up, so they have no place in an order any more; what waits keeps its own.
    assert!(due().await.iter().all(|one| one.loose));
    assert_eq!(again(NOON + 3).await.unwrap(), 3);
    assert!(due().await.iter().any(|one| one.position == 3 && !one.loose));
    let wanted = Delivery { due_at: Some(NOON), ..self::failed(1, None) };
    kit.store.deliveries_put(kit.portal, APP, vec![wanted.clone()]).await.unwrap();
    assert_eq!(due().await[0], wanted);
    assert_eq!(kit.store.deliveries_due(other, APP, i64::MAX, 10).await.unwrap(), []);
    // Who is not told any more waits for nothing.
    direct(&kit, vec![subscription(2, true), subscription(1, false)]).await;
    assert_eq!(due().await, []);
}

#[tokio::test]
async fn a_log_is_looked_through_in_steps() {
    let kit = Kit::new().await;
    direct(&kit, told()).await;
    let epoch = take(&kit).await.unwrap().epoch;
    const ALL: i64 = 45_000;
    let mut rest = (1..=ALL).map(|id| attempt(id, !(id == 3 || id == 25_000 || id == ALL))).peekable();
    while rest.peek().is_some() {
        let attempts = rest.by_ref().take(5_000).collect();
        assert!(write(&kit, Progress { epoch, next_entry: ALL + 1, attempts, ..Progress::default() }).await);
    }
    let asked = async |query: AttemptQuery| {
        let AttemptPage { attempts, next } = kit.store.attempts(kit.portal, APP, &query).await.unwrap();
        (attempts.iter().map(|one| one.id).collect::<Vec<_>>(), next)
    };
    // An index leads to what failed, and to what is wanted of it.
    let failed = AttemptQuery { succeeded: Some(false), limit: 5, ..AttemptQuery::default() };
    assert_eq!(asked(failed).await, (vec![ALL, 25_000, 3], None));
    assert_eq!(asked(AttemptQuery { limit: 2, ..failed }).await, (vec![ALL, 25_000], Some(25_000)));
    assert_eq!(asked(AttemptQuery { limit: 2, before: Some(25_000), ..failed }).await, (vec![3], None));
    // All else is looked for in so many at a time; what comes meanwhile changes nothing.
    for (succeeded, since) in [(None, None), (Some(false), None), (None, Some(NOON))] {
        let query = AttemptQuery { status: Some(500), succeeded, since, limit: 5, before: None };
        assert_eq!(asked(query).await, (vec![ALL], Some(25_001)));
        let query = AttemptQuery { before: Some(25_001), ..query };
        assert_eq!(asked(query).await, (vec![25_000], Some(5_001)));
        assert_eq!(asked(AttemptQuery { limit: 1, ..query }).await, (vec![25_000], Some(5_001)));
        assert_eq!(asked(AttemptQuery { before: Some(5_001), ..query }).await, (vec![3], None));
    }
    let since = |at| AttemptQuery { since: Some(NOON + at), limit: 2, ..AttemptQuery::default() };
    assert_eq!(asked(since(ALL - 1)).await, (vec![ALL, ALL - 1], Some(25_001)));
    assert_eq!(asked(since(ALL + 1)).await, (vec![], Some(25_001)));
    assert_eq!(asked(AttemptQuery { limit: 3, ..AttemptQuery::default() }).await.1, Some(ALL - 2));
    let none = AttemptQuery { status: Some(7), limit: 3, ..AttemptQuery::default() };
    let nobody = kit.store.attempts(kit.portal, AppId(99), &none).await.unwrap();
    assert_eq!(nobody, AttemptPage::default());
}

#[tokio::test]
async fn what_is_old_is_forgotten_a_little_at_a_time() {
    let kit = Kit::new().await;
    direct(&kit, told()).await;
    let epoch = take(&kit).await.unwrap().epoch;
    let attempts = (1..=6).map(|id| attempt(id, true)).collect();
    let failed = (1..=6).map(|position| failed(position, (position == 2).then_some(NOON))).collect();
    assert!(
        write(&kit, Progress { epoch, position: 9, next_entry: 7, attempts, failed, done: vec![] }).await
    );
    let purge = |before| kit.store.deliveries_purge(kit.portal, APP, before, 2);
    assert_eq!(purge(NOON + 4).await.unwrap(), 4);
    assert_eq!(purge(NOON + 4).await.unwrap(), 1);
    assert_eq!(purge(NOON + 4).await.unwrap(), 0);
    assert_eq!(listed(&kit, DeliveryState::GivenUp).await, [(4, 1), (5, 1), (6, 1)]);
    assert_eq!(listed(&kit, DeliveryState::Waiting).await, [(2, 1)]);
    let query = AttemptQuery { limit: 9, ..AttemptQuery::default() };
    assert_eq!(kit.store.attempts(kit.portal, APP, &query).await.unwrap().attempts.len(), 3);
}

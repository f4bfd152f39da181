//! No statement walks a table: every plan is looked at, and the work of every list is counted.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::{Connection, StatementStatus};

mod beside;
mod kept;

use super::batch::Batch;
use super::known::Known;
use super::memory::{Memory, ServerCounters};
use super::*;
use crate::files::Run;

const PORTAL: PortalId = PortalId(1);

fn portal() -> Portal {
    let quota = Quota::default();
    Portal { id: PORTAL, name: "Plans".into(), profile: "UTC".into(), quota, created_at: 0 }
}

/// The directory that lists are asked with.
fn furnished() -> Directory {
    let mut directory = Directory::new(portal(), 1);
    for id in [1, 2, 3].map(InboxId) {
        directory.put(DirectoryChange::Inbox(Inbox {
            id,
            name: "Plans".into(),
            kind: InboxKind::Inbox,
            assign_on_reply: false,
            created_at: 0,
            updated_at: 0,
            archived_at: None,
        }));
    }
    directory
}

fn every_query(limit: usize) -> Vec<ThreadQuery> {
    let mut all = Vec::new();
    for bits in 0..256 {
        for inboxes in [vec![], vec![InboxId(2)], vec![InboxId(1), InboxId(3)], vec![InboxId(99)]] {
            for status in [None, Some(ThreadStatus::Open), Some(ThreadStatus::Closed)] {
                let on = |bit: i32| bits >> bit & 1 == 1;
                // In the middle of a list, by whichever key.
                let middle = if on(4) { 50_000 } else { 500 };
                // Bit 5 makes whatever is asked for something that nothing has.
                let wanted = if on(5) { 1_000_000_007 } else { 1 };
                all.push(ThreadQuery {
                    archived: on(0),
                    status,
                    inboxes: inboxes.clone(),
                    visitor: on(1).then_some(VisitorId(wanted)),
                    ticket: on(2).then_some(TicketId(wanted)),
                    latest_message_from: on(3).then_some(if on(5) { i64::MAX } else { 0 }),
                    sort: if on(4) { ThreadSort::LatestMessage } else { ThreadSort::Id },
                    descending: on(6),
                    after: on(7).then_some(ThreadPosition { key: middle, id: ThreadId(500) }),
                    limit,
                });
            }
        }
    }
    all
}

/// Runs everything the engine can do on one connection.
fn exercise(conn: &Connection) -> Result<()> {
    let ids = crate::changes::MessageIds::Random;
    let mut memory = Memory {
        server: ServerCounters::load(conn)?,
        portals: HashMap::new(),
        names: Default::default(),
        seals: seals(),
    };
    let known = Known::default();
    let mut batch = Batch::new(conn, &memory, &known, &ids);
    portal_insert(&mut batch, portal())?;
    let thread = Thread {
        id: ThreadId(1),
        number: 0,
        inbox_id: InboxId(1),
        channel_id: 1000,
        account_id: AccountId(1),
        visitor_id: VisitorId(1),
        status: ThreadStatus::Open,
        spam: false,
        assigned_to: None,
        ticket_id: Some(TicketId(1)),
        subject: None,
        snoozed_until: Some(9),
        tags: vec![TagId(1), TagId(2)],
        preview: None,
        created_at: 1,
        closed_at: None,
        archived_at: None,
        latest_message_at: None,
        latest_sent_at: None,
        latest_received_at: None,
        latest_message_id: None,
        latest_entry_at: 1,
        entries: 0,
        revision: 0,
    };
    let message = NewMessage {
        id: MessageId([1; 16]),
        thread_id: thread.id,
        kind: MessageKind::Message,
        direction: Some(Direction::Incoming),
        created_at: 2,
        document: Document { format: 1, bytes: b"{".to_vec() },
        original: Some(b"{}".to_vec()),
        people: vec![VisitorId(1)],
        files: vec![1],
    };
    let identifier = Identifier { kind: "HS_EMAIL_ADDRESS".into(), value: "a@example.org".into() };
    let visitor = Visitor {
        id: VisitorId(1),
        contact: true,
        name: None,
        email: Some(identifier.value.clone()),
        phone: Some("+1".into()),
        avatar: None,
        created_at: 1,
        updated_at: 1,
    };
    let file = File {
        id: 1,
        name: "a".into(),
        media_type: "b".into(),
        size: None,
        url: "u".into(),
        blob: Some([1; 32]),
        created_at: 1,
        ..File::default()
    };
    let token = Token {
        hash: TokenHash([1; 32]),
        portal_id: PORTAL,
        app_id: AppId(1),
        label: String::new(),
        scopes: Vec::new(),
        created_at: 1,
        expires_at: None,
        revoked_at: None,
        grant_id: None,
        deleted_at: None,
    };
    let event = |object| NewEvent {
        kind: EventKind::ThreadTouched,
        object,
        object_id: 77,
        occurred_at: 1,
        payload: String::new(),
    };
    let account = AccountId(1);
    let earlier = Earlier { thread_id: thread.id, message_id: message.id };
    let first = Changes {
        threads: vec![thread.clone()],
        messages: vec![message.clone()],
        replaced: vec![Replacement {
            thread_id: thread.id,
            message_id: message.id,
            document: message.document.clone(),
        }],
        visitors: vec![visitor],
        identities: vec![(account, identifier.clone(), VisitorId(1))],
        unbound: Vec::new(),
        erasures: vec![Erasure {
            contact: VisitorId(1),
            requested_at: 1,
            completed_at: None,
            known: Some("{}".into()),
        }],
        thread_keys: vec![(account, "k".into(), thread.id)],
        chats: vec![Chat {
            thread_id: thread.id,
            account_id: account,
            visitor_key: "v".into(),
            said: Some("{}".into()),
            said_of: Some("a".into()),
        }],
        idempotency_keys: vec![(account, "i".into(), earlier)],
        tickets: vec![Ticket { id: TicketId(1), subject: "s".into(), created_at: 1 }],
        audit: vec![Audited {
            id: [1; 16],
            at: 1,
            actor: "A-1".into(),
            action: "a".into(),
            address: String::new(),
            said: "[]".into(),
        }],
        files: vec![file],
        folders: vec![Folder { id: 2, name: "f".into(), ..Folder::default() }],
        blobs: vec![Blob { sha: [1; 32], object: "o".into(), size: 1, tombstone_at: None }],
        file_tasks: vec![FileTask {
            id: "t".into(),
            kind: FileTaskKind::Import,
            status: FileTaskStatus::Pending,
            body: "{}".into(),
            requested_at: 1,
            started_at: None,
            completed_at: None,
            leased_until: 0,
            object: None,
            errors: "[]".into(),
        }],
        directory: vec![DirectoryChange::Token(token), DirectoryChange::Portal(portal())],
        desk: beside::thread(thread.id, message.id),
        canned: beside::words(),
        purged: Vec::new(),
        events: [ObjectKind::Thread, ObjectKind::Visitor, ObjectKind::Ticket, ObjectKind::File]
            .map(event)
            .to_vec(),
    };
    let change = |batch: &mut Batch<'_>, target: Target, changes: Changes| {
        apply::change(batch, PORTAL, &target, &mut |_: &State, _: &mut Moment| Ok::<_, ()>(changes.clone()))
    };
    let _ = change(&mut batch, Target::Directory, first)?;
    batch.flush()?;
    let pending = batch.pending;
    memory.portals.extend(pending.portals);

    let known = Known::default();
    let mut batch = Batch::new(conn, &memory, &known, &ids);
    let key = ConversationKey {
        account_id: Some(account),
        identifier: Some(identifier.clone()),
        in_reply_to: Some(message.id),
        idempotency_key: Some("i".into()),
        ..ConversationKey::default()
    };
    let targets = [
        Target::Conversation(key.clone()),
        Target::Conversation(ConversationKey { idempotency_key: None, in_reply_to: None, ..key.clone() }),
        Target::Conversation(ConversationKey {
            thread_key: Some("k".into()),
            idempotency_key: None,
            in_reply_to: None,
            visitor: Some(VisitorId(1)),
            ..key
        }),
        Target::Message(thread.id, message.id),
        Target::Desk(Box::new(DeskKey {
            message: Some(message.id),
            newer: true,
            writer: Some(1),
            once: Some("i".into()),
            ..DeskKey::of(thread.id, "A-1")
        })),
        Target::Canned(Box::new(CannedKey { id: Some(1), shortcut: Some("s".into()) })),
        Target::Visitor(VisitorId(1)),
        Target::Erasure(VisitorId(1)),
        Target::Contact { email: None, phone: Some("+1".into()) },
        Target::Ticket { ticket: Some(TicketId(1)), thread: Some(thread.id) },
    ];
    for target in targets {
        let _ = change(&mut batch, target, Changes::default())?;
    }
    let mut stored = threads::by_id(conn, PORTAL, thread.id)?.unwrap();
    stored.spam = true;
    let _ = change(
        &mut batch,
        Target::Thread(thread.id),
        Changes { threads: vec![stored], ..Changes::default() },
    )?;
    batch.flush()?;
    let mut stored = threads::by_id(conn, PORTAL, thread.id)?.unwrap();
    stored.archived_at = Some(5);
    let _ = change(
        &mut batch,
        Target::Thread(thread.id),
        Changes { threads: vec![stored], ..Changes::default() },
    )?;
    for _ in 0..2 {
        questions(conn, thread.id, message.id)?;
        chats::by_thread(conn, PORTAL, thread.id)?.unwrap();
        assert_eq!(chats::of_visitor(conn, PORTAL, account, "v", 5)?, [thread.id]);
        assert_eq!(chats::said(conn, PORTAL, "a", ThreadId(0), 5)?.len(), 1);
        assert!(!chats::unsay(conn, PORTAL, thread.id, "b", "{}")?);
        messages::position(conn, PORTAL, thread.id, message.id)?.unwrap();
    }
    let purge = Changes { purged: vec![thread.id], ..Changes::default() };
    let _ = change(&mut batch, Target::Thread(thread.id), purge)?;
    while purge::step(&mut batch, PORTAL)? {}
    while events::purge(&mut batch, PORTAL, i64::MAX, i64::MAX)? > 0 {}
    let session = crate::Session {
        id: crate::SessionId([1; 16]),
        agent_id: 7,
        login_at: 1,
        created_at: 1,
        turned_at: 1,
        ends_at: 2,
        secret: crate::TokenHash([1; 32]),
        next: None,
        old: None,
        browser: String::new(),
        address: String::new(),
    };
    for (actor, action) in [(None, None), (Some("A-1"), None), (None, Some("a")), (Some("A-1"), Some("a"))] {
        let (actor, action) = (actor.map(str::to_owned), action.map(str::to_owned));
        let query = AuditQuery { actor, action, before: None, limit: 5 };
        assert_eq!(audit::list(conn, PORTAL, &query)?.len(), 1);
    }
    assert_eq!(audit::purge(conn, PORTAL, 0, 5)?, 0);
    sessions::put(conn, PORTAL, &session)?;
    for _ in 0..2 {
        let next = crate::TokenHash([2; 32]);
        let turned = crate::SessionTurn { at: 1, old_until: 1, ends_at: 2 };
        assert!(sessions::by_id(conn, PORTAL, session.id)?.is_some());
        assert_eq!(sessions::of_agent(conn, PORTAL, 7)?.len(), 1);
        sessions::offer(conn, PORTAL, session.id, session.secret, (next, 1), 0)?;
        sessions::turn(conn, PORTAL, session.id, next, turned)?;
        assert_eq!(sessions::end_others(conn, PORTAL, 7, session.id)?, 0);
        assert!(!sessions::end(conn, PORTAL, 8, session.id)?);
        assert_eq!(sessions::purge(conn, PORTAL, 1, 5)?, 0);
    }
    visitor_tokens::put(conn, PORTAL, 2, 1, "{}")?;
    let unbound = Changes { unbound: vec![VisitorId(1)], ..Changes::default() };
    let _ = change(&mut batch, Target::Erasure(VisitorId(1)), unbound)?;
    for _ in 0..2 {
        assert_eq!(erasures::open(conn, PORTAL, 5)?.len(), 1);
        assert_eq!(erasures::identities(conn, PORTAL, VisitorId(1), 5)?, []);
        erasures::mentions(conn, PORTAL, VisitorId(2), 0, 5)?;
        erasures::journal_docs(conn, PORTAL, AppId(1), 0, 5)?;
        assert_eq!(erasures::said(conn, PORTAL, (1, 0), 5)?.len(), 1);
        visitor_tokens::said(conn, PORTAL, 2, 1)?.unwrap();
        assert_eq!(visitor_tokens::purge(conn, PORTAL, 1, 5)?, 0);
    }
    batch.flush()
}

fn questions(conn: &Connection, thread: ThreadId, message: MessageId) -> Result<()> {
    for query in every_query(5) {
        thread_list::page(conn, &Known::default().reading(), &furnished(), &query, &mut |_| {})?;
    }
    for query in every_work_query(5) {
        work::page(conn, &Known::default().reading(), PORTAL, &query, &mut |_| {})?;
    }
    work::counts(conn, PORTAL, &[None], &WorkState::ALL)?;
    threads::snooze_due(conn, PORTAL, 100, 5)?;
    for (archived, ascending) in [(true, true), (true, false)] {
        let query = HistoryQuery { archived, ascending, after: None, limit: 5 };
        messages::history(conn, &Known::default().reading(), PORTAL, thread, &query, &mut |_| {})?.unwrap();
    }
    messages::original(conn, PORTAL, thread, message)?.unwrap();
    messages::latest_incoming(conn, PORTAL, thread, 5)?;
    beside::asked(conn, thread)?;
    threads::purge_due(conn, PORTAL, 100, 5)?;
    visitors::contact_by_email(conn, PORTAL, "a@example.org")?.unwrap();
    visitors::tickets(conn, PORTAL, None, 5)?;
    files::by_url(conn, PORTAL, "u")?.unwrap();
    for path in [None, Some(vec!["f".to_owned()])] {
        let key = FileKey {
            file: Some(1),
            subject: Some(2),
            folder: Some(2),
            path,
            name: Some(("a".into(), String::new())),
            content: Some(("m".into(), 1)),
            blob: Some([1; 32]),
            task: Some("t".into()),
        };
        let state = files::state(conn, PORTAL, &key)?;
        assert!(state.placed && state.blob.is_some() && state.task.is_some() && state.subject.is_some());
    }
    for contacts in [true, false] {
        for email in [None, Some("a@example.org".to_owned())] {
            visitors::page(conn, PORTAL, &VisitorQuery { contacts, email, after: None, limit: 5 })?;
        }
    }
    events::after(conn, PORTAL, 0, 5)?;
    events::newest(conn, PORTAL)?;
    events::oldest(conn, PORTAL)?.unwrap();
    directory::portals(conn, Some(PortalId(0)), 10)?;
    directory::load(conn, &seals(), PORTAL)?.unwrap();
    directory::portal_of_token(conn, &TokenHash([1; 32]))?.unwrap();
    directory::portal_of_app(conn, AppId(1))?;
    directory::app_of_key(conn, "key", 0)?;
    for query in every_attempt(5) {
        cursors::attempts(conn, PORTAL, AppId(1), &query)?;
    }
    for state in STATES {
        cursors::deliveries(conn, PORTAL, AppId(1), state, None, 5)?;
    }
    cursors::deliveries_count(conn, PORTAL, AppId(1), 5)?;
    Ok(())
}

fn seals() -> Seals {
    Seals::new(&MasterKey::new([7; 32]))
}

const STATES: [DeliveryState; 2] = [DeliveryState::Waiting, DeliveryState::GivenUp];

fn every_attempt(limit: usize) -> Vec<AttemptQuery> {
    let mut all = Vec::new();
    for succeeded in [None, Some(true), Some(false)] {
        for (status, since) in [(None, None), (Some(200), None), (Some(404), None), (None, Some(i64::MAX))] {
            for before in [None, Some(500)] {
                all.push(AttemptQuery { before, succeeded, status, since, limit });
            }
        }
    }
    all
}

#[test]
fn what_is_purged_leaves_no_key_behind() {
    let dir = tempfile::tempdir().unwrap();
    let conn = schema::open(&dir.path().join("plans.db"), false).unwrap();
    exercise(&conn).unwrap();
    let tables =
        ["messages", "originals", "mentions", "thread_keys", "idempotency_keys", "reads", "chats", "purges"];
    for table in tables.into_iter().chain(["thread_tags", "thread_counts", "drafts", "callings"]) {
        let left: i64 =
            conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "{table}");
    }
}

#[test]
fn no_statement_scans_or_sorts() {
    let dir = tempfile::tempdir().unwrap();
    let mut conn = schema::open(&dir.path().join("plans.db"), false).unwrap();
    readers::tune(&conn, 1 << 10).unwrap();
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let again = Arc::new(Mutex::new(BTreeSet::new()));
    let (note, note_again) = (seen.clone(), again.clone());
    let watch = move |event: TraceEvent<'_>| match event {
        TraceEvent::Stmt(_, sql) => drop(note.lock().unwrap().insert(sql.to_owned())),
        TraceEvent::Profile(sql, _) if sql.get_status(StatementStatus::RePrepare) > 0 => {
            note_again.lock().unwrap().insert(sql.sql().into_owned());
        }
        _ => {}
    };
    let events = TraceEventCodes::SQLITE_TRACE_STMT | TraceEventCodes::SQLITE_TRACE_PROFILE;
    conn.trace_v2(events, Some(watch)).unwrap();
    exercise(&conn).unwrap();
    conn.trace_v2(TraceEventCodes::empty(), None::<fn(TraceEvent<'_>)>).unwrap();
    assert_eq!(*again.lock().unwrap(), BTreeSet::new(), "compiled again with every use");
    let seen = seen.lock().unwrap().clone();
    assert!(seen.len() > 60, "only {} statements were seen", seen.len());
    for sql in seen.iter().filter(|sql| !sql.starts_with("--")) {
        let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan: Vec<String> =
            explain.raw_query().mapped(|row| row.get(3)).collect::<rusqlite::Result<_>>().unwrap();
        for step in plan {
            // What a statement asks in parts has steps of its own.
            let walks = step.starts_with("SCAN") && !step.starts_with("SCAN (subquery");
            assert!(!walks || step == "SCAN CONSTANT ROW", "{sql}\nwalks: {step}");
            assert!(!step.contains("TEMP B-TREE"), "{sql}\nsorts: {step}");
        }
    }
}

/// Threads in every population and inbox; one visitor with 40, one ticket with 8, whatever the size.
fn filled(threads: i64) -> (tempfile::TempDir, Connection) {
    let dir = tempfile::tempdir().unwrap();
    let conn = schema::open(&dir.path().join("plans.db"), false).unwrap();
    conn.execute(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1) \
         INSERT INTO threads (number, portal_id, id, inbox_id, population, channel_id, account_id, visitor_id, spam, \
         ticket_id, created_at, archived_at, latest_message_at, latest_entry_at, entries, revision, assigned_to, \
         snoozed_until, tags) SELECT n, 1, n, 1 + n % 3, n / 3 % 4, 1000, 1, iif(n <= 40, 1, n), 0, \
         iif(n <= 40 AND n % 5 = 0, 1, NULL), n, iif(n / 3 % 4 > 1, n, NULL), n * 7919 % 100003, n, 0, 1, \
         CASE n % 7 WHEN 0 THEN 'A-1' WHEN 1 THEN 'A-2' END, iif(n % 13 = 0, n + 1000000, NULL), \
         CASE WHEN n <= 40 THEN '[1,2]' WHEN n % 2 = 0 THEN '[2]' END FROM n",
        [threads],
    )
    .unwrap();
    (dir, conn)
}

/// Every filter of the lists that agents see, from the beginning and from the middle.
fn every_work_query(limit: usize) -> Vec<WorkQuery> {
    let mut all = Vec::new();
    for states in [vec![WorkState::Open], vec![WorkState::Closed, WorkState::Spam], vec![]] {
        for inboxes in [vec![], vec![InboxId(2)], vec![InboxId(1), InboxId(3)], vec![InboxId(99)]] {
            for whose in [Whose::Anybodys, Whose::Nobodys, Whose::Of("A-1".into()), Whose::Of("A-9".into())] {
                for bits in 0..24 {
                    let tag = [None, Some(1), Some(2), Some(9)][bits % 4];
                    let after = ThreadPosition { key: 50_000, id: ThreadId(500) };
                    all.push(WorkQuery {
                        states: states.clone(),
                        inboxes: inboxes.clone(),
                        accounts: if bits % 3 == 0 { vec![AccountId(1)] } else { Vec::new() },
                        whose: whose.clone(),
                        tag: tag.map(TagId),
                        visitor: (bits / 4 % 2 == 1).then_some(VisitorId(1)),
                        after: (bits / 8 % 2 == 1).then_some(after),
                        limit,
                    });
                }
            }
        }
    }
    all
}

#[test]
fn no_list_of_an_agent_costs_more_with_more_threads() {
    // In both there are more threads of each kind than a page holds.
    let ((_small_dir, mut small), (_large_dir, mut large)) = (filled(5_000), filled(100_000));
    for query in every_work_query(20) {
        let ask = |conn: &Connection| {
            work::page(conn, &Known::default().reading(), PORTAL, &query, &mut |_| {}).unwrap();
        };
        planned(&mut large, false, ask);
        let (few, many) = (counted(&mut small, ask), counted(&mut large, ask));
        assert!(many * 10 <= few * 12 + 500, "{query:?} took {few} steps of 5,000 and {many} of 100,000");
    }
    let counts =
        |conn: &Connection| work::counts(conn, PORTAL, &[None, Some(TagId(1))], &WorkState::ALL).unwrap();
    for (conn, size) in [(&mut small, 5_000), (&mut large, 100_000)] {
        let all = counts(conn);
        let sum = |tag| all.iter().filter(|(kind, _)| kind.tag == tag).map(|(_, n)| n).sum::<i64>();
        assert_eq!((sum(None), sum(Some(TagId(1)))), (size, 40));
        planned(conn, false, |conn| drop(threads::snooze_due(conn, PORTAL, 1_000_100, 5).unwrap()));
    }
    let (few, many) =
        (counted(&mut small, |conn| drop(counts(conn))), counted(&mut large, |conn| drop(counts(conn))));
    assert!(many * 10 <= few * 12, "{few} steps to count 5,000 and {many} to count 100,000");
}

fn steps(conn: &mut Connection, query: &ThreadQuery) -> u64 {
    counted(conn, |conn| {
        thread_list::page(conn, &Known::default().reading(), &furnished(), query, &mut |_| {}).unwrap();
    })
}

/// The steps of a question that is asked the second time.
fn counted(conn: &mut Connection, ask: impl Fn(&Connection)) -> u64 {
    ask(conn);
    let count = Arc::new(AtomicU64::new(0));
    let counted = count.clone();
    let tick = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    conn.progress_handler(1, Some(tick)).unwrap();
    ask(conn);
    conn.progress_handler(0, None::<fn() -> bool>).unwrap();
    count.load(Ordering::Relaxed)
}

#[test]
fn no_list_costs_more_with_more_threads() {
    let ((_small_dir, mut small), (_large_dir, mut large)) = (filled(1_000), filled(100_000));
    for query in every_query(20) {
        // The contract's exception: this filter has no index in the order of ids.
        let exempt = query.sort == ThreadSort::Id && query.latest_message_from.is_some();
        if exempt && query.visitor.is_none() && query.ticket.is_none() {
            let most = 60 * crate::threads::lists::EXAMINED as u64;
            assert!(steps(&mut large, &query) < most, "{query:?} looks at too much");
            continue;
        }
        let (few, many) = (steps(&mut small, &query), steps(&mut large, &query));
        assert!(many * 10 <= few * 12, "{query:?} took {few} steps of 1,000 threads and {many} of 100,000");
    }
}

/// Logs of two apps: of one everything failed but long ago, of the other nothing did but long ago.
fn logged(attempts: i64) -> (tempfile::TempDir, Connection) {
    let dir = tempfile::tempdir().unwrap();
    let conn = schema::open(&dir.path().join("plans.db"), false).unwrap();
    for (app, old) in [(1, true), (2, false)] {
        conn.execute(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1) \
             INSERT INTO attempts (portal_id, app_id, id, at, url, succeeded, status, error, millis, excerpt, events) \
             SELECT 1, ?2, n, n, 'u', iif(n <= 40, ?3, 1 - ?3), iif(n <= 40, 500, 200), NULL, 1, '', '[]' \
             FROM n",
            rusqlite::params![attempts, app, old],
        )
        .unwrap();
        conn.execute(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1) \
             INSERT INTO deliveries (portal_id, app_id, position, subscription_id, object_id, attempts, first_at, last_at, due_at, \
             error) SELECT 1, ?2, n, 1, n, 1, n, n, iif((n > ?1 - 40) = ?3, n, NULL), '' FROM n",
            rusqlite::params![attempts, app, old],
        )
        .unwrap();
    }
    (dir, conn)
}

#[test]
fn no_log_of_an_app_costs_more_with_more_in_it() {
    let ((_small_dir, mut small), (_large_dir, mut large)) = (logged(1_000), logged(100_000));
    for app in [1, 2].map(AppId) {
        let mut flat = |what: &str, ask: &dyn Fn(&Connection)| {
            let (few, many) = (counted(&mut small, ask), counted(&mut large, ask));
            assert!(many * 10 <= few * 12, "{what} took {few} steps of 1,000 and {many} of 100,000");
        };
        for query in every_attempt(20).iter().filter(|query| !query.examines()) {
            flat(&format!("{query:?}"), &|conn| drop(cursors::attempts(conn, PORTAL, app, query).unwrap()));
        }
        for state in STATES {
            let ask =
                |conn: &Connection| drop(cursors::deliveries(conn, PORTAL, app, state, None, 20).unwrap());
            flat(&format!("{state:?}"), &ask);
        }
        flat("counting", &|conn| {
            cursors::deliveries_count(conn, PORTAL, app, 20).unwrap();
        });
        for query in every_attempt(20).iter().filter(|query| query.examines()) {
            let took = counted(&mut large, |conn| drop(cursors::attempts(conn, PORTAL, app, query).unwrap()));
            assert!(
                took < 20 * crate::threads::lists::EXAMINED as u64,
                "{query:?} looks at too much: {took}"
            );
        }
    }
}

/// What it takes to make an agent where there are so many already.
fn steps_of_an_agent(agents: i64) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let mut conn = schema::open(&dir.path().join("plans.db"), false).unwrap();
    let count = Arc::new(AtomicU64::new(0));
    let counted = count.clone();
    let tick = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    conn.progress_handler(1, Some(tick)).unwrap();
    let ids = crate::changes::MessageIds::Random;
    let mut memory = Memory {
        server: ServerCounters::load(&conn).unwrap(),
        portals: HashMap::new(),
        names: Default::default(),
        seals: seals(),
    };
    let known = Known::default();
    let mut batch = Batch::new(&conn, &memory, &known, &ids);
    portal_insert(&mut batch, portal()).unwrap();
    batch.flush().unwrap();
    conn.execute(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1) \
         INSERT INTO actors SELECT 1, 1, n, 'Nova', n || '@example.org', NULL, 1, 1 FROM n",
        [agents],
    )
    .unwrap();
    memory.portals.insert(PORTAL, Memory::load_portal(&conn, &memory.seals, PORTAL).unwrap());
    let before = memory.portals[&PORTAL].directory.clone();
    let known = Known::default();
    let mut batch = Batch::new(&conn, &memory, &known, &ids);
    let mut make = |id| {
        let nova = Actor {
            kind: ActorKind::Agent,
            id,
            name: None,
            email: None,
            avatar: None,
            active: true,
            created_at: 1,
        };
        let directory = vec![DirectoryChange::Actor(nova)];
        let changes = Changes { directory, ..Changes::default() };
        let mut rule = |_: &State, _: &mut Moment| Ok::<_, ()>(changes.clone());
        apply::change(&mut batch, PORTAL, &Target::Directory, &mut rule).unwrap().unwrap()
    };
    make(agents + 1);
    let begun = count.load(Ordering::Relaxed);
    let made = make(agents + 2);
    let steps = count.load(Ordering::Relaxed) - begun;
    // Whoever holds an older directory keeps it, and the newer one shares all that is the same.
    let agent = |directory: &Directory, id| directory.actor(ActorKind::Agent, id).map(std::ptr::from_ref);
    let after = batch.portal(PORTAL).unwrap().directory.clone();
    assert_eq!(agent(&before, agents + 1), None);
    assert_eq!(agent(&made.state.directory, agents + 2), None);
    assert_eq!(agent(&before, 1), agent(&after, 1));
    assert!(agent(&after, agents + 2).is_some());
    steps
}

#[test]
fn no_agent_costs_more_with_more_agents() {
    let (few, many) = (steps_of_an_agent(10), steps_of_an_agent(20_000));
    assert!(few > 10 && many * 10 <= few * 12, "{few} steps beside 10 agents and {many} beside 20,000");
}

/// What a question has the file search, which it must not walk; sorted is only what was named one by one.
fn planned(conn: &mut Connection, sorts: bool, ask: impl Fn(&Connection)) {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let note = seen.clone();
    let watch = move |event: TraceEvent<'_>| {
        if let TraceEvent::Stmt(_, sql) = event {
            note.lock().unwrap().insert(sql.to_owned());
        }
    };
    conn.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(watch)).unwrap();
    ask(conn);
    conn.trace_v2(TraceEventCodes::empty(), None::<fn(TraceEvent<'_>)>).unwrap();
    let seen = seen.lock().unwrap().clone();
    assert!(!seen.is_empty());
    for sql in seen.iter().filter(|sql| !sql.starts_with("--")) {
        let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan: Vec<String> =
            explain.raw_query().mapped(|row| row.get(3)).collect::<rusqlite::Result<_>>().unwrap();
        for step in plan {
            let own = ["SCAN near", "SCAN named", "SCAN above", "SCAN CONSTANT ROW"].contains(&step.as_str());
            assert!(own || !step.starts_with("SCAN"), "{sql}\nwalks: {step}");
            assert!(!step.starts_with("SEARCH") || step.contains("(portal_id=?"), "{sql}\nsearches: {step}");
            assert!(sorts || !step.contains("TEMP B-TREE"), "{sql}\nsorts: {step}");
        }
    }
}

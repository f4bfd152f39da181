//! Everything that can be asked of a store.

use antiphon_store::*;

use crate::kit;

/// Every answer of every finder, as one text a question.
pub async fn seen(store: &Store) -> Vec<String> {
    let mut seen = Vec::new();
    let portals = store.portals(None, 1_000).await.unwrap();
    seen.push(format!("{portals:?}"));
    for portal in portals {
        of_portal(store, portal.id, &mut seen).await;
    }
    seen.push(acts(store, PortalId::SERVER).await);
    seen
}

/// Who is signed in where. What is put back from a backup has nobody signed in.
pub async fn sessions(store: &Store) -> Vec<Vec<Session>> {
    let mut all = Vec::new();
    for portal in store.portals(None, 1_000).await.unwrap() {
        all.push(store.sessions_of(portal.id, 7).await.unwrap());
    }
    all
}

/// What was done.
async fn acts(store: &Store, id: PortalId) -> String {
    let query = AuditQuery { limit: 100, ..AuditQuery::default() };
    let acts = store.audit(id, &query).await.unwrap();
    assert_eq!(acts.len(), 2, "{acts:?}");
    format!("{acts:?}")
}

async fn of_portal(store: &Store, id: PortalId, seen: &mut Vec<String>) {
    let directory = store.directory(id).await.unwrap().unwrap();
    seen.push(format!("revision {}", directory.revision));
    for archived in [false, true] {
        seen.push(format!("{:?}", directory.inboxes(archived).iter().collect::<Vec<_>>()));
        seen.push(format!("{:?}", directory.accounts(archived).iter().collect::<Vec<_>>()));
    }
    seen.push(format!("{:?}", directory.actors(ActorKind::Agent, None).collect::<Vec<_>>()));
    seen.push(format!("{:?}", directory.apps().iter().collect::<Vec<_>>()));
    seen.push(format!("{:?}", directory.tokens().iter().collect::<Vec<_>>()));
    seen.push(format!("{:?}", directory.staging_tokens().iter().collect::<Vec<_>>()));
    seen.push(format!("{:?}", directory.logins().iter().collect::<Vec<_>>()));
    seen.push(format!("{:?}", directory.installs().collect::<Vec<_>>()));
    seen.push(format!("{:?}", directory.grants().iter().collect::<Vec<_>>()));
    let used = [Used::Grant(3), Used::Token(TokenHash([1; 32]))];
    seen.push(format!("{:?}", store.uses(id, &used[..1]).await.unwrap()));
    seen.push(format!("{:?}", store.uses(id, &used[1..]).await.unwrap()));
    let token = store.token_by_hash(&TokenHash([id.0 as u8; 32])).await.unwrap();
    seen.push(format!("{:?}", token.map(|(token, _)| token)));
    for app in directory.apps().iter().map(|app| app.id) {
        seen.push(format!(
            "{:?} {:?}",
            directory.webhook(app),
            directory.subscriptions(app).collect::<Vec<_>>()
        ));
        seen.push(format!("{:?}", directory.journal_subscriptions(app).collect::<Vec<_>>()));
        seen.push(format!("{:?}", directory.client(app)));
        seen.push(format!("{:?}", directory.channels_of(app).collect::<Vec<_>>()));
        let query = AttemptQuery { limit: 100, ..AttemptQuery::default() };
        seen.push(format!("{:?}", store.attempts(id, app, &query).await.unwrap()));
        for state in [DeliveryState::Waiting, DeliveryState::GivenUp] {
            seen.push(format!("{:?}", store.deliveries(id, app, state, None, 100).await.unwrap()));
        }
    }
    seen.push(acts(store, id).await);
    let threads = store.chats_of_visitor(id, kit::ACCOUNT, "visitor 1", 10).await.unwrap();
    assert!(!threads.is_empty());
    let mut chats = store.chats_by_threads(id, &threads).await.unwrap();
    chats.sort_by_key(|chat| chat.thread_id);
    seen.push(format!("{threads:?} {chats:?}"));
    let said = store.chats_said(id, "ZOË@example.org", ThreadId(0), 10).await.unwrap();
    assert_eq!(said.len(), 1);
    seen.push(format!("{said:?}"));
    for nonce in [i64::MIN, -1, 7] {
        seen.push(format!("{:?}", store.visitor_token(id, kit::NOON, nonce).await.unwrap()));
    }
    seen.push(format!("{:?}", store.callings(id, 7, None, 100).await.unwrap()));
    seen.push(format!("{:?}", store.canned_replies(id, Some(7), 0, 100).await.unwrap()));
    seen.push(format!("{:?}", store.usage(id).await.unwrap()));
    seen.push(format!("{:?}", store.events_after(id, 0, 100_000).await.unwrap()));
    seen.push(format!("position {}", store.event_position(id).await.unwrap()));
    seen.push(format!("{:?}", store.purge_due(id, i64::MAX, 100).await.unwrap()));
    for contacts in [false, true] {
        let query = VisitorQuery { contacts, email: None, after: None, limit: 1_000 };
        seen.push(format!("{:?}", store.visitors(id, &query).await.unwrap()));
    }
    let emails = ["zoe@example.org".to_owned(), "MAX@example.org".to_owned()];
    let mut contacts = store.contacts_by_emails(id, &emails).await.unwrap();
    contacts.sort_by_key(|contact| contact.id);
    seen.push(format!("{contacts:?}"));
    seen.push(format!("{:?}", store.tickets(id, None, 100).await.unwrap()));
    seen.push(format!("{:?}", store.file_by_url(id, "https://example.org/picture.png").await.unwrap()));
    let key = FileKey {
        file: Some(1),
        path: Some(vec!["Bilder".into()]),
        blob: Some([7; 32]),
        task: Some("import".into()),
        ..FileKey::default()
    };
    seen.push(format!("{:?}", store.file_state(id, &key).await.unwrap()));
    seen.push(format!("{:?}", directory.tags().iter().collect::<Vec<_>>()));
    seen.push(format!("{:?}", directory.views().iter().collect::<Vec<_>>()));
    let tags = [None, Some(TagId(1)), Some(TagId(2))];
    let mut counts = store.thread_counts(id, &tags).await.unwrap();
    counts.sort_unstable();
    seen.push(format!("{counts:?}"));
    for tag in tags {
        let mut found = Vec::new();
        let query = WorkQuery { tag, limit: 1_000, ..WorkQuery::default() };
        store.work(id, &query, &mut |thread: &KnownThread| found.push(thread.id)).await.unwrap();
        seen.push(format!("{found:?}"));
    }
    seen.push(format!("{:?}", store.snooze_due(id, i64::MAX, 100).await.unwrap()));
    let mut threads = Vec::new();
    for archived in [false, true] {
        for sort in [ThreadSort::Id, ThreadSort::LatestMessage] {
            for descending in [false, true] {
                let query = ThreadQuery {
                    archived,
                    status: None,
                    inboxes: Vec::new(),
                    visitor: None,
                    ticket: None,
                    latest_message_from: None,
                    sort,
                    descending,
                    after: None,
                    limit: 1_000,
                };
                let mut found = Vec::new();
                let mut sink =
                    |thread: &KnownThread| found.push(Thread { number: 0, ..Thread::clone(thread) });
                store.threads(id, &query, &mut sink).await.unwrap();
                seen.push(format!("{found:?}"));
                if sort == ThreadSort::Id && !descending {
                    threads.extend(found);
                }
            }
        }
    }
    for thread in threads {
        let mut texts = Vec::new();
        let query =
            HistoryQuery { archived: thread.is_archived(), ascending: true, after: None, limit: 100_000 };
        let mut sink = |doc: &[u8]| texts.push(String::from_utf8(doc.to_vec()).unwrap());
        store.history(id, thread.id, &query, &mut sink).await.unwrap().unwrap();
        seen.push(format!("{texts:?}"));
        seen.push(format!("{:?}", store.latest_incoming(id, thread.id, 10).await.unwrap()));
        seen.push(format!("{:?}", store.reads_on(id, thread.id, 100).await.unwrap()));
        seen.push(format!("{:?}", store.draft(id, thread.id, 7).await.unwrap()));
        if let Some(last) = thread.latest_message_id {
            seen.push(format!("{:?}", store.original_by_id(id, thread.id, last).await.unwrap()));
        }
    }
}

//! What was done, and how it is found again.

use std::sync::atomic::Ordering;

use antiphon_store::*;

use crate::kit::*;

fn entry(at: Millis, actor: &str, action: &str) -> Audited {
    Audited {
        id: [0; 16],
        at,
        actor: actor.into(),
        action: action.into(),
        address: "192.0.2.7".into(),
        said: r#"[{"object":"INBOX","id":"1","after":{"name":"Care"}}]"#.into(),
    }
}

/// Does something, and notes it in the same change.
async fn act(kit: &Kit, portal: PortalId, actor: &'static str, action: &'static str) {
    let rule = move |_: &State, moment: &mut Moment| {
        let audit = vec![entry(moment.now, actor, action)];
        Ok::<_, No>(Changes { audit, ..Changes::default() })
    };
    kit.store.change(portal, Target::Directory, rule).await.unwrap().unwrap();
}

/// Whose acts they are, the newest first.
async fn told(store: &Store, portal: PortalId, query: AuditQuery) -> Vec<(String, String)> {
    let found = store.audit(portal, &query).await.unwrap();
    found.into_iter().map(|one| (one.actor, one.action)).collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(actor, action)| ((*actor).to_owned(), (*action).to_owned())).collect()
}

#[tokio::test]
async fn what_was_done_is_found_by_who_and_what_newest_first() {
    let kit = Kit::new().await;
    let acts =
        [("A-1", "inboxes"), ("A-2", "inboxes"), ("A-1", "tokens"), ("I-4", "tokens"), ("A-1", "inboxes")];
    for (actor, action) in acts {
        act(&kit, kit.portal, actor, action).await;
        kit.clock.fetch_add(1, Ordering::Relaxed);
    }
    let all = AuditQuery { limit: 100, ..AuditQuery::default() };
    let mut newest_first = acts;
    newest_first.reverse();
    assert_eq!(told(&kit.store, kit.portal, all.clone()).await, pairs(&newest_first));
    let (mia, inboxes) = (Some("A-1".to_owned()), Some("inboxes".to_owned()));
    for (actor, action, expected) in [
        (mia.clone(), None, vec![("A-1", "inboxes"), ("A-1", "tokens"), ("A-1", "inboxes")]),
        (None, inboxes.clone(), vec![("A-1", "inboxes"), ("A-2", "inboxes"), ("A-1", "inboxes")]),
        (mia, inboxes, vec![("A-1", "inboxes"), ("A-1", "inboxes")]),
        (Some("A-9".to_owned()), None, vec![]),
    ] {
        let query = AuditQuery { actor, action, ..all.clone() };
        assert_eq!(told(&kit.store, kit.portal, query.clone()).await, pairs(&expected), "{query:?}");
    }
    // Page by page it is the same.
    let (mut pages, mut before) = (Vec::new(), None);
    loop {
        let query = AuditQuery { before, limit: 2, ..AuditQuery::default() };
        let page = kit.store.audit(kit.portal, &query).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        pages.extend(page.into_iter().map(|one| one.at - NOON));
    }
    assert_eq!(pages, [4, 3, 2, 1, 0]);
    let kept = kit.store.audit(kit.portal, &all).await.unwrap();
    let kit = kit.reopen().await;
    assert_eq!(kit.store.audit(kit.portal, &all).await.unwrap(), kept);
    let shown = &kept[0];
    assert_eq!((shown.at, &*shown.address), (NOON + 4, "192.0.2.7"));
    assert_eq!(shown.said, entry(0, "", "").said);
}

#[tokio::test]
async fn acts_of_one_moment_keep_the_order_in_which_they_changed_something() {
    let kit = Kit::new().await;
    for n in 0..20_i64 {
        let rule = move |state: &State, moment: &mut Moment| {
            let named = Inbox { name: format!("Care {n}"), ..state.directory.inbox(INBOX).unwrap().clone() };
            let audit = vec![entry(moment.now, "A-1", "first"), entry(moment.now, &n.to_string(), "second")];
            Ok::<_, No>(Changes {
                directory: vec![DirectoryChange::Inbox(named)],
                audit,
                ..Changes::default()
            })
        };
        kit.store.change(kit.portal, Target::Directory, rule).await.unwrap().unwrap();
    }
    let query = AuditQuery { action: Some("second".into()), limit: 100, ..AuditQuery::default() };
    let order: Vec<String> = told(&kit.store, kit.portal, query).await.into_iter().map(|one| one.0).collect();
    assert_eq!(order, (0..20).rev().map(|n| n.to_string()).collect::<Vec<_>>());
    let all = AuditQuery { limit: 100, ..AuditQuery::default() };
    let order = told(&kit.store, kit.portal, all).await;
    assert!(order.chunks(2).all(|two| (&*two[0].1, &*two[1].1) == ("second", "first")), "{order:?}");
}

#[tokio::test]
async fn what_is_refused_or_fails_is_not_noted() {
    let kit = Kit::new().await;
    let refused = |_: &State, _: &mut Moment| Err::<Changes, _>(No);
    kit.store.change(kit.portal, Target::Directory, refused).await.unwrap().unwrap_err();
    // A change that stumbles over itself.
    let broken = |_: &State, moment: &mut Moment| {
        let document = Document { format: 1, bytes: b"x".to_vec() };
        let replaced = vec![Replacement { thread_id: ThreadId(9), message_id: MessageId([9; 16]), document }];
        Ok::<_, No>(Changes { audit: vec![entry(moment.now, "A-1", "x")], replaced, ..Changes::default() })
    };
    kit.store.change(kit.portal, Target::Directory, broken).await.unwrap_err();
    let all = AuditQuery { limit: 100, ..AuditQuery::default() };
    assert_eq!(told(&kit.store, kit.portal, all).await, []);
}

#[tokio::test]
async fn each_portal_and_the_server_have_their_own_and_forget_it_in_steps() {
    let kit = Kit::new().await;
    let other = portal(&kit.store, "Second").await;
    act(&kit, kit.portal, "A-1", "inboxes").await;
    act(&kit, other, "A-1", "tokens").await;
    for n in 0..5 {
        let at = kit.clock.fetch_add(1_000, Ordering::Relaxed);
        let act = if n % 2 == 0 { "keys.rotate" } else { "backups.make" };
        kit.store.audit_put(PortalId::SERVER, entry(at, "operator", act)).await.unwrap();
    }
    let all = AuditQuery { limit: 100, ..AuditQuery::default() };
    assert_eq!(told(&kit.store, kit.portal, all.clone()).await, pairs(&[("A-1", "inboxes")]));
    assert_eq!(told(&kit.store, other, all.clone()).await, pairs(&[("A-1", "tokens")]));
    let keys = AuditQuery { action: Some("keys.rotate".into()), ..all.clone() };
    assert_eq!(told(&kit.store, PortalId::SERVER, keys).await.len(), 3);
    let purge = async |portal, before| kit.store.audit_purge(portal, before, 2).await.unwrap();
    assert_eq!(purge(PortalId::SERVER, NOON).await, 0);
    let before = NOON + 3_000;
    let steps = [
        purge(PortalId::SERVER, before).await,
        purge(PortalId::SERVER, before).await,
        purge(PortalId::SERVER, before).await,
    ];
    assert_eq!(steps, [2, 1, 0]);
    assert_eq!(told(&kit.store, PortalId::SERVER, all.clone()).await.len(), 2);
    assert_eq!(told(&kit.store, other, all.clone()).await.len(), 1, "others keep theirs");
    // No portal comes of it.
    assert_eq!(kit.store.portals(None, 10).await.unwrap().len(), 2);
    assert!(kit.store.directory(PortalId::SERVER).await.unwrap().is_none());
    assert_eq!(kit.store.check(true, |_| true, |_, _| ()).await.unwrap(), []);
}

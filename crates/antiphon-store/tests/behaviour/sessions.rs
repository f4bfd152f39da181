//! Agents who are signed in.

use antiphon_store::{Session, SessionId, SessionTurn, TokenHash};

use crate::kit::*;

fn session(n: u8, agent_id: i64) -> Session {
    let at = NOON + i64::from(n);
    Session {
        id: SessionId([n; 16]),
        agent_id,
        login_at: NOON,
        created_at: at,
        turned_at: at,
        ends_at: at + 1000,
        secret: TokenHash([n; 32]),
        next: None,
        old: None,
        browser: "Browser".into(),
        address: "192.0.2.7".into(),
    }
}

#[tokio::test]
async fn a_session_is_its_portals_and_its_agents() {
    let kit = Kit::new().await;
    let (one, two) = (kit.portal, portal(&kit.store, "Second").await);
    let full = Session {
        next: Some((TokenHash([8; 32]), NOON + 5)),
        old: Some((TokenHash([9; 32]), NOON + 6)),
        ..session(1, 71)
    };
    for (portal, session) in
        [(one, full.clone()), (one, session(2, 71)), (one, session(3, 72)), (two, session(4, 71))]
    {
        kit.store.session_put(portal, session).await.unwrap();
    }
    let by_id = async |portal, n| kit.store.session_by_id(portal, SessionId([n; 16])).await.unwrap();
    assert_eq!(by_id(one, 1).await, Some(full.clone()));
    assert_eq!((by_id(one, 4).await, by_id(two, 1).await), (None, None));
    let of = async |portal, agent| kit.store.sessions_of(portal, agent).await.unwrap();
    assert_eq!(of(one, 71).await, [session(2, 71), full]);
    assert_eq!(of(two, 72).await, []);
    let end =
        async |portal, agent, n| kit.store.session_end(portal, agent, SessionId([n; 16])).await.unwrap();
    assert!(!end(two, 71, 1).await && !end(one, 72, 1).await, "that is another's");
    assert!(end(one, 71, 1).await && !end(one, 71, 1).await);
    assert_eq!(kit.store.sessions_end_others(one, 72, SessionId([2; 16])).await.unwrap(), 1);
    assert_eq!((of(one, 72).await.len(), of(one, 71).await.len(), of(two, 71).await.len()), (0, 1, 1));
    assert_eq!(kit.store.sessions_end_others(one, 71, SessionId([2; 16])).await.unwrap(), 0);
}

#[tokio::test]
async fn one_of_many_is_given_another_secret_and_it_is_taken_up_once() {
    let kit = Kit::new().await;
    let portal = kit.portal;
    let known = session(1, 71);
    kit.store.session_put(portal, known.clone()).await.unwrap();
    let offer = async |secret: u8, next: u8, at: i64| {
        let (secret, next) = (TokenHash([secret; 32]), (TokenHash([next; 32]), at));
        kit.store.session_offer(portal, known.id, secret, next, at - 60).await.unwrap()
    };
    let all = futures_util::future::join_all((2..12).map(|next| offer(1, next, NOON + 100))).await;
    assert_eq!(all.iter().filter(|offered| **offered).count(), 1);
    assert!(!offer(7, 20, NOON + 900).await, "only who has the secret is offered another");
    assert!(
        !offer(1, 20, NOON + 159).await && offer(1, 20, NOON + 160).await,
        "one that was lost is replaced"
    );
    let turned = SessionTurn { at: NOON + 170, old_until: NOON + 230, ends_at: NOON + 5000 };
    let turn = async |next: u8| {
        kit.store.session_turn(portal, known.id, TokenHash([next; 32]), turned).await.unwrap()
    };
    assert!(!turn(2).await, "it was replaced, or never offered");
    let taken = futures_util::future::join_all((0..5).map(|_| turn(20))).await;
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
    let now = kit.store.session_by_id(portal, known.id).await.unwrap().unwrap();
    let expected = Session {
        secret: TokenHash([20; 32]),
        old: Some((TokenHash([1; 32]), NOON + 230)),
        turned_at: NOON + 170,
        ends_at: NOON + 5000,
        ..known
    };
    assert_eq!(now, expected);
}

#[tokio::test]
async fn sessions_are_bounded_and_those_that_ended_go() {
    let kit = Kit::new().await;
    for n in 0..60 {
        kit.store.session_put(kit.portal, session(n, 71)).await.unwrap();
    }
    let left = kit.store.sessions_of(kit.portal, 71).await.unwrap();
    let first = left.last().unwrap().id;
    assert_eq!((left.len(), first), (50, SessionId([10; 16])), "the oldest have gone");
    let purge = async |ended, limit| kit.store.sessions_purge(kit.portal, ended, limit).await.unwrap();
    assert_eq!(purge(NOON + 1009, 100).await, 0);
    assert_eq!((purge(NOON + 1019, 4).await, purge(NOON + 1019, 100).await), (4, 6));
    assert_eq!(kit.store.sessions_of(kit.portal, 71).await.unwrap().len(), 40);
}

//! When tokens were used, what was tried in vain, and rows that directories have forgotten.

use antiphon_store::*;

use crate::kit::*;

fn used(byte: u8) -> Used {
    Used::Token(TokenHash([byte; 32]))
}

async fn seen(store: &Store, portal: PortalId, of: &[Used]) -> Vec<(Used, Millis)> {
    let mut seen = store.uses(portal, of).await.unwrap();
    seen.sort_unstable();
    seen
}

#[tokio::test]
async fn uses_are_noted_beside_the_directory_and_never_go_back() {
    let kit = Kit::new().await;
    let other = portal(&kit.store, "Second").await;
    let before = kit.store.directory(kit.portal).await.unwrap().unwrap().revision;
    let all = [used(1), used(2), used(3), Used::Grant(1)];
    assert_eq!(seen(&kit.store, kit.portal, &all).await, []);
    for noted in [
        vec![(used(1), NOON), (Used::Grant(1), NOON + 7)],
        vec![(used(2), NOON + 2), (used(1), NOON + 5)],
        vec![(Used::Grant(1), NOON + 6), (used(1), NOON + 4)],
    ] {
        kit.store.uses_note(kit.portal, noted).await.unwrap();
    }
    let expected = [(used(1), NOON + 5), (used(2), NOON + 2), (Used::Grant(1), NOON + 7)];
    let kit = kit.reopen().await;
    assert_eq!(seen(&kit.store, kit.portal, &all).await, expected);
    assert_eq!(seen(&kit.store, other, &all).await, []);
    assert_eq!(kit.store.directory(kit.portal).await.unwrap().unwrap().revision, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_tried_in_vain_has_pauses_and_what_went_well_has_none() {
    let kit = Kit::new().await;
    let (mia, tom) = ([1; 32], [2; 32]);
    let begin = |key, now| kit.store.try_begin(kit.portal, key, now);
    let mut trying = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (store, portal) = (kit.store.clone(), kit.portal);
        trying.spawn(async move { store.try_begin(portal, mia, NOON).await.unwrap() });
    }
    let tried = trying.join_all().await;
    assert_eq!(tried.iter().filter(|tried| tried.is_ok()).count(), 5, "however many come at once");
    assert!(tried.iter().all(|tried| matches!(tried, Ok(()) | Err(5_000))), "{tried:?}");
    assert_eq!(begin(tom, NOON).await.unwrap(), Ok(()));
    assert_eq!(begin(mia, NOON + 4_000).await.unwrap(), Err(1_000));
    assert_eq!(begin(mia, NOON + 5_000).await.unwrap(), Ok(()));
    assert_eq!(begin(mia, NOON + 5_000).await.unwrap(), Err(10_000));
    kit.store.try_forget(kit.portal, mia).await.unwrap();
    assert_eq!(begin(mia, NOON + 5_000).await.unwrap(), Ok(()));
    let sweep = |tried_before| Sweep { gone_before: 0, tried_before, limit: 10 };
    assert_eq!(kit.store.sweep(kit.portal, sweep(NOON)).await.unwrap(), 0);
    assert_eq!(kit.store.sweep(kit.portal, sweep(NOON + 1)).await.unwrap(), 1);
    assert_eq!(kit.store.sweep(kit.portal, sweep(NOON + 5_001)).await.unwrap(), 1);
    kit.store.close().await;
}

fn grant(id: i64) -> Grant {
    Grant {
        id,
        app_id: AppId(7),
        user_id: Some(1),
        scopes: Vec::new(),
        created_at: NOON,
        code: None,
        refresh: Some(TokenHash([id as u8; 32])),
        refresh_ended_at: None,
        ended_at: None,
        uninstalled_at: None,
        deleted_at: None,
    }
}

fn revoked(portal: PortalId) -> Token {
    Token {
        hash: TokenHash([200; 32]),
        portal_id: portal,
        app_id: AppId(7),
        label: "grant 1".into(),
        scopes: Vec::new(),
        created_at: NOON,
        expires_at: Some(NOON + 1),
        revoked_at: Some(NOON),
        grant_id: Some(1),
        deleted_at: None,
    }
}

async fn write(store: &Store, portal: PortalId, directory: Vec<DirectoryChange>) {
    apply(store, portal, Target::Directory, Changes { directory, ..Changes::default() }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_looked_away_while_rows_went_for_good_knows_it_all_the_same() {
    let kit = Kit::new().await;
    let mut all: Vec<_> = (1..=5).map(|id| DirectoryChange::Grant(grant(id))).collect();
    all.push(DirectoryChange::Token(revoked(kit.portal)));
    write(&kit.store, kit.portal, all).await;
    let away = kit.database.as_ref().map(|database| open(settings(&kit.dir, &kit.clock, Some(database))));
    let known = |store: Store| async move {
        let directory = store.directory(kit.portal).await.unwrap().unwrap();
        let grants = directory.grants().iter().map(|grant| grant.id).collect::<Vec<_>>();
        let secrets = (1..=5).filter(|id| directory.grant_of(&TokenHash([*id; 32])).is_some()).count();
        (grants, secrets, directory.tokens().len())
    };
    let everything = (vec![1, 2, 3, 4, 5], 5, 1);
    assert_eq!(known(kit.store.clone()).await, everything);
    if let Some(away) = &away {
        assert_eq!(known(away.clone()).await, everything);
    }
    let gone = |id| DirectoryChange::Grant(Grant { deleted_at: Some(NOON), ..grant(id) });
    let token = Token { deleted_at: Some(NOON), ..revoked(kit.portal) };
    write(&kit.store, kit.portal, vec![gone(1), gone(2), gone(4), DirectoryChange::Token(token)]).await;
    kit.store.uses_note(kit.portal, vec![(Used::Grant(1), NOON), (Used::Grant(3), NOON)]).await.unwrap();
    assert_eq!(known(kit.store.clone()).await, (vec![3, 5], 2, 0));
    let sweep = |gone_before| Sweep { gone_before, tried_before: 0, limit: 2 };
    let swept = async |before| kit.store.sweep(kit.portal, sweep(before)).await.unwrap();
    assert_eq!(swept(NOON).await, 0, "others may have to learn of it");
    assert_eq!((swept(NOON + 1).await, swept(NOON + 1).await, swept(NOON + 1).await), (3, 1, 0), "by pieces");
    let uses = kit.store.uses(kit.portal, &[Used::Grant(1), Used::Grant(3)]).await.unwrap();
    assert_eq!(uses, [(Used::Grant(3), NOON)], "with what was noted of them");
    assert_eq!(known(kit.store.clone()).await, (vec![3, 5], 2, 0));
    if let Some(away) = away {
        assert_eq!(known(away.clone()).await, (vec![3, 5], 2, 0));
        away.close().await;
    }
    kit.store.close().await;
}

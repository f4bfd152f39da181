//! What tokens of visitors say that have no room for it.

use crate::kit::*;

#[tokio::test]
async fn what_a_token_says_is_its_portals_until_it_is_cleared_away() {
    let kit = Kit::new().await;
    let (one, two) = (kit.portal, portal(&kit.store, "Second").await);
    let put = async |portal, ends_at, nonce, said: &str| {
        kit.store.visitor_token_put(portal, ends_at, nonce, said.into()).await.unwrap();
    };
    let said = async |portal, ends_at, nonce| kit.store.visitor_token(portal, ends_at, nonce).await.unwrap();
    put(one, NOON, 1, "one").await;
    put(one, NOON, -1, "of the same moment").await;
    put(one, NOON + 1, 1, "later").await;
    put(two, NOON, 1, "two").await;
    assert_eq!(said(one, NOON, 1).await.as_deref(), Some("one"));
    assert_eq!(said(one, NOON, -1).await.as_deref(), Some("of the same moment"));
    assert_eq!(said(one, NOON + 1, 1).await.as_deref(), Some("later"));
    assert_eq!(said(two, NOON, 1).await.as_deref(), Some("two"));
    for (portal, ends_at, nonce) in [(one, NOON, 2), (one, NOON - 1, 1), (two, NOON + 1, 1)] {
        assert_eq!(said(portal, ends_at, nonce).await, None);
    }
    let purge =
        async |portal, ended, limit| kit.store.visitor_tokens_purge(portal, ended, limit).await.unwrap();
    assert_eq!(purge(one, NOON - 1, 9).await, 0);
    assert_eq!((purge(one, NOON, 1).await, purge(one, NOON, 9).await, purge(one, NOON, 9).await), (1, 1, 0));
    assert_eq!((said(one, NOON, 1).await, said(one, NOON, -1).await), (None, None));
    assert!(said(one, NOON + 1, 1).await.is_some() && said(two, NOON, 1).await.is_some());
}

#[tokio::test]
async fn the_row_that_ended_first_goes_first_and_a_round_takes_no_more_than_it_may() {
    let kit = Kit::new().await;
    for n in (0..50).rev() {
        kit.store.visitor_token_put(kit.portal, NOON + n, n, "{}".into()).await.unwrap();
    }
    assert_eq!(kit.store.visitor_tokens_purge(kit.portal, NOON + 40, 20).await.unwrap(), 20);
    for n in 0..50 {
        let left = kit.store.visitor_token(kit.portal, NOON + n, n).await.unwrap();
        assert_eq!(left.is_some(), n >= 20, "{n}");
    }
    assert_eq!(kit.store.visitor_tokens_purge(kit.portal, NOON + 40, 100).await.unwrap(), 21);
}

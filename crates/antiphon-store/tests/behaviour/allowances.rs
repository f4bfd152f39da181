//! What nodes draw of a limit, where there are several.

use std::collections::BTreeMap;
use std::sync::Arc;

use antiphon_store::*;

use crate::kit::Kit;

fn draw(key: &[u8], spent: i64) -> Draw {
    let spent = if spent > 0 { BTreeMap::from([(1, spent)]) } else { BTreeMap::new() };
    Draw { key: key.to_vec(), span: Span::Day(1), limit: 3_000, spent }
}

#[tokio::test(flavor = "multi_thread")]
async fn draws_at_the_same_time_are_told_apart() {
    let kit = Kit::new().await;
    let store = Arc::new(kit.store.clone());
    if store.allowances().is_none() {
        // Nobody else counts here, and nothing is left behind by those who did.
        assert_eq!(store.tidy(kit.portal).await.unwrap(), 0);
        return;
    }
    let mut drawing = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (store, portal) = (store.clone(), kit.portal);
        drawing.spawn(async move {
            for _ in 0..10 {
                let drawn = store.allowances().unwrap().draw(portal, &draw(b"busy", 1)).await.unwrap();
                assert_eq!((drawn.granted, drawn.held), (3, 0));
            }
        });
    }
    while let Some(done) = drawing.join_next().await {
        done.unwrap();
    }
    let allowances = store.allowances().unwrap();
    let drawn = allowances.draw(kit.portal, &draw(b"busy", 0)).await.unwrap();
    assert_eq!(drawn.used, BTreeMap::from([(1, 160)]), "nothing was overwritten");
    let other = allowances.draw(kit.portal, &draw(b"calm", 0)).await.unwrap();
    assert_eq!((other.granted, other.used.len()), (3, 0));
    let drawn = allowances.draw(kit.portal, &draw(b"busy", 2_839)).await.unwrap();
    assert_eq!(drawn.granted, 1, "what is left");
    let drawn = allowances.draw(kit.portal, &draw(b"busy", 1)).await.unwrap();
    assert_eq!(drawn.granted, 0);
    assert_eq!(store.tidy(kit.portal).await.unwrap(), 0, "what is in use stays");
    kit.store.close().await;
}

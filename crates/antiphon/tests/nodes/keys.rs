//! What one node has signed is known on every other, whoever replaces the key and whenever.

use std::time::{Duration, Instant};

use antiphon::keys::Purpose;
use serde_json::json;
use tokio::sync::watch;

use crate::kit::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_reaches_every_node_within_seconds_and_ends_nothing() {
    let bed = Bed::new(1).await;
    let nodes = [bed.node(), bed.node()];
    let (stop, _) = watch::channel(false);
    for node in &nodes {
        let (app, stop) = (node.0.clone(), stop.subscribe());
        tokio::spawn(async move { antiphon::keys::follow(&app, stop).await });
    }
    let known = |signed: antiphon::keys::Signature| {
        nodes.iter().all(|node| node.0.keys.verify(Purpose::FileUrl, b"x", signed.key, &signed.mac))
    };
    let old = nodes[0].0.keys.sign(Purpose::FileUrl, b"x").unwrap();
    assert!(known(old));
    nodes[1].operate("POST", "keys/rotate", &json!({})).await.expect(201);
    let begun = Instant::now();
    let mut new = old;
    while new.key == old.key {
        assert!(begun.elapsed() < Duration::from_secs(40), "nobody signs with the new key");
        tokio::time::sleep(Duration::from_millis(50)).await;
        for node in &nodes {
            let signed = node.0.keys.sign(Purpose::FileUrl, b"x").unwrap();
            assert!(known(signed) && known(old), "a signature is not known on every node");
            new = if signed.key == old.key { new } else { signed };
        }
    }
    stop.send_replace(true);
    for node in nodes {
        node.store().close().await;
    }
}

//! When a token was used last is written once a minute: a crash takes no more of it than that.

use std::time::{Duration, Instant};

use antiphon_testkit::{Connection, Home, SEED_TOKEN};
use antiphon_wire::timestamp;

use crate::{BINARY, seeded, unlimited};

/// How often it is written, and to what it is cut down, in milliseconds.
const MINUTE: i64 = 60_000;

/// When the token was used last, as the list says.
async fn last_used(server: &mut Connection) -> Option<i64> {
    let reply = server.get("/antiphon/v1/tokens").await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    let at = reply.json()["results"][0]["lastUsedAt"].clone();
    at.as_str().map(|at| timestamp::parse(at).unwrap())
}

#[tokio::test]
async fn a_crash_takes_at_most_a_minute_of_when_a_token_was_used() {
    let home = Home::durable();
    seeded(&home).await;
    let program = unlimited(home.program(BINARY));
    let running = program.start().await.unwrap();
    let begun = Instant::now();
    let mut server = Connection::open(program.address, SEED_TOKEN).await.unwrap();
    let mut shown = last_used(&mut server).await.unwrap();
    // It is written after a minute, and what comes then is only remembered.
    while begun.elapsed() < Duration::from_secs(63) {
        tokio::time::sleep(Duration::from_millis(500)).await;
        shown = last_used(&mut server).await.unwrap();
    }
    running.kill().unwrap();
    // Somebody else looks, so that looking is no use of it.
    let store = antiphon_store::Store::open(home.settings()).unwrap();
    let all = store.portals(None, 1).await.unwrap();
    let directory = store.directory(all[0].id).await.unwrap().unwrap();
    let token = directory.tokens().iter().next().unwrap().hash;
    let kept = store.uses(all[0].id, &[antiphon_store::Used::Token(token)]).await.unwrap();
    store.close().await;
    let at = kept.first().map(|(_, at)| *at).unwrap();
    assert!((shown - MINUTE..=shown).contains(&at), "{} ms are lost", shown - at);
    // And it goes on from there.
    let running = program.start().await.unwrap();
    let mut server = Connection::open(program.address, SEED_TOKEN).await.unwrap();
    assert!(last_used(&mut server).await.unwrap() >= at);
    running.stop().await.unwrap();
}

//! An agent's session is one session, whichever node the browser is led to.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use antiphon::middleware::{Peer, handle};
use antiphon_testkit::{EventStream, PUBLIC_URL};
use bytes::Bytes;
use futures_util::future::join_all;
use http::Request;
use http_body_util::Empty;
use serde_json::{Value, json};

use crate::kit::*;

const MINUTE: i64 = 60 * 1000;
const HOUR: i64 = 60 * MINUTE;

/// How long it takes at most until somebody who listens elsewhere is cut off.
const BOUND: Duration = Duration::from_secs(7);

async fn status(browser: &Browser, node: &Node) -> u16 {
    browser.get(node, "session").await.status
}

/// Listens as a page does.
async fn listen(browser: &Browser, node: &Node) -> EventStream {
    let request = Request::builder()
        .uri("/antiphon/v1/events")
        .header("host", "inbox.test")
        .header("accept", "text/event-stream")
        .header("cookie", &browser.cookie)
        .header("origin", PUBLIC_URL)
        .body(Empty::<Bytes>::new())
        .unwrap();
    EventStream::of(handle(&node.0, &Peer::default(), request).await).await.unwrap()
}

async fn cut_off(stream: &mut EventStream) {
    let begun = Instant::now();
    let told = loop {
        let told = stream.event().await.unwrap();
        if told.event == "cutOff" {
            break told;
        }
    };
    assert_eq!(told.data["reason"], "unauthorized");
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_on_one_node_is_signed_in_on_the_other_until_they_sign_out_on_either() {
    let bed = Bed::new(1).await;
    let nodes = [bed.node(), bed.node()];
    let leo = bed.agent(&nodes[0], "Leo").await;
    let thread = format!("{V3}/threads/{}", bed.seed.threads[0]);
    for round in 0..6 {
        let (here, there) = (&nodes[round % 2], &nodes[(round + 1) % 2]);
        let browser = Browser::sign_in(here, "Leo").await;
        let shown = browser.get(there, "session").await.expect(200);
        assert_eq!((cookie(&shown), &shown.json()["agent"]["actorId"]), (None, &json!(leo)));
        assert_eq!(text(&shown.json(), "csrf"), browser.csrf, "both tell the same value");
        // What the page brings is known there, and missed there.
        let status = json!({ "status": if round % 2 == 0 { "CLOSED" } else { "OPEN" } });
        browser.ask(there, "PATCH", &thread, &status).await.expect(200);
        let other = Browser { csrf: Browser::sign_in(here, "Leo").await.csrf, ..browser.clone() };
        other.ask(there, "PATCH", &thread, &status).await.expect(403);
        let known = browser.get(there, "session/list").await.expect(200).json();
        assert_eq!(known["results"].as_array().unwrap().len(), 2 + round);
        let mut stream = listen(&browser, there).await;
        stream.block().await.unwrap();
        browser.ask(here, "DELETE", "/antiphon/v1/session", &Value::Null).await.expect(204);
        for node in [there, here] {
            assert_eq!(self::status(&browser, node).await, 401, "round {round}");
        }
        cut_off(&mut stream).await;
    }
    for node in nodes {
        node.store().close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_sessions_on_one_node_ends_them_on_the_other_at_once() {
    let bed = Bed::new(0).await;
    let nodes = [bed.node(), bed.node()];
    let leo = bed.agent(&nodes[0], "Leo").await;
    let agent = format!("agents/{}", leo.trim_start_matches("A-"));
    let [here, there] = &nodes;
    // Everywhere else.
    let (one, two) = (Browser::sign_in(here, "Leo").await, Browser::sign_in(there, "Leo").await);
    one.ask(there, "DELETE", "/antiphon/v1/session/others", &Value::Null).await.expect(204);
    assert_eq!((status(&one, here).await, status(&two, here).await), (200, 401));
    // Another password.
    let login = json!({ "password": PASSWORD, "role": "AGENT" });
    here.operate("PUT", &format!("{agent}/login"), &login).await.expect(204);
    assert_eq!(status(&one, there).await, 401);
    // An agent who works here no more.
    let three = Browser::sign_in(there, "Leo").await;
    assert_eq!(status(&three, here).await, 200);
    here.operate("PATCH", &agent, &json!({ "active": false })).await.expect(200);
    assert_eq!(status(&three, there).await, 401);
    for node in nodes {
        node.store().close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_turns_once_wherever_it_is_sent() {
    let bed = Bed::new(0).await;
    let clock = Arc::new(AtomicI64::new(1_900_000_000_000));
    let nodes = [bed.node_at(&clock), bed.node_at(&clock)];
    bed.agent(&nodes[0], "Leo").await;
    for round in 0..5 {
        let (here, there) = (&nodes[round % 2], &nodes[(round + 1) % 2]);
        let first = Browser::sign_in(here, "Leo").await;
        clock.fetch_add(HOUR, Ordering::SeqCst);
        // Ten pages on both nodes at once: one of them is given another secret.
        let asked = (0..10).map(|page| first.get(&nodes[page % 2], "session"));
        let replies = join_all(asked).await;
        let mut given: Vec<String> = replies.iter().filter_map(cookie).collect();
        assert!(replies.iter().all(|reply| reply.status == 200) && given.len() == 1, "{given:?}");
        let second = first.given(given.remove(0));
        // It comes back to the other node, while requests with the old one are under way everywhere.
        for node in [there, here, there] {
            let reply = second.get(node, "session").await.expect(200);
            assert_eq!((cookie(&reply), text(&reply.json(), "csrf")), (None, first.csrf.clone()));
            assert_eq!(status(&first, node).await, 200);
        }
        clock.fetch_add(MINUTE, Ordering::SeqCst);
        assert_eq!(status(&second, here).await, 200);
        // Whoever still sends the old one has kept it: the session ends on every node.
        assert_eq!(status(&first, there).await, 401);
        assert_eq!((status(&second, here).await, status(&second, there).await), (401, 401));
    }
    for node in nodes {
        node.store().close().await;
    }
}

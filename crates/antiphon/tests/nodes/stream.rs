//! Who listens on one node hears what the others commit.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use antiphon::middleware::{Peer, handle};
use antiphon_testkit::{EventStream, SEED_TOKEN, Socket};
use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::kit::*;

/// Listens on a node behind a position.
async fn listen(node: &Node, token: &str, after: i64) -> EventStream {
    let request = Request::builder()
        .uri("/antiphon/v1/events")
        .header("authorization", format!("Bearer {token}"))
        .header("accept", "text/event-stream")
        .header("last-event-id", after)
        .body(Empty::<Bytes>::new())
        .unwrap();
    EventStream::of(handle(&node.0, &Peer::default(), request).await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_commits_is_told_on_the_other() {
    let bed = Bed::new(1).await;
    let nodes = [bed.node(), bed.node()];
    let mut position = nodes[0].store().event_position(bed.portal).await.unwrap();
    let mut streams = Vec::new();
    for node in &nodes {
        streams.push(listen(node, SEED_TOKEN, position).await);
    }
    let path = format!("{V3}/threads/{}/messages", bed.seed.threads[0]);
    let mut slowest = Vec::new();
    for round in 0..20 {
        let said = json!({ "type": "COMMENT", "text": format!("note {round}") });
        let sender = &nodes[round % 2];
        sender.ask(SEED_TOKEN, "POST", &path, &said).await.expect(201);
        let begun = Instant::now();
        position += 1;
        for stream in &mut streams {
            let told = stream.event().await.unwrap();
            assert_eq!((told.id, &*told.event), (Some(position), "conversation.newMessage"));
        }
        slowest.push(begun.elapsed());
    }
    slowest.sort();
    println!("told on both nodes after {:?} (median), {:?} (slowest)", slowest[10], slowest[19]);
    // Looking once a second would be far slower.
    assert!(slowest[10] < Duration::from_millis(200), "{slowest:?}");
    for node in nodes {
        node.store().close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stream_goes_on_at_another_node_with_nothing_missing_and_nothing_twice() {
    let bed = Bed::new(4).await;
    let nodes = [bed.node(), bed.node()];
    let from = nodes[0].store().event_position(bed.portal).await.unwrap();
    let writing = (0..4).map(|writer| {
        let (node, path) =
            (nodes[writer % 2].clone(), format!("{V3}/threads/{}/messages", bed.seed.threads[writer]));
        tokio::spawn(async move {
            for n in 0..50 {
                let said = json!({ "type": "COMMENT", "text": format!("{writer}.{n}") });
                node.ask(SEED_TOKEN, "POST", &path, &said).await.expect(201);
            }
        })
    });
    let writing: Vec<_> = writing.collect();
    let newest = from + 200;
    let reading = (0..6).map(|reader| {
        let nodes = nodes.clone();
        tokio::spawn(async move {
            let (mut at, mut heard) = (from, Vec::new());
            for turn in 0.. {
                let mut stream = listen(&nodes[(reader + turn) % 2], SEED_TOKEN, at).await;
                for _ in 0..=(reader * 7 + turn) % 19 {
                    if at == newest {
                        return heard;
                    }
                    let told = stream.event().await.unwrap();
                    at = told.id.unwrap();
                    heard.push(at);
                }
            }
            heard
        })
    });
    for reader in reading.collect::<Vec<_>>() {
        assert_eq!(reader.await.unwrap(), (from + 1..=newest).collect::<Vec<_>>());
    }
    for writer in writing {
        writer.await.unwrap();
    }
    let spine = nodes[1].store().events_after(bed.portal, from, 1000).await.unwrap();
    let spine: BTreeSet<i64> = spine.iter().map(|event| event.position).collect();
    assert_eq!(spine, (from + 1..=newest).collect());
    for node in nodes {
        node.store().close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_withdrawn_on_one_node_hears_no_more_on_the_other() {
    let bed = Bed::new(1).await;
    let nodes = [bed.node(), bed.node()];
    let made = nodes[0].operate("POST", "tokens", &json!({ "label": "x" })).await.expect(201).json();
    let position = nodes[1].store().event_position(bed.portal).await.unwrap();
    let mut stream = listen(&nodes[1], &text(&made, "token"), position).await;
    stream.block().await.unwrap();
    assert!(stream.is_quiet(Duration::from_millis(100)).await);
    nodes[0].operate("DELETE", &format!("tokens/{}", text(&made, "id")), &Value::Null).await.expect(204);
    let end = stream.event().await.unwrap();
    assert_eq!((&*end.event, &end.data["reason"]), ("cutOff", &json!("unauthorized")));
    for node in nodes {
        node.store().close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_on_one_node_is_heard_on_the_others_once() {
    let bed = Bed::new(1).await;
    let nodes = [bed.node(), bed.node(), bed.node()];
    let position = nodes[0].store().event_position(bed.portal).await.unwrap();
    let mut streams = Vec::new();
    for (n, node) in nodes.iter().enumerate() {
        let mut stream = listen(node, SEED_TOKEN, position).await;
        // It has a seat once it was asked for something.
        stream.block().await.unwrap();
        assert!(stream.is_quiet(Duration::from_millis(50)).await);
        streams.push(stream);
        // Whoever can be given a lease hears the others.
        while !matches!(node.store().lease(&format!("ears {n}")).await, Ok(Some(_))) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let address = antiphon_testkit::listen(&nodes[0].0).await.unwrap();
    let mut says = Socket::open(address, SEED_TOKEN, "/antiphon/v1/events").await.unwrap().unwrap();
    let thread = &bed.seed.threads[0];
    for round in 0..5 {
        let state = format!("round {round}");
        let said = json!({ "type": "typing", "threadId": thread, "actorId": bed.seed.agent, "state": state });
        says.say(Message::text(said.to_string())).await;
        let told = json!({ "kind": "typing", "appId": "1", "actorId": bed.seed.agent, "threadId": thread, "state": state });
        for stream in &mut streams {
            let heard = stream.event().await.unwrap();
            assert_eq!((heard.id, &*heard.event, &heard.data), (None, "typing", &told));
        }
    }
    // What comes next is the next event, so nothing was heard twice.
    let path = format!("{V3}/threads/{thread}/messages");
    nodes[1].ask(SEED_TOKEN, "POST", &path, &json!({ "type": "COMMENT", "text": "note" })).await.expect(201);
    for stream in &mut streams {
        assert_eq!(stream.event().await.unwrap().id, Some(position + 1));
    }
    for node in nodes {
        node.store().close().await;
    }
}

//! A visitor's windows may be on one node and the agents on another.

use std::time::{Duration, Instant};

use antiphon::middleware::{Peer, handle};
use antiphon_testkit::{EventStream, SEED_TOKEN};
use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use serde_json::{Value, json};

use crate::kit::*;

const WIDGET: &str = "/widget/v1";

async fn listen(node: &Node, session: &str, after: Option<i64>) -> EventStream {
    let query = after.map(|after| format!("?after={after}")).unwrap_or_default();
    let request = Request::builder()
        .uri(format!("{WIDGET}/events{query}"))
        .header("authorization", format!("Bearer {session}"))
        .body(Empty::<Bytes>::new())
        .unwrap();
    let mut stream = EventStream::of(handle(&node.0, &Peer::default(), request).await).await.unwrap();
    stream.block().await.unwrap();
    stream
}

async fn say(node: &Node, session: &str, text: &str) -> Value {
    let body = json!({ "text": text, "clientId": uuid::Uuid::new_v4().to_string() });
    node.ask(session, "POST", &format!("{WIDGET}/messages"), &body).await.expect(201).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_and_agents_on_different_nodes_hear_each_other() {
    let bed = Bed::new(1).await;
    let nodes = [bed.node(), bed.node()];
    let account = &bed.seed.account;
    let settings = format!("channel-accounts/{account}/chat");
    nodes[0].operate("PUT", &settings, &json!({})).await.expect(200);
    // A session that one node gave out is good on the other, and so is the chat that was set up there.
    let begin = format!("{WIDGET}/{}/sessions", bed.portal);
    let begun = nodes[1].ask("", "POST", &begin, &json!({ "accountId": account })).await.expect(201).json();
    let session = text(&begun, "session");
    let mut streams = [listen(&nodes[0], &session, None).await, listen(&nodes[1], &session, None).await];
    // A thread that begins on one node is heard of on both.
    let sent = say(&nodes[0], &session, "Hello").await;
    let thread = sent["thread"]["id"].to_string();
    for stream in &mut streams {
        let event = stream.event().await.unwrap();
        assert_eq!((&*event.event, &event.data["id"]), ("message", &sent["message"]["id"]));
    }
    let path = format!("{V3}/threads/{thread}/messages");
    let mut slowest = Vec::new();
    for round in 0..20 {
        let body = json!({ "type": "MESSAGE", "text": format!("answer {round}"), "senderActorId": bed.seed.agent,
                           "channelId": "1000", "channelAccountId": account, "attachments": [], "recipients": [] });
        nodes[round % 2].ask(SEED_TOKEN, "POST", &path, &body).await.expect(201);
        let answered = Instant::now();
        for stream in &mut streams {
            let told = stream.event().await.unwrap();
            assert_eq!(told.data["text"], format!("answer {round}"));
        }
        slowest.push(answered.elapsed());
    }
    slowest.sort();
    println!("told on both nodes after {:?} (median), {:?} (slowest)", slowest[10], slowest[19]);
    // Looking once a second would be far slower.
    assert!(slowest[10] < Duration::from_millis(200), "{slowest:?}");
    // Who reads, and who types, is told on the other node as well.
    let body = json!({ "messageId": sent["message"]["id"], "senderActorId": bed.seed.agent });
    let read = format!("/antiphon/v1/threads/{thread}/read");
    nodes[0].ask(SEED_TOKEN, "PUT", &read, &body).await.expect(204);
    for stream in &mut streams {
        assert_eq!(stream.event().await.unwrap().event, "read");
    }
    let seen = streams[0].last_id.unwrap();
    drop(streams);
    say(&nodes[0], &session, "One more").await;
    let mut again = listen(&nodes[1], &session, Some(seen)).await;
    loop {
        let event = again.event().await.unwrap();
        if event.data["text"] == "One more" {
            break;
        }
    }
    // What is taken off the web on one node ends on the other.
    nodes[1].operate("DELETE", &settings, &Value::Null).await.expect(204);
    let ended = Instant::now();
    while nodes[0].ask(&session, "GET", &format!("{WIDGET}/threads"), &Value::Null).await.status != 401 {
        assert!(ended.elapsed() < Duration::from_secs(5), "it still goes on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for node in nodes {
        node.store().close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn windows_on_different_nodes_that_begin_at_once_begin_one_thread() {
    let bed = Bed::new(1).await;
    let nodes = [bed.node(), bed.node()];
    let account = &bed.seed.account;
    nodes[0].operate("PUT", &format!("channel-accounts/{account}/chat"), &json!({})).await.expect(200);
    let begin = format!("{WIDGET}/{}/sessions", bed.portal);
    for _ in 0..5 {
        let begun =
            nodes[1].ask("", "POST", &begin, &json!({ "accountId": account })).await.expect(201).json();
        let session = text(&begun, "session");
        let saying = (0..8).map(|n| {
            let (node, session) = (nodes[n % 2].clone(), session.clone());
            tokio::spawn(async move { say(&node, &session, &n.to_string()).await })
        });
        let mut threads = Vec::new();
        for sent in saying.collect::<Vec<_>>() {
            threads.push(sent.await.unwrap()["thread"]["id"].to_string());
        }
        threads.dedup();
        assert_eq!(threads.len(), 1, "{threads:?}");
    }
    for node in nodes {
        node.store().close().await;
    }
}

//! Walkers and writers at once, over HTTP: every item exactly once.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use antiphon::middleware::{Peer, handle};
use antiphon::serve::{Server, settings};
use antiphon_testkit::{Connection, Home, Reply, Strict, document, request};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use crate::kit::{V3, text};

/// A server behind a socket, and a token for the one portal on it.
struct Running {
    server: Server,
    judge: Arc<Strict>,
    token: String,
    agent: String,
    chat: String,
    _home: Home,
}

impl Running {
    async fn start() -> Self {
        let home = Home::new();
        let config = home.config();
        let settings = settings(&config);
        let server = Server::start(config, settings).await.unwrap();
        let make = async |path: &str, body: Value| -> Value {
            let mut sent = request("POST", &format!("/antiphon/v1/{path}"));
            *sent.body_mut() = Full::new(Bytes::from(body.to_string()));
            let operator = Peer { operator: true, ..Peer::default() };
            let reply = handle(&server.app, &operator, sent).await.into_body().collect().await.unwrap();
            serde_json::from_slice(&reply.to_bytes()).unwrap()
        };
        make("portals", json!({ "name": "Acme" })).await;
        let inbox = make("inboxes", json!({ "name": "Support" })).await;
        let chat = json!({ "name": "Website", "channelId": 1000, "inboxId": inbox["id"] });
        let chat = text(&make("channel-accounts", chat).await, "id");
        let agent = text(&make("agents", json!({ "name": "Mia" })).await, "actorId");
        let scopes = json!(["conversations.read", "conversations.write", "antiphon.inbound"]);
        let token = text(&make("tokens", json!({ "label": "x", "scopes": scopes })).await, "token");
        let judge = Arc::new(Strict::new(&document(&server.app).await));
        Self { server, judge, token, agent, chat, _home: home }
    }

    async fn connect(&self) -> Connection {
        let address = self.server.url.trim_start_matches("http://").parse().unwrap();
        Connection::open(address, &self.token).await.unwrap().judged(&self.judge)
    }

    fn incoming(&self, visitor: &str) -> String {
        let identifier = json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": visitor });
        json!({ "channelAccountId": self.chat, "sender": { "identifier": identifier }, "text": "Hello" })
            .to_string()
    }

    /// A visitor writes; the thread.
    async fn write(&self, connection: &mut Connection, visitor: &str) -> String {
        let reply =
            connection.send("POST", "/antiphon/v1/messages/incoming", self.incoming(visitor)).await.unwrap();
        text(&reply.expect(201).json(), "threadId")
    }
}

/// Ids of every item of a walk in small pages, in the order seen.
async fn walk(connection: &mut Connection, path: &str) -> Vec<String> {
    connection.all(path).await.unwrap().iter().map(|item| text(item, "id")).collect()
}

fn counted(seen: &[String]) -> HashMap<&String, usize> {
    let mut counts = HashMap::new();
    for id in seen {
        *counts.entry(id).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn threads_are_seen_while_others_write() {
    let running = Arc::new(Running::start().await);
    let mut connection = running.connect().await;
    let mut known = Vec::new();
    for number in 0..60 {
        known.push(running.write(&mut connection, &format!("early-{number}")).await);
    }
    let done = Arc::new(AtomicBool::new(false));
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..3 {
        let (running, done) = (running.clone(), done.clone());
        writers.spawn(async move {
            let mut connection = running.connect().await;
            let mut number = 0;
            while !done.load(Ordering::Relaxed) {
                // Old threads move in the order by time; new ones appear.
                running.write(&mut connection, &format!("early-{}", (number * 7 + writer) % 60)).await;
                running.write(&mut connection, &format!("late-{writer}-{number}")).await;
                number += 1;
                tokio::task::yield_now().await;
            }
        });
    }
    for _ in 0..4 {
        let seen = walk(&mut connection, &format!("{V3}/threads?limit=7")).await;
        let numbers: Vec<i64> = seen.iter().map(|id| id.parse().unwrap()).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "by id, each once");
        let counts = counted(&seen);
        assert!(known.iter().all(|id| counts.get(id) == Some(&1)), "none is skipped");

        let path = format!(
            "{V3}/threads?limit=50&sort=latestMessageTimestamp&latestMessageTimestampAfter=2020-01-01"
        );
        let mut seen: Vec<String> = Vec::new();
        let mut after = String::new();
        // The writers may keep ahead of the walk for ever; whatever was there at its start has been seen by then.
        for _ in 0..30 {
            let page = connection.get(&format!("{path}&after={after}")).await.unwrap().expect(200).json();
            seen.extend(page["results"].as_array().unwrap().iter().map(|one| text(one, "id")));
            let Some(next) = page["paging"]["next"]["after"].as_str() else { break };
            after = next.to_owned();
        }
        let counts = counted(&seen);
        assert!(known.iter().all(|id| counts.contains_key(id)), "none is skipped");
    }
    done.store(true, Ordering::Relaxed);
    writers.join_all().await;
    let all = walk(&mut connection, &format!("{V3}/threads?limit=500")).await;
    assert_eq!(walk(&mut connection, &format!("{V3}/threads?limit=13")).await, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_seen_once_while_others_write() {
    let running = Arc::new(Running::start().await);
    let mut connection = running.connect().await;
    let thread = running.write(&mut connection, "ines").await;
    for _ in 0..80 {
        running.write(&mut connection, "ines").await;
    }
    let path = format!("{V3}/threads/{thread}/messages");
    let known = walk(&mut connection, &format!("{path}?limit=500&sort=createdAt")).await;
    let done = Arc::new(AtomicBool::new(false));
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let (running, done, path) = (running.clone(), done.clone(), path.clone());
        writers.spawn(async move {
            let mut connection = running.connect().await;
            let body = json!({ "type": "MESSAGE", "text": "Hi", "senderActorId": running.agent, "channelId": "1000",
                               "channelAccountId": running.chat });
            let mut sent = Vec::new();
            while !done.load(Ordering::Relaxed) && sent.len() < 400 {
                let reply = connection.send("POST", &path, body.to_string()).await.unwrap().expect(201);
                sent.push(text(&reply.json(), "id"));
            }
            sent
        });
    }
    for _ in 0..6 {
        let down = walk(&mut connection, &format!("{path}?limit=9")).await;
        assert!(
            down.ends_with(&known.iter().rev().cloned().collect::<Vec<_>>()),
            "newest first, nothing left out"
        );
        assert_eq!(counted(&down).len(), down.len(), "each once");
        let up = walk(&mut connection, &format!("{path}?limit=9&sort=createdAt")).await;
        assert!(up.starts_with(&known), "oldest first, nothing left out");
        assert_eq!(counted(&up).len(), up.len(), "each once");
        let newest_at_start = down.iter().position(|id| *id == known[0]).unwrap();
        assert!(
            down[..newest_at_start].iter().rev().eq(&up[1..=newest_at_start]),
            "both ways are the same history"
        );
    }
    done.store(true, Ordering::Relaxed);
    let sent = writers.join_all().await.concat();
    let all = walk(&mut connection, &format!("{path}?limit=500&sort=createdAt")).await;
    let counts = counted(&all);
    assert!(sent.iter().all(|id| counts.get(id) == Some(&1)), "what was acknowledged is there once");
    assert_eq!(all.len(), known.len() + sent.len() + 1, "and the assignment");
}

/// An answer about channels.
async fn judged(running: &Running, reply: http::Response<hyper::body::Incoming>) -> Reply {
    let (head, body) = reply.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let reply = Reply { status: head.status.as_u16(), headers: head.headers, body };
    running.judge.judge(&http::Method::GET, &format!("{V3}/channels"), &reply).unwrap();
    reply
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2_needs_no_introduction() {
    let running = Running::start().await;
    let address: std::net::SocketAddr = running.server.url.trim_start_matches("http://").parse().unwrap();
    let stream = hyper_util::rt::TokioIo::new(tokio::net::TcpStream::connect(address).await.unwrap());
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, stream).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..3 {
        let sent = http::Request::get(format!("{}{V3}/channels", running.server.url))
            .header("authorization", format!("Bearer {}", running.token))
            .body(Full::<Bytes>::default())
            .unwrap();
        let reply = sender.send_request(sent).await.unwrap();
        assert_eq!(reply.version(), http::Version::HTTP_2);
        assert_eq!(judged(&running, reply).await.expect(200).json()["total"], 9);
    }
    let sent = http::Request::get(format!("{}{V3}/channels", running.server.url))
        .header("cookie", "x".repeat(100 << 10))
        .body(Full::<Bytes>::default())
        .unwrap();
    let refused = judged(&running, sender.send_request(sent).await.unwrap()).await.expect(431);
    assert_eq!(refused.json()["category"], "VALIDATION_ERROR");
    running.server.stop().await;
}

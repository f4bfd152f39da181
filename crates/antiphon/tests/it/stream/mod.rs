//! The live stream: what is told, to whom, from where on, and how it ends.

mod ends;
mod filters;
mod hostile;
mod resuming;
mod sockets;

use std::time::Duration;

use antiphon::serve::{Server, settings};
use antiphon_testkit::{Frame, Home, TestServer};
use serde_json::{Value, json};

use crate::kit::{Desk, text};

pub const EVENTS: &str = "/antiphon/v1/events";

/// Long enough for what is not to come.
pub const QUIET: Duration = Duration::from_millis(150);

/// The positions of events.
pub fn positions(frames: &[Frame]) -> Vec<i64> {
    frames.iter().map(|frame| frame.id.unwrap()).collect()
}

/// What a page has behind a position.
pub async fn page(desk: &Desk, query: &str) -> Value {
    desk.user.get(&format!("{EVENTS}?{query}")).await.expect(200).json()
}

/// A real server with a portal in it, and the token of somebody who may do everything.
pub struct Running {
    pub server: Server,
    pub token: String,
    pub thread: String,
    _home: Home,
}

impl Running {
    pub async fn start() -> Self {
        let home = Home::new();
        let seed = antiphon_testkit::seed(&home, 1).await.unwrap();
        let mut config = home.config();
        config.server.threads = 2;
        let settings = settings(&config);
        let server = Server::start(config, settings).await.unwrap();
        let [thread] = seed.threads.try_into().unwrap();
        Self { server, token: antiphon_testkit::SEED_TOKEN.into(), thread, _home: home }
    }

    pub fn address(&self) -> std::net::SocketAddr {
        self.server.url.trim_start_matches("http://").parse().unwrap()
    }

    /// Leaves a note in the thread.
    pub async fn note(&self, words: &str) {
        let mut connection = antiphon_testkit::Connection::open(self.address(), &self.token).await.unwrap();
        let path = format!("{}/threads/{}/messages", crate::kit::V3, self.thread);
        let body = json!({ "type": "COMMENT", "text": words }).to_string();
        connection.send("POST", &path, body).await.unwrap().expect(201);
    }
}

#[tokio::test]
async fn what_happens_is_told_as_it_is_on_the_page() {
    let desk = Desk::open().await;
    let before = desk.position().await;
    let mut stream = desk.user.listen(EVENTS).await;
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    assert!(!stream.headers.contains_key("content-length"));
    let greeting = stream.block().await.unwrap();
    assert_eq!((greeting.id, &*greeting.event), (Some(before), ""), "it begins at now");
    let thread = desk.chat("ines").await;
    desk.send(&thread, desk.on_chat("Hi")).await;
    let page = page(&desk, &format!("after={before}")).await;
    let results = page["results"].as_array().unwrap();
    assert!(results.len() > 3);
    let told = stream.events(results.len()).await;
    for (frame, event) in told.iter().zip(results) {
        assert_eq!(frame.data, *event);
        assert_eq!(frame.id, event["position"].as_i64());
        assert_eq!(frame.event, text(event, "kind"));
    }
    assert_eq!(page["position"].as_i64(), stream.last_id);
    assert!(stream.is_quiet(QUIET).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_of_http_stream() {
    let running = Running::start().await;
    for two in [false, true] {
        let opened =
            antiphon_testkit::EventStream::open(running.address(), two, &running.token, EVENTS, None);
        let mut stream = opened.await.unwrap().unwrap();
        assert!(!stream.headers.contains_key("content-encoding"), "a stream is not packed");
        stream.block().await.unwrap();
        running.note("Hello").await;
        assert_eq!(stream.event().await.unwrap().event, "conversation.newMessage", "HTTP/2: {two}");
    }
    running.server.stop().await;
}

#[tokio::test]
async fn a_head_is_no_listener() {
    let desk = Desk::open().await;
    let listening = desk.user.clone().with("accept", "text/event-stream");
    let head = listening.send("HEAD", EVENTS, "").await;
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
    let figures = desk.server.user("").get("/metrics").await.text();
    assert!(figures.contains("antiphon_stream_listeners{kind=\"sse\"} 0"), "{figures}");
}

#[tokio::test]
async fn a_quiet_stream_says_that_it_lives_and_where_it_is() {
    let server = TestServer::configured(|config| config.stream.heartbeat_seconds = 1).await;
    let desk = Desk::on(&server).await;
    let mut stream = desk.user.listen(&format!("{EVENTS}?type=conversation.creation")).await;
    stream.block().await.unwrap();
    let beat = stream.block().await.unwrap();
    assert!(beat.comment && beat.id.is_none());
    desk.make("tickets", json!({ "subject": "Bicycle" })).await;
    let beat = stream.block().await.unwrap();
    assert!(beat.comment && beat.event.is_empty());
    assert_eq!(beat.id, Some(desk.position().await), "what nobody wanted need not be looked at again");
}

#[tokio::test]
async fn as_many_listen_as_may() {
    let server = TestServer::configured(|config| config.stream.listeners = 2).await;
    let desk = Desk::on(&server).await;
    let one = desk.user.listen(EVENTS).await;
    let _two = desk.user.listen(EVENTS).await;
    let Err(refused) = desk.user.listens(EVENTS).await else { panic!("there is no room") };
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    drop(one);
    desk.user.listen(EVENTS).await;
}

#[tokio::test]
async fn portals_do_not_hear_each_other() {
    let server = TestServer::start().await;
    let (ours, theirs) = (Desk::on(&server).await, Desk::on(&server).await);
    let thread = theirs.chat("omar").await;
    let mut deaf = Vec::new();
    for query in [
        String::new(),
        "?after=0".into(),
        format!("?threadId={thread}"),
        format!("?inboxId={}", theirs.portal.inbox),
    ] {
        let mut stream = ours.user.listen(&format!("{EVENTS}{query}")).await;
        // Their own past is not meant here.
        while stream.last_id.unwrap_or_default() < ours.position().await && query.contains("after") {
            let frame = stream.block().await.unwrap();
            assert_ne!(frame.event, "conversation.newMessage");
        }
        deaf.push(stream);
    }
    theirs.send(&thread, theirs.on_chat("Hi")).await;
    for stream in &mut deaf {
        assert!(stream.is_quiet(QUIET).await);
    }
}

#[tokio::test]
async fn a_poll_waits_for_what_it_asked_for() {
    let desk = Desk::open().await;
    let thread = desk.chat("ines").await;
    let at = desk.position().await;
    let nothing = page(&desk, &format!("after={at}&wait=0")).await;
    assert_eq!(nothing, json!({ "results": [], "position": at }));
    let query = format!("after={at}&wait=20&type=conversation.newMessage&threadId={thread}");
    let waiting = tokio::spawn({
        let desk = desk.clone();
        async move { page(&desk, &query).await }
    });
    tokio::time::sleep(QUIET).await;
    desk.chat("omar").await;
    tokio::time::sleep(QUIET).await;
    assert!(!waiting.is_finished(), "that was another thread");
    desk.send(&thread, desk.on_chat("Hi")).await;
    let told = waiting.await.unwrap();
    let results = told["results"].as_array().unwrap();
    assert_eq!(results.len(), 1, "{told}");
    assert_eq!(results[0]["objectId"].to_string(), thread);
    assert!(told["position"].as_i64() >= results[0]["position"].as_i64());
    // What did not match is left behind all the same.
    let query = format!("after={}&wait=1&threadId={thread}", desk.position().await);
    let (empty, _) = tokio::join!(page(&desk, &query), desk.chat("olga"));
    assert_eq!(empty["results"], json!([]));
    assert_eq!(empty["position"], desk.position().await);
    for wrong in ["wait=61", "wait=-1", "wait=x"] {
        let problems = desk.user.get(&format!("{EVENTS}?{wrong}")).await.expect(400).problems();
        assert_eq!(problems, ["wait"]);
    }
}

//! Bodies as they come over a real socket: announced, in pieces, packed.

use std::io::Write;
use std::time::Duration;

use antiphon::serve::{Server, settings};
use antiphon_store::Quota;
use antiphon_testkit::{Home, Reply, Strict, document};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Method;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use crate::kit::text;

const HEAD: &str = "POST /antiphon/v1/tickets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

/// More than any call of this kind takes.
const TOO_MUCH: usize = 8 << 20;

struct Running {
    server: Server,
    /// The request line, the usual headers, and a token that may make tickets.
    head: String,
    judge: Strict,
    _home: Home,
}

impl Running {
    async fn start() -> Self {
        let home = Home::new();
        let config = home.config();
        let settings = settings(&config);
        let server = Server::start(config, settings).await.unwrap();
        server.app.store.portal_create(None, "Acme".into(), "UTC".into(), Quota::default()).await.unwrap();
        let mut operator = UnixStream::connect(server.app.config.socket()).await.unwrap();
        let body = r#"{ "label": "x", "scopes": ["antiphon.admin"] }"#;
        let head = HEAD.replace("tickets", "tokens");
        let sent = format!("{head}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        operator.write_all(sent.as_bytes()).await.unwrap();
        let mut made = String::new();
        operator.read_to_string(&mut made).await.unwrap();
        let made: Value = serde_json::from_str(made.split_once("\r\n\r\n").unwrap().1).unwrap();
        let head = format!("{HEAD}Authorization: Bearer {}\r\n", text(&made, "token"));
        let judge = Strict::new(&document(&server.app).await);
        Self { server, head, judge, _home: home }
    }

    /// Reads an answer about tickets, which has been judged.
    async fn answer(&self, method: Method, stream: &mut TcpStream) -> Reply {
        let reply = Reply::read(&answer(stream, "}").await);
        self.judge.judge(&method, "/antiphon/v1/tickets", &reply).unwrap();
        reply
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.server.url.trim_start_matches("http://")).await.unwrap()
    }
}

/// What comes until the answer has an end or the server is done.
async fn answer(stream: &mut (impl AsyncReadExt + Unpin), until: &str) -> String {
    let mut read = Vec::new();
    let all = async {
        while !String::from_utf8_lossy(&read).contains(until) {
            if stream.read_buf(&mut read).await.unwrap() == 0 {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), all).await.unwrap();
    String::from_utf8(read).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_first_is_told_to_go_on() {
    let running = Running::start().await;
    let mut stream = running.connect().await;
    let body = r#"{ "subject": "Bicycle" }"#;
    let head = format!("{}Expect: 100-continue\r\nContent-Length: {}\r\n\r\n", running.head, body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut stream, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).await.unwrap();
    let made = running.answer(Method::POST, &mut stream).await.expect(201).json();
    assert_eq!(made["subject"], "Bicycle");

    // What is not wanted is not asked for: neither too much of it, nor anything from a stranger.
    let mut stream = running.connect().await;
    let head = format!("{}Expect: 100-continue\r\nContent-Length: {TOO_MUCH}\r\n\r\n", running.head);
    stream.write_all(head.as_bytes()).await.unwrap();
    running.answer(Method::POST, &mut stream).await.expect(413);
    let mut stranger = running.connect().await;
    let head = format!("{HEAD}Expect: 100-continue\r\nContent-Length: {}\r\n\r\n", body.len());
    stranger.write_all(head.as_bytes()).await.unwrap();
    running.answer(Method::POST, &mut stranger).await.expect(401);
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_in_pieces_is_measured_as_it_comes() {
    let running = Running::start().await;
    let mut stream = running.connect().await;
    let pieces = format!("{}Transfer-Encoding: chunked\r\n\r\nb\r\n{{ \"subject\"\r\n", running.head);
    stream.write_all(pieces.as_bytes()).await.unwrap();
    stream.write_all(b"9\r\n: \"Bell\"}\r\n0\r\n\r\n").await.unwrap();
    let made = running.answer(Method::POST, &mut stream).await.expect(201).json();
    assert_eq!(made["subject"], "Bell");

    let head = format!("{}Transfer-Encoding: chunked\r\n\r\n", running.head);
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut chunk = b"10000\r\n".to_vec();
    chunk.extend(std::iter::repeat_n(b' ', 0x10000));
    chunk.extend(b"\r\n");
    // Clients that read only when they have said everything hear the answer as well.
    for _ in 0..TOO_MUCH / 0x10000 {
        stream.write_all(&chunk).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    running.answer(Method::POST, &mut stream).await.expect(413);
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_packet_does_not_become_a_large_body() {
    let running = Running::start().await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![b' '; 64 << 20]).unwrap();
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 100 << 10);
    let mut stream = running.connect().await;
    let head = format!("{}Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", running.head, bomb.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&bomb).await.unwrap();
    running.answer(Method::POST, &mut stream).await.expect(413);
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_is_too_large_is_refused_like_everything_else() {
    let running = Running::start().await;
    let long = |length: usize| "x".repeat(length);
    let line = |length: usize| format!("GET /antiphon/v1/tickets?x={} HTTP/1.1\r\n\r\n", long(length));
    let headers = |length: usize| format!("{}Cookie: {}\r\n\r\n", running.head, long(length));
    let many = |each: usize| {
        let more: String = (0..90).map(|n| format!("X-{n}: {}\r\n", long(each))).collect();
        format!("{}{more}\r\n", running.head)
    };
    for (sent, status) in [
        (line(16 << 10), 414),
        (line(60 << 10), 414),
        (headers(64 << 10), 431),
        (headers(380 << 10), 431),
        (many(730), 431),
        (many(4 << 10), 431),
        // Just below, it is the token that counts, or the body.
        (line(16_000), 401),
        (headers(65_000), 400),
        (many(700), 400),
    ] {
        let mut stream = running.connect().await;
        stream.write_all(sent.as_bytes()).await.unwrap();
        let method = if sent.starts_with("GET") { Method::GET } else { Method::POST };
        let refused = running.answer(method, &mut stream).await.expect(status).json();
        assert_eq!(refused["category"] == "VALIDATION_ERROR", status != 401, "{refused}");
    }
    // Nobody reads on for ever: not to the end of this line, nor into the next header.
    let mut endless = headers(0).trim_end().to_owned();
    endless.push_str(&long((408 << 10) - endless.len()));
    for (sent, status) in [(line(64 << 10), 414), (endless, 431)] {
        let mut stream = running.connect().await;
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut refused = [0; 12];
        stream.read_exact(&mut refused).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&refused), format!("HTTP/1.1 {status}"));
    }
    running.server.stop().await;
}

//! Servers on real sockets: how connections begin, are bounded, and end.

use antiphon_testkit::Home;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use super::*;
use crate::testing;

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

async fn start(change: impl FnOnce(&mut Config)) -> (Server, Home) {
    let home = Home::new();
    let mut config = testing::config(&home);
    config.server.threads = 2;
    change(&mut config);
    let settings = settings(&config);
    (Server::start(config, settings).await.unwrap(), home)
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap()
}

/// Sends, and reads one packet of the answer.
async fn ask(stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin), request: &[u8]) -> String {
    stream.write_all(request).await.unwrap();
    let mut seen = vec![0; 4096];
    let length = stream.read(&mut seen).await.unwrap();
    String::from_utf8_lossy(&seen[..length]).into_owned()
}

#[tokio::test]
async fn connections_are_kept() {
    let (server, _home) = start(|_| {}).await;
    let mut stream = connect(&server).await;
    for _ in 0..3 {
        assert!(ask(&mut stream, HEALTH).await.starts_with("HTTP/1.1 200"));
    }
    server.stop().await;
}

#[tokio::test]
async fn http_2_is_spoken_to_those_who_begin_with_it() {
    let (server, _home) = start(|_| {}).await;
    let mut stream = connect(&server).await;
    // The preface in two pieces, then an empty SETTINGS frame: the server answers with its own.
    stream.write_all(b"PR").await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    stream.write_all(b"I * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4);
    drop(stream);
    server.stop().await;
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    let (server, _home) = start(|config| config.server.connections = 2).await;
    let mut first = connect(&server).await;
    let _second = connect(&server).await;
    assert!(ask(&mut first, HEALTH).await.starts_with("HTTP/1.1 200"));
    while server.app.connections() < 2 {
        tokio::task::yield_now().await;
    }
    let mut third = connect(&server).await;
    let answer = ask(&mut third, HEALTH).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1"), "{answer}");
    assert!(ask(&mut first, HEALTH).await.starts_with("HTTP/1.1 200"));
    server.stop().await;
}

#[tokio::test]
async fn silent_and_half_open_clients_are_cut_off() {
    let (server, _home) = start(|config| config.server.idle_seconds = 1).await;
    for begin in [&b""[..], b"P", b"GET /healthz HT"] {
        let mut stream = connect(&server).await;
        stream.write_all(begin).await.unwrap();
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "{begin:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_stop_ends_resting_connections_and_waits_for_busy_ones() {
    let (server, home) = start(|config| config.server.stop_seconds = 10).await;
    let mut resting = connect(&server).await;
    ask(&mut resting, HEALTH).await;
    let _silent = connect(&server).await;
    // A head that is not complete yet was not accepted; one that is gets its answer.
    let mut busy = connect(&server).await;
    let head = b"POST /conversations/v3/conversations/actors/batch/read HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n";
    busy.write_all(head).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let stopping = tokio::spawn(server.stop());
    let mut answer = Vec::new();
    busy.write_all(b"12345").await.unwrap();
    busy.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 401"), "{}", String::from_utf8_lossy(&answer));
    let began = Instant::now();
    stopping.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(!home.data().join("antiphon.sock").exists());
}

#[tokio::test]
async fn the_control_socket_serves_the_operator_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (server, home) = start(|_| {}).await;
    let path = home.data().join("antiphon.sock");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut operator = UnixStream::connect(&path).await.unwrap();
    let status = b"GET /antiphon/v1/status HTTP/1.1\r\nHost: x\r\n\r\n";
    assert!(ask(&mut operator, status).await.starts_with("HTTP/1.1 200"));
    let mut stranger = connect(&server).await;
    assert!(ask(&mut stranger, status).await.starts_with("HTTP/1.1 401"));
    server.stop().await;
}

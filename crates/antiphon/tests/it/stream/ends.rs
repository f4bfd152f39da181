//! How a stream ends: with the point at which it can be resumed.

use std::time::Instant;

use antiphon_testkit::{EventStream, Socket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::*;

#[tokio::test]
async fn who_does_not_read_is_cut_off_and_can_go_on() {
    let server = TestServer::configured(|config| config.stream.behind = 10).await;
    let desk = Desk::on(&server).await;
    let thread = desk.chat("ines").await;
    let (mut slow, mut quick) = (desk.user.listen(EVENTS).await, desk.user.listen(EVENTS).await);
    slow.block().await.unwrap();
    quick.block().await.unwrap();
    assert!(slow.is_quiet(QUIET).await, "it has come to where the hub is");
    let from = slow.last_id.unwrap();
    let mut newest = from;
    while newest < from + 30 {
        desk.send(&thread, desk.on_chat("Hi")).await;
        let now = desk.position().await;
        let told = quick.events((now - newest) as usize).await;
        assert_eq!(told.last().unwrap().id, Some(now), "others hear at once");
        newest = now;
    }
    let end = slow.event().await.unwrap();
    assert_eq!(end.data, json!({ "kind": "cutOff", "reason": "slow", "position": from }));
    assert_eq!((&*end.event, end.id), ("cutOff", Some(from)));
    assert!(slow.block().await.is_none());
    let mut again = desk.user.clone().with("last-event-id", &from.to_string()).listen(EVENTS).await;
    assert_eq!(
        positions(&again.events((newest - from) as usize).await),
        (from + 1..=newest).collect::<Vec<_>>()
    );
    let figures = desk.server.user("").get("/metrics").await.text();
    assert!(figures.contains("antiphon_stream_cut_off_total 1\n"), "{figures}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_is_cut_off_and_bounded() {
    let server = TestServer::configured(|config| config.stream.behind = 100).await;
    let desk = Desk::on(&server).await;
    let thread = desk.chat("ines").await;
    let address = antiphon_testkit::listen(desk.server.app()).await.unwrap();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stalled = socket.connect(address).await.unwrap();
    let head = format!(
        "GET {EVENTS} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nauthorization: Bearer {}\r\n\r\n",
        desk.user.token()
    );
    stalled.write_all(head.as_bytes()).await.unwrap();
    let mut some = [0; 64];
    stalled.read_exact(&mut some).await.unwrap();
    let portal = antiphon_store::PortalId(desk.portal.id.parse().unwrap());
    // Large events, so that what the kernel keeps is soon full.
    let began = Instant::now();
    while !desk.server.user("").get("/metrics").await.text().contains("antiphon_stream_cut_off_total 1") {
        assert!(began.elapsed() < Duration::from_secs(30), "nobody noticed");
        let id: i64 = thread.parse().unwrap();
        let rule = move |_: &antiphon_store::State, moment: &mut antiphon_store::Moment| {
            let payload = format!("{{\"x\":\"{}\"}}", "y".repeat(50_000));
            let event = antiphon_store::NewEvent {
                kind: antiphon_store::EventKind::ThreadTouched,
                object: antiphon_store::ObjectKind::Thread,
                object_id: id,
                occurred_at: moment.now,
                payload,
            };
            Ok::<_, ()>(antiphon_store::Changes { events: vec![event; 20], ..Default::default() })
        };
        let target = antiphon_store::Target::Thread(antiphon_store::ThreadId(id));
        desk.server.app().store.change(portal, target, rule).await.unwrap().unwrap();
    }
    // Once it reads again it hears where to go on.
    let mut rest = vec![0; 1 << 20];
    let mut told = false;
    while !told {
        let read =
            tokio::time::timeout(Duration::from_secs(20), stalled.read(&mut rest)).await.unwrap().unwrap();
        assert!(read > 0, "the connection ended without a word");
        told = String::from_utf8_lossy(&rest[..read]).contains("\"reason\":\"slow\"");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_everybody_soon_with_a_point_to_resume_at() {
    let running = Running::start().await;
    let (address, token) = (running.address(), running.token.clone());
    let mut streams = Vec::new();
    for two in [false, true] {
        streams.push(EventStream::open(address, two, &token, EVENTS, None).await.unwrap().unwrap());
    }
    let mut socket = Socket::open(address, &token, EVENTS).await.unwrap().unwrap();
    let first = socket.hear().await.unwrap();
    assert_eq!(first["kind"], "position");
    let poll = tokio::spawn({
        let token = token.clone();
        async move {
            let mut connection = antiphon_testkit::Connection::open(address, &token).await.unwrap();
            connection.get(&format!("{EVENTS}?after=1000000&wait=60")).await.unwrap().expect(200).json()
        }
    });
    // One who says nothing and reads nothing holds up nobody.
    let mut deaf = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET {EVENTS}?after=0 HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    deaf.write_all(head.as_bytes()).await.unwrap();
    running.note("The last words").await;
    for stream in &mut streams {
        stream.event().await.unwrap();
    }
    socket.told().await.unwrap();
    let polled = poll.await.unwrap();
    assert_eq!(polled["results"].as_array().unwrap().len(), 1, "{polled}");
    let position = polled["position"].as_i64().unwrap();
    let poll = tokio::spawn(async move {
        let mut connection = antiphon_testkit::Connection::open(address, &token).await.unwrap();
        connection.get(&format!("{EVENTS}?after=1000000&wait=60")).await.unwrap().expect(200).json()
    });
    tokio::time::sleep(QUIET).await;
    let began = Instant::now();
    let stopping = tokio::spawn(running.server.stop());
    for stream in &mut streams {
        let end = stream.event().await.unwrap();
        assert_eq!(end.data, json!({ "kind": "cutOff", "reason": "stopping", "position": position }));
        assert!(stream.block().await.is_none());
    }
    assert_eq!(socket.told().await.unwrap()["reason"], "stopping");
    assert_eq!(socket.told().await.unwrap_err().unwrap().code, CloseCode::Away);
    assert_eq!(poll.await.unwrap(), json!({ "results": [], "position": position }));
    stopping.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test]
async fn who_may_no_longer_listen_hears_no_more() {
    for withdraw in ["token", "app", "time"] {
        let server = TestServer::start().await;
        let desk = Desk::on(&server).await;
        let expires = crate::kit::at(60_000);
        let app = text(&desk.make("apps", json!({ "name": "Other" })).await, "id");
        let body =
            json!({ "label": "x", "appId": app, "scopes": ["conversations.read"], "expiresAt": expires });
        let made = desk.make("tokens", body).await;
        let (mut theirs, mut ours) =
            (server.user(&text(&made, "token")).listen(EVENTS).await, desk.user.listen(EVENTS).await);
        theirs.block().await.unwrap();
        ours.block().await.unwrap();
        assert!(theirs.is_quiet(QUIET).await);
        let operator = desk.portal.operator();
        match withdraw {
            "token" => {
                operator.delete(&format!("/antiphon/v1/tokens/{}", text(&made, "id"))).await.expect(204)
            }
            "app" => operator
                .patch(&format!("/antiphon/v1/apps/{app}"), json!({ "active": false }))
                .await
                .expect(200),
            _ => {
                server.advance(Duration::from_secs(61));
                desk.user.get(EVENTS).await
            }
        };
        let end = theirs.event().await.unwrap();
        assert_eq!((&*end.event, &end.data["reason"]), ("cutOff", &json!("unauthorized")), "{withdraw}");
        assert!(theirs.block().await.is_none());
        let thread = desk.chat("ines").await;
        let thread: i64 = thread.parse().unwrap();
        while ours.event().await.unwrap().data["objectId"] != thread {}
    }
}

#[tokio::test]
async fn nothing_is_left_of_those_who_went() {
    let desk = Desk::open().await;
    let streams: Vec<_> = futures_util::future::join_all((0..50).map(|_| desk.user.listen(EVENTS))).await;
    let figure = async |name: &str| {
        let text = desk.server.user("").get("/metrics").await.text();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        line.rsplit_once(' ').unwrap().1.to_owned()
    };
    assert_eq!(figure("antiphon_stream_listeners{kind=\"sse\"}").await, "50");
    for mut stream in streams {
        stream.block().await.unwrap();
        stream.block().now_or_never();
    }
    assert_eq!(figure("antiphon_stream_listeners{kind=\"sse\"}").await, "0");
    let began = Instant::now();
    while figure("antiphon_stream_hubs").await != "0" {
        assert!(began.elapsed() < Duration::from_secs(5), "the hub stays");
        tokio::task::yield_now().await;
    }
}

use futures_util::FutureExt;

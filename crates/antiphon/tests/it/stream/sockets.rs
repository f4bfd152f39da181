//! WebSockets: the same events, and what clients tell each other.

use antiphon_testkit::Socket;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::*;

async fn open(desk: &Desk, query: &str) -> Socket {
    let address = antiphon_testkit::listen(desk.server.app()).await.unwrap();
    let mut socket =
        Socket::open(address, desk.user.token(), &format!("{EVENTS}{query}")).await.unwrap().unwrap();
    assert_eq!(socket.hear().await.unwrap()["kind"], "position");
    socket
}

#[tokio::test]
async fn a_socket_tells_what_a_stream_tells() {
    let desk = Desk::open().await;
    let mut socket = open(&desk, "").await;
    assert_eq!(socket.headers["sec-websocket-protocol"], "antiphon.v1", "the token is not repeated");
    let from = desk.position().await;
    let thread = desk.chat("ines").await;
    desk.send(&thread, desk.on_chat("Hi")).await;
    let page = page(&desk, &format!("after={from}")).await;
    for event in page["results"].as_array().unwrap() {
        assert_eq!(socket.told().await.unwrap(), *event);
    }
    // From the past, and by thread.
    let mut past = open(&desk, &format!("?after={from}&threadId={thread}")).await;
    for event in page["results"].as_array().unwrap() {
        if event["objectType"] == "THREAD" {
            assert_eq!(past.told().await.unwrap(), *event);
        }
    }
    assert!(past.is_quiet(QUIET).await);
}

#[tokio::test]
async fn what_one_says_the_others_hear_and_nobody_keeps() {
    let desk = Desk::open().await;
    let (thread, elsewhere) = (desk.chat("ines").await, desk.chat("omar").await);
    let stranger = Desk::on(&desk.server).await;
    let mut says = open(&desk, "").await;
    let mut hears = open(&desk, "").await;
    let mut of_thread = open(&desk, &format!("?threadId={thread}")).await;
    let mut of_inbox = open(&desk, &format!("?inboxId={}", desk.portal.inbox)).await;
    let mut only = open(&desk, "?type=typing").await;
    let mut stream = desk.user.listen(EVENTS).await;
    let mut deaf = [
        open(&desk, &format!("?threadId={elsewhere}")).await,
        open(&desk, "?type=conversation.newMessage").await,
        open(&stranger, "").await,
    ];
    stream.block().await.unwrap();
    assert!(stream.is_quiet(QUIET).await);
    let position = desk.position().await;
    let said =
        json!({ "type": "typing", "threadId": thread, "actorId": desk.portal.agent, "state": "started" });
    says.say(Message::text(said.to_string())).await;
    let app = desk.portal.app.clone();
    let told = json!({ "kind": "typing", "appId": app, "actorId": desk.portal.agent, "threadId": thread, "state": "started" });
    for socket in [&mut hears, &mut of_thread, &mut of_inbox, &mut only] {
        assert_eq!(socket.told().await.unwrap(), told);
    }
    let frame = stream.event().await.unwrap();
    assert_eq!((frame.id, &*frame.event, &frame.data), (None, "typing", &told));
    for socket in &mut deaf {
        assert!(socket.is_quiet(QUIET).await);
    }
    assert!(says.is_quiet(QUIET).await, "nobody hears themselves");
    // Presence is of no thread, unless it says so.
    says.say(Message::text(json!({ "type": "presence", "state": "away" }).to_string())).await;
    let told = json!({ "kind": "presence", "appId": app, "state": "away" });
    assert_eq!(hears.told().await.unwrap(), told);
    assert!(of_thread.is_quiet(QUIET).await && only.is_quiet(QUIET).await);
    // A message in pieces is one message.
    let said = Message::text(json!({ "type": "presence" }).to_string());
    says.say(said).await;
    assert_eq!(hears.told().await.unwrap(), json!({ "kind": "presence", "appId": app }));
    assert_eq!(desk.position().await, position, "nothing of it is recorded");
}

#[tokio::test]
async fn a_socket_that_is_withdrawn_is_closed() {
    let desk = Desk::open().await;
    let made = desk.make("tokens", json!({ "label": "x", "appId": desk.portal.app })).await;
    let address = antiphon_testkit::listen(desk.server.app()).await.unwrap();
    let mut socket = Socket::open(address, &text(&made, "token"), EVENTS).await.unwrap().unwrap();
    socket.hear().await.unwrap();
    assert!(socket.is_quiet(QUIET).await);
    desk.portal.operator().delete(&format!("/antiphon/v1/tokens/{}", text(&made, "id"))).await.expect(204);
    let end = socket.told().await.unwrap();
    assert_eq!((&end["kind"], &end["reason"]), (&json!("cutOff"), &json!("unauthorized")));
    assert_eq!(socket.told().await.unwrap_err().unwrap().code, CloseCode::Policy);
}

#[tokio::test]
async fn a_socket_that_answers_no_ping_is_closed() {
    let server = TestServer::configured(|config| config.stream.heartbeat_seconds = 1).await;
    let desk = Desk::on(&server).await;
    let address = antiphon_testkit::listen(desk.server.app()).await.unwrap();
    let bearer = format!("authorization: Bearer {}\r\n", desk.user.token());
    let (mut dead, _) = Socket::raw(address, &antiphon_testkit::opening(EVENTS, &bearer)).await.unwrap();
    let mut alive = Socket::open(address, desk.user.token(), EVENTS).await.unwrap().unwrap();
    let mut read = Vec::new();
    let all = tokio::io::AsyncReadExt::read_to_end(&mut dead, &mut read);
    let (ended, quiet) = tokio::join!(
        tokio::time::timeout(Duration::from_secs(6), all),
        alive.is_quiet(Duration::from_secs(4))
    );
    assert!(ended.is_ok() && quiet);
    desk.chat("ines").await;
    assert!(alive.told().await.is_ok());
}

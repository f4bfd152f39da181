//! What visitors are told as it happens.

use super::*;

fn agents(desk: &Desk) -> Value {
    json!({ "type": "typing", "actorId": desk.portal.agent })
}

#[tokio::test]
async fn a_visitor_hears_of_their_own_threads_and_of_nothing_else() {
    let desk = open().await;
    let (one, other) = (Visitor::on(&desk).await, Visitor::on(&desk).await);
    let (mut hears, mut quiet) = (one.listens("").await, other.listens("").await);
    // A thread that begins while they listen is heard of from its first word on, in every window.
    let sent = one.says("Hello").await;
    let id = thread(&sent);
    let event = hears.event().await.unwrap();
    assert_eq!(event.event, "message");
    assert_eq!(event.data["id"], sent["message"]["id"]);
    assert_eq!(event.data["clientId"], sent["message"]["clientId"], "a window knows its own words again");
    assert!(event.data["clientId"].is_string() && event.id.is_some());
    desk.send(&id, desk.on_chat("Hi there")).await;
    let event = hears.event().await.unwrap();
    assert_eq!((told(&event.data), &event.data["name"]), ("AGENT: Hi there".into(), &json!("Mia Chen")));
    assert_eq!(event.data["clientId"], Value::Null);
    desk.send(&id, json!({ "type": "COMMENT", "text": "secret note", "attachments": [] })).await;
    desk.put(&format!("/threads/{id}/assignee"), json!({ "actorId": desk.portal.agent })).await.expect(200);
    desk.patch(&format!("/threads/{id}"), json!({ "status": "CLOSED" })).await.expect(200);
    let event = hears.event().await.unwrap();
    assert_eq!((&*event.event, &event.data["status"]), ("thread", &json!("CLOSED")), "comments are not told");
    desk.email("ines@example.net").await;
    desk.chat("somebody").await;
    assert!(hears.is_quiet(QUIET).await);
    assert!(quiet.is_quiet(QUIET).await, "nothing of all this is anybody else's");
}

#[tokio::test]
async fn who_comes_back_hears_what_they_missed() {
    let desk = open().await;
    let visitor = Visitor::on(&desk).await;
    let id = thread(&visitor.says("Hello").await);
    let mut stream = visitor.listens("").await;
    desk.send(&id, desk.on_chat("One")).await;
    let seen = stream.event().await.unwrap().id.unwrap();
    drop(stream);
    desk.server.advance(Duration::from_secs(300));
    for text in ["Two", "Three"] {
        desk.send(&id, desk.on_chat(text)).await;
    }
    // Much happens elsewhere meanwhile, and costs them nothing.
    for n in 0..20 {
        desk.chat(&format!("other-{n}")).await;
    }
    for stream in [visitor.listens(&format!("?after={seen}")).await, {
        let user = visitor.user.clone().with("last-event-id", &seen.to_string());
        let mut stream = user.listen(&format!("{WIDGET}/events")).await;
        stream.block().await.unwrap();
        stream
    }] {
        let mut stream = stream;
        let mut missed = Vec::new();
        while missed.len() < 2 {
            let event = stream.event().await.unwrap();
            if event.event == "message" && event.data["text"] != "One" && event.data["from"] == "AGENT" {
                missed.push(text(&event.data, "text"));
            }
        }
        assert_eq!(missed, ["Two", "Three"]);
    }
    // From the beginning of time all there is; from beyond the end nothing.
    let mut stream = visitor.listens("?after=0").await;
    assert_eq!(stream.event().await.unwrap().data["text"], "Hello");
    let mut stream = visitor.listens("").await;
    assert!(stream.is_quiet(QUIET).await);
}

#[tokio::test]
async fn typing_goes_both_ways_and_to_nobody_else() {
    let desk = open().await;
    let (one, other) = (Visitor::on(&desk).await, Visitor::on(&desk).await);
    let id = thread(&one.says("Hello").await);
    other.says("Hello").await;
    let (mut hears, mut quiet) = (one.listens("").await, other.listens("").await);
    let address = antiphon_testkit::listen(desk.server.app()).await.unwrap();
    let path = "/antiphon/v1/events?type=typing&type=presence";
    let mut agent = antiphon_testkit::Socket::open(address, desk.user.token(), path).await.unwrap().unwrap();
    let mut said = agents(&desk);
    said["threadId"] = id.clone().into();
    agent.say(said.to_string()).await;
    let event = hears.event().await.unwrap();
    let typing = json!({ "threadId": id.parse::<i64>().unwrap(), "name": "Mia Chen", "typing": true });
    assert_eq!((&*event.event, event.data), ("typing", typing));
    assert_eq!(event.id, None, "it cannot be asked for again");
    said["state"] = "stopped".into();
    agent.say(said.to_string()).await;
    assert_eq!(hears.event().await.unwrap().data["typing"], false);
    // Who looks at a thread is nothing for visitors.
    let presence =
        json!({ "type": "presence", "threadId": id, "state": "viewing", "actorId": desk.portal.agent });
    agent.say(presence.to_string()).await;
    let typing = format!("{WIDGET}/threads/{id}/typing");
    one.user.post(&typing, json!({ "typing": true })).await.expect(204);
    let heard = loop {
        let heard = agent.told().await.unwrap();
        if heard["kind"] == "typing" {
            break heard;
        }
    };
    assert_eq!((&heard["threadId"].to_string().replace('"', ""), &heard["state"]), (&id, &json!("started")));
    assert!(heard["actorId"].as_str().unwrap().starts_with("V-"));
    assert!(hears.is_quiet(QUIET).await, "nobody is told that they type themselves");
    assert!(quiet.is_quiet(QUIET).await);
}

#[tokio::test]
async fn somebody_identified_hears_what_they_say_in_another_window() {
    let desk = open().await;
    let identification = vouched(&desk, json!({ "email": "ineke@harbour.example" })).await;
    let (one, other) =
        (Visitor::with(&desk, identification.clone()).await, Visitor::with(&desk, identification).await);
    // Nobody has heard of her yet.
    let mut hears = other.listens("").await;
    let id = thread(&one.says("Hello").await);
    let event = hears.event().await.unwrap();
    assert_eq!(told(&event.data), "VISITOR: Hello");
    desk.send(&id, desk.on_chat("Hi")).await;
    loop {
        let event = hears.event().await.unwrap();
        if event.event == "message" && told(&event.data) == "AGENT: Hi" {
            break;
        }
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_its_chat() {
    let server = TestServer::configured(|config| config.stream.heartbeat_seconds = 1).await;
    let desk = Desk::on(&server).await;
    set_up(&desk, json!({})).await;
    let visitor = Visitor::on(&desk).await;
    let mut stream = visitor.listens("").await;
    desk.server.advance(Duration::from_secs(60 * 60));
    let event = stream.event().await.unwrap();
    assert_eq!((&*event.event, event.data), ("session", json!({ "end": "expired" })));
    assert!(stream.block().await.is_none());
    let visitor = Visitor::on(&desk).await;
    let mut stream = visitor.listens("").await;
    desk.user.delete(&format!("/antiphon/v1/channel-accounts/{}/chat", desk.portal.chat)).await.expect(204);
    assert_eq!(stream.event().await.unwrap().data, json!({ "end": "gone" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_takes_nothing_is_cut_off_and_bounded() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = TestServer::configured(|config| {
        config.stream.behind = 20;
        config.widget.messages_per_minute = 10_000;
        config.widget.messages_per_minute_of_address = 10_000;
        config.widget.requests_per_minute = 10_000;
    })
    .await;
    let desk = Desk::on(&server).await;
    set_up(&desk, json!({})).await;
    let visitor = Visitor::on(&desk).await;
    visitor.says("Hello").await;
    let address = antiphon_testkit::listen(desk.server.app()).await.unwrap();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stalled = socket.connect(address).await.unwrap();
    let session = text(&visitor.begun, "session");
    let head = format!(
        "GET {WIDGET}/events HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {session}\r\n\r\n"
    );
    stalled.write_all(head.as_bytes()).await.unwrap();
    let mut some = [0; 64];
    stalled.read_exact(&mut some).await.unwrap();
    assert!(some.starts_with(b"HTTP/1.1 200"));
    // Large messages, so that what the kernel keeps is soon full; a stream beside it hears all of them.
    let mut quick = visitor.listens("").await;
    let large = "\u{1f375}".repeat(10_000);
    let cut_off = async || {
        let figures = desk.server.user("").get("/metrics").await.text();
        figures.contains("antiphon_stream_cut_off_total 1\n")
    };
    let mut sent = 0;
    while !cut_off().await {
        assert!(sent < 2_000, "it is never cut off");
        visitor.says(&large).await;
        assert_eq!(quick.event().await.unwrap().event, "message");
        sent += 1;
    }
    let mut rest = Vec::new();
    stalled.read_to_end(&mut rest).await.unwrap();
    let rest = String::from_utf8_lossy(&rest);
    assert!(
        rest.contains("event: session\ndata: {\"end\":\"slow\"}"),
        "{}",
        &rest[rest.len().saturating_sub(300)..]
    );
}

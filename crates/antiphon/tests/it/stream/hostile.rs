//! What nobody should send.

use antiphon_testkit::{Socket, opening};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::*;

#[tokio::test]
async fn what_is_no_question_is_refused() {
    let desk = Desk::open().await;
    for (query, last, named) in [
        ("?type=conversation.nothing", None, "type"),
        ("?threadId=x", None, "threadId"),
        ("?inboxId=99999999999999", None, "inboxId"),
        ("?after=x", None, "after"),
        ("", Some("x"), "Last-Event-ID"),
        ("", Some("-1"), "Last-Event-ID"),
        ("", Some("99999999999999999999"), "Last-Event-ID"),
        ("", Some("1, 2"), "Last-Event-ID"),
    ] {
        let user = last.map_or(desk.user.clone(), |last| desk.user.clone().with("last-event-id", last));
        let Err(refused) = user.listens(&format!("{EVENTS}{query}")).await else {
            panic!("{query} {last:?}")
        };
        assert_eq!(refused.expect(400).problems(), [named], "{query} {last:?}");
    }
}

#[tokio::test]
async fn a_socket_that_is_asked_for_wrongly_is_refused() {
    let desk = Desk::open().await;
    let address = antiphon_testkit::listen(desk.server.app()).await.unwrap();
    let bearer = format!("authorization: Bearer {}\r\n", desk.user.token());
    let good = opening(EVENTS, &bearer);
    for (head, status) in [
        (good.clone(), 101),
        (good.replace("connection: Upgrade", "connection: close"), 400),
        (good.replace("version: 13", "version: 12"), 400),
        (good.replace("sec-websocket-version: 13\r\n", ""), 400),
        (good.replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhl"), 400),
        (good.replace("upgrade: websocket", "upgrade: h2c"), 200),
        (opening(EVENTS, &format!("{bearer}sec-websocket-protocol: chat\r\n")), 400),
        (opening(EVENTS, &format!("{bearer}sec-websocket-protocol: antiphon.v1\r\n")), 101),
        (opening(EVENTS, "sec-websocket-protocol: antiphon.v1, bearer.nobody\r\n"), 401),
        (opening(EVENTS, ""), 401),
        (opening(&format!("{EVENTS}?after=x"), &bearer), 400),
        (good.replace("GET", "POST"), 405),
        (opening("/antiphon/v1/tickets", &bearer), 200),
    ] {
        let (_, reply) = Socket::raw(address, &head).await.unwrap();
        assert_eq!(reply.status, status, "{head}");
        assert_eq!(reply.header("upgrade").is_some(), status == 101, "{head}");
    }
    let (_, reply) = Socket::raw(address, &opening(EVENTS, &bearer)).await.unwrap();
    assert_eq!(reply.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

/// A frame as a client has to mask it.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ ..126 => frame.push(0x80 | length as u8),
        length @ ..65536 => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// Reads until the server closes; the code with which it does.
async fn farewell(stream: &mut TcpStream) -> Option<u16> {
    let mut read = Vec::new();
    let all = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut read));
    all.await.expect("it was not closed").ok();
    let mut at = 0;
    while at + 2 <= read.len() {
        let (kind, length) = (read[at] & 0xf, read[at + 1] as usize);
        let (start, length) = match length {
            126 => (at + 4, u16::from_be_bytes([read[at + 2], read[at + 3]]) as usize),
            length => (at + 2, length),
        };
        if kind == 8 && length >= 2 {
            return Some(u16::from_be_bytes([read[start], read[start + 1]]));
        }
        at = start + length;
    }
    None
}

#[tokio::test]
async fn frames_that_cannot_be_understood_end_the_socket() {
    let desk = Desk::open().await;
    let address = antiphon_testkit::listen(desk.server.app()).await.unwrap();
    let bearer = format!("authorization: Bearer {}\r\n", desk.user.token());
    for (frames, code) in [
        (frame(0x81, &[b'x'; 5000]), CloseCode::Size),
        // It is refused by what it announces.
        (
            frame(0x81, b"")[..1].iter().copied().chain([0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]).collect(),
            CloseCode::Size,
        ),
        // Fragments are counted together.
        ([frame(0x01, &[b'x'; 3000]), frame(0x80, &[b'x'; 3000])].concat(), CloseCode::Size),
        (frame(0x81, &[0xff, 0xfe]), CloseCode::Invalid),
        (frame(0x82, b"binary"), CloseCode::Unsupported),
        // Not masked; a reserved bit; a fragment of nothing; a ping in pieces.
        (vec![0x81, 2, b'{', b'}'], CloseCode::Protocol),
        (frame(0xc1, b"{}"), CloseCode::Protocol),
        (frame(0x80, b"{}"), CloseCode::Protocol),
        (frame(0x09, b""), CloseCode::Protocol),
        ((0..40).flat_map(|_| frame(0x81, b"{}")).collect(), CloseCode::Policy),
        ((0..40).flat_map(|_| frame(0x89, b"")).collect(), CloseCode::Policy),
    ] {
        let (mut stream, reply) = Socket::raw(address, &opening(EVENTS, &bearer)).await.unwrap();
        assert_eq!(reply.status, 101);
        stream.write_all(&frames).await.unwrap();
        assert_eq!(farewell(&mut stream).await, Some(code.into()), "{:?}", &frames[..frames.len().min(12)]);
    }
    // Noise, at the least, ends.
    let (mut stream, _) = Socket::raw(address, &opening(EVENTS, &bearer)).await.unwrap();
    let noise: Vec<u8> = (0..20_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    stream.write_all(&noise).await.ok();
    farewell(&mut stream).await;
    // Nobody else noticed.
    let mut socket = Socket::open(address, desk.user.token(), EVENTS).await.unwrap().unwrap();
    desk.chat("ines").await;
    assert!(socket.told().await.unwrap()["position"].is_i64());
}

#[tokio::test]
async fn words_that_cannot_be_passed_on_are_answered() {
    let desk = Desk::open().await;
    let other = Desk::on(&desk.server).await;
    let foreign = (0..3).map(|n| other.portal.chat_from(if n == 0 { "a" } else { "b" }, "Hello"));
    let foreign = futures_util::future::join_all(foreign).await.pop().unwrap();
    let thread = desk.chat("ines").await;
    let address = antiphon_testkit::listen(desk.server.app()).await.unwrap();
    for (said, why) in [
        ("".to_owned(), "Invalid input JSON"),
        ("nonsense".into(), "Invalid input JSON"),
        ("[]".into(), "Invalid input JSON"),
        ("{}".into(), "type must be"),
        (json!({ "type": "conversation.newMessage" }).to_string(), "type must be"),
        (json!({ "type": "typing" }).to_string(), "threadId"),
        (json!({ "type": "typing", "threadId": "x" }).to_string(), "does not exist"),
        (json!({ "type": "typing", "threadId": "999999" }).to_string(), "does not exist"),
        (json!({ "type": "typing", "threadId": thread, "actorId": "nobody" }).to_string(), "actorId"),
        (json!({ "type": "typing", "threadId": thread, "actorId": "A-99999" }).to_string(), "actorId"),
        (json!({ "type": "typing", "threadId": thread, "state": "x".repeat(33) }).to_string(), "state"),
        (json!({ "type": "typing", "threadId": thread, "state": 7 }).to_string(), "Invalid input JSON"),
    ] {
        let mut socket = Socket::open(address, desk.user.token(), EVENTS).await.unwrap().unwrap();
        socket.say(Message::text(said.clone())).await;
        let answer = socket.told().await.unwrap();
        assert_eq!(answer["kind"], "refused", "{said}");
        assert!(text(&answer, "message").contains(why), "{said}: {answer}");
    }
    let found = desk.get(&format!("/threads/{foreign}")).await.status;
    if found == 404 {
        let mut socket = Socket::open(address, desk.user.token(), EVENTS).await.unwrap().unwrap();
        socket.say(Message::text(json!({ "type": "typing", "threadId": foreign }).to_string())).await;
        assert_eq!(socket.told().await.unwrap()["kind"], "refused");
    }
    let reader = desk.portal.read_only().await;
    let mut socket = Socket::open(address, reader.token(), EVENTS).await.unwrap().unwrap();
    socket.say(Message::text(json!({ "type": "typing", "threadId": thread }).to_string())).await;
    assert!(text(&socket.told().await.unwrap(), "message").contains("conversations.write"));
}

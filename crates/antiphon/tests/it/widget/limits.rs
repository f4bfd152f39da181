//! Floods, and what there may be at once.

use std::convert::Infallible;
use std::net::IpAddr;

use antiphon::middleware::{Peer, handle};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;

use super::*;

#[tokio::test]
async fn a_flood_of_messages_is_answered_with_when_to_come_back() {
    let desk = limited(|widget| widget.messages_per_minute = 5).await;
    let visitor = Visitor::on(&desk).await;
    let mut refused = None;
    for n in 0..8 {
        let reply = visitor.sends(json!({ "text": n.to_string() })).await;
        match reply.status {
            201 => assert!(n < 6, "{n}"),
            429 => refused = Some(reply),
            other => panic!("{other}: {}", reply.text()),
        }
    }
    let refused = refused.unwrap();
    let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(refused.json()["category"], "RATE_LIMITS");
    // Others are not held up.
    Visitor::on(&desk).await.says("Hello").await;
}

#[tokio::test]
async fn threads_files_and_requests_have_bounds() {
    let desk = limited(|widget| {
        widget.threads_per_hour = 3;
        widget.files_per_hour = 2;
        widget.max_file_bytes = 1000;
        widget.requests_per_minute = 40;
    })
    .await;
    let visitor = Visitor::on(&desk).await;
    for n in 0..4 {
        let reply = visitor.sends(json!({ "text": "Hi", "newThread": true })).await;
        assert_eq!(reply.status, if n < 3 { 201 } else { 429 });
    }
    visitor.says("In the newest there is").await;
    let path = format!("{WIDGET}/files");
    let large = "x".repeat(1001);
    let reply = crate::files::send(&visitor.user, "POST", &path, &[("file", "a.txt", &*large)]).await;
    assert_eq!(reply.status, 413, "{}", reply.text());
    crate::files::send(&visitor.user, "POST", &path, &[("file", "a.txt", "x")]).await.expect(201);
    let third = crate::files::send(&visitor.user, "POST", &path, &[("file", "a.txt", "x")]).await.expect(429);
    assert!(third.header("retry-after").is_some());
    let mut last = 200;
    for _ in 0..45 {
        last = visitor.user.get(&format!("{WIDGET}/threads")).await.status;
    }
    assert_eq!(last, 429);
    set_up(&desk, json!({ "attachments": false })).await;
    let other = Visitor::on(&desk).await;
    assert_eq!(other.begun["config"]["attachments"], false);
    crate::files::send(&other.user, "POST", &path, &[("file", "a.txt", "x")]).await.expect(400);
}

/// Whoever keeps no key is somebody new each time, and as many as they like.
#[tokio::test]
async fn threads_and_files_of_an_address_have_bounds_however_many_visitors_it_has() {
    let desk = limited(|widget| {
        widget.threads_per_hour_of_address = 3;
        widget.files_per_hour_of_address = 2;
    })
    .await;
    let path = format!("{WIDGET}/files");
    let mut answers = Vec::new();
    let mut first = None;
    for _ in 0..5 {
        let visitor = Visitor::on(&desk).await;
        let said = visitor.sends(json!({ "text": "Hi" })).await;
        let sent = crate::files::send(&visitor.user, "POST", &path, &[("file", "a.txt", "x")]).await;
        for reply in [&said, &sent].into_iter().filter(|reply| reply.status == 429) {
            let wait: i64 = reply.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=3_600).contains(&wait), "{wait}");
        }
        answers.push((said.status, sent.status));
        first = first.or(Some(visitor));
    }
    assert_eq!(answers, [(201, 201), (201, 201), (201, 429), (429, 429), (429, 429)]);
    // Whoever has a thread goes on in it.
    first.unwrap().says("Still here").await;
}

/// Sends the beginning of a file, and never the rest.
fn dripping(desk: &Desk, visitor: &Visitor, address: &str) -> tokio::task::JoinHandle<()> {
    let begins = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\na";
    let begins = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(begins.as_bytes())))]);
    let body = StreamBody::new(begins.chain(stream::pending()).boxed());
    let request = http::Request::post(format!("{WIDGET}/files"))
        .header("authorization", format!("Bearer {}", visitor.user.token()))
        .header("content-type", "multipart/form-data; boundary=x")
        .body(body)
        .unwrap();
    let peer = Peer { address: Some(address.parse().unwrap()), ..Peer::default() };
    let app = desk.server.app().clone();
    tokio::spawn(async move { drop(handle(&app, &peer, request).await) })
}

#[tokio::test]
async fn visitors_who_never_finish_leave_room_for_agents() {
    let server = TestServer::configured(|config| {
        config.files.uploads = 4;
        config.widget.files_per_hour = 100_000;
        config.widget.files_per_hour_of_address = 100_000;
    })
    .await;
    let desk = Desk::on(&server).await;
    set_up(&desk, json!({})).await;
    let visitors = [Visitor::on(&desk).await, Visitor::on(&desk).await, Visitor::on(&desk).await];
    let path = format!("{WIDGET}/files");
    let sends =
        async || crate::files::send(&visitors[2].user, "POST", &path, &[("file", "a.txt", "x")]).await;
    let mut slow = Vec::new();
    let mut reply = sends().await.expect(201);
    // One that meets what was just sent is refused itself; the next one is not.
    while reply.status == 201 && slow.len() < 100 {
        slow.push(dripping(&desk, &visitors[slow.len() % 2], &format!("203.0.113.{}", slow.len())));
        tokio::time::sleep(Duration::from_millis(5)).await;
        reply = sends().await;
    }
    let reply = reply.expect(429);
    assert_eq!(reply.header("retry-after"), Some("5"));
    for n in 0..5 {
        crate::files::upload(&desk, &[("file", &format!("{n}.txt"), "from the house")]).await;
    }
    for one in slow {
        one.abort();
        one.await.ok();
    }
    sends().await.expect(201);
}

/// Begins a session from an address, behind a proxy or not.
async fn from(desk: &Desk, address: &str, proxy: Option<&str>) -> u16 {
    let near: IpAddr = proxy.unwrap_or(address).parse().unwrap();
    let peer = Peer { address: Some(near), trusted: proxy.is_some(), ..Peer::default() };
    let body = json!({ "accountId": desk.portal.chat }).to_string();
    let request = http::Request::post(format!("{WIDGET}/{}/sessions", desk.portal.id))
        .header("content-type", "application/json")
        .header("x-forwarded-for", address)
        .body(Full::new(bytes::Bytes::from(body)))
        .unwrap();
    let response = handle(desk.server.app(), &peer, request).await;
    let status = response.status().as_u16();
    if status == 429 {
        assert!(response.headers().contains_key("retry-after"));
    }
    response.into_body().collect().await.unwrap();
    status
}

#[tokio::test]
async fn thousands_of_sessions_from_one_address_are_held_up_and_others_are_not() {
    let desk = limited(|widget| widget.sessions_per_minute = 50).await;
    let (mut begun, mut refused) = (0, 0);
    for _ in 0..2_000 {
        match from(&desk, "203.0.113.5", None).await {
            201 => begun += 1,
            429 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert!((50..60).contains(&begun) && refused > 1_900, "{begun} {refused}");
    assert_eq!(from(&desk, "203.0.113.6", None).await, 201);
    // Behind a proxy that is trusted, the client counts; what a client says of itself does not.
    assert_eq!(from(&desk, "203.0.113.5", Some("10.0.0.1")).await, 429);
    assert_eq!(from(&desk, "203.0.113.7, 203.0.113.5", Some("10.0.0.1")).await, 429);
    assert_eq!(from(&desk, "203.0.113.7", Some("10.0.0.1")).await, 201);
}

#[tokio::test]
async fn streams_have_bounds() {
    let desk = limited(|widget| {
        widget.streams_of_visitor = 2;
        widget.streams_of_address = 3;
    })
    .await;
    let (one, other) = (Visitor::on(&desk).await, Visitor::on(&desk).await);
    let events = format!("{WIDGET}/events");
    let first = one.listens("").await;
    let _second = one.listens("").await;
    let refused = one.user.listens(&events).await.err().unwrap();
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").is_some());
    let _third = other.listens("").await;
    assert_eq!(other.user.listens(&events).await.err().unwrap().status, 429, "the address has three");
    drop(first);
    one.listens("").await;
    let figures = desk.server.user("").get("/metrics").await.text();
    assert!(figures.contains("antiphon_stream_listeners{kind=\"visitor\"}"), "{figures}");
}

#[tokio::test]
async fn visitors_do_not_take_the_places_of_agents() {
    let server = TestServer::configured(|config| {
        config.widget.streams = 1;
        config.stream.listeners = 1;
    })
    .await;
    let desk = Desk::on(&server).await;
    set_up(&desk, json!({})).await;
    let (one, other) = (Visitor::on(&desk).await, Visitor::on(&desk).await);
    let _first = one.listens("").await;
    assert_eq!(other.user.listens(&format!("{WIDGET}/events")).await.err().unwrap().status, 503);
    desk.user.listen("/antiphon/v1/events").await;
}

//! What holds for every operation: where it is mounted, how bodies are read, and what every answer carries.

use antiphon::middleware::Peer;
use antiphon_testkit::{Reply, request};
use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use http_body_util::Full;
use serde_json::{Value, json};
use std::io::{Read, Write};

use crate::kit::{Desk, V3, error, prefixes, text, with};

#[tokio::test]
async fn every_prefix_answers_alike() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    for prefix in prefixes() {
        let first = desk.thread(&id).await;
        assert_eq!(desk.user.get(&format!("{prefix}/threads/{id}")).await.expect(200).json(), first);
        let sent =
            desk.user.post(&format!("{prefix}/threads/{id}/messages"), desk.on_chat("Hi")).await.expect(201);
        let message = text(&sent.json(), "id");
        let location = format!("{prefix}/threads/{id}/messages/{message}");
        assert_eq!(sent.header("location"), Some(&*location));
        assert_eq!(desk.user.get(&location).await.expect(200).json(), sent.json());
        let page = desk.user.get(&format!("{prefix}/threads/{id}/messages?limit=1")).await.expect(200).json();
        let after = text(&page["paging"]["next"], "after");
        let link = format!("http://inbox.test{prefix}/threads/{id}/messages?limit=1&after={after}");
        assert_eq!(page["paging"]["next"]["link"], link);
    }
}

#[tokio::test]
async fn paths_are_exact_but_for_a_slash_and_escapes() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    for (path, status) in [
        (format!("{V3}/threads/"), 200),
        (format!("{V3}/threads/{id}/"), 200),
        (format!("{V3}/threads//"), 404),
        (format!("{V3}//threads"), 404),
        (format!("{V3}/Threads"), 404),
        (format!("{V3}/actors/E-mia%40example.org"), 200),
        (format!("{V3}/actors/E-mia@example.org"), 200),
        (format!("{V3}/actors/E-mia%2540example.org"), 404),
        (format!("{V3}/threads/{id}/comments"), 404),
        ("/conversations/v4/conversations/threads".into(), 404),
        ("/conversations/conversations/2025-01/threads".into(), 404),
        ("/conversations/v3/threads".into(), 404),
        ("/".into(), 404),
        ("/crm/v3/objects/contacts".into(), 404),
    ] {
        let reply = desk.user.get(&path).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.text());
    }
    let at = desk.user.get(&format!("{V3}/actors/E-mia%40example.org")).await.json();
    assert_eq!(at, json!({ "id": "E-mia@example.org", "type": "EMAIL", "email": "mia@example.org" }));
    let unknown = desk.user.get("/conversations/v4/conversations/threads").await.expect(404);
    let body = error(&unknown);
    assert_eq!(body["category"], "OBJECT_NOT_FOUND");
    assert_eq!(body["context"]["path"], json!(["/conversations/v4/conversations/threads"]));
    assert_eq!(desk.post(&format!("/threads/{id}/comments"), json!({ "text": "x" })).await.status, 404);
}

#[tokio::test]
async fn every_answer_carries_the_common_headers() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let message = format!("/threads/{id}/messages");
    let mut seen = std::collections::HashSet::new();
    let replies: Vec<Reply> = vec![
        desk.get("/threads").await.expect(200),
        desk.get("/threads/999").await.expect(404),
        desk.get("/nothing").await.expect(404),
        desk.post("/threads", json!({})).await.expect(405),
        desk.post(&message, desk.on_chat("Hi")).await.expect(201),
        desk.post(&message, json!({})).await.expect(400),
        desk.delete(&format!("/threads/{id}")).await.expect(204),
        desk.server.user("wrong").get(&format!("{V3}/threads")).await.expect(401),
        desk.user.send("OPTIONS", &format!("{V3}/threads"), "").await.expect(204),
    ];
    for reply in replies {
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert!(reply.header("vary").unwrap().contains("Origin"));
        assert!(reply.header("etag").is_none());
        let id = reply.header("x-hubspot-correlation-id").unwrap();
        assert_eq!(reply.header("x-request-id"), Some(id));
        assert_eq!(id.as_bytes()[14], b'7', "a UUIDv7: {id}");
        assert!(seen.insert(id.to_owned()), "unique: {id}");
        match reply.status {
            204 => assert!(reply.body.is_empty() && reply.header("content-type").is_none()),
            _ => assert_eq!(reply.header("content-type"), Some("application/json;charset=utf-8")),
        }
        assert!(reply.header("x-hubspot-ratelimit-max").is_none(), "limits are off here");
    }
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    for path in [
        "/threads".to_owned(),
        format!("/threads/{id}"),
        "/threads/9999".into(),
        "/inboxes".into(),
        "/threads?limit=0".into(),
    ] {
        let get = desk.get(&path).await;
        let head = desk.user.send("HEAD", &format!("{V3}{path}"), "").await.expect(get.status);
        assert!(head.body.is_empty());
        for name in ["content-type", "content-length", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
    }
    let batch = format!("{V3}/actors/batch/read");
    assert_eq!(desk.user.send("HEAD", &batch, "").await.expect(405).header("allow"), Some("POST, OPTIONS"));
}

#[tokio::test]
async fn other_methods_are_refused_before_the_token_is_looked_at() {
    let desk = Desk::open().await;
    let stranger = desk.server.user("wrong");
    for (path, allow, wrong) in [
        ("/threads", "GET, HEAD, OPTIONS", "POST"),
        ("/threads/1", "GET, HEAD, PATCH, DELETE, OPTIONS", "PUT"),
        ("/threads/1/assignee", "PUT, POST, DELETE, OPTIONS", "GET"),
        ("/threads/1/messages", "GET, HEAD, POST, OPTIONS", "DELETE"),
        ("/threads/1/messages/2", "GET, HEAD, OPTIONS", "PATCH"),
        ("/threads/1/messages/2/original-content", "GET, HEAD, OPTIONS", "PUT"),
        ("/actors/A-1", "GET, HEAD, OPTIONS", "DELETE"),
        ("/actors/batch/read", "POST, OPTIONS", "GET"),
        ("/inboxes", "GET, HEAD, OPTIONS", "POST"),
        ("/inboxes/1", "GET, HEAD, OPTIONS", "PATCH"),
        ("/channels", "GET, HEAD, OPTIONS", "POST"),
        ("/channels/1", "GET, HEAD, OPTIONS", "PATCH"),
        ("/channel-accounts", "GET, HEAD, OPTIONS", "POST"),
        ("/channel-accounts/1", "GET, HEAD, OPTIONS", "PATCH"),
    ] {
        for prefix in prefixes() {
            let refused = stranger.send(wrong, &format!("{prefix}{path}"), "").await.expect(405);
            assert_eq!(refused.header("allow"), Some(allow), "{path}");
            assert_eq!(refused.json()["category"], "METHOD_NOT_ALLOWED");
            let options = stranger.send("OPTIONS", &format!("{prefix}{path}"), "").await.expect(204);
            assert_eq!(options.header("allow"), Some(allow), "{path}");
            assert!(options.header("access-control-allow-origin").is_none());
        }
    }
}

#[tokio::test]
async fn only_listed_origins_may_read_in_a_browser() {
    let server = antiphon_testkit::TestServer::configured(|config| {
        config.server.origins = vec!["https://app.acme.example".into()];
    })
    .await;
    let desk = Desk::on(&server).await;
    for (origin, allowed) in
        [("https://app.acme.example", Some("https://app.acme.example")), ("https://evil.example", None)]
    {
        let user = desk.user.clone().with("origin", origin);
        for method in ["GET", "OPTIONS"] {
            let reply = user.send(method, &format!("{V3}/threads"), "").await;
            assert_eq!(reply.header("access-control-allow-origin"), allowed);
            assert!(reply.header("vary").unwrap().contains("Origin"));
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_one_sentence_that_clients_know() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let path = format!("{V3}/threads/{id}/messages");
    for body in [
        "",
        "{",
        "not json",
        "[]",
        "7",
        r#"{"text": 5}"#,
        r#"{"text": ["a"]}"#,
        r#"{"text": {"a": 1}}"#,
        r#"{"attachments": 7}"#,
        r#"{"recipients": [7]}"#,
        r#"{"text": "a"} {"#,
        "{\"text\": \"\u{1}\"}",
    ] {
        let refused = desk.user.send("POST", &path, body).await.expect(400).json();
        assert_eq!(refused["category"], "VALIDATION_ERROR");
        let message = text(&refused, "message");
        assert!(message.starts_with("Invalid input JSON on line 1, column "), "{body}: {message}");
        assert_eq!(refused["errors"].as_array().unwrap().len(), 1);
    }
    let bytes = desk.user.send("POST", &path, b"{\"text\": \"\xff\"}".to_vec()).await.expect(400).json();
    assert!(text(&bytes, "message").starts_with("Invalid input JSON on line 1, column "));
    let third = desk.user.send("POST", &path, "{\n\n\"text\": 5}").await.expect(400).json();
    assert!(text(&third, "message").starts_with("Invalid input JSON on line 3, column "), "{third}");
    for (method, path) in [
        ("PATCH", format!("{V3}/threads/{id}")),
        ("PUT", format!("{V3}/threads/{id}/assignee")),
        ("POST", format!("{V3}/actors/batch/read")),
    ] {
        let refused = desk.user.send(method, &path, "").await.expect(400).json();
        assert!(text(&refused, "message").starts_with("Invalid input JSON on line 1, column "));
    }
}

#[tokio::test]
async fn bodies_are_read_leniently() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let chat: i64 = desk.portal.chat.parse().unwrap();
    let base = || desk.on_chat("Hi");
    let identifier = json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": "ines" });
    let bodies = [
        // Unknown members, and null for absent ones.
        with_all(
            base(),
            json!({ "unknown": 1, "subject": null, "richText": null, "attachments": null, "recipients": null }),
        ),
        // Numbers as numbers.
        with_all(base(), json!({ "channelId": 1000, "channelAccountId": chat })),
        // One object where a list is expected, and words of a list in any case.
        with_all(base(), json!({ "type": "message", "recipients": { "deliveryIdentifiers": identifier } })),
        with_all(
            base(),
            json!({ "attachments": { "type": "quick_replies", "quickReplies": { "value": "Yes", "valueType": "text" } } }),
        ),
        // Lists that are not there.
        with(base(), json!({ "attachments": null, "recipients": null, "type": null })),
    ];
    for body in bodies {
        let sent = desk.user.post(&format!("{V3}/threads/{id}/messages"), body.clone()).await;
        assert_eq!(sent.status, 201, "{body}: {}", sent.text());
        let sent = sent.json();
        assert_eq!((&sent["type"], &sent["text"]), (&json!("MESSAGE"), &json!("Hi")));
    }
    // The last of two equal keys.
    let twice = r#"{"type": "COMMENT", "text": "first", "text": "second"}"#;
    let sent = desk.user.send("POST", &format!("{V3}/threads/{id}/messages"), twice).await.expect(201).json();
    assert_eq!(sent["text"], "second");
}

fn with_all(mut body: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[tokio::test]
async fn the_media_type_of_a_body_hardly_matters() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let path = format!("{V3}/threads/{id}/messages");
    for (media_type, status) in [
        ("application/json", 201),
        ("application/json; charset=utf-8", 201),
        ("text/plain", 201),
        ("application/octet-stream", 201),
        ("multipart/form-data; boundary=x", 415),
        ("Multipart/Mixed", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/x-www-form-urlencoded;charset=utf-8", 415),
    ] {
        let user = desk.user.clone().with("content-type", media_type);
        let reply = user.post(&path, desk.on_chat("Hi")).await;
        assert_eq!(reply.status, status, "{media_type}: {}", reply.text());
        if status == 415 {
            assert_eq!(reply.json()["category"], "UNSUPPORTED_MEDIA_TYPE");
        }
    }
    for accept in ["*/*", "text/html", "application/json, */*;q=0.8", "application/xml"] {
        desk.user.clone().with("accept", accept).get(&format!("{V3}/threads")).await.expect(200);
    }
}

#[tokio::test]
async fn bodies_of_reads_and_deletes_are_passed_over() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    for body in ["{}", r#"{"archived": true}"#, "{broken", "x=1"] {
        for media_type in ["application/json", "multipart/form-data; boundary=x"] {
            let user = desk.user.clone().with("content-type", media_type);
            user.send("GET", &format!("{V3}/threads/{id}"), body).await.expect(200);
            user.send("HEAD", &format!("{V3}/threads/{id}"), body).await.expect(200);
            user.send("DELETE", &format!("{V3}/threads/{id}/assignee"), body).await.expect(204);
        }
    }
    desk.user
        .clone()
        .with("content-type", "application/json")
        .get(&format!("{V3}/inboxes"))
        .await
        .expect(200);
}

#[tokio::test]
async fn sizes_have_limits() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let padded = |size: usize| {
        let mut body = desk.on_chat("Hi").to_string();
        body.push_str(&" ".repeat(size - body.len()));
        body
    };
    let messages = format!("{V3}/threads/{id}/messages");
    desk.user.send("POST", &messages, padded(5 << 20)).await.expect(201);
    let refused = desk.user.send("POST", &messages, padded((5 << 20) + 1)).await.expect(413);
    assert_eq!(refused.json()["category"], "PAYLOAD_TOO_LARGE");
    let ordinary = |size: usize| format!("{{\"status\": \"OPEN\"{}}}", " ".repeat(size - 18));
    let thread = format!("{V3}/threads/{id}");
    desk.user.send("PATCH", &thread, ordinary(256 << 10)).await.expect(200);
    desk.user.send("PATCH", &thread, ordinary((256 << 10) + 1)).await.expect(413);
    desk.user.send("POST", &format!("{V3}/actors/batch/read"), " ".repeat((256 << 10) + 1)).await.expect(413);
    // Before parsing.
    desk.user.send("PATCH", &thread, "x".repeat((256 << 10) + 1)).await.expect(413);

    let line = |length: usize| {
        let start = format!("{V3}/threads?x=");
        let rest = length - "GET ".len() - start.len() - " HTTP/1.1".len() - 1;
        format!("{start}{}", "x".repeat(rest))
    };
    desk.user.get(&line(16 << 10)).await.expect(200);
    let refused = desk.user.get(&line((16 << 10) + 2)).await.expect(414);
    assert_eq!(refused.json()["category"], "VALIDATION_ERROR");
}

fn packed(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn gzip_works_both_ways() {
    let desk = Desk::open().await;
    let id = desk.portal.thread_of(20).await;
    let path = format!("{V3}/threads/{id}/messages?sort=createdAt&limit=20");
    let plain = desk.user.get(&path).await.expect(200);
    let reply = desk.user.clone().with("accept-encoding", "gzip, deflate, br").get(&path).await.expect(200);
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    assert_eq!(reply.header("content-length").unwrap(), reply.body.len().to_string());
    let mut unpacked = Vec::new();
    GzDecoder::new(&reply.body[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&unpacked).unwrap(), plain.json());
    let without = desk.user.clone().with("accept-encoding", "gzip;q=0").get(&path).await.expect(200);
    assert!(without.header("content-encoding").is_none());

    let sender = desk.user.clone().with("content-encoding", "gzip");
    let messages = format!("{V3}/threads/{id}/messages");
    let body = desk.on_chat("packed").to_string();
    assert_eq!(
        sender.send("POST", &messages, packed(body.as_bytes())).await.expect(201).json()["text"],
        "packed"
    );
    sender.send("POST", &messages, body).await.expect(400);
    let bomb = packed(&vec![b' '; (5 << 20) + 1]);
    assert!(bomb.len() < 1 << 16);
    sender.send("POST", &messages, bomb).await.expect(413);
    desk.user.clone().with("content-encoding", "br").send("POST", &messages, "x").await.expect(415);
}

#[tokio::test]
async fn links_name_the_host_that_the_client_used() {
    let desk = Desk::open().await;
    desk.chat("ines").await;
    desk.chat("omar").await;
    let next = async |peer: Peer, headers: &[(&'static str, &'static str)]| {
        let mut sent: http::Request<Full<Bytes>> = request("GET", &format!("{V3}/threads?limit=1"));
        for (name, value) in headers {
            sent.headers_mut().insert(*name, value.parse().unwrap());
        }
        let reply = desk.server.send(&peer, sent).await.expect(200).json();
        text(&reply["paging"]["next"], "link").split("/conversations").next().unwrap().to_owned()
    };
    let proxied = [("x-forwarded-proto", "https"), ("x-forwarded-host", "inbox.example.org")];
    let trusted = Peer { trusted: true, operator: true, ..Peer::default() };
    assert_eq!(next(trusted, &proxied).await, "https://inbox.example.org");
    let stranger = Peer { operator: true, ..Peer::default() };
    assert_eq!(next(stranger, &proxied).await, "http://inbox.test");
    assert_eq!(next(stranger, &[("host", "10.0.0.1:8085")]).await, "http://10.0.0.1:8085");
    let secure = Peer { secure: true, operator: true, ..Peer::default() };
    assert_eq!(next(secure, &[]).await, "https://inbox.test");
}

#[tokio::test]
async fn there_is_no_idempotency_key() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let user = desk.user.clone().with("idempotency-key", "once");
    let path = format!("{V3}/threads/{id}/messages");
    let first = user.post(&path, desk.on_chat("Hi")).await.expect(201).json();
    let second = user.post(&path, desk.on_chat("Hi")).await.expect(201).json();
    assert_ne!(first["id"], second["id"]);
}

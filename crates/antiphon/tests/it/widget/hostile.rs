//! Visitors who want more than is theirs.

use super::*;

/// Everything that a visitor may call, on a thread.
fn calls(thread: &str) -> Vec<(&'static str, String, Value)> {
    let id = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
    vec![
        ("GET", format!("{WIDGET}/threads/{thread}/messages"), Value::Null),
        ("POST", format!("{WIDGET}/threads/{thread}/typing"), json!({ "typing": true })),
        ("PUT", format!("{WIDGET}/threads/{thread}/read"), json!({ "messageId": "0".repeat(32) })),
        ("POST", format!("{WIDGET}/messages"), json!({ "text": "x", "threadId": thread, "clientId": id })),
    ]
}

#[tokio::test]
async fn somebody_elses_thread_is_nobodys() {
    let desk = open().await;
    let (one, other) = (Visitor::on(&desk).await, Visitor::on(&desk).await);
    let theirs = thread(&one.says("My secret is tarragon").await);
    other.says("Hello").await;
    let email = desk.email("ines@example.net").await;
    let stranger = Desk::on(&desk.server).await;
    set_up(&stranger, json!({})).await;
    let foreign = Visitor::on(&stranger).await;
    for visitor in [&other, &foreign] {
        for id in [&*theirs, &*email, "0", "-1", "x", "9007199254740991", "99999999999999999999", "1%00"] {
            for (method, path, body) in calls(id) {
                let reply = visitor.user.send(method, &path, body.to_string()).await;
                assert_eq!(reply.status, 404, "{method} {path}: {}", reply.text());
                assert!(!reply.text().contains("tarragon"));
            }
        }
    }
    assert_eq!(one.told(&theirs).await, ["VISITOR: My secret is tarragon"]);
}

#[tokio::test]
async fn what_is_no_session_opens_nothing() {
    let desk = open().await;
    let visitor = Visitor::on(&desk).await;
    let id = thread(&visitor.says("Hello").await);
    let good = text(&visitor.begun, "session");
    let identification = vouched(&desk, json!({ "email": "i@h.example" })).await;
    let mut altered = good.clone().into_bytes();
    altered[40] = if altered[40] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).unwrap();
    let mut others = vec![
        altered,
        good[..good.len() - 1].to_owned(),
        format!("{good}A"),
        "x".into(),
        "e30".into(),
        "A".repeat(5_000),
        text(&identification["identification"], "token"),
        desk.user.token().to_owned(),
    ];
    let check = async |session: &str| {
        let user = desk.server.user(session);
        let mut all = calls(&id);
        all.push(("GET", format!("{WIDGET}/threads"), Value::Null));
        all.push(("GET", format!("{WIDGET}/events"), Value::Null));
        all.push(("POST", format!("{WIDGET}/contact"), json!({ "email": "a@b.example" })));
        for (method, path, body) in all {
            let reply = user.send(method, &path, body.to_string()).await;
            assert_eq!(reply.status, 401, "{method} {path} {session}: {}", reply.text());
        }
        crate::files::send(&user, "POST", &format!("{WIDGET}/files"), &[("file", "a.txt", "a")])
            .await
            .expect(401);
    };
    for session in &others {
        check(session).await;
        assert_eq!(begin(&desk, json!({ "session": session })).await.expect(201).json()["identified"], false);
    }
    desk.server.anybody().get(&format!("{WIDGET}/threads")).await.expect(401);
    // A session opens nothing of the API.
    for path in ["/conversations/v3/conversations/threads", "/antiphon/v1/events", "/files/v3/files/search"] {
        visitor.user.get(path).await.expect(401);
    }
    // It ends after an hour, and can then be gone on with.
    desk.server.advance(Duration::from_secs(60 * 60));
    others.clear();
    check(&good).await;
    let again = Visitor::with(&desk, json!({ "session": good })).await;
    assert_eq!(again.told(&id).await, ["VISITOR: Hello"]);
    // Not on another account, and not in another portal.
    let other = Desk::on(&desk.server).await;
    set_up(&other, json!({})).await;
    let elsewhere = Visitor::with(&other, json!({ "session": good })).await;
    assert_ne!(elsewhere.key(), visitor.key());
    let body = json!({ "name": "Second", "channelId": 1000, "inboxId": desk.portal.inbox });
    let second = text(&desk.make("channel-accounts", body).await, "id");
    desk.user.put(&format!("/antiphon/v1/channel-accounts/{second}/chat"), json!({})).await.expect(200);
    let moved = Visitor::with(&desk, json!({ "session": good, "accountId": second })).await;
    assert_ne!(moved.key(), visitor.key());
    let same_key = Visitor::with(&desk, json!({ "visitorKey": visitor.key(), "accountId": second })).await;
    assert!(same_key.threads().await.is_empty(), "a key is one of an account");
    same_key.user.get(&format!("{WIDGET}/threads/{id}/messages")).await.expect(404);
}

const EVIL: &str = "<script>alert(1)</script><img src=x onerror=alert(2)>\u{2028}</textarea>";

#[tokio::test]
async fn what_is_said_comes_out_as_text() {
    let desk = open().await;
    let mut more = json!({ "url": format!("javascript:{EVIL}"), "language": EVIL, "visitorKey": EVIL });
    more["identification"] = json!({ "email": EVIL, "token": EVIL });
    let visitor = Visitor::with(&desk, more).await;
    let body = json!({ "text": EVIL, "url": EVIL, "quickReply": { "values": [EVIL] } });
    let sent = visitor.sends(body).await.expect(201).json();
    assert_eq!(sent["message"]["text"], EVIL);
    assert_eq!(sent["message"].get("richText"), None);
    let id = thread(&sent);
    let history = desk.history(&id).await;
    let said = history.iter().find(|one| one["direction"] == "INCOMING").unwrap();
    assert_eq!(said["text"], EVIL);
    let rich = text(said, "richText");
    assert!(!rich.contains("<script") && !rich.contains("<img"), "{rich}");
    visitor.user.post(&format!("{WIDGET}/contact"), json!({ "email": EVIL, "name": EVIL })).await.expect(400);
    let name = json!({ "email": "evil@h.example", "name": "<b onclick=alert(1)>Eve</b>" });
    visitor.user.post(&format!("{WIDGET}/contact"), name).await.expect(200);
    // A file that would run is not taken, whatever it is called.
    for (name, bytes) in [
        ("a.html", "<script>alert(1)</script>"),
        ("a.svg", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("a.exe", "MZ"),
        ("a.png", "<html><script>alert(1)</script>"),
        ("../../a.js", "alert(1)"),
    ] {
        let path = format!("{WIDGET}/files");
        let reply = crate::files::send(&visitor.user, "POST", &path, &[("file", name, bytes)]).await;
        assert!(matches!(reply.status, 400 | 201), "{name}: {} {}", reply.status, reply.text());
        if reply.status == 201 {
            let url = text(&reply.json(), "url");
            let at = format!("/files/{}", url.split_once("/files/").unwrap().1);
            let served = desk.server.anybody().get(&at).await.expect(200);
            assert!(served.header("content-security-policy").unwrap().contains("sandbox"), "{name}");
            assert_eq!(served.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(name, "a.png");
        }
    }
    // What an app sends is made harmless on its way to the visitor.
    let mut evil = desk.on_chat("Hi");
    evil["richText"] = json!(format!("<p onmouseover=evil()>Hi {EVIL}<a href='javascript:evil()'>x</a></p>"));
    desk.send(&id, evil).await;
    let page = visitor.messages(&id, "").await;
    let rich = text(&page["results"][1], "richText");
    for bad in ["script", "onerror", "onmouseover", "javascript"] {
        assert!(!rich.contains(bad), "{rich}");
    }
}

#[tokio::test]
async fn nonsense_is_refused_and_breaks_nothing() {
    let desk = open().await;
    let visitor = Visitor::on(&desk).await;
    let id = thread(&visitor.says("Hello").await);
    let sessions = format!("{WIDGET}/{}/sessions", desk.portal.id);
    for body in ["", "[]", "{", "null", "\"x\"", r#"{"accountId":{}}"#, r#"{"accountId":"1","session":5}"#] {
        let reply = desk.server.anybody().send("POST", &sessions, body.to_owned()).await;
        assert!(matches!(reply.status, 400 | 404), "{body}: {} {}", reply.status, reply.text());
    }
    for portal in ["0", "x", "-1", "99999999999999999999", "7'--", "%00"] {
        let reply = desk
            .server
            .anybody()
            .post(&format!("{WIDGET}/{portal}/sessions"), json!({ "accountId": 1 }))
            .await;
        assert_eq!(reply.status, 404, "{portal}");
        desk.server
            .anybody()
            .get(&format!("{WIDGET}/{portal}/config?url=https://a.example/"))
            .await
            .expect(404);
    }
    for (method, path, _) in calls(&id) {
        if method == "GET" {
            continue;
        }
        for body in [
            "",
            "[]",
            "{",
            r#"{"text":5}"#,
            r#"{"clientId":[]}"#,
            r#"{"typing":"maybe"}"#,
            r#"{"messageId":{}}"#,
        ] {
            let reply = visitor.user.send(method, &path, body.to_owned()).await;
            assert_eq!(reply.status, 400, "{method} {path} {body}: {}", reply.text());
        }
    }
    let nul = r#"{"text":"a\u0000b","clientId":"6f9619ff-8b86-4d01-b42d-00cf4fc964ff"}"#;
    visitor.user.send("POST", &format!("{WIDGET}/messages"), nul.to_owned()).await.expect(400);
    for after in ["x", "-5x", "99999999999999999999"] {
        visitor.user.get(&format!("{WIDGET}/events?after={after}")).await.expect(400);
    }
    let lost = visitor.user.clone().with("last-event-id", "x").get(&format!("{WIDGET}/events")).await;
    assert_eq!(lost.status, 400);
}

//! Who may call: tokens in every header, what they lack, when they end, and how often they may be used.

use std::time::Duration;

use antiphon::middleware::Peer;
use antiphon_testkit::{Reply, TestServer, User, request};
use serde_json::{Value, json};

use crate::kit::{Desk, V3, error, prefixes, text};

const UNAUTHENTICATED: &str = "Authentication credentials not found.";

async fn with_headers(server: &TestServer, headers: &[(&'static str, &str)]) -> Reply {
    let mut sent = request("GET", &format!("{V3}/threads?hapikey=secret"));
    for (name, value) in headers {
        sent.headers_mut().append(*name, value.parse().unwrap());
    }
    server.send(&Peer::default(), sent).await
}

#[tokio::test]
async fn tokens_come_in_three_headers() {
    let desk = Desk::open().await;
    let token = desk
        .make("tokens", json!({ "label": "x", "appId": desk.portal.app, "scopes": ["conversations.read"] }))
        .await;
    let token = text(&token, "token");
    let bearer = format!("Bearer {token}");
    for (headers, status) in [
        (vec![("authorization", bearer.clone())], 200),
        (vec![("authorization", format!("bearer {token}"))], 200),
        (vec![("authorization", format!("BEARER   {token}  "))], 200),
        (vec![("private-app", token.clone())], 200),
        (vec![("private-app-legacy", token.clone())], 200),
        (vec![("private-app", format!(" {token} "))], 200),
        (vec![("authorization", "Bearer wrong".into()), ("private-app", token.clone())], 401),
        (vec![("authorization", format!("Basic {token}"))], 401),
        (vec![("authorization", token.clone())], 401),
        (vec![("authorization", "Bearer".into())], 401),
        (vec![("authorization", "Bearer ".into())], 401),
        (vec![("authorization", String::new()), ("private-app", token.clone())], 401),
        (vec![("private-app", "wrong".into())], 401),
        (vec![("hapikey", token.clone())], 401),
        (vec![], 401),
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let reply = with_headers(&desk.server, &headers).await;
        assert_eq!(reply.status, status, "{headers:?}: {}", reply.text());
        if status == 401 {
            assert_eq!(reply.header("x-hubspot-auth-failure"), Some("401 Unauthorized"));
            let body = error(&reply);
            assert!(text(&body, "message").starts_with(UNAUTHENTICATED), "{body}");
            assert_eq!(
                (&body["status"], &body["category"]),
                (&json!("error"), &json!("INVALID_AUTHENTICATION"))
            );
            assert!(reply.header("x-hubspot-ratelimit-max").is_none());
        } else {
            assert!(reply.header("x-hubspot-auth-failure").is_none());
        }
    }
}

#[tokio::test]
async fn scopes_do_not_imply_each_other() {
    let desk = Desk::open().await;
    let thread = desk.chat("ines").await;
    let reader = desk.portal.read_only().await;
    let writer = desk.portal.user(&["conversations.write"]).await;
    for prefix in prefixes() {
        for (method, path, scope) in [
            ("GET", "/threads".to_owned(), "conversations.read"),
            ("HEAD", "/threads".into(), "conversations.read"),
            ("GET", format!("/threads/{thread}/messages"), "conversations.read"),
            ("GET", "/inboxes".into(), "conversations.read"),
            ("POST", "/actors/batch/read".into(), "conversations.read"),
            ("PATCH", format!("/threads/{thread}"), "conversations.write"),
            ("DELETE", format!("/threads/{thread}"), "conversations.write"),
            ("PUT", format!("/threads/{thread}/assignee"), "conversations.write"),
            ("POST", format!("/threads/{thread}/assignee"), "conversations.write"),
            ("DELETE", format!("/threads/{thread}/assignee"), "conversations.write"),
            ("POST", format!("/threads/{thread}/messages"), "conversations.write"),
        ] {
            let other = if scope == "conversations.read" { &writer } else { &reader };
            // Whatever else is wrong comes later.
            let refused = other.send(method, &format!("{prefix}{path}"), "{broken").await.expect(403);
            if method == "HEAD" {
                continue;
            }
            let body = error(&refused);
            assert!(
                text(&body, "message")
                    .starts_with("This app hasn't been granted all required scopes to make this call.")
            );
            assert_eq!(body["category"], "MISSING_SCOPES");
            assert!(
                text(&body["errors"][0], "message").contains("of th"),
                "one of the scopes is required: {body}"
            );
            assert_eq!(body["errors"][0]["context"], json!({ "requiredGranularScopes": [scope] }));
            assert!(text(&body["links"], "scopes").starts_with("http"));
        }
    }
    let batch = json!({ "inputs": ["S-hubspot"] });
    reader.post(&format!("{V3}/actors/batch/read"), batch).await.expect(200);
    writer
        .post(&format!("{V3}/threads/{thread}/messages"), json!({ "type": "COMMENT", "text": "x" }))
        .await
        .expect(201);
}

#[tokio::test]
async fn tokens_end() {
    let desk = Desk::open().await;
    let ends = "2026-03-01T08:00:10Z";
    let token = desk.make("tokens", json!({ "label": "x", "appId": desk.portal.app, "scopes": ["conversations.read"], "expiresAt": ends })).await;
    let user = desk.server.user(&text(&token, "token"));
    let path = format!("{V3}/threads");
    user.get(&path).await.expect(200);
    desk.server.advance(Duration::from_secs(10));
    for (more, ago) in [
        (1, "1 second(s)"),
        (58, "59 second(s)"),
        (1, "1 minute(s)"),
        (3600, "1 hour(s)"),
        (48 * 3600, "2 day(s)"),
    ] {
        desk.server.advance(Duration::from_secs(more));
        let refused = user.get(&path).await.expect(401);
        assert_eq!(refused.header("x-hubspot-auth-failure"), Some("401 Unauthorized"));
        assert_eq!(
            error(&refused),
            json!({ "status": "error", "category": "EXPIRED_AUTHENTICATION",
                    "message": format!("The OAuth token used to make this call expired {ago} ago.") })
        );
    }
}

#[tokio::test]
async fn what_is_withdrawn_ends_with_the_next_request() {
    let desk = Desk::open().await;
    let app = desk.make("apps", json!({ "name": "Exporter" })).await;
    let token = desk
        .make("tokens", json!({ "label": "x", "appId": app["id"], "scopes": ["conversations.read"] }))
        .await;
    let user = desk.server.user(&text(&token, "token"));
    let path = format!("{V3}/threads");
    user.get(&path).await.expect(200);
    desk.edit(&format!("apps/{}", text(&app, "id")), json!({ "active": false })).await;
    assert_eq!(user.get(&path).await.expect(403).json()["category"], "BANNED");
    desk.edit(&format!("apps/{}", text(&app, "id")), json!({ "active": true })).await;
    user.get(&path).await.expect(200);
    desk.user.delete(&format!("/antiphon/v1/tokens/{}", text(&token, "id"))).await.expect(204);
    assert_eq!(user.get(&path).await.expect(401).json()["category"], "INVALID_AUTHENTICATION");
}

async fn limited(per_window: u32, per_day: u64) -> (Desk, User) {
    let server = TestServer::configured(|config| {
        config.limits.enabled = true;
        config.limits.per_ten_seconds = per_window;
        config.limits.per_day = per_day;
    })
    .await;
    let desk = Desk::on(&server).await;
    let user = desk.portal.read_only().await;
    (desk, user)
}

fn number(reply: &Reply, name: &str) -> i64 {
    reply.header(name).unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
}

#[tokio::test]
async fn ten_seconds_roll() {
    let (desk, user) = limited(3, 100).await;
    let path = format!("{V3}/threads");
    for left in [2, 1, 0] {
        let reply = user.get(&path).await.expect(200);
        for (name, value) in [
            ("max", 3),
            ("remaining", left),
            ("interval-milliseconds", 10_000),
            ("daily", 100),
            ("daily-remaining", 97 + left),
            ("secondly", 1),
        ] {
            assert_eq!(number(&reply, &format!("x-hubspot-ratelimit-{name}")), value, "{name}");
        }
        assert!(reply.header("x-hubspot-ratelimit-secondly-remaining").is_some());
    }
    for _ in 0..3 {
        let refused = user.get(&path).await.expect(429);
        assert!((1..=10).contains(&number(&refused, "retry-after")));
        assert_eq!(number(&refused, "x-hubspot-ratelimit-remaining"), 0);
        assert_eq!(
            number(&refused, "x-hubspot-ratelimit-daily-remaining"),
            97,
            "what is refused costs nothing"
        );
        let mut body = error(&refused);
        assert_eq!(
            body.as_object_mut().unwrap().remove("groupName"),
            Some(Value::from(format!(
                "publicapi:private_app-api-calls-ten-secondly:{}:{}",
                desk.portal.app, desk.portal.id
            )))
        );
        assert_eq!(
            body,
            json!({ "status": "error", "message": "You have reached your ten_secondly_rolling limit.", "errorType": "RATE_LIMIT",
                    "category": "RATE_LIMITS", "policyName": "TEN_SECONDLY_ROLLING" })
        );
    }
    // Another token has a window of its own; what comes before the limit is not told of it.
    desk.portal.read_only().await.get(&path).await.expect(200);
    user.get(&format!("{V3}/nothing")).await.expect(404);
    user.post(&path, json!({})).await.expect(405);
    user.delete(&format!("{V3}/threads/1")).await.expect(403);
    user.get(&format!("{V3}/threads?limit=0")).await.expect(429);
}

#[tokio::test]
async fn days_have_a_limit_for_the_whole_portal() {
    let (desk, user) = limited(100, 2).await;
    let path = format!("{V3}/threads");
    user.get(&path).await.expect(200);
    desk.portal.read_only().await.get(&path).await.expect(200);
    let refused = user.get(&path).await.expect(429);
    let body = error(&refused);
    assert_eq!(
        (&body["message"], &body["policyName"], &body["errorType"], &body["category"]),
        (
            &json!("You have reached your daily limit."),
            &json!("DAILY"),
            &json!("RATE_LIMIT"),
            &json!("RATE_LIMITS")
        )
    );
    let wait = number(&refused, "retry-after");
    assert!((1..=86_400).contains(&wait), "{wait}");
    assert_eq!(number(&refused, "x-hubspot-ratelimit-daily-remaining"), 0);
}

#[tokio::test]
async fn checks_come_in_the_order_of_the_contract() {
    let desk = Desk::open().await;
    let reader = desk.portal.read_only().await;
    let stranger = desk.server.user("wrong");
    let thread = desk.chat("ines").await;
    // Route, method, token, scope, query and path, body, look-up, rules.
    stranger.send("POST", &format!("{V3}/nothing"), "{").await.expect(404);
    stranger.send("POST", &format!("{V3}/threads"), "{").await.expect(405);
    stranger.send("POST", &format!("{V3}/threads/x/messages"), "{").await.expect(401);
    reader.send("POST", &format!("{V3}/threads/x/messages"), "{").await.expect(403);
    desk.user.send("POST", &format!("{V3}/threads/x/messages"), "{").await.expect(404);
    desk.user.send("POST", &format!("{V3}/threads/999/messages"), "{").await.expect(400);
    desk.user.send("POST", &format!("{V3}/threads/999/messages"), "{}").await.expect(404);
    desk.user.send("POST", &format!("{V3}/threads/{thread}/messages"), "{}").await.expect(400);
    desk.user.send("PATCH", &format!("{V3}/threads/999?archived=x"), "{").await.expect(400);
}

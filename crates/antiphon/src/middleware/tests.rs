//! The whole pass, from a request to its response, on a real store and without a socket.

use std::io::Write;

use antiphon_store::{Changes, DirectoryChange, Moment, PortalId, Quota, State, Store, Target, Token};
use antiphon_testkit::Home;
use flate2::write::GzEncoder;
use http::HeaderMap;
use http_body_util::{BodyExt, Full};
use serde_json::Value;

use super::*;
use crate::config::Config;
use crate::serve::settings;
use crate::testing;

const THREADS: &str = "/conversations/v3/conversations/threads";
const FULL: &str = "pat-full";
const READ: &str = "pat-read";
const EXPIRED: &str = "pat-expired";
const REVOKED: &str = "pat-revoked";
const BANNED: &str = "pat-banned";

struct World {
    app: Arc<App>,
    _home: Home,
}

struct Seen {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Seen {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl World {
    async fn new(change: impl FnOnce(&mut Config)) -> Self {
        let home = Home::new();
        let mut config = testing::config(&home);
        change(&mut config);
        let store = Store::open(settings(&config)).unwrap();
        let portal =
            store.portal_create(Some(PortalId(1)), "P".into(), "UTC".into(), Quota::default()).await.unwrap();
        let portal = portal.unwrap().id;
        let now = store.now();
        let rule = move |_: &State, moment: &mut Moment| {
            let mut changes = Changes::default();
            let mut apps = Vec::new();
            for active in [true, false] {
                let id = moment.app_id();
                apps.push(id);
                changes.directory.push(DirectoryChange::App(antiphon_store::App {
                    id,
                    name: "Bridge".into(),
                    avatar: None,
                    client_secret: String::new(),
                    developer_key: String::new(),
                    user_id: None,
                    old_secret: None,
                    old_key: None,
                    active,
                    created_at: now,
                }));
            }
            for token in [FULL, READ, EXPIRED, REVOKED, BANNED] {
                let scopes = if token == READ { &Scope::ALL[..1] } else { &Scope::ALL[..] };
                changes.directory.push(DirectoryChange::Token(Token {
                    hash: token::hash(token),
                    portal_id: portal,
                    app_id: apps[usize::from(token == BANNED)],
                    label: String::new(),
                    scopes: scopes.iter().map(|scope| scope.name().into()).collect(),
                    created_at: now,
                    expires_at: (token == EXPIRED).then_some(now - 130_000),
                    revoked_at: (token == REVOKED).then_some(now),
                    grant_id: None,
                    deleted_at: None,
                }));
            }
            Ok::<_, ()>(changes)
        };
        store.change(portal, Target::Directory, rule).await.unwrap().unwrap();
        let app = Arc::new(App::new(store, config, "http://inbox.test".into()).unwrap());
        Self { app, _home: home }
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Seen {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response =
            handle(&self.app, &Peer::default(), request.body(Full::new(body.into())).unwrap()).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let seen = Seen { status: head.status.as_u16(), headers: head.headers, body };
        assert_eq!(seen.header("x-hubspot-correlation-id"), seen.header("x-request-id"));
        assert_eq!(seen.header("vary"), "Origin");
        assert_eq!(seen.header("cache-control"), "no-store");
        if seen.status >= 400 && method != "HEAD" {
            assert_eq!(seen.json()["correlationId"], seen.header("x-request-id"));
            assert_eq!(seen.json()["status"], "error");
        }
        seen
    }

    async fn as_token(&self, token: &str, method: &str, path: &str) -> Seen {
        self.ask(method, path, &[("authorization", &format!("Bearer {token}"))], Bytes::new()).await
    }
}

#[tokio::test]
async fn tokens_are_told_apart() {
    let world = World::new(|_| {}).await;
    for (headers, status, category) in [
        (&[][..], 401, "INVALID_AUTHENTICATION"),
        (&[("authorization", "Bearer nobody")], 401, "INVALID_AUTHENTICATION"),
        (&[("authorization", "Bearer pat-revoked")], 401, "INVALID_AUTHENTICATION"),
        (&[("authorization", "Bearer pat-expired")], 401, "EXPIRED_AUTHENTICATION"),
        (&[("authorization", "Bearer pat-banned")], 403, "BANNED"),
        (&[("authorization", "bearer  pat-read ")], 200, ""),
        (&[("private-app", "pat-read")], 200, ""),
        (&[("private-app-legacy", "pat-read")], 200, ""),
        (&[("authorization", "Basic x"), ("private-app", "pat-read")], 401, "INVALID_AUTHENTICATION"),
    ] {
        let seen = world.ask("GET", THREADS, headers, "").await;
        assert_eq!(seen.status, status, "{headers:?}");
        if status != 200 {
            assert_eq!(seen.json()["category"], category);
        }
        assert_eq!(
            seen.header("x-hubspot-auth-failure"),
            if status == 401 { "401 Unauthorized" } else { "" }
        );
    }
    let expired = world.as_token(EXPIRED, "GET", THREADS).await.json();
    assert_eq!(expired["message"], "The OAuth token used to make this call expired 2 minute(s) ago.");
}

#[tokio::test]
async fn a_hapikey_opens_nothing() {
    let world = World::new(|_| {}).await;
    assert_eq!(world.ask("GET", &format!("{THREADS}?hapikey={FULL}"), &[], "").await.status, 401);
}

#[tokio::test]
async fn checks_come_in_the_order_of_the_contract() {
    let world = World::new(|_| {}).await;
    // Each request breaks everything from its row on, and only the first of it is reported.
    let nowhere = "/conversations/v4/threads?limit=x";
    let messages = "/conversations/v3/conversations/threads/abc/messages";
    for (method, path, token, status) in [
        ("BREW", nowhere, "", 404),
        ("BREW", messages, "", 405),
        ("POST", messages, "", 401),
        ("POST", messages, READ, 403),
        ("POST", messages, FULL, 415),
    ] {
        let headers = [
            ("authorization", &*format!("Bearer {token}")),
            ("content-type", "multipart/form-data; boundary=x"),
        ];
        assert_eq!(world.ask(method, path, &headers, "x").await.status, status, "{method} {path}");
    }
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let world = World::new(|_| {}).await;
    let seen = world.as_token(READ, "DELETE", &format!("{THREADS}/1")).await;
    assert_eq!(seen.status, 403);
    let envelope = seen.json();
    assert_eq!(envelope["category"], "MISSING_SCOPES");
    assert_eq!(envelope["errors"][0]["context"]["requiredGranularScopes"][0], "conversations.write");
    assert!(envelope["links"]["scopes"].as_str().unwrap().starts_with("http://inbox.test/docs"));
}

#[tokio::test]
async fn methods_follow_from_the_table() {
    let world = World::new(|_| {}).await;
    let seen = world.ask("OPTIONS", &format!("{THREADS}/1/"), &[("origin", "https://evil.test")], "").await;
    assert_eq!((seen.status, seen.header("allow")), (204, "GET, HEAD, PATCH, DELETE, OPTIONS"));
    assert!(
        seen.headers.get("content-type").is_none() && seen.header("access-control-allow-origin").is_empty()
    );

    let get = world.as_token(FULL, "GET", THREADS).await;
    let head = world.as_token(FULL, "HEAD", THREADS).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    assert_eq!(head.header("content-type"), "application/json;charset=utf-8");

    let put = world.as_token(FULL, "PUT", THREADS).await;
    assert_eq!((put.status, put.header("allow")), (405, "GET, HEAD, OPTIONS"));
}

#[tokio::test]
async fn only_listed_origins_may_read() {
    let world = World::new(|config| config.server.origins = vec!["https://app.test".into()]).await;
    let seen = world.ask("OPTIONS", THREADS, &[("origin", "https://app.test")], "").await;
    assert_eq!(seen.header("access-control-allow-origin"), "https://app.test");
    assert!(seen.header("access-control-allow-headers").contains("Authorization"));
    let seen = world.ask("OPTIONS", THREADS, &[("origin", "https://app.test.evil")], "").await;
    assert_eq!(seen.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn bodies_are_bounded_and_unpacked() {
    let world = World::new(|_| {}).await;
    let path = "/conversations/v3/conversations/actors/batch/read";
    let bearer = ("authorization", "Bearer pat-full");
    let body = r#"{"inputs":["S-hubspot"]}"#;
    let gzip = |plain: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    };
    let packed = [bearer, ("content-encoding", "gzip")];
    assert_eq!(world.ask("POST", path, &[bearer], body).await.status, 200);
    assert_eq!(world.ask("POST", path, &packed, gzip(body.as_bytes())).await.status, 200);
    assert_eq!(world.ask("POST", path, &packed, body).await.status, 400);
    let large = " ".repeat(300 << 10);
    assert_eq!(world.ask("POST", path, &[bearer], large.clone()).await.status, 413);
    assert_eq!(world.ask("POST", path, &packed, gzip(large.as_bytes())).await.status, 413);
    let form = [bearer, ("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(world.ask("POST", path, &form, body).await.status, 415);
    assert_eq!(world.ask("GET", THREADS, &form, "whatever").await.status, 200);
}

#[tokio::test]
async fn long_request_lines_are_refused() {
    let world = World::new(|_| {}).await;
    let line = format!("{THREADS}?x={}", "a".repeat(16 << 10));
    let seen = world.as_token(FULL, "GET", &line).await;
    assert_eq!((seen.status, seen.json()["category"].as_str()), (414, Some("VALIDATION_ERROR")));
}

#[tokio::test]
async fn limits_count_and_tell() {
    let world = World::new(|config| {
        config.limits.enabled = true;
        config.limits.per_ten_seconds = 3;
    })
    .await;
    let left = |seen: &Seen| seen.header("x-hubspot-ratelimit-remaining").to_owned();
    assert_eq!(left(&world.as_token(READ, "GET", THREADS).await), "2");
    assert_eq!(left(&world.as_token(READ, "DELETE", &format!("{THREADS}/1")).await), "2");
    assert_eq!(left(&world.as_token(READ, "GET", THREADS).await), "1");
    assert_eq!(left(&world.as_token(READ, "GET", THREADS).await), "0");
    let refused = world.as_token(READ, "GET", THREADS).await;
    assert_eq!((refused.status, left(&refused).as_str()), (429, "0"));
    assert_eq!(refused.header("x-hubspot-ratelimit-interval-milliseconds"), "10000");
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=10).contains(&wait));
    let envelope = refused.json();
    assert_eq!(envelope["policyName"], "TEN_SECONDLY_ROLLING");
    assert_eq!(envelope["message"], "You have reached your ten_secondly_rolling limit.");
    assert_eq!(
        (envelope["errorType"].as_str(), envelope["category"].as_str()),
        (Some("RATE_LIMIT"), Some("RATE_LIMITS"))
    );
    // Another token has a window of its own, and the day is the portal's.
    let other = world.as_token(FULL, "GET", THREADS).await;
    assert_eq!((other.status, left(&other).as_str()), (200, "2"));
    assert_eq!(other.header("x-hubspot-ratelimit-daily-remaining"), "999996");
    assert!(world.ask("GET", "/healthz", &[], "").await.header("x-hubspot-ratelimit-max").is_empty());
}

#[tokio::test]
async fn links_name_the_host_that_the_client_used() {
    let world = World::new(|config| config.public_url = String::new()).await;
    let ask = |headers: &'static [(&'static str, &'static str)], peer: Peer| {
        let mut request = Request::builder().uri(THREADS);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        origin::of(&world.app, &peer, &request.body(()).unwrap().into_parts().0)
    };
    let trusted = Peer { trusted: true, ..Peer::default() };
    let secure = Peer { secure: true, ..Peer::default() };
    let forwarded =
        &[("host", "a"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "inbox.example, b")];
    assert_eq!(ask(&[("host", "localhost:8085")], Peer::default()), "http://localhost:8085");
    assert_eq!(ask(&[("host", "a")], secure), "https://a");
    assert_eq!(ask(forwarded, trusted), "https://inbox.example");
    assert_eq!(ask(forwarded, Peer::default()), "http://a");
    assert_eq!(ask(&[("host", "a\"><b")], Peer::default()), "http://inbox.test");
    assert_eq!(ask(&[], Peer::default()), "http://inbox.test");
}

#[tokio::test]
async fn a_door_that_panics_hurts_nobody_else() {
    let answered: Answered = Box::pin(async { panic!("slammed") });
    assert_eq!(guarded(answered).await.unwrap_err(), Refusal::Internal("a door panicked: slammed".into()));
}

#[tokio::test]
async fn figures_are_kept_by_route() {
    let world = World::new(|_| {}).await;
    world.as_token(FULL, "GET", THREADS).await;
    world.ask("GET", "/nope", &[], "").await;
    let page = world.ask("GET", "/metrics", &[], "").await;
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    for line in [
        "antiphon_requests_total{method=\"GET\",route=\"/conversations/v3/conversations/threads\",status=\"200\"} 1",
        "antiphon_requests_total{method=\"\",route=\"\",status=\"404\"} 1",
        "antiphon_request_duration_seconds_count{method=\"\",route=\"\"} 1",
        "antiphon_writer_changes_total",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn health_and_the_files_of_pages_are_answered_however_late_it_is() {
    let world = World::new(|_| {}).await;
    let long_ago = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
    lag::watch(Duration::ZERO, long_ago);
    for (path, spared) in [
        ("/healthz", true),
        ("/readyz", true),
        ("/metrics", true),
        ("/1.js", true),
        ("/widget/loader.js", true),
        ("/widget/loader.css", true),
        ("/widget/assets/main-01234567.js", true),
        ("/inbox", true),
        ("/inbox/threads/7", true),
        ("/", false),
        ("/openapi.json", false),
        ("/widget/v1/threads", false),
        ("/widget/v1/1/config", false),
        ("/nowhere.js.map", false),
        (THREADS, false),
    ] {
        let request = Request::get(path).body(Full::new(Bytes::new())).unwrap();
        let response = handle(&world.app, &Peer::default(), request).await;
        assert_eq!(response.status() == 503, !spared, "{path}: {}", response.status());
    }
}

//! Other websites, and whoever stands behind them: what a browser sends for them opens nothing, and nothing of ours stands in
//! a frame of theirs.

use antiphon::middleware::handle;
use antiphon::routes::{Entry, Family, OPERATIONS, Routes, Verb};
use antiphon_testkit::{PASSWORD, Reply, TestServer, User};
use serde_json::json;

use crate::kit::Desk;
use crate::widget;

const SESSION: &str = "/antiphon/v1/session";

/// A path with something in the place of every parameter.
pub fn filled(template: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "1".to_owned() } else { part.to_owned() };
    template.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Whether a request was refused because another page may have made it.
fn is_foreign(reply: &Reply) -> bool {
    reply.status == 403 && reply.text().contains("has to come from a page of this server")
}

/// How a browser may be had to send something: what is wrong with it, and how it is then sent.
fn forged(user: &User, others: &str) -> Vec<(&'static str, User)> {
    let plain = || user.clone();
    let from = |origin: &str| plain().without("origin").with("origin", origin);
    vec![
        ("no header", plain().without("x-antiphon-csrf")),
        ("an empty header", plain().without("x-antiphon-csrf").with("x-antiphon-csrf", "")),
        ("the header of another session", plain().without("x-antiphon-csrf").with("x-antiphon-csrf", others)),
        ("another origin", from("https://evil.example")),
        ("an origin that begins like ours", from("http://inbox.test.evil.example")),
        ("an origin that ends like ours", from("http://evil-inbox.test")),
        ("another port of ours", from("http://inbox.test:8443")),
        ("a page without an origin", from("null")),
        ("no origin", plain().without("origin")),
        ("a neighbour", plain().with("sec-fetch-site", "same-site")),
        ("a stranger", plain().with("sec-fetch-site", "cross-site")),
        ("an address that was typed", plain().without("origin").with("sec-fetch-site", "none")),
    ]
}

#[tokio::test]
async fn no_operation_that_writes_is_done_for_another_page() {
    let desk = Desk::open().await;
    let mut user = desk.portal.signed_in("ADMIN").await;
    let other = desk.portal.colleague("Tom", "ADMIN").await;
    let others = other.get(SESSION).await.expect(200).json()["csrf"].as_str().unwrap().to_owned();
    let before = desk.position().await;
    let routes = Routes::new().unwrap();
    let (mut tried, mut known) = (0, std::collections::HashSet::new());
    for mounted in routes.mounted() {
        for leaf in &mounted.leaves {
            let operation = leaf.operation;
            let by_session = !matches!(operation.entry, Entry::Open | Entry::Address | Entry::Visitor);
            if operation.verb == Verb::Get || !by_session {
                continue;
            }
            let path = filled(&mounted.template);
            // All versions of an operation are one, but for the way to it.
            let ways = if known.insert(operation.id) { usize::MAX } else { 1 };
            for (what, forged) in forged(&user, &others).into_iter().take(ways) {
                let reply = forged.send(operation.verb.name(), &path, "{}").await;
                assert!(
                    is_foreign(&reply),
                    "{} {path}, {what}: {} {}",
                    operation.verb.name(),
                    reply.status,
                    reply.text()
                );
                assert!(reply.cookies().is_empty(), "{path}");
            }
            tried += 1;
        }
    }
    assert!(tried > 200, "{tried}");
    assert_eq!(desk.position().await, before, "nothing has happened");
    // Our own page gets through the same doors.
    for mounted in routes.mounted() {
        for leaf in &mounted.leaves {
            let operation = leaf.operation;
            if operation.verb == Verb::Get
                || matches!(operation.entry, Entry::Open | Entry::Address | Entry::Visitor)
            {
                continue;
            }
            let reply = user.send(operation.verb.name(), &filled(&mounted.template), "{}").await;
            assert!(!is_foreign(&reply), "{} {}: {}", operation.verb.name(), mounted.template, reply.text());
            assert!(reply.status < 500, "{}: {}", mounted.template, reply.text());
            if operation.id == "session.end" {
                user = desk.portal.signed_in("ADMIN").await;
            }
        }
    }
}

/// What needs no session could still sign somebody in as somebody else.
#[tokio::test]
async fn another_page_signs_nobody_in() {
    let desk = Desk::open().await;
    desk.portal.signed_in("ADMIN").await;
    let mut tried = Vec::new();
    for operation in OPERATIONS.iter().flat_map(|family| family.iter()) {
        if operation.family != Family::Own || operation.entry != Entry::Open || operation.verb == Verb::Get {
            continue;
        }
        let path = format!("/antiphon/v1{}", operation.path);
        let body =
            json!({ "email": "mia@acme.example", "password": PASSWORD, "token": "1.1.x", "name": "x" });
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let reply = desk.server.anybody().with(name, value).post(&path, body.clone()).await;
            assert!(is_foreign(&reply), "{path} {name} {value}: {} {}", reply.status, reply.text());
            assert!(reply.cookies().is_empty());
        }
        tried.push(operation.id);
    }
    for known in ["session.begin", "setup", "invitations.accept"] {
        assert!(tried.contains(&known), "{tried:?}");
    }
}

/// A browser asks for a WebSocket from anywhere, with cookies, and shows its page what is answered.
#[tokio::test]
async fn another_page_hears_nothing() {
    let desk = Desk::open().await;
    let user = desk.portal.signed_in("AGENT").await;
    let cookie = user.cookie();
    let opened = async |more: &[(&str, &str)]| {
        let mut request = http::Request::get("/antiphon/v1/events");
        for (name, value) in [
            ("host", "inbox.test"),
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("cookie", &cookie),
        ]
        .iter()
        .chain(more)
        {
            request = request.header(*name, *value);
        }
        let request = request.body(http_body_util::Full::new(bytes::Bytes::new())).unwrap();
        handle(desk.server.app(), &antiphon::middleware::Peer::default(), request).await.status().as_u16()
    };
    for (more, status) in [
        (&[("origin", "http://inbox.test")][..], 101),
        (&[], 403),
        (&[("origin", "https://evil.example")], 403),
        (&[("origin", "null")], 403),
        (&[("origin", "http://inbox.test.evil.example")], 403),
        (&[("origin", "http://inbox.test"), ("sec-fetch-site", "same-site")], 403),
    ] {
        assert_eq!(opened(more).await, status, "{more:?}");
    }
}

#[tokio::test]
async fn no_answer_may_be_read_with_cookies_from_elsewhere() {
    let server = TestServer::configured(|config| {
        config.server.origins = vec!["https://app.example".into()];
    })
    .await;
    let desk = Desk::on(&server).await;
    let user = desk.portal.signed_in("ADMIN").await;
    for origin in ["https://app.example", "https://evil.example", "null"] {
        for method in ["GET", "OPTIONS"] {
            let foreign = user.clone().without("origin").with("origin", origin);
            let reply = foreign.send(method, SESSION, "").await;
            assert_eq!(reply.header("access-control-allow-credentials"), None, "{method} {origin}");
            let names = reply.header("access-control-allow-headers").unwrap_or_default().to_lowercase();
            assert!(!names.contains("csrf") && !names.contains('*'), "{names}");
            let read = reply.header("access-control-allow-origin");
            assert_eq!(read, Some(origin).filter(|one| *one == "https://app.example"), "{method} {origin}");
        }
    }
}

#[tokio::test]
async fn every_page_says_who_may_frame_it_and_is_taken_for_nothing_else() {
    let server = TestServer::configured(|config| config.demo = true).await;
    let desk = Desk::on(&server).await;
    widget::set_up(&desk, json!({})).await;
    let browser = server.anybody().with("accept", "text/html,*/*;q=0.8");
    let routes = Routes::new().unwrap();
    // Scripts and styles are no pages.
    let file = |path: &str| path.ends_with(".js") || path.ends_with(".css");
    let mut paths: Vec<String> = antiphon::routes::pages()
        .filter(|page| !file(page.path))
        .map(|page| page.path.replace("{*path}", "x").replace("{portalId}", "1"))
        .collect();
    for mounted in routes.mounted() {
        if mounted.leaves.iter().any(|leaf| leaf.operation.or_page) {
            paths.push(filled(&mounted.template));
        }
    }
    paths.push(format!("/widget/{}/frame?account={}", desk.portal.id, desk.portal.chat));
    paths.push("/oauth/authorize?client_id=%3Cscript%3E&redirect_uri=javascript:alert(1)".into());
    let mut pages = 0;
    for path in &paths {
        let reply = browser.get(path).await;
        if !reply.header("content-type").unwrap_or_default().starts_with("text/html") {
            continue;
        }
        pages += 1;
        let policy = reply.header("content-security-policy").unwrap_or_default();
        let directive = |name: &str| policy.split(';').map(str::trim).find_map(|one| one.strip_prefix(name));
        assert!(directive("frame-ancestors ").is_some(), "{path}: {policy}");
        assert!(directive("base-uri ") == Some("'none'"), "{path}: {policy}");
        let scripts = directive("script-src ").or_else(|| directive("default-src ")).unwrap_or_default();
        assert!(
            !scripts.is_empty() && !scripts.contains("unsafe") && !scripts.contains('*'),
            "{path}: {policy}"
        );
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert!(reply.header("referrer-policy").is_some(), "{path}");
        if directive("frame-ancestors ") == Some("'none'") {
            assert_eq!(reply.header("x-frame-options"), Some("DENY"), "{path}");
        } else {
            // What stands on others' pages, and the shop's own website.
            assert!(path.starts_with("/widget/") || path.starts_with("/demo"), "{path}: {policy}");
        }
    }
    assert!(pages >= 6, "{pages} of {paths:?}");
}

#[tokio::test]
async fn what_is_answered_is_what_it_says_it_is() {
    let desk = Desk::open().await;
    for path in
        ["/antiphon/v1/threads", "/nothing", "/openapi.json", "/metrics", "/healthz", SESSION, "/files/1/1/x"]
    {
        let reply = desk.user.get(path).await;
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path} {}", reply.status);
    }
}

//! What people see, as far as it is the program's own: who is sent where, and what is found nowhere. Whether the front end is
//! built makes no difference here.

use antiphon_testkit::TestServer;
use serde_json::json;

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

#[tokio::test]
async fn browsers_are_sent_to_the_inbox_and_programs_find_nothing() {
    let server = TestServer::start().await;
    let sent = server.anybody().with("accept", BROWSER).get("/").await.expect(302);
    assert_eq!(sent.header("location"), Some("/inbox/"));
    assert_eq!(sent.header("cache-control"), Some("no-store"));
    server.anybody().get("/").await.expect(404);
    server.anybody().with("accept", "application/json").get("/").await.expect(404);
}

#[tokio::test]
async fn every_place_of_the_inbox_is_one_page_that_nobody_frames() {
    let server = TestServer::start().await;
    let anybody = server.anybody();
    let first = anybody.get("/inbox/").await;
    for path in ["/inbox", "/inbox/threads/7", "/inbox/setup", "/inbox/../x", "/inbox/assets"] {
        let page = anybody.get(path).await;
        assert_eq!((page.status, page.text()), (first.status, first.text()), "{path}");
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        assert_eq!(page.header("x-frame-options"), Some("DENY"), "{path}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"), "{policy}");
    }
    if first.status != 200 {
        assert!(first.text().contains("cargo xtask ui"), "{}", first.text());
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let server = TestServer::start().await;
    let anybody = server.anybody();
    for path in [
        "/inbox/assets/gone-B1x_9zQa.js",
        "/inbox/.vite/manifest.json",
        "/inbox/../../Cargo.toml",
        "/inbox/%2e%2e/%2e%2e/package.json",
        "/inbox/a%00b.js",
        "/widget/assets/gone-B1x_9zQa.js",
        "/widget/assets/../loader.js",
        "/widget/assets/..%2floader.js",
        "/widget/assets",
        "/widget",
        "/shop.js",
        "/0.js",
        "/-1.js",
        "/99999999999999999999.js",
        "/.js",
        "/1.jsx",
        "/nothing",
        // The demo's alone.
        "/demo",
        "/demo/account",
        "/demo/site.css",
    ] {
        let reply = anybody.get(path).await.expect(404);
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
    }
}

#[tokio::test]
async fn pages_are_read_and_nothing_else() {
    let server = TestServer::start().await;
    for path in ["/inbox/", "/1.js", "/widget/loader.js", "/"] {
        let reply = server.anybody().post(path, json!({})).await.expect(405);
        assert_eq!(reply.header("allow"), Some("GET, HEAD, OPTIONS"), "{path}");
        let options = server.anybody().send("OPTIONS", path, "").await.expect(204);
        assert_eq!(options.header("allow"), Some("GET, HEAD, OPTIONS"), "{path}");
    }
    server.anybody().post("/nothing", json!({})).await.expect(404);
}

//! Passwords that are tried by somebody who knows none.

use std::net::IpAddr;

use antiphon::middleware::Peer;
use antiphon_testkit::{PASSWORD, Reply, TestServer};
use serde_json::{Value, json};

use crate::kit::Desk;

/// Sends something from an address.
async fn from(server: &TestServer, address: &str, path: &str, body: Value) -> Reply {
    let peer = Peer { address: Some(address.parse::<IpAddr>().unwrap()), ..Peer::default() };
    let request = http::Request::post(path)
        .header("content-type", "application/json")
        // What a client says of itself counts for nothing.
        .header("x-forwarded-for", format!("198.51.100.{}", body.to_string().len() % 250))
        .body(http_body_util::Full::new(bytes::Bytes::from(body.to_string())))
        .unwrap();
    server.send(&peer, request).await
}

/// Each password costs a core for a while, and each address that is tried a row: whoever tries ever others must not have
/// either for long.
#[tokio::test]
async fn whoever_tries_ever_other_addresses_has_to_wait_and_others_have_not() {
    let server = TestServer::configured(|config| config.limits.passwords_per_minute = 6).await;
    let desk = Desk::on(&server).await;
    desk.portal.signed_in("AGENT").await;
    let sign_in = "/antiphon/v1/session";
    let mut refused = Vec::new();
    for n in 0..12 {
        let body = json!({ "email": format!("nobody{n}@acme.example"), "password": "wrong horse" });
        let reply = from(&server, "203.0.113.5", sign_in, body).await;
        match reply.status {
            401 => assert!(n < 8, "{n}"),
            429 => refused.push(reply),
            other => panic!("{other}: {}", reply.text()),
        }
    }
    assert!(refused.len() >= 4, "{}", refused.len());
    let wait: i64 = refused[0].header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(refused[0].json()["category"], "RATE_LIMITS");
    let good = json!({ "email": "mia@acme.example", "password": PASSWORD });
    let invited = json!({ "token": "1.1.x", "password": PASSWORD });
    assert_eq!(from(&server, "203.0.113.5", sign_in, good.clone()).await.status, 429, "nor a right one");
    assert_eq!(from(&server, "203.0.113.5", "/antiphon/v1/invitations/accept", invited).await.status, 429);
    from(&server, "203.0.113.6", sign_in, good).await.expect(200);
}

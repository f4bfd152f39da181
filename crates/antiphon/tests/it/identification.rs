//! Visitors whom an app vouches for: tokens in every version, and who takes none of them.

use std::collections::BTreeSet;
use std::time::Duration;

use antiphon::operation::Family;
use antiphon_testkit::{TestServer, User};
use serde_json::{Value, json};

use crate::kit::{Desk, at, text};

const V3: &str = "/visitor-identification/v3/tokens/create";
const SCOPE: &str = "conversations.visitor_identification.tokens.create";
const HOUR: Duration = Duration::from_secs(3_600);

async fn token(user: &User, body: Value) -> String {
    let made = user.post(V3, body).await.expect(200).json();
    assert_eq!(made.as_object().unwrap().len(), 1, "the token, and nothing else");
    text(&made, "token")
}

fn ineke() -> Value {
    json!({ "email": "Ineke@harbour.example", "firstName": "Ineke", "lastName": "Vos",
            "hsCustomerAgentContext": { "berth": "4" } })
}

/// What the server says of a token.
async fn says(desk: &Desk, token: &str, email: Option<&str>) -> Value {
    let body = json!({ "token": token, "email": email });
    desk.user.post("/antiphon/v1/visitor-tokens/verify", body).await.expect(200).json()
}

fn flawed(flaw: &str) -> Value {
    json!({ "valid": false, "flaw": flaw })
}

#[tokio::test]
async fn every_version_and_the_alias_make_tokens() {
    let desk = Desk::open().await;
    let prefixes: Vec<_> = Family::Identification.prefixes().iter().map(|(prefix, _)| *prefix).collect();
    assert_eq!(prefixes.len(), 5);
    let mut tokens = BTreeSet::new();
    for prefix in &prefixes {
        for body in [ineke(), json!({ "email": " a@b.example " }), ineke()] {
            let made = desk.user.post(&format!("{prefix}/tokens/create"), body).await.expect(200).json();
            let token = text(&made, "token");
            assert!(
                token.len() <= 512 && token.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
            );
            assert_eq!(says(&desk, &token, None).await["valid"], true);
            tokens.insert(token);
        }
    }
    assert_eq!(tokens.len(), 3 * prefixes.len(), "each call makes a new one");
}

#[tokio::test]
async fn a_token_carries_what_was_said_for_twelve_hours() {
    let desk = Desk::open().await;
    let made = token(&desk.user, ineke()).await;
    let wanted = json!({
        "valid": true,
        "visitor": {
            "email": "Ineke@harbour.example", "firstName": "Ineke", "lastName": "Vos",
            "hsCustomerAgentContext": { "berth": "4" },
            "appId": desk.portal.app, "expiresAt": at(12 * 3_600_000),
        },
    });
    assert_eq!(says(&desk, &made, None).await, wanted);
    assert_eq!(says(&desk, &made, Some(" INEKE@harbour.example")).await, wanted);
    assert_eq!(says(&desk, &made, Some("omar@harbour.example")).await, flawed("OTHER_EMAIL"));
    desk.server.advance(12 * HOUR - Duration::from_millis(1));
    let later = token(&desk.user, json!({ "email": "a@b.example" })).await;
    assert_eq!(says(&desk, &made, None).await, wanted, "newer ones end no older one");
    desk.server.advance(Duration::from_millis(1));
    assert_eq!(says(&desk, &made, None).await, flawed("EXPIRED"));
    let bare = says(&desk, &later, None).await;
    assert_eq!(bare["visitor"]["hsCustomerAgentContext"], json!({}));
    assert_eq!(bare["visitor"].get("firstName"), None);
    // Nothing was written of anybody: names are, when a chat starts.
    assert_eq!(
        desk.user.get("/antiphon/v1/contacts?email=ineke@harbour.example").await.json()["results"],
        json!([])
    );
}

#[tokio::test]
async fn keys_are_rotated_without_ending_tokens_unless_they_are_to_end() {
    let desk = Desk::open().await;
    let rotate = async |body: Value| {
        desk.portal.operator().post("/antiphon/v1/keys/rotate", body).await.expect(201);
    };
    let first = token(&desk.user, ineke()).await;
    rotate(json!({})).await;
    desk.server.advance(Duration::from_secs(60));
    let app = desk.server.app();
    app.keys.refresh(&app.store).await.unwrap();
    let second = token(&desk.user, ineke()).await;
    for token in [&first, &second] {
        assert_eq!(says(&desk, token, None).await["valid"], true);
    }
    rotate(json!({ "atOnce": true })).await;
    assert_eq!(says(&desk, &second, None).await, flawed("FORGED"), "its key is gone");
}

#[tokio::test]
async fn a_token_is_nothing_elsewhere_and_nothing_that_was_changed_is_one() {
    let server = TestServer::start().await;
    let (desk, other) = (Desk::on(&server).await, Desk::on(&server).await);
    let made = token(&desk.user, ineke()).await;
    assert_eq!(says(&other, &made, None).await, flawed("FOREIGN"));
    let stranger = Desk::on(&TestServer::start().await).await;
    assert_eq!(says(&stranger, &made, None).await, flawed("FORGED"));
    let (head, tail) = made.split_at(made.len() / 2);
    let flipped = if tail.starts_with('A') { "B" } else { "A" };
    for forged in [
        format!("{head}{flipped}{}", &tail[1..]),
        format!("{made}AAAA"),
        head.into(),
        "x".into(),
        "\u{e9}".into(),
    ] {
        assert_eq!(says(&desk, &forged, None).await, flawed("FORGED"), "{forged}");
    }
    let empty =
        desk.user.post("/antiphon/v1/visitor-tokens/verify", json!({ "token": "" })).await.expect(400);
    assert_eq!(empty.problems(), ["token"]);
    // An app that may not act vouches for nobody any more.
    desk.edit(&format!("apps/{}", desk.portal.app), json!({ "active": false })).await;
    let body = json!({ "token": made });
    let path = "/antiphon/v1/visitor-tokens/verify";
    assert_eq!(desk.portal.operator().post(path, body).await.expect(200).json(), flawed("SUSPENDED"));
}

#[tokio::test]
async fn who_may_and_what_cannot_be() {
    let desk = Desk::open().await;
    let only = desk.portal.user(&[SCOPE]).await;
    only.post(V3, ineke()).await.expect(200);
    only.post("/antiphon/v1/visitor-tokens/verify", json!({ "token": "x" })).await.expect(403);
    let reply =
        desk.portal.user(&["conversations.read", "conversations.write"]).await.post(V3, ineke()).await;
    let reply = reply.expect(403).json();
    assert_eq!(reply["category"], "MISSING_SCOPES");
    assert_eq!(reply["errors"][0]["context"]["requiredGranularScopes"], json!([SCOPE]));
    desk.server.user("nonsense").post(V3, ineke()).await.expect(401);
    for (body, wrong) in [
        (json!({}), vec!["email"]),
        (json!({ "email": "harbour" }), vec!["email"]),
        (json!({ "email": "", "firstName": "x".repeat(300) }), vec!["email", "firstName"]),
        (
            json!({ "email": "a@b.example", "hsCustomerAgentContext": { "cart": "x".repeat(400) } }),
            vec!["hsCustomerAgentContext"],
        ),
    ] {
        let reply = only.post(V3, body).await.expect(400);
        assert_eq!(reply.json()["category"], "VALIDATION_ERROR");
        assert_eq!(reply.problems()[..wrong.len()], wrong);
    }
    let wrong = json!({ "email": "a@b.example", "hsCustomerAgentContext": ["x"] });
    assert!(only.post(V3, wrong).await.expect(400).text().contains("Invalid input JSON"));
}

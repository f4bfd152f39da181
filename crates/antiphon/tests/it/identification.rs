//! Visitors whom an app vouches for: tokens in every version, and who takes none of them.

use std::collections::{BTreeMap, BTreeSet};
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

/// The same with more to say than a token has room for.
fn laden() -> Value {
    let mut body = ineke();
    body["hsCustomerAgentContext"]["story"] = "Der Motor läuft, \"stottert\" aber.\n".repeat(100).into();
    body
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
        for body in [ineke(), json!({ "email": " a@b.example " }), ineke(), laden()] {
            let made = desk.user.post(&format!("{prefix}/tokens/create"), body).await.expect(200).json();
            let token = text(&made, "token");
            assert!(
                token.len() <= 512 && token.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
            );
            assert_eq!(says(&desk, &token, None).await["valid"], true);
            tokens.insert(token);
        }
    }
    assert_eq!(tokens.len(), 4 * prefixes.len(), "each call makes a new one");
}

#[tokio::test]
async fn a_token_carries_what_was_said_for_twelve_hours() {
    let desk = Desk::open().await;
    let mut made = Vec::new();
    for body in [ineke(), laden()] {
        let wanted = json!({
            "valid": true,
            "visitor": {
                "email": "Ineke@harbour.example", "firstName": "Ineke", "lastName": "Vos",
                "hsCustomerAgentContext": body["hsCustomerAgentContext"],
                "appId": desk.portal.app, "expiresAt": at(12 * 3_600_000),
            },
        });
        made.push((token(&desk.user, body).await, wanted));
    }
    for (made, wanted) in &made {
        assert_eq!(says(&desk, made, None).await, *wanted);
        assert_eq!(says(&desk, made, Some(" INEKE@harbour.example")).await, *wanted);
        assert_eq!(says(&desk, made, Some("omar@harbour.example")).await, flawed("OTHER_EMAIL"));
    }
    desk.server.advance(12 * HOUR - Duration::from_millis(1));
    let later = token(&desk.user, json!({ "email": "a@b.example" })).await;
    for (made, wanted) in &made {
        assert_eq!(says(&desk, made, None).await, *wanted, "newer ones end no older one");
    }
    desk.server.advance(Duration::from_millis(1));
    for (made, _) in &made {
        assert_eq!(says(&desk, made, None).await, flawed("EXPIRED"));
    }
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
    let both = async || [token(&desk.user, ineke()).await, token(&desk.user, laden()).await];
    let first = both().await;
    rotate(json!({})).await;
    desk.server.advance(Duration::from_secs(60));
    let app = desk.server.app();
    app.keys.refresh(&app.store).await.unwrap();
    let second = both().await;
    for token in first.iter().chain(&second) {
        assert_eq!(says(&desk, token, None).await["valid"], true);
    }
    rotate(json!({ "atOnce": true })).await;
    for token in &second {
        assert_eq!(says(&desk, token, None).await, flawed("FORGED"), "its key is gone");
    }
}

#[tokio::test]
async fn what_tokens_say_is_cleared_away_once_they_have_ended() {
    let desk = Desk::open().await;
    let cleared = async || {
        let app = desk.server.app();
        let done = antiphon::jobs::run_due(app, app.store.now()).await.unwrap();
        done.into_iter().find_map(|(job, done)| (job == "visitor-tokens").then_some(done)).unwrap()
    };
    let early = token(&desk.user, laden()).await;
    token(&desk.user, ineke()).await;
    desk.server.advance(HOUR);
    let late = token(&desk.user, laden()).await;
    desk.server.advance(11 * HOUR - Duration::from_millis(1));
    assert_eq!(says(&desk, &early, None).await["valid"], true);
    desk.server.advance(Duration::from_millis(1));
    assert_eq!(says(&desk, &early, None).await, flawed("EXPIRED"));
    assert_eq!(says(&desk, &late, None).await["valid"], true);
    // A session that began with a token goes on for a day, and may still ask what it said.
    desk.server.advance(24 * HOUR - Duration::from_millis(1));
    assert_eq!(cleared().await, 0);
    desk.server.advance(Duration::from_millis(1));
    assert_eq!((cleared().await, cleared().await), (1, 0), "what a token says itself takes no row");
    let late = token(&desk.user, laden()).await;
    // Without its row, as in a backup that is older than the token, it says nothing.
    let app = desk.server.app();
    let portal = antiphon_store::PortalId(desk.portal.id.parse().unwrap());
    assert_eq!(app.store.visitor_tokens_purge(portal, i64::MAX, 9).await.unwrap(), 2);
    assert_eq!(says(&desk, &late, None).await, flawed("FORGED"));
}

#[tokio::test]
async fn a_token_is_nothing_elsewhere_and_nothing_that_was_changed_is_one() {
    let server = TestServer::start().await;
    let (desk, other) = (Desk::on(&server).await, Desk::on(&server).await);
    let stranger = Desk::on(&TestServer::start().await).await;
    let made = [token(&desk.user, ineke()).await, token(&desk.user, laden()).await];
    for made in &made {
        assert_eq!(says(&other, made, None).await, flawed("FOREIGN"));
        assert_eq!(says(&stranger, made, None).await, flawed("FORGED"));
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
    }
    let empty =
        desk.user.post("/antiphon/v1/visitor-tokens/verify", json!({ "token": "" })).await.expect(400);
    assert_eq!(empty.problems(), ["token"]);
    // An app that may not act vouches for nobody any more.
    desk.edit(&format!("apps/{}", desk.portal.app), json!({ "active": false })).await;
    for made in &made {
        let body = json!({ "token": made });
        let path = "/antiphon/v1/visitor-tokens/verify";
        let told = desk.portal.operator().post(path, body).await.expect(200).json();
        assert_eq!(told, flawed("SUSPENDED"));
    }
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
            json!({ "email": "a@b.example", "hsCustomerAgentContext": { "cart": "x".repeat(8_001) } }),
            vec!["hsCustomerAgentContext"],
        ),
        (
            json!({ "email": "a@b.example",
                    "hsCustomerAgentContext": { "a": "x".repeat(8_000), "b": "x".repeat(8_000), "c": "x".repeat(8_000) } }),
            vec!["hsCustomerAgentContext"],
        ),
        (
            json!({ "email": "a", "hsCustomerAgentContext": (0..101).map(|n| (n.to_string(), "x")).collect::<BTreeMap<_, _>>() }),
            vec!["email", "hsCustomerAgentContext"],
        ),
    ] {
        let reply = only.post(V3, body).await.expect(400);
        assert_eq!(reply.json()["category"], "VALIDATION_ERROR");
        assert_eq!(reply.problems()[..wrong.len()], wrong);
    }
    let wrong = json!({ "email": "a@b.example", "hsCustomerAgentContext": ["x"] });
    assert!(only.post(V3, wrong).await.expect(400).text().contains("Invalid input JSON"));
}

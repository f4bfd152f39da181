//! Where an app is told of events and of which: who may say so, and every word of the answers.

use std::time::Duration;

use antiphon::middleware::Peer;
use antiphon::routes::Family;
use antiphon_testkit::{Connection, Home, Reply, TestServer, request};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::kit::{Desk, at, error, text};

const BINARY: &str = env!("CARGO_BIN_EXE_antiphon");

const TARGET: &str = "https://Bot.example.org/hooks?next=%2Fhome";

/// An app with its own secrets, and the path of its webhooks.
struct Owned {
    desk: Desk,
    id: String,
    key: String,
    base: String,
}

impl Owned {
    async fn new() -> Self {
        Self::on(&TestServer::start().await).await
    }

    async fn on(server: &TestServer) -> Self {
        let desk = Desk::on(server).await;
        let app = desk.make("apps", json!({ "name": "Bot" })).await;
        let (id, key) = (text(&app, "id"), text(&app, "developerKey"));
        Self { desk, base: format!("/webhooks/v3/{id}"), id, key }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let user = self.desk.server.user("").with("hapikey", &self.key);
        user.send(method, &format!("{}{path}", self.base), body).await
    }

    async fn subscribe(&self, body: Value) -> Value {
        self.send("POST", "/subscriptions", body).await.expect(201).json()
    }

    async fn token(&self, scopes: &[&str]) -> String {
        let body = json!({ "label": "x", "appId": self.id, "scopes": scopes });
        text(&self.desk.make("tokens", body).await, "token")
    }
}

#[tokio::test]
async fn settings_are_put_read_and_deleted() {
    let app = Owned::new().await;
    let missing = app.send("GET", "/settings", Value::Null).await.expect(404);
    assert_eq!(
        error(&missing),
        json!({ "status": "error", "category": "OBJECT_NOT_FOUND", "message": "resource not found",
                "context": { "id": [app.id] } })
    );
    app.send("DELETE", "/settings", Value::Null).await.expect(204);

    let made =
        json!({ "targetUrl": TARGET, "throttling": { "maxConcurrentRequests": 10 }, "createdAt": at(0) });
    let reply = app.send("PUT", "/settings", json!({ "targetUrl": TARGET })).await.expect(200);
    assert_eq!(reply.json(), made);
    assert_eq!(app.send("GET", "/settings", Value::Null).await.expect(200).json(), made);

    app.desk.server.advance(Duration::from_secs(1));
    let old =
        json!({ "targetUrl": TARGET, "throttling": { "period": "SECONDLY", "maxConcurrentRequests": 3 } });
    let changed = json!({ "targetUrl": TARGET, "throttling": { "maxConcurrentRequests": 3 }, "createdAt": at(0),
                          "updatedAt": at(1000) });
    for _ in 0..2 {
        assert_eq!(app.send("PUT", "/settings", old.clone()).await.expect(200).json(), changed);
        app.desk.server.advance(Duration::from_secs(1));
    }

    app.subscribe(json!({ "eventType": "conversation.creation" })).await;
    app.send("DELETE", "/settings", Value::Null).await.expect(204);
    app.send("GET", "/settings", Value::Null).await.expect(404);
    let kept = app.send("GET", "/subscriptions", Value::Null).await.expect(200).json();
    assert_eq!(kept["results"].as_array().unwrap().len(), 1, "subscriptions outlive the settings");
    let again = app.send("PUT", "/settings", json!({ "targetUrl": TARGET })).await.expect(200).json();
    assert_eq!((&again["createdAt"], again.get("updatedAt")), (&json!(at(3000)), None));
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused() {
    let server = TestServer::configured(|config| config.outbound.http = false).await;
    let app = Owned::on(&server).await;
    for (body, fields) in [
        (json!({}), &["targetUrl"][..]),
        (
            json!({ "targetUrl": null, "throttling": { "maxConcurrentRequests": 0 } }),
            &["targetUrl", "throttling.maxConcurrentRequests"],
        ),
        (json!({ "targetUrl": "http://bot.example.org" }), &["targetUrl"]),
        (json!({ "targetUrl": "https://user:secret@bot.example.org" }), &["targetUrl"]),
        (json!({ "targetUrl": "bot.example.org" }), &["targetUrl"]),
        (json!({ "targetUrl": format!("https://bot.example.org/{}", "x".repeat(3000)) }), &["targetUrl"]),
        (
            json!({ "targetUrl": TARGET, "throttling": { "maxConcurrentRequests": 101 } }),
            &["throttling.maxConcurrentRequests"],
        ),
        (
            json!({ "targetUrl": TARGET, "throttling": { "maxConcurrentRequests": i64::MAX } }),
            &["throttling.maxConcurrentRequests"],
        ),
    ] {
        let refused = app.send("PUT", "/settings", body.clone()).await.expect(400);
        assert_eq!(refused.problems(), fields, "{body}");
    }
    let missing = app.send("PUT", "/settings", json!({})).await.expect(400);
    assert_eq!(error(&missing)["message"], "Some required fields were not set: [targetUrl]");
    for body in [
        json!([]),
        json!("x"),
        json!({ "targetUrl": 7 }),
        json!({ "targetUrl": TARGET, "throttling": "x" }),
        Value::Null,
    ] {
        let refused = app.send("PUT", "/settings", body).await.expect(400);
        assert!(text(&refused.json(), "message").starts_with("Invalid input JSON on line 1, column "));
    }
    app.send("GET", "/settings", Value::Null).await.expect(404);
}

#[tokio::test]
async fn an_operator_may_allow_http() {
    let server = TestServer::configured(|config| config.outbound.http = true).await;
    let app = Owned::on(&server).await;
    app.send("PUT", "/settings", json!({ "targetUrl": "http://127.0.0.1:9/" })).await.expect(200);
}

#[tokio::test]
async fn a_subscription_lives() {
    let app = Owned::new().await;
    let reply = app.send("POST", "/subscriptions", json!({ "eventType": "conversation.newMessage" })).await;
    let made = reply.expect(201);
    let id = text(&made.json(), "id");
    assert_eq!(made.header("location"), Some(&*format!("{}/subscriptions/{id}", app.base)));
    let plain =
        json!({ "id": id, "eventType": "conversation.newMessage", "active": false, "createdAt": at(0) });
    assert_eq!(made.json(), plain);
    assert!(id.parse::<i32>().unwrap() > 0);
    let path = format!("/subscriptions/{id}");
    assert_eq!(app.send("GET", &path, Value::Null).await.expect(200).json(), plain);

    app.desk.server.advance(Duration::from_secs(1));
    assert_eq!(app.send("PATCH", &path, json!({ "active": false })).await.expect(200).json(), plain);
    assert_eq!(app.send("PATCH", &path, json!({})).await.expect(200).json(), plain);
    let on = json!({ "id": id, "eventType": "conversation.newMessage", "active": true, "createdAt": at(0), "updatedAt": at(1000) });
    for method in ["PATCH", "PUT"] {
        let body = json!({ "active": true, "eventType": "contact.merge", "propertyName": "x" });
        assert_eq!(app.send(method, &path, body).await.expect(200).json(), on, "only that can be changed");
    }
    let second = app
        .subscribe(
            json!({ "eventType": "conversation.propertyChange", "propertyName": "status", "active": true }),
        )
        .await;
    let listed = app.send("GET", "/subscriptions", Value::Null).await.expect(200).json();
    assert_eq!(listed, json!({ "results": [on, second] }), "all of them, by id");
    assert_eq!(
        second,
        json!({ "id": second["id"], "eventType": "conversation.propertyChange", "active": true,
                "propertyName": "status", "createdAt": at(1000) })
    );

    app.send("DELETE", &path, Value::Null).await.expect(204);
    for method in ["GET", "PATCH", "PUT", "DELETE"] {
        let gone = app.send(method, &path, json!({ "active": true })).await.expect(404);
        assert_eq!(error(&gone)["context"], json!({ "id": [id] }), "{method}");
    }
    let again = app.subscribe(json!({ "eventType": "conversation.newMessage" })).await;
    assert_ne!(again["id"], json!(id), "an id is never given out twice");
}

#[tokio::test]
async fn expansion_and_order_are_asked_for() {
    let app = Owned::new().await;
    let body = json!({ "eventType": "conversation.newMessage", "expand": ["contact", "message", "message"], "ordered": true });
    let made = app.subscribe(body).await;
    assert_eq!((&made["expand"], &made["ordered"]), (&json!(["message", "contact"]), &json!(true)));
    let path = format!("/subscriptions/{}", text(&made, "id"));
    let kept = app.send("PATCH", &path, json!({ "active": true })).await.expect(200).json();
    assert_eq!((&kept["expand"], &kept["ordered"]), (&json!(["message", "contact"]), &json!(true)));
    let plain = app.send("PUT", &path, json!({ "expand": [], "ordered": false })).await.expect(200).json();
    assert_eq!((plain.get("expand"), plain.get("ordered"), &plain["active"]), (None, None, &json!(true)));
    let refused = app.send("PATCH", &path, json!({ "expand": ["author"] })).await.expect(400);
    assert_eq!(refused.problems(), ["expand"]);
}

#[tokio::test]
async fn every_type_is_taken_and_none_twice() {
    let app = Owned::new().await;
    let types = antiphon_wire::webhooks::EventType::ALL;
    let body = |kind: &str| {
        let property = if kind.starts_with("conversation") { "assignedTo" } else { "amount" };
        json!({ "eventType": kind, "propertyName": property, "objectTypeId": "2-1", "eventTypeName": "pe1_x" })
    };
    for kind in types {
        let made = app.subscribe(body(kind)).await;
        assert_eq!(made["eventType"], json!(kind));
        let own = ["propertyName", "objectTypeId", "eventTypeName"].map(|name| made.get(name).is_some());
        let expected =
            [kind.ends_with(".propertyChange"), kind.starts_with("object."), kind == "event.completed"];
        assert_eq!(own, expected, "{kind}");
    }
    for kind in types {
        let refused = app.send("POST", "/subscriptions", body(kind)).await.expect(409);
        assert_eq!(refused.header("x-should-retry"), Some("false"));
        let envelope = error(&refused);
        assert_eq!((&envelope["status"], &envelope["category"]), (&json!("error"), &json!("CONFLICT")));
        assert!(text(&envelope, "message").contains(kind));
    }
    assert_eq!(
        app.send("GET", "/subscriptions", Value::Null).await.expect(200).json()["results"]
            .as_array()
            .unwrap()
            .len(),
        48
    );
    // Another property is another subscription.
    app.subscribe(json!({ "eventType": "conversation.propertyChange", "propertyName": "status" })).await;
    for (body, fields) in [
        (json!({ "eventType": "conversation.merge" }), &["eventType"][..]),
        (json!({}), &["eventType"]),
        (json!({ "eventType": "deal.propertyChange" }), &["propertyName"]),
        (json!({ "eventType": "conversation.propertyChange", "propertyName": "subject" }), &["propertyName"]),
        (json!({ "eventType": "deal.propertyChange", "propertyName": "x".repeat(256) }), &["propertyName"]),
    ] {
        assert_eq!(app.send("POST", "/subscriptions", body).await.expect(400).problems(), fields);
    }
}

#[tokio::test]
async fn many_are_switched_at_once() {
    let app = Owned::new().await;
    let mut ids = Vec::new();
    for kind in ["conversation.creation", "conversation.deletion", "conversation.newMessage"] {
        ids.push(text(&app.subscribe(json!({ "eventType": kind })).await, "id"));
    }
    let number = |id: &str| -> i64 { id.parse().unwrap() };
    app.desk.server.advance(Duration::from_secs(1));
    let body = json!({ "inputs": [{ "id": number(&ids[2]), "active": true }, { "id": number(&ids[0]), "active": true },
                                  { "id": ids[1], "active": false }] });
    let done = app.send("POST", "/subscriptions/batch/update", body).await.expect(200).json();
    let one = |id: &str, kind: &str| json!({ "id": id, "eventType": kind, "active": true, "createdAt": at(0), "updatedAt": at(1000) });
    let still =
        json!({ "id": ids[1], "eventType": "conversation.deletion", "active": false, "createdAt": at(0) });
    assert_eq!(
        done,
        json!({ "status": "COMPLETE", "requestedAt": at(1000), "startedAt": at(1000), "completedAt": at(1000),
                "results": [one(&ids[2], "conversation.newMessage"), one(&ids[0], "conversation.creation"), still] })
    );

    let foreign = Owned::on(&app.desk.server).await;
    for kind in ["conversation.creation", "contact.creation", "contact.deletion", "contact.merge"] {
        foreign.subscribe(json!({ "eventType": kind })).await;
    }
    let theirs = text(&foreign.subscribe(json!({ "eventType": "deal.merge" })).await, "id");
    let body = json!({ "inputs": [{ "id": 999_999, "active": true }, { "id": number(&ids[1]), "active": true },
                                  { "id": theirs, "active": true }, { "id": "x", "active": true }] });
    for (prefix, _) in Family::Webhooks.prefixes() {
        let app = Owned {
            base: format!("{prefix}/{}", app.id),
            desk: app.desk.clone(),
            id: app.id.clone(),
            key: app.key.clone(),
        };
        let partly = app.send("POST", "/subscriptions/batch/update", body.clone()).await.expect(207).json();
        assert_eq!(partly["results"][0]["id"], json!(ids[1]));
        assert_eq!((&partly["status"], &partly["numErrors"]), (&json!("COMPLETE"), &json!(1)));
        assert_eq!(
            partly["errors"],
            json!([{ "status": "error", "category": "OBJECT_NOT_FOUND", "message": "Could not resolve some subscriptions",
                     "context": { "id": ["999999", theirs, "x"] }, "errors": [], "links": {} }])
        );
    }
    assert_eq!(
        foreign.send("GET", &format!("/subscriptions/{theirs}"), Value::Null).await.json()["active"],
        false
    );
    for (body, fields) in [
        (json!({}), &["inputs"][..]),
        (json!({ "inputs": [{ "id": 1 }, { "active": true }] }), &["inputs[0].active", "inputs[1].id"]),
        (json!({ "inputs": vec![json!({ "id": 1, "active": true }); 1001] }), &["inputs"]),
    ] {
        assert_eq!(
            app.send("POST", "/subscriptions/batch/update", body).await.expect(400).problems(),
            fields
        );
    }
    let none =
        app.send("POST", "/subscriptions/batch/update", json!({ "inputs": [] })).await.expect(200).json();
    assert_eq!(none["results"], json!([]));
}

#[tokio::test]
async fn a_thousand_are_made_and_switched() {
    let app = Owned::new().await;
    let mut ids = Vec::new();
    for some in (0..1000).collect::<Vec<_>>().chunks(50) {
        let made = some.iter().map(|number| {
            app.subscribe(json!({ "eventType": "deal.propertyChange", "propertyName": format!("p{number}") }))
        });
        ids.extend(join_all(made).await.iter().map(|one| one["id"].clone()));
    }
    let refused =
        app.send("POST", "/subscriptions", json!({ "eventType": "deal.creation" })).await.expect(400);
    assert!(text(&refused.json(), "message").contains("1000"));
    let inputs: Vec<_> = ids.iter().map(|id| json!({ "id": id, "active": true })).collect();
    let done =
        app.send("POST", "/subscriptions/batch/update", json!({ "inputs": inputs })).await.expect(200).json();
    let switched: Vec<_> = done["results"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert_eq!(switched, ids);
    let listed = app.send("GET", "/subscriptions", Value::Null).await.expect(200).json();
    assert!(listed["results"].as_array().unwrap().iter().all(|one| one["active"] == true));
    app.send("DELETE", &format!("/subscriptions/{}", ids[0].as_str().unwrap()), Value::Null)
        .await
        .expect(204);
    app.subscribe(json!({ "eventType": "deal.creation" })).await;
}

#[tokio::test]
async fn whatever_is_sent_is_answered() {
    let app = Owned::new().await;
    let made = app.subscribe(json!({ "eventType": "conversation.creation" })).await;
    let unreadable = [
        "",
        "{",
        "[]",
        "7",
        "null",
        "\"x\"",
        "{\"eventType\": 7}",
        "{\"active\": \"yes\", \"eventType\": \"x\"}",
        "{\"inputs\": {\"id\": true}}",
        "{\"expand\": 7}",
        "{\"eventType\": \"deal.creation\\u0000\"}",
    ];
    let user = app.desk.server.user("").with("hapikey", &app.key);
    for path in ["subscriptions", "subscriptions/batch/update", "settings"] {
        let method = if path == "settings" { "PUT" } else { "POST" };
        for body in unreadable {
            let reply = user.send(method, &format!("{}/{path}", app.base), body).await;
            assert_eq!(reply.status, 400, "{path} {body}: {}", reply.text());
        }
        let deep = "[".repeat(100_000);
        user.send(method, &format!("{}/{path}", app.base), deep).await.expect(400);
        let large = format!("{{\"x\": \"{}\"}}", "x".repeat(300_000));
        user.send(method, &format!("{}/{path}", app.base), large).await.expect(413);
    }
    for id in ["0", "-1", "01", "x", "%00", "2147483648", "99999999999999999999", "1.0", "%31%30", "1%2F2"] {
        for method in ["GET", "PATCH", "PUT", "DELETE"] {
            let reply = app.send(method, &format!("/subscriptions/{id}"), json!({ "active": true })).await;
            assert_eq!(reply.status, 404, "{method} {id}: {}", reply.text());
        }
        let batch = json!({ "inputs": [{ "id": id, "active": true }, { "id": i64::MIN, "active": true }, { "id": 1.5, "active": true }] });
        app.send("POST", "/subscriptions/batch/update", batch).await.expect(207);
    }
    let kept = app.send("GET", "/subscriptions", Value::Null).await.expect(200).json();
    assert_eq!(kept["results"], json!([made]));
}

/// Asks for the subscriptions of an app.
async fn ask(server: &TestServer, app: &str, query: &str, headers: &[(&'static str, String)]) -> Reply {
    let mut sent = request("GET", &format!("/webhooks/2026-03/{app}/subscriptions{query}"));
    for (name, value) in headers {
        sent.headers_mut().append(*name, value.parse().unwrap());
    }
    server.send(&Peer::default(), sent).await
}

#[tokio::test]
async fn a_key_of_the_app_or_a_token_of_the_app_opens_it() {
    let app = Owned::new().await;
    let server = &app.desk.server;
    let (good_key, id) = (format!("?hapikey={}", app.key), &*app.id);
    let bearer = |token: &str| [("authorization", format!("Bearer {token}"))];
    let token = app.token(&["crm.objects.contacts.read"]).await;
    // Of the same portal, but of another app; of another portal; of nobody.
    let sibling = text(&app.desk.make("apps", json!({ "name": "Sibling" })).await, "developerKey");
    let foreign = Owned::on(server).await;
    let foreign_token = foreign.token(&[]).await;
    let cousin = app.desk.make("tokens", json!({ "label": "x" })).await;
    let cousin = text(&cousin, "token");
    let ended = json!({ "label": "x", "appId": id, "expiresAt": "2026-03-01T08:00:00.001Z" });
    let ended = text(&app.desk.make("tokens", ended).await, "token");
    app.desk.server.advance(Duration::from_secs(1));
    for (query, headers, status) in [
        (&*good_key, vec![], 200),
        ("", vec![("hapikey", app.key.clone())], 200),
        ("", bearer(&token).into(), 200),
        ("", vec![("private-app", token.clone())], 200),
        (&good_key, bearer(&token).into(), 200),
        ("?hapikey=nonsense", bearer(&token).into(), 200),
        (&good_key, bearer("nonsense").into(), 200),
        (&good_key, bearer(&ended).into(), 200),
        (&good_key, bearer(&foreign_token).into(), 200),
        (&*format!("?hapikey={sibling}"), bearer(&token).into(), 200),
        ("", vec![], 401),
        ("?hapikey=", vec![], 401),
        ("?hapikey=nonsense", vec![], 401),
        ("?hapikey=%00%FF", vec![], 401),
        (&*format!("?hapikey={token}"), vec![], 401),
        ("", bearer("nonsense").into(), 401),
        ("", bearer(&app.key).into(), 401),
        ("", bearer(&ended).into(), 401),
        ("?hapikey=nonsense", bearer("nonsense").into(), 401),
        (&*format!("?hapikey={sibling}"), vec![], 404),
        (&*format!("?hapikey={}", foreign.key), vec![], 404),
        ("", bearer(&foreign_token).into(), 404),
        ("", bearer(&cousin).into(), 404),
        ("?hapikey=nonsense", bearer(&cousin).into(), 404),
        (&*format!("?hapikey={sibling}"), bearer("nonsense").into(), 404),
    ] {
        let reply = ask(server, id, query, &headers).await;
        assert_eq!(reply.status, status, "{query} {headers:?}: {}", reply.text());
        assert_eq!(reply.header("x-hubspot-auth-failure").is_some(), status == 401);
        match status {
            401 => assert!(text(&reply.json(), "category").ends_with("_AUTHENTICATION")),
            404 => assert_eq!(error(&reply)["context"], json!({ "id": [id] })),
            _ => {}
        }
    }
    // An app that nobody has: only those hear of it who are somebody.
    for unknown in ["999999", "0", "x", "99999999999999999999", "-1", "%00"] {
        assert_eq!(ask(server, unknown, &good_key, &[]).await.status, 404, "{unknown}");
        assert_eq!(ask(server, unknown, "", &bearer(&token)).await.status, 404, "{unknown}");
        assert_eq!(ask(server, unknown, "?hapikey=nonsense", &[]).await.status, 401, "{unknown}");
        assert_eq!(server.operator().get(&format!("/webhooks/v3/{unknown}/settings")).await.status, 404);
    }
    // A key opens nothing of the portal.
    let path = format!("/conversations/v3/conversations/threads{good_key}");
    server.send(&Peer::default(), request("GET", &path)).await.expect(401);
}

#[tokio::test]
async fn rotated_keys_and_suspended_apps() {
    let app = Owned::new().await;
    let server = &app.desk.server;
    let rotate = async |body| {
        let path = format!("/antiphon/v1/apps/{}/developer-key/rotate", app.id);
        text(&app.desk.user.post(&path, body).await.expect(200).json(), "developerKey")
    };
    let opens = async |key: &str| ask(server, &app.id, &format!("?hapikey={key}"), &[]).await.status;
    let second = rotate(json!({ "overlapSeconds": 60 })).await;
    assert_eq!((opens(&app.key).await, opens(&second).await), (200, 200));
    server.advance(Duration::from_secs(60));
    assert_eq!((opens(&app.key).await, opens(&second).await), (401, 200));
    let third = rotate(json!({ "atOnce": true })).await;
    assert_eq!((opens(&second).await, opens(&third).await), (401, 200));

    app.desk.edit(&format!("apps/{}", app.id), json!({ "active": false })).await;
    let refused = ask(server, &app.id, &format!("?hapikey={third}"), &[]).await.expect(403);
    assert_eq!(refused.json()["category"], "BANNED");
}

#[tokio::test]
async fn the_operator_is_in_the_portal_of_the_app() {
    let app = Owned::new().await;
    let other = Owned::on(&app.desk.server).await;
    let operator = app.desk.server.operator();
    let path = format!("{}/settings", app.base);
    operator.put(&path, json!({ "targetUrl": TARGET })).await.expect(200);
    app.send("GET", "/settings", Value::Null).await.expect(200);
    app.desk.portal.operator().get(&path).await.expect(200);
    other.desk.portal.operator().get(&path).await.expect(404);
}

#[tokio::test]
async fn a_key_has_a_window_of_its_own() {
    let server = TestServer::configured(|config| {
        config.limits.enabled = true;
        config.limits.per_ten_seconds = 3;
    })
    .await;
    let app = Owned::on(&server).await;
    let key = format!("?hapikey={}", app.key);
    for left in ["2", "1"] {
        let reply = ask(&server, &app.id, &key, &[]).await.expect(200);
        assert_eq!(reply.header("x-hubspot-ratelimit-remaining"), Some(left));
    }
    // Asking for what belongs to others counts, too.
    assert_eq!(ask(&server, "999999", &key, &[]).await.status, 404);
    let refused = ask(&server, &app.id, &key, &[]).await.expect(429);
    assert_eq!(refused.json()["policyName"], "TEN_SECONDLY_ROLLING");
    assert_eq!(ask(&server, "999999", &key, &[]).await.status, 429);
    let token = app.token(&[]).await;
    ask(&server, &app.id, "", &[("authorization", format!("Bearer {token}"))]).await.expect(200);
}

#[tokio::test]
async fn both_prefixes_serve_all_versions() {
    let app = Owned::new().await;
    app.send("PUT", "/settings", json!({ "targetUrl": TARGET })).await.expect(200);
    let settings = app.send("GET", "/settings", Value::Null).await.json();
    assert_eq!(Family::Webhooks.prefixes().len(), 10);
    for prefix in ["webhooks", "app-webhooks"] {
        for version in ["v3", "2025-09", "2026-03", "2026-09", "2027-03-beta"] {
            let path = format!("/{prefix}/{version}/{}/settings?hapikey={}", app.id, app.key);
            let reply = app.desk.server.send(&Peer::default(), request("GET", &path)).await.expect(200);
            assert_eq!(reply.json(), settings, "{path}");
        }
        for version in ["v4", "v2", "2024-01", "2026-09-beta"] {
            let path = format!("/{prefix}/{version}/{}/settings?hapikey={}", app.id, app.key);
            app.desk.server.send(&Peer::default(), request("GET", &path)).await.expect(404);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_never_logged() {
    let home = Home::new();
    let program = home.program(BINARY).arg("--demo").env("ANTIPHON_LOG__FILTER", "trace");
    let server = program.start().await.unwrap();
    let mut connection = Connection::open(program.address, "nobody").await.unwrap();
    for (path, status) in [
        ("settings?hapikey=key-demo-antiphon", 404),
        ("subscriptions?hapikey=key-demo-antiphon", 200),
        ("settings?hapikey=key-demo-wrong", 401),
        ("nothing?hapikey=key-demo-antiphon", 404),
        ("subscriptions/x?hapikey=key-demo-antiphon&limit=x", 404),
    ] {
        let reply = connection.get(&format!("/webhooks/v3/4410/{path}")).await.unwrap();
        assert_eq!(reply.status, status, "{path}: {}", reply.text());
        assert!(!reply.text().contains("key-demo"));
    }
    let log = server.log();
    assert!(log.contains("webhooks.settings.get"), "{log}");
    assert!(!log.contains("key-demo") && !log.contains("hapikey"), "{log}");
    assert!(server.stop().await.unwrap().success());
}

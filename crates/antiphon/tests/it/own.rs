//! Our own calls: what a portal is set up with, who may set it up, and traffic that comes in by hand.

use std::time::Duration;

use antiphon::routes::{Family, OPERATIONS, Scope};
use antiphon_testkit::Reply;
use serde_json::{Value, json};

use crate::kit::{Desk, V3, at, error, text};

fn own(path: &str) -> String {
    format!("/antiphon/v1/{path}")
}

async fn ask(desk: &Desk, method: &str, path: &str, body: Value) -> Reply {
    desk.portal.operator().send(method, &own(path), body.to_string()).await
}

/// The only inbox, account, contact or the like that a test makes.
async fn made(desk: &Desk, path: &str, body: Value) -> String {
    text(&desk.make(path, body).await, "id")
}

#[tokio::test]
async fn everything_wrong_is_told_at_once() {
    let desk = Desk::open().await;
    let thread = desk.chat("ines").await;
    let message = text(&desk.send(&thread, desk.on_chat("Hi")).await, "id");
    let received = text(&desk.history(&thread).await[0], "id");
    let contact = made(&desk, "contacts", json!({ "email": "ines@example.net" })).await;
    let (portal, agent) = (&desk.portal, desk.portal.agent.trim_start_matches("A-"));
    let (app, inbox, chat, mail) = (&portal.app, &portal.inbox, &portal.chat, &portal.email);
    let address = json!({ "type": "HS_EMAIL_ADDRESS", "value": "help@acme.example" });
    let phone = json!({ "type": "HS_PHONE_NUMBER", "value": "+447700900101" });
    let long = "x".repeat(256);
    for (method, path, body, fields) in [
        (
            "POST",
            "portals".to_owned(),
            json!({ "id": "x", "timeZone": "Mars/Olympus", "currency": "Euro", "accountType": "FREE",
                    "quota": { "bytes": -1 } }),
            vec!["id", "name", "timeZone", "currency", "accountType", "quota"],
        ),
        ("POST", "portals".into(), json!({ "id": portal.id, "name": "Twin" }), vec!["id"]),
        ("POST", "backups".into(), json!({}), vec!["file"]),
        ("POST", "backups".into(), json!({ "file": "copy.db" }), vec!["file"]),
        ("POST", "moves".into(), json!({}), vec!["to"]),
        ("POST", "moves".into(), json!({ "to": "mysql://me:secret@host/db" }), vec!["to"]),
        ("POST", "moves".into(), json!({ "to": "sqlite:relative" }), vec!["to"]),
        (
            "PATCH",
            format!("portals/{}", portal.id),
            json!({ "name": " ", "timeZone": "", "currency": "", "accountType": "", "quota": { "messages": -1 } }),
            vec!["name", "timeZone", "currency", "accountType", "quota"],
        ),
        ("POST", "apps".into(), json!({ "id": 0, "avatar": "me.png" }), vec!["id", "name", "avatar"]),
        ("POST", "apps".into(), json!({ "id": app, "name": "Twin" }), vec!["id"]),
        ("POST", "apps".into(), json!({ "name": "Bot", "userId": "x" }), vec!["userId"]),
        ("POST", "apps".into(), json!({ "name": "Bot", "userId": 999_999 }), vec!["userId"]),
        ("PATCH", format!("apps/{app}"), json!({ "name": long, "avatar": "/me" }), vec!["name", "avatar"]),
        (
            "POST",
            "tokens".into(),
            json!({ "appId": "x", "scopes": ["a b", ""] }),
            vec!["label", "appId", "scopes", "scopes"],
        ),
        ("POST", "tokens".into(), json!({ "label": "x", "appId": 999 }), vec!["appId"]),
        ("POST", "tokens".into(), json!({ "label": "x", "expiresAt": "2001-01-01" }), vec!["expiresAt"]),
        ("POST", "inboxes".into(), json!({ "type": "ATTIC" }), vec!["name", "type"]),
        ("PATCH", format!("inboxes/{inbox}"), json!({ "name": "", "type": "ATTIC" }), vec!["name", "type"]),
        (
            "POST",
            "channel-accounts".into(),
            json!({ "channelId": "x", "adapter": "PIGEON", "deliveryIdentifier": { "type": "FAX", "value": "1" } }),
            vec!["name", "channelId", "inboxId", "deliveryIdentifier", "adapter"],
        ),
        (
            "POST",
            "channel-accounts".into(),
            json!({ "name": "x", "channelId": 1002, "inboxId": 999, "welcomeMessage": "Hi" }),
            vec!["inboxId", "deliveryIdentifier", "welcomeMessage"],
        ),
        (
            "POST",
            "channel-accounts".into(),
            json!({ "name": "x", "channelId": 1002, "inboxId": inbox, "deliveryIdentifier": address }),
            vec!["deliveryIdentifier"],
        ),
        (
            "POST",
            "channel-accounts".into(),
            json!({ "name": "x", "channelId": 1005, "inboxId": inbox }),
            vec!["channelId"],
        ),
        (
            "PATCH",
            format!("channel-accounts/{mail}"),
            json!({ "inboxId": 999, "deliveryIdentifier": phone, "welcomeMessage": "Hi" }),
            vec!["inboxId", "deliveryIdentifier", "welcomeMessage"],
        ),
        (
            "POST",
            "agents".into(),
            json!({ "id": -1, "email": "mia", "avatar": "x" }),
            vec!["id", "name", "email", "avatar"],
        ),
        ("POST", "agents".into(), json!({ "name": "Twin", "email": "MIA@acme.example" }), vec!["email"]),
        ("POST", "agents".into(), json!({ "id": agent, "name": "Twin" }), vec!["id"]),
        ("POST", "bots".into(), json!({ "avatar": "x" }), vec!["name", "avatar"]),
        ("POST", "llms".into(), json!({}), vec!["name"]),
        (
            "PATCH",
            format!("agents/{agent}"),
            json!({ "email": "mia", "avatar": "x" }),
            vec!["email", "avatar"],
        ),
        (
            "POST",
            "contacts".into(),
            json!({ "name": "", "email": "ines", "phone": "0770", "avatar": "x" }),
            vec!["name", "email", "phone", "avatar"],
        ),
        ("POST", "contacts".into(), json!({ "name": "Ines" }), vec!["email"]),
        (
            "PATCH",
            format!("contacts/{contact}"),
            json!({ "email": "ines", "phone": "0770", "avatar": "x" }),
            vec!["email", "phone", "avatar"],
        ),
        ("POST", "tickets".into(), json!({}), vec!["subject"]),
        (
            "POST",
            "files".into(),
            json!({ "url": "a.pdf", "mediaType": "pdf", "size": -1 }),
            vec!["name", "url", "mediaType", "size"],
        ),
        ("POST", "threads".into(), json!({}), vec!["channelAccountId", "recipient"]),
        (
            "POST",
            "threads".into(),
            json!({ "channelAccountId": 999, "recipient": { "contactId": 999 } }),
            vec!["channelAccountId", "recipient"],
        ),
        ("POST", "messages/incoming".into(), json!({}), vec!["channelAccountId", "sender", "text"]),
        (
            "POST",
            "messages/incoming".into(),
            json!({ "channelAccountId": mail, "sender": { "email": "ines" }, "cc": [{ "email": "x" }],
                    "inReplyToId": "x", "idempotencyKey": long, "subject": "x".repeat(999) }),
            vec!["sender", "cc", "inReplyToId", "subject", "idempotencyKey", "text"],
        ),
        (
            "POST",
            "messages/incoming".into(),
            json!({ "channelAccountId": chat, "sender": { "identifier": phone }, "text": " " }),
            vec!["sender", "text"],
        ),
        ("PUT", format!("threads/{thread}/inbox"), json!({}), vec!["inboxId"]),
        ("PUT", format!("threads/{thread}/inbox"), json!({ "inboxId": 999 }), vec!["inboxId"]),
        ("PUT", format!("threads/{thread}/ticket"), json!({ "ticketId": "x" }), vec!["ticketId"]),
        ("PUT", format!("threads/{thread}/messages/{message}/status"), json!({}), vec!["statusType"]),
        (
            "PUT",
            format!("threads/{thread}/messages/{message}/status"),
            json!({ "statusType": "RECEIVED" }),
            vec!["statusType"],
        ),
        (
            "PUT",
            format!("threads/{thread}/messages/{received}/status"),
            json!({ "statusType": "READ" }),
            vec!["messageId"],
        ),
        ("GET", "events?after=x&limit=0".into(), json!({}), vec!["after", "limit"]),
        ("GET", "tickets?limit=x".into(), json!({}), vec!["limit"]),
    ] {
        let before = desk.position().await;
        let refused = ask(&desk, method, &path, body.clone()).await;
        assert_eq!(refused.status, 400, "{method} {path} {body}: {}", refused.text());
        assert_eq!(refused.json()["category"], "VALIDATION_ERROR", "{method} {path}");
        assert_eq!(refused.problems(), fields, "{method} {path}: {}", refused.text());
        assert_eq!(desk.position().await, before, "{method} {path} left something behind");
    }
}

#[tokio::test]
async fn unknown_ids_are_not_found() {
    let desk = Desk::open().await;
    let thread = desk.chat("ines").await;
    for id in ["999", "0", "x", "01", "99999999999999999999"] {
        let link = json!({ "ticketId": 1 });
        let read = json!({ "statusType": "READ" });
        let inbox = json!({ "inboxId": desk.portal.inbox });
        for (method, path, body) in [
            ("GET", format!("portals/{id}"), json!({})),
            ("PATCH", format!("portals/{id}"), json!({})),
            ("PATCH", format!("apps/{id}"), json!({})),
            ("DELETE", format!("tokens/{id}"), json!({})),
            ("POST", format!("tokens/{id}/rotate"), json!({})),
            ("GET", format!("apps/{id}"), json!({})),
            ("POST", format!("apps/{id}/client-secret/rotate"), json!({})),
            ("POST", format!("apps/{id}/developer-key/rotate"), json!({})),
            ("PATCH", format!("inboxes/{id}"), json!({})),
            ("DELETE", format!("inboxes/{id}"), json!({})),
            ("PATCH", format!("channel-accounts/{id}"), json!({})),
            ("DELETE", format!("channel-accounts/{id}"), json!({})),
            ("PATCH", format!("agents/{id}"), json!({})),
            ("PATCH", format!("bots/{id}"), json!({})),
            ("PATCH", format!("llms/{id}"), json!({})),
            ("GET", format!("contacts/{id}"), json!({})),
            ("PATCH", format!("contacts/{id}"), json!({})),
            ("GET", format!("tickets/{id}"), json!({})),
            ("GET", format!("files/{id}"), json!({})),
            ("PUT", format!("threads/{id}/inbox"), inbox),
            ("PUT", format!("threads/{id}/spam"), json!({})),
            ("DELETE", format!("threads/{id}/spam"), json!({})),
            ("PUT", format!("threads/{id}/ticket"), link),
            ("DELETE", format!("threads/{id}/ticket"), json!({})),
            ("PUT", format!("threads/{thread}/messages/{id}/status"), read),
        ] {
            let refused = ask(&desk, method, &path, body).await;
            assert_eq!(refused.status, 404, "{method} {path}: {}", refused.text());
            assert_eq!(error(&refused)["category"], "OBJECT_NOT_FOUND", "{method} {path}");
        }
    }
    ask(&desk, "PUT", &format!("threads/{thread}/ticket"), json!({ "ticketId": 999 })).await.expect(404);
}

#[tokio::test]
async fn each_call_takes_its_own_scope() {
    let desk = Desk::open().await;
    let every = [Scope::Read, Scope::Write, Scope::Admin, Scope::Inbound];
    for operation in OPERATIONS.iter().copied().flatten().filter(|one| one.family == Family::Own) {
        // Where the address is the permission, none is asked for.
        let Some(needed) = operation.entry.scope() else { continue };
        let others: Vec<_> =
            every.iter().filter(|scope| **scope != needed).map(|scope| scope.name()).collect();
        let user = desk.portal.user(&others).await;
        let path = operation.path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
        let path = format!("/antiphon/v1{}", path.collect::<Vec<_>>().join("/"));
        let refused = user.send(operation.verb.name(), &path, "{broken").await.expect(403);
        assert_eq!(refused.json()["category"], "MISSING_SCOPES", "{path}");
        let needed = json!({ "requiredGranularScopes": [needed.name()] });
        assert_eq!(refused.json()["errors"][0]["context"], needed, "{path}");
    }
}

#[tokio::test]
async fn only_operators_make_operators() {
    let desk = Desk::open().await;
    let body =
        json!({ "label": "x", "appId": desk.portal.app, "scopes": ["antiphon.operator", "antiphon.admin"] });
    let refused = desk.user.post(&own("tokens"), body.clone()).await.expect(400);
    assert_eq!(refused.problems(), ["scopes"]);
    let operator = desk.server.user(&text(&desk.make("tokens", body.clone()).await, "token"));
    operator.post(&own("tokens"), body).await.expect(201);
    operator.get(&own("portals")).await.expect(200);
}

#[tokio::test]
async fn secrets_are_shown_once() {
    let desk = Desk::open().await;
    let token = desk.make("tokens", json!({ "label": "Importer" })).await;
    let secrets =
        [text(&token, "token"), text(&token["app"], "clientSecret"), text(&token["app"], "developerKey")];
    assert_eq!(token["app"]["name"], "Importer", "an app came with it");
    assert_eq!(token["scopes"], json!(["conversations.read", "conversations.write"]));
    desk.server.user(&secrets[0]).get(&format!("{V3}/threads")).await.expect(200);
    let rename = json!({ "name": "Bridge 2" });
    for reply in [
        desk.user.get(&own("tokens")).await,
        desk.user.get(&own("apps")).await,
        desk.user.patch(&own(&format!("apps/{}", text(&token, "appId"))), rename).await,
        desk.user.get(&own("events?limit=500")).await,
    ] {
        let shown = reply.expect(200).text();
        assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{shown}");
        assert!(!shown.contains("clientSecret") && !shown.contains("developerKey"), "{shown}");
    }
    let listed = desk.user.get(&own("tokens")).await.json();
    let listed = listed["results"].as_array().unwrap().iter().find(|one| one["id"] == token["id"]).unwrap();
    assert!(listed.get("token").is_none() && listed.get("app").is_none(), "{listed}");
}

#[tokio::test]
async fn rotated_tokens_live_on_for_a_week() {
    let desk = Desk::open().await;
    let threads = format!("{V3}/threads");
    let first = desk.make("tokens", json!({ "label": "x", "appId": desk.portal.app })).await;
    let second = desk.make(&format!("tokens/{}/rotate", text(&first, "id")), json!({})).await;
    for member in ["label", "appId", "scopes"] {
        assert_eq!(second[member], first[member]);
    }
    assert_ne!(second["id"], first["id"]);
    let (old, new) = (desk.server.user(&text(&first, "token")), desk.server.user(&text(&second, "token")));
    old.get(&threads).await.expect(200);
    new.get(&threads).await.expect(200);
    desk.server.advance(Duration::from_secs(7 * 24 * 3600 - 1));
    old.get(&threads).await.expect(200);
    desk.server.advance(Duration::from_secs(2));
    assert_eq!(old.get(&threads).await.expect(401).json()["category"], "EXPIRED_AUTHENTICATION");
    let third = desk.make(&format!("tokens/{}/rotate", text(&second, "id")), json!({ "atOnce": true })).await;
    assert_eq!(new.get(&threads).await.expect(401).json()["category"], "INVALID_AUTHENTICATION");
    desk.server.user(&text(&third, "token")).get(&threads).await.expect(200);
    // What has ended is not brought back.
    ask(&desk, "POST", &format!("tokens/{}/rotate", text(&second, "id")), json!({})).await.expect(404);
}

#[tokio::test]
async fn a_full_portal_takes_nothing_more_until_its_quota_is_raised() {
    let desk = Desk::open().await;
    let thread = desk.chat("ines").await;
    let portal = format!("portals/{}", desk.portal.id);
    let usage = desk.portal.operator().get(&own(&portal)).await.expect(200).json()["usage"].clone();
    let entries = desk.history(&thread).await.len();
    assert_eq!((&usage["threads"], &usage["messages"]), (&json!(1), &json!(entries)));
    let incoming = json!({ "channelAccountId": desk.portal.email, "sender": { "email": "ines@example.net" }, "text": "Hello" });
    let start = json!({ "channelAccountId": desk.portal.email, "recipient": { "email": "leo@example.net" },
                "message": { "type": "MESSAGE", "text": "Hi", "senderActorId": desk.portal.agent, "subject": "Hi" } });
    for (quota, status) in
        [(json!({ "messages": usage["messages"] }), "CLOSED"), (json!({ "bytes": usage["bytes"] }), "OPEN")]
    {
        desk.edit(&portal, json!({ "quota": quota })).await;
        let before = desk.position().await;
        for refused in [
            desk.post(&format!("/threads/{thread}/messages"), desk.on_chat("Hi")).await,
            desk.user.post(&own("messages/incoming"), incoming.clone()).await,
            desk.user.post(&own("threads"), start.clone()).await,
        ] {
            assert_eq!(refused.expect(403).json()["category"], "QUOTA_EXCEEDED");
        }
        assert_eq!(desk.position().await, before);
        // Reading and tidying up cost nothing.
        desk.patch(&format!("/threads/{thread}"), json!({ "status": status })).await.expect(200);
    }
    desk.edit(&portal, json!({ "quota": { "messages": 10 } })).await;
    desk.send(&thread, desk.on_chat("Hi")).await;
    desk.user.post(&own("messages/incoming"), incoming).await.expect(201);
    desk.user.post(&own("threads"), start).await.expect(201);
}

#[tokio::test]
async fn an_inbox_goes_when_nothing_feeds_it() {
    let desk = Desk::open().await;
    let inbox = format!("inboxes/{}", desk.portal.inbox);
    let refused = ask(&desk, "DELETE", &inbox, json!({})).await.expect(400);
    assert_eq!(refused.problems(), ["archived"]);
    assert!(refused.text().contains(&desk.portal.chat) && refused.text().contains(&desk.portal.email));
    for account in [&desk.portal.chat, &desk.portal.email] {
        ask(&desk, "PATCH", &inbox, json!({ "archived": true })).await.expect(400);
        ask(&desk, "DELETE", &format!("channel-accounts/{account}"), json!({})).await.expect(204);
    }
    ask(&desk, "DELETE", &inbox, json!({})).await.expect(204);
    ask(&desk, "DELETE", &inbox, json!({})).await.expect(204);
    // An account comes back when there is an inbox for it again.
    let account = format!("channel-accounts/{}", desk.portal.chat);
    let back = json!({ "archived": false });
    assert_eq!(ask(&desk, "PATCH", &account, back.clone()).await.expect(400).problems(), ["inboxId"]);
    desk.edit(&inbox, back.clone()).await;
    assert_eq!(desk.edit(&account, back).await["archived"], false);
}

#[tokio::test]
async fn an_address_has_one_contact_and_visitors_keep_their_number() {
    let desk = Desk::open().await;
    let ines = made(&desk, "contacts", json!({ "name": "Ines", "email": "ines@example.net" })).await;
    let twin = json!({ "name": "Twin", "email": "INES@example.net" });
    assert_eq!(ask(&desk, "POST", "contacts", twin.clone()).await.expect(400).problems(), ["email"]);
    let thread = desk.chat("leo").await;
    let visitor = text(&desk.thread(&thread).await, "associatedContactId");
    let path = format!("contacts/{visitor}");
    assert_eq!(desk.user.get(&own(&path)).await.expect(200).json()["contact"], false);
    assert_eq!(ask(&desk, "PATCH", &path, twin).await.expect(400).problems(), ["email"]);
    desk.server.advance(Duration::from_secs(1));
    let contact = desk.edit(&path, json!({ "email": "leo@example.net" })).await;
    assert_eq!(
        (&contact["id"], &contact["contact"], &contact["updatedAt"]),
        (&json!(visitor), &json!(true), &json!(at(1000)))
    );
    let found = desk.user.get(&own("contacts?email=leo@example.net")).await.expect(200).json();
    assert_eq!(found["results"], json!([contact]));
    let all = desk.user.all(&own("contacts?limit=1")).await;
    assert_eq!(all.iter().map(|one| text(one, "id")).collect::<Vec<_>>(), [ines, visitor.clone()]);
    // Letters from the address are now theirs.
    let letter = desk.email("leo@example.net").await;
    assert_eq!(desk.thread(&letter).await["associatedContactId"], json!(visitor));
}

#[tokio::test]
async fn our_own_lists_of_the_directory_have_pages() {
    let desk = Desk::open().await;
    let operator = desk.portal.operator();
    for number in 0..4 {
        desk.make("portals", json!({ "name": format!("Portal {number}") })).await;
        desk.make("apps", json!({ "name": format!("App {number}") })).await;
        desk.make("tokens", json!({ "label": format!("Token {number}"), "appId": desk.portal.app })).await;
        for kind in ["agents", "bots", "llms"] {
            desk.make(kind, json!({ "name": format!("Nova {number}") })).await;
        }
    }
    for (list, length) in
        [("portals", 5), ("apps", 5), ("tokens", 5), ("agents", 5), ("bots", 4), ("llms", 4)]
    {
        let all = operator.all(&own(list)).await;
        assert_eq!(all.len(), length, "{list}");
        for limit in [1, 2, length] {
            assert_eq!(operator.all(&own(&format!("{list}?limit={limit}"))).await, all, "{list} {limit}");
        }
        let page = operator.get(&own(&format!("{list}?limit=1"))).await.expect(200).json();
        assert_eq!(page["results"].as_array().unwrap().len(), 1, "{list}");
        operator.get(&own(&format!("{list}?limit=0"))).await.expect(400);
        operator.get(&own(&format!("{list}?after=x"))).await.expect(400);
    }
    // Another portal's app keeps its number.
    let other = desk.server.portal("Second").await;
    let taken = json!({ "id": other.app, "name": "Twin" });
    let refused = operator.post(&own("apps"), taken).await.expect(400);
    assert_eq!(refused.problems(), ["id"]);
}

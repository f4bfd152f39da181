//! Channels that apps bring: who may do what with them and their accounts, and every word of the answers.

use antiphon::routes::Family;
use antiphon_store::{Account, EventKind, PortalId};
use antiphon_testkit::{Reply, TestServer, User};
use serde_json::{Value, json};

use crate::kit::{Desk, V3, at, error, ids, text, with};

/// Scopes of an integration.
pub const SCOPES: &[&str] = &["conversations.custom_channels.read", "conversations.custom_channels.write"];

/// An app that brings channels, and a portal that uses them.
pub struct Brought {
    pub desk: Desk,
    pub app: String,
    pub key: String,
    /// The app's token in the portal.
    pub integration: User,
}

pub const BASE: &str = "/conversations/v3/custom-channels";

impl Brought {
    pub async fn new() -> Self {
        Self::on(&TestServer::start().await).await
    }

    pub async fn on(server: &TestServer) -> Self {
        let desk = Desk::on(server).await;
        let app = desk.make("apps", json!({ "name": "Relay" })).await;
        let (id, key) = (text(&app, "id"), text(&app, "developerKey"));
        let integration = Self::token_of(&desk, &id, SCOPES).await;
        Self { desk, app: id, key, integration }
    }

    pub async fn token_of(desk: &Desk, app: &str, scopes: &[&str]) -> User {
        let body = json!({ "label": "x", "appId": app, "scopes": scopes });
        desk.server.user(&text(&desk.make("tokens", body).await, "token"))
    }

    /// A call with the developer key.
    pub async fn send(&self, method: &str, path: &str, body: Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let path = format!("{BASE}{path}?appId={}&hapikey={}", self.app, self.key);
        self.desk.server.user("").send(method, &path, body).await
    }

    /// A channel with these capabilities, that is told of things.
    pub async fn channel(&self, capabilities: Value) -> String {
        let body = json!({ "name": "Harbour SMS", "capabilities": capabilities, "webhookUrl": "https://sms.example/events" });
        text(&self.send("POST", "/", body).await.expect(201).json(), "id")
    }

    /// An account of a channel with a phone number.
    pub async fn account(&self, channel: &str) -> String {
        let body = json!({ "name": "Harbour", "inboxId": self.desk.portal.inbox, "authorized": true,
                           "deliveryIdentifier": phone("+4940555012") });
        let made = self.integration.post(&format!("{BASE}/{channel}/channel-accounts"), body).await;
        text(&made.expect(201).json(), "id")
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.integration.get(&format!("{BASE}{path}")).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.integration.post(&format!("{BASE}{path}"), body).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.integration.patch(&format!("{BASE}{path}"), body).await
    }

    /// What the app is told of an account, in order: the kind and the payload.
    pub async fn account_events(&self) -> Vec<(EventKind, Value)> {
        let portal = PortalId(self.desk.portal.id.parse().unwrap());
        let events = self.desk.server.app().store.events_after(portal, 0, 1000).await.unwrap();
        let kinds = [EventKind::AccountCreated, EventKind::AccountUpdated, EventKind::AccountPurged];
        let told = events.into_iter().filter(|event| kinds.contains(&event.kind));
        told.map(|event| (event.kind, serde_json::from_str(&event.payload).unwrap())).collect()
    }
}

pub fn phone(value: &str) -> Value {
    json!({ "type": "HS_PHONE_NUMBER", "value": value })
}

#[tokio::test]
async fn a_channel_lives() {
    let app = Brought::new().await;
    let capabilities = json!({ "deliveryIdentifierTypes": ["HS_PHONE_NUMBER"], "threadingModel": "DELIVERY_IDENTIFIER",
                               "richText": [], "maxFileAttachmentCount": 1, "ours": { "depth": [1] } });
    let given = with(capabilities.clone(), json!({ "ours": { "depth": [1, null], "more": null } }));
    let body = json!({
        "name": "Harbour SMS", "webhookUrl": "https://sms.example/events",
        "channelAccountConnectionRedirectUrl": "https://sms.example/connect", "channelDescription": "Texts",
        "channelLogoUrl": "https://sms.example/logo.png", "capabilities": given, "unknown": 7,
    });
    let made = app.send("POST", "", body.clone()).await.expect(201);
    let shown = json!({
        "id": "1000000", "name": "Harbour SMS", "createdAt": at(0), "capabilities": capabilities,
        "webhookUrl": "https://sms.example/events", "channelDescription": "Texts",
        "channelAccountConnectionRedirectUrl": "https://sms.example/connect", "channelLogoUrl": "https://sms.example/logo.png",
    });
    assert_eq!(made.json(), shown);
    assert_eq!(made.header("location"), Some("/conversations/v3/custom-channels/1000000"));
    assert_eq!(app.send("GET", "/1000000", Value::Null).await.expect(200).json(), shown);
    // It is a channel like any other for those who read conversations.
    let channels = app.desk.get("/channels?limit=500").await.expect(200).json();
    assert_eq!(channels["total"], 10);
    assert_eq!(channels["results"][9], json!({ "id": "1000000", "name": "Harbour SMS" }));
    app.desk.get("/channels/1000000").await.expect(200);

    // {} stays, null goes, and capabilities are replaced whole.
    let patch = json!({ "name": {}, "capabilities": { "richText": ["BOLD"] }, "webhookUrl": {}, "channelDescription": null });
    let changed =
        with(shown, json!({ "capabilities": { "richText": ["BOLD"] }, "channelDescription": null }));
    assert_eq!(app.send("PATCH", "/1000000", patch).await.expect(200).json(), changed);
    for nothing in [json!({}), json!({ "capabilities": {} }), json!({ "name": {} })] {
        assert_eq!(app.send("PATCH", "/1000000", nothing).await.expect(200).json(), changed);
    }
    for (wrong, field) in [
        (json!({ "name": null }), "name"),
        (json!({ "name": " " }), "name"),
        (json!({ "capabilities": null }), "capabilities"),
        (json!({ "webhookUrl": "ftp://sms.example" }), "webhookUrl"),
        (json!({ "channelLogoUrl": "logo.png" }), "channelLogoUrl"),
    ] {
        assert_eq!(app.send("PATCH", "/1000000", wrong).await.expect(400).problems(), [field]);
    }
    assert_eq!(app.send("GET", "/1000000", Value::Null).await.expect(200).json(), changed);

    app.send("DELETE", "/1000000", Value::Null).await.expect(204);
    app.send("DELETE", "/1000000", Value::Null).await.expect(204);
    for (method, body) in [("GET", Value::Null), ("PATCH", json!({ "name": "x" }))] {
        app.send(method, "/1000000", body).await.expect(404);
    }
    assert_eq!(
        app.send("GET", "/", Value::Null).await.expect(200).json(),
        json!({ "total": 0, "results": [] })
    );
    app.desk.get("/channels/1000000").await.expect(404);
    app.send("DELETE", "/1000001", Value::Null).await.expect(404);
}

#[tokio::test]
async fn what_a_channel_cannot_be() {
    let app = Brought::new().await;
    let refused = app.send("POST", "/", json!({})).await.expect(400);
    assert_eq!(error(&refused)["message"], "Some required fields were not set: [name, capabilities]");
    let wrong = json!({ "name": "x", "capabilities": { "threadingModel": "DISTINCT", "maxFileAttachmentCount": "two" } });
    let refused = error(&app.send("POST", "/", wrong).await.expect(400));
    assert_eq!(refused["category"], "VALIDATION_ERROR");
    assert_eq!(refused["subCategory"], "CustomChannelsError.INVALID_CHANNEL_CAPABILITY_VALUES");
    assert_eq!(
        refused["context"],
        json!({ "capabilityKeysAndValues": ["threadingModel: DISTINCT", "maxFileAttachmentCount: two"] })
    );
    assert!(text(&refused, "message").contains("threadingModel: DISTINCT"));
    for body in [
        json!([]),
        json!({ "name": "x", "capabilities": [] }),
        json!({ "name": 7, "capabilities": {} }),
        Value::Null,
    ] {
        let refused = app.send("POST", "/", body).await.expect(400);
        assert!(text(&refused.json(), "message").starts_with("Invalid input JSON on line 1, column "));
    }
    let long = json!({ "name": "x", "capabilities": { "ours": "x".repeat(20_000) } });
    assert_eq!(app.send("POST", "/", long).await.expect(400).problems(), ["capabilities"]);
    assert_eq!(app.send("GET", "/", Value::Null).await.expect(200).json()["total"], 0);
}

#[tokio::test]
async fn every_version_at_every_path_with_and_without_a_slash() {
    let app = Brought::new().await;
    let channel = app.channel(json!({})).await;
    let account = app.account(&channel).await;
    for (prefix, _) in Family::CustomChannels.prefixes() {
        for slash in ["", "/"] {
            let owner = format!("?appId={}&hapikey={}", app.app, app.key);
            let anybody = app.desk.server.user("");
            let listed = anybody.get(&format!("{prefix}{slash}{owner}")).await.expect(200).json();
            assert_eq!(ids(&listed), [&*channel]);
            anybody.get(&format!("{prefix}/{channel}{slash}{owner}")).await.expect(200);
            let accounts = app.integration.get(&format!("{prefix}/{channel}/channel-accounts{slash}")).await;
            assert_eq!(ids(&accounts.expect(200).json()), [&*account]);
        }
    }
}

#[tokio::test]
async fn who_may_bring_channels() {
    let app = Brought::new().await;
    let channel = app.channel(json!({})).await;
    let server = &app.desk.server;
    let other = Brought::on(server).await;
    let neighbour = app.desk.make("apps", json!({ "name": "Twin", "developerKey": app.key })).await;
    let neighbour = text(&neighbour, "id");
    let bare = Brought::token_of(&app.desk, &app.app, &[]).await;
    let stranger = server.user("pat-nonsense");
    let anybody = server.user("");
    let (id, key) = (&app.app, &app.key);
    for (user, query, status) in [
        (&anybody, format!("?hapikey={key}&appId={id}"), 200),
        (&anybody, format!("?hapikey={key}&appId={neighbour}"), 404),
        // The key is two apps', so the query has to say which one, or the token does.
        (&anybody, format!("?hapikey={key}"), 400),
        (&bare, format!("?hapikey={key}"), 200),
        (&bare, String::new(), 200),
        (&bare, format!("?appId={id}"), 200),
        (&bare, format!("?appId={neighbour}"), 403),
        (&bare, "?hapikey=nonsense".into(), 200),
        (&bare, format!("?hapikey=nonsense&appId={id}"), 200),
        (&bare, "?appId=nonsense".into(), 400),
        (&anybody, "?hapikey=nonsense".into(), 401),
        (&anybody, format!("?appId={id}"), 401),
        (&stranger, String::new(), 401),
        (&stranger, format!("?hapikey={key}&appId={id}"), 200),
        (&anybody, format!("?hapikey={}&appId={}", other.key, other.app), 404),
        (&anybody, format!("?hapikey={}", other.key), 404),
        (&anybody, format!("?hapikey={}&appId={id}", other.key), 403),
        (&other.integration, String::new(), 404),
    ] {
        let reply = user.get(&format!("{BASE}/{channel}{query}")).await;
        assert_eq!(reply.status, status, "{query}: {}", reply.text());
    }
    let header = server.user("").with("hapikey", key).get(&format!("{BASE}/{channel}?appId={id}")).await;
    header.expect(200);
    let asked = anybody.get(&format!("{BASE}/{channel}?hapikey={key}")).await.expect(400);
    assert_eq!(asked.problems(), ["appId"]);
    app.desk.edit(&format!("apps/{id}"), json!({ "active": false })).await;
    let banned = anybody.get(&format!("{BASE}/{channel}?hapikey={key}&appId={id}")).await.expect(403);
    assert_eq!(error(&banned)["category"], "BANNED");
}

#[tokio::test]
async fn who_may_use_accounts() {
    let app = Brought::new().await;
    let channel = app.channel(json!({})).await;
    let account = app.account(&channel).await;
    let (read, write) = ("conversations.custom_channels.read", "conversations.custom_channels.write");
    let body = json!({ "channelAccountId": account, "messageDirection": "INCOMING", "text": "Hello",
                       "senders": [{ "deliveryIdentifier": phone("+31205550178") }] });
    let messages = format!("{BASE}/{channel}/messages");
    for (scopes, sees, says) in [
        (&[read][..], true, false),
        (&[write], true, true),
        (&["channel-integration-read"], true, false),
        (&["channel-integration-write"], true, true),
        (&["conversations.read", "conversations.write"], false, false),
        (&[], false, false),
    ] {
        let user = Brought::token_of(&app.desk, &app.app, scopes).await;
        let seen = user.get(&format!("{BASE}/{channel}/channel-accounts")).await;
        assert_eq!(seen.status, if sees { 200 } else { 403 }, "{scopes:?}");
        let name = json!({ "name": "Harbour" });
        let renamed = user.patch(&format!("{BASE}/{channel}/channel-accounts/{account}"), name).await;
        assert_eq!(renamed.status, if sees { 200 } else { 403 }, "{scopes:?}");
        let said = user.post(&messages, body.clone()).await;
        assert_eq!(said.status, if says { 201 } else { 403 }, "{scopes:?}");
        if says {
            let id = text(&said.json(), "id");
            user.get(&format!("{messages}/{id}")).await.expect(200);
        } else {
            assert_eq!(error(&said)["category"], "MISSING_SCOPES");
        }
    }
    // A key decides nothing here, right or wrong.
    for query in ["?hapikey=nonsense".to_owned(), format!("?hapikey={}&appId=7", app.key)] {
        app.get(&format!("/{channel}/channel-accounts{query}")).await.expect(200);
        let anybody = app.desk.server.user("");
        anybody.get(&format!("{BASE}/{channel}/channel-accounts{query}")).await.expect(401);
    }
    // Another app of the same portal finds nothing.
    let other = app.desk.make("apps", json!({ "name": "Other" })).await;
    let other = Brought::token_of(&app.desk, &text(&other, "id"), SCOPES).await;
    other.get(&format!("{BASE}/{channel}/channel-accounts")).await.expect(404);
    other.get(&format!("{BASE}/{channel}/channel-accounts/{account}")).await.expect(404);
    other.post(&messages, body).await.expect(404);
}

#[tokio::test]
async fn an_account_lives() {
    let app = Brought::new().await;
    let channel = app.channel(json!({})).await;
    let path = format!("/{channel}/channel-accounts");
    let inbox: i64 = app.desk.portal.inbox.parse().unwrap();
    let body = json!({ "name": "Harbour", "inboxId": inbox, "deliveryIdentifier": phone("+49 40 555-012") });
    let made = app.post(&path, body.clone()).await.expect(201);
    let id = text(&made.json(), "id");
    assert_eq!(made.header("location"), Some(&*format!("{BASE}{path}/{id}")));
    let shown = json!({
        "id": id, "channelId": channel, "inboxId": app.desk.portal.inbox, "name": "Harbour", "authorized": true,
        "active": true, "archived": false, "createdAt": at(0), "deliveryIdentifier": phone("+49 40 555-012"),
    });
    assert_eq!(made.json(), shown);
    assert_eq!(app.get(&format!("{path}/{id}")).await.expect(200).json(), shown);
    // Those who read conversations see the same.
    assert_eq!(app.desk.get(&format!("/channel-accounts/{id}")).await.expect(200).json(), shown);
    let listed = app.desk.get(&format!("/channel-accounts?channelId={channel}")).await.expect(200).json();
    assert_eq!(listed, json!({ "total": 1, "results": [shown] }));

    // The same number, however it is written, cannot be connected twice.
    for twin in ["+4940555012", "004940555012", "+49.40.(555).012"] {
        let again = app.post(&path, with(body.clone(), json!({ "deliveryIdentifier": phone(twin) }))).await;
        let again = again.expect(409);
        assert_eq!(
            (error(&again)["category"].clone(), again.header("x-should-retry")),
            (json!("CONFLICT"), Some("false"))
        );
    }
    let refused = app.post(&path, with(body.clone(), json!({ "inboxId": "999" }))).await.expect(400);
    assert_eq!(error(&refused)["context"], json!({ "inboxId": ["999"] }));
    assert_eq!(app.post(&path, json!({})).await.expect(400).problems(), ["name", "inboxId"]);
    for wrong in [
        json!({ "type": "HS_EMAIL_ADDRESS", "value": "nobody" }),
        json!({ "type": "PIGEON", "value": "7" }),
        json!({ "value": "7" }),
    ] {
        let wrong = with(body.clone(), json!({ "deliveryIdentifier": wrong }));
        assert_eq!(app.post(&path, wrong).await.expect(400).problems(), ["deliveryIdentifier"]);
    }

    // Only name and authorized can be changed.
    let patch =
        json!({ "authorized": false, "inboxId": "7", "deliveryIdentifier": phone("+1"), "archived": true });
    let off = with(shown.clone(), json!({ "authorized": false, "active": false }));
    assert_eq!(app.patch(&format!("{path}/{id}"), patch.clone()).await.expect(200).json(), off);
    assert_eq!(app.patch(&format!("{path}/{id}"), patch).await.expect(200).json(), off);
    let on = json!({ "authorized": true, "name": "Quay" });
    let renamed = with(shown, json!({ "name": "Quay" }));
    assert_eq!(app.patch(&format!("{path}/{id}"), on).await.expect(200).json(), renamed);
    let told = app.account_events().await;
    let kinds: Vec<_> = told.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [EventKind::AccountCreated, EventKind::AccountUpdated, EventKind::AccountUpdated]);
    assert_eq!(
        told[1].1,
        json!({ "appId": app.app.parse::<i64>().unwrap(), "channelId": channel, "channelAccountId": id, "authorized": false,
                "active": false, "deliveryIdentifier": phone("+49 40 555-012") })
    );

    // An archived account is only found among the archived.
    let own = format!("/antiphon/v1/channel-accounts/{id}");
    app.desk.portal.operator().delete(&own).await.expect(204);
    app.get(&format!("{path}/{id}")).await.expect(404);
    let gone = app.get(&format!("{path}/{id}?archived=true")).await.expect(200).json();
    assert_eq!((&gone["active"], &gone["archived"]), (&json!(false), &json!(true)));
    app.patch(&format!("{path}/{id}"), json!({ "name": "x" })).await.expect(404);
    assert_eq!(ids(&app.get(&path).await.expect(200).json()), [""; 0]);
    assert_eq!(ids(&app.get(&format!("{path}?archived=true")).await.expect(200).json()), [&*id]);
    // Its number is free again.
    let twin = app.post(&path, body).await.expect(201).json();
    assert_ne!(text(&twin, "id"), id);
}

#[tokio::test]
async fn accounts_of_an_archived_channel_are_inactive() {
    let app = Brought::new().await;
    let channel = app.channel(json!({})).await;
    let account = app.account(&channel).await;
    app.send("DELETE", &format!("/{channel}"), Value::Null).await.expect(204);
    let seen = app.desk.get(&format!("/channel-accounts/{account}")).await.expect(200).json();
    assert_eq!((&seen["active"], &seen["authorized"]), (&json!(false), &json!(true)));
    for path in ["channel-accounts".to_owned(), format!("channel-accounts/{account}")] {
        app.get(&format!("/{channel}/{path}")).await.expect(404);
    }
    let body = json!({ "channelAccountId": account, "messageDirection": "INCOMING", "text": "x",
                       "senders": [{ "deliveryIdentifier": phone("+31205550178") }] });
    app.post(&format!("/{channel}/messages"), body).await.expect(404);
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged() {
    let app = Brought::new().await;
    let channel = app.channel(json!({})).await;
    let other = app.channel(json!({})).await;
    let path = format!("/{channel}/channel-accounts");
    let mut made = Vec::new();
    for (name, identifier) in [
        ("beta", phone("+4940555012")),
        ("Alpha", json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": "one,two" })),
        ("gamma", json!({ "type": "HS_EMAIL_ADDRESS", "value": "Quay@Example.net" })),
        ("delta", Value::Null),
    ] {
        let body =
            json!({ "name": name, "inboxId": app.desk.portal.inbox, "deliveryIdentifier": identifier });
        made.push(text(&app.post(&path, body).await.expect(201).json(), "id"));
    }
    app.account(&other).await;
    let found = async |query: &str| {
        let page = app.get(&format!("{path}?{query}")).await.expect(200).json();
        let found = ids(&page);
        assert_eq!(page["total"], found.len(), "{query}");
        found.iter().map(|id| made.iter().position(|one| one == id).unwrap()).collect::<Vec<_>>()
    };
    for (query, expected) in [
        ("", &[0, 1, 2, 3][..]),
        ("sort=name", &[1, 0, 3, 2]),
        ("sort=-id&sort=colour", &[3, 2, 1, 0]),
        ("deliveryIdentifierType=HS_PHONE_NUMBER", &[0]),
        ("deliveryIdentifierType=HS_PHONE_NUMBER,HS_EMAIL_ADDRESS", &[0, 2]),
        ("deliveryIdentifierType[]=hs_phone_number&deliveryIdentifierType[]=HS_EMAIL_ADDRESS", &[0, 2]),
        ("deliveryIdentifierValue=%2B4940555012", &[0]),
        ("deliveryIdentifierValue=+4940555012", &[0]),
        ("deliveryIdentifierValue=quay@example.net", &[2]),
        // A comma may be part of an address.
        ("deliveryIdentifierValue=one,two", &[1]),
        ("deliveryIdentifierValue=quay@example.net,%2B4940555012", &[0, 2]),
        ("deliveryIdentifierValue=quay@example.net&deliveryIdentifierValue=%2B4940555012", &[0, 2]),
        ("deliveryIdentifierValue=quay@example.net&deliveryIdentifierType=HS_PHONE_NUMBER", &[]),
        ("deliveryIdentifierValue=nobody", &[]),
    ] {
        assert_eq!(found(query).await, expected, "{query}");
    }
    let refused = app.get(&format!("{path}?deliveryIdentifierType=PIGEON&archived=maybe")).await.expect(400);
    assert_eq!(refused.problems(), ["deliveryIdentifierType", "archived"]);
    // Pages end where paging does, and filters go on in their links.
    for query in ["limit=1", "defaultPageLength=1", "limit=1&sort=-name"] {
        let all = app.integration.all(&format!("{BASE}{path}?{query}")).await;
        assert_eq!(all.len(), 4, "{query}");
    }
    let both = "deliveryIdentifierValue=quay@example.net&deliveryIdentifierValue=%2B4940555012&limit=1";
    let page = app.get(&format!("{path}?{both}")).await.expect(200).json();
    let link = text(&page["paging"]["next"], "link");
    assert!(
        link.contains("deliveryIdentifierValue=quay%40example.net&deliveryIdentifierValue=%2B4940555012"),
        "{link}"
    );
    assert_eq!(app.integration.all(&format!("{BASE}{path}?{both}")).await.len(), 2);

    // So it is with channels.
    let listed = app.send("GET", "", Value::Null).await.expect(200).json();
    assert_eq!((ids(&listed), listed.get("paging")), (vec![channel.clone(), other.clone()], None));
    let page = app.integration.get(&format!("{BASE}?sort=-createdAt,-id&limit=1")).await.expect(200).json();
    assert_eq!((&page["total"], ids(&page)), (&json!(2), vec![other]));
    let refused = app.integration.get(&format!("{BASE}?limit=0&after=nonsense")).await.expect(400);
    assert_eq!(refused.problems(), ["limit", "after"]);
    // Cursors of one list mean nothing in another.
    let after = text(&page["paging"]["next"], "after");
    assert_eq!(app.get(&format!("{path}?after={after}")).await.expect(400).problems(), ["after"]);
}

#[tokio::test]
async fn the_operator_connects_accounts_directly() {
    let app = Brought::new().await;
    let channel = app.channel(json!({})).await;
    let body = json!({ "name": "Harbour", "channelId": channel, "inboxId": app.desk.portal.inbox, "deliveryIdentifier": phone("+4940555012") });
    let made = app.desk.make("channel-accounts", body.clone()).await;
    let id = text(&made, "id");
    app.get(&format!("/{channel}/channel-accounts/{id}")).await.expect(200);
    let again = app.desk.portal.operator().post("/antiphon/v1/channel-accounts", body).await.expect(400);
    assert_eq!(again.problems(), ["deliveryIdentifier"]);
    let unknown = json!({ "name": "x", "channelId": 1_999_999, "inboxId": app.desk.portal.inbox });
    let refused = app.desk.portal.operator().post("/antiphon/v1/channel-accounts", unknown).await.expect(400);
    assert_eq!(refused.problems(), ["channelId"]);
    let kinds: Vec<_> = app.account_events().await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [EventKind::AccountCreated]);
    // An account that others have is not told of.
    app.desk
        .make("channel-accounts", json!({ "name": "x", "channelId": 1000, "inboxId": app.desk.portal.inbox }))
        .await;
    assert_eq!(app.account_events().await.len(), 1);
    let portal = PortalId(app.desk.portal.id.parse().unwrap());
    let directory = app.desk.server.app().store.directory(portal).await.unwrap().unwrap();
    let kept: Option<&Account> = directory.account(antiphon_store::AccountId(id.parse().unwrap()));
    assert_eq!(kept.unwrap().channel_id.to_string(), channel);
    assert!(app.desk.user.get(&format!("{V3}/channel-accounts/{id}")).await.status == 200);
}

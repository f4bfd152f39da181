//! Portals never see each other. Every operation at every path is called with a token of one portal and the ids of another:
//! in the path, in the query, in the body and in the cursor.

use antiphon::routes::{Entry, OPERATIONS, Routes, Scope};
use antiphon::sessions::role;
use antiphon_store::Role;
use antiphon_testkit::{TestServer, User};
use serde_json::{Value, json};

use crate::kit::{Desk, V3, text};
use crate::{files, journal};

/// In every name and text of the portal that is spied on.
const SECRET: &str = "Larkspur";

/// One object of each kind. The spy's own portal has so few that none of its ids is among them.
struct Target {
    desk: Desk,
    thread: String,
    message: String,
    ids: Value,
}

async fn target(server: &TestServer) -> Target {
    let desk = Desk::on(server).await;
    let mut ids = json!({});
    for number in 0..6 {
        let name = format!("{SECRET} {number}");
        let inbox = desk.make("inboxes", json!({ "name": name })).await;
        ids["inboxId"] = inbox["id"].clone();
        let account = json!({ "name": name, "channelId": 1000, "inboxId": inbox["id"] });
        ids["channelAccountId"] = desk.make("channel-accounts", account).await["id"].clone();
        ids["agentId"] = desk.make("agents", json!({ "name": name })).await["id"].clone();
        ids["botId"] = desk.make("bots", json!({ "name": name })).await["id"].clone();
        ids["llmId"] = desk.make("llms", json!({ "name": name })).await["id"].clone();
        ids["appId"] = desk.make("apps", json!({ "name": name })).await["id"].clone();
        ids["contactId"] = desk
            .make("contacts", json!({ "name": name, "email": format!("p{number}@larkspur.example") }))
            .await["id"]
            .clone();
        ids["tagId"] = desk.make("tags", json!({ "name": name })).await["id"].clone();
        ids["viewId"] = desk.make("views", json!({ "name": name })).await["id"].clone();
        ids["ticketId"] = desk.make("tickets", json!({ "subject": name })).await["id"].clone();
        let file = json!({ "name": name, "mediaType": "text/plain", "url": format!("https://files.example/{number}") });
        ids["fileId"] = desk.make("files", file).await["id"].clone();
        let token = json!({ "label": name, "appId": ids["appId"], "scopes": ["conversations.read"] });
        ids["token"] = json!("aph_unknown");
        ids["tokenId"] = desk.make("tokens", token).await["id"].clone();
    }
    let webhooks = format!("/webhooks/v3/{}", text(&ids, "appId"));
    let settings = json!({ "targetUrl": format!("https://bot.example/{SECRET}") });
    desk.portal.operator().put(&format!("{webhooks}/settings"), settings).await.expect(200);
    for number in 0..6 {
        let one =
            json!({ "eventType": "contact.propertyChange", "propertyName": format!("{SECRET}{number}") });
        let one = desk.portal.operator().post(&format!("{webhooks}/subscriptions"), one).await.expect(201);
        ids["subscriptionId"] = one.json()["id"].clone();
    }
    let told = json!({ "eventType": "conversation.creation", "active": true });
    let told = desk.portal.operator().post(&format!("{webhooks}/subscriptions"), told).await.expect(201);
    let mut thread = String::new();
    for number in 0..6 {
        thread = desk.portal.chat_from(&format!("{SECRET}-{number}"), &format!("{SECRET} says hello")).await;
    }
    desk.send(&thread, desk.on_chat(SECRET)).await;
    let event = desk.attempted(&text(&ids, "appId"), &text(&told.json(), "id")).await;
    ids["eventId"] = json!(event);
    ids["attemptId"] = json!("1");
    let agent = desk.portal.signed_in("ADMIN").await;
    let sessions = agent.get("/antiphon/v1/session/list").await.expect(200).json();
    ids["sessionId"] = sessions["results"][0]["id"].clone();
    let message = text(&desk.history(&thread).await[0], "id");
    for number in 0..6 {
        let words = json!({ "name": format!("{SECRET} {number}"), "text": SECRET });
        let words = desk.user.post("/antiphon/v1/canned-replies", words).await.expect(201);
        ids["cannedReplyId"] = words.json()["id"].clone();
    }
    let draft = json!({ "text": SECRET, "senderActorId": desk.portal.agent });
    desk.user.put(&format!("/antiphon/v1/threads/{thread}/draft"), draft).await.expect(204);
    ids["threadId"] = json!(thread);
    ids["messageId"] = json!(message);
    ids["actorId"] = json!(format!("A-{}", text(&ids, "agentId")));
    ids["portalId"] = json!(desk.portal.id);
    // Channels are the same everywhere, save those of an app.
    let channel = json!({ "name": SECRET, "capabilities": {}, "channelAccountConnectionRedirectUrl": "https://relay.example" });
    let channel = desk.user.post("/conversations/v3/custom-channels", channel).await.expect(201).json();
    ids["channelId"] = channel["id"].clone();
    ids["accountToken"] = json!("AAAA");
    let account = json!({ "name": SECRET, "inboxId": ids["inboxId"] });
    let accounts = format!("/conversations/v3/custom-channels/{}/channel-accounts", text(&ids, "channelId"));
    ids["channelAccountId"] = desk.user.post(&accounts, account).await.expect(201).json()["id"].clone();
    for (name, id) in journal::made(&desk).await {
        ids[name] = json!(id);
    }
    ids["count"] = json!("0");
    ids["fileId"] = files::upload(&desk, &[("file", "x.txt", SECRET)]).await["id"].clone();
    let folder = json!({ "name": SECRET });
    let folder = desk.user.post("/files/v3/folders", folder).await.expect(201).json();
    ids["*folderId"] = folder["id"].clone();
    ids["*path"] = json!("x.txt");
    ids["name"] = json!("x.txt");
    let renamed = json!({ "id": folder["id"], "name": SECRET });
    let task = desk.user.post("/files/v3/folders/update/async", renamed).await.expect(202).json();
    ids["taskId"] = task["id"].clone();
    Target { desk, thread, message, ids }
}

fn filled(template: &str, ids: &Value) -> String {
    let part = |part: &str| match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
        Some(name) => text(ids, name),
        None => part.to_owned(),
    };
    template.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// A body that means something to every operation.
fn body(target: &Target) -> Value {
    let mut body = target.ids.clone();
    for (name, value) in [
        ("status", json!("CLOSED")),
        ("name", json!("Spy")),
        ("subject", json!("Spy")),
        ("label", json!("Spy")),
        ("text", json!("Spy")),
        ("statusType", json!("READ")),
        ("senderActorId", target.ids["actorId"].clone()),
        (
            "inputs",
            json!([
                target.ids["actorId"],
                format!("V-{}", text(&target.ids, "contactId")),
                format!("B-{}", text(&target.ids, "botId"))
            ]),
        ),
        ("sender", json!({ "contactId": target.ids["contactId"] })),
        ("recipient", json!({ "contactId": target.ids["contactId"] })),
        ("attachments", json!([{ "fileId": target.ids["fileId"] }])),
        ("targetUrl", json!("https://spy.example")),
        ("eventType", json!("conversation.creation")),
        ("active", json!(false)),
        ("mediaType", json!("text/plain")),
        ("url", json!("https://files.example/spy")),
        ("subscriptionType", json!("OBJECT")),
        ("objectTypeId", json!("0-11")),
        ("filter", json!({ "conditions": [{ "property": "status", "operator": "EQ", "value": "OPEN" }] })),
        ("snapshotRequests", json!([])),
        ("messageDirection", json!("INCOMING")),
        (
            "senders",
            json!([{ "deliveryIdentifier": { "type": "HS_PHONE_NUMBER", "value": "+31205550178" } }]),
        ),
        ("deliveryIdentifier", json!({ "type": "HS_PHONE_NUMBER", "value": "+31205550178" })),
        ("userId", target.ids["agentId"].clone()),
        ("recipients", json!([{ "actorId": format!("V-{}", text(&target.ids, "contactId")) }])),
    ] {
        body[name] = value;
    }
    body
}

#[tokio::test]
async fn foreign_ids_in_path_and_body_open_nothing() {
    let server = TestServer::start().await;
    let target = target(&server).await;
    let spy = Desk::on(&server).await;
    spied_on(&target, &spy, false).await;
}

#[tokio::test]
async fn foreign_ids_open_nothing_to_an_agent_who_is_signed_in_elsewhere() {
    let server = TestServer::start().await;
    let target = target(&server).await;
    let spy = Desk::on(&server).await;
    spied_on(&target, &spy, true).await;
}

/// Calls every operation at every path, by a token or by an administrator's session.
async fn spied_on(target: &Target, spy: &Desk, by_session: bool) {
    let before = target.desk.position().await;
    let routes = Routes::new().unwrap();
    let mut called = 0;
    let mut user = if by_session { spy.portal.signed_in("ADMIN").await } else { spy.user.clone() };
    for mounted in routes.mounted() {
        for leaf in &mounted.leaves {
            let operation = leaf.operation;
            let path = filled(&mounted.template, &target.ids);
            let reply = user.send(operation.verb.name(), &path, body(target).to_string()).await;
            called += 1;
            let what = format!("{} {path}: {} {}", operation.verb.name(), reply.status, reply.text());
            assert!(reply.status < 500, "{what}");
            assert!(!reply.text().contains(SECRET), "{what}");
            if operation.id == "session.end" && by_session {
                user = spy.portal.signed_in("ADMIN").await;
            }
            if matches!(operation.entry, Entry::Open | Entry::Anyone) {
                // What they open is not named by an id.
                continue;
            }
            let agents_only = matches!(operation.entry, Entry::SignedIn | Entry::Scope(Scope::Agent));
            let of_tokens = |scope| role::scopes(Role::Admin).iter().all(|one| *one != scope);
            let unreachable = match operation.entry {
                Entry::Scope(Scope::Operator) | Entry::Address => operation.id != "files.serve",
                Entry::Scope(scope) if by_session => of_tokens(scope),
                Entry::App => by_session,
                _ => agents_only && !by_session,
            };
            if operation.id == "files.serve" {
                assert_eq!(reply.status, 404, "{what}");
            } else if operation.entry == Entry::Visitor {
                assert_eq!(reply.status, 401, "{what}");
            } else if unreachable {
                assert_eq!(reply.status, 403, "{what}");
            } else if operation.path.contains('{') {
                assert!(matches!(reply.status, 400 | 404), "{what}");
            }
        }
    }
    assert_eq!(
        called,
        OPERATIONS
            .iter()
            .flat_map(|family| family.iter())
            .map(|one| one.family.prefixes().len())
            .sum::<usize>()
    );
    assert_eq!(target.desk.position().await, before, "nothing happened in the other portal");
}

#[tokio::test]
async fn foreign_ids_beside_own_ones_open_nothing() {
    let server = TestServer::start().await;
    let target = target(&server).await;
    let spy = Desk::on(&server).await;
    let own = spy.chat("ines").await;
    let before = target.desk.position().await;
    let user = &spy.user;
    let id = |name: &str| text(&target.ids, name);
    let refused = async |method: &str, path: String, body: Value| {
        let reply = user.send(method, &path, body.to_string()).await;
        assert!(matches!(reply.status, 400 | 404), "{method} {path}: {} {}", reply.status, reply.text());
        assert!(!reply.text().contains(SECRET), "{}", reply.text());
    };
    let chat = spy.on_chat("x");
    let with = |name: &str, value: Value| {
        let mut body = chat.clone();
        body[name] = value;
        body
    };
    let messages = format!("{V3}/threads/{own}/messages");
    refused("POST", messages.clone(), with("senderActorId", target.ids["actorId"].clone())).await;
    refused("POST", messages.clone(), with("channelAccountId", target.ids["channelAccountId"].clone())).await;
    refused("POST", messages.clone(), with("attachments", json!([{ "fileId": id("fileId") }]))).await;
    refused("POST", messages.clone(), with("attachments", json!([{ "fileId": "https://files.example/5" }])))
        .await;
    refused(
        "POST",
        messages.clone(),
        with("recipients", json!([{ "actorId": format!("V-{}", id("contactId")) }])),
    )
    .await;
    for actor in [
        format!("A-{}", id("agentId")),
        format!("B-{}", id("botId")),
        format!("L-{}", id("llmId")),
        id("agentId"),
    ] {
        refused("PUT", format!("{V3}/threads/{own}/assignee"), json!({ "actorId": actor })).await;
    }
    refused("GET", format!("{messages}/{}", target.message), json!({})).await;
    refused("GET", format!("{messages}/{}/original-content", target.message), json!({})).await;
    refused("PUT", format!("/antiphon/v1/threads/{own}/ticket"), json!({ "ticketId": id("ticketId") })).await;
    refused("PUT", format!("/antiphon/v1/threads/{own}/tags"), json!({ "add": [id("tagId")] })).await;
    for filter in [
        json!({ "inboxIds": [id("inboxId")] }),
        json!({ "channelAccountIds": [id("channelAccountId")] }),
        json!({ "assignee": id("actorId") }),
        json!({ "tagId": id("tagId") }),
    ] {
        refused("POST", "/antiphon/v1/views".into(), json!({ "name": "x", "filter": filter })).await;
    }
    refused("GET", format!("/antiphon/v1/threads?viewId={}", id("viewId")), json!({})).await;
    refused("PUT", format!("/antiphon/v1/threads/{own}/inbox"), json!({ "inboxId": id("inboxId") })).await;
    refused(
        "PUT",
        format!("/antiphon/v1/threads/{own}/messages/{}/status", target.message),
        json!({ "statusType": "READ" }),
    )
    .await;
    refused(
        "POST",
        "/antiphon/v1/channel-accounts".into(),
        json!({ "name": "x", "channelId": 1000, "inboxId": id("inboxId") }),
    )
    .await;
    refused("POST", "/antiphon/v1/tokens".into(), json!({ "label": "x", "appId": id("appId") })).await;
    let identifier = json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": "x" });
    let incoming = json!({ "channelAccountId": id("channelAccountId"), "sender": { "identifier": identifier }, "text": "x" });
    refused("POST", "/antiphon/v1/messages/incoming".into(), incoming).await;
    let by_contact = json!({ "channelAccountId": spy.portal.chat, "sender": { "contactId": id("contactId") }, "text": "x" });
    refused("POST", "/antiphon/v1/messages/incoming".into(), by_contact).await;
    let start = json!({ "channelAccountId": spy.portal.chat, "recipient": { "contactId": id("contactId") } });
    refused("POST", "/antiphon/v1/threads".into(), start).await;
    assert_eq!(target.desk.position().await, before, "nothing happened in the other portal");

    // A reply to a message of theirs is a new conversation of ours.
    let reply = json!({ "channelAccountId": spy.portal.chat, "sender": { "identifier": identifier }, "text": "x", "inReplyToId": target.message });
    let thread = spy.portal.inject(reply).await;
    assert!(spy.history(&thread).await.iter().all(|entry| entry.get("inReplyToId").is_none()));
}

#[tokio::test]
async fn foreign_ids_in_query_and_cursor_find_nothing() {
    let server = TestServer::start().await;
    let target = target(&server).await;
    let spy = Desk::on(&server).await;
    let own = spy.chat("ines").await;
    spy.chat("omar").await;
    let nothing = async |user: &User, path: &str| {
        let reply = user.get(path).await.expect(200);
        assert_eq!(reply.json()["results"], json!([]), "{path}");
    };
    let id = |name: &str| text(&target.ids, name);
    let contact = text(&target.desk.thread(&target.thread).await, "associatedContactId");
    for query in [
        format!("inboxId={}", id("inboxId")),
        format!("associatedContactId={contact}"),
        format!("associatedContactId={}", id("contactId")),
        format!("associatedTicketId={}", id("ticketId")),
        format!("inboxId={}&archived=true", id("inboxId")),
        format!(
            "inboxId={}&sort=latestMessageTimestamp&latestMessageTimestampAfter=2026-01-01",
            id("inboxId")
        ),
    ] {
        nothing(&spy.user, &format!("{V3}/threads?{query}")).await;
    }
    nothing(&spy.user, &format!("{V3}/channel-accounts?inboxId={}", id("inboxId"))).await;
    for query in [
        format!("inboxId={}", id("inboxId")),
        format!("channelAccountId={}", id("channelAccountId")),
        format!("tagId={}", id("tagId")),
        format!("contactId={contact}"),
        format!("assignee={}", id("actorId")),
    ] {
        nothing(&spy.user, &format!("/antiphon/v1/threads?{query}")).await;
    }
    let latest = "sort=latestMessageTimestamp&latestMessageTimestampAfter=2026-01-01";
    for (path, own) in [
        (format!("{V3}/threads?limit=2"), format!("{V3}/threads?limit=2")),
        (format!("{V3}/threads?limit=2&{latest}"), format!("{V3}/threads?limit=2&{latest}")),
        (
            format!("{V3}/threads/{}/messages?limit=1", target.thread),
            format!("{V3}/threads/{own}/messages?limit=1"),
        ),
        (format!("{V3}/inboxes?limit=1"), format!("{V3}/inboxes?limit=1")),
        (format!("{V3}/channel-accounts?limit=1"), format!("{V3}/channel-accounts?limit=1")),
        ("/antiphon/v1/contacts?limit=1".into(), "/antiphon/v1/contacts?limit=1".into()),
        ("/antiphon/v1/threads?limit=1".into(), "/antiphon/v1/threads?limit=1".into()),
        ("/antiphon/v1/tags?limit=1".into(), "/antiphon/v1/tags?limit=1".into()),
        ("/antiphon/v1/views?limit=1".into(), "/antiphon/v1/views?limit=1".into()),
        ("/antiphon/v1/tickets?limit=1".into(), "/antiphon/v1/tickets?limit=1".into()),
    ] {
        let page = target.desk.user.get(&path).await.expect(200).json();
        let after = text(&page["paging"]["next"], "after");
        let reply = spy.user.get(&format!("{own}&after={after}")).await;
        assert!(matches!(reply.status, 200 | 400), "{own}: {}", reply.text());
        assert!(!reply.text().contains(SECRET), "{}", reply.text());
    }
    // Nothing of theirs is in any list.
    for (_, path) in antiphon::routes::Family::Conversations.prefixes().iter().flat_map(|(prefix, _)| {
        ["threads", "inboxes", "channels", "channel-accounts"]
            .map(|list| (list, format!("{prefix}/{list}?limit=500")))
    }) {
        assert!(!spy.user.get(&path).await.expect(200).text().contains(SECRET), "{path}");
    }
    for list in [
        "apps", "tokens", "agents", "bots", "llms", "contacts", "tickets", "events", "threads", "tags",
        "views",
    ] {
        assert!(
            !spy.user
                .get(&format!("/antiphon/v1/{list}?limit=500"))
                .await
                .expect(200)
                .text()
                .contains(SECRET),
            "{list}"
        );
    }
}

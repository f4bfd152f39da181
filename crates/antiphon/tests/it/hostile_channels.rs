//! Channels in a hostile world: addresses that lead inside, redirects, everything at once, forged tokens, bodies and lists without end,
//! and characters that nobody can see.

use std::time::Duration;

use antiphon_store::{AppId, DeliveryState, PortalId};
use antiphon_testkit::{Reaction, Teller, TestReceiver, TestServer};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::carried::Carried;
use crate::custom_channels::{BASE, Brought, phone};
use crate::kit::{V3, text, with};
use crate::published::Line;

#[tokio::test]
async fn an_address_that_leads_inside_is_never_called() {
    let server = TestServer::configured(|config| {
        config.outbound.allow = Vec::new();
        config.outbound.http = true;
    })
    .await;
    let (brought, inside) = (Brought::on(&server).await, TestReceiver::start().await);
    let port = inside.url("").rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
    let teller = Teller::start(&server);
    let (store, portal) = (&server.app().store, PortalId(brought.desk.portal.id.parse().unwrap()));
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "0.0.0.0",
        "169.254.169.254",
    ] {
        let body = json!({ "name": "x", "capabilities": {}, "webhookUrl": format!("http://{host}:{port}/") });
        let made = brought.send("POST", "/", body).await;
        if made.status == 400 {
            assert_eq!(made.problems(), ["webhookUrl"], "{host}");
            continue;
        }
        let channel = text(&made.expect(201).json(), "id");
        brought.account(&channel).await;
        let key = AppId::of_channel(channel.parse().unwrap());
        let mut error = String::new();
        for _ in 0..500 {
            let rows = store.deliveries(portal, key, DeliveryState::Waiting, None, 9).await.unwrap();
            if let Some(row) = rows.into_iter().next() {
                error = row.error;
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(!error.is_empty() && !error.contains("answered"), "{host}: {error:?}");
    }
    assert_eq!(inside.received().len(), 0);
    teller.stop().await;
}

#[tokio::test]
async fn a_redirect_leads_nowhere() {
    let carried = Carried::new().await;
    let elsewhere = TestReceiver::start().await;
    let to = elsewhere.url("/taken");
    carried.receiver.react(move |_| Reaction::answer(307, &[("location", to.as_str())], ""));
    let teller = Teller::start(&carried.brought.desk.server);
    carried.until("refused", async || carried.rows(DeliveryState::Waiting).await.len() == 1).await;
    assert!(carried.rows(DeliveryState::Waiting).await[0].error.contains("307"));
    assert_eq!(elsewhere.received().len(), 0);
    teller.stop().await;
}

#[tokio::test]
async fn of_what_comes_many_times_at_once_one_is_taken() {
    let line = Line::new(json!({})).await;
    let (app, desk) = (&line.brought, &line.brought.desk);
    // One message, whoever repeats it.
    let path = format!("/{}/messages", line.channel);
    let once = line.incoming("x", json!({ "integrationIdempotencyId": "once", "integrationThreadId": "k" }));
    let all = join_all((0..8).map(|_| app.post(&path, once.clone()))).await;
    let ids: Vec<String> = all.into_iter().map(|one| text(&one.expect(201).json(), "id")).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let threads = desk.found("").await;
    assert_eq!(threads.len(), 1);
    // One account of a number.
    let accounts = format!("/{}/channel-accounts", line.channel);
    let body =
        json!({ "name": "Quay", "inboxId": desk.portal.inbox, "deliveryIdentifier": phone("+4940555099") });
    let all = join_all((0..8).map(|_| app.post(&accounts, body.clone()))).await;
    let made = all.iter().filter(|one| one.status == 201).count();
    assert_eq!((made, all.iter().filter(|one| one.status == 409).count()), (1, 7));
    // One account of a token.
    let page = json!({ "channelAccountConnectionRedirectUrl": "https://sms.example/connect" });
    app.send("PATCH", &format!("/{}", line.channel), page).await.expect(200);
    let user = desk.portal.agent.trim_start_matches("A-");
    let asked = json!({ "inboxId": desk.portal.inbox, "userId": user });
    let token = text(&desk.make(&format!("channels/{}/connect", line.channel), asked).await, "accountToken");
    let staging = format!("/{}/channel-account-staging-tokens/{token}", line.channel);
    let number = |nth: i64| json!({ "deliveryIdentifier": phone(&format!("+494055570{nth}")) });
    let all = join_all((0..8).map(|nth| app.patch(&staging, number(nth)))).await;
    let made = all.iter().filter(|one| one.status == 200).count();
    assert_eq!((made, all.iter().filter(|one| one.status == 409).count()), (1, 7));
    assert_eq!(app.get(&accounts).await.expect(200).json()["total"], 3);
}

#[tokio::test]
async fn a_forged_token_opens_nothing() {
    let line = Line::new(json!({})).await;
    let (app, anybody) = (&line.brought, line.brought.desk.server.user(""));
    let portal = &app.desk.portal.id;
    let long = "A".repeat(8_000);
    for token in
        ["x", "%00", "%01", "..%2F..", "%FF%FE", "null", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &long]
    {
        let staging = format!("/{}/channel-account-staging-tokens/{token}", line.channel);
        app.patch(&staging, json!({ "accountName": "x" })).await.expect(404);
        let back = format!("/antiphon/v1/portals/{portal}/channel-connections/{token}");
        anybody.get(&back).await.expect(403);
    }
    assert_eq!(app.get(&format!("/{}/channel-accounts", line.channel)).await.expect(200).json()["total"], 1);
}

#[tokio::test]
async fn bodies_and_lists_have_an_end() {
    let line = Line::new(json!({ "allowMultipleRecipients": true })).await;
    let app = &line.brought;
    let messages = format!("/{}/messages", line.channel);
    let big = line.incoming("x", json!({ "padding": "x".repeat(6 << 20) }));
    app.post(&messages, big).await.expect(413);
    let big = json!({ "name": "x", "capabilities": { "ours": "x".repeat(300 << 10) } });
    app.send("POST", "/", big).await.expect(413);
    let deep = format!(
        "{{\"name\":\"x\",\"capabilities\":{{\"ours\":{}{}}}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let path = format!("{BASE}/?appId={}&hapikey={}", app.app, app.key);
    app.desk.server.user("").send("POST", &path, deep).await.expect(400);
    let many: Vec<Value> =
        (0..10_000).map(|nth| json!({ "deliveryIdentifier": phone(&format!("+3120{nth:06}")) })).collect();
    for name in ["senders", "recipients"] {
        assert_eq!(line.refused(line.incoming("x", json!({ name: many }))).await, [name]);
    }
    let outgoing = json!({ "messageDirection": "OUTGOING", "recipients": many });
    assert_eq!(line.refused(line.incoming("x", outgoing)).await, ["recipients"]);
    let thread = line.thread(line.incoming("Hello", json!({}))).await;
    let answer = with(line.answer("Yes"), json!({ "recipients": many }));
    let refused = app.desk.user.post(&format!("{V3}/threads/{thread}/messages"), answer).await.expect(400);
    assert_eq!(refused.problems(), ["recipients"]);
    assert_eq!(app.desk.found("").await.len(), 1);
}

#[tokio::test]
async fn characters_that_nobody_can_see_break_nothing() {
    let line = Line::new(json!({})).await;
    let app = &line.brought;
    // What no database takes is refused wherever it stands.
    for body in [
        json!({ "name": "a\0b", "capabilities": {} }),
        json!({ "name": "x", "capabilities": { "ours": "\0" } }),
    ] {
        app.send("POST", "/", body).await.expect(400);
    }
    line.refused(line.incoming("a\0b", json!({}))).await;
    for bad in ["a\u{1}b", "\u{1}", "a\u{7f}", "\u{85}\u{1b}x"] {
        // Names of things are seen by people, and names of conversations are compared.
        let channel = json!({ "name": bad, "capabilities": {} });
        assert_eq!(app.send("POST", "/", channel).await.expect(400).problems(), ["name"], "{bad:?}");
        let described = json!({ "channelDescription": bad });
        let refused = app.send("PATCH", &format!("/{}", line.channel), described).await.expect(400);
        assert_eq!(refused.problems(), ["channelDescription"], "{bad:?}");
        let account = format!("/{}/channel-accounts/{}", line.channel, line.account);
        assert_eq!(app.patch(&account, json!({ "name": bad })).await.expect(400).problems(), ["name"]);
        for name in ["integrationThreadId", "integrationIdempotencyId"] {
            assert_eq!(line.refused(line.incoming("x", json!({ name: bad }))).await, [name], "{bad:?}");
        }
        let opaque = json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": bad });
        let from = json!({ "senders": [{ "deliveryIdentifier": opaque }] });
        assert_eq!(line.refused(line.incoming("x", from)).await, ["senders"], "{bad:?}");
        let url = json!({ "webhookUrl": format!("https://sms.example/{bad}\r\nX-Evil: 1") });
        let reply = app.send("PATCH", &format!("/{}", line.channel), url).await;
        assert!(matches!(reply.status, 200 | 400), "{bad:?}");
        // What somebody said, and what they are called, comes in whatever is in it.
        let senders =
            json!([{ "name": format!("Ineke{bad}V."), "deliveryIdentifier": phone("+31205550178") }]);
        let said = line.publish(line.incoming(&format!("x{bad}y"), json!({ "senders": senders }))).await;
        assert!(said["senders"][0]["name"].as_str().is_some_and(|name| name.starts_with("Ineke")), "{said}");
        // Capabilities of its own are an app's to name.
        let ours = json!({ "capabilities": { "ours": bad } });
        let shown = app.send("PATCH", &format!("/{}", line.channel), ours).await.expect(200).json();
        assert_eq!(shown["capabilities"]["ours"], bad);
    }
}

//! Administrators set an app's webhook up without a key of the app: where it is told, and of what.

use antiphon_testkit::{Teller, TestReceiver, User};
use serde_json::{Value, json};

use crate::kit::{Desk, text};

struct Portal {
    desk: Desk,
    admin: User,
    webhook: String,
}

impl Portal {
    async fn open() -> Self {
        let desk = Desk::open().await;
        let admin = desk.portal.signed_in("ADMIN").await;
        let app = text(&desk.make("apps", json!({ "name": "Exporter" })).await, "id");
        Self { desk, admin, webhook: format!("/antiphon/v1/apps/{app}/webhook") }
    }

    fn at(&self, rest: &str) -> String {
        format!("{}{rest}", self.webhook)
    }

    async fn subscribe(&self, event: &str) -> Value {
        let body = json!({ "eventType": event, "active": true });
        self.admin.post(&self.at("/subscriptions"), body).await.expect(201).json()
    }
}

#[tokio::test]
async fn an_administrator_has_an_app_told() {
    let portal = Portal::open().await;
    let receiver = TestReceiver::start().await;
    portal.admin.get(&portal.at("/settings")).await.expect(404);
    let target = json!({ "targetUrl": receiver.url("/hook") });
    let set = portal.admin.put(&portal.at("/settings"), target).await.expect(200).json();
    assert_eq!(set["targetUrl"], receiver.url("/hook"));
    assert_eq!(portal.admin.get(&portal.at("/settings")).await.expect(200).json(), set);
    let made = portal.subscribe("conversation.creation").await;
    let _teller = Teller::start(&portal.desk.server);
    portal.desk.chat("omar").await;
    let told = receiver.wait_for(1).await;
    assert_eq!(told[0].json()[0]["subscriptionId"].to_string(), text(&made, "id"));

    let one = portal.at(&format!("/subscriptions/{}", text(&made, "id")));
    let off = portal.admin.patch(&one, json!({ "active": false })).await.expect(200).json();
    assert_eq!(off["active"], false);
    let all = portal.admin.get(&portal.at("/subscriptions")).await.expect(200).json();
    assert_eq!(all, json!({ "results": [off] }));
    portal.admin.delete(&one).await.expect(204);
    portal.admin.delete(&one).await.expect(404);
    assert_eq!(portal.admin.get(&portal.at("/subscriptions")).await.expect(200).json()["results"], json!([]));
    portal.admin.delete(&portal.at("/settings")).await.expect(204);
    portal.admin.get(&portal.at("/settings")).await.expect(404);
}

#[tokio::test]
async fn what_is_wrong_is_told_as_it_is_to_the_app() {
    let portal = Portal::open().await;
    let refused = portal.admin.put(&portal.at("/settings"), json!({ "targetUrl": "ftp://a.example" })).await;
    assert_eq!(refused.expect(400).problems(), ["targetUrl"]);
    let body = json!({ "eventType": "conversation.propertyChange" });
    let refused = portal.admin.post(&portal.at("/subscriptions"), body).await;
    assert_eq!(refused.expect(400).problems(), ["propertyName"]);
    portal.subscribe("conversation.creation").await;
    let body = json!({ "eventType": "conversation.creation" });
    portal.admin.post(&portal.at("/subscriptions"), body).await.expect(409);
    portal.admin.patch(&portal.at("/subscriptions/9999"), json!({ "active": true })).await.expect(404);
}

#[tokio::test]
async fn nobody_else_sets_it_up() {
    let portal = Portal::open().await;
    for role in ["AGENT", "READ_ONLY"] {
        let colleague = portal.desk.portal.colleague(&role.replace('_', "-"), role).await;
        colleague.get(&portal.at("/settings")).await.expect(403);
        let target = json!({ "targetUrl": "https://bot.example" });
        colleague.put(&portal.at("/settings"), target).await.expect(403);
        colleague.post(&portal.at("/subscriptions"), json!({})).await.expect(403);
    }
    // Nor an administrator of another portal, whatever the number of the app.
    let elsewhere = portal.desk.server.portal("Larkspur").await;
    let stranger = elsewhere.signed_in("ADMIN").await;
    let target = json!({ "targetUrl": "https://bot.example" });
    stranger.put(&portal.at("/settings"), target).await.expect(404);
    stranger.get(&portal.at("/subscriptions")).await.expect(404);
    portal.admin.get(&portal.at("/settings")).await.expect(404);
}

#[tokio::test]
async fn settings_are_read_as_they_were_written() {
    let portal = Portal::open().await;
    let made = json!({ "name": "Care", "assignOnReply": false });
    let inbox = portal.admin.post("/antiphon/v1/inboxes", made).await.expect(201).json();
    let path = format!("/antiphon/v1/inboxes/{}", text(&inbox, "id"));
    assert_eq!(portal.admin.get(&path).await.expect(200).json(), inbox);
    let body =
        json!({ "name": "Shop", "channelId": 1000, "inboxId": inbox["id"], "welcomeMessage": "Hello!" });
    let account = portal.admin.post("/antiphon/v1/channel-accounts", body).await.expect(201).json();
    assert_eq!(account["welcomeMessage"], "Hello!");
    let one = format!("/antiphon/v1/channel-accounts/{}", text(&account, "id"));
    assert_eq!(portal.admin.get(&one).await.expect(200).json(), account);
    portal.admin.delete(&one).await.expect(204);
    portal.admin.delete(&path).await.expect(204);
    for archived in [one, path] {
        assert_eq!(portal.admin.get(&archived).await.expect(200).json()["archived"], true);
    }
}

//! Apps that have to be let in: what they are told while they are installed, and not before or after.

use std::time::Duration;

use antiphon::journal::write::Writer;
use antiphon_testkit::{Teller, TestReceiver, TestServer, User};
use serde_json::{Value, json};

use crate::deliveries::events;
use crate::kit::{Desk, text};

const HOOKS: &str = "/webhooks/v3";

/// An app that users are sent back to, with a webhook and a journal.
pub struct Public {
    pub desk: Desk,
    pub app: String,
    pub key: String,
    pub secret: String,
    pub client: String,
    pub receiver: TestReceiver,
}

impl Public {
    pub async fn on(server: &TestServer) -> Self {
        let desk = Desk::on(server).await;
        let made = desk.make("apps", json!({ "name": "Relay" })).await;
        let app = text(&made, "id");
        let settings = json!({ "redirectUris": ["https://app.example/back"] });
        let settings =
            desk.user.patch(&format!("/antiphon/v1/apps/{app}/oauth"), settings).await.expect(200).json();
        let public = Self {
            app,
            key: text(&made, "developerKey"),
            secret: text(&made, "clientSecret"),
            client: text(&settings, "clientId"),
            receiver: TestReceiver::start().await,
            desk,
        };
        let target = json!({ "targetUrl": public.receiver.url("/hook"), "throttling": { "maxConcurrentRequests": 10 } });
        public.owner("PUT", "/settings", target).await;
        public
    }

    /// A call with the developer key about the app's webhooks.
    pub async fn owner(&self, method: &str, path: &str, body: Value) -> Value {
        let path = format!("{HOOKS}/{}{path}?hapikey={}", self.app, self.key);
        let reply = self.desk.server.anybody().send(method, &path, body.to_string()).await;
        assert!(reply.status < 300, "{}", reply.text());
        if reply.text().is_empty() { Value::Null } else { reply.json() }
    }

    pub async fn subscribe(&self, event: &str) -> String {
        text(&self.owner("POST", "/subscriptions", json!({ "eventType": event, "active": true })).await, "id")
    }

    /// The app as it acts for itself.
    pub async fn itself(&self) -> User {
        let body = json!({ "grant_type": "client_credentials", "client_id": self.client, "client_secret": self.secret });
        let given = self.desk.server.anybody().post("/oauth/v3/token", body).await.expect(200).json();
        self.desk.server.user(&text(&given, "access_token"))
    }
}

/// Lets an app into the desk's portal; the answer.
pub async fn install(desk: &Desk, app: &str, scopes: &[&str]) -> Value {
    let user: i64 = desk.portal.agent.trim_start_matches("A-").parse().unwrap();
    let body = json!({ "userId": user, "scopes": scopes });
    desk.user.post(&format!("/antiphon/v1/apps/{app}/install"), body).await.expect(201).json()
}

pub async fn uninstall(desk: &Desk, app: &str) {
    desk.user.delete(&format!("/antiphon/v1/apps/{app}/install")).await.expect(204);
}

/// Waits until an app's receiver was told of these, and of nothing more for a while.
async fn told(receiver: &TestReceiver, threads: &[&str]) {
    let heard = || {
        let mut heard: Vec<String> =
            events(&receiver.received()).iter().map(|event| event["objectId"].to_string()).collect();
        heard.sort();
        heard.dedup();
        heard
    };
    let mut wanted: Vec<String> = threads.iter().map(|id| (*id).to_owned()).collect();
    wanted.sort();
    for _ in 0..500 {
        if heard() == wanted {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(heard(), wanted);
}

#[tokio::test]
async fn an_app_is_told_of_what_happens_while_it_is_installed() {
    let public = Public::on(&TestServer::start().await).await;
    let desk = &public.desk;
    public.subscribe("conversation.creation").await;
    let teller = Teller::start(&desk.server);
    desk.chat("before").await;
    told(&public.receiver, &[]).await;

    install(desk, &public.app, &["oauth", "conversations.read"]).await;
    let first = desk.chat("first").await;
    told(&public.receiver, &[&first]).await;

    // What waits when it goes is dropped, and what happens meanwhile is never told.
    public.receiver.react(|_| antiphon_testkit::Reaction::status(500));
    let lost = desk.chat("lost").await;
    told(&public.receiver, &[&first, &lost]).await;
    uninstall(desk, &public.app).await;
    desk.chat("meanwhile").await;
    public.receiver.react(|_| antiphon_testkit::Reaction::status(200));
    let before = public.receiver.received().len();
    desk.server.advance(Duration::from_secs(3600));
    teller.wake();
    told(&public.receiver, &[&first, &lost]).await;
    assert_eq!(public.receiver.received().len(), before);

    install(desk, &public.app, &["oauth", "conversations.read"]).await;
    let second = desk.chat("second").await;
    told(&public.receiver, &[&first, &lost, &second]).await;
    teller.stop().await;
}

#[tokio::test]
async fn what_was_granted_decides_what_an_app_may_know() {
    let public = Public::on(&TestServer::start().await).await;
    let desk = &public.desk;
    public.subscribe("conversation.creation").await;
    let teller = Teller::start(&desk.server);
    install(desk, &public.app, &["oauth", "files"]).await;
    desk.chat("unseen").await;
    told(&public.receiver, &[]).await;
    install(desk, &public.app, &["oauth", "conversations.read"]).await;
    let seen = desk.chat("seen").await;
    told(&public.receiver, &[&seen]).await;
    // One whom nobody has to let in goes by what it may ask for.
    let path = format!("/antiphon/v1/apps/{}/oauth", public.app);
    desk.user.patch(&path, json!({ "redirectUris": [] })).await.expect(200);
    uninstall(desk, &public.app).await;
    let private = desk.chat("private").await;
    told(&public.receiver, &[&seen, &private]).await;
    teller.stop().await;
}

#[tokio::test]
async fn a_journal_has_what_happened_while_its_app_was_installed() {
    let public = Public::on(&TestServer::start().await).await;
    let desk = &public.desk;
    let itself = public.itself().await;
    for what in [
        json!({ "subscriptionType": "OBJECT", "portalId": desk.portal.id, "objectTypeId": "0-11", "actions": ["CREATE"] }),
        json!({ "subscriptionType": "APP_LIFECYCLE_EVENT", "eventTypeId": "4-1909196" }),
        json!({ "subscriptionType": "APP_LIFECYCLE_EVENT", "eventTypeId": "4-1916193" }),
    ] {
        itself.post("/webhooks-journal/subscriptions/2026-03", what).await.expect(200);
    }
    let mut writer = Writer::default();
    desk.chat("before").await;
    desk.server.advance(Duration::from_millis(1));
    install(desk, &public.app, &["oauth", "conversations.read"]).await;
    let during = desk.chat("during").await;
    writer.step(desk.server.app()).await.unwrap();
    uninstall(desk, &public.app).await;
    desk.chat("after").await;
    desk.server.advance(Duration::from_secs(20));
    writer.step(desk.server.app()).await.unwrap();
    // Half an hour is over for whoever asked before.
    let found = public
        .itself()
        .await
        .get("/webhooks-journal/journal-local/2026-03/earliest")
        .await
        .expect(200)
        .json();
    let url = text(&found, "url");
    let path = url.strip_prefix(antiphon_testkit::PUBLIC_URL).unwrap();
    let file = desk.server.anybody().get(path).await.expect(200).json();
    let told: Vec<(String, String)> = file["journalEvents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (text(event, "action"), event["objectId"].to_string()))
        .collect();
    let of = |action: &str, id: &str| (action.to_owned(), id.to_owned());
    let app = &public.app;
    assert_eq!(told, [of("APP_INSTALL", app), of("CREATE", &during), of("APP_UNINSTALL", app)]);
}

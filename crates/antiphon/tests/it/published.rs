//! What is said on channels that apps bring: published by the app, answered by agents.

use std::time::Duration;

use antiphon_store::{EventKind, PortalId};
use antiphon_testkit::TestServer;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::custom_channels::{BASE, Brought, phone};
use crate::kit::{at, error, text, with};

pub const OWN: &str = "+4940555012";
pub const INEKE: &str = "+31205550178";

/// A channel with an account.
pub struct Line {
    pub brought: Brought,
    pub channel: String,
    pub account: String,
}

impl Line {
    pub async fn new(capabilities: Value) -> Self {
        Self::on(&TestServer::start().await, capabilities).await
    }

    async fn on(server: &TestServer, capabilities: Value) -> Self {
        let brought = Brought::on(server).await;
        let channel = brought.channel(capabilities).await;
        let account = brought.account(&channel).await;
        Self { brought, channel, account }
    }

    pub fn incoming(&self, words: &str, changes: Value) -> Value {
        let body = json!({ "channelAccountId": self.account, "messageDirection": "INCOMING", "text": words,
                           "senders": [{ "name": "Ineke V.", "deliveryIdentifier": phone(INEKE) }] });
        with(body, changes)
    }

    pub async fn publish(&self, body: Value) -> Value {
        let reply = self.brought.post(&format!("/{}/messages", self.channel), body).await.expect(201);
        let said = reply.json();
        let path = format!("/{}/messages/{}", self.channel, text(&said, "id"));
        assert_eq!(reply.header("location"), Some(&*format!("{BASE}{path}")));
        assert_eq!(self.brought.get(&path).await.expect(200).json(), said);
        // Those who read conversations see the same.
        let (thread, id) = (text(&said, "conversationsThreadId"), text(&said, "id"));
        let seen = self.brought.desk.get(&format!("/threads/{thread}/messages/{id}")).await.expect(200);
        assert_eq!(seen.json(), said);
        said
    }

    pub async fn thread(&self, body: Value) -> String {
        text(&self.publish(body).await, "conversationsThreadId")
    }

    pub async fn refused(&self, body: Value) -> Vec<String> {
        self.brought.post(&format!("/{}/messages", self.channel), body).await.expect(400).problems()
    }

    /// An answer of the agent, without recipients: it goes to whoever wrote last.
    pub fn answer(&self, words: &str) -> Value {
        json!({ "type": "MESSAGE", "text": words, "senderActorId": self.brought.desk.portal.agent,
                "channelId": self.channel, "channelAccountId": self.account })
    }

    pub async fn send(&self, thread: &str, body: Value) -> Value {
        self.brought.desk.send(thread, body).await
    }

    /// What the app has to carry, in order.
    async fn to_carry(&self) -> Vec<Value> {
        let portal = PortalId(self.brought.desk.portal.id.parse().unwrap());
        let events = self.brought.desk.server.app().store.events_after(portal, 0, 1000).await.unwrap();
        let added = events.iter().filter(|event| event.kind == EventKind::MessageAdded);
        let payloads = added.map(|event| serde_json::from_str::<Value>(&event.payload).unwrap());
        payloads.filter(|payload| payload.get("appId").is_some()).collect()
    }
}

#[tokio::test]
async fn what_comes_in() {
    let line = Line::new(json!({})).await;
    let app: i64 = line.brought.app.parse().unwrap();
    let body = line.incoming(
        "Is berth 4 free tonight?",
        json!({
            "integrationThreadId": "relay-7781", "integrationIdempotencyId": "relay-msg-1", "type": "MESSAGE",
            "timestamp": at(-60_000), "recipients": [{ "deliveryIdentifier": phone(OWN) }],
        }),
    );
    let said = line.publish(body.clone()).await;
    let thread = text(&said, "conversationsThreadId");
    let visitor = text(&said, "createdBy");
    assert!(visitor.starts_with("V-"));
    assert_eq!(
        with(said.clone(), json!({ "id": null })),
        json!({
            "type": "MESSAGE", "conversationsThreadId": thread, "createdAt": at(-60_000), "updatedAt": at(-60_000),
            "createdBy": visitor, "client": { "clientType": "INTEGRATION", "integrationAppId": app },
            "senders": [{ "actorId": visitor, "name": "Ineke V.", "deliveryIdentifier": phone(INEKE) }],
            "recipients": [{ "deliveryIdentifier": phone(OWN) }],
            "text": "Is berth 4 free tonight?", "richText": "<div>Is berth 4 free tonight?</div>", "attachments": [],
            "truncationStatus": "NOT_TRUNCATED", "status": { "statusType": "RECEIVED" }, "direction": "INCOMING",
            "channelId": line.channel, "channelAccountId": line.account, "archived": false,
        })
    );
    // A repeat answers the first, whatever else it says.
    let again = with(body, json!({ "text": "Something else", "integrationThreadId": "other" }));
    assert_eq!(line.publish(again).await, said);
    // Opening it has the message's time and a millisecond.
    let history = line.brought.desk.history(&thread).await;
    let times: Vec<_> = history.iter().map(|entry| text(entry, "createdAt")).collect();
    assert_eq!(times, [at(-60_000), at(-59_999)]);
    // Recipients are the account unless others are named, and nobody writes from the future.
    let later = line.publish(
        line.incoming("Hello?", json!({ "timestamp": at(60_000), "integrationThreadId": "relay-7781" })),
    );
    let later = later.await;
    assert_eq!(later["recipients"], json!([{ "deliveryIdentifier": phone(OWN) }]));
    assert_eq!((text(&later, "createdAt"), text(&later, "conversationsThreadId")), (at(0), thread.clone()));
    // What is older than the newest entry comes behind it.
    let old = line
        .publish(line.incoming("Old", json!({ "timestamp": 1, "integrationThreadId": "relay-7781" })))
        .await;
    assert_eq!(text(&old, "createdAt"), at(1));
    assert!(line.to_carry().await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_published() {
    let line = Line::new(json!({})).await;
    let other = line.brought.channel(json!({})).await;
    let elsewhere = line.brought.account(&other).await;
    let missing = line.refused(json!({})).await;
    assert_eq!(missing, ["channelAccountId", "messageDirection", "text"]);
    for (changes, fields) in [
        (json!({ "channelAccountId": elsewhere }), &["channelAccountId"][..]),
        (json!({ "channelAccountId": "999" }), &["channelAccountId"]),
        (json!({ "messageDirection": "SIDEWAYS" }), &["messageDirection"]),
        (json!({ "senders": [] }), &["senders"]),
        (json!({ "senders": [{ "name": "Ineke" }] }), &["senders"]),
        (
            json!({ "senders": [{ "deliveryIdentifier": { "type": "HS_EMAIL_ADDRESS", "value": "nobody" } }] }),
            &["senders"],
        ),
        (json!({ "text": " " }), &["text"]),
        (json!({ "text": "x".repeat(100_001) }), &["text"]),
        (json!({ "timestamp": "soon" }), &["timestamp"]),
        (json!({ "attachments": [{ "type": "FILE", "fileId": "999" }] }), &["attachments"]),
        (json!({ "attachments": [{ "type": "FILE" }] }), &["fileId"]),
        (json!({ "attachments": [{ "type": "WHATSAPP_TEMPLATE_METADATA" }] }), &["attachments"]),
        (
            json!({ "attachments": (0..21).map(|_| json!({ "type": "UNSUPPORTED_CONTENT" })).collect::<Vec<_>>() }),
            &["attachments"],
        ),
        (json!({ "integrationThreadId": "x".repeat(300) }), &["integrationThreadId"]),
        (json!({ "integrationThreadId": "\u{1}x" }), &["integrationThreadId"]),
        (json!({ "messageDirection": "OUTGOING" }), &["recipients"]),
    ] {
        assert_eq!(line.refused(line.incoming("x", changes.clone())).await, fields, "{changes}");
    }
    let accounts = format!("/{}/channel-accounts/{}", line.channel, line.account);
    line.brought.patch(&accounts, json!({ "authorized": false })).await.expect(200);
    let reply =
        line.brought.post(&format!("/{}/messages", line.channel), line.incoming("x", json!({}))).await;
    let refused = error(&reply.expect(400));
    assert_eq!(refused["subCategory"], "CustomChannelsError.CHANNEL_ACCOUNT_INACTIVE");
    let threads = line.brought.desk.found("").await;
    assert!(threads.is_empty(), "what is refused leaves nothing behind");
}

#[tokio::test]
async fn conversations_go_by_the_integrations_names() {
    let line = Line::new(json!({ "allowConversationStart": true })).await;
    let keyed = |key: &str| line.incoming("x", json!({ "integrationThreadId": key }));
    let (a, b) = (line.thread(keyed("a")).await, line.thread(keyed("b")).await);
    assert_ne!(a, b);
    assert_eq!(line.thread(keyed("a")).await, a);
    // Without a name it goes on where these two spoke last.
    assert_eq!(line.thread(line.incoming("x", json!({}))).await, b);
    // What answers a message goes where that is.
    let first = text(&line.brought.desk.history(&a).await[0], "id");
    let reply =
        line.publish(line.incoming("x", json!({ "integrationThreadId": "b", "inReplyToId": first }))).await;
    assert_eq!((text(&reply, "conversationsThreadId"), text(&reply, "inReplyToId")), (a.clone(), first));
    // A closed one is opened again, an archived one is left, and its name is free.
    line.brought.desk.patch(&format!("/threads/{a}"), json!({ "status": "CLOSED" })).await.expect(200);
    assert_eq!(line.thread(keyed("a")).await, a);
    assert_eq!(line.brought.desk.thread(&a).await["status"], "OPEN");
    line.brought.desk.delete(&format!("/threads/{a}")).await.expect(204);
    let c = line.thread(keyed("a")).await;
    assert_ne!(c, a);
    assert_eq!(line.thread(keyed("a")).await, c);

    // A conversation that an agent began has no name yet; the first new one becomes its.
    let body = json!({ "channelAccountId": line.account, "recipient": { "identifier": phone(INEKE) } });
    let begun = text(&line.brought.desk.make("threads", body).await, "id");
    assert_eq!(line.thread(keyed("b")).await, b);
    assert_eq!(line.thread(keyed("new")).await, begun);
    assert_eq!(line.thread(keyed("new")).await, begun);
    let d = line.thread(keyed("newer")).await;
    assert!(![&a, &b, &c, &begun].contains(&&d));
    // Somebody else's name is no name of theirs, on another account even less.
    let store = &line.brought.desk.server.app().store;
    let portal = PortalId(line.brought.desk.portal.id.parse().unwrap());
    let keys = store.thread_keys(portal, antiphon_store::ThreadId(begun.parse().unwrap())).await.unwrap();
    assert_eq!(keys, ["new"]);
    let other = line.brought.channel(json!({})).await;
    let account = line.brought.account(&other).await;
    let body = with(keyed("b"), json!({ "channelAccountId": account }));
    let elsewhere = line.brought.post(&format!("/{other}/messages"), body).await.expect(201).json();
    assert_ne!(text(&elsewhere, "conversationsThreadId"), b);
}

#[tokio::test]
async fn conversations_go_by_address() {
    let line = Line::new(json!({ "threadingModel": "DELIVERY_IDENTIFIER" })).await;
    let from = |address: &str, key: Value| {
        let senders = json!([{ "deliveryIdentifier": phone(address) }]);
        line.incoming("x", json!({ "senders": senders, "integrationThreadId": key }))
    };
    let ineke = line.thread(from(INEKE, json!(null))).await;
    assert_eq!(line.thread(from("+31 20 555-0178", json!("any"))).await, ineke);
    assert_eq!(line.thread(from("0031205550178", json!("other"))).await, ineke);
    let omar = line.thread(from("31205550199", json!("any"))).await;
    assert_ne!(omar, ineke);
    assert_eq!(line.thread(from("31205550199", json!(null))).await, omar);
    // The value is as it was sent.
    let last = line.publish(from("+31 20 555-0178", json!(null))).await;
    assert_eq!(last["senders"][0]["deliveryIdentifier"], phone("+31 20 555-0178"));
    line.brought.desk.delete(&format!("/threads/{ineke}")).await.expect(204);
    assert_ne!(line.thread(from(INEKE, json!(null))).await, ineke);
}

#[tokio::test]
async fn who_is_speaking() {
    let line = Line::new(json!({})).await;
    let desk = &line.brought.desk;
    let contact =
        text(&desk.make("contacts", json!({ "name": "Lena", "email": "lena@example.net" })).await, "id");
    let by = |identifier: Value, changes: Value| {
        let senders = json!([{ "deliveryIdentifier": identifier }]);
        with(line.incoming("x", json!({ "senders": senders })), changes)
    };
    let opaque = |value: &str| json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": value });
    let actor = async |body: Value| text(&line.publish(body).await, "createdBy");
    // By address: found, or made.
    let mail = json!({ "type": "HS_EMAIL_ADDRESS", "value": "LENA@example.net" });
    assert_eq!(actor(by(mail, json!({}))).await, format!("V-{contact}"));
    let phoned = actor(by(phone("+31 20 555 0100"), json!({}))).await;
    let made = desk
        .portal
        .operator()
        .get(&format!("/antiphon/v1/contacts/{}", &phoned[2..]))
        .await
        .expect(200)
        .json();
    assert_eq!(made["phone"], "+31205550100");
    // Nobody is behind an opaque one until it is said who; and then goes on to be.
    let before = line.publish(by(opaque("u-7"), json!({}))).await;
    let unknown = json!({ "associateWithContactId": 999_999 });
    assert_eq!(actor(by(opaque("u-7"), unknown)).await, text(&before, "createdBy"));
    let said = line.publish(by(opaque("u-7"), json!({ "associateWithContactId": contact }))).await;
    assert_eq!(text(&said, "createdBy"), format!("V-{contact}"));
    assert_eq!(said["conversationsThreadId"], before["conversationsThreadId"]);
    assert_eq!(actor(by(opaque("u-7"), json!({}))).await, format!("V-{contact}"));
    let kept = desk.get(&format!("/actors/{}", text(&before, "createdBy"))).await;
    kept.expect(200);
    let resolved = json!({ "preResolvedContacts": { "contacts": [{ "contactVid": contact.parse::<i64>().unwrap(),
                           "contactPropertiesLeadingToMatch": ["email", "anything"] }, { "contactVid": 1 }] } });
    assert_eq!(actor(by(opaque("u-8"), resolved)).await, format!("V-{contact}"));
    // Further senders are kept, and what cannot be shown is kept as that.
    let more = json!({ "senders": [{ "deliveryIdentifier": opaque("u-7") }, { "name": "Second", "deliveryIdentifier": opaque("u-9") }],
                       "attachments": [{ "type": "HOLOGRAM" }, { "type": "LOCATION", "latitude": 1.5, "longitude": 2 }], "text": " " });
    let said = line.publish(line.incoming("", more)).await;
    assert_eq!(said["senders"][1], json!({ "name": "Second", "deliveryIdentifier": opaque("u-9") }));
    assert_eq!(
        said["attachments"],
        json!([{ "type": "UNSUPPORTED_CONTENT" }, { "type": "LOCATION", "latitude": 1.5, "longitude": 2.0 }])
    );
}

#[tokio::test]
async fn what_went_out_elsewhere() {
    let line = Line::new(json!({})).await;
    let app: i64 = line.brought.app.parse().unwrap();
    let agent = line.brought.desk.portal.agent.clone();
    let outgoing = |changes: Value| {
        with(
            json!({ "channelAccountId": line.account, "messageDirection": "outgoing", "text": "Until nine.",
                     "recipients": [{ "name": "Ineke V.", "deliveryIdentifier": phone(INEKE) }] }),
            changes,
        )
    };
    let said = line.publish(outgoing(json!({ "integrationThreadId": "t-1" }))).await;
    let thread = text(&said, "conversationsThreadId");
    let by_app = format!("I-{app}");
    assert_eq!((text(&said, "createdBy"), text(&said, "direction")), (by_app.clone(), "OUTGOING".into()));
    assert_eq!(said["client"], json!({ "clientType": "INTEGRATION", "integrationAppId": app }));
    assert_eq!(
        said["senders"],
        json!([{ "actorId": by_app, "name": "Relay", "deliveryIdentifier": phone(OWN) }])
    );
    let visitor = said["recipients"][0]["actorId"].as_str().unwrap().to_owned();
    assert!(visitor.starts_with("V-"));
    assert_eq!(said["status"], json!({ "statusType": "SENT" }));
    // The counterpart goes on in the same conversation, and is the same person.
    let answer = line.publish(line.incoming("Thanks", json!({ "integrationThreadId": "t-1" }))).await;
    assert_eq!(
        (text(&answer, "conversationsThreadId"), text(&answer, "createdBy")),
        (thread.clone(), visitor.clone())
    );
    // An agent can be named; who is not known is the app. Nobody has to be named where the conversation is.
    let named = json!({ "senders": [{ "senderActorId": agent, "deliveryIdentifier": phone(OWN) }], "recipients": null, "integrationThreadId": "t-1" });
    let named = line.publish(outgoing(named)).await;
    assert_eq!(named["senders"][0]["actorId"], agent);
    assert_eq!(
        (text(&named, "conversationsThreadId"), &named["recipients"]),
        (
            thread.clone(),
            &json!([{ "actorId": visitor, "name": "Ineke V.", "deliveryIdentifier": phone(INEKE) }])
        )
    );
    let unknown = json!({ "senders": [{ "senderActorId": "A-999", "deliveryIdentifier": phone(OWN) }] });
    let unknown = line.publish(outgoing(unknown)).await;
    assert_eq!(
        (&unknown["senders"][0]["actorId"], text(&unknown, "conversationsThreadId")),
        (&json!(by_app), thread.clone())
    );
    assert_eq!(
        line.refused(outgoing(json!({ "recipients": [], "integrationThreadId": "t-2" }))).await,
        ["recipients"]
    );
    // It does not open a closed conversation, and nobody is told to carry it.
    line.brought.desk.patch(&format!("/threads/{thread}"), json!({ "status": "CLOSED" })).await.expect(200);
    line.publish(outgoing(json!({ "integrationThreadId": "t-1", "integrationIdempotencyId": "once" }))).await;
    let history = line.brought.desk.history(&thread).await.len();
    line.publish(outgoing(json!({ "integrationThreadId": "t-1", "integrationIdempotencyId": "once" }))).await;
    assert_eq!(line.brought.desk.history(&thread).await.len(), history);
    assert_eq!(line.brought.desk.thread(&thread).await["status"], "CLOSED");
    assert!(line.to_carry().await.is_empty());
}

#[tokio::test]
async fn what_an_agent_sends_is_to_be_carried() {
    let line = Line::new(json!({ "deliveryIdentifierTypes": ["HS_PHONE_NUMBER"] })).await;
    let thread = line.thread(line.incoming("Hello", json!({ "integrationThreadId": "k" }))).await;
    let sent = line
        .send(&thread, with(line.answer("Yes, <b>until</b> nine."), json!({ "richText": "<p><b>x</b></p>" })))
        .await;
    assert_eq!(sent["senders"][0]["deliveryIdentifier"], phone(OWN));
    assert_eq!(sent["recipients"][0]["deliveryIdentifier"], phone(INEKE));
    assert_eq!(sent["richText"], "<div>Yes, &lt;b&gt;until&lt;/b&gt; nine.</div>");
    assert_eq!(sent["status"], json!({ "statusType": "SENT" }));
    assert_eq!(
        line.to_carry().await,
        [
            json!({ "messageId": sent["id"], "messageType": "MESSAGE", "appId": line.brought.app.parse::<i64>().unwrap(),
                 "channelId": line.channel, "channelAccountId": line.account })
        ]
    );
    // A note is nobody's to carry.
    line.send(&thread, json!({ "type": "COMMENT", "text": "She is nice" })).await;
    assert_eq!(line.to_carry().await.len(), 1);

    // The app tells how far it got.
    let path = format!("/{}/messages/{}", line.channel, text(&sent, "id"));
    line.brought.desk.server.advance(Duration::from_secs(1));
    let failed = json!({ "statusType": "FAILED", "errorMessage": "No such number" });
    let failed = line.brought.patch(&path, failed).await.expect(200).json();
    assert_eq!(
        failed["status"],
        json!({ "statusType": "FAILED", "failureDetails": { "errorMessage": "No such number", "errorMessageTokens": {} } })
    );
    assert_ne!(failed["updatedAt"], failed["createdAt"]);
    for (status, told) in [("READ", "READ"), ("SENT", "READ"), ("FAILED", "FAILED"), ("SENT", "SENT")] {
        let now = line.brought.patch(&path, json!({ "statusType": status })).await.expect(200).json();
        assert_eq!(now["status"]["statusType"], told);
    }
    for wrong in [json!({}), json!({ "statusType": "RECEIVED" }), json!({ "statusType": "LOST" })] {
        assert_eq!(line.brought.patch(&path, wrong).await.expect(400).problems(), ["statusType"]);
    }
    let incoming = text(&line.brought.desk.history(&thread).await[0], "id");
    line.brought
        .patch(&format!("/{}/messages/{incoming}", line.channel), json!({ "statusType": "READ" }))
        .await
        .expect(400);
    // Messages of other channels are not here.
    let chat = line.brought.desk.chat("omar").await;
    let said = text(&line.brought.desk.history(&chat).await[0], "id");
    for id in [&said, &"0".repeat(32), &"nonsense".to_owned()] {
        line.brought.get(&format!("/{}/messages/{id}", line.channel)).await.expect(404);
        let path = format!("/{}/messages/{id}", line.channel);
        line.brought.patch(&path, json!({ "statusType": "READ" })).await.expect(404);
    }
}

#[tokio::test]
async fn what_an_agent_sends_keeps_to_what_can_be_said() {
    let line = Line::new(json!({
        "deliveryIdentifierTypes": ["HS_PHONE_NUMBER"], "allowedFileAttachmentMimeTypes": ["image/*"],
        "maxFileAttachmentCount": 1, "maxFileAttachmentSizeBytes": 100, "maxTotalFileAttachmentSizeBytes": 100, "richText": ["BOLD"],
    })).await;
    let desk = &line.brought.desk;
    let thread = line.thread(line.incoming("Hello", json!({}))).await;
    let file = async |media: &str, size: i64| {
        let body = json!({ "name": "f", "mediaType": media, "size": size, "url": format!("https://files.example/{media}/{size}") });
        json!({ "type": "FILE", "fileId": desk.make("files", body).await["id"] })
    };
    let (fine, wrong, large) =
        (file("image/png", 60).await, file("text/html", 1).await, file("image/gif", 101).await);
    let replies =
        json!({ "type": "QUICK_REPLIES", "quickReplies": [{ "value": "yes", "valueType": "TEXT" }] });
    for (changes, fields) in [
        (json!({ "attachments": [wrong] }), &["attachments"][..]),
        (json!({ "attachments": [large] }), &["attachments", "attachments"]),
        (json!({ "attachments": [fine, fine] }), &["attachments", "attachments"]),
        (json!({ "attachments": [replies] }), &["attachments"]),
        (
            json!({ "recipients": [{ "deliveryIdentifiers": [phone(INEKE), phone("+31205550100")] }] }),
            &["recipients"],
        ),
        (
            json!({ "recipients": [{ "deliveryIdentifier": { "type": "HS_SHORT_CODE", "value": "777" } }] }),
            &["recipients"],
        ),
    ] {
        assert_eq!(desk.refused(&thread, with(line.answer("x"), changes.clone())).await, fields, "{changes}");
    }
    let sent = line
        .send(&thread, with(line.answer("x"), json!({ "attachments": [fine], "richText": "<b>x</b>" })))
        .await;
    assert_eq!((&sent["richText"], sent["attachments"].as_array().unwrap().len()), (&json!("<b>x</b>"), 1));
    // Nobody but the visitor begins a conversation, unless the channel says so.
    let body = json!({ "channelAccountId": line.account, "recipient": { "identifier": phone(INEKE) } });
    let refused = desk.portal.operator().post("/antiphon/v1/threads", body).await.expect(400);
    assert_eq!(refused.problems(), ["channelAccountId"]);

    let path = format!("/{}", line.channel);
    let mute = json!({ "capabilities": { "allowOutgoingMessages": false } });
    line.brought.send("PATCH", &path, mute).await.expect(200);
    assert_eq!(desk.refused(&thread, line.answer("x")).await, ["channelId"]);
    let open = json!({ "capabilities": { "allowMultipleRecipients": true, "outgoingAttachmentTypes": ["QUICK_REPLIES"] } });
    line.brought.send("PATCH", &path, open).await.expect(200);
    let both = json!([{ "deliveryIdentifiers": [phone(INEKE), phone("31205550100")] }]);
    line.send(&thread, with(line.answer("x"), json!({ "recipients": both, "attachments": [replies] }))).await;
    assert_eq!(
        desk.refused(&thread, with(line.answer("x"), json!({ "attachments": [fine] }))).await,
        ["attachments"]
    );

    // Where nobody is told, nothing is delivered.
    let before = line.to_carry().await.len();
    line.brought.send("PATCH", &path, json!({ "webhookUrl": null })).await.expect(200);
    let sent = line.send(&thread, line.answer("x")).await;
    assert_eq!(sent["status"]["statusType"], "FAILED");
    assert!(sent["status"]["failureDetails"]["errorMessage"].as_str().unwrap().contains("webhookUrl"));
    assert_eq!(line.to_carry().await.len(), before);
}

#[tokio::test]
async fn first_messages_at_once_land_in_one_thread() {
    for model in ["INTEGRATION_THREAD_ID", "DELIVERY_IDENTIFIER"] {
        let line = Line::new(json!({ "threadingModel": model })).await;
        for round in 0..40 {
            let key = format!("round-{round}");
            let senders = json!([{ "deliveryIdentifier": phone(&format!("+3120555{round:04}")) }]);
            let one = |n: usize| {
                let body = json!({ "senders": senders, "integrationThreadId": key, "integrationIdempotencyId": format!("{round}-{}", n / 2) });
                let path = format!("/{}/messages", line.channel);
                let body = line.incoming(&format!("x {n}"), body);
                let brought = &line.brought;
                async move { brought.post(&path, body).await.expect(201).json() }
            };
            // Each is sent twice.
            let said = join_all((0..6).map(one)).await;
            let threads: std::collections::BTreeSet<_> =
                said.iter().map(|one| text(one, "conversationsThreadId")).collect();
            assert_eq!(threads.len(), 1, "{model} {round}");
            let messages: std::collections::BTreeSet<_> = said.iter().map(|one| text(one, "id")).collect();
            assert_eq!(messages.len(), 3, "{model} {round}");
            let thread = threads.first().unwrap();
            assert_eq!(
                line.brought.desk.history(thread).await.len(),
                4,
                "three messages, and that it was opened"
            );
        }
        let all = line.brought.desk.found("?limit=500").await;
        assert_eq!(all.len(), 40);
    }
}

#[tokio::test]
async fn an_answer_that_names_an_address_names_who_is_behind_it() {
    let line = Line::new(json!({ "allowMultipleRecipients": true })).await;
    let from = |value: &str| json!({ "senders": [{ "deliveryIdentifier": phone(value) }] });
    let made = line.publish(line.incoming("Hello", from("+31 20 555 0178"))).await;
    let other = line.publish(line.incoming("Hello", from("+31205550179"))).await;
    let recipients = json!([{ "deliveryIdentifiers": [phone("0031205550178")] }, { "deliveryIdentifier": phone("+31205550179") },
                            { "deliveryIdentifier": phone("31205550000") }]);
    let answer = with(line.answer("Yes"), json!({ "recipients": recipients }));
    let said = line.send(&text(&made, "conversationsThreadId"), answer).await;
    let actors: Vec<_> = (0..3).map(|nth| &said["recipients"][nth]["actorId"]).collect();
    // Nobody has written from the last one.
    assert_eq!(actors, [&made["senders"][0]["actorId"], &other["senders"][0]["actorId"], &Value::Null]);
    assert_ne!(actors[0], actors[1]);
}

//! What the rooms share: a portal with an agent at work in it, and history and events told in few words.

use antiphon::routes::Family;
use antiphon::webhooks::event_id::event_id;
use antiphon_store::{
    AppId, Attempt, Delivery, EventKind, ObjectKind, PortalId, Progress, Reader, SubscriptionId,
};
use antiphon_testkit::{EPOCH, Portal, Reply, TestServer, User};
use antiphon_wire::timestamp::Timestamp;
use serde_json::{Value, json};

/// The prefix that most tests use.
pub const V3: &str = "/conversations/v3/conversations";

/// Every prefix of the conversations API.
pub fn prefixes() -> impl Iterator<Item = &'static str> {
    Family::Conversations.prefixes().iter().map(|(prefix, _)| *prefix)
}

/// A portal and somebody who may do everything in it.
#[derive(Clone)]
pub struct Desk {
    pub server: TestServer,
    pub portal: Portal,
    pub user: User,
}

impl Desk {
    pub async fn open() -> Self {
        Self::on(&TestServer::start().await).await
    }

    /// A portal on a server that may have others.
    pub async fn on(server: &TestServer) -> Self {
        let portal = server.portal("Acme").await;
        let user = portal.full().await;
        Self { server: server.clone(), portal, user }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.user.get(&format!("{V3}{path}")).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.user.post(&format!("{V3}{path}"), body).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.user.put(&format!("{V3}{path}"), body).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.user.patch(&format!("{V3}{path}"), body).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.user.delete(&format!("{V3}{path}")).await
    }

    /// What the operator makes in the portal.
    pub async fn make(&self, path: &str, body: Value) -> Value {
        self.portal.operator().post(&format!("/antiphon/v1/{path}"), body).await.expect(201).json()
    }

    /// What the operator changes in the portal.
    pub async fn edit(&self, path: &str, body: Value) -> Value {
        self.portal.operator().patch(&format!("/antiphon/v1/{path}"), body).await.expect(200).json()
    }

    /// A thread, live or not.
    pub async fn thread(&self, id: &str) -> Value {
        let live = self.get(&format!("/threads/{id}")).await;
        if live.status == 200 {
            return live.json();
        }
        self.get(&format!("/threads/{id}?archived=true")).await.expect(200).json()
    }

    /// The whole history of a live thread, oldest first.
    pub async fn history(&self, thread: &str) -> Vec<Value> {
        self.user.all(&format!("{V3}/threads/{thread}/messages?sort=createdAt")).await
    }

    /// The history in few words.
    pub async fn told(&self, thread: &str) -> Vec<String> {
        self.history(thread).await.iter().map(told).collect()
    }

    /// Ids of the threads that a query finds, in order.
    pub async fn found(&self, query: &str) -> Vec<String> {
        let page = self.get(&format!("/threads{query}")).await.expect(200).json();
        ids(&page)
    }

    /// Position of the portal's newest event.
    pub async fn position(&self) -> i64 {
        self.server.app().store.event_position(self.portal_id()).await.unwrap()
    }

    /// The public events of threads behind a position, in few words.
    pub async fn events(&self, after: i64) -> Vec<String> {
        let events = self.server.app().store.events_after(self.portal_id(), after, 1000).await.unwrap();
        let positions: Vec<_> = events.iter().map(|event| event.position).collect();
        assert!(
            positions.windows(2).all(|pair| pair[1] == pair[0] + 1),
            "positions are dense: {positions:?}"
        );
        let public = events.iter().filter(|event| event.object == ObjectKind::Thread);
        public
            .filter_map(|event| {
                let payload: Value = serde_json::from_str(&event.payload).unwrap_or_default();
                let member = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
                match event.kind {
                    EventKind::ThreadCreated => Some("creation".to_owned()),
                    EventKind::MessageAdded => Some(format!("newMessage {}", member("messageType"))),
                    EventKind::ThreadChanged => {
                        Some(format!("{}={}", member("propertyName"), member("propertyValue")))
                    }
                    EventKind::ThreadArchived => Some("deletion".to_owned()),
                    EventKind::ThreadPurged => Some("privacyDeletion".to_owned()),
                    _ => None,
                }
            })
            .collect()
    }

    /// Notes that an app was sent an event once, and did not take it; the event's id.
    pub async fn attempted(&self, app: &str, subscription: &str) -> String {
        let (store, app) = (&self.server.app().store, AppId(app.parse().unwrap()));
        let subscription = SubscriptionId(subscription.parse().unwrap());
        let cursor = store.cursor_take(self.portal_id(), Reader::Webhooks, app).await.unwrap().unwrap();
        let before = store.event_position(self.portal_id()).await.unwrap();
        self.chat("attempted").await;
        let events = store.events_after(self.portal_id(), before, 1_000).await.unwrap();
        let event = events.iter().find(|event| event.kind == EventKind::ThreadCreated).unwrap();
        let now = self.server.now();
        let attempt = Attempt {
            id: cursor.next_entry,
            at: now,
            url: "https://bot.example/hooks".into(),
            succeeded: false,
            status: Some(500),
            error: Some("The receiver answered 500".into()),
            millis: 12,
            excerpt: "Sorry".into(),
            events: format!("[[{},{subscription},0,0]]", event.position),
        };
        let failed = Delivery {
            position: event.position,
            subscription_id: subscription,
            object_id: event.object_id,
            attempts: 1,
            first_at: now,
            last_at: now,
            due_at: Some(now + 60_000),
            loose: false,
            error: "The receiver answered 500".into(),
        };
        let done = Progress {
            epoch: cursor.epoch,
            position: cursor.position,
            next_entry: cursor.next_entry + 1,
            attempts: vec![attempt],
            failed: vec![failed],
            done: Vec::new(),
        };
        assert!(store.progress(self.portal_id(), app, done).await.unwrap());
        event_id((event.position, subscription)).to_string()
    }

    fn portal_id(&self) -> PortalId {
        PortalId(self.portal.id.parse().unwrap())
    }

    /// A chat thread with the visitor of that name.
    pub async fn chat(&self, visitor: &str) -> String {
        self.portal.chat_from(visitor, "Hello").await
    }

    /// An email thread with somebody at that address.
    pub async fn email(&self, address: &str) -> String {
        self.portal.email_from(address, "Wrong VAT number", "My invoice shows the wrong VAT number.").await
    }

    /// An answer on chat, without recipients: it goes to the visitor.
    pub fn on_chat(&self, text: &str) -> Value {
        json!({ "type": "MESSAGE", "text": text, "senderActorId": self.portal.agent, "channelId": "1000",
                "channelAccountId": self.portal.chat, "attachments": [], "recipients": [] })
    }

    /// An answer by email.
    pub fn by_email(&self, text: &str, to: &str) -> Value {
        let identifier = json!({ "type": "HS_EMAIL_ADDRESS", "value": to });
        json!({ "type": "MESSAGE", "text": text, "senderActorId": self.portal.agent, "channelId": "1002",
                "channelAccountId": self.portal.email, "attachments": [],
                "recipients": [{ "recipientField": "TO", "deliveryIdentifiers": [identifier] }] })
    }

    /// Sends something into a thread.
    pub async fn send(&self, thread: &str, body: Value) -> Value {
        self.post(&format!("/threads/{thread}/messages"), body).await.expect(201).json()
    }

    /// Sends what is refused, and answers which fields are named.
    pub async fn refused(&self, thread: &str, body: Value) -> Vec<String> {
        let before = self.history(thread).await.len();
        let problems = self.post(&format!("/threads/{thread}/messages"), body).await.expect(400).problems();
        assert_eq!(self.history(thread).await.len(), before, "what is refused leaves nothing behind");
        problems
    }
}

/// The `id` of every result.
pub fn ids(page: &Value) -> Vec<String> {
    page["results"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

/// A text member.
#[track_caller]
pub fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

/// A body with other values for some of its members; `null` takes one away.
pub fn with(mut body: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(name)),
            value => body[name] = value.clone(),
        }
    }
    body
}

/// The time so many milliseconds after clocks began to stand still.
pub fn at(millis: i64) -> String {
    serde_json::to_value(Timestamp(EPOCH + millis)).unwrap().as_str().unwrap().to_owned()
}

/// An error's body without what differs each time.
pub fn error(reply: &Reply) -> Value {
    let mut body = reply.json();
    body.as_object_mut().unwrap().remove("correlationId");
    body
}

/// An entry in few words: what it is, who caused it, through what.
pub fn told(entry: &Value) -> String {
    let member = |name: &str| entry[name].as_str().unwrap_or_default();
    let what = match member("type") {
        "MESSAGE" => format!("MESSAGE {}", member("direction")),
        "THREAD_STATUS_CHANGE" => format!("STATUS {}", member("newStatus")),
        "ASSIGNMENT" => format!("ASSIGNMENT {}>{}", member("assignedFrom"), member("assignedTo")),
        "THREAD_INBOX_CHANGE" => format!("INBOX {}>{}", member("fromInboxId"), member("toInboxId")),
        other => other.to_owned(),
    };
    format!("{what} by {} {}", member("createdBy"), entry["client"]["clientType"].as_str().unwrap())
}

//! Visitors of web pages: what they may do, what they see, and what they never do.

use std::time::Duration;

use antiphon_testkit::{EventStream, Reply, TestServer, User};
use serde_json::{Value, json};

use crate::kit::{Desk, text};

mod hostile;
mod limits;
mod people;
mod settings;
mod streams;
mod talking;

pub const WIDGET: &str = "/widget/v1";

const QUIET: Duration = Duration::from_millis(300);

/// A visitor with a session.
pub struct Visitor {
    pub user: User,
    /// What the session was begun with.
    pub begun: Value,
}

impl Visitor {
    /// Somebody new on a desk whose chat is open.
    pub async fn on(desk: &Desk) -> Self {
        Self::with(desk, json!({})).await
    }

    /// Somebody who says more of themselves.
    pub async fn with(desk: &Desk, more: Value) -> Self {
        let begun = begin(desk, more).await.expect(201).json();
        Self { user: desk.server.user(&text(&begun, "session")), begun }
    }

    pub fn key(&self) -> String {
        text(&self.begun, "visitorKey")
    }

    /// Says something.
    pub async fn says(&self, words: &str) -> Value {
        self.sends(json!({ "text": words })).await.expect(201).json()
    }

    pub async fn sends(&self, mut body: Value) -> Reply {
        if body.get("clientId").is_none() {
            body["clientId"] = uuid::Uuid::new_v4().to_string().into();
        }
        self.user.post(&format!("{WIDGET}/messages"), body).await
    }

    pub async fn threads(&self) -> Vec<Value> {
        let page = self.user.get(&format!("{WIDGET}/threads")).await.expect(200).json();
        page["results"].as_array().unwrap().clone()
    }

    pub async fn messages(&self, thread: &str, query: &str) -> Value {
        self.user.get(&format!("{WIDGET}/threads/{thread}/messages{query}")).await.expect(200).json()
    }

    /// What was said, in few words.
    pub async fn told(&self, thread: &str) -> Vec<String> {
        let page = self.messages(thread, "").await;
        page["results"].as_array().unwrap().iter().map(told).collect()
    }

    pub async fn listens(&self, query: &str) -> EventStream {
        let mut stream = self.user.listen(&format!("{WIDGET}/events{query}")).await;
        stream.block().await.unwrap();
        stream
    }
}

pub fn told(message: &Value) -> String {
    format!("{}: {}", text(message, "from"), text(message, "text"))
}

/// A desk whose chat is open to the web.
pub async fn open() -> Desk {
    let desk = Desk::open().await;
    set_up(&desk, json!({})).await;
    desk
}

/// Opens a desk's chat to the web.
pub async fn set_up(desk: &Desk, settings: Value) -> Value {
    let path = format!("/antiphon/v1/channel-accounts/{}/chat", desk.portal.chat);
    desk.user.put(&path, settings).await.expect(200).json()
}

pub async fn begin(desk: &Desk, more: Value) -> Reply {
    let mut body = json!({ "accountId": desk.portal.chat });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    desk.server.anybody().post(&format!("{WIDGET}/{}/sessions", desk.portal.id), body).await
}

/// A token that identifies somebody.
pub async fn vouched(desk: &Desk, body: Value) -> Value {
    let path = "/visitor-identification/v3/tokens/create";
    let token = desk.user.post(path, body.clone()).await.expect(200).json();
    json!({ "identification": { "email": body["email"], "token": token["token"] } })
}

/// The thread of what was sent.
pub fn thread(sent: &Value) -> String {
    sent["thread"]["id"].to_string()
}

/// What names an operation's parts, for the test that calls each once.
pub async fn made(desk: &Desk) -> (User, String, String) {
    set_up(desk, json!({})).await;
    let visitor = Visitor::on(desk).await;
    let sent = visitor.says("Hello").await;
    (visitor.user.clone(), thread(&sent), text(&sent["message"], "id"))
}

/// A server with other limits, and a desk on it whose chat is open.
pub async fn limited(change: impl FnOnce(&mut antiphon::config::Widget)) -> Desk {
    let server = TestServer::configured(|config| change(&mut config.widget)).await;
    let desk = Desk::on(&server).await;
    set_up(&desk, json!({})).await;
    desk
}

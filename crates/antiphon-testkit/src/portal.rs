//! A portal with everything a conversation needs, made by the calls that anybody would use.

use serde_json::{Value, json};

use crate::{TestServer, User};

/// Every scope there is inside one portal.
pub const EVERY_SCOPE: &[&str] = &[
    "conversations.visitor_identification.tokens.create",
    "conversations.read",
    "conversations.write",
    "files",
    "antiphon.admin",
    "antiphon.inbound",
    "webhooks-journal-data-access",
    "webhooks-journal-subscription-read",
    "webhooks-journal-subscription-management",
    "webhooks-journal-snapshot-management",
    "conversations.custom_channels.read",
    "conversations.custom_channels.write",
];

/// The password of agents who sign in.
pub const PASSWORD: &str = "correct horse";

/// One inbox with a chat and an email account, one agent, one app.
#[derive(Clone)]
pub struct Portal {
    server: TestServer,
    pub id: String,
    pub app: String,
    pub inbox: String,
    pub chat: String,
    pub email: String,
    /// Actor id of the agent.
    pub agent: String,
    operator: User,
}

impl Portal {
    pub(crate) async fn set_up(server: &TestServer, name: &str) -> Self {
        let made =
            server.operator().post("/antiphon/v1/portals", json!({ "name": name })).await.expect(201).json();
        let id = text(&made, "id");
        let operator = server.operator().with("x-antiphon-portal", &id);
        let make = async |path: &str, body: Value| {
            operator.post(&format!("/antiphon/v1/{path}"), body).await.expect(201).json()
        };
        let app = make("apps", json!({ "name": "Bridge" })).await;
        let inbox = make("inboxes", json!({ "name": "Support" })).await;
        let chat =
            make("channel-accounts", json!({ "name": "Website", "channelId": 1000, "inboxId": inbox["id"] }))
                .await;
        let address = json!({ "type": "HS_EMAIL_ADDRESS", "value": "help@acme.example" });
        let email = json!({ "name": "Helpdesk", "channelId": 1002, "inboxId": inbox["id"], "deliveryIdentifier": address });
        let email = make("channel-accounts", email).await;
        let agent = make("agents", json!({ "name": "Mia Chen", "email": "mia@acme.example" })).await;
        Self {
            server: server.clone(),
            id,
            app: text(&app, "id"),
            inbox: text(&inbox, "id"),
            chat: text(&chat, "id"),
            email: text(&email, "id"),
            agent: text(&agent, "actorId"),
            operator,
        }
    }

    /// The operator, at work in this portal.
    pub fn operator(&self) -> &User {
        &self.operator
    }

    /// A new token's user.
    pub async fn user(&self, scopes: &[&str]) -> User {
        let body = json!({ "label": "test", "appId": self.app, "scopes": scopes });
        let token = self.operator.post("/antiphon/v1/tokens", body).await.expect(201).json();
        self.server.user(&text(&token, "token"))
    }

    /// A user with every scope.
    pub async fn full(&self) -> User {
        self.user(EVERY_SCOPE).await
    }

    /// The portal's agent, signed in with a role.
    ///
    /// # Panics
    /// When the server does not let them in.
    pub async fn signed_in(&self, role: &str) -> User {
        self.agent_in("mia@acme.example", self.agent.trim_start_matches("A-"), role).await
    }

    /// Another agent who is new, signed in with a role.
    ///
    /// # Panics
    /// When the server does not let them in.
    pub async fn colleague(&self, name: &str, role: &str) -> User {
        let email = format!("{}@acme.example", name.to_lowercase());
        let body = json!({ "name": name, "email": email });
        let made = self.operator.post("/antiphon/v1/agents", body).await.expect(201).json();
        self.agent_in(&email, &text(&made, "id"), role).await
    }

    async fn agent_in(&self, email: &str, id: &str, role: &str) -> User {
        let login = json!({ "password": PASSWORD, "role": role });
        self.operator.put(&format!("/antiphon/v1/agents/{id}/login"), login).await.expect(204);
        let body = json!({ "email": email, "password": PASSWORD, "portalId": self.id });
        User::signing_in(&self.server, body).await
    }

    /// A user who may only read.
    pub async fn read_only(&self) -> User {
        self.user(&["conversations.read"]).await
    }

    /// A user who may only bring in traffic.
    pub async fn inbound(&self) -> User {
        self.user(&["antiphon.inbound"]).await
    }

    /// A visitor writes on the chat; the id of the thread. The same visitor continues their thread.
    pub async fn chat_from(&self, visitor: &str, words: &str) -> String {
        let identifier = json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": visitor });
        let sender = json!({ "name": visitor, "identifier": identifier });
        self.inject(json!({ "channelAccountId": self.chat, "sender": sender, "text": words })).await
    }

    /// Somebody writes an email; the id of the thread.
    pub async fn email_from(&self, address: &str, subject: &str, words: &str) -> String {
        let body = json!({ "channelAccountId": self.email, "sender": { "email": address }, "subject": subject, "text": words });
        self.inject(body).await
    }

    /// Injects a message; the id of the thread.
    pub async fn inject(&self, body: Value) -> String {
        let injected = self.operator.post("/antiphon/v1/messages/incoming", body).await;
        assert!(matches!(injected.status, 200 | 201), "{}", injected.text());
        text(&injected.json(), "threadId")
    }

    /// A chat thread of this many messages, its visitor's first.
    pub async fn thread_of(&self, messages: usize) -> String {
        let visitor = format!("visitor-{messages}");
        let thread = self.chat_from(&visitor, "message 0").await;
        for number in 1..messages {
            assert_eq!(self.chat_from(&visitor, &format!("message {number}")).await, thread);
        }
        thread
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

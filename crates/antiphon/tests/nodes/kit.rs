//! Nodes in the test's own process, entered where a socket would enter them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use antiphon::app::App;
use antiphon::config::Config;
use antiphon::middleware::{Peer, handle};
use antiphon_store::{PortalId, Settings, Store};
use antiphon_testkit::{Home, PUBLIC_URL, Reply, Seed, seed};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

/// The password of agents.
pub const PASSWORD: &str = "correct horse";

pub fn email(name: &str) -> String {
    format!("{}@acme.example", name.to_lowercase())
}

pub const V3: &str = "/conversations/v3/conversations";

/// A database with a portal in it.
pub struct Bed {
    pub home: Home,
    pub seed: Seed,
    pub portal: PortalId,
}

impl Bed {
    /// With a portal of so many chats.
    pub async fn new(chats: usize) -> Self {
        let home = Home::postgres();
        let seed = seed(&home, chats).await.unwrap();
        Self { home, seed, portal: PortalId(1) }
    }

    pub fn node(&self) -> Node {
        self.node_with(|_| {})
    }

    pub fn node_with(&self, change: impl FnOnce(&mut Config)) -> Node {
        let mut config = self.home.config();
        change(&mut config);
        let store = Store::open(self.home.settings()).unwrap();
        Node(Arc::new(App::new(store, config, PUBLIC_URL.into()).unwrap()))
    }

    /// A node whose time goes by a clock that the test moves.
    pub fn node_at(&self, clock: &Arc<AtomicI64>) -> Node {
        let clock = clock.clone();
        let clock: Arc<dyn Fn() -> i64 + Send + Sync> = Arc::new(move || clock.load(Ordering::SeqCst));
        let store = Store::open(Settings { clock: Some(clock), ..self.home.settings() }).unwrap();
        Node(Arc::new(App::new(store, self.home.config(), PUBLIC_URL.into()).unwrap()))
    }

    /// An agent who is new, with a password. Their actor id.
    pub async fn agent(&self, node: &Node, name: &str) -> String {
        let body = json!({ "name": name, "email": email(name) });
        let made = node.operate("POST", "agents", &body).await.expect(201).json();
        let login = json!({ "password": PASSWORD, "role": "AGENT" });
        node.operate("PUT", &format!("agents/{}/login", text(&made, "id")), &login).await.expect(204);
        text(&made, "actorId")
    }

    /// What a statement finds in its first column.
    pub fn column(&self, sql: &str) -> Vec<String> {
        let rows = self.home.database().unwrap().rows(sql).unwrap();
        rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect()
    }
}

#[derive(Clone)]
pub struct Node(pub Arc<App>);

impl Node {
    /// Asks as a token's bearer.
    pub async fn ask(&self, token: &str, method: &str, path: &str, body: &Value) -> Reply {
        let request = Request::builder().header("authorization", format!("Bearer {token}"));
        self.enter(&Peer::default(), request, method, path, body).await
    }

    /// Asks as the operator of the one portal.
    pub async fn operate(&self, method: &str, path: &str, body: &Value) -> Reply {
        let peer = Peer { operator: true, ..Peer::default() };
        let path = format!("/antiphon/v1/{path}");
        self.enter(&peer, Request::builder(), method, &path, body).await
    }

    pub async fn enter(
        &self,
        peer: &Peer,
        request: http::request::Builder,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Reply {
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let request = request.method(method).uri(path).header("host", "inbox.test");
        let request = request
            .header("content-type", "application/json")
            .header("content-length", body.len())
            .body(Full::new(body))
            .unwrap();
        let (head, body) = handle(&self.0, peer, request).await.into_parts();
        Reply::new(head.status, head.headers, body.collect().await.unwrap().to_bytes())
    }

    pub fn store(&self) -> &Store {
        &self.0.store
    }
}

/// An agent's browser. It asks whichever node it is led to.
#[derive(Debug, Clone)]
pub struct Browser {
    pub cookie: String,
    pub csrf: String,
}

impl Browser {
    /// Of an agent who signs in at a node.
    pub async fn sign_in(node: &Node, name: &str) -> Self {
        let body = json!({ "email": email(name), "password": PASSWORD });
        let path = "/antiphon/v1/session";
        let reply = node.enter(&Peer::default(), Request::builder(), "POST", path, &body).await.expect(200);
        Self { cookie: cookie(&reply).unwrap(), csrf: text(&reply.json(), "csrf") }
    }

    /// The same browser, having been given another cookie.
    pub fn given(&self, cookie: String) -> Self {
        Self { cookie, ..self.clone() }
    }

    pub async fn ask(&self, node: &Node, method: &str, path: &str, body: &Value) -> Reply {
        let request = Request::builder().header("x-antiphon-csrf", &self.csrf).header("origin", PUBLIC_URL);
        node.enter(&Peer::default(), request.header("cookie", &self.cookie), method, path, body).await
    }

    pub async fn get(&self, node: &Node, path: &str) -> Reply {
        self.ask(node, "GET", &format!("/antiphon/v1/{path}"), &Value::Null).await
    }

    /// What a WebSocket of the browser is opened with.
    pub fn headers(&self) -> String {
        format!("cookie: {}\r\norigin: {PUBLIC_URL}\r\nsec-websocket-protocol: antiphon.v1\r\n", self.cookie)
    }
}

/// The session that an answer gives a browser, if it gives one.
pub fn cookie(reply: &Reply) -> Option<String> {
    let cookies = reply.cookies();
    let given = cookies.iter().find(|cookie| cookie.starts_with("antiphon_session="));
    given.and_then(|cookie| cookie.split(';').next()).map(str::to_owned)
}

pub fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

//! Nodes in the test's own process, entered where a socket would enter them.

use std::sync::Arc;

use antiphon::app::App;
use antiphon::config::Config;
use antiphon::middleware::{Peer, handle};
use antiphon_store::{PortalId, Store};
use antiphon_testkit::{Home, PUBLIC_URL, Reply, Seed, seed};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::Value;

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

    async fn enter(
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

pub fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

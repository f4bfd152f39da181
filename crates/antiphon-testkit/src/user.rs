//! Who calls.

use antiphon::middleware::{Peer, handle};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::Full;
use serde_json::Value;

use crate::server::request;
use crate::{EventStream, Reply, TestServer};

/// A caller of a test server.
#[derive(Clone)]
pub struct User {
    server: TestServer,
    peer: Peer,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl User {
    pub(crate) fn operator(server: &TestServer) -> Self {
        Self { server: server.clone(), peer: Peer { operator: true, ..Peer::default() }, headers: Vec::new() }
    }

    pub(crate) fn bearer(server: &TestServer, token: &str) -> Self {
        Self::anybody(server).with("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn anybody(server: &TestServer) -> Self {
        Self { server: server.clone(), peer: Peer::default(), headers: Vec::new() }
    }

    /// The same user, sending one more header with every request.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).unwrap_or_else(|e| panic!("{name}: {e}"));
        self.headers.push((HeaderName::from_static(name), value));
        self
    }

    /// Listens.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn listen(&self, path: &str) -> EventStream {
        self.listens(path).await.unwrap_or_else(|reply| panic!("{path}: {}", reply.text()))
    }

    /// Listens, if the server lets them.
    pub async fn listens(&self, path: &str) -> Result<EventStream, Reply> {
        let mut sent = request("GET", path);
        sent.headers_mut().insert("accept", HeaderValue::from_static("text/event-stream"));
        for (name, value) in &self.headers {
            sent.headers_mut().insert(name, value.clone());
        }
        EventStream::of(handle(self.server.app(), &self.peer, sent).await).await
    }

    /// The token it calls with.
    pub fn token(&self) -> &str {
        let sent = self.headers.iter().find(|(name, _)| name == "authorization");
        sent.and_then(|(_, value)| value.to_str().ok()?.strip_prefix("Bearer ")).unwrap_or_default()
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, Bytes::new()).await
    }

    /// Creates, or asks for something to be done.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send("POST", path, body.to_string()).await
    }

    /// Replaces.
    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.send("PUT", path, body.to_string()).await
    }

    /// Changes.
    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send("PATCH", path, body.to_string()).await
    }

    /// Removes.
    pub async fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, Bytes::new()).await
    }

    /// Sends any body with any method.
    pub async fn send(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Reply {
        let body = body.into();
        let mut sent: Request<Full<Bytes>> = request(method, path);
        if !body.is_empty() {
            sent.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
            sent.headers_mut().insert("content-length", HeaderValue::from(body.len()));
        }
        for (name, value) in &self.headers {
            sent.headers_mut().insert(name, value.clone());
        }
        *sent.body_mut() = Full::new(body);
        self.server.send(&self.peer, sent).await
    }

    /// Every item of a list, page by page.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut page = path.to_owned();
        loop {
            let reply = self.get(&page).await.expect(200).json();
            all.extend(reply["results"].as_array().cloned().unwrap_or_default());
            let Some(after) = reply["paging"]["next"]["after"].as_str() else { return all };
            page = format!("{path}{}after={after}", if path.contains('?') { '&' } else { '?' });
        }
    }
}

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

    /// The agent with this address, in a browser in which they have just signed in.
    ///
    /// # Panics
    /// When the server does not let them in.
    pub async fn signing_in(server: &TestServer, body: Value) -> Self {
        let reply = Self::anybody(server).post("/antiphon/v1/session", body).await.expect(200);
        Self::anybody(server).in_session(&reply)
    }

    /// The same user, in the session that an answer has begun.
    ///
    /// # Panics
    /// When it has begun none.
    pub fn in_session(self, reply: &Reply) -> Self {
        let named = |cookie: &&str| cookie.starts_with("antiphon_session=");
        let cookies: Vec<&str> = reply.cookies();
        let cookie = cookies.iter().find(|cookie| named(cookie)).and_then(|cookie| cookie.split(';').next());
        let cookie = cookie.unwrap_or_else(|| panic!("no session was begun: {}", reply.text()));
        let csrf = reply.json()["csrf"].as_str().unwrap_or_default().to_owned();
        self.with("cookie", cookie).with("x-antiphon-csrf", &csrf).with("origin", "http://inbox.test")
    }

    /// The same user without a header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
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

    /// The cookies it sends.
    pub fn cookie(&self) -> String {
        let sent = self.headers.iter().find(|(name, _)| name == "cookie");
        sent.and_then(|(_, value)| value.to_str().ok()).unwrap_or_default().to_owned()
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

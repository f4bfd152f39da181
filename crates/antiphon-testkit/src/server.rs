//! A server inside the test: the real program on a real store, entered where a socket would enter it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use antiphon::app::App;
use antiphon::config::Config;
use antiphon::middleware::{Peer, handle};
use antiphon::outbound::{Lookup, Outbound};
use antiphon_store::Store;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::Value;

use crate::{Home, Portal, Reply, Strict, User};

/// Where clocks stand when a test begins: 2026-03-01T08:00:00.000Z.
pub const EPOCH: i64 = 1_772_352_000_000;

/// Scheme and host that tests meet in links.
pub const PUBLIC_URL: &str = "http://inbox.test";

/// The server. Time stands still until it is moved, ids are counted, and every answer is judged.
#[derive(Clone)]
pub struct TestServer {
    inner: Arc<Inner>,
}

struct Inner {
    app: Arc<App>,
    clock: Arc<AtomicI64>,
    strict: Strict,
    document: Value,
    home: Home,
}

impl TestServer {
    /// An empty server.
    pub async fn start() -> Self {
        Self::configured(|_| {}).await
    }

    /// An empty server whose configuration differs from the tests' usual one.
    pub async fn configured(change: impl FnOnce(&mut Config)) -> Self {
        Self::built(change, None).await
    }

    /// The same, with names looked up elsewhere than this machine would.
    pub async fn resolving(change: impl FnOnce(&mut Config), lookup: Lookup) -> Self {
        Self::built(change, Some(lookup)).await
    }

    async fn built(change: impl FnOnce(&mut Config), lookup: Option<Lookup>) -> Self {
        let home = Home::new();
        let mut config = home.config();
        change(&mut config);
        let clock = Arc::new(AtomicI64::new(EPOCH));
        let mut settings = home.settings();
        settings.counted_ids = true;
        settings.clock = Some({
            let clock = clock.clone();
            Arc::new(move || clock.load(Ordering::SeqCst))
        });
        let store = Store::open(settings).unwrap_or_else(|e| panic!("{e}"));
        let mut app = App::new(store, config, PUBLIC_URL.into()).unwrap_or_else(|e| panic!("{e:#}"));
        if let Some(lookup) = lookup {
            let outbound = Outbound::asking(&app.config.outbound, lookup);
            app.outbound = outbound.unwrap_or_else(|e| panic!("{e:#}"));
        }
        let app = Arc::new(app);
        let document = document(&app).await;
        let strict = Strict::new(&document).noting(notes());
        Self { inner: Arc::new(Inner { app, clock, strict, document, home }) }
    }

    /// A portal with everything a conversation needs.
    pub async fn portal(&self, name: &str) -> Portal {
        Portal::set_up(self, name).await
    }

    /// Whoever may open the control socket. Allowed everything, in the portal it names.
    pub fn operator(&self) -> User {
        User::operator(self)
    }

    /// Someone without any.
    pub fn anybody(&self) -> User {
        User::anybody(self)
    }

    /// Someone with a token; it need not be a valid one.
    pub fn user(&self, token: &str) -> User {
        User::bearer(self, token)
    }

    /// Sends a request as it is. The answer has been judged.
    ///
    /// # Panics
    /// When the answer is not what our own API description says.
    pub async fn send(&self, peer: &Peer, request: Request<Full<Bytes>>) -> Reply {
        let (method, path) = (request.method().clone(), request.uri().to_string());
        let reply = enter(&self.inner.app, peer, request).await;
        self.inner.strict.judge(&method, &path, &reply).unwrap_or_else(|faults| panic!("{faults}"));
        reply
    }

    /// Moves domain time on.
    pub fn advance(&self, by: Duration) {
        self.inner.clock.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// Domain time in milliseconds.
    pub fn now(&self) -> i64 {
        self.inner.clock.load(Ordering::SeqCst)
    }

    /// The program itself.
    pub fn app(&self) -> &Arc<App> {
        &self.inner.app
    }

    /// Our own API description.
    pub fn document(&self) -> &Value {
        &self.inner.document
    }

    /// Where the server keeps everything.
    pub fn home(&self) -> &Home {
        &self.inner.home
    }
}

/// Where notes about operations are left for the coverage test: beside the test binary.
pub fn notes() -> PathBuf {
    let binary = std::env::current_exe().unwrap_or_default();
    let profile = binary
        .ancestors()
        .find(|path| path.ends_with("deps"))
        .and_then(Path::parent)
        .unwrap_or(Path::new("."));
    profile.join("operations")
}

/// What a program says about its own API.
pub async fn document(app: &Arc<App>) -> Value {
    enter(app, &Peer::default(), request("GET", "/openapi.json")).await.expect(200).json()
}

/// A request without a body.
pub fn request(method: &str, path: &str) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method).uri(path).header("host", "inbox.test");
    request.body(Full::default()).unwrap_or_else(|e| panic!("{method} {path}: {e}"))
}

async fn enter(app: &Arc<App>, peer: &Peer, request: Request<Full<Bytes>>) -> Reply {
    let (head, body) = handle(app, peer, request).await.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    Reply::new(head.status, head.headers, body)
}

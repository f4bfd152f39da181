//! One connection: which protocol it speaks, how long it may take, and how it ends.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use anyhow::Context;
use futures_util::StreamExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::told;
use crate::app::App;
use crate::config;
use crate::metrics::Shed;
use crate::middleware::outflow::{Outflow, Pieces};
use crate::middleware::reply::Unanswered;
use crate::middleware::{self, Peer};
use crate::realtime::socket::Upgrade;

/// What a client sends first when it speaks HTTP/2 without having asked.
const PREFACE: &[u8; 4] = b"PRI ";

/// Most bytes of headers that are read at all with HTTP/2, a little less than with HTTP/1.1. What is too much but not endless
/// is then refused in the shape of every other refusal.
const HEADERS: u32 = 384 << 10;

/// How long a client that is turned away may take to send what it wants.
const TURNED_AWAY: Duration = Duration::from_secs(2);

/// How long a stream whose end was written may take to be read, once the server stops.
const FAREWELL: Duration = Duration::from_secs(1);

/// Where connections come in.
pub struct Door {
    pub app: Arc<App>,
    pub tls: Option<TlsAcceptor>,
}

/// Keeps count of open connections.
struct Counted(Arc<App>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.open_connections.fetch_sub(1, Relaxed);
    }
}

impl Door {
    /// Serves a connection in a task of its own. `alive` is held until it ends.
    pub fn open(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        stop: watch::Receiver<bool>,
        alive: mpsc::Sender<()>,
    ) {
        let app = self.app.clone();
        let before = app.open_connections.fetch_add(1, Relaxed);
        let counted = Counted(app.clone());
        let most = app.config.server.connections;
        let trusted = app.config.server.trusts(address.ip());
        let tls = self.tls.clone();
        if before >= most.saturating_mul(2) {
            return;
        }
        tokio::spawn(async move {
            let _counted = counted;
            if before >= most {
                Box::pin(turn_away(app, stream)).await;
                return;
            }
            let peer = Peer { secure: tls.is_some(), trusted, address: Some(address.ip()), operator: false };
            // Connections are many and mostly rest. What only few need is in a box, so that the others need no room for it.
            match tls {
                Some(tls) => Box::pin(encrypted(app, peer, &tls, stream, stop, alive)).await,
                None => match speaks_http2(&app, &stream, stop.clone()).await {
                    Some(true) => Box::pin(http2(app, peer, stream, stop, alive)).await,
                    Some(false) => plain(app, peer, stream, stop, alive).await,
                    None => {}
                },
            }
        });
    }
}

/// Whether the first bytes are those of HTTP/2; `None` when nothing comes. Nothing is consumed.
///
/// hyper-util can tell as well, but waits for the first byte for ever, and copies every read through its own buffer.
async fn speaks_http2(app: &App, stream: &TcpStream, mut stop: watch::Receiver<bool>) -> Option<bool> {
    let look = async {
        let mut first = [0; PREFACE.len()];
        loop {
            match stream.peek(&mut first).await.ok()? {
                0 => return None,
                seen if seen < PREFACE.len() && PREFACE.starts_with(&first[..seen]) => {
                    // The rest is on its way; peeking again at once would find the same bytes.
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                _ => return Some(first == *PREFACE),
            }
        }
    };
    tokio::select! {
        seen = tokio::time::timeout(app.config.server.idle(), look) => seen.ok().flatten(),
        () = told(&mut stop) => None,
    }
}

/// Whether a connection is of any use: how many requests it brought, and how many are being answered.
///
/// hyper has a limit for the head of a request, but sets a timer for each; this asks one timer per connection, and twice
/// the patience at worst does no harm.
#[derive(Default)]
struct Pulse {
    begun: AtomicU64,
    ended: AtomicU64,
    /// Files on their way out.
    leaving: Mutex<Vec<Weak<Leaving>>>,
    /// Of those that were begun and have not ended: streams, whose heads were sent.
    flowing: AtomicU64,
    /// What goes on over the connection once the response is sent that said so.
    socket: OnceLock<Upgrade>,
}

impl Pulse {
    /// Whether nothing has begun or ended since it was last asked, and nothing is under way; or whether the other side has taken
    /// nothing of a file since it was asked the time before.
    fn rests(&self, seen: &mut u64) -> bool {
        let (begun, ended) = (self.begun.load(Relaxed), self.ended.load(Relaxed));
        let before = std::mem::replace(seen, begun + ended);
        (before == begun + ended && begun == ended) || self.stalls()
    }

    fn stalls(&self) -> bool {
        let mut leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        leaving.retain(|file| file.strong_count() > 0);
        let looks = leaving.iter().filter_map(Weak::upgrade).map(|file| file.looks.fetch_add(1, Relaxed));
        looks.max().is_some_and(|looks| looks >= 2)
    }

    /// Has a file noted while its pieces are taken.
    fn watch(&self, pieces: Pieces, under_way: UnderWay) -> Pieces {
        let leaving = Arc::new(Leaving { looks: AtomicU64::new(0), _under_way: under_way });
        let mut all = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Arc::downgrade(&leaving));
        Box::pin(pieces.inspect(move |_| leaving.looks.store(0, Relaxed)))
    }

    /// Whether nothing is under way but streams.
    fn only_flows(&self) -> bool {
        self.begun.load(Relaxed) - self.ended.load(Relaxed) <= self.flowing.load(Relaxed)
    }

    /// Waits for what was accepted. A stream has ended by now, but a client that does not read does not know; for such nobody
    /// waits.
    async fn last<T>(&self, connection: impl Future<Output = T>) {
        let mut connection = std::pin::pin!(connection);
        loop {
            tokio::select! {
                _ = connection.as_mut() => return,
                () = tokio::time::sleep(FAREWELL) => if self.only_flows() { return },
            }
        }
    }
}

/// A file on its way out.
struct Leaving {
    /// How often it was looked at since a piece of it was taken last.
    looks: AtomicU64,
    _under_way: UnderWay,
}

/// A request under way: until it is answered or, where the answer is a file or a stream, until that ends.
struct UnderWay {
    pulse: Arc<Pulse>,
    flows: bool,
}

impl UnderWay {
    fn begin(pulse: Arc<Pulse>) -> Self {
        pulse.begun.fetch_add(1, Relaxed);
        Self { pulse, flows: false }
    }

    /// The response, unless it must not be sent: the error ends the connection.
    fn sent(mut self, mut response: Response<Outflow>) -> Result<Response<Outflow>, Unanswered> {
        if let Some(unanswered) = response.extensions().get::<Unanswered>() {
            return Err(*unanswered);
        }
        if let Some(socket) = response.extensions_mut().remove::<Upgrade>() {
            // There is one at most: no request follows.
            self.pulse.socket.set(socket).ok();
        }
        if let Outflow::File(pieces) = response.body_mut() {
            let pulse = self.pulse.clone();
            let whole = std::mem::replace(pieces, Box::pin(futures_util::stream::empty()));
            *pieces = pulse.watch(whole, self);
        } else if response.body().flows() {
            self.pulse.flowing.fetch_add(1, Relaxed);
            self.flows = true;
            response.body_mut().hold(self);
        }
        Ok(response)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.pulse.flowing.fetch_sub(u64::from(self.flows), Relaxed);
        self.pulse.ended.fetch_add(1, Relaxed);
    }
}

/// Serves HTTP/1.1.
pub async fn plain<S>(
    app: Arc<App>,
    peer: Peer,
    stream: S,
    mut stop: watch::Receiver<bool>,
    alive: mpsc::Sender<()>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let _alive = alive;
    let idle = app.config.server.idle();
    let pulse = Arc::new(Pulse::default());
    let heart = pulse.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (app, pulse) = (app.clone(), heart.clone());
        // In a box, since a connection keeps room for it for as long as it lasts.
        Box::pin(async move {
            let under_way = UnderWay::begin(pulse);
            under_way.sent(middleware::handle(&app, &peer, request).await)
        })
    });
    let mut connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut tick = tokio::time::interval_at(Instant::now() + idle, idle);
    let mut seen = 0;
    loop {
        tokio::select! {
            biased;
            // Connections end in many ways that are nobody's fault; the client sees the same as we do.
            _ = &mut connection => break,
            () = told(&mut stop) => {
                Pin::new(&mut connection).graceful_shutdown();
                return Box::pin(pulse.last(connection)).await;
            }
            _ = tick.tick() => if pulse.rests(&mut seen) { return },
        }
    }
    if let Some(session) = pulse.socket.get().and_then(Upgrade::take) {
        let parts = connection.into_parts();
        let farewell = async {
            told(&mut stop).await;
            tokio::time::sleep(FAREWELL).await;
        };
        tokio::select! {
            () = Box::pin(session.run(parts.io.into_inner(), parts.read_buf)) => {}
            () = farewell => {}
        }
    }
}

/// Serves HTTP/2.
async fn http2<S>(
    app: Arc<App>,
    peer: Peer,
    stream: S,
    mut stop: watch::Receiver<bool>,
    alive: mpsc::Sender<()>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let _alive = alive;
    let idle = app.config.server.idle();
    let pulse = Arc::new(Pulse::default());
    let heart = pulse.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (app, pulse) = (app.clone(), heart.clone());
        async move {
            let under_way = UnderWay::begin(pulse);
            under_way.sent(middleware::handle(&app, &peer, request).await)
        }
    });
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(idle)
        .max_header_list_size(HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let mut tick = tokio::time::interval_at(Instant::now() + idle, idle);
    loop {
        tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            () = told(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                return pulse.last(connection).await;
            }
            // Whether anybody is there at all the protocol asks itself.
            _ = tick.tick() => if pulse.stalls() { return },
        }
    }
}

/// Serves whichever protocol was agreed on under encryption.
async fn encrypted(
    app: Arc<App>,
    peer: Peer,
    tls: &TlsAcceptor,
    stream: TcpStream,
    stop: watch::Receiver<bool>,
    alive: mpsc::Sender<()>,
) {
    let Ok(Ok(stream)) = tokio::time::timeout(app.config.server.idle(), tls.accept(stream)).await else {
        return;
    };
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        Box::pin(http2(app, peer, stream, stop, alive)).await;
    } else {
        plain(app, peer, stream, stop, alive).await;
    }
}

/// Loads the certificate, when one is configured.
///
/// # Errors
/// One sentence that says what to do.
pub fn tls(config: &config::Tls) -> anyhow::Result<Option<TlsAcceptor>> {
    if !config.enabled() {
        return Ok(None);
    }
    let (certificate, key) = (config.certificate.display(), config.key.display());
    let chain = CertificateDer::pem_file_iter(&config.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| {
            format!("tls.certificate = {certificate} cannot be read; name a PEM file with the chain")
        })?;
    let private = PrivateKeyDer::from_pem_file(&config.key)
        .with_context(|| format!("tls.key = {key} cannot be read; name a PEM file with the private key"))?;
    let mut server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .with_context(|| format!("the certificate in {certificate} does not belong to the key in {key}"))?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(server))))
}

/// Answers 503 to whatever is asked, once: there are too many connections.
async fn turn_away(app: Arc<App>, stream: TcpStream) {
    let service = service_fn(move |request: Request<Incoming>| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(middleware::busy(&app, &request.into_parts().0, Shed::Connections)) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(TURNED_AWAY)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    tokio::time::timeout(TURNED_AWAY * 2, connection).await.ok();
}

//! A receiver of what the server sends: it writes down what comes, byte for byte, and behaves as well or as badly as a test
//! wants.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// How long a test waits for a request.
const PATIENCE: Duration = Duration::from_secs(15);

/// Listens on a port of its own, and ends with its value.
pub struct TestReceiver {
    pub address: SocketAddr,
    ledger: Arc<Ledger>,
    certificate: Option<TempDir>,
    serving: JoinHandle<()>,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    /// The path with the query, exactly as in the request line.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub at: Instant,
    /// The number of the connection, counted from 1.
    pub connection: usize,
}

/// What a receiver does with a request.
#[derive(Debug, Clone)]
pub struct Reaction {
    delay: Duration,
    bytes: Vec<u8>,
    then: Then,
}

#[derive(Debug, Clone)]
enum Then {
    Keep,
    Close,
    Hang,
    Repeat(Vec<u8>, Duration),
}

type Behaviour = Box<dyn FnMut(&Received) -> Reaction + Send>;

struct Ledger {
    received: watch::Sender<Vec<Received>>,
    behaviour: Mutex<Behaviour>,
    connections: AtomicUsize,
}

impl Reaction {
    /// Answers with a status and no body.
    pub fn status(status: u16) -> Self {
        Self::answer(status, &[], "")
    }

    pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        Self::raw(format!("HTTP/1.1 {status} -\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()))
    }

    /// Sends these bytes, whatever they are, and waits for the next request.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { delay: Duration::ZERO, bytes: bytes.into(), then: Then::Keep }
    }

    /// Says nothing, ever.
    pub fn hang() -> Self {
        Self::raw("").then_hang()
    }

    /// Closes without an answer.
    pub fn close() -> Self {
        Self::raw("").then_close()
    }

    /// Begins a while later.
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    pub fn then_close(self) -> Self {
        Self { then: Then::Close, ..self }
    }

    pub fn then_hang(self) -> Self {
        Self { then: Then::Hang, ..self }
    }

    /// Goes on with the same bytes again and again, until nobody listens.
    pub fn then_repeat(self, bytes: impl Into<Vec<u8>>, every: Duration) -> Self {
        Self { then: Then::Repeat(bytes.into(), every), ..self }
    }
}

impl Received {
    /// A header as text; empty, if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", self.body))
    }
}

impl TestReceiver {
    /// A receiver that answers everything with 200.
    pub async fn start() -> Self {
        Self::serve(None, None).await
    }

    /// The same over TLS, with a certificate for `localhost` and 127.0.0.1 that nobody knows.
    pub async fn secure() -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let tls = tls(&folder).unwrap_or_else(|e| panic!("{e:#}"));
        Self::serve(Some(tls), Some(folder)).await
    }

    async fn serve(tls: Option<TlsAcceptor>, certificate: Option<TempDir>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap_or_else(|e| panic!("{e}"));
        let address = listener.local_addr().unwrap_or_else(|e| panic!("{e}"));
        let ledger = Arc::new(Ledger {
            received: watch::Sender::default(),
            behaviour: Mutex::new(Box::new(|_| Reaction::status(200))),
            connections: AtomicUsize::new(0),
        });
        let serving = tokio::spawn({
            let ledger = ledger.clone();
            async move {
                // They end with this task.
                let mut connections = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    let (ledger, tls) = (ledger.clone(), tls.clone());
                    let number = ledger.connections.fetch_add(1, Ordering::SeqCst) + 1;
                    // How a connection ends is the client's business.
                    connections.spawn(async move {
                        match tls {
                            Some(tls) => ledger.converse(tls.accept(stream).await?, number).await,
                            None => ledger.converse(stream, number).await,
                        }
                    });
                }
            }
        });
        Self { address, ledger, certificate, serving }
    }

    /// Its URL with a path, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address)
    }

    /// Its certificate as a PEM file, for those who want to trust it.
    ///
    /// # Panics
    /// When it has none.
    pub fn certificate(&self) -> PathBuf {
        self.certificate.as_ref().map_or_else(|| panic!("not a secure receiver"), |at| at.path().join("pem"))
    }

    /// Decides what it does from now on, request by request.
    pub fn react(&self, behaviour: impl FnMut(&Received) -> Reaction + Send + 'static) {
        *self.ledger.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(behaviour);
    }

    /// Everything that came so far.
    pub fn received(&self) -> Vec<Received> {
        self.ledger.received.borrow().clone()
    }

    /// Connections that were made so far.
    pub fn connections(&self) -> usize {
        self.ledger.connections.load(Ordering::SeqCst)
    }

    /// Waits until so many requests came, and answers all there are.
    ///
    /// # Panics
    /// When they do not come.
    pub async fn wait_for(&self, requests: usize) -> Vec<Received> {
        let mut received = self.ledger.received.subscribe();
        let enough = received.wait_for(|received| received.len() >= requests);
        match tokio::time::timeout(PATIENCE, enough).await {
            Ok(Ok(received)) => received.clone(),
            _ => panic!("{requests} requests were expected; there are {:#?}", self.received()),
        }
    }
}

impl Drop for TestReceiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Ledger {
    async fn converse(
        &self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
        number: usize,
    ) -> io::Result<()> {
        let mut read = Vec::new();
        loop {
            let request = next(&mut stream, &mut read, number).await?;
            let reaction = self.behaviour.lock().unwrap_or_else(PoisonError::into_inner)(&request);
            self.received.send_modify(|received| received.push(request));
            tokio::time::sleep(reaction.delay).await;
            stream.write_all(&reaction.bytes).await?;
            stream.flush().await?;
            match reaction.then {
                Then::Keep => {}
                Then::Close => return stream.shutdown().await,
                Then::Hang => std::future::pending().await,
                Then::Repeat(bytes, every) => loop {
                    tokio::time::sleep(every).await;
                    stream.write_all(&bytes).await?;
                    stream.flush().await?;
                },
            }
        }
    }
}

/// The next request of a connection, of which some may have been read already.
async fn next(
    stream: &mut (impl AsyncRead + Unpin),
    read: &mut Vec<u8>,
    connection: usize,
) -> io::Result<Received> {
    loop {
        if let Some((mut request, head)) = parsed(read, connection)? {
            let length = request.header("content-length").parse().unwrap_or(0);
            if read.len() >= head + length {
                let rest = read.split_off(head + length);
                request.body = Bytes::from(std::mem::replace(read, rest).split_off(head));
                return Ok(request);
            }
        }
        if stream.read_buf(read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The head of a request and its length, once it is there.
fn parsed(read: &[u8], connection: usize) -> io::Result<Option<(Received, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = request.parse(read).map_err(io::Error::other)? else {
        return Ok(None);
    };
    let mut headers = HeaderMap::new();
    for header in request.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(io::Error::other)?;
        headers.append(name, HeaderValue::from_bytes(header.value).map_err(io::Error::other)?);
    }
    let (method, target) = (request.method.unwrap_or_default(), request.path.unwrap_or_default());
    let received = Received {
        method: method.to_owned(),
        target: target.to_owned(),
        headers,
        body: Bytes::new(),
        at: Instant::now(),
        connection,
    };
    Ok(Some((received, head)))
}

fn tls(folder: &TempDir) -> anyhow::Result<TlsAcceptor> {
    let (pem, key) = antiphon_cluster::certificate()?;
    std::fs::write(folder.path().join("pem"), &pem)?;
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())?;
    let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(server)))
}

//! From a URL to a connection, encrypted where it says so.

use std::cell::Cell;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tower_service::Service;

use super::Failure;
use super::resolve::{Lookup, Resolver};
use crate::config;

tokio::task_local! {
    static KEPT: Cell<bool>;
}

/// Waits for a request, and says whether it was content with a connection that had been kept.
pub async fn noting_kept<T>(request: impl Future<Output = T>) -> (T, bool) {
    KEPT.scope(Cell::new(true), async { (request.await, KEPT.with(Cell::get)) }).await
}

/// Makes connections. A request that no longer needs the one it asked for leaves it to the next, so that making it has a
/// limit of its own.
#[derive(Clone)]
pub struct Connector {
    https: HttpsConnector<HttpConnector<Resolver>>,
    limit: Duration,
}

impl Connector {
    pub fn new(config: &config::Outbound, lookup: Lookup) -> anyhow::Result<Self> {
        let mut http = HttpConnector::new_with_resolver(Resolver::new(config, lookup));
        http.enforce_http(false);
        http.set_nodelay(true);
        // Shared by all addresses of a name, so that one which is silent leaves time for the others.
        http.set_connect_timeout(Some(config.limit()));
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots(config)?)
            .with_no_client_auth();
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        Ok(Self { https: https.enable_http1().wrap_connector(http), limit: config.limit() })
    }
}

/// The authorities that browsers trust, and the operator's own.
fn roots(config: &config::Outbound) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let path = &config.certificate_authorities;
    if !path.as_os_str().is_empty() {
        let wrong = || {
            let path = path.display();
            format!(
                "outbound.certificate_authorities = {path} cannot be read; name a PEM file of certificates"
            )
        };
        let own = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let own = own.with_context(wrong)?;
        anyhow::ensure!(!own.is_empty(), wrong());
        for certificate in own {
            roots.add(certificate).with_context(wrong)?;
        }
    }
    Ok(roots)
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // Outside of a request nobody wants to know.
        KEPT.try_with(|kept| kept.set(false)).ok();
        let (connecting, limit) = (self.https.call(uri), self.limit);
        Box::pin(async move {
            let connected = tokio::time::timeout(limit, connecting).await;
            connected.unwrap_or_else(|_| Err(Failure::TimedOut(limit).into()))
        })
    }
}

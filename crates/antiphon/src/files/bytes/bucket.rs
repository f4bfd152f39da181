//! Buckets that speak S3. They are reached with the client and the TLS that everything else here uses.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use http_body_util::BodyExt;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as Tcp;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::ClientOptions;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
    HttpResponseBody, HttpService,
};
use object_store::path::Path;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::config;

/// How long a connection waits for its next request.
const IDLE: Duration = Duration::from_secs(30);

/// How long the head of an answer may take.
const ANSWER: Duration = Duration::from_secs(60);

/// Opens a bucket, and says what stands before the names of objects in it.
pub(super) fn open(files: &config::Files) -> anyhow::Result<(AmazonS3, Path)> {
    let rest = files.url.trim_start_matches("s3://");
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_region(&files.region)
        .with_http_connector(Connector(client()?));
    if !files.endpoint.is_empty() {
        let plain = files.endpoint.starts_with("http://");
        builder = builder.with_endpoint(&files.endpoint).with_allow_http(plain);
    }
    if !files.access_key_id.is_empty() {
        builder =
            builder.with_access_key_id(&files.access_key_id).with_secret_access_key(&files.secret_access_key);
    }
    let opened = builder.build().with_context(|| format!("files.url = {:?} cannot be used", files.url))?;
    Ok((opened, Path::parse(prefix.trim_matches('/'))?))
}

type Hyper = Client<HttpsConnector<Tcp>, HttpRequestBody>;

fn client() -> anyhow::Result<Hyper> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .build();
    Ok(Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .build(connector))
}

#[derive(Debug, Clone)]
struct Connector(Hyper);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("there was no answer in time")]
struct Late;

#[async_trait::async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = tokio::time::timeout(ANSWER, self.0.request(request)).await;
        let answer = answer.map_err(|_| HttpError::new(HttpErrorKind::Timeout, Late))?;
        let answer = answer.map_err(|error| {
            let kind = if error.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Request };
            HttpError::new(kind, error)
        })?;
        let interrupted = |error| HttpError::new(HttpErrorKind::Interrupted, error);
        Ok(answer.map(|body| HttpResponseBody::new(body.map_err(interrupted))))
    }
}

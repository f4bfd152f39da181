//! How commands reach the data: over the control socket of a running server, otherwise through the very same router in
//! this process. Either way they are the operator and pass the doors that everybody passes.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use antiphon_store::Store;
use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;

use crate::app::App;
use crate::config::Config;
use crate::middleware::token::PORTAL_HEADER;
use crate::middleware::{Peer, handle};
use crate::serve::settings;

/// The way to the data.
pub enum Operator {
    Running(PathBuf),
    Here(Arc<App>),
}

impl Operator {
    /// Finds the running server, or opens the store.
    ///
    /// # Errors
    /// When the store cannot be opened.
    pub async fn connect(config: &Config) -> anyhow::Result<Self> {
        let socket = config.socket();
        if UnixStream::connect(&socket).await.is_ok() {
            return Ok(Self::Running(socket));
        }
        let store = Store::open(settings(config))?;
        let public_url = match config.public_url.is_empty() {
            true => format!("http://{}", config.listen),
            false => config.public_url.clone(),
        };
        Ok(Self::Here(Arc::new(App::new(store, config.clone(), public_url)?)))
    }

    /// Whether a server is running.
    pub fn is_running(&self) -> bool {
        matches!(self, Self::Running(_))
    }

    /// Makes a call, as the operator and about a portal where several exist. Success gives the body, or null.
    ///
    /// # Errors
    /// What the envelope says, in one sentence.
    pub async fn call(
        &self,
        method: &str,
        path: &str,
        portal: Option<i64>,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let request = request(method, path, portal, body)?;
        let (status, bytes) = match self {
            Self::Here(app) => {
                let peer = Peer { operator: true, ..Peer::default() };
                let response = handle(app, &peer, request).await;
                (response.status(), response.into_body().collect().await?.to_bytes())
            }
            Self::Running(socket) => {
                let stream = UnixStream::connect(socket)
                    .await
                    .context("the running server has just stopped; try again")?;
                exchange(stream, request).await.context("the running server went away; try again")?
            }
        };
        let value = match bytes.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&bytes)?,
        };
        if !status.is_success() {
            bail!("{}", refusal(&value));
        }
        Ok(value)
    }

    /// Says how far long work is, as long as somebody can see it, and never ends.
    pub async fn progress<T>(&self, path: &str, quiet: bool) -> T {
        let visible = !quiet && std::io::stderr().is_terminal();
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let Ok(state) = self.call("GET", path, None, None).await else { continue };
            let (done, pages) = (state["done"].as_u64().unwrap_or(0), state["pages"].as_u64().unwrap_or(0));
            if visible && pages > 0 {
                eprint!("\r{:3} %", done * 100 / pages);
                std::io::stderr().flush().ok();
            }
        }
    }

    /// Leaves the store as it should be left.
    pub async fn close(self) {
        if let Self::Here(app) = self {
            app.store.close().await;
        }
    }
}

/// A call as it goes to a server.
///
/// # Errors
/// When the path is none.
pub fn request(
    method: &str,
    path: &str,
    portal: Option<i64>,
    body: Option<&Value>,
) -> anyhow::Result<Request<Full<Bytes>>> {
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
    if let Some(portal) = portal {
        request = request.header(PORTAL_HEADER, portal);
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    Ok(request.body(Full::new(Bytes::from(body)))?)
}

/// One call on a connection of its own, and its whole answer.
///
/// # Errors
/// When the other side goes away.
pub async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> hyper::Result<(StatusCode, Bytes)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let answer = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
    .await;
    connection.abort();
    answer
}

/// The envelope in one sentence.
fn refusal(envelope: &Value) -> String {
    let problems: Vec<&str> = envelope["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|problem| problem["message"].as_str())
        .collect();
    let ids: Vec<&str> =
        envelope["context"]["id"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let message = envelope["message"].as_str().unwrap_or("the server gave no reason");
    match (problems.is_empty(), ids.is_empty()) {
        (false, _) => problems.join("; "),
        (true, false) => format!("{message}: {}", ids.join(", ")),
        (true, true) => message.to_owned(),
    }
}

//! One keep-alive connection to a running server, without pool, retries or any other help.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::{Reply, Strict};

/// A connection that speaks HTTP/1.1 for one user.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    token: String,
    judge: Option<Arc<Strict>>,
}

impl Connection {
    /// Connects to a server for a token's bearer.
    pub async fn open(address: SocketAddr, token: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        tokio::spawn(connection);
        Ok(Self { sender, host: address.to_string(), token: token.to_owned(), judge: None })
    }

    /// The same connection, whose answers are judged.
    pub fn judged(self, judge: &Arc<Strict>) -> Self {
        Self { judge: Some(judge.clone()), ..self }
    }

    /// Sends a request and reads the whole answer. An error means that the outcome is unknown and the connection is spent.
    pub async fn send(&mut self, method: &str, path: &str, body: impl Into<Bytes>) -> io::Result<Reply> {
        let body = body.into();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.host)
            .header("authorization", format!("Bearer {}", self.token));
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(Full::new(body)).map_err(io::Error::other)?;
        self.sender.ready().await.map_err(io::Error::other)?;
        let (head, body) = self.sender.send_request(request).await.map_err(io::Error::other)?.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let reply = Reply::new(head.status, head.headers, body);
        if let Some(judge) = &self.judge {
            let method = method.parse().map_err(io::Error::other)?;
            judge.judge(&method, path, &reply).unwrap_or_else(|faults| panic!("{faults}"));
        }
        Ok(reply)
    }

    /// Reads a path.
    pub async fn get(&mut self, path: &str) -> io::Result<Reply> {
        self.send("GET", path, Bytes::new()).await
    }

    /// Reads every page of a list, by following its cursor.
    pub async fn all(&mut self, path: &str) -> io::Result<Vec<serde_json::Value>> {
        let mut all = Vec::new();
        let mut page = path.to_owned();
        loop {
            let reply = self.get(&page).await?.expect(200).json();
            let next = reply["paging"]["next"]["after"].as_str().map(str::to_owned);
            all.extend(reply["results"].as_array().cloned().unwrap_or_default());
            let Some(after) = next else { return Ok(all) };
            page = format!("{path}{}after={after}", if path.contains('?') { '&' } else { '?' });
        }
    }
}

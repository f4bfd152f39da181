//! Clients of the live stream, as bare as they can be: server-sent events and a WebSocket.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use antiphon::app::App;
use antiphon::middleware::Peer;
use antiphon::serve::connection;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Body;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use crate::Reply;

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(10);

type Boxed = Pin<Box<dyn Body<Data = Bytes, Error = io::Error> + Send>>;

/// One block of a stream.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    pub id: Option<i64>,
    /// Empty for a block that is no event.
    pub event: String,
    pub data: Value,
    pub comment: bool,
}

/// A stream of server-sent events while it is read.
pub struct EventStream {
    pub headers: HeaderMap,
    body: Boxed,
    read: Vec<u8>,
    /// The id that was seen last: where it can be resumed.
    pub last_id: Option<i64>,
}

impl EventStream {
    /// Reads a response as a stream; anything but a success is given back whole.
    pub async fn of<B>(response: Response<B>) -> Result<Self, Reply>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: std::error::Error + Send + Sync + 'static,
    {
        let (head, body) = response.into_parts();
        if head.status != 200 {
            let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            return Err(Reply::new(head.status, head.headers, body));
        }
        let body: Boxed = Box::pin(body.map_err(io::Error::other));
        Ok(Self { headers: head.headers, body, read: Vec::new(), last_id: None })
    }

    /// Connects and asks for a stream, over HTTP/1.1 or HTTP/2.
    pub async fn open(
        address: SocketAddr,
        two: bool,
        token: &str,
        path: &str,
        last_id: Option<&str>,
    ) -> io::Result<Result<Self, Reply>> {
        let stream = TokioIo::new(TcpStream::connect(address).await?);
        let mut request = Request::builder()
            .uri(format!("http://{address}{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("accept", "text/event-stream")
            .header("accept-encoding", "gzip");
        if !two {
            request = request.header("host", address.to_string());
        }
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(io::Error::other)?;
        let response = if two {
            let (mut sender, connection) =
                http2::handshake(TokioExecutor::new(), stream).await.map_err(io::Error::other)?;
            tokio::spawn(connection);
            let response = sender.send_request(request).await;
            // The connection lasts as long as its stream is read.
            response.map_err(io::Error::other)?
        } else {
            let (mut sender, connection) = http1::handshake(stream).await.map_err(io::Error::other)?;
            tokio::spawn(connection);
            sender.send_request(request).await.map_err(io::Error::other)?
        };
        Ok(Self::of(response).await)
    }

    /// The next block, comments and all; `None` at the end of the stream.
    ///
    /// # Panics
    /// When nothing comes, or what comes is no block.
    pub async fn block(&mut self) -> Option<Frame> {
        loop {
            if let Some(end) = self.read.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.read.drain(..end + 2).collect();
                let frame = parse(&String::from_utf8_lossy(&block));
                self.last_id = frame.id.or(self.last_id);
                return Some(frame);
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await;
            match frame.unwrap_or_else(|_| panic!("nothing came on the stream")) {
                Some(Ok(frame)) => self.read.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data)),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The next event; `None` at the end.
    pub async fn event(&mut self) -> Option<Frame> {
        loop {
            let frame = self.block().await?;
            if !frame.event.is_empty() {
                return Some(frame);
            }
        }
    }

    /// The next events, so many.
    ///
    /// # Panics
    /// When the stream ends before.
    pub async fn events(&mut self, number: usize) -> Vec<Frame> {
        let mut events = Vec::new();
        while events.len() < number {
            events.push(self.event().await.unwrap_or_else(|| panic!("the stream ended behind {events:?}")));
        }
        events
    }

    /// Whether nothing but comments comes for a while.
    pub async fn is_quiet(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.event()).await.is_err()
    }
}

fn parse(block: &str) -> Frame {
    let mut frame = Frame::default();
    for line in block.lines().filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "" => frame.comment = true,
            "id" => frame.id = Some(value.parse().unwrap_or_else(|e| panic!("{line}: {e}"))),
            "event" => frame.event = value.to_owned(),
            "data" => frame.data = serde_json::from_str(value).unwrap_or_else(|e| panic!("{line}: {e}")),
            "retry" => {}
            _ => panic!("no such field: {line}"),
        }
    }
    frame
}

/// A WebSocket, from the client's end.
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    pub headers: HeaderMap,
}

/// The head that opens a WebSocket, with further headers; each ends its line.
pub fn opening(path: &str, headers: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nhost: inbox.test\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    )
}

impl Socket {
    /// Opens one as a browser does, with the token among the protocols. Anything but a success is given back.
    pub async fn open(address: SocketAddr, token: &str, path: &str) -> io::Result<Result<Self, Reply>> {
        let protocols = format!("sec-websocket-protocol: antiphon.v1, bearer.{token}\r\n");
        Self::open_with(address, &protocols, path).await
    }

    /// Opens one with other headers than a token's bearer; each ends its line.
    pub async fn open_with(
        address: SocketAddr,
        headers: &str,
        path: &str,
    ) -> io::Result<Result<Self, Reply>> {
        let (stream, reply) = Self::raw(address, &opening(path, headers)).await?;
        if reply.status != 101 {
            return Ok(Err(reply));
        }
        let stream = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        Ok(Ok(Self { stream, headers: reply.headers }))
    }

    /// Sends a head as it is, and reads what is answered.
    pub async fn raw(address: SocketAddr, head: &str) -> io::Result<(TcpStream, Reply)> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        stream.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        // One byte at a time, so that nothing is taken that belongs to the frames.
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await?);
        }
        let text = String::from_utf8_lossy(&answer).into_owned();
        let mut reply = Reply::read(&text);
        let length = reply.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        reply.body = body.into();
        Ok((stream, reply))
    }

    /// Says something.
    pub async fn say(&mut self, message: impl Into<Message>) {
        // A server that has closed it hears nothing.
        self.stream.send(message.into()).await.ok();
    }

    /// The next message; the error is the server's farewell, if it said one.
    ///
    /// # Panics
    /// When nothing comes.
    pub async fn hear(&mut self) -> Result<Value, Option<CloseFrame>> {
        loop {
            let heard = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            match heard.unwrap_or_else(|_| panic!("nothing came on the WebSocket")) {
                Some(Ok(Message::Text(text))) => {
                    return Ok(serde_json::from_str(&text).unwrap_or_else(|e| panic!("{text}: {e}")));
                }
                Some(Ok(Message::Close(farewell))) => return Err(farewell),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// The next message that says no position.
    pub async fn told(&mut self) -> Result<Value, Option<CloseFrame>> {
        loop {
            let heard = self.hear().await?;
            if heard["kind"] != "position" {
                return Ok(heard);
            }
        }
    }

    /// Whether nothing comes for a while.
    pub async fn is_quiet(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.told()).await.is_err()
    }
}

/// Serves a program on a port of its own, as long as the test's runtime lives. Only what is said over HTTP/1.1.
pub async fn listen(app: &std::sync::Arc<App>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = app.clone();
    tokio::spawn(async move {
        let (stop, stops) = watch::channel(false);
        let (alive, _gone) = mpsc::channel(1);
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).ok();
            let served =
                connection::plain(app.clone(), Peer::default(), stream, stops.clone(), alive.clone());
            tokio::spawn(served);
        }
        drop(stop);
    });
    Ok(address)
}

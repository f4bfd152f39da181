//! A WebSocket: the same events, for those who talk back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use antiphon_wire::live::{CutOff, Refused, Standing};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderName, HeaderValue};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::filter::Filter;
use super::hub::{Note, Over};
use super::listener::Listener;
use super::print::Printed;
use super::talk::{self, Breath};
use super::{Way, resume};
use crate::app::App;
use crate::call::{Answer, Call, Caller};
use crate::middleware::outflow::Outflow;
use crate::refusal::Refusal;

/// Most bytes of what a client says.
const LONGEST: usize = 4 << 10;

/// How long a client may take nothing of what it is told.
const STALLED: Duration = Duration::from_secs(20);

/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_millis(500);

/// How many messages are handed to the kernel at once.
const AT_ONCE: usize = 64;

/// `GET /events` with `Upgrade: websocket`
pub async fn open(
    call: &Call,
    filter: Arc<Filter>,
    opening: Vec<(HeaderName, HeaderValue)>,
) -> Result<Answer, Refusal> {
    let after = resume(call, None)?;
    let listener = Listener::new(&call.app, &call.caller, filter, Way::Socket, after).await?;
    let session = Session { listener, app: call.app.clone(), caller: call.caller.clone(), there: None };
    let socket = Some(Upgrade(Arc::new(Mutex::new(Some(session)))));
    Ok(Answer { status: 101, body: Outflow::default(), headers: opening, socket, ..Answer::default() })
}

/// The session that begins where a response ends. It is taken out once.
#[derive(Clone)]
pub struct Upgrade(Arc<Mutex<Option<Session>>>);

impl Upgrade {
    pub fn take(&self) -> Option<Session> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl std::fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a WebSocket")
    }
}

/// One who listens and talks.
pub struct Session {
    listener: Listener,
    app: Arc<App>,
    caller: Caller,
    /// What is to be said for a client that is gone, which said that it is there.
    there: Option<String>,
}

/// Why the talk ends: what is said last, or nothing to one who is gone.
type End = Option<CloseFrame>;

impl Session {
    /// Talks until one side has had enough. `early` came before the response was sent.
    pub async fn run<S: AsyncRead + AsyncWrite + Unpin>(mut self, stream: S, early: Bytes) {
        let config = WebSocketConfig::default()
            .read_buffer_size(LONGEST)
            .write_buffer_size(0)
            .max_write_buffer_size(256 << 10)
            .max_message_size(Some(LONGEST))
            .max_frame_size(Some(LONGEST));
        let socket = WebSocketStream::from_partially_read(stream, early.into(), Role::Server, Some(config));
        let mut socket = socket.await;
        let farewell = self.talk(&mut socket).await;
        // Whoever is gone is nowhere, and need not be waited for.
        if let Some(there) = self.there.take() {
            talk::pass_on(&self.app, &self.caller, &there, self.listener.chair()).await.ok();
        }
        if let Some(farewell) = farewell {
            let close = async {
                // A client that is gone hears nothing.
                socket.close(Some(farewell)).await.ok();
                while let Some(Ok(_)) = socket.next().await {}
            };
            timeout(FAREWELL, close).await.ok();
        }
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(&mut self, socket: &mut WebSocketStream<S>) -> End {
        let every = self.app.config.stream.heartbeat();
        let mut heart = interval_at(Instant::now() + every, every);
        let mut breath = Breath::new(Instant::now());
        let (mut told, mut silent) = (self.listener.position(), 0);
        if let Err(end) = say(socket, [text(&Standing { kind: "position", position: told })]).await {
            return end;
        }
        loop {
            let said = tokio::select! {
                biased;
                said = socket.next() => said,
                note = self.listener.next() => {
                    match note {
                        Ok(note) => {
                            if let Err(end) = self.tell(socket, note).await {
                                return end;
                            }
                            told = self.listener.position();
                        }
                        Err(over) => return self.part(socket, over).await,
                    }
                    continue;
                }
                _ = heart.tick() => {
                    silent += 1;
                    // Two beats were not answered.
                    if silent > 2 {
                        return None;
                    }
                    let position = self.listener.position();
                    let moved = (position != told).then(|| text(&Standing { kind: "position", position }));
                    told = position;
                    let messages = moved.into_iter().chain([Message::Ping(Bytes::new())]);
                    if let Err(end) = say(socket, messages).await {
                        return end;
                    }
                    continue;
                }
            };
            silent = 0;
            let words = match said {
                Some(Ok(Message::Text(words))) => words,
                Some(Ok(Message::Binary(_))) => {
                    return close(CloseCode::Unsupported, "only text is understood here");
                }
                // What is to be answered is answered with the next message, or now.
                Some(Ok(Message::Ping(_))) => {
                    if !breath.take(Instant::now()) {
                        return close(CloseCode::Policy, "too many messages");
                    }
                    match timeout(STALLED, socket.flush()).await {
                        Ok(Ok(())) => continue,
                        _ => return None,
                    }
                }
                Some(Ok(Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Close(_))) | None => return None,
                Some(Err(error)) => return wrong(&error),
            };
            if !breath.take(Instant::now()) {
                return close(CloseCode::Policy, "too many messages");
            }
            let passed = talk::pass_on(&self.app, &self.caller, &words, self.listener.chair()).await;
            if passed.is_ok() {
                self.there = talk::there(&words).or(self.there.take());
            }
            if let Err(message) = passed
                && let Err(end) = say(socket, [text(&Refused { kind: "refused", message })]).await
            {
                return end;
            }
        }
    }

    /// Sends something, and what waits behind it.
    async fn tell<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        socket: &mut WebSocketStream<S>,
        first: Note,
    ) -> Result<(), End> {
        let mut messages = vec![shown(first)];
        while messages.len() < AT_ONCE
            && let Some(note) = self.listener.ready().await
        {
            messages.push(shown(note));
        }
        say(socket, messages).await
    }

    /// Tells where to go on.
    async fn part<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        socket: &mut WebSocketStream<S>,
        over: Over,
    ) -> End {
        let position = self.listener.position();
        let last = CutOff { kind: "cutOff", reason: over.name(), position };
        timeout(FAREWELL, say(socket, [text(&last)])).await.ok();
        let code = match over {
            Over::Slow => CloseCode::Again,
            Over::Stopping => CloseCode::Away,
            Over::Unauthorized => CloseCode::Policy,
        };
        close(code, &format!("{}; go on with after={position}", over.name()))
    }
}

fn shown(note: Note) -> Message {
    match note {
        Note::At(_, printed) | Note::Passed(printed) => json(printed.json()),
        Note::Lost(resync) => json(Printed::resync(&resync).json()),
    }
}

fn json(bytes: Bytes) -> Message {
    // JSON that we printed is UTF-8.
    Message::Text(Utf8Bytes::try_from(bytes).unwrap_or_default())
}

fn text(value: &impl Serialize) -> Message {
    // Serialising what was just built cannot fail.
    json(serde_json::to_vec(value).unwrap_or_default().into())
}

/// Sends messages, unless the client takes none.
async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    messages: impl IntoIterator<Item = Message>,
) -> Result<(), End> {
    let send = async {
        for message in messages {
            socket.feed(message).await?;
        }
        socket.flush().await
    };
    match timeout(STALLED, send).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(None),
    }
}

fn close(code: CloseCode, reason: &str) -> End {
    Some(CloseFrame { code, reason: reason.into() })
}

/// What to say about a frame that cannot be understood.
fn wrong(error: &Error) -> End {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            close(CloseCode::Size, "messages are 4096 bytes at most")
        }
        Error::Utf8(_) => close(CloseCode::Invalid, "text has to be UTF-8"),
        Error::Protocol(_) => close(CloseCode::Protocol, "that is no WebSocket frame"),
        _ => None,
    }
}

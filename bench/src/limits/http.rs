//! What HTTP on this machine could do at best: a bare hyper server in the server's own shape, one single-threaded runtime
//! per core that all accept on one port, which either reads and splices or answers from memory.

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket};

use crate::limits::reads::{Read, Reader};
use crate::load::cores;

/// What is answered to one path with its query.
pub enum Answer {
    /// The same bytes every time.
    Memory(Bytes),
    /// Read from the database every time.
    Read(Read),
}

/// Every path this server knows.
pub type Answers = HashMap<String, Answer>;

/// Starts a server of these answers; it lives as long as the process.
pub fn serve(answers: Answers, database: Option<PathBuf>) -> Result<SocketAddr> {
    let answers = Arc::new(answers);
    let first = bind("127.0.0.1:0".parse()?)?;
    let address = first.local_addr()?;
    let mut listeners = vec![first];
    for _ in 1..cores() {
        listeners.push(bind(address)?);
    }
    let mut resting = database.as_deref().map(|database| Reader::open(database)?.rest()).transpose()?;
    for listener in listeners {
        let answers = answers.clone();
        let reader = database.as_deref().map(Reader::open).transpose()?;
        let resting = resting.take();
        std::thread::Builder::new().name("limit".into()).spawn(move || {
            let _resting = resting;
            run(listener, answers, reader)
        })?;
    }
    Ok(address)
}

fn bind(address: SocketAddr) -> Result<std::net::TcpListener> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseport(true)?;
        socket.bind(address)?;
        Ok(socket.listen(1024)?.into_std()?)
    })
}

fn run(listener: std::net::TcpListener, answers: Arc<Answers>, reader: Option<Reader>) -> Result<()> {
    let reader = Rc::new(RefCell::new(reader));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let (answers, reader) = (answers.clone(), reader.clone());
            let service = service_fn(move |request| {
                let answer = answer(&request, &answers, &reader);
                async move { Ok::<_, Infallible>(answer) }
            });
            tokio::task::spawn_local(async move {
                let connection = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(stream), service);
                // A client that hangs up ends its own connection and nothing else.
                let _ = connection.await;
            });
        }
    })
}

fn answer(
    request: &Request<Incoming>,
    answers: &Answers,
    reader: &RefCell<Option<Reader>>,
) -> Response<Full<Bytes>> {
    let path = request.uri().path_and_query().map_or("", |path| path.as_str());
    let body = match (answers.get(path), reader.borrow_mut().as_mut()) {
        (Some(Answer::Memory(bytes)), _) => Some(bytes.clone()),
        (Some(Answer::Read(read)), Some(reader)) => reader.answer(read).ok().map(Bytes::from),
        _ => None,
    };
    let mut response = Response::new(Full::new(body.clone().unwrap_or_default()));
    if body.is_none() {
        *response.status_mut() = hyper::StatusCode::NOT_FOUND;
    }
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=utf-8"));
    response
}

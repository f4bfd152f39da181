//! What this machine could do at best with files: a bare hyper server that keeps what it is sent in one file, with the same
//! hashes and synced before the answer, and sends it back. It parses nothing and knows nothing.

use std::convert::Infallible;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::CONTENT_LENGTH;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use md5::Md5;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use crate::report::progress;

/// Bytes read at once.
const PIECE: usize = 256 << 10;

/// Starts a server that keeps its one file in a directory; it lives as long as the process.
pub fn serve(directory: &Path) -> Result<SocketAddr> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let (address, path) = (listener.local_addr()?, Arc::new(directory.join("bare")));
    std::thread::Builder::new().name("limit".into()).spawn(move || -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let listener = TcpListener::from_std(listener)?;
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let path = path.clone();
                let service = service_fn(move |request| answer(request, path.clone()));
                tokio::task::spawn_local(async move {
                    let connection = hyper::server::conn::http1::Builder::new()
                        .timer(TokioTimer::new())
                        .serve_connection(TokioIo::new(stream), service);
                    // A client that hangs up ends its own connection and nothing else.
                    let _ = connection.await;
                });
            }
        })
    })?;
    Ok(address)
}

type Body = Either<Full<Bytes>, StreamBody<stream::BoxStream<'static, std::io::Result<Frame<Bytes>>>>>;

async fn answer(request: Request<Incoming>, path: Arc<PathBuf>) -> Result<Response<Body>, Infallible> {
    let answered = match *request.method() {
        Method::POST => take(request.into_body(), &path).await,
        _ => give(&path),
    };
    Ok(answered.unwrap_or_else(|error| {
        progress(&format!("the bare loop failed: {error:#}"));
        let mut answer = Response::new(Either::Left(Full::default()));
        *answer.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        answer
    }))
}

async fn take(mut body: Incoming, path: &Path) -> Result<Response<Body>> {
    let begun = path.with_extension("begun");
    let (mut file, mut sha, mut md5) = (File::create(&begun)?, Sha256::new(), Md5::new());
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame?.into_data() {
            sha.update(&bytes);
            md5.update(&bytes);
            file.write_all(&bytes)?;
        }
    }
    file.sync_all()?;
    std::fs::rename(&begun, path)?;
    let hashes = format!("{:x?} {:x?}", sha.finalize(), md5.finalize());
    Ok(Response::new(Either::Left(Full::new(hashes.into()))))
}

fn give(path: &Path) -> Result<Response<Body>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let pieces = stream::unfold(file, |mut file| async move {
        let mut piece = BytesMut::zeroed(PIECE);
        match file.read(&mut piece) {
            Ok(0) => None,
            Ok(read) => {
                piece.truncate(read);
                Some((Ok(Frame::data(piece.freeze())), file))
            }
            Err(error) => Some((Err(error), file)),
        }
    });
    let mut answer = Response::new(Either::Right(StreamBody::new(Box::pin(pieces) as _)));
    answer.headers_mut().insert(CONTENT_LENGTH, length.into());
    Ok(answer)
}

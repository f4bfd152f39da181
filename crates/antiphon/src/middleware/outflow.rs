//! What a response is made of: bytes that are all there, or pieces that come as things happen.

use std::any::Any;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use hyper::body::{Body, Frame, SizeHint};

/// Pieces of a body, each sent as soon as it is there.
pub type Pieces = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// The body of a response. Whole bytes cost nothing beyond themselves.
pub enum Outflow {
    Whole(Bytes),
    /// Of something that has an end, and is waited for when the server stops.
    File(Pieces),
    /// Of what has none.
    Stream(Pieces, Option<Box<dyn Any + Send>>),
}

impl Outflow {
    /// Keeps something as long as a stream flows. Whole bytes drop it: they are as good as sent.
    pub fn hold(&mut self, what: impl Any + Send) {
        if let Self::Stream(_, held) = self {
            *held = Some(Box::new(what));
        }
    }

    /// Whether it goes on for as long as it likes.
    pub fn flows(&self) -> bool {
        matches!(self, Self::Stream(..))
    }
}

impl Default for Outflow {
    fn default() -> Self {
        Self::Whole(Bytes::new())
    }
}

impl From<Vec<u8>> for Outflow {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Whole(bytes.into())
    }
}

impl std::fmt::Debug for Outflow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::File(_) => f.write_str("a file"),
            Self::Stream(..) => f.write_str("a stream"),
        }
    }
}

impl Body for Outflow {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::File(pieces) | Self::Stream(pieces, _) => {
                pieces.as_mut().poll_next(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::File(_) | Self::Stream(..) => SizeHint::default(),
        }
    }
}

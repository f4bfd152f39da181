//! What stands in a form, as it comes: texts are small and kept, a file is handed on piece by piece. Nothing here knows where bytes
//! go or who sends them, and no more is in memory than a text, a piece, and what comes before a part has begun.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;

use bytes::Bytes;
use futures_util::Stream;
use multer::{Constraints, Multipart, SizeLimit};

/// Most bytes of a text part, and most parts.
pub const TEXT: u64 = 64 << 10;
pub const PARTS: usize = 32;

/// What a form may have besides its file.
pub const AROUND: u64 = 1 << 20;

/// Most bytes that come before the next part has begun. They are kept until then, and looked through with each that comes.
pub const HEAD: usize = 64 << 10;

/// Instead of how much has come since the last part: one is being read.
const WITHIN: usize = usize::MAX;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What takes a file.
pub trait Sink {
    type Error;

    /// A file begins: what the sender calls it, and what he says it is.
    fn begin(&mut self, name: Option<&str>, media_type: Option<&str>);

    /// A piece of it.
    fn push(&mut self, bytes: Bytes) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// It is there whole.
    fn end(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// What is wrong with a form.
#[derive(Debug)]
pub enum Fault<E> {
    /// It is none, or ends too early: why.
    Malformed(String),
    TooManyParts,
    /// The file, or all of it.
    TooLarge,
    /// This text.
    TextTooLarge(String),
    SecondFile,
    /// The file is not taken.
    Sink(E),
}

/// Reads a form with a file of at most so many bytes; its texts.
pub async fn read<E, K: Sink>(
    pieces: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    boundary: String,
    most: u64,
    sink: &mut K,
) -> Result<BTreeMap<String, String>, Fault<K::Error>>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let sizes =
        SizeLimit::new().whole_stream(most.saturating_add(AROUND)).per_field(TEXT).for_field("file", most);
    let between = Arc::new(AtomicUsize::new(0));
    let constraints = Constraints::new().size_limit(sizes);
    let mut parts = Multipart::with_constraints(measured(pieces, between.clone()), boundary, constraints);
    let (mut texts, mut files) = (BTreeMap::new(), 0);
    for count in 0.. {
        between.store(0, Relaxed);
        let Some(mut part) = parts.next_field().await? else { break };
        between.store(WITHIN, Relaxed);
        if count >= PARTS {
            return Err(Fault::TooManyParts);
        }
        let name = part.name().unwrap_or_default().to_owned();
        if name != "file" {
            texts.insert(name, part.text().await?);
            continue;
        }
        files += 1;
        if files > 1 {
            return Err(Fault::SecondFile);
        }
        let kind = part.content_type().map(ToString::to_string);
        sink.begin(part.file_name(), kind.as_deref());
        while let Some(bytes) = part.chunk().await? {
            sink.push(bytes).await.map_err(Fault::Sink)?;
        }
        sink.end().await.map_err(Fault::Sink)?;
    }
    Ok(texts)
}

impl<E> From<multer::Error> for Fault<E> {
    fn from(error: multer::Error) -> Self {
        use multer::Error::*;
        match error {
            StreamSizeExceeded { .. } => Self::TooLarge,
            FieldSizeExceeded { field_name, .. } => match field_name.as_deref() {
                Some("file") => Self::TooLarge,
                name => Self::TextTooLarge(name.unwrap_or_default().to_owned()),
            },
            StreamReadFailed(cause) => Self::Malformed(cause.to_string()),
            other => Self::Malformed(other.to_string()),
        }
    }
}

/// Hands pieces on one at a time, so that no more is taken than the next step needs, and ends when too much comes between parts.
fn measured<E>(
    pieces: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    between: Arc<AtomicUsize>,
) -> impl Stream<Item = Result<Bytes, Cause>> + Send + 'static
where
    E: std::error::Error + Send + Sync + 'static,
{
    let (mut pieces, mut rests) = (Box::pin(pieces), false);
    futures_util::stream::poll_fn(move |context| {
        if std::mem::take(&mut rests) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let seen = between.load(Relaxed);
        if seen != WITHIN && seen > HEAD {
            return Poll::Ready(Some(Err("no part begins for too long".into())));
        }
        let piece = std::task::ready!(pieces.as_mut().poll_next(context));
        if let Some(Ok(bytes)) = &piece {
            rests = true;
            if seen != WITHIN {
                between.store(seen + bytes.len(), Relaxed);
            }
        }
        Poll::Ready(piece.map(|piece| piece.map_err(Into::into)))
    })
}

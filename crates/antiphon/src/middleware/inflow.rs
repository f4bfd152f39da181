//! The body of a request as it comes: for what is too much to be taken whole. It may take as long as it likes, but never rest for
//! longer than a connection may.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Body;

use super::body;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a body came to no good end.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    #[error("nothing came for too long")]
    Late,
    #[error("the connection ended before the body was complete")]
    Torn,
}

/// A body on its way.
#[derive(Clone)]
pub struct Inflow {
    body: Arc<Mutex<Option<UnsyncBoxBody<Bytes, Cause>>>>,
    idle: Duration,
    /// The media type with its parameters.
    pub media_type: String,
    /// How long it is said to be.
    pub announced: Option<u64>,
    /// Whether it is packed.
    pub packed: bool,
}

impl Inflow {
    pub(super) fn of<B>(headers: &HeaderMap, body: B, idle: Duration) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Cause>,
    {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().trim();
        let coding = text(CONTENT_ENCODING);
        Self {
            media_type: text(CONTENT_TYPE).to_owned(),
            announced: body.size_hint().exact().or_else(|| text(CONTENT_LENGTH).parse().ok()),
            packed: !(coding.is_empty() || coding.eq_ignore_ascii_case("identity")),
            body: Arc::new(Mutex::new(Some(body.map_err(Into::into).boxed_unsync()))),
            idle,
        }
    }

    fn take(&self) -> Option<UnsyncBoxBody<Bytes, Cause>> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put_back(&self, body: UnsyncBoxBody<Bytes, Cause>) {
        *self.body.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When it comes to no good end.
    pub async fn next(&self) -> Result<Option<Bytes>, Broken> {
        let Some(mut body) = self.take() else { return Ok(None) };
        loop {
            let frame = tokio::time::timeout(self.idle, body.frame()).await.map_err(|_| Broken::Late)?;
            match frame {
                None => return Ok(None),
                Some(Err(_)) => return Err(Broken::Torn),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.put_back(body);
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// All pieces that are left.
    pub fn pieces(self) -> impl Stream<Item = Result<Bytes, Broken>> + Send + 'static {
        futures_util::stream::unfold(Some(self), |inflow| async move {
            let inflow = inflow?;
            match inflow.next().await {
                Ok(Some(bytes)) => Some((Ok(bytes), Some(inflow))),
                Ok(None) => None,
                Err(broken) => Some((Err(broken), None)),
            }
        })
    }

    /// Reads what nobody wanted, as far as that is worth it, so that the client hears the answer.
    pub(super) async fn discard(&self, headers: &HeaderMap) {
        if let Some(body) = self.take() {
            body::discard(headers, body, self.idle).await;
        }
    }
}

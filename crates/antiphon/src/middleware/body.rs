//! The body of a request, read whole within its limits.

use std::time::Duration;

use antiphon_wire::error::{Envelope, Problem};
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, EXPECT};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, SizeHint};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::Failure;
use super::gzip::{self, Unreadable};

/// How much of an unwanted body is read all the same, so that the client hears the answer before the connection ends.
const PATIENCE: u64 = 16 << 20;

/// Bodies up to this size need no place: connections are bounded as well.
const SMALL: u64 = 64 << 10;

/// How much memory all larger bodies together may take.
const ROOM: usize = 256 << 20;

/// Where larger bodies are kept until they are answered.
pub struct Room(Semaphore);

impl Default for Room {
    fn default() -> Self {
        Self(Semaphore::new(ROOM >> 10))
    }
}

impl Room {
    /// Takes a place for a body, for as long as the guard lives. There is no waiting: whoever finds no place hears so.
    pub fn place(
        &self,
        headers: &HeaderMap,
        hint: &SizeHint,
        limit: usize,
    ) -> Result<Option<SemaphorePermit<'_>>, Failure> {
        let packed = headers.contains_key(CONTENT_ENCODING);
        let most = hint.upper().filter(|_| !packed).unwrap_or(limit as u64).min(limit as u64);
        if most <= SMALL {
            return Ok(None);
        }
        let place = self.0.try_acquire_many((most >> 10) as u32);
        place.map(Some).map_err(|_| Failure::unavailable())
    }
}

/// Reads a JSON body of at most `limit` bytes, or a form where that may be.
pub async fn read<B>(
    headers: &HeaderMap,
    mut body: B,
    limit: usize,
    time: Duration,
    or_form: bool,
) -> Result<Bytes, Failure>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let url_encoded = |kind: &&str| kind.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    if let Some(media_type) = form(headers).filter(|kind| !(or_form && url_encoded(kind))) {
        discard(headers, body, time).await;
        return Err(Envelope::unsupported_media_type(media_type).into());
    }
    // The size that was announced is believed when it is too large; what really comes is measured either way.
    if body.size_hint().lower() > limit as u64 {
        discard(headers, body, time).await;
        return Err(Envelope::payload_too_large(limit).into());
    }
    let read = tokio::time::timeout(time, Limited::new(&mut body, limit).collect()).await;
    let bytes = match read {
        Err(_) => return Err(Failure::unavailable()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            discard(headers, body, time).await;
            return Err(Envelope::payload_too_large(limit).into());
        }
        Ok(Err(_)) => return Err(unreadable("the body ended before it was complete")),
        Ok(Ok(collected)) => collected.to_bytes(),
    };
    let coding =
        headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default().trim();
    if coding.is_empty() || coding.eq_ignore_ascii_case("identity") {
        return Ok(bytes);
    }
    if !coding.eq_ignore_ascii_case("gzip") && !coding.eq_ignore_ascii_case("x-gzip") {
        return Err(Envelope::unsupported_media_type(coding).into());
    }
    gzip::unpacked(&bytes, limit).map_err(|error| match error {
        Unreadable::TooLarge => Envelope::payload_too_large(limit).into(),
        Unreadable::NotGzip => unreadable("the body is not valid gzip"),
    })
}

/// Reads a body that nobody wants, so that the connection can be kept.
pub async fn discard<B>(headers: &HeaderMap, mut body: B, time: Duration)
where
    B: Body<Data = Bytes> + Unpin,
{
    // Whoever asks first must not be invited to send what is not wanted.
    if body.is_end_stream() || headers.contains_key(EXPECT) || body.size_hint().lower() > PATIENCE {
        return;
    }
    let read = async {
        let mut seen = 0;
        while let Some(Ok(frame)) = body.frame().await {
            seen += frame.data_ref().map_or(0, |data| data.len() as u64);
            if seen > PATIENCE {
                return;
            }
        }
    };
    // Too slow is as good as done: the connection ends instead of being kept.
    tokio::time::timeout(time, read).await.ok();
}

fn unreadable(why: &str) -> Failure {
    Envelope::invalid(vec![Problem::bare(format!("Invalid input JSON on line 1, column 1: {why}"))]).into()
}

/// The media type, when it is one that is never JSON.
fn form(headers: &HeaderMap) -> Option<&str> {
    let media_type = headers.get(CONTENT_TYPE)?.to_str().ok()?.split(';').next()?.trim();
    let lower = media_type.to_ascii_lowercase();
    (lower.starts_with("multipart/") || lower == "application/x-www-form-urlencoded").then_some(media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_bodies_find_a_place_or_hear_that_there_is_none() {
        let (room, headers) = (Room::default(), HeaderMap::new());
        let place = |hint| room.place(&headers, &hint, 5 << 20);
        let mut held = Vec::new();
        while let Ok(place) = place(SizeHint::default()) {
            held.push(place.unwrap());
        }
        assert_eq!(held.len(), 51);
        assert!(place(SizeHint::with_exact(1000)).unwrap().is_none());
        held.pop();
        assert!(place(SizeHint::with_exact(5 << 20)).is_ok());
    }

    #[test]
    fn forms_are_told_from_json() {
        for (sent, is_form) in [
            ("multipart/form-data; boundary=x", true),
            ("Application/X-WWW-Form-Urlencoded", true),
            ("application/json", false),
            ("text/plain", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, sent.parse().unwrap());
            assert_eq!(form(&headers).is_some(), is_form, "{sent}");
        }
    }
}

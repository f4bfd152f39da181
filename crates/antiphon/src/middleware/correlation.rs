//! The id that ties a request to its answer and its log lines.

use bytes::Bytes;
use http::HeaderValue;
use uuid::Uuid;

/// A correlation id in the forms in which it leaves: printed once, shared by both headers, the envelope and the log.
#[derive(Debug, Clone)]
pub struct Correlation(HeaderValue);

impl Correlation {
    /// A new one. It orders by time, as UUIDv7 does.
    #[expect(
        clippy::disallowed_methods,
        reason = "it names a request, and nothing that is kept depends on it"
    )]
    pub fn new() -> Self {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        Uuid::now_v7().as_hyphenated().encode_lower(&mut text);
        // Hexadecimal digits and hyphens are always a header value; the alternative only spares a panic path.
        Self(
            HeaderValue::from_maybe_shared(Bytes::copy_from_slice(&text))
                .unwrap_or(HeaderValue::from_static("")),
        )
    }

    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

impl Default for Correlation {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_uuid_of_version_seven() {
        let correlation = Correlation::new();
        assert_eq!(correlation.as_str().parse::<Uuid>().unwrap().get_version_num(), 7);
        assert_eq!(correlation.header(), correlation.as_str());
    }
}

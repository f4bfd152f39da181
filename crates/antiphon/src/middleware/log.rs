//! One line per request. Paths are logged as templates and queries not at all: either may hold an address or a token.

use std::time::Duration;

use http::request;

use super::correlation::Correlation;
use crate::routes::Leaf;

/// Failures of ours at error, everything else at debug: the figures already count what is ordinary.
pub fn request(
    head: &request::Parts,
    leaf: Option<Leaf>,
    status: u16,
    took: Duration,
    correlation: &Correlation,
) {
    let operation = leaf.map_or("-", |leaf| leaf.operation.id);
    let duration_ms = took.as_micros() as f64 / 1000.0;
    if status == 500 {
        tracing::error!(
            correlation = correlation.as_str(),
            method = head.method.as_str(),
            operation,
            status,
            duration_ms,
            "answered"
        );
    } else {
        tracing::debug!(
            correlation = correlation.as_str(),
            method = head.method.as_str(),
            operation,
            status,
            duration_ms,
            "answered"
        );
    }
}

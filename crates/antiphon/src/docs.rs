//! `/docs`: the OpenAPI document, readable.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_FRAME_OPTIONS};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::middleware::reply::Reply;

/// One file without anything from elsewhere, so that it works behind every firewall.
const PAGE: &str = include_str!("docs.html");

/// What the page may do: run the script that is in it, and fetch the document. No page frames it.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let script = STANDARD.encode(Sha256::digest(script()));
    format!(
        "default-src 'none'; script-src 'sha256-{script}'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    )
});

/// The script in the page.
fn script() -> &'static str {
    PAGE.split_once("<script>")
        .and_then(|(_, rest)| rest.split_once("</script>"))
        .map_or("", |(script, _)| script)
}

/// `/docs`
pub fn page(_: &App) -> Reply {
    let mut reply = Reply::page("text/html; charset=utf-8", PAGE);
    reply.headers = vec![
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    ];
    reply
        .headers
        .extend(HeaderValue::try_from(POLICY.as_str()).ok().map(|policy| (CONTENT_SECURITY_POLICY, policy)));
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_one_script_is_the_one_that_may_run() {
        assert_eq!(PAGE.matches("<script").count(), 1);
        assert!(script().contains("/openapi.json"));
        assert!(!PAGE.contains("onclick=") && !PAGE.contains("javascript:"));
        assert!(HeaderValue::try_from(POLICY.as_str()).is_ok());
    }
}

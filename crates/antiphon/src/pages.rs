//! What people see: plain pages that need no script.

use http::HeaderValue;
use http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, SET_COOKIE, X_FRAME_OPTIONS,
};

use crate::call::Answer;

/// Text for a page.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// A page with a heading.
pub fn page(status: u16, title: &str, body: &str, cookies: &[String]) -> Answer {
    let title = escaped(title);
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title><style>\
         body{{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem;color:#111;background:#fff}}\
         label{{display:block;margin-top:1rem}}input{{font:inherit;width:100%;padding:.5rem;box-sizing:border-box}}\
         button{{font:inherit;padding:.5rem 1rem;margin:1.5rem .5rem 0 0}}</style></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    let mut headers: Vec<(HeaderName, HeaderValue)> = vec![
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(
                "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
            ),
        ),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    headers.extend(set(cookies));
    Answer { status, body: html.into_bytes().into(), bare: true, headers, ..Answer::default() }
}

/// To another address.
pub fn sent_to(address: String, cookies: &[String]) -> Answer {
    let mut headers = vec![(REFERRER_POLICY, HeaderValue::from_static("no-referrer"))];
    headers.extend(set(cookies));
    Answer { status: 302, location: Some(address), bare: true, headers, ..Answer::default() }
}

fn set(cookies: &[String]) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    cookies.iter().filter_map(|cookie| Some((SET_COOKIE, HeaderValue::try_from(cookie).ok()?)))
}

/// Nothing can be done here.
pub fn wrong(status: u16, what: &str) -> Answer {
    page(status, "This cannot be done", &format!("<p role=\"alert\">{}</p>", escaped(what)), &[])
}

//! `/docs`: the OpenAPI document, readable.

use crate::app::App;
use crate::middleware::reply::Reply;

/// One file without anything from elsewhere, so that it works behind every firewall.
pub fn page(_: &App) -> Reply {
    Reply::page("text/html; charset=utf-8", include_str!("docs.html"))
}

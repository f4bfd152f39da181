//! Under which scheme and host the client reached us: page links must repeat it.

use std::net::IpAddr;

use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, request};

use super::Peer;
use crate::app::App;

/// What a trusted proxy says, else what is configured, else the host the client named.
pub fn of(app: &App, peer: &Peer, head: &request::Parts) -> String {
    if peer.trusted {
        let scheme =
            first(&head.headers, "x-forwarded-proto").filter(|scheme| matches!(*scheme, "http" | "https"));
        let host =
            first(&head.headers, "x-forwarded-host").or_else(|| host(head)).filter(|host| is_host(host));
        if let (Some(scheme), Some(host)) = (scheme, host) {
            return format!("{scheme}://{host}");
        }
    }
    if !app.config.public_url.is_empty() {
        return app.config.public_url.clone();
    }
    match host(head).filter(|host| is_host(host)) {
        Some(host) => {
            let scheme = if peer.secure { "https://" } else { "http://" };
            [scheme, host].concat()
        }
        None => app.public_url.clone(),
    }
}

/// The same peer, at the address that proxies tell of it: the nearest one that is no proxy whose word counts.
pub fn behind(app: &App, peer: &Peer, headers: &HeaderMap) -> Peer {
    if !peer.trusted {
        return *peer;
    }
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    let told: Vec<Option<IpAddr>> =
        lines.flat_map(|line| line.split(',')).map(|one| one.trim().parse().ok()).collect();
    let client = told.into_iter().rev().take_while(Option::is_some).flatten();
    let mut last = peer.address;
    for address in client {
        last = Some(address);
        if !app.config.server.trusts(address) {
            break;
        }
    }
    Peer { address: last, ..*peer }
}

fn host(head: &request::Parts) -> Option<&str> {
    match head.headers.get(HOST) {
        Some(host) => host.to_str().ok(),
        None => head.uri.authority().map(Authority::as_str),
    }
}

/// The value nearest to the client, where several proxies each added theirs.
fn first<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()?.split(',').next().map(str::trim)
}

fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b))
}

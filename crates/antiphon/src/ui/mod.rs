//! What people see in a browser: the agents' inbox and the chat on websites. `cargo xtask ui` builds them, the program carries
//! them. This room hands out files and says what browsers may do with them; it never makes a page of anybody's data.

mod built;
mod inbox;
mod serve;
pub mod widget;

use http::header::{ACCEPT, HeaderName, HeaderValue, LOCATION, VARY};
use http::{HeaderMap, request};

use crate::call::Answer;
use crate::demo;
use crate::middleware::error::Failure;
use crate::middleware::reply::Reply;
use crate::pages;
use crate::routes::Page;
use antiphon_wire::error::Envelope;

const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// Every address at which a browser finds something of ours.
pub static PAGES: &[Page] = &[
    Page {
        path: "/",
        help: "The way to the inbox, for browsers.",
        is_file: false,
        answer: |_, visit| Box::pin(async move { home(visit.head) }),
    },
    Page {
        path: "/inbox",
        help: "The agents' inbox.",
        is_file: true,
        answer: |_, visit| Box::pin(async move { inbox::page(visit.head, "") }),
    },
    Page {
        path: "/inbox/{*path}",
        help: "Its places and its files.",
        is_file: true,
        answer: |_, visit| Box::pin(async move { inbox::page(visit.head, &visit.rest) }),
    },
    Page {
        path: "/{portalId}.js",
        help: "The chat, as pages written for HubSpot's load it.",
        is_file: true,
        answer: |_, visit| Box::pin(async move { widget::of_portal(visit.head, &visit.rest) }),
    },
    Page {
        path: "/widget/loader.js",
        help: "The chat, for whoever names the portal elsewhere.",
        is_file: true,
        answer: |_, visit| Box::pin(async move { widget::loader(visit.head) }),
    },
    Page {
        path: "/widget/loader.css",
        help: "Its styles, for pages whose own policy allows none inline.",
        is_file: true,
        answer: |_, visit| Box::pin(async move { widget::styles(visit.head) }),
    },
    Page {
        path: "/widget/assets/{*path}",
        help: "What the chat consists of.",
        is_file: true,
        answer: |_, visit| Box::pin(async move { widget::asset(visit.head, &visit.rest) }),
    },
    Page {
        path: "/demo",
        help: "A shop's website with the chat on it, in the demo.",
        is_file: false,
        answer: |app, visit| Box::pin(async move { demo::site::page(app, &visit, "") }),
    },
    Page {
        path: "/demo/{*path}",
        help: "Its other pages and files.",
        is_file: false,
        answer: |app, visit| Box::pin(async move { demo::site::page(app, &visit, &visit.rest) }),
    },
];

/// Whoever opens the server's address in a browser wants the inbox; programs have nothing to find here.
fn home(head: &request::Parts) -> Result<Reply, Failure> {
    if !wants_page(&head.headers) {
        return Err(Envelope::no_route(head.uri.path()).into());
    }
    let headers =
        vec![(LOCATION, HeaderValue::from_static("/inbox/")), (VARY, HeaderValue::from_static("Accept"))];
    Ok(Reply { status: 302, headers, ..Reply::default() })
}

fn wants_page(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT).into_iter().filter_map(|line| line.to_str().ok());
    let mut kinds = lines.flat_map(|line| line.split(',')).filter_map(|one| one.split(';').next());
    kinds.any(|kind| kind.trim().eq_ignore_ascii_case("text/html"))
}

/// What is said by a program that carries no front end.
pub fn missing() -> Answer {
    let mut answer = pages::page(
        404,
        "Not built",
        "<p>This program was built without what people see. Run <code>cargo xtask ui</code> in its sources, and build it again.</p>",
        &[],
    );
    answer.headers.push((ROBOTS, HeaderValue::from_static("noindex")));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_known_by_asking_for_pages() {
        for (accept, page) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("Text/HTML;q=0.1", true),
            ("application/json", false),
            ("*/*", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
            assert_eq!(wants_page(&headers), page, "{accept}");
        }
        assert!(!wants_page(&HeaderMap::new()));
    }
}

//! One table: every operation and each API version that serves it. The router, `Allow`, the OpenAPI document, the
//! coverage test and the isolation test are all made from it.
//!
//! To add an operation, write its door, then its line in its family's file.

mod answering;
mod conversations;
mod custom_channels;
mod files;
mod identification;
mod journal;
mod oauth;
mod own;
mod sessions;
mod webhooks;
mod widget;
mod work;

use std::pin::Pin;

use http::{HeaderValue, request};

use crate::app::App;
use crate::middleware::Peer;
use crate::middleware::error::Failure;
use crate::middleware::reply::Reply;
use crate::{docs, health, metrics, openapi, ui};

pub use crate::operation::{Entry, Family, Kind, Operation, Parameter, Payload, Scope, Verb, Version, shape};

/// Every operation.
pub static OPERATIONS: &[&[Operation]] = &[
    conversations::TABLE,
    custom_channels::TABLE,
    files::TABLE,
    identification::TABLE,
    webhooks::TABLE,
    journal::TABLE,
    own::TABLE,
    answering::TABLE,
    work::TABLE,
    sessions::TABLE,
    oauth::TABLE,
    widget::TABLE,
];

/// A path at which something answers.
pub struct Mounted {
    /// The whole path with the names of its parameters in braces.
    pub template: String,
    pub version: Version,
    pub leaves: Vec<Leaf>,
    /// The value of `Allow`.
    pub allow: HeaderValue,
}

/// A page that anybody may read, outside of every API family.
pub struct Page {
    pub path: &'static str,
    pub help: &'static str,
    /// A file that the program carries, for which nobody is asked.
    pub is_file: bool,
    pub answer: for<'a> fn(&'a App, Visit<'a>) -> Shown<'a>,
}

/// Who asks for a page, and for which part of it.
pub struct Visit<'a> {
    pub peer: &'a Peer,
    pub head: &'a request::Parts,
    /// The value of the path's parameter, if it has one.
    pub rest: String,
}

/// What a page answers.
pub type Shown<'a> = Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send + 'a>>;

impl Page {
    pub fn allow(&self) -> HeaderValue {
        HeaderValue::from_static("GET, HEAD, OPTIONS")
    }
}

/// Those that are about the server itself. What people see has pages of its own, in [`ui::PAGES`].
pub static PAGES: &[Page] = &[
    Page {
        path: "/healthz",
        help: "Whether the server lives.",
        is_file: false,
        answer: |app, _| Box::pin(async move { Ok(health::healthz(app)) }),
    },
    Page {
        path: "/readyz",
        help: "Whether the server can take work.",
        is_file: false,
        answer: |app, _| Box::pin(async move { Ok(health::readyz(app).await) }),
    },
    Page {
        path: "/metrics",
        help: "Figures for Prometheus.",
        is_file: false,
        answer: |app, _| Box::pin(async move { Ok(metrics::page(app)) }),
    },
    Page {
        path: "/openapi.json",
        help: "This document.",
        is_file: false,
        answer: |app, _| Box::pin(async move { Ok(openapi::page(app)) }),
    },
    Page {
        path: "/docs",
        help: "This document, readable.",
        is_file: false,
        answer: |app, _| Box::pin(async move { Ok(docs::page(app)) }),
    },
];

/// Every page.
pub fn pages() -> impl Iterator<Item = &'static Page> {
    PAGES.iter().chain(ui::PAGES)
}

/// What a path leads to.
pub enum Found<'a> {
    /// With the values of the path's parameters, percent-decoded once.
    Operation(&'a Mounted, Vec<String>),
    /// With the value of its parameter, or nothing.
    Page(&'static Page, String),
}

/// One operation at one path.
#[derive(Clone, Copy)]
pub struct Leaf {
    pub operation: &'static Operation,
    /// Where the figures of this operation in this version are kept.
    pub figure: usize,
}

#[derive(Clone, Copy)]
enum Target {
    Mounted(usize),
    Page(&'static Page),
}

/// The table, mounted.
pub struct Routes {
    tree: matchit::Router<Target>,
    mounted: Vec<Mounted>,
    figures: usize,
}

impl Routes {
    /// Mounts every operation on every prefix of its family.
    ///
    /// # Errors
    /// When two lines of the table contradict each other.
    pub fn new() -> anyhow::Result<Self> {
        let mut mounted: Vec<Mounted> = Vec::new();
        let mut figure = 0;
        for operation in OPERATIONS.iter().copied().flatten() {
            for &(prefix, version) in operation.family.prefixes() {
                let template = format!("{prefix}{}", operation.path);
                let leaf = Leaf { operation, figure };
                figure += 1;
                match mounted.iter_mut().find(|m| m.template == template) {
                    Some(at) => at.leaves.push(leaf),
                    None => {
                        let allow = HeaderValue::from_static("");
                        mounted.push(Mounted { template, version, leaves: vec![leaf], allow });
                    }
                }
            }
        }
        let mut tree = matchit::Router::new();
        for (index, at) in mounted.iter_mut().enumerate() {
            at.allow = HeaderValue::try_from(allow(&at.leaves))?;
            tree.insert(at.template.clone(), Target::Mounted(index))?;
        }
        for page in pages() {
            tree.insert(page.path, Target::Page(page))?;
        }
        Ok(Self { tree, mounted, figures: figure })
    }

    /// Finds what a path leads to. One trailing slash does not count.
    pub fn find(&self, path: &str) -> Option<Found<'_>> {
        let path = match path.strip_suffix('/') {
            Some(shorter) if !shorter.is_empty() => shorter,
            _ => path,
        };
        let plain = plain_escapes(path);
        let found = self.tree.at(&plain).ok()?;
        let mut values = found.params.iter().map(|(_, value)| percent_decoded(value));
        match *found.value {
            Target::Page(page) => Some(Found::Page(page, values.next().unwrap_or_default())),
            Target::Mounted(index) => Some(Found::Operation(self.mounted.get(index)?, values.collect())),
        }
    }

    /// How many figures there are to keep: one per operation and path.
    pub fn figures(&self) -> usize {
        self.figures
    }

    /// Everything that is mounted, in the order of the table.
    pub fn mounted(&self) -> &[Mounted] {
        &self.mounted
    }
}

impl Mounted {
    /// The operation for a method; HEAD asks what GET asks.
    pub fn leaf(&self, method: &http::Method) -> Option<Leaf> {
        let name = if *method == http::Method::HEAD { "GET" } else { method.as_str() };
        self.leaves.iter().find(|leaf| leaf.operation.verb.name() == name).copied()
    }
}

fn allow(leaves: &[Leaf]) -> String {
    let mut names = Vec::new();
    for leaf in leaves {
        names.push(leaf.operation.verb.name());
        if leaf.operation.verb == Verb::Get {
            names.push("HEAD");
        }
    }
    names.push("OPTIONS");
    names.join(", ")
}

/// Undoes the escapes of characters that never need one, so that the tree meets its own spelling. All others are left
/// to [`percent_decoded`]: nothing is decoded twice.
fn plain_escapes(path: &str) -> std::borrow::Cow<'_, str> {
    if !path.contains('%') {
        return path.into();
    }
    let mut plain = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let byte = rest.get(1..3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                plain.push(char::from(byte));
                rest = &rest[3..];
            }
            _ => {
                plain.push('%');
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    plain.into()
}

fn percent_decoded(value: &str) -> String {
    percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_once() {
        for (sent, plain, decoded) in [
            ("/actors/E-a%40b.c", "/actors/E-a%40b.c", "/actors/E-a@b.c"),
            ("/thre%61ds", "/threads", "/threads"),
            ("/a%2541", "/a%2541", "/a%41"),
            ("/a%2Fb", "/a%2Fb", "/a/b"),
            ("/50%", "/50%", "/50%"),
            ("/%zz%é", "/%zz%é", "/%zz%é"),
        ] {
            assert_eq!(plain_escapes(sent), plain);
            assert_eq!(percent_decoded(plain), decoded);
        }
    }

    #[test]
    fn ids_are_unique() {
        let mut ids: Vec<_> = OPERATIONS.iter().copied().flatten().map(|o| o.id).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }

    #[test]
    fn the_table_can_be_mounted() {
        Routes::new().unwrap();
    }
}

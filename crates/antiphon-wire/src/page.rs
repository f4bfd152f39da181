//! Pages of results, printed straight into the answer.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use utoipa::ToSchema;

use crate::cursor::Cursor;
use crate::query::Query;

/// A page on its way into an answer: [`Page::open`], [`Page::item`] for each result, [`Page::close`].
#[derive(Debug)]
pub struct Page<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

/// What the link to the next page is made of.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// Scheme and host the client used.
    pub origin: &'a str,
    /// The path as it was called.
    pub path: &'a str,
    /// The query as it was called.
    pub query: &'a Query,
}

impl<'o> Page<'o> {
    /// Begins a page.
    pub fn open(out: &'o mut Vec<u8>) -> Self {
        out.extend_from_slice(b"{\"results\":[");
        Self { out, empty: true }
    }

    /// Adds a result: `print` appends its JSON.
    pub fn item(&mut self, print: impl FnOnce(&mut Vec<u8>)) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        print(self.out);
    }

    /// Ends the page. `total` is printed where the list has one, `paging` when there is more.
    pub fn close(self, next: Option<(&Cursor, &Link<'_>)>, total: Option<usize>) {
        let out = self.out;
        out.push(b']');
        if let Some(total) = total {
            out.extend_from_slice(b",\"total\":");
            out.extend_from_slice(itoa::Buffer::new().format(total).as_bytes());
        }
        if let Some((cursor, link)) = next {
            out.extend_from_slice(b",\"paging\":{\"next\":{\"after\":\"");
            let start = out.len();
            cursor.write(out);
            let end = out.len();
            out.extend_from_slice(b"\",\"link\":\"");
            url(out, link.origin);
            url(out, link.path);
            link.query.write_link(out, start..end);
            out.extend_from_slice(b"\"}}");
        }
        out.push(b'}');
    }
}

/// What may not stand in a URL as it is; everything JSON would have to escape is among it.
const NOT_IN_URL: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

fn url(out: &mut Vec<u8>, text: &str) {
    for part in utf8_percent_encode(text, NOT_IN_URL) {
        out.extend_from_slice(part.as_bytes());
    }
}

/// Prints a JSON string.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    // A Vec takes everything, and every text is a JSON string.
    let _ = serde_json::to_writer(out, text);
}

/// How a list's way on looks, for the API's description.
#[derive(Debug, ToSchema)]
pub struct Paging {
    /// The next page.
    pub next: NextPage,
}

/// How the way to the next page looks, for the API's description.
#[derive(Debug, ToSchema)]
pub struct NextPage {
    /// The cursor: opaque, letters, digits, `-` and `_`.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,512}$")]
    pub after: String,
    /// The request that brings the next page.
    pub link: String,
}

//! The length limit: a body too long to be shown at once is cut, and its complete form kept as the original.

use html5gum::Token;

use crate::nesting::Nesting;
use crate::tokens::{name, tokens};

/// The most characters of plain text that are shown without cutting.
pub const TEXT_LIMIT: usize = 50_000;
/// The most characters of HTML that are shown without cutting.
pub const RICH_TEXT_LIMIT: usize = 200_000;

/// An entity longer than this does not exist, so a `&` further back is only a `&`.
const LONGEST_ENTITY: usize = 34;

/// Bodies after the length limit was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The plain text.
    pub text: Option<String>,
    /// The HTML.
    pub html: Option<String>,
    /// Whether either was shortened.
    pub shortened: bool,
}

/// Shortens bodies that are over [`TEXT_LIMIT`] or [`RICH_TEXT_LIMIT`] characters.
///
/// HTML is never cut inside a tag or an entity, and what is open there is closed.
///
/// ```
/// let long = antiphon_mail::cut(Some(&"a".repeat(60_000)), Some("<p>short</p>"));
/// assert!(long.shortened);
/// assert_eq!(long.text.map(|text| text.len()), Some(50_000));
/// assert_eq!(long.html.as_deref(), Some("<p>short</p>"));
/// ```
pub fn cut(text: Option<&str>, html: Option<&str>) -> Cut {
    let short_text = text.and_then(|text| cut_text(text, TEXT_LIMIT));
    let short_html = html.and_then(|html| cut_html(html, RICH_TEXT_LIMIT));
    Cut {
        shortened: short_text.is_some() || short_html.is_some(),
        text: short_text.or_else(|| text.map(str::to_owned)),
        html: short_html.or_else(|| html.map(str::to_owned)),
    }
}

fn cut_text(text: &str, limit: usize) -> Option<String> {
    let (end, _) = text.char_indices().nth(limit)?;
    Some(text[..end].to_owned())
}

fn cut_html(html: &str, limit: usize) -> Option<String> {
    html.char_indices().nth(limit)?;
    let mut nesting = Nesting::default();
    // What is kept so far ends at `kept`; `room` is what the limit leaves for source and end tags together.
    let (mut kept, mut room) = (0, limit);
    let mut best = 0;
    let mut raw_text = false;
    for token in tokens(html) {
        let end = html.floor_char_boundary(match &token {
            Token::StartTag(tag) => tag.span.end,
            Token::EndTag(tag) => tag.span.end,
            Token::String(text) => text.span.end,
            Token::Comment(comment) => comment.span.end,
            Token::Doctype(doctype) => doctype.span.end,
            Token::Error(_) => continue,
        });
        let source = html.get(kept..end).unwrap_or_default();
        let length = source.chars().count();
        if length + nesting.closing_chars() > room {
            let room = room.checked_sub(nesting.closing_chars());
            if let (Token::String(_), Some(chars), false) = (&token, room, raw_text) {
                best = kept + before_entity(source, chars);
            }
            break;
        }
        (kept, room) = (end, room - length);
        match &token {
            Token::StartTag(tag) => {
                let name = name(&tag.name);
                raw_text = matches!(name.as_str(), "script" | "style");
                nesting.enter(&name);
            }
            Token::EndTag(tag) => {
                raw_text = false;
                nesting.leave(&name(&tag.name));
            }
            _ => {}
        }
        // A start tag just before the limit may leave no room for its end tag: then the last good place stands.
        if nesting.closing_chars() <= room && !raw_text && !matches!(token, Token::StartTag(_)) {
            best = kept;
        }
    }
    Some(balance(&html[..best]))
}

/// The byte length of the first `chars` characters of `text`, or a little less so that no entity is torn.
fn before_entity(text: &str, chars: usize) -> usize {
    let end = text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
    let from = text.floor_char_boundary(end.saturating_sub(LONGEST_ENTITY));
    match text[from..end].rfind('&') {
        Some(at) if !text[from + at..end].contains(';') => from + at,
        _ => end,
    }
}

/// `html` with the end tags of everything it leaves open.
pub(crate) fn balance(html: &str) -> String {
    let mut nesting = Nesting::default();
    for token in tokens(html) {
        match token {
            Token::StartTag(tag) => nesting.enter(&name(&tag.name)),
            Token::EndTag(tag) => nesting.leave(&name(&tag.name)),
            _ => {}
        }
    }
    let mut balanced = html.to_owned();
    nesting.close(&mut balanced);
    balanced
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn html_is_closed_and_never_torn() {
        let cases = [
            ("<div><p>Hello there</p></div>", 17, ""),
            ("<div>a<p>Hello there</p></div>", 18, "<div>a</div>"),
            ("<div>a<p>Hello there</p></div>", 23, "<div>a<p>Hell</p></div>"),
            ("a&amp;b&amp;c", 9, "a&amp;b"),
            ("a&amp;b<a href='x'>y</a>", 12, "a&amp;b"),
            ("x<style>p{color:red}</style>y", 20, "x"),
        ];
        for (html, limit, expected) in cases {
            assert_eq!(cut_html(html, limit).as_deref(), Some(expected), "{html} at {limit}");
        }
        assert_eq!(cut_html("<p>ok</p>", 9), None);
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        assert_eq!(cut_text("ééé", 3), None);
        assert_eq!(cut_text("ééé", 2).as_deref(), Some("éé"));
    }

    proptest! {
        #[test]
        fn a_cut_body_is_within_the_limit(html in "(<p>|</p>|<b a='1'>|</b>|<br>|&amp;|é|word | |<)*", limit in 0usize..60) {
            if let Some(short) = cut_html(&html, limit) {
                prop_assert!(short.chars().count() <= limit);
                prop_assert_eq!(balance(&short), short);
            }
        }
    }
}

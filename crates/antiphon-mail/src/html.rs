//! HTML from outside, made safe to show.

use std::collections::HashMap;

use html5gum::Token;

use crate::text;
use crate::tokens::{is_void, name, tokens};

/// Beyond these a body is not a letter but an attack on the tree builder, which is quadratic in each of them.
const MOST_TAGS: usize = 20_000;
const MOST_ATTRIBUTES: usize = 200;
const MOST_OPEN: usize = 1_000;
const MOST_OPEN_FORMATS: usize = 50;
const MOST_AMPERSANDS: usize = 100_000;

/// Removes everything from `html` that could run, phone home on its own or break out of its place.
///
/// A body that would cost more than its length to examine is shown as its plain text instead.
///
/// ```
/// let safe = antiphon_mail::html::sanitise("<p onclick=evil()>Hi<script>evil()</script></p>");
/// assert_eq!(safe, "<p>Hi</p>");
/// ```
pub fn sanitise(html: &str) -> String {
    if is_excessive(html) {
        return text::to_html(&text::from_html(html));
    }
    // A carriage return can only come out of a character reference, and would be read back as a line feed.
    ammonia::clean(html).replace("\r\n", "\n").replace('\r', "\n")
}

fn is_excessive(html: &str) -> bool {
    if html.bytes().filter(|byte| *byte == b'&').count() > MOST_AMPERSANDS {
        return true;
    }
    let mut tags = 0;
    let mut open = 0usize;
    let mut formats: HashMap<String, usize> = HashMap::new();
    for token in tokens(html) {
        match token {
            Token::StartTag(tag) => {
                let name = name(&tag.name);
                tags += 1;
                open += usize::from(!is_void(&name));
                if tag.attributes.len() > MOST_ATTRIBUTES {
                    return true;
                }
                if is_format(&name) {
                    *formats.entry(name).or_default() += 1;
                }
            }
            Token::EndTag(tag) => {
                tags += 1;
                open = open.saturating_sub(1);
                if let Some(count) = formats.get_mut(&name(&tag.name)) {
                    *count = count.saturating_sub(1);
                }
            }
            _ => continue,
        }
        if tags > MOST_TAGS || open > MOST_OPEN || formats.values().sum::<usize>() > MOST_OPEN_FORMATS {
            return true;
        }
    }
    false
}

/// Elements that the tree builder opens again in every block after them until they are closed.
fn is_format(name: &str) -> bool {
    matches!(
        name,
        "a" | "b"
            | "big"
            | "code"
            | "em"
            | "font"
            | "i"
            | "nobr"
            | "s"
            | "small"
            | "strike"
            | "strong"
            | "tt"
            | "u"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attack_is_shown_as_text() {
        let font_bomb = "<font size=1>".repeat(100) + "<p>x";
        assert_eq!(sanitise(&font_bomb), "<div>x</div>");
        let attributes: String = (0..300).map(|n| format!(" a{n}")).collect();
        assert_eq!(sanitise(&format!("<p{attributes}>x</p>")), "<div>x</div>");
    }

    #[test]
    fn what_runs_is_removed() {
        assert_eq!(sanitise("<a href=\"javascript:x()\">y</a>"), "<a rel=\"noopener noreferrer\">y</a>");
        assert_eq!(sanitise("<img src=x onerror=y>"), "<img src=\"x\">");
    }
}

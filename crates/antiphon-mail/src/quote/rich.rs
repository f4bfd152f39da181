//! Reply history in HTML: clients mark it with classes and ids of their own, or only with the copied head in the text.

use std::ops::Range;

use html5gum::{StartTag, Token};

use super::phrases::{attribution, forward_mark};
use super::plain::history_begins;
use crate::cut::balance;
use crate::lines::LineReader;
use crate::text;
use crate::tokens::{attribute, is_void, name, tokens};

/// What an element says about itself.
enum Mark {
    /// The element is history.
    Quote,
    /// The element and everything after it is history.
    RestIsHistory,
}

/// The HTML without its history, or nothing when it has none or is nothing else.
pub(super) fn strip(html: &str) -> Option<String> {
    let mut reader = LineReader::default();
    let mut quotes: Vec<Range<usize>> = Vec::new();
    let mut attributions: Vec<Range<usize>> = Vec::new();
    let mut rest = html.len();
    // The quote being read: its element, where it began, how often that name is open.
    let mut inside: Option<(String, usize, usize)> = None;
    let nested_quotes = contains_ignoring_case(html, "<blockquote");

    for token in tokens(html) {
        match (&token, &mut inside) {
            (Token::StartTag(tag), Some((element, _, depth))) if *tag.name == *element.as_bytes() => {
                *depth += 1
            }
            (Token::EndTag(tag), Some((element, start, depth))) if *tag.name == *element.as_bytes() => {
                *depth -= 1;
                if *depth == 0 {
                    quotes.push(*start..tag.span.end);
                    inside = None;
                }
            }
            (Token::StartTag(tag), None) => match mark(tag, nested_quotes) {
                Some(Mark::Quote) => {
                    let above = reader.latest().filter(|line| attribution(&line.text).is_some());
                    attributions.extend(above.into_iter().flat_map(|line| line.parts.clone()));
                    inside = Some((name(&tag.name), tag.span.start, 1));
                }
                Some(Mark::RestIsHistory) => rest = rest.min(tag.span.start),
                None => {}
            },
            _ => {}
        }
        reader.read(&token);
    }
    quotes.extend(inside.map(|(_, start, _)| start..html.len()));

    let lines = reader.finish();
    let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    let forward = lines.iter().position(|line| forward_mark(&line.text));
    if let Some(begin) = history_begins(&texts, forward.unwrap_or(texts.len())) {
        rest = lines[begin..].iter().find_map(|line| line.start()).map_or(rest, |start| rest.min(start));
    }
    // A forwarded letter is content: neither a quote that opens with its mark nor anything after it is history.
    if let Some(mark_at) = forward.and_then(|line| lines[line].start()) {
        let visible_between =
            |from: usize| lines.iter().any(|line| line.start().is_some_and(|at| from <= at && at < mark_at));
        let within_history = rest < mark_at && visible_between(rest)
            || quotes.iter().any(|quote| quote.contains(&mark_at) && visible_between(quote.start));
        if !within_history {
            quotes.retain(|quote| quote.end <= mark_at);
            rest = html.len();
        }
    }
    remaining(html, quotes, attributions, rest)
}

fn remaining(
    html: &str,
    quotes: Vec<Range<usize>>,
    attributions: Vec<Range<usize>>,
    rest: usize,
) -> Option<String> {
    if quotes.is_empty() && rest == html.len() {
        return None;
    }
    let mut removed = if quotes.is_empty() { Vec::new() } else { attributions };
    removed.extend(quotes);
    removed.push(rest..html.len());
    removed.sort_by_key(|range| range.start);

    let mut out = String::with_capacity(html.len());
    let mut at = 0;
    for range in removed {
        out.push_str(html.get(at..range.start).unwrap_or_default());
        at = at.max(range.end);
    }
    out.push_str(html.get(at..).unwrap_or_default());
    let visible = !text::from_html(&out).trim().is_empty() || contains_ignoring_case(&out, "<img");
    visible.then(|| if rest < html.len() { balance(&out) } else { out })
}

fn mark(tag: &StartTag<usize>, nested_quotes: bool) -> Option<Mark> {
    const QUOTE_CLASSES: [&str; 10] = [
        "gmail_attr",
        "yahoo_quoted",
        "yahoo_quoted_begin",
        "moz-cite-prefix",
        "protonmail_quote",
        "tutanota_quote",
        "WordSection1_quoted",
        "zmail_extra",
        "quoted-text-toggle",
        "front-blockquote",
    ];
    const QUOTE_IDS: [&str; 3] =
        ["OLK_SRC_BODY_SECTION", "mail-editor-reference-message-container", "isReplyContent"];
    const REST_IDS: [&str; 4] = ["divRplyFwdMsg", "appendonsend", "stopSpelling", "replySplit"];
    let tag_name = name(&tag.name);
    let class = attribute(tag, b"class");
    let has_class = |wanted: &str| class.split_ascii_whitespace().any(|class| class == wanted);
    let id = attribute(tag, b"id");
    let quote = match tag_name.as_str() {
        "blockquote" => {
            has_class("gmail_quote")
                || attribute(tag, b"type").eq_ignore_ascii_case("cite")
                || !attribute(tag, b"cite").is_empty()
        }
        // The container also holds what was answered between the quotes, so the quotes inside are taken when there are any.
        "div" if !nested_quotes && has_class("gmail_quote") => true,
        // GMX and its sisters.
        "div" => attribute(tag, b"name") == "quote",
        _ => false,
    };
    if REST_IDS.contains(&id.as_str()) || tag_name == "div" && is_outlook_head(&attribute(tag, b"style")) {
        Some(Mark::RestIsHistory)
    } else if !is_void(&tag_name)
        && (quote
            || QUOTE_CLASSES.iter().any(|class| has_class(class))
            || class.split_ascii_whitespace().any(is_yahoo_quote)
            || QUOTE_IDS.contains(&id.as_str()))
    {
        Some(Mark::Quote)
    } else {
        None
    }
}

/// Outlook names the sender of what it copies below a line that is drawn just so in every language.
fn is_outlook_head(style: &str) -> bool {
    let style: String = style.split_ascii_whitespace().collect::<String>().to_ascii_lowercase();
    ["#e1e1e1", "#b5c4df"]
        .iter()
        .any(|colour| style.starts_with(&format!("border:none;border-top:solid{colour}1.0pt;padding:3.0pt0")))
}

/// Yahoo puts a random prefix before its class where the same letter is quoted more than once.
fn is_yahoo_quote(class: &str) -> bool {
    class.starts_with("ydp") && class.ends_with("yahoo_quoted")
}

fn contains_ignoring_case(text: &str, part: &str) -> bool {
    text.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_goes() {
        let cases = [
            (
                "<div dir=\"ltr\">Yes</div><br><div class=\"gmail_quote\"><div class=\"gmail_attr\">On 1 May 2024 Ana &lt;<a href=\"m\">a@b.c</a>&gt; wrote:<br></div><blockquote class=\"gmail_quote\"><div>Well?</div></blockquote></div>",
                "<div dir=\"ltr\">Yes</div><br><div class=\"gmail_quote\"></div>",
            ),
            (
                "<p>Sim</p><div class=\"moz-cite-prefix\">Em 1/5/2024, Ana escreveu:</div><blockquote type=\"cite\"><blockquote type=cite>a</blockquote>b</blockquote>",
                "<p>Sim</p>",
            ),
            (
                "<div>Yes<br><div>On 1 May 2024, at 10:00, Ana &amp; Bo wrote:</div><br><blockquote type=\"cite\">Well?</blockquote></div>",
                "<div>Yes<br><div></div><br></div>",
            ),
            (
                "<html><body><div>Ja</div><hr><div id=\"divRplyFwdMsg\"><b>Von:</b> Ana</div><div>Nun?</div></body></html>",
                "<html><body><div>Ja</div><hr></body></html>",
            ),
            (
                "<div>Yes<div style=\"border-top:solid\"><p><b>From:</b> Ana<br><b>Sent:</b> Monday<br><b>To:</b> Bo<br><b>Subject:</b> x</p></div>Well?</div>",
                "<div>Yes<div style=\"border-top:solid\"><p><b></b></p></div></div>",
            ),
            (
                "<div>Yes</div><div id=\"yq\" class=\"yahoo_quoted\"><div>old</div></div><p>end</p>",
                "<div>Yes</div><p>end</p>",
            ),
            ("é<p>ok</p>\r\n<blockquote type=cite>\r\nold", "é<p>ok</p>\r\n"),
        ];
        for (letter, left) in cases {
            assert_eq!(strip(letter).as_deref(), Some(left), "{letter}");
        }
    }

    #[test]
    fn what_is_not_surely_history_stays() {
        let letters = [
            "<p>Hello</p>",
            "<blockquote>A saying</blockquote><p>I like it</p>",
            "<blockquote type=cite>only a quote</blockquote>",
            "<div>FYI</div><div class=\"gmail_quote\"><div class=\"gmail_attr\">---------- Forwarded message ---------<br>From: Ana<br>Date: Mon<br>Subject: x<br>To: Bo</div>Hi</div>",
            "<div>See<blockquote type=\"cite\"><div>Begin forwarded message:</div><b>From:</b> Ana<br><b>Subject:</b> x<br><b>Date:</b> y</blockquote></div>",
        ];
        for letter in letters {
            assert_eq!(strip(letter), None, "{letter}");
        }
    }
}

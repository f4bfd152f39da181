//! The two bodies of something said, plain and HTML: each is made from the other where it is missing, and those of letters are
//! freed from quoted history. All of this is done at the door, before a rule sees the message.

use antiphon_mail::{quote, text};
use antiphon_wire::message::TruncationStatus;

/// Both bodies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bodies {
    pub text: String,
    pub rich_text: String,
}

impl Bodies {
    /// Makes what is missing from what is there.
    pub fn complete(text: Option<String>, rich_text: Option<String>) -> Self {
        let text = text.filter(|text| !text.is_empty());
        let rich_text = rich_text.filter(|html| !html.is_empty());
        match (text, rich_text) {
            (Some(text), Some(rich_text)) => Self { text, rich_text },
            (Some(text), None) => Self { rich_text: text::to_html(&text), text },
            (None, Some(rich_text)) => Self { text: text::from_html(&rich_text), rich_text },
            (None, None) => Self { text: String::new(), rich_text: text::to_html("") },
        }
    }

    /// Whether a reader would see anything.
    pub fn is_visible(&self) -> bool {
        !self.text.trim().is_empty()
            || !text::from_html(&self.rich_text).trim().is_empty()
            || self.rich_text.to_ascii_lowercase().contains("<img")
    }

    /// The answer of `original-content`.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::json!({ "text": self.text, "richText": self.rich_text }).to_string().into_bytes()
    }
}

/// Bodies as a message shows them, and what they were before something was cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    pub bodies: Bodies,
    pub truncation: TruncationStatus,
    /// `Some` exactly when something was cut off.
    pub original: Option<Bodies>,
}

impl Cut {
    /// Bodies that stay whole, as those of everything but letters do.
    pub fn whole(bodies: Bodies) -> Self {
        Self { bodies, truncation: TruncationStatus::NotTruncated, original: None }
    }

    /// The bodies of a letter: without what it quotes, and no longer than a client can be asked to show.
    pub fn letter(text: Option<String>, html: Option<String>) -> Self {
        let text = text.filter(|text| !text.is_empty());
        let html = html.filter(|html| !html.is_empty());
        let stripped = quote::strip(text.as_deref(), html.as_deref());
        let whole = Bodies::complete(text, html);
        let mut truncation = TruncationStatus::NotTruncated;
        let mut bodies = whole.clone();
        if stripped.removed {
            bodies = Bodies::complete(stripped.text, stripped.html);
            truncation = TruncationStatus::ToMostRecentReply;
        }
        let short = antiphon_mail::cut(Some(&bodies.text), Some(&bodies.rich_text));
        if short.shortened {
            bodies = Bodies::complete(short.text, short.html);
            truncation = TruncationStatus::Truncated;
        }
        let original = (truncation != TruncationStatus::NotTruncated).then_some(whole);
        Self { bodies, truncation, original }
    }
}

/// The text of a submitted form: a line for each field.
pub fn form_text<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let lines: Vec<_> = fields.into_iter().map(|(label, value)| format!("{label}: {value}")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use antiphon_mail::TEXT_LIMIT;

    use super::*;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn each_body_is_made_from_the_other() {
        let made = Bodies::complete(some("a < b\nc"), None);
        assert_eq!(made.rich_text, "<div>a &lt; b<br>c</div>");
        let made = Bodies::complete(None, some("<p>Caf&eacute;</p>"));
        assert_eq!(made.text.trim(), "Café");
        let both = Bodies::complete(some("x"), some("<b>y</b>"));
        assert_eq!((both.text.as_str(), both.rich_text.as_str()), ("x", "<b>y</b>"));
    }

    #[test]
    fn what_can_be_seen() {
        assert!(!Bodies::complete(None, None).is_visible());
        assert!(!Bodies::complete(some("  "), some("<div><br>&nbsp;</div>")).is_visible());
        assert!(Bodies::complete(None, some("<p>hello</p>")).is_visible());
        assert!(Bodies::complete(None, some("<IMG src='x'>")).is_visible());
    }

    #[test]
    fn a_quoting_letter_keeps_its_original() {
        let text = "Thanks!\n\nOn Tue, 6 Oct 2026 at 09:02, Helpdesk <help@acme.example> wrote:\n> An invoice is attached.\n> Mia\n";
        let cut = Cut::letter(some(text), None);
        assert_eq!(cut.truncation, TruncationStatus::ToMostRecentReply);
        assert_eq!(cut.bodies.text.trim(), "Thanks!");
        assert!(!cut.bodies.rich_text.contains("invoice"));
        assert_eq!(cut.original.unwrap().text, text);
    }

    #[test]
    fn a_long_letter_is_cut_and_a_short_one_is_not() {
        let cut = Cut::letter(some(&"é".repeat(TEXT_LIMIT)), some("<p>é</p>"));
        assert_eq!((cut.truncation, cut.original), (TruncationStatus::NotTruncated, None));
        let cut = Cut::letter(some(&"é".repeat(TEXT_LIMIT + 1)), some("<p>é</p>"));
        assert_eq!(cut.truncation, TruncationStatus::Truncated);
        assert_eq!(cut.bodies.text.chars().count(), TEXT_LIMIT);
        assert_eq!(cut.original.unwrap().text.chars().count(), TEXT_LIMIT + 1);
    }

    #[test]
    fn a_form_is_lines() {
        assert_eq!(form_text([("Name", "Ines"), ("Order", "12")]), "Name: Ines\nOrder: 12");
    }
}

//! From HTML to plain text and back.

use crate::lines::lines;

/// The plain text of an HTML body: tags stripped, entities decoded, ends of blocks become line breaks.
///
/// ```
/// assert_eq!(antiphon_mail::text::from_html("<p>Fish &amp; chips</p><p>Tea<br>Milk</p>"), "Fish & chips\nTea\nMilk");
/// ```
pub fn from_html(html: &str) -> String {
    let mut out = String::with_capacity(html.len() / 2);
    for line in lines(html) {
        out.push_str(line.text.trim_end());
        out.push('\n');
    }
    out.trim_matches('\n').to_owned()
}

/// An HTML body that shows `text`: escaped, line breaks as `<br>`, in one `<div>`.
///
/// ```
/// assert_eq!(antiphon_mail::text::to_html("1 < 2\nyes"), "<div>1 &lt; 2<br>yes</div>");
/// ```
pub fn to_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str("<div>");
    let mut previous = '\0';
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' if previous == '\r' => {}
            '\n' | '\r' => out.push_str("<br>"),
            c => out.push(c),
        }
        previous = c;
    }
    out.push_str("</div>");
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn html_reads_as_a_browser_would_show_it() {
        let cases = [
            ("plain", "plain"),
            ("<div>a</div><div>b</div>", "a\nb"),
            ("<p>a<br><br>b</p>", "a\n\nb"),
            ("a\n   b\t c", "a b c"),
            ("<b>a</b> <i>b</i>", "a b"),
            ("<style>p{}</style><script>alert('<p>')</script>x<!-- no -->", "x"),
            ("<head><title>T</title></head><body>x</body>", "x"),
            ("&lt;b&gt; &eacute; &#8364; &nbsp;!", "<b> é €  !"),
            ("<pre>a\n  b</pre>c", "a\n  b\nc"),
            ("<ul><li>one<li>two</ul>", "one\ntwo"),
            ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
            ("1 < 2 &amp 3", "1 < 2 & 3"),
            ("<div", ""),
            ("", ""),
        ];
        for (html, text) in cases {
            assert_eq!(from_html(html), text, "{html}");
        }
    }

    #[test]
    fn every_kind_of_line_break_becomes_one_br() {
        assert_eq!(to_html("a\r\nb\rc\nd\n\ne"), "<div>a<br>b<br>c<br>d<br><br>e</div>");
    }

    proptest! {
        #[test]
        fn words_survive_the_round_trip(text in "[a-z<>&\"']{1,8}( [a-z<>&\"';]{1,8}){0,4}(\n[a-z<&;]{1,8}){0,4}") {
            prop_assert_eq!(from_html(&to_html(&text)), text);
        }

        #[test]
        fn anything_is_read(html in "\\PC*") {
            from_html(&html);
        }
    }
}

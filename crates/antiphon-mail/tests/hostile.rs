//! Whatever a stranger sends, every function comes back soon and keeps its promises.

use std::time::{Duration, Instant};

use antiphon_mail::{cut, html, quote, subject, text};
use proptest::prelude::*;

const HUGE: usize = 5_000_000;
const SIZE: usize = 300_000;

/// Runs everything on one body; generous enough for an unoptimised build on a busy machine, far too short for anything quadratic.
fn within_reason(name: &str, body: &str) {
    let begun = Instant::now();
    let stripped = quote::strip(Some(body), Some(body));
    cut(stripped.text.as_deref(), stripped.html.as_deref());
    text::to_html(&text::from_html(body));
    html::sanitise(body);
    subject::base(body);
    let taken = begun.elapsed();
    assert!(taken < Duration::from_secs(30), "{name} took {taken:?}");
}

#[test]
fn huge_and_deep_bodies_neither_hang_nor_overflow() {
    let bodies = [
        ("open divs", "<div>"),
        ("open fonts", "<font a=1>"),
        ("unmatched end tags", "<div></p>"),
        ("open quotes", "<blockquote type=cite>"),
        ("bare angle brackets", "<"),
        ("ampersands", "&"),
        ("quoted lines", "> x\n"),
        ("attributions", "On 1 May 2024 at 10:00 Ana wrote:\n"),
        ("heads", "From: a\nTo: b\nFrom: c\n"),
        ("wrapped attributions", "On 1, 2\n"),
        ("blank lines", "\n"),
        ("line breaks", "<br>"),
        ("quotes after breaks", "<br><blockquote type=cite></blockquote>"),
        ("replies", "Re: "),
        ("comments", "<!-- "),
    ];
    for (name, part) in bodies {
        within_reason(name, &part.repeat(SIZE / part.len()));
    }
    within_reason("one tag of many attributes", &format!("<p{}>x", " a=b".repeat(HUGE / 4)));
    let names: String = (0..SIZE / 8).map(|n| format!(" a{n}")).collect();
    within_reason("one tag of many different attributes", &format!("<p{names}>x"));
    within_reason("opened and closed", &format!("{}{}", "<b>".repeat(SIZE / 8), "</b>".repeat(SIZE / 8)));
    within_reason("one long line", &"a".repeat(HUGE));
    within_reason("five megabytes of open tags", &"<div class=x>".repeat(HUGE / 13));
    within_reason("five megabytes of quoted lines", &"> something was said\n".repeat(HUGE / 21));
}

fn letters() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "Hello",
        "é😀",
        " ",
        "\n",
        "\r\n",
        "> ",
        "On 1 May 2024 at 10:00, A <a@b.c> wrote:",
        "From: a\nSent: b\nTo: c\n",
        "-----Original Message-----",
        "________________________________",
        "---------- Forwarded message ---------",
        "<div>",
        "</div>",
        "<p",
        ">",
        "<br>",
        "<blockquote type=cite>",
        "</blockquote>",
        "<div class=gmail_quote>",
        "<div id=divRplyFwdMsg>",
        "<style>",
        "</style>",
        "&amp;",
        "&#x",
        "<!--",
        "-->",
        "<b a='\"",
        "\0",
        "<![CDATA[",
    ]);
    prop::collection::vec(prop_oneof![9 => parts.prop_map(str::to_owned), 1 => "\\PC{0,6}"], 0..40)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn stripping_keeps_its_promises(body in letters()) {
        let stripped = quote::strip(Some(&body), Some(&body));
        let (plain, rich) = (stripped.text.unwrap_or_default(), stripped.html.unwrap_or_default());
        prop_assert_eq!(stripped.removed, plain != body || rich != body);
        if !body.trim().is_empty() {
            prop_assert!(!plain.trim().is_empty());
        }
        if !text::from_html(&body).trim().is_empty() {
            prop_assert!(!text::from_html(&rich).trim().is_empty());
        }
    }

    #[test]
    fn sanitising_is_stable_and_leaves_no_script(body in letters()) {
        let safe = html::sanitise(&format!("{body}<script>x</script><p onclick=y>z</p>"));
        prop_assert!(!safe.contains("<script") && !safe.contains("onclick=y"));
        prop_assert_eq!(html::sanitise(&safe), safe);
    }

    #[test]
    fn arbitrary_text_is_read(body in any::<String>()) {
        quote::strip(Some(&body), Some(&body));
        text::from_html(&body);
        html::sanitise(&body);
        subject::base(&body);
    }
}

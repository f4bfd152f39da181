//! What a letter is about, without what mail clients put in front.

/// The marks of replies and forwards in the languages of the usual mail clients, in lower case.
const PREFIXES: [&str; 33] = [
    "re",
    "fwd",
    "fw",
    "aw",
    "antw",
    "antwort",
    "wg",
    "sv",
    "vs",
    "vb",
    "vl",
    "tr",
    "rv",
    "rif",
    "r",
    "i",
    "enc",
    "res",
    "odp",
    "pd",
    "doorst",
    "ynt",
    "ilt",
    "bls",
    "trs",
    "vá",
    "továbbítás",
    "回复",
    "回覆",
    "答复",
    "转发",
    "轉寄",
    "返信",
];

/// The subject without any leading `Re:`, `Fwd:`, `AW:`, `SV:` and the like, repeated and counted (`Re[2]:`) ones included.
///
/// ```
/// assert_eq!(antiphon_mail::subject::base("AW: Re[2]: FWD: Wrong VAT number"), "Wrong VAT number");
/// ```
pub fn base(subject: &str) -> &str {
    let mut rest = subject.trim();
    while let Some(shorter) = without_prefix(rest) {
        rest = shorter;
    }
    rest
}

fn without_prefix(subject: &str) -> Option<&str> {
    // The longest mark with its counter is short, so a long subject is not searched for its colon.
    let (at, colon) = subject.char_indices().take(20).find(|(_, c)| matches!(c, ':' | '：'))?;
    let mark = subject[..at].trim_end();
    let word = mark.split(['[', '(']).next().unwrap_or_default().trim_end();
    let counter = mark[word.len()..].trim();
    let counted = counter.is_empty()
        || counter.trim_matches(['[', ']', '(', ')']).chars().all(|c| c.is_ascii_digit() || c == '^');
    let known = PREFIXES.contains(&word.to_lowercase().as_str());
    (known && counted).then(|| subject[at + colon.len_utf8()..].trim_start())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn marks_of_many_languages_go() {
        let cases = [
            ("Hello", "Hello"),
            ("Re: Hello", "Hello"),
            ("RE: re : Fwd:Hello", "Hello"),
            ("SV: VS: Hei", "Hei"),
            ("Re(3): R: I: Ciao", "Ciao"),
            ("回复：Re: 你好", "你好"),
            ("Reminder: pay", "Reminder: pay"),
            ("Order 12: shipped", "Order 12: shipped"),
            ("Re: ", ""),
            ("", ""),
        ];
        for (subject, expected) in cases {
            assert_eq!(base(subject), expected, "{subject}");
        }
    }

    proptest! {
        #[test]
        fn a_base_has_no_more_to_strip(subject in "((Re|AW|Fwd|SV)(\\[[0-9]\\])?: ?){0,4}\\PC{0,30}") {
            prop_assert_eq!(base(base(&subject)), base(&subject));
        }
    }
}

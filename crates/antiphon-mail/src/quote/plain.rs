//! Reply history in plain text.

use super::phrases::{Attribution, attribution, forward_mark, head_begins, original_mark};

/// The text without its history, or nothing when it has none or is nothing else.
pub(super) fn strip(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.split('\n').map(|line| line.trim_end_matches('\r')).collect();
    let mut kept = vec![true; lines.len()];
    // What follows the mark of a forward is content.
    let forward = lines.iter().position(|line| forward_mark(line)).unwrap_or(lines.len());

    let mut end = history_begins(&lines, forward).unwrap_or(lines.len());
    let mut attributed = false;
    let mut at = 0;
    while at < forward.min(end) {
        if let Some((kind, length)) = attribution_at(&lines, at) {
            let below = (at + length..end).find(|line| !lines[*line].trim().is_empty());
            if below.is_some_and(|line| is_quoted(lines[line])) {
                attributed = true;
                kept[at..at + length].fill(false);
            } else if kind == Attribution::Certain
                && !lines[at + length..end].iter().any(|line| is_quoted(line))
            {
                end = at;
            }
            at += length;
        } else {
            at += 1;
        }
    }
    kept[end..].fill(false);

    let readable = forward.min(end);
    if attributed {
        (0..readable).filter(|line| is_quoted(lines[*line])).for_each(|line| kept[line] = false);
    } else if readable == lines.len() {
        // Without an attribution only a block that ends the letter is surely history.
        let quoted = |line: &usize| lines[*line].trim().is_empty() || is_quoted(lines[*line]);
        if lines.iter().any(|line| is_quoted(line)) {
            (0..readable).rev().take_while(quoted).for_each(|line| kept[line] = false);
        }
    }
    remaining(&lines, &kept)
}

/// The first line from which everything is history: a copied head or a separator, with the rule above it.
pub(super) fn history_begins(lines: &[&str], limit: usize) -> Option<usize> {
    let at = (0..limit).find(|at| original_mark(lines[*at]) || head_begins(&lines[*at..]))?;
    let above = (0..at).rev().find(|line| !lines[*line].trim().is_empty());
    Some(above.filter(|line| is_rule(lines[*line])).unwrap_or(at))
}

/// An attribution beginning on this line; clients wrap long ones over up to three.
fn attribution_at(lines: &[&str], at: usize) -> Option<(Attribution, usize)> {
    if lines[at].trim().is_empty() || is_quoted(lines[at]) {
        return None;
    }
    if let Some(kind) = attribution(lines[at]) {
        return Some((kind, 1));
    }
    let wrapped = starts_like_attribution(lines[at]);
    (2..=3).filter(|length| wrapped && at + length <= lines.len()).find_map(|length| {
        let part = &lines[at..at + length];
        let whole = part.iter().all(|line| !line.trim().is_empty() && !is_quoted(line));
        whole.then(|| attribution(&part.join(" ")).map(|kind| (kind, length))).flatten()
    })
}

/// A wrapped attribution swallows its first line, so that line has to look like one.
fn starts_like_attribution(line: &str) -> bool {
    const OPENERS: [&str; 13] =
        ["On ", "Am ", "Le ", "El ", "Il ", "Op ", "Em ", "Den ", "På ", "W dniu ", "Dne ", "A ", "Pada "];
    let line = line.trim_start();
    line.len() < 200
        && line.contains(|c: char| c.is_ascii_digit())
        && (OPENERS.iter().any(|opener| line.starts_with(opener)) || line.contains(", "))
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 5 && line.chars().all(|c| matches!(c, '_' | '-' | '='))
}

fn remaining(lines: &[&str], kept: &[bool]) -> Option<String> {
    if kept.iter().all(|keep| *keep) {
        return None;
    }
    let mut out = String::new();
    let mut gap = false;
    for (line, keep) in lines.iter().zip(kept) {
        let blank = line.trim().is_empty();
        gap |= !keep;
        // Where history was taken out, the empty lines on both its sides become one.
        if !keep || (blank && gap && (out.is_empty() || out.ends_with("\n\n"))) {
            continue;
        }
        gap &= blank;
        out.push_str(line);
        out.push('\n');
    }
    let out = out.trim_end();
    (!out.trim().is_empty()).then(|| out.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_goes() {
        let cases = [
            ("Yes.\n\nOn 1 May 2024, Ana wrote:\n> Well?\n> Is it?", "Yes."),
            (
                "Yes.\r\n\r\nOn Mon, 1 May 2024 at 10:00, Ana Ruiz <\r\nana@example.com> wrote:\r\n\r\n> Well?\r\n",
                "Yes.",
            ),
            ("On 1 May 2024, Ana wrote:\n> Well?\n\nYes.\n\n> And?\n\nNo.", "Yes.\n\nNo."),
            (
                "Ja.\n\n________________________________\nVon: Ana\nGesendet: Montag\nAn: Bo\nBetreff: x\n\nNun?",
                "Ja.",
            ),
            ("Sure\n\n-----Original Message-----\nFrom: Ana\n\nWell?", "Sure"),
            ("Yes\n> old\n> older\n", "Yes"),
            ("Oui.\n\nLe 2 mai 2024 à 09:15, Ana a écrit :\nAlors ?\nVraiment ?", "Oui."),
        ];
        for (letter, left) in cases {
            assert_eq!(strip(letter).as_deref(), Some(left), "{letter}");
        }
    }

    #[test]
    fn what_is_not_surely_history_stays() {
        let letters = [
            "Hello",
            "",
            "> only\n> quoted",
            "On 1 May 2024, Ana wrote:\n> nothing new",
            "Look:\n> 5 items\nare missing",
            "FYI\n\n---------- Forwarded message ---------\nFrom: Ana\nDate: Monday\nSubject: x\nTo: Bo\n\nHi\n> there",
            "From: Berlin\nTo: Paris\nTwo seats please",
            "On 3 May Ana wrote:\nplease call back",
            "Name\n______________\nsigned",
        ];
        for letter in letters {
            assert_eq!(strip(letter), None, "{letter}");
        }
    }
}

//! The lines a reader of an HTML body sees, each knowing where in the source its text stood.

use std::ops::Range;

use html5gum::Token;

use crate::tokens::{name, tokens};

/// One visible line.
#[derive(Debug, Default, Clone)]
pub(crate) struct Line {
    /// Its text, white space collapsed outside `pre`.
    pub(crate) text: String,
    /// The places in the source its text came from, in order.
    pub(crate) parts: Vec<Range<usize>>,
}

impl Line {
    /// Where its text begins in the source.
    pub(crate) fn start(&self) -> Option<usize> {
        self.parts.first().map(|part| part.start)
    }

    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// All lines of `html`, empty ones included where it breaks a line twice.
pub(crate) fn lines(html: &str) -> Vec<Line> {
    let mut reader = LineReader::default();
    for token in tokens(html) {
        reader.read(&token);
    }
    reader.finish()
}

/// Collects lines while somebody else walks the tokens.
#[derive(Default)]
pub(crate) struct LineReader {
    lines: Vec<Line>,
    line: Line,
    /// The element whose content is not shown, until its end tag.
    hidden: Option<String>,
    pre: usize,
}

impl LineReader {
    /// Takes the next token.
    pub(crate) fn read(&mut self, token: &Token<usize>) {
        match token {
            Token::StartTag(tag) => self.start(&name(&tag.name)),
            Token::EndTag(tag) => self.end(&name(&tag.name)),
            Token::String(text) if self.hidden.is_none() => {
                self.line.parts.push(text.span.start..text.span.end);
                self.text(&String::from_utf8_lossy(text));
            }
            _ => {}
        }
    }

    /// The line being read, or the last one with anything on it.
    pub(crate) fn latest(&self) -> Option<&Line> {
        if !self.line.is_blank() {
            return Some(&self.line);
        }
        // A hostile run of empty lines must not be searched again and again.
        self.lines.iter().rev().take(8).find(|line| !line.is_blank())
    }

    /// All lines.
    pub(crate) fn finish(mut self) -> Vec<Line> {
        self.break_block();
        self.lines
    }

    fn start(&mut self, name: &str) {
        match name {
            _ if self.hidden.is_some() => {}
            "script" | "style" | "title" | "noscript" | "iframe" | "noembed" | "noframe" | "xmp"
            | "template" => {
                self.hidden = Some(name.to_owned());
            }
            "br" => self.break_line(),
            "td" | "th" if !self.line.is_blank() => self.text(" "),
            "pre" => {
                self.break_block();
                self.pre += 1;
            }
            _ if is_block(name) => self.break_block(),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        if let Some(hidden) = &self.hidden {
            if hidden == name {
                self.hidden = None;
            }
            return;
        }
        if name == "pre" {
            self.pre = self.pre.saturating_sub(1);
        }
        if is_block(name) {
            self.break_block();
        }
    }

    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\n' if self.pre > 0 => self.break_line(),
                '\r' if self.pre > 0 => {}
                c if self.pre > 0 => self.line.text.push(c),
                '\u{a0}' => self.line.text.push(' '),
                ' ' | '\t' | '\n' | '\r' | '\x0c' => {
                    if !self.line.text.is_empty() && !self.line.text.ends_with(' ') {
                        self.line.text.push(' ');
                    }
                }
                c => self.line.text.push(c),
            }
        }
    }

    fn break_line(&mut self) {
        self.lines.push(std::mem::take(&mut self.line));
    }

    /// A block ends a line only when there is something on it.
    fn break_block(&mut self) {
        if self.line.is_blank() {
            self.line = Line::default();
        } else {
            self.break_line();
        }
    }
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "center"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hr"
            | "html"
            | "li"
            | "main"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "tfoot"
            | "thead"
            | "tr"
            | "ul"
    )
}

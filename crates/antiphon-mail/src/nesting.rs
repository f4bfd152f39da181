//! Which elements are open at a place in the source, so that what is cut there can be closed properly.

use std::collections::HashMap;

use crate::tokens::is_void;

/// Elements whose next sibling closes them without an end tag.
const CLOSED_BY_SIBLING: [&str; 9] = ["p", "li", "dt", "dd", "tr", "td", "th", "option", "thead"];

/// The open elements, outermost first.
#[derive(Default)]
pub(crate) struct Nesting {
    open: Vec<String>,
    /// How many of each name are open: an end tag without its element is passed over without a search.
    counts: HashMap<String, usize>,
    closing_chars: usize,
}

impl Nesting {
    /// A start tag was met.
    pub(crate) fn enter(&mut self, name: &str) {
        if is_void(name) {
            return;
        }
        if CLOSED_BY_SIBLING.contains(&name) && self.open.last().is_some_and(|last| last == name) {
            self.pop();
        }
        *self.counts.entry(name.to_owned()).or_default() += 1;
        self.closing_chars += name.chars().count() + 3;
        self.open.push(name.to_owned());
    }

    /// An end tag was met: everything inside its element is closed with it.
    pub(crate) fn leave(&mut self, name: &str) {
        if self.counts.get(name).is_none_or(|count| *count == 0) {
            return;
        }
        while self.pop().is_some_and(|popped| popped != name) {}
    }

    /// The length in characters of what [`Nesting::close`] would write.
    pub(crate) fn closing_chars(&self) -> usize {
        self.closing_chars
    }

    /// Writes the end tags of everything still open.
    pub(crate) fn close(&self, out: &mut String) {
        for name in self.open.iter().rev() {
            out.push_str("</");
            out.push_str(name);
            out.push('>');
        }
    }

    fn pop(&mut self) -> Option<String> {
        let name = self.open.pop()?;
        self.closing_chars -= name.chars().count() + 3;
        if let Some(count) = self.counts.get_mut(&name) {
            *count -= 1;
        }
        Some(name)
    }
}

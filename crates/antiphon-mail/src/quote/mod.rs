//! Finding the reply history that mail clients copy below (or around) an answer.
//!
//! There is no standard for it: this room knows the habits of the common clients. It is careful in one direction only:
//! when it removes something, that something was surely history; a letter it does not understand stays whole.
//! A forwarded letter is content, not history, and stays.

mod phrases;
mod plain;
mod rich;

/// The bodies of a letter without its reply history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stripped {
    /// The plain text, as given when nothing was removed from it.
    pub text: Option<String>,
    /// The HTML, as given when nothing was removed from it.
    pub html: Option<String>,
    /// Whether anything was removed from either.
    pub removed: bool,
}

/// Removes quoted reply history from both bodies of a letter.
///
/// A body that would be left without content keeps its history.
///
/// ```
/// let letter = antiphon_mail::quote::strip(Some("Yes, thanks!\n\nOn 3 May 2026 at 10:12, Ana wrote:\n> Shall we?"), None);
/// assert_eq!(letter.text.as_deref(), Some("Yes, thanks!"));
/// assert!(letter.removed);
/// ```
pub fn strip(text: Option<&str>, html: Option<&str>) -> Stripped {
    let short_text = text.and_then(plain::strip);
    let short_html = html.and_then(rich::strip);
    Stripped {
        removed: short_text.is_some() || short_html.is_some(),
        text: short_text.or_else(|| text.map(str::to_owned)),
        html: short_html.or_else(|| html.map(str::to_owned)),
    }
}

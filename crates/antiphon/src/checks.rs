//! Checks that the bodies of our own calls share. They collect every problem, so that a client hears of all at once.

use antiphon_wire::error::Problem;
use antiphon_wire::id::LenientId;
use antiphon_wire::message::DeliveryIdentifierType;

use crate::refusal::Refusal;

/// Longest name, in characters.
const LONGEST_NAME: usize = 255;

/// The problems found so far.
#[derive(Debug, Default)]
pub struct Checks(Vec<Problem>);

/// What an update says about an optional text: nothing, that it goes, or what it becomes.
pub type Edit = Option<Option<String>>;

impl Checks {
    /// Something is wrong with a field.
    pub fn wrong(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(Problem::new(field, message));
    }

    /// Everything that is wrong, to be told with what else will be.
    pub fn problems(self) -> Vec<Problem> {
        self.0
    }

    /// These are wrong as well.
    pub fn add(&mut self, problems: Vec<Problem>) {
        self.0.extend(problems);
    }

    /// A field has to be there and is not.
    pub fn missing(&mut self, field: &str) {
        self.0.push(Problem::required(field));
    }

    /// Takes a value out of a result, or all its problems.
    pub fn all<T>(&mut self, result: Result<T, Vec<Problem>>) -> Option<T> {
        result.map_err(|problems| self.0.extend(problems)).ok()
    }

    /// Takes a value out of a result, or its problem.
    pub fn take<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.0.push(problem)).ok()
    }

    /// A name that has to be there.
    pub fn required_name(&mut self, field: &str, sent: Option<String>) -> String {
        match self.name(field, sent) {
            Some(name) => name,
            None => {
                if !self.0.iter().any(|problem| problem.in_.as_deref() == Some(field)) {
                    self.0.push(Problem::required(field));
                }
                String::new()
            }
        }
    }

    /// A name that may be absent, but neither empty nor endless.
    pub fn name(&mut self, field: &str, sent: Option<String>) -> Option<String> {
        let name = sent?.trim().to_owned();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            self.wrong(field, format!("{field} must have 1 to {LONGEST_NAME} characters"));
            return None;
        }
        if name.contains(char::is_control) {
            self.wrong(field, format!("{field} must have no control characters"));
            return None;
        }
        Some(name)
    }

    /// A name that an empty one takes away.
    pub fn edited_name(&mut self, field: &str, sent: Option<String>) -> Edit {
        edit(sent, |text| self.name(field, Some(text)))
    }

    /// An absolute URL of the web that an empty one takes away.
    pub fn edited_url(&mut self, field: &str, sent: Option<String>) -> Edit {
        edit(sent, |text| self.url(field, Some(text)))
    }

    /// An email address that an empty one takes away.
    pub fn edited_email(&mut self, field: &str, sent: Option<String>) -> Edit {
        edit(sent, |text| self.email(field, Some(text)))
    }

    /// A phone number that an empty one takes away.
    pub fn edited_phone(&mut self, field: &str, sent: Option<String>) -> Edit {
        edit(sent, |text| self.phone(field, Some(text)))
    }

    /// An absolute URL of the web.
    pub fn url(&mut self, field: &str, sent: Option<String>) -> Option<String> {
        let url = sent?.trim().to_owned();
        let host = url.parse::<http::Uri>().ok().filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
        });
        if host.is_none() {
            self.wrong(field, format!("`{url}` is not an absolute http or https URL"));
            return None;
        }
        Some(url)
    }

    /// An email address.
    pub fn email(&mut self, field: &str, sent: Option<String>) -> Option<String> {
        self.address(field, sent, DeliveryIdentifierType::Email, "an email address")
    }

    /// A phone number in E.164.
    pub fn phone(&mut self, field: &str, sent: Option<String>) -> Option<String> {
        self.address(
            field,
            sent,
            DeliveryIdentifierType::Phone,
            "a phone number in E.164 form, such as +4915550020101",
        )
    }

    fn address(
        &mut self,
        field: &str,
        sent: Option<String>,
        kind: DeliveryIdentifierType,
        what: &str,
    ) -> Option<String> {
        let address = sent?.trim().to_owned();
        if !kind.accepts(&address) {
            self.wrong(field, format!("`{address}` is not {what}"));
            return None;
        }
        Some(address)
    }

    /// An id that may be absent.
    pub fn id(&mut self, field: &str, sent: Option<LenientId>, max: i64) -> Option<i64> {
        let sent = sent?;
        let id = sent.parse(max);
        if id.is_none() {
            self.wrong(field, format!("`{sent}` is not a valid {field}"));
        }
        id
    }

    /// An id that has to be there; 0 where there is a problem with it.
    pub fn required_id(&mut self, field: &str, sent: Option<LenientId>, max: i64) -> i64 {
        if sent.is_none() {
            self.0.push(Problem::required(field));
        }
        self.id(field, sent, max).unwrap_or_default()
    }

    /// Whether anything was wrong.
    ///
    /// # Errors
    /// Every problem found.
    pub fn done(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::Invalid(self.0)) }
    }
}

fn edit(sent: Option<String>, check: impl FnOnce(String) -> Option<String>) -> Edit {
    let text = sent?;
    if text.trim().is_empty() { Some(None) } else { check(text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(check: impl FnOnce(&mut Checks)) -> usize {
        let mut checks = Checks::default();
        check(&mut checks);
        checks.0.len()
    }

    #[test]
    fn addresses() {
        for (number, fine) in [
            ("+447700900101", true),
            ("447700900101", false),
            ("+0447700900", false),
            ("+44 7700", false),
            ("+", false),
            ("", false),
        ] {
            assert_eq!(problems(|c| drop(c.phone("phone", Some(number.into())))) == 0, fine, "{number}");
        }
        for (url, fine) in [
            ("https://files.example/a.pdf", true),
            ("http://localhost:80/x?y", true),
            ("ftp://files.example/a", false),
            ("/a.pdf", false),
            ("https://", false),
            ("nonsense", false),
        ] {
            assert_eq!(problems(|c| drop(c.url("url", Some(url.into())))) == 0, fine, "{url}");
        }
    }

    #[test]
    fn a_missing_name_and_an_empty_one_are_one_problem_each() {
        for sent in [None, Some(String::new()), Some("  ".into()), Some("x".repeat(256))] {
            assert_eq!(problems(|c| drop(c.required_name("name", sent))), 1);
        }
        assert_eq!(problems(|c| assert_eq!(c.required_name("name", Some(" Care ".into())), "Care")), 0);
    }

    #[test]
    fn an_empty_text_takes_the_value_away() {
        let mut checks = Checks::default();
        assert_eq!(checks.edited_url("avatar", None), None);
        assert_eq!(checks.edited_url("avatar", Some(String::new())), Some(None));
        assert_eq!(
            checks.edited_url("avatar", Some("https://a.example/b".into())),
            Some(Some("https://a.example/b".into()))
        );
        assert!(checks.done().is_ok());
    }
}

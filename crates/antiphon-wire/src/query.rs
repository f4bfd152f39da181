//! Query strings, in every form in which clients write them.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::error::Problem;
use crate::timestamp;

/// Parameters that are lists: only these are split at commas.
const LISTS: [&str; 11] = [
    "inboxId",
    "channelAccountId",
    "state",
    "channelId",
    "sort",
    "association",
    "property",
    "properties",
    "ids",
    "parentFolderIds",
    "deliveryIdentifierType",
];

/// Parameters that are lists of texts in which a comma may stand.
const TEXTS: [&str; 1] = ["deliveryIdentifierValue"];

/// Parameters that are secrets: they never come back in a link.
const SECRETS: [&str; 2] = ["hapikey", "access_token"];

/// A query string, decoded once. Empty values are gone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads what stands behind the question mark. Any bytes are a query; what is no UTF-8 becomes replacement characters.
    pub fn parse(raw: impl AsRef<[u8]>) -> Self {
        let decoded = form_urlencoded::parse(raw.as_ref());
        let pairs = decoded.filter(|(_, value)| !value.is_empty());
        Self { pairs: pairs.map(|(key, value)| (key.into_owned(), value.into_owned())).collect() }
    }

    /// The last value that is not empty.
    pub fn scalar(&self, name: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Any text that can be kept.
    ///
    /// # Errors
    /// It has the character U+0000.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.scalar(name) {
            Some(text) if text.contains('\0') => Err(Problem::new(name, crate::lenient::NO_NULL)),
            text => Ok(text),
        }
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// It is neither.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        let Some(text) = self.scalar(name) else { return Ok(None) };
        match text {
            "1" => Ok(Some(true)),
            "0" => Ok(Some(false)),
            _ if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            _ if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            _ => Err(Problem::new(name, format!("`{text}` is not a boolean; use true or false"))),
        }
    }

    /// A whole number, with or without a leading plus.
    ///
    /// # Errors
    /// It is none, or does not fit.
    pub fn int(&self, name: &str) -> Result<Option<i64>, Problem> {
        self.scalar(name).map(|text| int(name, text)).transpose()
    }

    /// How many items a page may have: `default` unless asked otherwise, never more than `max`.
    ///
    /// # Errors
    /// It is no number, or less than 1.
    pub fn limit(&self, name: &str, default: usize, max: usize) -> Result<usize, Problem> {
        match self.int(name)? {
            None => Ok(default),
            Some(limit) if limit < 1 => Err(Problem::new(name, format!("{name} must be at least 1"))),
            Some(limit) => Ok(usize::try_from(limit).map_or(max, |limit| limit.min(max))),
        }
    }

    /// An id up to `max`. Numbers below 1 are let through: they name nothing, and nothing is found by them.
    ///
    /// # Errors
    /// It is no number, or larger.
    pub fn id(&self, name: &str, max: i64) -> Result<Option<i64>, Problem> {
        self.scalar(name).map(|text| id(name, text, max)).transpose()
    }

    /// A list of ids, each once.
    ///
    /// # Errors
    /// One of them is no number, or larger than `max`.
    pub fn ids(&self, name: &str, max: i64) -> Result<Vec<i64>, Problem> {
        let mut ids = Vec::new();
        for text in self.list(name) {
            let id = id(name, text, max)?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    /// A moment, in milliseconds.
    ///
    /// # Errors
    /// It is none.
    pub fn timestamp(&self, name: &str) -> Result<Option<i64>, Problem> {
        let moment = |text| {
            timestamp::parse(text).ok_or_else(|| {
                Problem::new(
                    name,
                    format!("`{text}` is not a date; use a form like 2026-10-06T08:14:02.118Z"),
                )
            })
        };
        self.scalar(name).map(moment).transpose()
    }

    /// The members of a list, in the order sent, each once: repeated keys, commas, `name[]` and `name[0]`, alone or mixed.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let mut seen = HashSet::new();
        let values = self.pairs.iter().filter(|(key, _)| plain(key) == name).map(|(_, value)| value);
        let members =
            values.flat_map(|value| value.split(',')).map(str::trim).filter(|member| !member.is_empty());
        members.filter(|member| seen.insert(*member)).collect()
    }

    /// The values of a list of texts in which commas may stand: repeated keys, `name[]` and `name[0]`, alone or mixed.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        let mut seen = HashSet::new();
        let values = self.pairs.iter().filter(|(key, _)| plain(key) == name).map(|(_, value)| value.as_str());
        values.filter(|value| seen.insert(*value)).collect()
    }

    /// Prints the query for a link to the next page: each key once per value, `after` replaced, no secrets.
    /// The new `after` is a range of what is printed already.
    pub(crate) fn write_link(&self, out: &mut Vec<u8>, after: Range<usize>) {
        let mut separator = b'?';
        let mut push = |key: &str, value: &str, out: &mut Vec<u8>| {
            out.push(separator);
            separator = b'&';
            form(key, out);
            out.push(b'=');
            form(value, out);
        };
        // The last value of each scalar, and every list once: taken out when printed, so that each stands where it first stood.
        let mut left: HashMap<&str, &str> =
            self.pairs.iter().map(|(key, value)| (canonical(key), value.as_str())).collect();
        left.remove("after");
        for secret in SECRETS {
            left.remove(secret);
        }
        for (key, _) in &self.pairs {
            let name = canonical(key);
            let Some(value) = left.remove(name) else { continue };
            if LISTS.contains(&name) {
                for member in self.list(name) {
                    push(name, member, out);
                }
            } else if TEXTS.contains(&name) {
                for member in self.texts(name) {
                    push(name, member, out);
                }
            } else {
                push(name, value, out);
            }
        }
        out.push(separator);
        out.extend_from_slice(b"after=");
        out.extend_from_within(after);
    }
}

/// The key without a bracket suffix: `inboxId[]` and `inboxId[3]` are `inboxId`.
fn plain(key: &str) -> &str {
    match key.strip_suffix(']').and_then(|key| key.rsplit_once('[')) {
        Some((name, index)) if index.bytes().all(|c| c.is_ascii_digit()) => name,
        _ => key,
    }
}

/// The name under which a key is printed: [`plain`] for keys of lists, the key itself for others.
fn canonical(key: &str) -> &str {
    let name = plain(key);
    if LISTS.contains(&name) || TEXTS.contains(&name) { name } else { key }
}

fn form(text: &str, out: &mut Vec<u8>) {
    for part in form_urlencoded::byte_serialize(text.as_bytes()) {
        out.extend_from_slice(part.as_bytes());
    }
}

fn int(name: &str, text: &str) -> Result<i64, Problem> {
    // The plus may have arrived as a blank.
    let text = text.trim();
    text.parse().map_err(|_| Problem::new(name, format!("`{text}` is not an integer")))
}

fn id(name: &str, text: &str, max: i64) -> Result<i64, Problem> {
    match int(name, text)? {
        id if id <= max => Ok(id),
        _ => Err(Problem::new(name, format!("`{text}` is too large for {name}"))),
    }
}

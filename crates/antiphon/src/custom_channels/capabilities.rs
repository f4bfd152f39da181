//! What can be said on a channel: a map that its app gives. What is known of it is checked and heeded, the rest is kept.

use antiphon_wire::custom_channels::{Capabilities as Map, INVALID_CAPABILITIES, ThreadingModel};
use antiphon_wire::error::Problem;
use antiphon_wire::message::DeliveryIdentifierType;
use serde_json::Value;

/// Longest printed map, in bytes: every message reads it.
const LONGEST: usize = 16 << 10;

/// Longest value shown in a refusal, in characters.
const LONGEST_SHOWN: usize = 100;

/// What is known, with what the absence of a key means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Which kinds of addresses can be reached; empty for all.
    pub identifiers: Vec<DeliveryIdentifierType>,
    /// Whether there is anything but plain text.
    pub formats: bool,
    pub threading: ThreadingModel,
    /// Whether agents can answer.
    pub answers: bool,
    /// Whether agents can begin a conversation.
    pub begins: bool,
    /// Whether a message may go to several people.
    pub several: bool,
    /// Which attachments a message may have.
    pub attachments: Vec<String>,
    /// Which files; empty for all.
    pub media_types: Vec<String>,
    pub most_files: usize,
    /// Bytes of one file.
    pub largest_file: Option<i64>,
    /// Bytes of all files of a message.
    pub largest_files: Option<i64>,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            identifiers: Vec::new(),
            formats: false,
            threading: ThreadingModel::IntegrationThreadId,
            answers: true,
            begins: false,
            several: false,
            attachments: vec!["FILE".into()],
            media_types: Vec::new(),
            most_files: 10,
            largest_file: None,
            largest_files: None,
        }
    }
}

impl Capabilities {
    /// Those that are stored. They were checked before.
    pub fn of(stored: &str) -> Self {
        let map: Map = serde_json::from_str(stored).unwrap_or_default();
        Self::read(&map).unwrap_or_default()
    }

    /// Checks a map.
    ///
    /// # Errors
    /// Every key that is known and has a value which it cannot have, in one problem.
    pub fn read(map: &Map) -> Result<Self, Problem> {
        let mut reader = Reader { map, wrong: Vec::new() };
        let usual = Self::default();
        let read = Self {
            identifiers: reader
                .list("deliveryIdentifierTypes", DeliveryIdentifierType::parse)
                .unwrap_or_default(),
            formats: reader.list("richText", word).is_some_and(|all| !all.is_empty()),
            threading: reader
                .value("threadingModel", |value| ThreadingModel::parse(value.as_str()?))
                .unwrap_or(usual.threading),
            answers: reader.value("allowOutgoingMessages", Value::as_bool).unwrap_or(usual.answers),
            begins: reader.value("allowConversationStart", Value::as_bool).unwrap_or(usual.begins),
            several: reader.value("allowMultipleRecipients", Value::as_bool).unwrap_or(usual.several),
            attachments: reader.list("outgoingAttachmentTypes", word).unwrap_or(usual.attachments),
            media_types: reader.list("allowedFileAttachmentMimeTypes", media_type).unwrap_or_default(),
            most_files: reader
                .number("maxFileAttachmentCount")
                .and_then(|most| usize::try_from(most).ok())
                .unwrap_or(usual.most_files),
            largest_file: reader.number("maxFileAttachmentSizeBytes"),
            largest_files: reader.number("maxTotalFileAttachmentSizeBytes"),
        };
        reader.value("allowInlineImages", Value::as_bool);
        if reader.wrong.is_empty() { Ok(read) } else { Err(refused(reader.wrong)) }
    }

    /// The same for a map that is to be stored.
    ///
    /// # Errors
    /// As before, or it is too long.
    pub fn check(map: &Map) -> Result<Self, Problem> {
        let length = serde_json::to_string(map).map_or(usize::MAX, |printed| printed.len());
        if length > LONGEST {
            return Err(Problem::new(
                "capabilities",
                format!("capabilities are longer than {LONGEST} bytes"),
            ));
        }
        Self::read(map)
    }

    /// Whether a file of this type may be sent.
    pub fn admits(&self, media: &str) -> bool {
        let (top, _) = media.split_once('/').unwrap_or((media, ""));
        self.media_types.is_empty()
            || self.media_types.iter().any(|allowed| {
                allowed == "*/*"
                    || allowed.eq_ignore_ascii_case(media)
                    || allowed.strip_suffix("/*").is_some_and(|kind| kind.eq_ignore_ascii_case(top))
            })
    }
}

struct Reader<'m> {
    map: &'m Map,
    wrong: Vec<String>,
}

impl Reader<'_> {
    /// A value, unless it is absent or cannot be.
    fn value<T>(&mut self, key: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let value = self.map.get(key).filter(|value| !value.is_null())?;
        let read = read(value);
        if read.is_none() {
            let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let shown: String = shown.chars().take(LONGEST_SHOWN).collect();
            self.wrong.push(format!("{key}: {shown}"));
        }
        read
    }

    fn list<T>(&mut self, key: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
        self.value(key, |value| value.as_array()?.iter().map(|item| read(item.as_str()?)).collect())
    }

    fn number(&mut self, key: &str) -> Option<i64> {
        self.value(key, |value| value.as_i64().filter(|number| *number >= 0))
    }
}

/// Names of formats and attachments are not all known.
fn word(text: &str) -> Option<String> {
    let fits = text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == b'_');
    fits.then(|| text.to_owned())
}

fn media_type(text: &str) -> Option<String> {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric() || b"!#$&^_.+-*".contains(&c))
    };
    let (top, sub) = text.split_once('/')?;
    (part(top) && part(sub)).then(|| text.to_owned())
}

fn refused(wrong: Vec<String>) -> Problem {
    let message = format!("These capabilities have values that they cannot have: {}", wrong.join(", "));
    Problem::new("capabilities", message)
        .sub_category(INVALID_CAPABILITIES)
        .context("capabilityKeysAndValues", wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(map: serde_json::Value) -> Result<Capabilities, Vec<String>> {
        let map: Map = serde_json::from_value(map).unwrap();
        Capabilities::read(&map).map_err(|problem| problem.context["capabilityKeysAndValues"].clone())
    }

    #[test]
    fn what_is_absent_has_a_meaning() {
        assert_eq!(read(serde_json::json!({})), Ok(Capabilities::default()));
        assert_eq!(
            read(serde_json::json!({ "richText": [], "colour": { "any": [1] }, "allowInlineImages": null })),
            Ok(Capabilities::default())
        );
        let full = read(serde_json::json!({
            "deliveryIdentifierTypes": ["HS_PHONE_NUMBER"], "richText": ["BOLD", "SOMETHING_NEW"],
            "threadingModel": "DELIVERY_IDENTIFIER", "allowOutgoingMessages": false, "allowInlineImages": true,
            "outgoingAttachmentTypes": ["FILE", "QUICK_REPLIES"], "allowedFileAttachmentMimeTypes": ["image/*", "text/plain"],
            "maxFileAttachmentCount": 1, "maxFileAttachmentSizeBytes": 2, "maxTotalFileAttachmentSizeBytes": 3,
            "allowConversationStart": true, "allowMultipleRecipients": true,
        }))
        .unwrap();
        assert_eq!(full.identifiers, [DeliveryIdentifierType::Phone]);
        assert!(full.formats && !full.answers && full.begins && full.several);
        assert_eq!(full.threading, ThreadingModel::DeliveryIdentifier);
        assert_eq!((full.most_files, full.largest_file, full.largest_files), (1, Some(2), Some(3)));
        for (media, fine) in [
            ("image/png", true),
            ("IMAGE/PNG", true),
            ("text/plain", true),
            ("text/html", false),
            ("audio/ogg", false),
        ] {
            assert_eq!(full.admits(media), fine, "{media}");
        }
        assert!(Capabilities::default().admits("anything/atall"));
    }

    #[test]
    fn everything_that_cannot_be_is_named_at_once() {
        let wrong = read(serde_json::json!({
            "deliveryIdentifierTypes": ["HS_PHONE_NUMBER", "PIGEON"], "richText": "BOLD", "threadingModel": "DISTINCT",
            "allowOutgoingMessages": "no", "maxFileAttachmentCount": -1, "outgoingAttachmentTypes": ["file"],
            "allowedFileAttachmentMimeTypes": ["png"], "allowInlineImages": 1, "mine": "DISTINCT",
        }));
        let mut wrong = wrong.unwrap_err();
        wrong.sort_unstable();
        assert_eq!(
            wrong,
            [
                "allowInlineImages: 1",
                "allowOutgoingMessages: no",
                "allowedFileAttachmentMimeTypes: [\"png\"]",
                "deliveryIdentifierTypes: [\"HS_PHONE_NUMBER\",\"PIGEON\"]",
                "maxFileAttachmentCount: -1",
                "outgoingAttachmentTypes: [\"file\"]",
                "richText: BOLD",
                "threadingModel: DISTINCT",
            ]
        );
    }
}

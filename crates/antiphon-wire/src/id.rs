//! Identifiers: decimal digits, always a string when printed, a string or a number when read.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{OneOfBuilder, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The largest id of threads, channel accounts, contacts and tickets: every double holds it exactly.
pub const MAX_SAFE: i64 = (1 << 53) - 1;

/// The largest id of inboxes, channels and apps.
pub const MAX_INT32: i64 = i32::MAX as i64;

/// Reads an id as it stands in a path: decimal digits without a leading zero, 1 … `max`. Anything else names nothing.
pub fn parse_path_id(text: &str, max: i64) -> Option<i64> {
    let digits = text.as_bytes();
    if digits.is_empty() || digits.len() > 19 || digits[0] == b'0' || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    text.parse().ok().filter(|id| *id <= max)
}

/// A numeric id as answers print it: a JSON string of decimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub i64);

impl Id {
    /// Prints the id with its quotes.
    pub fn write(self, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(itoa::Buffer::new().format(self.0).as_bytes());
        out.push(b'"');
    }
}

impl From<i64> for Id {
    fn from(id: i64) -> Self {
        Self(id)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(itoa::Buffer::new().format(self.0))
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = LenientId::deserialize(deserializer)?;
        id.parse(i64::MAX).map(Self).ok_or_else(|| serde::de::Error::custom("expected an id"))
    }
}

impl PartialSchema for Id {
    fn schema() -> RefOr<Schema> {
        crate::schema::string().pattern(Some("^[1-9][0-9]*$")).into()
    }
}

impl ToSchema for Id {
    fn name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }
}

/// An id in a request body, as the client wrote it: a string, or the digits of a number. Reading keeps whatever stands there,
/// so that a malformed id becomes a problem with a name and not a syntax error.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct LenientId(pub String);

impl LenientId {
    /// The id, if it is one in 1 … `max`.
    pub fn parse(&self, max: i64) -> Option<i64> {
        parse_path_id(self.0.trim(), max)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LenientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<i64> for LenientId {
    fn from(id: i64) -> Self {
        Self(id.to_string())
    }
}

impl<'de> Deserialize<'de> for LenientId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = LenientId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id as a string or a number")
            }

            fn visit_str<E>(self, text: &str) -> Result<LenientId, E> {
                Ok(LenientId(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<LenientId, E> {
                Ok(LenientId(text))
            }

            fn visit_u64<E>(self, id: u64) -> Result<LenientId, E> {
                Ok(LenientId(id.to_string()))
            }

            fn visit_i64<E>(self, id: i64) -> Result<LenientId, E> {
                Ok(LenientId(id.to_string()))
            }

            fn visit_f64<E>(self, id: f64) -> Result<LenientId, E> {
                Ok(LenientId(id.to_string()))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

impl PartialSchema for LenientId {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .item(crate::schema::string())
            .item(ObjectBuilder::new().schema_type(Type::Integer))
            .into()
    }
}

impl ToSchema for LenientId {
    fn name() -> std::borrow::Cow<'static, str> {
        "LenientId".into()
    }
}

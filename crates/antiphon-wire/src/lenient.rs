//! Reading request bodies the way real clients write them: `null` is the same as absent, the last of two equal keys wins,
//! unknown keys are passed over, and one object may stand where a list is expected. Wrong types are errors with a place.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};

use crate::error::Problem;

/// Reads a whole request body. Whatever is wrong with it becomes one problem that names line and column.
///
/// # Errors
/// The body is empty, is no JSON, nests too deeply, has a value of the wrong type, or has the character U+0000 in a text.
pub fn parse_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let invalid = |line: usize, column: usize, reason: &str| {
        let (line, column) = (line.max(1), column.max(1));
        Problem::bare(format!("Invalid input JSON on line {line}, column {column}: {reason}"))
    };
    let value = serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
        invalid(error.line(), error.column(), reason)
    })?;
    let Some(at) = null_character(body) else { return Ok(value) };
    let line = memchr::memchr_iter(b'\n', &body[..at]).count() + 1;
    let column = at - memchr::memrchr(b'\n', &body[..at]).map_or(0, |end| end + 1) + 1;
    Err(invalid(line, column, NO_NULL))
}

/// Not every engine can keep it, and nobody means it: what is refused on one is refused on all.
pub(crate) const NO_NULL: &str = "texts cannot hold the character U+0000";

/// Where valid JSON has an escaped U+0000; unescaped, it would not be valid.
fn null_character(body: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(body, br"\u0000").find(|&at| {
        let before = body[..at].iter().rev().take_while(|&&byte| byte == b'\\').count();
        before.is_multiple_of(2)
    })
}

/// The value of a key in a lenient object. Its default is what an absent key means.
pub trait Field: Default {
    /// Takes the value that follows the key just read.
    ///
    /// # Errors
    /// The value has the wrong type.
    fn take<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error>;
}

impl<T: DeserializeOwned> Field for Option<T> {
    fn take<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        map.next_value()
    }
}

impl<T: DeserializeOwned> Field for Vec<T> {
    fn take<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        Ok(map.next_value::<OneOrMany<T>>()?.0)
    }
}

impl<T: DeserializeOwned> Field for BTreeMap<String, T> {
    fn take<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        Ok(map.next_value::<Option<Self>>()?.unwrap_or_default())
    }
}

impl Field for String {
    fn take<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        Ok(map.next_value::<Option<Self>>()?.unwrap_or_default())
    }
}

/// A list, or one object or text that stands for a list of one. `null` entries are dropped.
struct OneOrMany<T>(Vec<T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for Reader<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(OneOrMany(Vec::new()))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(OneOrMany(vec![T::deserialize(text.into_deserializer())?]))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Ok(OneOrMany(vec![T::deserialize(MapAccessDeserializer::new(map))?]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element::<Option<T>>()? {
                    items.extend(item);
                }
                Ok(OneOrMany(items))
            }
        }

        deserializer.deserialize_any(Reader(PhantomData))
    }
}

/// Defines a request object: the struct, its lenient reading and its description. Each field names its JSON key, and after
/// a bar other spellings that are read as well.
macro_rules! lenient {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident {$(
            $(#[$field_meta:meta])*
            pub $field:ident: $type:ty = $key:literal $(| $alias:literal)*
        ),+ $(,)?}
    )+) => {$(
        #[derive(Debug, Clone, Default, PartialEq, utoipa::ToSchema)]
        $(#[$meta])*
        pub struct $name {$(
            $(#[$field_meta])*
            #[schema(rename = $key)]
            pub $field: $type,
        )+}

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Reader;

                impl<'de> serde::de::Visitor<'de> for Reader {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut value = $name::default();
                        while let Some(key) = map.next_key::<String>()? {
                            match key.as_str() {
                                $($key $(| $alias)* => value.$field = $crate::lenient::Field::take(&mut map)?,)+
                                _ => drop(map.next_value::<serde::de::IgnoredAny>()?),
                            }
                        }
                        Ok(value)
                    }
                }

                deserializer.deserialize_map(Reader)
            }
        }
    )+};
}

/// Defines an enum of the contract: upper-case names on the wire, read without regard to case, printed upper-case.
macro_rules! wire_enum {
    ($(
        $(#[$meta:meta])*
        pub enum $name:ident {$(
            $(#[$variant_meta:meta])*
            $variant:ident = $text:literal
        ),+ $(,)?}
    )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {$(
            $(#[$variant_meta])*
            $variant,
        )+}

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {$(Self::$variant => $text,)+}
            }

            /// Reads a name in any case.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str().eq_ignore_ascii_case(text))
            }

            /// Reads a name that a client sent for `name`; an unknown one is a problem that lists what is allowed.
            ///
            /// # Errors
            /// The text is none of the names.
            pub fn read(name: &str, text: &str) -> Result<Self, $crate::error::Problem> {
                Self::parse(text).ok_or_else(|| $crate::error::Problem::not_one_of(name, text, &[$($text),+]))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::unknown_variant(&text, &[$($text),+]))
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::schema::string().enum_values(Some([$($text),+])).into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )+};
}

pub(crate) use {lenient, wire_enum};

//! Moments: printed in one form, read in many.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::de::{Deserialize, Deserializer};
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, SchemaFormat};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// How many bytes a printed moment has.
pub const LENGTH: usize = 24;

const DAY: i64 = 86_400_000;
/// 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: the years that four digits can print.
const EARLIEST: i64 = -62_167_219_200_000;
const LATEST: i64 = 253_402_300_799_999;

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl From<i64> for Timestamp {
    fn from(ms: i64) -> Self {
        Self(ms)
    }
}

/// Prints a moment as `YYYY-MM-DDTHH:MM:SS.mmmZ`, without quotes. Moments outside the years 0 to 9999 print as the nearest
/// one inside.
pub fn write(ms: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&format(ms));
}

/// The digits of [`write()`].
pub fn format(ms: i64) -> [u8; LENGTH] {
    let ms = ms.clamp(EARLIEST, LATEST);
    let (year, month, day) = civil(ms.div_euclid(DAY));
    let time = ms.rem_euclid(DAY);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    put(&mut text[0..4], year);
    put(&mut text[5..7], month);
    put(&mut text[8..10], day);
    put(&mut text[11..13], time / 3_600_000);
    put(&mut text[14..16], time / 60_000 % 60);
    put(&mut text[17..19], time / 1000 % 60);
    put(&mut text[20..23], time % 1000);
    text
}

fn put(digits: &mut [u8], mut number: i64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Year, month and day of a day counted from 1970-01-01. Years are taken to begin in March, so that the leap day is the
/// last day of its year, and to come in groups of 400, which all have the same number of days.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let group = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (group * 400 + year + i64::from(month <= 2), month, day)
}

/// Reads a moment in any accepted form: RFC 3339 with `Z` or an offset, without a zone (UTC), a date alone (midnight UTC), or
/// epoch milliseconds. Finer fractions are cut to milliseconds. A blank where the `+` of an offset belongs is repaired.
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit()) {
        return text.parse().ok().filter(|ms| *ms <= LATEST);
    }
    // jiff reads more forms of ISO 8601 than are promised here: only this shape and only these letters are handed on.
    let bytes = text.as_bytes();
    let shape = bytes.get(4) == Some(&b'-')
        && (bytes.len() == 10 || bytes.get(13) == Some(&b':') && bytes.get(16) == Some(&b':'));
    if !shape || !bytes.iter().all(|c| b"0123456789-+:.TtZz ".contains(c)) {
        return None;
    }
    let zone = text.get(11..).and_then(|time| time.find(['Z', 'z', '+', '-', ' '])).map(|at| at + 11);
    let ms = match zone {
        Some(at) if text.as_bytes()[at] == b' ' => {
            let mut repaired = text.to_owned();
            repaired.replace_range(at..=at, "+");
            repaired.parse::<jiff::Timestamp>().ok()?
        }
        Some(_) => text.parse::<jiff::Timestamp>().ok()?,
        None => TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?,
    };
    Some(ms.as_millisecond())
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Digits and punctuation are always UTF-8.
        serializer.serialize_str(std::str::from_utf8(&format(self.0)).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = crate::id::LenientId::deserialize(deserializer)?;
        parse(text.as_str()).map(Self).ok_or_else(|| serde::de::Error::custom("expected a date and time"))
    }
}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        crate::schema::string().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).into()
    }
}

impl ToSchema for Timestamp {
    fn name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }
}

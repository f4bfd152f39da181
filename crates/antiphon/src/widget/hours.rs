//! Office hours: when somebody is there to answer.

use antiphon_store::Millis;
use antiphon_wire::widget::{OfficeHours, OpenDay};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// When somebody is there, in a time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    #[serde(rename = "z")]
    zone: String,
    #[serde(rename = "d")]
    spans: Vec<Span>,
}

/// A piece of a day of the week: 1 is Monday. In minutes since midnight; the end is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    #[serde(rename = "d")]
    day: i8,
    #[serde(rename = "f")]
    from: i16,
    #[serde(rename = "t")]
    to: i16,
}

const DAY: i16 = 24 * 60;

impl Span {
    /// Reads a day and two times.
    pub fn read(day: Option<i64>, from: &str, to: &str) -> Option<Self> {
        let day = day.filter(|day| (1..=7).contains(day)).and_then(|day| i8::try_from(day).ok())?;
        let (from, to) = (minutes(from)?, minutes(to)?);
        (from < to).then_some(Self { day, from, to })
    }
}

impl Hours {
    /// Hours in a time zone that there is.
    ///
    /// # Errors
    /// Why there are none.
    pub fn new(zone: String, spans: Vec<Span>) -> Result<Self, String> {
        match TimeZone::get(&zone) {
            Ok(_) => Ok(Self { zone, spans }),
            Err(_) => Err(format!("`{zone}` is no time zone; write a name such as Europe/Berlin")),
        }
    }

    /// Whether somebody is there. Where the clocks change, what the clock on the wall shows counts.
    pub fn include(&self, now: Millis) -> bool {
        let zone = TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC);
        let Ok(at) = Timestamp::from_millisecond(now) else { return true };
        let at = at.to_zoned(zone);
        let (day, minute) =
            (at.weekday().to_monday_one_offset(), i16::from(at.hour()) * 60 + i16::from(at.minute()));
        self.spans.iter().any(|span| span.day == day && (span.from..span.to).contains(&minute))
    }

    /// As clients write them.
    pub fn shown(&self) -> OfficeHours {
        let day = |span: &Span| OpenDay { day: span.day.into(), from: clock(span.from), to: clock(span.to) };
        OfficeHours { time_zone: self.zone.clone(), days: self.spans.iter().map(day).collect() }
    }
}

fn minutes(text: &str) -> Option<i16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |text: &str, most: i16| {
        let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i16>().ok().filter(|number| digits && *number <= most)
    };
    let at = number(hour, 24)? * 60 + number(minute, 59)?;
    (at <= DAY).then_some(at)
}

fn clock(minutes: i16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(zone: &str, days: &[(i64, &str, &str)]) -> Hours {
        let spans = days.iter().map(|(day, from, to)| Span::read(Some(*day), from, to).unwrap()).collect();
        Hours::new(zone.into(), spans).unwrap()
    }

    #[test]
    fn the_clock_on_the_wall_counts() {
        let office = hours("Europe/Berlin", &[(1, "09:00", "17:30"), (7, "22:00", "24:00")]);
        for (at, open) in [
            ("2026-03-23T07:59:00Z", false),
            ("2026-03-23T08:00:00Z", true),
            ("2026-03-23T16:29:59Z", true),
            ("2026-03-23T16:30:00Z", false),
            // A week later the clocks have gone forward.
            ("2026-03-30T07:00:00Z", true),
            ("2026-03-24T10:00:00Z", false),
            ("2026-03-29T21:59:59Z", true),
            ("2026-03-29T22:00:00Z", false),
        ] {
            let now = at.parse::<Timestamp>().unwrap().as_millisecond();
            assert_eq!(office.include(now), open, "{at}");
        }
        assert!(!hours("UTC", &[]).include(0), "hours without a day are never");
    }

    #[test]
    fn times_are_read_and_shown() {
        for (day, from, to, fine) in [
            (Some(1), "9:00", "17:00", true),
            (Some(7), "00:00", "24:00", true),
            (Some(0), "09:00", "17:00", false),
            (None, "09:00", "17:00", false),
            (Some(1), "17:00", "09:00", false),
            (Some(1), "09:00", "09:00", false),
            (Some(1), "09:00", "24:01", false),
            (Some(1), "09:60", "17:00", false),
            (Some(1), "-9:00", "17:00", false),
            (Some(1), "+9:00", "17:00", false),
            (Some(1), "nine", "17:00", false),
        ] {
            assert_eq!(Span::read(day, from, to).is_some(), fine, "{day:?} {from} {to}");
        }
        let shown = hours("UTC", &[(2, "9:05", "24:00")]).shown();
        assert_eq!((shown.days[0].from.as_str(), shown.days[0].to.as_str()), ("09:05", "24:00"));
        assert!(Hours::new("Mars/Olympus".into(), Vec::new()).is_err());
    }
}

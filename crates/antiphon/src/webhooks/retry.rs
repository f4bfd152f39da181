//! When an event that was not taken is sent again.

use std::time::Duration;

use antiphon_store::Millis;

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;

/// What lies between an attempt and the next, before chance has its say: so that what fails together does not come back
/// together.
const DELAYS: [Millis; 10] =
    [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR, 5 * HOUR, 6 * HOUR];

/// The longest wait that a receiver can ask for.
const MOST_ASKED: Millis = 6 * HOUR;

/// What becomes of an event after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It was taken.
    Done,
    /// It is sent again at this time.
    Again(Millis),
    /// Its time is over.
    GiveUp,
}

/// Decides after an attempt. `made` counts this one too, `status` is absent when no whole answer came, `asked` is what the
/// receiver said in `Retry-After`, and `dice` a number from 0 to 1.
pub fn next(made: u32, status: Option<u16>, asked: Option<Duration>, now: Millis, dice: f64) -> Next {
    if matches!(status, Some(200..=299)) {
        return Next::Done;
    }
    let earlier = usize::try_from(made.saturating_sub(1)).unwrap_or(usize::MAX);
    let Some(usual) = DELAYS.get(earlier) else { return Next::GiveUp };
    let scheduled = (*usual as f64 * (0.8 + 0.4 * dice.clamp(0.0, 1.0))) as Millis;
    let asked = match status {
        Some(429 | 503) => asked.map_or(0, |asked| Millis::try_from(asked.as_millis()).unwrap_or(MOST_ASKED)),
        _ => 0,
    };
    Next::Again(now.saturating_add(scheduled.max(asked.min(MOST_ASKED))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn delays_grow_and_ten_retries_are_the_end() {
        let even = |made| next(made, Some(500), None, 0, 0.5);
        let minutes = [1, 5, 15, 30, 60, 120, 180, 240, 300, 360];
        for (made, minutes) in (1..).zip(minutes) {
            assert_eq!(even(made), Next::Again(minutes * MINUTE), "after {made}");
            assert_eq!(next(made, None, None, 7, 0.0), Next::Again(7 + minutes * MINUTE * 8 / 10));
            assert_eq!(next(made, Some(404), None, 7, 1.0), Next::Again(7 + minutes * MINUTE * 12 / 10));
        }
        assert_eq!(even(11), Next::GiveUp);
        assert_eq!(even(u32::MAX), Next::GiveUp);
        assert_eq!(even(0), even(1));
        let whole: Millis = DELAYS.iter().sum();
        assert!((20 * HOUR..=24 * HOUR).contains(&whole), "about a day in all");
    }

    #[test]
    fn only_2xx_is_success() {
        for (status, done) in [
            (100, false),
            (199, false),
            (200, true),
            (204, true),
            (299, true),
            (301, false),
            (400, false),
            (599, false),
        ] {
            assert_eq!(next(1, Some(status), None, 0, 0.5) == Next::Done, done, "{status}");
        }
        assert_eq!(next(11, Some(202), None, 0, 0.5), Next::Done);
        assert_ne!(next(1, None, None, 0, 0.5), Next::Done);
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_but_not_for_less() {
        let second = Duration::from_secs(1);
        for (status, made, asked, minutes) in [
            (429, 1, second * 600, 10),
            (503, 1, second * 600, 10),
            (500, 1, second * 600, 1),
            (404, 1, second * 600, 1),
            (429, 1, second * 5, 1),
            (429, 3, second * 600, 15),
            (503, 1, second * 100_000, 360),
            (503, 10, second * 100_000, 360),
            (429, 1, Duration::MAX, 360),
        ] {
            let expected = Next::Again(minutes * MINUTE);
            assert_eq!(next(made, Some(status), Some(asked), 0, 0.5), expected, "{status} {made} {asked:?}");
        }
        assert_eq!(next(11, Some(429), Some(second), 0, 0.5), Next::GiveUp);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_decided(
            made: u32, status: Option<u16>, seconds: Option<u64>, now: Millis, dice: f64,
        ) {
            let asked = seconds.map(Duration::from_secs);
            match next(made, status, asked, now, dice) {
                Next::Again(at) => prop_assert!(made <= 10 && at >= now && at <= now.saturating_add(7 * HOUR + 12 * MINUTE)),
                Next::Done => prop_assert!(matches!(status, Some(200..=299))),
                Next::GiveUp => prop_assert!(made > 10),
            }
        }

        #[test]
        fn later_attempts_wait_longer(made in 1u32..10, dice in 0.0..=1.0) {
            let delay = |made, dice| match next(made, None, None, 0, dice) {
                Next::Again(at) => at,
                other => panic!("{other:?}"),
            };
            prop_assert!(delay(made, dice) < delay(made + 1, dice));
            prop_assert!(delay(made, 0.0) <= delay(made, dice) && delay(made, dice) <= delay(made, 1.0));
        }
    }
}

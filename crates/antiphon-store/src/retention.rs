//! How long the spine remembers: which events nobody needs any more.

use crate::Millis;

/// Most events forgotten in one step.
pub(crate) const STEP: usize = 500;

/// What decides about forgetting events of a portal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retention {
    /// Older ones go once everybody has read them.
    pub before: Millis,
    /// Older ones go whoever has not read them.
    pub most_before: Millis,
    /// Everybody has read up to here, and nothing of it is tried again.
    pub passed: i64,
    /// The newest event, which stays: with it the portal's numbers go on.
    pub newest: i64,
}

impl Retention {
    /// Up to which position events go: of the oldest, given with the times when they happened, those before the first that
    /// stays. What was brought in with an earlier time is no older than what was recorded before it.
    pub(crate) fn gone(&self, oldest: impl IntoIterator<Item = (i64, Millis)>) -> Option<i64> {
        let goes = |&(position, at): &(i64, Millis)| {
            let unread = position > self.passed;
            position < self.newest && at < if unread { self.most_before } else { self.before }
        };
        oldest.into_iter().take_while(goes).last().map(|(position, _)| position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_and_what_stays() {
        let spine = [(4, 10), (5, 20), (6, 15), (7, 30), (8, 5), (9, 40)];
        let gone =
            |before, most_before, passed| Retention { before, most_before, passed, newest: 9 }.gone(spine);
        assert_eq!(gone(10, 0, 9), None);
        assert_eq!(gone(11, 0, 9), Some(4));
        assert_eq!(gone(16, 0, 9), Some(4), "the next one is younger, and what lies behind it stays");
        assert_eq!(gone(21, 0, 9), Some(6));
        assert_eq!(gone(99, 0, 9), Some(8), "the newest stays");
        assert_eq!(gone(99, 0, 5), Some(5));
        assert_eq!(gone(99, 16, 3), Some(4), "read or not");
        assert_eq!(gone(99, 21, 4), Some(6));
        assert_eq!(gone(0, 99, 3), Some(8));
        assert_eq!(Retention { before: 9, most_before: 9, passed: 9, newest: 9 }.gone([]), None);
    }
}

//! How a session goes on. Its secret is replaced about every hour: a new one is offered, and taken up once it comes back, so
//! that an answer that is lost signs nobody out. Arithmetic and nothing else.

use antiphon_store::{Millis, Session, SessionTurn, TokenHash};
use subtle::ConstantTimeEq;

const MINUTE: Millis = 60 * 1000;
const HOUR: Millis = 60 * MINUTE;

/// How long a session lives, however much it is used.
pub const LIFE: Millis = 14 * 24 * HOUR;

/// How long it lives without being used. It is looked at when the secret turns, so it may be an hour less.
pub const IDLE: Millis = 12 * HOUR;

/// After how long another secret is offered.
const TURN: Millis = HOUR;

/// How long the secret before is good for requests that were under way.
const GRACE: Millis = MINUTE;

/// After how long an offer is taken for lost.
const LOST: Millis = MINUTE;

/// What a secret is to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The one that is good now.
    Good,
    /// The same, and it is time for another.
    Due,
    /// The one that was offered: it comes back for the first time.
    Offered,
    /// The one before, of a request that was under way.
    Before,
    /// The one before, and its time is over.
    Stale,
    /// None of it.
    Unknown,
}

/// What a secret is to a session at a moment.
pub fn of(session: &Session, sent: &TokenHash, now: Millis) -> Standing {
    let is = |known: &TokenHash| bool::from(known.0.ct_eq(&sent.0));
    if is(&session.secret) {
        let offered = session.next.is_some_and(|(_, at)| now < at + LOST);
        return if now >= session.turned_at + TURN && !offered { Standing::Due } else { Standing::Good };
    }
    match (&session.next, &session.old) {
        (Some((next, _)), _) if is(next) => Standing::Offered,
        (_, Some((old, until))) if is(old) => {
            if now < *until {
                Standing::Before
            } else {
                Standing::Stale
            }
        }
        _ => Standing::Unknown,
    }
}

/// Before which moment an offer has been lost.
pub fn lost(now: Millis) -> Millis {
    now - LOST
}

/// How a session goes on whose offer was taken up.
pub fn turned(session: &Session, now: Millis) -> SessionTurn {
    let ends_at = (now + IDLE).min(session.created_at + LIFE);
    SessionTurn { at: now, old_until: now + GRACE, ends_at }
}

#[cfg(test)]
pub(crate) mod tests {
    use antiphon_store::SessionId;

    use super::*;

    pub(crate) fn session(now: Millis) -> Session {
        Session {
            id: SessionId([1; 16]),
            agent_id: 71,
            login_at: 5,
            created_at: now,
            turned_at: now,
            ends_at: now + IDLE,
            secret: TokenHash([1; 32]),
            next: None,
            old: None,
            browser: "Browser".into(),
            address: "192.0.2.7".into(),
        }
    }

    #[test]
    fn every_secret_at_every_time() {
        let now = 1_780_000_000_000;
        let (secret, next, old) = (TokenHash([1; 32]), TokenHash([2; 32]), TokenHash([3; 32]));
        let plain = session(now);
        let offered = Session { next: Some((next, now + HOUR)), ..session(now) };
        let after = Session { old: Some((old, now + MINUTE)), ..session(now) };
        for (what, session, sent, at, expected) in [
            ("new", &plain, secret, now, Standing::Good),
            ("nearly an hour old", &plain, secret, now + HOUR - 1, Standing::Good),
            ("an hour old", &plain, secret, now + HOUR, Standing::Due),
            ("another's", &plain, next, now, Standing::Unknown),
            ("offered a moment ago", &offered, secret, now + HOUR + MINUTE - 1, Standing::Good),
            ("the offer was lost", &offered, secret, now + HOUR + MINUTE, Standing::Due),
            ("the offer comes back", &offered, next, now + HOUR, Standing::Offered),
            ("the offer comes back late", &offered, next, now + 9 * HOUR, Standing::Offered),
            ("under way", &after, old, now + MINUTE - 1, Standing::Before),
            ("too late", &after, old, now + MINUTE, Standing::Stale),
            ("the new one", &after, secret, now + MINUTE, Standing::Good),
        ] {
            assert_eq!(of(session, &sent, at), expected, "{what}");
        }
    }

    #[test]
    fn a_session_lives_as_long_as_it_is_used_and_not_for_ever() {
        let now = 1_780_000_000_000;
        let session = session(now);
        assert_eq!(turned(&session, now + HOUR).ends_at, now + HOUR + IDLE);
        assert_eq!(turned(&session, now + LIFE - HOUR).ends_at, now + LIFE);
        assert_eq!(turned(&session, now + HOUR).old_until, now + HOUR + MINUTE);
    }
}

//! What is remembered of tokens, grants and attempts beside the directory: it is written often, and nobody needs it to answer
//! a request that is in order.

use crate::{Millis, TokenHash};

/// What is used: a token, or a grant by any of its access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Used {
    Token(TokenHash),
    Grant(i64),
}

impl Used {
    /// Under what it is kept.
    pub(crate) fn key(&self) -> Vec<u8> {
        match self {
            Self::Token(hash) => hash.0.to_vec(),
            Self::Grant(id) => id.to_be_bytes().to_vec(),
        }
    }
}

/// So often something may be tried in vain before there are pauses.
const FREE: i64 = 5;

/// The first pause; every further one is twice as long, up to the longest.
const PAUSE: Millis = 5_000;
const LONGEST: Millis = 5 * 60 * 1000;

/// After so long without a trial nothing is remembered.
pub(crate) const FORGOTTEN: Millis = 60 * 60 * 1000;

/// What was tried in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tries {
    pub count: i64,
    /// From when on it may be tried again.
    pub next_at: Millis,
    pub last_at: Millis,
}

impl Tries {
    /// Counts a trial that begins now, or says how long one has to wait for it.
    pub(crate) fn begun(self, now: Millis) -> Result<Self, Millis> {
        let known = if now - self.last_at >= FORGOTTEN { Self::default() } else { self };
        if now < known.next_at {
            return Err(known.next_at - now);
        }
        let count = known.count + 1;
        let pause = match count - FREE {
            ..0 => 0,
            beyond => (PAUSE << beyond.min(10)).min(LONGEST),
        };
        Ok(Self { count, next_at: now + pause, last_at: now })
    }
}

/// What is to be cleared away.
#[derive(Debug, Clone, Copy)]
pub struct Sweep {
    /// What the directory forgot before this moment.
    pub gone_before: Millis,
    /// What was tried in vain before this moment.
    pub tried_before: Millis,
    /// Most rows of a kind.
    pub limit: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let (mut tries, mut now) = (Tries::default(), 1_780_000_000_000);
        for _ in 0..5 {
            tries = tries.begun(now).unwrap();
        }
        for pause in [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000] {
            assert_eq!(tries.begun(now), Err(pause));
            assert_eq!(tries.begun(now + pause - 1), Err(1));
            now += pause;
            tries = tries.begun(now).unwrap();
        }
        let hour = tries.begun(now + FORGOTTEN).unwrap();
        assert_eq!((hour.count, hour.next_at), (1, now + FORGOTTEN));
    }
}

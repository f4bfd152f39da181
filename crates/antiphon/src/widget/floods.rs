//! How often visitors may do what they may: each thing by whoever does it, and by where they come from. Counted on each node by
//! itself, in memory: what is counted has no token that could be taken away.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use antiphon_store::PortalId;
use sha2::{Digest, Sha256};

use crate::refusal::Refusal;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    /// Anything at all.
    Request,
    /// Sessions that begin.
    Session,
    Message,
    /// Threads that begin.
    Thread,
    File,
    /// Passwords that are tried.
    Password,
}

/// How much there may be in how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub most: u32,
    pub millis: i64,
}

impl Rate {
    pub const fn minutely(most: u32) -> Self {
        Self { most, millis: 60_000 }
    }

    pub const fn hourly(most: u32) -> Self {
        Self { most, millis: 3_600_000 }
    }
}

/// Who is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Payer([u8; 16]);

impl Payer {
    /// A visitor of a portal.
    pub fn visitor(portal: PortalId, key: &str) -> Self {
        Self::of(&["visitor", &portal.to_string(), key])
    }

    /// A place on the internet. Of the newer kind everybody has billions: what counts is the network.
    pub fn address(address: Option<IpAddr>) -> Self {
        let network = match address.map(|address| address.to_canonical()) {
            None => "none".to_owned(),
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => format!("{:x}", address.to_bits() >> 64),
        };
        Self::of(&["address", &network])
    }

    /// All visitors together.
    pub fn everybody() -> Self {
        Self::of(&["everybody"])
    }

    fn of(parts: &[&str]) -> Self {
        let digest: [u8; 32] = Sha256::digest(parts.join("\n")).into();
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        Self(short)
    }
}

/// A bucket is the moment at which all that was taken has come back.
#[derive(Default)]
struct Buckets {
    empty_at: HashMap<(What, Payer), i64>,
    /// When room was last looked for.
    looked_at: i64,
}

/// Most that is counted at once. Whoever comes beyond that has to wait, as if the server were full: it is.
const MOST: usize = 200_000;

/// How long it takes until room is looked for again where there was none: a look goes through everything.
const LOOK: i64 = 1_000;

/// The counts.
#[derive(Default)]
pub struct Floods {
    buckets: Mutex<Buckets>,
    held: Mutex<HashMap<(What, Payer), usize>>,
}

impl Floods {
    /// Counts something, unless it is too much.
    ///
    /// # Errors
    /// After how many seconds it will not be.
    pub fn take(&self, what: What, payer: Payer, rate: Rate, now: i64) -> Result<(), Refusal> {
        let mut buckets = lock(&self.buckets);
        if buckets.empty_at.len() >= MOST && !buckets.empty_at.contains_key(&(what, payer)) {
            if (now - buckets.looked_at).abs() >= LOOK {
                buckets.looked_at = now;
                buckets.empty_at.retain(|_, empty| *empty > now);
            }
            if buckets.empty_at.len() >= MOST {
                return Err(Refusal::Unavailable);
            }
        }
        let bucket = buckets.empty_at.entry((what, payer)).or_insert(now);
        let empty = (*bucket).max(now) + rate.millis / i64::from(rate.most.max(1));
        let over = empty - now - rate.millis;
        if over > 0 {
            return Err(Refusal::TooOften((over + 999) / 1000));
        }
        *bucket = empty;
        Ok(())
    }

    /// Counts an open stream by all that pay for it, until it is dropped.
    ///
    /// # Errors
    /// When one of them has too many.
    pub fn open(self: &Arc<Self>, payers: &[(Payer, usize)]) -> Result<Open, Refusal> {
        self.hold(What::Request, payers)
    }

    /// Counts something that takes its time by all that pay for it, until it is dropped.
    ///
    /// # Errors
    /// When one of them has too many.
    pub fn hold(self: &Arc<Self>, what: What, payers: &[(Payer, usize)]) -> Result<Open, Refusal> {
        let mut held = lock(&self.held);
        if payers.iter().any(|(payer, most)| held.get(&(what, *payer)).is_some_and(|count| count >= most)) {
            return Err(Refusal::TooOften(5));
        }
        let payers: Vec<_> = payers.iter().map(|(payer, _)| (what, *payer)).collect();
        for payer in &payers {
            *held.entry(*payer).or_default() += 1;
        }
        drop(held);
        Ok(Open { floods: self.clone(), payers })
    }
}

/// A stream that is open, or something else that takes its time.
pub struct Open {
    floods: Arc<Floods>,
    payers: Vec<(What, Payer)>,
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut held = lock(&self.floods.held);
        for payer in &self.payers {
            if let Some(count) = held.get_mut(payer) {
                *count -= 1;
                if *count == 0 {
                    held.remove(payer);
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_much_at_once_and_then_as_it_comes_back() {
        let floods = Floods::default();
        let payer = Payer::visitor(PortalId(1), "a");
        let take = |now| floods.take(What::Message, payer, Rate::minutely(30), now);
        assert_eq!((0..40).filter(|_| take(1_000_000).is_ok()).count(), 30);
        assert_eq!(take(1_000_000), Err(Refusal::TooOften(2)));
        assert_eq!(take(1_001_999), Err(Refusal::TooOften(1)));
        assert_eq!(take(1_002_000), Ok(()));
        assert_eq!(take(1_002_000), Err(Refusal::TooOften(2)));
        assert_eq!((0..40).filter(|_| take(1_062_000).is_ok()).count(), 30);
        let other = Payer::visitor(PortalId(2), "a");
        assert_eq!(floods.take(What::Message, other, Rate::minutely(1), 0), Ok(()), "in another portal");
        assert_eq!(floods.take(What::File, payer, Rate::hourly(1), 0), Ok(()), "something else");
    }

    #[test]
    fn what_is_counted_is_bounded() {
        let floods = Floods::default();
        for n in 0..MOST {
            let payer = Payer::visitor(PortalId(1), &n.to_string());
            floods.take(What::Session, payer, Rate::minutely(60), 0).unwrap();
        }
        let late = Payer::visitor(PortalId(1), "late");
        let take = |now| floods.take(What::Session, late, Rate::minutely(60), now);
        assert_eq!(take(999), Err(Refusal::Unavailable));
        assert_eq!(take(1_000), Ok(()), "by then all the others have come back");
        assert_eq!(lock(&floods.buckets).empty_at.len(), 1);
    }

    #[test]
    fn room_is_looked_for_once_a_second_however_many_ask() {
        let floods = Floods::default();
        for n in 0..MOST {
            // One of them comes back after ten milliseconds, the others after a minute.
            let most = if n == 0 { 6_000 } else { 1 };
            let payer = Payer::visitor(PortalId(1), &n.to_string());
            floods.take(What::Session, payer, Rate::minutely(most), 5_000).unwrap();
        }
        let take = |name: &str, now| {
            floods.take(What::Session, Payer::visitor(PortalId(1), name), Rate::minutely(1), now)
        };
        assert_eq!(take("late", 5_005), Err(Refusal::Unavailable));
        let started = std::time::Instant::now();
        for n in 0..10_000 {
            assert_eq!(take(&format!("late {n}"), 5_500), Err(Refusal::Unavailable));
        }
        assert!(started.elapsed() < std::time::Duration::from_secs(10), "{:?}", started.elapsed());
        assert_eq!(take("late", 6_005), Ok(()), "a second later one has come back");
        assert_eq!(take("later", 6_005), Err(Refusal::Unavailable));
    }

    #[test]
    fn streams_are_counted_while_they_are_open() {
        let floods = Arc::new(Floods::default());
        let [a, b] = ["a", "b"].map(|key| Payer::visitor(PortalId(1), key));
        let first = floods.open(&[(a, 2), (b, 5)]).unwrap();
        let _second = floods.open(&[(a, 2)]).unwrap();
        assert!(floods.open(&[(b, 5), (a, 2)]).is_err());
        drop(first);
        assert!(floods.open(&[(b, 1), (a, 2)]).is_ok(), "one who was refused has paid nothing");
        assert!(floods.hold(What::File, &[(a, 1)]).is_ok(), "something else");
        assert_eq!(lock(&floods.held).len(), 1);
    }

    #[test]
    fn a_network_of_the_newer_kind_is_one() {
        let of = |text: &str| Payer::address(Some(text.parse().unwrap()));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("203.0.113.1"), of("203.0.113.2"));
        assert_eq!(of("203.0.113.1"), of("::ffff:203.0.113.1"));
    }
}

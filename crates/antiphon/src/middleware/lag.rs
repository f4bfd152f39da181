//! How far an event loop is behind, and whether it has to turn requests away.
//!
//! A loop runs what is ready in the order in which it became ready. What it comes to now became ready after everything
//! that it ran a round ago, so that is the longest a request can have waited, whatever kernel and clients did. A marker
//! that goes round with the tasks tells one round from the next.
//!
//! Waiting alone is no overload: bursts pass. A loop sheds once everybody has waited too long for a while, and then turns
//! away whoever did, until for another while nobody has.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// How long all requests must have waited too long before any is turned away.
const BURST: Duration = Duration::from_millis(50);

/// How long a loop remembers that it had to: overload that pauses for a moment is not noticed anew.
const MEMORY: Duration = Duration::from_secs(1);

/// After so many tasks a loop looks for what became ready meanwhile. What the kernel knows and the loop does not is the
/// error of the measurement, and tokio's own 61 are several milliseconds of requests.
pub const LOOK: u32 = 16;

/// How often a loop prefers what other threads woke: always. These are requests that were accepted, answered by the
/// writer; with tokio's own choice they hardly get a turn while new ones keep coming.
pub const ANSWERS: u32 = 1;

thread_local! {
    static LAG: Cell<Option<Lag>> = const { Cell::new(None) };
}

/// The lag of one event loop.
#[derive(Clone, Copy)]
struct Lag {
    most: Duration,
    /// Whatever comes now was not ready before.
    since: Instant,
    /// When the marker was sent on its way.
    round: Option<Instant>,
    /// When somebody last had not waited too long.
    calm: Instant,
    sheds_until: Instant,
}

/// Begins to watch the loop of this thread, on which requests may wait for so long.
pub fn watch(most: Duration, now: Instant) {
    LAG.set(Some(Lag { most, since: now, round: None, calm: now, sheds_until: now }));
}

/// The loop had nothing to do.
pub fn rested(now: Instant) {
    if let Some(lag) = LAG.get() {
        LAG.set(Some(Lag { since: now, calm: now, ..lag }));
    }
}

/// Whether the request at hand has to be turned away. Threads that nobody watches are never late.
pub fn late(now: Instant) -> bool {
    let Some(mut lag) = LAG.get() else { return false };
    if lag.round.is_none() {
        lag.round = Some(now);
        tokio::spawn(async { arrived() });
    }
    let waits = now.saturating_duration_since(lag.since) > lag.most;
    let late = waits && (now < lag.sheds_until || now.saturating_duration_since(lag.calm) >= BURST);
    if !waits {
        lag.calm = now;
    } else if late {
        lag.sheds_until = now + MEMORY;
    }
    LAG.set(Some(lag));
    late
}

/// The marker has come round.
fn arrived() {
    if let Some(lag) = LAG.get() {
        let since = lag.round.map_or(lag.since, |sent| sent.max(lag.since));
        LAG.set(Some(Lag { since, round: None, ..lag }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    thread_local! {
        static CLOCK: Cell<Instant> = Cell::new(Instant::now());
    }

    /// Work that takes so many milliseconds, if there is time for it.
    fn request(busy: u64) -> bool {
        let late = late(CLOCK.get());
        if !late {
            CLOCK.set(CLOCK.get() + Duration::from_millis(busy));
        }
        late
    }

    /// So many requests that become ready together; says who was turned away.
    async fn requests(number: usize) -> Vec<bool> {
        let requests: Vec<_> = (0..number).map(|_| tokio::spawn(async { request(2) })).collect();
        let mut late = Vec::new();
        for request in requests {
            late.push(request.await.unwrap());
        }
        late
    }

    async fn nothing() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }

    fn on_a_loop(work: impl Future<Output = ()>) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().event_interval(LOOK).on_thread_unpark(|| rested(CLOCK.get()));
        runtime.build().unwrap().block_on(async {
            watch(Duration::from_millis(10), CLOCK.get());
            work.await;
        });
    }

    #[test]
    fn a_burst_is_waited_out_and_overload_is_not() {
        on_a_loop(async {
            // The last of them waits for 48 ms.
            assert!(!requests(25).await.contains(&true), "a burst was shed");
            nothing().await;

            // Six wait no more than 10 ms, and for 50 ms after that nobody knows that this is no burst.
            let flood = requests(200).await;
            assert_eq!(flood.iter().position(|late| *late), Some(30));
            assert!(flood[30..].iter().all(|late| *late));
            nothing().await;

            // It is remembered, so that whoever waits too long is shed at once, and nobody else.
            assert_eq!(requests(20).await.iter().position(|late| *late), Some(6));
            nothing().await;
            CLOCK.set(CLOCK.get() + MEMORY);
            nothing().await;
            assert!(!requests(25).await.contains(&true), "it remembers for too long");
        });
    }

    #[test]
    fn what_waited_a_round_is_known_to_have() {
        // Each client asks again as soon as it is answered, so that the loop never rests.
        let shed_of = |clients| async move {
            let clients: Vec<_> = (0..clients)
                .map(|_| {
                    tokio::spawn(async {
                        let mut shed = 0;
                        for _ in 0..100 {
                            shed += usize::from(request(1));
                            tokio::task::yield_now().await;
                        }
                        shed
                    })
                })
                .collect();
            let mut shed = 0;
            for client in clients {
                shed += client.await.unwrap();
            }
            shed
        };
        on_a_loop(async move {
            assert_eq!(shed_of(4).await, 0, "four clients wait for four milliseconds");
            nothing().await;
            let shed = shed_of(40).await;
            assert!(
                (2500..3500).contains(&shed),
                "{shed} of 4000 were shed, where forty milliseconds are waited"
            );
        });
    }
}

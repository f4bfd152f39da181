//! Load: as much as the server takes, or a given rate whatever the server does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use antiphon_testkit::{Connection, SEED_TOKEN};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// One request, sent over and over.
#[derive(Clone)]
pub struct Shot {
    pub path: String,
    pub body: String,
}

/// What came back.
#[derive(Default)]
pub struct Result {
    /// Latencies of what was accepted, sorted.
    pub accepted: Vec<Duration>,
    pub refused: usize,
    /// Anything that was neither accepted nor refused in the proper way.
    pub wrong: Vec<String>,
    pub took: Duration,
}

impl Result {
    pub fn p99(&self) -> Duration {
        self.accepted.get(self.accepted.len() * 99 / 100).copied().unwrap_or_default()
    }

    pub fn rate(&self) -> f64 {
        self.accepted.len() as f64 / self.took.as_secs_f64()
    }

    pub fn offered(&self) -> f64 {
        (self.accepted.len() + self.refused) as f64 / self.took.as_secs_f64()
    }
}

/// Sends on this many connections for a while. With a rate, a request leaves whenever one is due and a connection is free;
/// without, as soon as the one before it was answered.
pub async fn fire(
    address: SocketAddr,
    shots: &[Shot],
    connections: usize,
    rate: Option<f64>,
    lasting: Duration,
) -> Result {
    let due = Arc::new(AtomicU64::new(0));
    let mut senders = JoinSet::new();
    let start = Instant::now() + Duration::from_millis(200);
    for _ in 0..connections {
        let (due, shots) = (due.clone(), shots.to_vec());
        senders.spawn(async move {
            let mut result = Result::default();
            let mut server = match Connection::open(address, SEED_TOKEN).await {
                Ok(server) => server,
                Err(error) => {
                    result.wrong.push(format!("connecting: {error}"));
                    return result;
                }
            };
            tokio::time::sleep_until(start).await;
            loop {
                let number = due.fetch_add(1, Ordering::Relaxed);
                if let Some(rate) = rate {
                    tokio::time::sleep_until(start + Duration::from_secs_f64(number as f64 / rate)).await;
                }
                if start.elapsed() >= lasting {
                    return result;
                }
                let shot = &shots[number as usize % shots.len()];
                let sent = Instant::now();
                match server.send("POST", &shot.path, shot.body.clone()).await {
                    Ok(reply) if reply.status == 201 => result.accepted.push(sent.elapsed()),
                    Ok(reply) if reply.status == 503 && reply.header("retry-after") == Some("1") => {
                        result.refused += 1
                    }
                    Ok(reply) => result.wrong.push(format!("{}: {}", reply.status, reply.text())),
                    Err(error) => {
                        result.wrong.push(format!("sending: {error}"));
                        return result;
                    }
                }
            }
        });
    }
    let mut all = Result { took: lasting, ..Result::default() };
    while let Some(result) = senders.join_next().await {
        let result = result.unwrap();
        all.accepted.extend(result.accepted);
        all.refused += result.refused;
        all.wrong.extend(result.wrong);
    }
    all.accepted.sort_unstable();
    all
}

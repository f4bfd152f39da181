//! What is measured, a file per part of a run.

pub mod beside;
pub mod channels;
pub mod files;
pub mod flat;
pub mod limits;
pub mod postgres;
pub mod reads;
pub mod sends;
pub mod start;
pub mod stream;
pub mod visitors;
pub mod webhooks;

use std::time::Duration;

use anyhow::{Context, Result};

use crate::Bench;
use crate::load::{Client, Load, Outcome, Requests, fetch, request};
use crate::report::{Line, median, progress};
use crate::seed::{self, Recipe, TOKEN};
use crate::server::{Server, copy_dir};

/// Where the measured operations are mounted.
pub const BASE: &str = "/conversations/v3/conversations";

/// Seeds of the sizes that are compared.
pub fn small() -> Recipe {
    Recipe::of("10k", 10_000)
}

pub fn large() -> Recipe {
    Recipe::of("1m", 1_000_000)
}

pub fn huge() -> Recipe {
    Recipe::of("10m", 10_000_000)
}

impl Bench {
    /// A server on a fresh copy of a seed.
    pub fn server(&self, recipe: &Recipe, label: &str) -> Result<Server> {
        let seed = recipe.seeded(&self.root)?;
        progress(&format!("starting on {} ({label})", recipe.name));
        let dir = copy_dir(&seed, &self.root.join("run").join(format!("{label}-{}", recipe.name)))?;
        Server::antiphon(&self.server, &dir)
    }

    pub fn load(&self, address: std::net::SocketAddr, connections: usize, requests: &Requests) -> Load {
        Load { address, connections, time: self.turn, requests: requests.clone(), core: None }
    }

    /// Lets contestants take turns, after a short warm-up of each, and returns what each did in every round.
    pub fn interleave(&self, loads: &[Load]) -> Result<Vec<Vec<Outcome>>> {
        for load in loads {
            Load { time: Duration::from_millis(300), ..load.clone() }.run()?;
        }
        let mut outcomes: Vec<Vec<Outcome>> = loads.iter().map(|_| Vec::new()).collect();
        for _ in 0..self.rounds {
            for (load, outcomes) in loads.iter().zip(&mut outcomes) {
                outcomes.push(load.run()?);
            }
        }
        Ok(outcomes)
    }
}

/// The middle rate of some rounds.
pub fn rate(outcomes: &[Outcome]) -> f64 {
    median(outcomes.iter().map(Outcome::rate).collect())
}

/// The middle of a quantile, in milliseconds.
pub fn quantile(outcomes: &[Outcome], q: f64) -> f64 {
    median(outcomes.iter().map(|outcome| outcome.quantile(q)).collect())
}

/// A request with the token of the seeds.
pub fn ask(method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    request(method, path, &[("authorization", &format!("Bearer {TOKEN}"))], body)
}

/// A token of the seeds' app that opens this as well.
pub fn token(server: &Server, scopes: &[&str]) -> Result<String> {
    let body = serde_json::json!({ "label": "more", "appId": seed::APP.to_string(), "scopes": scopes });
    let made = fetch(server.address, &ask("POST", "/antiphon/v1/tokens", body.to_string().as_bytes()))?;
    let made: serde_json::Value = serde_json::from_slice(&made)?;
    Ok(made["token"].as_str().context("no token")?.to_owned())
}

/// Reads of these paths, uniformly.
pub fn gets(paths: impl IntoIterator<Item = String>) -> Requests {
    Requests::any_of(paths.into_iter().map(|path| ask("GET", &path, b"")).collect())
}

/// Sends to uniformly random threads, each with a text of its own.
pub fn sends(threads: &[i64]) -> Requests {
    let send = |thread: &i64| {
        ask("POST", &format!("{BASE}/threads/{thread}/messages"), &seed::send_body(*thread, *thread as u64))
    };
    Requests::any_of(threads.iter().map(send).collect())
}

/// At most so many, spread evenly.
pub fn sample(from: &[i64], most: usize) -> Vec<i64> {
    let step = from.len().div_ceil(most).max(1);
    from.iter().copied().step_by(step).collect()
}

/// The bodies a server answers to these paths.
pub fn bodies(server: &Server, paths: &[String]) -> Result<Vec<Vec<u8>>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut client = Client::connect(server.address).await?;
        let mut bodies = Vec::new();
        for path in paths {
            let mut body = Vec::new();
            let status = client.ask(&ask("GET", path, b""), Some(&mut body)).await?;
            anyhow::ensure!(
                status == 200,
                "{path} was answered with {status}: {}",
                String::from_utf8_lossy(&body)
            );
            bodies.push(body);
        }
        Ok(bodies)
    })
}

/// The paths of a list's pages, from the first on.
pub fn pages(server: &Server, first: &str, most: usize) -> Result<Vec<String>> {
    let mut paths = vec![first.to_string()];
    while paths.len() < most {
        let last = paths.last().context("no page")?;
        let body = bodies(server, std::slice::from_ref(last))?.remove(0);
        let page: serde_json::Value = serde_json::from_slice(&body)?;
        let Some(after) = page["paging"]["next"]["after"].as_str() else { break };
        let join = if first.contains('?') { '&' } else { '?' };
        paths.push(format!("{first}{join}after={after}"));
    }
    Ok(paths)
}

/// A rate against another one.
pub fn compared(what: impl Into<String>, ours: f64, theirs: f64, goal: Option<crate::report::Mark>) -> Line {
    Line {
        what: what.into(),
        ours: per_second(ours),
        theirs: per_second(theirs),
        figure: ours / theirs,
        unit: crate::report::Unit::Percent,
        goal,
    }
}

pub fn per_second(rate: f64) -> String {
    if rate >= 100.0 { format!("{:.0}/s", rate) } else { format!("{rate:.1}/s") }
}

pub fn milliseconds(time: f64) -> String {
    if time >= 1.0 { format!("{time:.1} ms") } else { format!("{:.0} µs", time * 1000.0) }
}

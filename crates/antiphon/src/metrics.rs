//! Figures for Prometheus: requests by route and status with their latency, and the state of the store.
//!
//! Counted by hand instead of through the `metrics` facade: a labelled counter there costs a hash look-up and a shared
//! cache line per request, here each event loop adds to counters of its own and only the scrape puts them together.

use std::cell::Cell;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::app::App;
use crate::middleware::reply::Reply;
use crate::routes::Routes;

/// The statuses that are told apart.
const STATUSES: [u16; 19] =
    [101, 200, 201, 204, 207, 400, 401, 403, 404, 405, 409, 413, 414, 415, 429, 431, 500, 503, 0];

/// Upper bounds of the latency buckets in microseconds.
const BOUNDS: [u64; 14] = [
    100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000,
];

thread_local! {
    static SHARD: Cell<usize> = const { Cell::new(0) };
}

/// Chooses the counters of this thread.
pub fn use_shard(shard: usize) {
    SHARD.set(shard);
}

#[derive(Default)]
struct Figure {
    statuses: [AtomicU64; STATUSES.len()],
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// Why a request was turned away unheard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shed {
    /// The event loop is too far behind.
    Loop,
    /// The writer's queue is full.
    Queue,
    /// There are too many connections.
    Connections,
    /// Large bodies take all the memory they may.
    Bodies,
    /// As many listen as may.
    Listeners,
}

/// Each reason by its name.
const REASONS: [(Shed, &str); 5] = [
    (Shed::Loop, "loop"),
    (Shed::Queue, "queue"),
    (Shed::Connections, "connections"),
    (Shed::Bodies, "bodies"),
    (Shed::Listeners, "listeners"),
];

/// The counters of one event loop.
struct Shard {
    /// One per operation and version, the last for what met no operation.
    figures: Vec<Figure>,
    shed: [AtomicU64; REASONS.len()],
}

/// All counters.
pub struct Figures {
    shards: Vec<Shard>,
}

impl Figures {
    pub fn new(shards: usize, routes: &Routes) -> Self {
        let figures = routes.figures() + 1;
        let shard =
            || Shard { figures: (0..figures).map(|_| Figure::default()).collect(), shed: Default::default() };
        Self { shards: (0..shards.max(1)).map(|_| shard()).collect() }
    }

    /// Counts one answer.
    pub fn count(&self, figure: Option<usize>, status: u16, took: Duration) {
        let figures = &self.shard().figures;
        let figure = &figures[figure.unwrap_or(figures.len() - 1)];
        let micros = took.as_micros() as u64;
        let status = STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len() - 1);
        let bucket = BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS.len());
        figure.statuses[status].fetch_add(1, Relaxed);
        figure.buckets[bucket].fetch_add(1, Relaxed);
        figure.micros.fetch_add(micros, Relaxed);
    }

    /// Counts a request that was turned away.
    pub fn shed(&self, reason: Shed) {
        self.shard().shed[reason as usize].fetch_add(1, Relaxed);
    }

    fn shard(&self) -> &Shard {
        &self.shards[SHARD.get() % self.shards.len()]
    }

    fn sum(&self, figure: usize, value: impl Fn(&Figure) -> &AtomicU64) -> u64 {
        self.shards.iter().map(|shard| value(&shard.figures[figure]).load(Relaxed)).sum()
    }
}

/// `/metrics`
pub fn page(app: &App) -> Reply {
    let mut out = String::with_capacity(16 << 10);
    // Writing to a string cannot fail.
    requests(app, &mut out)
        .and_then(|()| store(app, &mut out))
        .and_then(|()| app.realtime.figures(&mut out))
        .and_then(|()| app.webhooks.print(app.store.now(), &mut out))
        .ok();
    Reply::page("text/plain; version=0.0.4; charset=utf-8", out)
}

fn requests(app: &App, out: &mut String) -> std::fmt::Result {
    let mut routes: Vec<(usize, String)> = Vec::new();
    for at in app.routes.mounted() {
        for leaf in &at.leaves {
            routes.push((
                leaf.figure,
                format!("method=\"{}\",route=\"{}\"", leaf.operation.verb.name(), at.template),
            ));
        }
    }
    routes.push((app.routes.figures(), "method=\"\",route=\"\"".to_owned()));
    writeln!(
        out,
        "# HELP antiphon_requests_total Requests answered.\n# TYPE antiphon_requests_total counter"
    )?;
    for (figure, labels) in &routes {
        for (index, status) in STATUSES.iter().enumerate() {
            let count = app.figures.sum(*figure, |f| &f.statuses[index]);
            if count > 0 {
                writeln!(out, "antiphon_requests_total{{{labels},status=\"{status}\"}} {count}")?;
            }
        }
    }
    let name = "antiphon_requests_shed_total";
    writeln!(out, "# HELP {name} Requests turned away with 503, by what was full.\n# TYPE {name} counter")?;
    for (reason, label) in REASONS {
        let count: u64 =
            app.figures.shards.iter().map(|shard| shard.shed[reason as usize].load(Relaxed)).sum();
        writeln!(out, "{name}{{reason=\"{label}\"}} {count}")?;
    }
    let name = "antiphon_request_duration_seconds";
    writeln!(out, "# HELP {name} Time from the head of a request to its answer.\n# TYPE {name} histogram")?;
    for (figure, labels) in &routes {
        let counts: Vec<u64> =
            (0..=BOUNDS.len()).map(|index| app.figures.sum(*figure, |f| &f.buckets[index])).collect();
        if counts.iter().sum::<u64>() == 0 {
            continue;
        }
        let mut so_far = 0;
        for (count, bound) in counts.iter().zip(BOUNDS) {
            so_far += count;
            writeln!(out, "{name}_bucket{{{labels},le=\"{}\"}} {so_far}", bound as f64 / 1e6)?;
        }
        so_far += counts[BOUNDS.len()];
        writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {so_far}")?;
        let micros = app.figures.sum(*figure, |f| &f.micros);
        writeln!(out, "{name}_sum{{{labels}}} {}\n{name}_count{{{labels}}} {so_far}", micros as f64 / 1e6)?;
    }
    Ok(())
}

fn store(app: &App, out: &mut String) -> std::fmt::Result {
    let status = app.store.status();
    let batch = if status.batches == 0 { 0.0 } else { status.changes as f64 / status.batches as f64 };
    let mut figures = vec![
        ("connections", "gauge", "Open connections.", app.connections() as f64),
        ("writer_queue_depth", "gauge", "Changes waiting for the writer.", status.queue_depth as f64),
        ("writer_batches_total", "counter", "Transactions committed.", status.batches as f64),
        ("writer_changes_total", "counter", "Changes committed.", status.changes as f64),
        ("writer_batch_size", "gauge", "Mean changes per transaction since the start.", batch),
    ];
    // The embedded database tells more; what PostgreSQL has to tell is asked of itself.
    match (status.database_bytes, status.wal_bytes) {
        (Some(database), Some(log)) => figures.extend([
            ("store_database_bytes", "gauge", "Size of the database file.", database as f64),
            ("store_wal_bytes", "gauge", "Size of the write-ahead log.", log as f64),
            (
                "store_disk_low",
                "gauge",
                "1 while writes are refused for want of disk space.",
                f64::from(status.disk_low),
            ),
            ("event_position", "gauge", "Position of the newest event.", status.events as f64),
        ]),
        _ => figures.push((
            "events_total",
            "counter",
            "Events recorded by this node since its start.",
            status.events as f64,
        )),
    }
    for (name, kind, help, value) in figures {
        writeln!(
            out,
            "# HELP antiphon_{name} {help}\n# TYPE antiphon_{name} {kind}\nantiphon_{name} {value}"
        )?;
    }
    Ok(())
}

//! The same server on PostgreSQL, beside what the database itself can do: bare array batches, and pgbench.

use std::path::Path;
use std::time::Duration;

use antiphon_cluster::{Cluster, Database, Options};
use antiphon_store::{Postgres, Settings};
use anyhow::{Result, ensure};

use super::sends::batch_of;
use super::{BASE, compared, gets, rate, sample, sends};
use crate::Bench;
use crate::limits::{pgbench, postgres::Writer};
use crate::load::{Load, Requests, confine, cores};
use crate::report::{Mark, Report, median, progress};
use crate::seed::Recipe;
use crate::server::Server;

const CLIENTS: usize = 32;

/// The store's own count of connections that write.
const WRITERS: usize = 4;

/// Which cores do what: the database has one of its own, as if it were a machine of its own, and whoever asks it has the
/// others. So what is compared is what is asked of the database, and not who takes the processor from whom.
struct Division {
    database: Vec<usize>,
    /// Those of each node; one that is alone has both.
    nodes: [Vec<usize>; 2],
    generator: Option<usize>,
    /// All but the database's.
    others: Vec<usize>,
}

impl Division {
    /// Divides what there is; everybody has everything where there is too little.
    fn of(cores: usize) -> Self {
        let all: Vec<usize> = (0..cores).collect();
        if cores < 4 {
            return Self {
                database: all.clone(),
                nodes: [all.clone(), all.clone()],
                generator: None,
                others: all,
            };
        }
        let middle = 1 + (cores - 2) / 2;
        Self {
            database: vec![0],
            nodes: [(1..middle).collect(), (middle..cores - 1).collect()],
            generator: Some(cores - 1),
            others: (1..cores).collect(),
        }
    }

    fn load(&self, load: Load) -> Load {
        Load { core: self.generator, ..load }
    }
}

pub fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let cores = cores();
    let division = Division::of(cores);
    // Whatever is started from here inherits where it may run.
    confine(None, &division.others)?;
    let done = measured(bench, report, &division);
    confine(None, &(0..cores).collect::<Vec<_>>())?;
    done
}

fn measured(bench: &Bench, report: &mut Report, division: &Division) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // Everybody gets the same cluster: synced, with memory for what is measured, and no checkpoint in the middle of a turn.
    let settings = Options::durable()
        .set("shared_buffers", "2GB")
        .set("max_wal_size", "16GB")
        .set("checkpoint_timeout", "1h")
        .set("max_connections", "300");
    let cluster = on(division, &division.database, || Cluster::start(settings))?;
    let recipe = Recipe::of("200k", 200_000);
    progress("seeding 200,000 messages on PostgreSQL");
    let seed = cluster.database()?;
    let directory = bench.root.join("run/postgres");
    std::fs::create_dir_all(&directory)?;
    let store = Settings {
        postgres: Some(Postgres { writers: 1, ..Postgres::new(seed.url()) }),
        durable: false,
        queue: 4096,
        ..Settings::new(&directory)
    };
    runtime.block_on(recipe.fill(store))?;
    seed.rows("VACUUM ANALYZE")?;
    let copy = || cluster.database_like(seed.name());

    let own = copy()?;
    let server = on(division, &division.nodes.concat(), || node(bench, &directory, 1, &own))?;
    writes(bench, report, division, &runtime, &server, &recipe, [copy()?, copy()?])?;
    reads(bench, report, division, &server, &recipe, &seed)?;
    server.stop()?;
    nodes(bench, report, division, &directory, &own, &recipe)
}

/// Starts something on some cores.
fn on<T>(division: &Division, cores: &[usize], start: impl FnOnce() -> Result<T>) -> Result<T> {
    confine(None, cores)?;
    let started = start();
    confine(None, &division.others)?;
    started
}

fn node(bench: &Bench, directory: &Path, number: usize, database: &Database) -> Result<Server> {
    let directory = directory.join(format!("node-{number}"));
    std::fs::create_dir_all(&directory)?;
    Server::antiphon_on(&bench.server, &directory, &database.url())
}

/// Sends, against bare loops, and against one transaction per message.
fn writes(
    bench: &Bench,
    report: &mut Report,
    division: &Division,
    runtime: &tokio::runtime::Runtime,
    server: &Server,
    recipe: &Recipe,
    [bare, single]: [Database; 2],
) -> Result<()> {
    let load = division.load(bench.load(server.address, 256, &sends(&recipe.threads())));
    let settled = batch_of(server, &load)?;
    progress(&format!("256 connections make batches of {settled} on PostgreSQL"));
    let mut bare =
        runtime.block_on(async { Writer::open(&bare.url(), WRITERS).await.map(|writer| (writer, bare)) })?;
    let turn = bench.turn.max(Duration::from_secs(2));
    let best = best(bench, &single, pgbench::SEND, &[16, 32, 64, 128])?;
    let (mut ours, mut batches, mut singles) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        ours.push(load.run()?);
        batches.push(runtime.block_on(bare.0.run(settled, turn))?);
        singles.push(pgbench::run(&bench.root, &single.url(), pgbench::SEND, best, turn)?);
    }
    let ours = rate(&ours);
    report.add(compared(
        format!(
            "PostgreSQL: sends at 256 connections, against bare array batches of {settled} on {WRITERS} connections"
        ),
        ours,
        median(batches),
        Some(Mark::AtLeast(0.70)),
    ));
    report.add(compared(
        format!("PostgreSQL: sends at 256 connections, against pgbench with one transaction per message, {best} clients"),
        ours,
        median(singles),
        Some(Mark::AtLeast(1.0)),
    ));
    Ok(())
}

/// With how many clients pgbench gets most out of a database: that differs from machine to machine.
fn best(bench: &Bench, database: &Database, script: &str, clients: &[usize]) -> Result<usize> {
    let mut best = (0, 0.0);
    for &clients in clients {
        let rate = pgbench::run(&bench.root, &database.url(), script, clients, bench.turn)?;
        progress(&format!("pgbench with {clients} clients: {rate:.0}/s"));
        if rate > best.1 {
            best = (clients, rate);
        }
    }
    Ok(best.0)
}

fn history(recipe: &Recipe, limit: usize) -> Requests {
    gets(
        sample(&recipe.long_threads(), 1000)
            .iter()
            .map(|id| format!("{BASE}/threads/{id}/messages?limit={limit}")),
    )
}

fn script(recipe: &Recipe, limit: usize) -> Result<String> {
    let long = recipe.long_threads();
    let stride = (long[1] - long[0]) as usize;
    ensure!(
        long.windows(2).all(|pair| (pair[1] - pair[0]) as usize == stride),
        "long threads are not evenly spread"
    );
    Ok(pgbench::history(stride, long.len(), limit))
}

/// Pages of history, against pgbench with the same query.
fn reads(
    bench: &Bench,
    report: &mut Report,
    division: &Division,
    server: &Server,
    recipe: &Recipe,
    seed: &Database,
) -> Result<()> {
    for limit in [100, 20] {
        let load = division.load(bench.load(server.address, CLIENTS, &history(recipe, limit)));
        let script = script(recipe, limit)?;
        load.run()?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..bench.rounds {
            ours.push(load.run()?);
            theirs.push(pgbench::run(&bench.root, &seed.url(), &script, CLIENTS, bench.turn)?);
        }
        report.add(compared(
            format!("PostgreSQL: history page of {limit} at {CLIENTS} clients, against pgbench with the same query"),
            rate(&ours),
            median(theirs),
            Some(Mark::AtLeast(0.70)),
        ));
    }
    Ok(())
}

/// Two nodes on one database, against one.
fn nodes(
    bench: &Bench,
    report: &mut Report,
    division: &Division,
    directory: &Path,
    database: &Database,
    recipe: &Recipe,
) -> Result<()> {
    let start = |number: usize| {
        on(division, &division.nodes[number], || node(bench, directory, number + 1, database))
    };
    let (first, second) = (start(0)?, start(1)?);
    let requests = history(recipe, 20);
    let alone = division.load(bench.load(first.address, CLIENTS, &requests));
    let halves =
        [&first, &second].map(|node| division.load(bench.load(node.address, CLIENTS / 2, &requests)));
    let script = script(recipe, 20)?;
    let best = best(bench, database, &script, &[2, 4, 8, 16, 32])?;
    let (mut one, mut two, mut given) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        one.push(alone.run()?);
        let both: Vec<_> = std::thread::scope(|scope| {
            let running: Vec<_> = halves.iter().map(|half| scope.spawn(|| half.run())).collect();
            running
                .into_iter()
                .map(|run| run.join().map_err(|_| anyhow::anyhow!("a load panicked"))?)
                .collect::<Result<_>>()
        })?;
        two.push(both.iter().map(crate::load::Outcome::rate).sum::<f64>());
        given.push(pgbench::run(&bench.root, &database.url(), &script, best, bench.turn)?);
    }
    let two = median(two);
    report.add(compared("PostgreSQL: history page of 20 from two nodes, against one", two, rate(&one), None));
    report.add(compared(
        format!("PostgreSQL: history page of 20 from two nodes, against what the database gives to pgbench, {best} clients"),
        two,
        median(given),
        Some(Mark::AtLeast(0.90)),
    ));
    second.stop()?;
    first.stop()
}

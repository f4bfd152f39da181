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
use crate::load::Requests;
use crate::report::{Mark, Report, median, progress};
use crate::seed::Recipe;
use crate::server::Server;

const CLIENTS: usize = 32;

/// The store's own count of connections that write.
const WRITERS: usize = 4;

pub fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // Everybody gets the same cluster: synced, with memory for what is measured, and no checkpoint in the middle of a turn.
    let settings = Options::durable()
        .set("shared_buffers", "2GB")
        .set("max_wal_size", "16GB")
        .set("checkpoint_timeout", "1h")
        .set("max_connections", "300");
    let cluster = Cluster::start(settings)?;
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
    let server = node(bench, &directory, 1, &own)?;
    writes(bench, report, &runtime, &server, &recipe, [copy()?, copy()?])?;
    reads(bench, report, &server, &recipe, &seed)?;
    nodes(bench, report, &directory, server, &own, &recipe)
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
    runtime: &tokio::runtime::Runtime,
    server: &Server,
    recipe: &Recipe,
    [bare, single]: [Database; 2],
) -> Result<()> {
    let load = bench.load(server.address, 256, &sends(&recipe.threads()));
    let settled = batch_of(server, &load)?;
    progress(&format!("256 connections make batches of {settled} on PostgreSQL"));
    let mut bare =
        runtime.block_on(async { Writer::open(&bare.url(), WRITERS).await.map(|writer| (writer, bare)) })?;
    let turn = bench.turn.max(Duration::from_secs(2));
    // One transaction per message is at its best with many clients; how many differs from machine to machine.
    let mut best = (0, 0.0);
    for clients in [16, 32, 64, 128] {
        let rate = pgbench::run(&bench.root, &single.url(), pgbench::SEND, clients, turn)?;
        progress(&format!("pgbench with {clients} clients: {rate:.0}/s"));
        if rate > best.1 {
            best = (clients, rate);
        }
    }
    let (mut ours, mut batches, mut singles) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        ours.push(load.run()?);
        batches.push(runtime.block_on(bare.0.run(settled, turn))?);
        singles.push(pgbench::run(&bench.root, &single.url(), pgbench::SEND, best.0, turn)?);
    }
    let ours = rate(&ours);
    report.add(compared(
        format!("PostgreSQL: sends at 256 connections, against bare array batches of {settled} on {WRITERS} connections"),
        ours,
        median(batches),
        Some(Mark::AtLeast(0.70)),
    ));
    report.add(compared(
        format!("PostgreSQL: sends at 256 connections, against pgbench with one transaction per message, {} clients", best.0),
        ours,
        median(singles),
        Some(Mark::AtLeast(1.0)),
    ));
    Ok(())
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
    server: &Server,
    recipe: &Recipe,
    seed: &Database,
) -> Result<()> {
    for limit in [100, 20] {
        let (load, script) =
            (bench.load(server.address, CLIENTS, &history(recipe, limit)), script(recipe, limit)?);
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
    directory: &Path,
    first: Server,
    database: &Database,
    recipe: &Recipe,
) -> Result<()> {
    let second = node(bench, directory, 2, database)?;
    let requests = history(recipe, 20);
    let alone = bench.load(first.address, CLIENTS, &requests);
    let halves = [first.address, second.address].map(|address| bench.load(address, CLIENTS / 2, &requests));
    let script = script(recipe, 20)?;
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
        given.push(pgbench::run(&bench.root, &database.url(), &script, CLIENTS, bench.turn)?);
    }
    let two = median(two);
    report.add(compared("PostgreSQL: history page of 20 from two nodes, against one", two, rate(&one), None));
    report.add(compared(
        "PostgreSQL: history page of 20 from two nodes, against what the database gives to pgbench",
        two,
        median(given),
        Some(Mark::AtLeast(0.90)),
    ));
    second.stop()?;
    first.stop()
}

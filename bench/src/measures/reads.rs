//! Reads at 64 connections, beside the bare read and splice (L2) and the same bytes from memory (L3).

use anyhow::Result;
use bytes::Bytes;

use super::{BASE, bodies, compared, gets, large, pages, rate, sample};
use crate::Bench;
use crate::limits::database;
use crate::limits::http::{Answer, Answers, serve};
use crate::limits::reads::{Read, Reader};
use crate::report::{Mark, Report, progress};
use crate::server::Server;

const CONNECTIONS: usize = 64;
/// How many different answers each kind of read is measured on: more than fit a processor's cache.
const SAMPLE: usize = 1000;

struct Kind {
    what: &'static str,
    paths: Vec<String>,
    reads: Vec<Read>,
    against_reading: Option<f64>,
    against_memory: f64,
}

pub fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let recipe = large();
    let server = bench.server(&recipe, "reads")?;
    let database = database(&bench.root.join("run").join(format!("reads-{}", recipe.name)))?;
    let reader = Reader::open(&database)?;
    for kind in kinds(&server, &reader, &recipe)? {
        progress(&format!("{} at {CONNECTIONS} connections", kind.what));
        let memory: Answers = kind
            .paths
            .iter()
            .cloned()
            .zip(bodies(&server, &kind.paths)?.into_iter().map(|body| Answer::Memory(Bytes::from(body))))
            .collect();
        let reading: Answers =
            kind.paths.iter().cloned().zip(kind.reads.iter().map(|read| Answer::Read(*read))).collect();
        let reading = serve(reading, Some(database.clone()))?;
        let memory = serve(memory, None)?;
        let requests = gets(kind.paths);
        let loads =
            [server.address, reading, memory].map(|address| bench.load(address, CONNECTIONS, &requests));
        let outcomes = bench.interleave(&loads)?;
        let [ours, reading, memory] = [0, 1, 2].map(|n| rate(&outcomes[n]));
        report.add(compared(
            format!("{}, against L2", kind.what),
            ours,
            reading,
            kind.against_reading.map(Mark::AtLeast),
        ));
        report.add(compared(
            format!("{}, against L3", kind.what),
            ours,
            memory,
            Some(Mark::AtLeast(kind.against_memory)),
        ));
    }
    server.stop()
}

fn kinds(server: &Server, reader: &Reader, recipe: &crate::seed::Recipe) -> Result<Vec<Kind>> {
    let long = sample(&recipe.long_threads(), SAMPLE);
    let any = sample(&recipe.threads(), SAMPLE);
    let history = |what, limit: usize, against_reading, against_memory| -> Result<Kind> {
        let reads = long
            .iter()
            .map(|id| Ok(Read::History { number: reader.number(*id)?, limit }))
            .collect::<Result<_>>()?;
        let paths = long.iter().map(|id| format!("{BASE}/threads/{id}/messages?limit={limit}")).collect();
        Ok(Kind { what, paths, reads, against_reading, against_memory })
    };
    let list = pages(server, &format!("{BASE}/threads?limit=100"), SAMPLE)?;
    let starts = (0..list.len()).map(|n| Read::Threads { after: n as i64 * 100, limit: 100 }).collect();
    Ok(vec![
        history("history page of 100", 100, Some(0.85), 0.45)?,
        history("history page of 20", 20, None, 0.50)?,
        Kind {
            what: "page of 100 threads",
            paths: list,
            reads: starts,
            against_reading: Some(0.85),
            against_memory: 0.40,
        },
        Kind {
            what: "one thread",
            paths: any.iter().map(|id| format!("{BASE}/threads/{id}")).collect(),
            reads: any.iter().map(|id| Read::Thread { id: *id }).collect(),
            against_reading: None,
            against_memory: 0.85,
        },
    ])
}

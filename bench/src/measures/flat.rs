//! Whether reads stay as fast when the store, or one thread, grows.

use anyhow::Result;

use super::{BASE, bodies, gets, huge, large, milliseconds, pages, quantile, sample, small};
use crate::Bench;
use crate::load::Load;
use crate::report::{Line, Mark, Report, Unit, progress};
use crate::seed::{ACCOUNT, AGENT, INBOX, Recipe};
use crate::server::Server;

/// As many threads on either side, so that what is compared is the size of the store and not the processor's cache.
const SAMPLE: usize = 40;

pub fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let small = small();
    let before = bench.server(&small, "flat")?;
    between(bench, report, (&before, &small), large(), "10 thousand → 1 million messages", 1.1)?;
    if bench.full {
        between(bench, report, (&before, &small), huge(), "10 thousand → 10 million messages", 3.0)?;
    } else {
        report.skip("10 million messages, which --full adds");
    }
    before.stop()?;
    threads(bench, report)
}

fn between(
    bench: &Bench,
    report: &mut Report,
    small: (&Server, &Recipe),
    recipe: Recipe,
    what: &str,
    mark: f64,
) -> Result<()> {
    let after = bench.server(&recipe, "flat")?;
    for ((name, before_paths), (_, after_paths)) in
        reads(small.0, small.1)?.into_iter().zip(reads(&after, &recipe)?)
    {
        progress(&format!("{name}, {what}"));
        let loads = [
            bench.load(small.0.address, 1, &gets(before_paths)),
            bench.load(after.address, 1, &gets(after_paths)),
        ];
        compare(bench, report, format!("{name}: p50, {what}"), &loads, mark)?;
    }
    after.stop()
}

fn threads(bench: &Bench, report: &mut Report) -> Result<()> {
    let server = bench.server(&Recipe::two_threads(), "flat")?;
    for (name, path) in [
        ("history page of 100", "/messages?limit=100"),
        ("history page of 20", "/messages?limit=20"),
        ("one thread", ""),
    ] {
        let loads =
            [1, 2].map(|id| bench.load(server.address, 1, &gets([format!("{BASE}/threads/{id}{path}")])));
        compare(bench, report, format!("{name}: p50, thread of 100 → 1 million messages"), &loads, 1.1)?;
    }
    server.stop()
}

fn compare(
    bench: &Bench,
    report: &mut Report,
    what: String,
    loads: &[crate::load::Load],
    mark: f64,
) -> Result<()> {
    // One connection shows its p50 within a short turn.
    let loads: Vec<Load> = loads.iter().map(|load| Load { time: load.time / 4, ..load.clone() }).collect();
    let outcomes = bench.interleave(&loads)?;
    let (before, after) = (quantile(&outcomes[0], 0.5), quantile(&outcomes[1], 0.5));
    report.add(Line {
        what,
        ours: milliseconds(after),
        theirs: milliseconds(before),
        figure: after / before,
        unit: Unit::Times,
        goal: Some(Mark::AtMost(mark)),
    });
    Ok(())
}

/// Every reading operation with paths for it.
fn reads(server: &Server, recipe: &Recipe) -> Result<Vec<(&'static str, Vec<String>)>> {
    let threads = sample(&recipe.long_threads(), SAMPLE);
    let each = |suffix: &str| -> Vec<String> {
        threads.iter().map(|id| format!("{BASE}/threads/{id}{suffix}")).collect()
    };
    let mut messages = Vec::new();
    for page in bodies(server, &each("/messages?limit=1"))? {
        let page: serde_json::Value = serde_json::from_slice(&page)?;
        let message = &page["results"][0];
        let text = |field: &str| message[field].as_str().unwrap_or_default().to_string();
        messages.push(format!("{BASE}/threads/{}/messages/{}", text("conversationsThreadId"), text("id")));
    }
    let originals = messages.iter().map(|path| format!("{path}/original-content")).collect();
    let latest = format!(
        "{BASE}/threads?limit=100&sort=latestMessageTimestamp&latestMessageTimestampAfter=2026-01-01"
    );
    Ok(vec![
        ("page of 100 threads", sample_paths(pages(server, &format!("{BASE}/threads?limit=100"), 200)?)),
        (
            "page of 20 threads by latest message",
            sample_paths(pages(server, &latest.replace("=100", "=20"), 20)?),
        ),
        ("threads of an inbox", vec![format!("{BASE}/threads?limit=20&inboxId={INBOX}")]),
        (
            "threads of a contact",
            threads
                .iter()
                .map(|id| format!("{BASE}/threads?associatedContactId={id}&threadStatus=OPEN"))
                .collect(),
        ),
        ("one thread", each("")),
        ("history page of 100", each("/messages?limit=100")),
        ("history page of 20", each("/messages?limit=20")),
        ("one message", messages),
        ("original content", originals),
        ("one actor", vec![format!("{BASE}/actors/A-{AGENT}")]),
        ("a visitor", threads.iter().map(|id| format!("{BASE}/actors/V-{id}")).collect()),
        ("inboxes", vec![format!("{BASE}/inboxes")]),
        ("one inbox", vec![format!("{BASE}/inboxes/{INBOX}")]),
        ("channels", vec![format!("{BASE}/channels")]),
        ("channel accounts", vec![format!("{BASE}/channel-accounts")]),
        ("one channel account", vec![format!("{BASE}/channel-accounts/{ACCOUNT}")]),
    ])
}

fn sample_paths(paths: Vec<String>) -> Vec<String> {
    let step = paths.len().div_ceil(SAMPLE).max(1);
    paths.into_iter().step_by(step).collect()
}

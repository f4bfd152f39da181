//! Prism, mocking our own OpenAPI document: it stores nothing and looks nothing up, and still has to be far behind.

mod requests;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use self::requests::{Desk, operations};
use super::finish;
use crate::Bench;
use crate::load::{Load, fetch, request, try_fetch};
use crate::measures::{large, per_second, rate};
use crate::report::{Line, Mark, Report, Unit, progress};
use crate::server::{Server, free_address};

const CONNECTIONS: usize = 64;

pub fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let prism = install(&bench.root)?;
    let recipe = large();
    let ours = bench.server(&recipe, "rivals")?;
    let document = fetch(ours.address, &request("GET", "/openapi.json", &[], b""))?;
    let theirs = start(&prism, &bench.root, &document)?;
    let document: Value = serde_json::from_slice(&document)?;
    let desk = Desk::of(&ours, recipe.threads())?;
    let wanted = |name: &str| bench.operation.as_ref().is_none_or(|part| name.contains(part));
    for operation in operations(&document).into_iter().filter(|operation| wanted(&operation.name())) {
        let name = operation.name();
        let requests = match operation.requests(&desk) {
            Ok(requests) => requests,
            Err(why) => {
                report.skip(format!("{name}: {why:#}"));
                continue;
            }
        };
        let trial = requests.one(&mut fastrand::Rng::new());
        let refused = [("we", &ours), ("Prism", &theirs)].map(|(who, server)| -> Result<Option<String>> {
            let (status, body) = try_fetch(server.address, &trial)?;
            let said = || format!("{who} answered {status}: {}", String::from_utf8_lossy(&body));
            Ok((!(200..300).contains(&status)).then(said))
        });
        let [by_us, by_prism] = refused;
        if let Some(refused) = by_us?.or(by_prism?) {
            report.skip(format!("{name}: {refused}"));
            continue;
        }
        progress(&name);
        let load = |server: &Server| Load {
            time: bench.turn / 4,
            ..bench.load(server.address, CONNECTIONS, &requests)
        };
        let outcomes = bench.interleave(&[load(&ours), load(&theirs)])?;
        let (ours, theirs) = (rate(&outcomes[0]), rate(&outcomes[1]));
        report.add(Line {
            what: format!("{name}, against Prism"),
            ours: per_second(ours),
            theirs: per_second(theirs),
            figure: ours / theirs,
            unit: Unit::Times,
            goal: Some(Mark::AtLeast(15.0)),
        });
    }
    ours.stop()
}

fn install(root: &Path) -> Result<PathBuf> {
    let folder = root.join("npm");
    let prism = folder.join("node_modules/.bin/prism");
    if !prism.exists() {
        progress("installing Prism from npm");
        std::fs::create_dir_all(&folder)?;
        let mut install = Command::new("npm");
        install.current_dir(&folder).args([
            "install",
            "--no-audit",
            "--no-fund",
            "--prefix",
            ".",
            "@stoplight/prism-cli",
        ]);
        finish(install, &root.join("npm.log"))?;
    }
    Ok(prism)
}

fn start(prism: &Path, root: &Path, document: &[u8]) -> Result<Server> {
    let file = root.join("run/openapi.json");
    std::fs::write(&file, document)?;
    let address = free_address()?;
    let mut mock = Command::new(prism);
    mock.args([
        "mock",
        "--host",
        "127.0.0.1",
        "--port",
        &address.port().to_string(),
        "--verboseLevel",
        "error",
    ])
    .arg(&file);
    progress("starting Prism");
    let server =
        Server::start_answering(mock, address, &root.join("run/prism.log"), Duration::from_secs(60))?;
    Ok(server)
}

//! Matrix Synapse: sending a message to a room, and reading a room's history.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::finish;
use crate::Bench;
use crate::load::{Load, Requests, fetch, request};
use crate::measures::{BASE, gets, large, per_second, rate, sends};
use crate::report::{Line, Mark, Report, Unit, progress};
use crate::seed;
use crate::server::{Server, free_address};

const CONNECTIONS: usize = 64;
const ROOMS: usize = 20;
/// Messages in each room before its history is read: more than the page asked for.
const HISTORY: usize = 120;

pub fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let python = install(&bench.root)?;
    let synapse = start(&python, &bench.root)?;
    progress("filling Synapse's rooms");
    let (token, rooms) = fill(&synapse)?;
    let recipe = large();
    let ours = bench.server(&recipe, "rivals")?;

    let compare = |what: &str, mark: f64, ours: Load, theirs: Load, report: &mut Report| -> Result<()> {
        let outcomes = bench.interleave(&[ours, theirs])?;
        let (ours, theirs) = (rate(&outcomes[0]), rate(&outcomes[1]));
        report.add(Line {
            what: what.into(),
            ours: per_second(ours),
            theirs: per_second(theirs),
            figure: ours / theirs,
            unit: Unit::Times,
            goal: Some(Mark::AtLeast(mark)),
        });
        Ok(())
    };
    let history = |room: &String| {
        authorized("GET", &format!("/_matrix/client/v3/rooms/{room}/messages?dir=b&limit=100"), &token, b"")
    };
    let ours_history =
        gets(recipe.long_threads().iter().map(|id| format!("{BASE}/threads/{id}/messages?limit=100")));
    let theirs_history = Requests::any_of(rooms.iter().map(history).collect());
    compare(
        "history page of 100 at 64 connections, against Synapse",
        500.0,
        bench.load(ours.address, CONNECTIONS, &ours_history),
        bench.load(synapse.address, CONNECTIONS, &theirs_history),
        report,
    )?;
    compare(
        "sends at 64 connections, against Synapse",
        150.0,
        bench.load(ours.address, CONNECTIONS, &sends(&recipe.threads())),
        bench.load(synapse.address, CONNECTIONS, &room_sends(&token, &rooms)),
        report,
    )?;
    ours.stop()
}

fn install(root: &Path) -> Result<PathBuf> {
    let venv = root.join("venv");
    let python = venv.join("bin/python");
    if !venv.join("bin/synapse_homeserver").exists() {
        progress("installing Matrix Synapse from PyPI");
        let mut make = Command::new("python3");
        make.args(["-m", "venv"]).arg(&venv);
        finish(make, &root.join("venv.log"))?;
        let mut install = Command::new(&python);
        install.args(["-m", "pip", "install", "--quiet", "matrix-synapse"]);
        finish(install, &root.join("pip.log"))?;
    }
    Ok(python)
}

fn start(python: &Path, root: &Path) -> Result<Server> {
    let dir = root.join("run/synapse");
    if dir.exists() {
        std::fs::remove_dir_all(&dir)?;
    }
    std::fs::create_dir_all(&dir)?;
    let mut generate = Command::new(python);
    generate.current_dir(&dir).args([
        "-m",
        "synapse.app.homeserver",
        "--server-name",
        "bench.example",
        "--config-path",
        "homeserver.yaml",
    ]);
    generate.args(["--generate-config", "--report-stats=no"]);
    finish(generate, &root.join("synapse-config.log"))?;
    let address = free_address()?;
    let fast = json!({"per_second": 1_000_000, "burst_count": 1_000_000});
    // A later file replaces the settings of an earlier one; JSON is YAML.
    let settings = json!({
        "listeners": [{"port": address.port(), "type": "http", "bind_addresses": ["127.0.0.1"], "resources": [{"names": ["client"]}]}],
        "rc_message": fast, "rc_login": {"address": fast, "account": fast, "failed_attempts": fast}, "rc_registration": fast,
        "rc_joins": {"local": fast, "remote": fast}, "rc_room_creation": fast,
        "enable_registration": true, "enable_registration_without_verification": true, "trusted_key_servers": [],
    });
    std::fs::write(dir.join("bench.yaml"), settings.to_string())?;
    let quiet = "version: 1\nhandlers:\n  none:\n    class: logging.NullHandler\nroot:\n  level: ERROR\n  handlers: [none]\n";
    std::fs::write(dir.join("bench.example.log.config"), quiet)?;
    let mut serve = Command::new(python);
    serve.current_dir(&dir).args([
        "-m",
        "synapse.app.homeserver",
        "--config-path",
        "homeserver.yaml",
        "--config-path",
        "bench.yaml",
    ]);
    progress("starting Synapse");
    Server::start(
        serve,
        address,
        "/_matrix/client/versions",
        &root.join("run/synapse.log"),
        Duration::from_secs(60),
    )
}

fn fill(synapse: &Server) -> Result<(String, Vec<String>)> {
    let post = |path: &str, token: &str, body: Value| -> Result<Value> {
        let body = body.to_string();
        let answer = fetch(synapse.address, &authorized("POST", path, token, body.as_bytes()))?;
        Ok(serde_json::from_slice(&answer)?)
    };
    let account =
        json!({"username": "bench", "password": "bench-only-here", "auth": {"type": "m.login.dummy"}});
    let account = post("/_matrix/client/v3/register", "", account)?;
    let token = account["access_token"].as_str().context("Synapse gave no token")?.to_string();
    let mut rooms = Vec::new();
    for _ in 0..ROOMS {
        let room = post("/_matrix/client/v3/createRoom", &token, json!({"preset": "private_chat"}))?;
        rooms.push(
            room["room_id"].as_str().context("Synapse made no room")?.replace('!', "%21").replace(':', "%3A"),
        );
    }
    let mut dice = fastrand::Rng::new();
    for room in &rooms {
        let sends = room_sends(&token, std::slice::from_ref(room));
        for _ in 0..HISTORY {
            fetch(synapse.address, &sends.one(&mut dice))?;
        }
    }
    Ok((token, rooms))
}

fn room_sends(token: &str, rooms: &[String]) -> Requests {
    static TRANSACTION: AtomicU64 = AtomicU64::new(0);
    let (token, rooms) = (token.to_string(), rooms.to_vec());
    Requests::made_by(move |dice, out| {
        let (room, transaction) = (&rooms[dice.usize(..rooms.len())], TRANSACTION.fetch_add(1, Relaxed));
        let text = seed::text(transaction);
        let body = json!({"msgtype": "m.text", "body": text, "format": "org.matrix.custom.html", "formatted_body": format!("<div>{text}</div>")});
        let path = format!("/_matrix/client/v3/rooms/{room}/send/m.room.message/{transaction}");
        out.extend_from_slice(&authorized("PUT", &path, &token, body.to_string().as_bytes()));
    })
}

fn authorized(method: &str, path: &str, token: &str, body: &[u8]) -> Vec<u8> {
    if token.is_empty() {
        return request(method, path, &[], body);
    }
    request(method, path, &[("authorization", &format!("Bearer {token}"))], body)
}

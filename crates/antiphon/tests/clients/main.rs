//! HubSpot's official clients, installed from their registries, against the running program. Their own test files are in
//! `node/` and `python/`; here they get a server, and are never skipped.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod signatures;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use antiphon_testkit::{Home, Program, Running};

/// Requests per ten seconds on the second server, for the tests of retries.
const LIMIT: &str = "4";

/// How Python packages are installed, apart from everybody else's.
const PIP: &[&[&str]] = &[
    &["python3", "-m", "venv", "venv"],
    &["venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"],
];

/// The demo portal twice on the same kind of data: without limits, and with very low ones.
struct Servers {
    open: Program,
    limited: Program,
    _running: [Running; 2],
    _homes: [Home; 2],
}

async fn servers() -> Servers {
    let home = Home::new();
    let binary = env!("CARGO_BIN_EXE_antiphon");
    let open = home.program(binary).arg("--demo");
    assert!(open.start().await.unwrap().stop().await.unwrap().success());
    let homes = [home.copy(), home];
    let running = open.start().await.unwrap();
    let limited = homes[0].program(binary).env("ANTIPHON_LIMITS__PER_TEN_SECONDS", LIMIT);
    let slow = limited.start().await.unwrap();
    Servers { open, limited, _running: [running, slow], _homes: homes }
}

/// Where a client is installed: below the target directory, once per lock file.
fn home(name: &str, files: &[&str]) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name);
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../clients").join(name);
    fs::create_dir_all(&home).unwrap();
    for file in files {
        fs::copy(source.join(file), home.join(file)).unwrap();
    }
    home.canonicalize().unwrap()
}

/// Runs an installation unless this very lock file was installed before.
fn install(home: &Path, lock: &str, steps: &[&[&str]]) {
    let wanted = fs::read(home.join(lock)).unwrap();
    let mark = home.join(".installed");
    if fs::read(&mark).is_ok_and(|installed| installed == wanted) {
        return;
    }
    for step in steps {
        run(Command::new(step[0]).args(&step[1..]).current_dir(home));
    }
    fs::write(mark, wanted).unwrap();
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?} cannot be started: {e}"));
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "{command:?}\n{text}");
    println!("{text}");
}

fn test(servers: &Servers, command: &mut Command) {
    run(command
        .env("ANTIPHON_URL", format!("http://{}", servers.open.address))
        .env("ANTIPHON_LIMITED_URL", format!("http://{}", servers.limited.address))
        .env("ANTIPHON_LIMIT", LIMIT));
}

/// Leaves signed requests where the clients' tests look for them.
fn signed(home: &Path) {
    fs::write(home.join("signatures.json"), signatures::cases().to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_client_works() {
    let tests = ["conversations.test.js", "signatures.test.js", "webhooks.test.js"];
    let home = home("node", &["package.json", "package-lock.json", tests[0], tests[1], tests[2]]);
    install(&home, "package-lock.json", &[&["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]]);
    let servers = servers().await;
    signed(&home);
    test(&servers, Command::new("node").arg("--test").args(tests).current_dir(&home));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_client_works() {
    let tests = ["test_conversations.py", "test_signatures.py", "test_webhooks.py"];
    let home = home("python", &["requirements.txt", tests[0], tests[1], tests[2]]);
    install(&home, "requirements.txt", PIP);
    let servers = servers().await;
    signed(&home);
    let python = home.join("venv/bin/python");
    test(&servers, Command::new(python).args(["-m", "unittest"]).args(tests).current_dir(&home));
}

/// Requests of every shape our own description allows, and of many that it does not: no 5xx, and no answer that is not described.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answers_what_is_not_described() {
    let home = home("schemathesis", &["requirements.txt", "schemathesis.toml"]);
    install(&home, "requirements.txt", PIP);
    let servers = servers().await;
    let url = format!("http://{}", servers.open.address);
    let checks =
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
    test(
        &servers,
        Command::new(home.join("venv/bin/st"))
            .current_dir(&home)
            .args(["run", &format!("{url}/openapi.json")])
            .args([
                "--url",
                &url,
                "--header",
                "Authorization: Bearer pat-demo-antiphon",
                "--checks",
                checks,
                "--phases",
                "examples,coverage,fuzzing",
                "--max-examples",
                "10",
                // One thread: CPython 3.11 counts the depth of a syntax tree once for all threads, and hypothesis parses many.
                "--workers",
                "1",
                "--seed",
                "2609",
                // All versions of a family are one table: one of them, and our own calls, stand for the rest.
                "--include-path-regex",
                "^/(conversations/v3|webhooks/v3|antiphon/v1)/",
                "--no-shrink",
                "--continue-on-failure",
                "--warnings",
                "off",
                "--suppress-health-check",
                "all",
            ]),
    );
}

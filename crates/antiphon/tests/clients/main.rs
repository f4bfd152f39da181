//! HubSpot's official clients, installed from their registries, against the running program. Their own test files are in
//! `node/` and `python/`; here they get a server, and are never skipped.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod signatures;
mod stage;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use antiphon_testkit::{Home, Program, Running};

/// Requests per ten seconds on the second server, for the tests of retries.
const LIMIT: &str = "4";

/// The size of the largest file there.
const LARGEST: &str = "65536";

/// How Python packages are installed, apart from everybody else's.
const PIP: &[&[&str]] = &[
    &["python3", "-m", "venv", "venv"],
    &["venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"],
];

/// The demo portal twice on the same kind of data: without limits, and with very low ones.
struct Servers {
    open: Program,
    limited: Program,
    /// What the tests of OAuth are told.
    oauth: String,
    _running: [Running; 2],
    _homes: [Home; 2],
}

async fn servers() -> Servers {
    let home = Home::new();
    let binary = env!("CARGO_BIN_EXE_antiphon");
    // A build with checks on a busy machine is slow, and not overloaded.
    let program = |home: &Home| home.program(binary).env("ANTIPHON_SERVER__LAG_MILLIS", "5000");
    let open = program(&home).arg("--demo");
    assert!(open.start().await.unwrap().stop().await.unwrap().success());
    let oauth = stage::set(&home).await.to_string();
    let homes = [home.copy(), home];
    let running = open.start().await.unwrap();
    let limited = program(&homes[0]).env("ANTIPHON_LIMITS__PER_TEN_SECONDS", LIMIT);
    let limited = limited.env("ANTIPHON_FILES__MAX_BYTES", LARGEST);
    let slow = limited.start().await.unwrap();
    Servers { open, limited, oauth, _running: [running, slow], _homes: homes }
}

/// Where a client is installed, with the files of its tests: below the target directory, once per lock file.
fn home(name: &str) -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../clients").join(name);
    fs::create_dir_all(&home).unwrap();
    for file in files(name) {
        fs::copy(source(name).join(&file), home.join(file)).unwrap();
    }
    home.canonicalize().unwrap()
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

fn files(name: &str) -> Vec<String> {
    let entries = fs::read_dir(source(name)).unwrap().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let mut names: Vec<_> = files.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The files of tests of a client, and not those that they share.
fn tests(name: &str, is_one: impl Fn(&str) -> bool) -> Vec<String> {
    let tests: Vec<_> = files(name).into_iter().filter(|file| is_one(file)).collect();
    assert!(!tests.is_empty());
    tests
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
        .env("ANTIPHON_LIMIT", LIMIT)
        .env("ANTIPHON_OAUTH", &servers.oauth));
}

/// Leaves signed requests where the clients' tests look for them.
fn signed(home: &Path) {
    fs::write(home.join("signatures.json"), signatures::cases().to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_client_works() {
    let tests = tests("node", |file| file.ends_with(".test.js"));
    let home = home("node");
    install(&home, "package-lock.json", &[&["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]]);
    let servers = servers().await;
    signed(&home);
    test(&servers, Command::new("node").arg("--test").args(tests).current_dir(&home));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_client_works() {
    let tests = tests("python", |file| file.starts_with("test_"));
    let home = home("python");
    install(&home, "requirements.txt", PIP);
    let servers = servers().await;
    signed(&home);
    let python = home.join("venv/bin/python");
    test(&servers, Command::new(python).args(["-m", "unittest"]).args(tests).current_dir(&home));
}

/// Requests of every shape our own description allows, and of many that it does not: no 5xx, and no answer that is not described.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answers_what_is_not_described() {
    let home = home("schemathesis");
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
